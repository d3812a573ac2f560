"""The algorithms that float32, wide and float64 share; a module of constants makes them one of the three.

Leans on the intrinsics. The idea: a reduced argument and a short polynomial give the leading part of a result and what
its rounding lost, and both go into the last operation, which then rounds once. Powers of two are made from the bits of a
sum with a large constant, so nothing is converted, nothing branches, and LLVM vectorises the caller's loop.
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

from actfn.kernels.primitives.intrinsics import (
    at_least,
    at_most,
    copysign,
    exponent_and_mantissa,
    fabs,
    flip_sign,
    fma,
    polynomial,
    power_of_two,
    primitive,
    sqrt,
)


def build(c: ModuleType) -> SimpleNamespace:
    """The primitives over the constants c. Where c.COMPENSATED is false, what roundings lose is dropped.

    Constants of c by purpose:
    LN2 + LN2_LOW = ln 2 and LN2_SHORT + LN2_REST = ln 2; n*LN2_SHORT is exact, and so is what it leaves of x.
    SHIFT: u + SHIFT rounds u to an integer n and leaves n + BIAS in the low bits: the exponent of 2^n.
    SHIFT_SCALED leaves the exponent of 2^n * UNIT, which is normal where 2^n is not.
    LOWEST_EXP, HIGHEST_EXP, ZERO_ERFC: bounds from which the bits of the power of two are those of 0 or infinity, so an
    infinite argument raises neither underflow nor overflow.
    SHORT_GATES: whether tanh(softplus(x)) may lose some roundings.
    """

    @primitive
    def remainder(x, n):
        """x - n ln 2."""
        return fma(n, -c.LN2_REST, fma(n, -c.LN2_SHORT, x))

    @primitive
    def short_remainder(x, n):
        """x - n ln 2 to 2^-29 n (float32) or 2^-55 n (float64), where a factor 2^-|n| shrinks the error."""
        return fma(n, -c.LN2, x)

    shrinking_remainder = short_remainder if c.LN2_SUFFICES else remainder

    @primitive
    def expm1_short(r):
        return fma(r * r, polynomial(r, c.EXPM1), r)

    if c.COMPENSATED:

        @primitive
        def expm1_reduced(r):
            """(high, low): their sum is expm1(r) for |r| <= ln(2)/2."""
            rr = r * r
            q = polynomial(r, c.EXPM1)
            p = fma(rr, q, r)
            return p, fma(rr, q, r - p)

        @primitive
        def exp_loose(r):
            """(high, low): their sum is exp(r) for |r| <= ln(2)/2, low below high/16."""
            high = c.ONE + r
            return high, fma(r * r, polynomial(r, c.EXPM1), r - (high - c.ONE))

        @primitive
        def exp_reduced(r):
            """(high, low): their sum is exp(r) for |r| <= ln(2)/2, low below half an ulp of high."""
            leading, rest = exp_loose(r)
            high = leading + rest
            return high, rest - (high - leading)

        @primitive
        def quotient(a, a_low, b, b_low):
            """(high, low): (a + a_low)/(b + b_low)."""
            inverse = c.ONE / b
            high = a * inverse
            return high, inverse * (fma(-high, b, a) + fma(-high, b_low, a_low))

        @primitive
        def inverse(b, b_low):
            """(high, low): 1/(b + b_low)."""
            high = c.ONE / b
            return high, high * fma(-high, b_low, fma(-high, b, c.ONE))

        @primitive
        def share(s, b, b_low):
            """(high, relative): s/(b + b_low) is high*(1 + relative), for a power of two s."""
            inverse = c.ONE / b
            return inverse * s, fma(-inverse, b_low, fma(-inverse, b, c.ONE))

        @primitive
        def product_parts(a, a_low, b, b_low):
            """(high, low): (a + a_low)*(b + b_low)."""
            rest = fma(a_low, b, a * b_low)
            high = fma(a, b, rest)
            return high, fma(a, b, -high) + rest

        @primitive
        def weighted(a, high, low):
            """a*(high + low), rounded once."""
            return fma(a, high, a * low)

        @primitive
        def increased(a, high, relative):
            """a*high*(1 + relative), rounded once."""
            return fma(a, high, a * high * relative)

        @primitive
        def ends_with(u, slope, last, last_low):
            """(high, low): u*slope + last + last_low."""
            high = fma(u, slope, last)
            return high, fma(u, slope, last - high) + last_low

        @primitive
        def folded(high, low):
            """(high, low) as they are; their sum where nothing is followed."""
            return high, low

    else:
        # -0.0 is what LLVM adds for nothing

        @primitive
        def expm1_reduced(r):
            return expm1_short(r), -c.ZERO

        @primitive
        def exp_reduced(r):
            return c.ONE + expm1_short(r), -c.ZERO

        exp_loose = exp_reduced

        @primitive
        def quotient(a, a_low, b, b_low):
            return (a + a_low) / b, -c.ZERO

        @primitive
        def inverse(b, b_low):
            return c.ONE / b, -c.ZERO

        @primitive
        def share(s, b, b_low):
            return s / b, -c.ZERO

        @primitive
        def product_parts(a, a_low, b, b_low):
            return a * b, -c.ZERO

        @primitive
        def weighted(a, high, low):
            return a * high  # the sum would lose the sign of a zero

        @primitive
        def increased(a, high, relative):
            return a * high

        @primitive
        def ends_with(u, slope, last, last_low):
            return fma(u, slope, last), -c.ZERO

        @primitive
        def folded(high, low):
            return high + low, -c.ZERO

    @primitive
    def product(a, high, low, s):
        """a*(high + low)*s/UNIT, rounded once; s is a power of two, and the product may be subnormal or a large."""
        large = fabs(a) > c.LARGE_FACTOR
        b = a * c.UNSCALE if large else a
        return weighted(b, high * s, low * s) * (c.ONE if large else c.UNSCALE)

    # -- exponentials

    @primitive
    def exp(x):
        t = at_most(x, c.HIGHEST_EXP)
        t = at_least(t, c.LOWEST_EXP)
        # 2^n in two factors, as it may be subnormal or past the largest float
        shift = c.SHIFT_SCALED if x < c.ZERO else c.SHIFT - c.ONE
        m = fma(t, c.LOG2E, shift)
        high, low = exp_loose(remainder(t, m - shift))
        return (high + low) * power_of_two(m) * (c.UNSCALE if x < c.ZERO else c.TWO)

    @primitive
    def exp_nonpositive(x):
        """exp for x <= 0 or NaN, cheaper; for other x the result means nothing."""
        t = at_least(x, c.LOWEST_EXP)
        m = fma(t, c.LOG2E, c.SHIFT_SCALED)
        p = expm1_short(remainder(t, m - c.SHIFT_SCALED))
        s = power_of_two(m)
        return fma(s, p, s) * c.UNSCALE

    @primitive
    def times_exp(a, x, x_low):
        """a*exp(x + x_low), which neither rounds nor leaves the range before the product; x_low is far below 1."""
        t = at_most(x, c.HIGHEST_HALVED_EXP)
        t = at_least(t, c.LOWEST_HALVED_EXP)
        n = fma(t, c.LOG2E, c.SHIFT) - c.SHIFT
        high, low = exp_loose(remainder(t, n))
        m = fma(n, c.HALF, c.SHIFT)
        s = power_of_two(m)
        low = fma(high + low, x_low, low + c.SMALLEST_NORMAL)  # not 0, as an infinite factor would make NaN of it
        return fma(a, high * s, a * (low * s)) * power_of_two((n - (m - c.SHIFT)) + c.SHIFT)

    @primitive
    def expm1_nonpositive(x):
        """expm1 for x <= 0 or NaN, cheaper; for other x the result means nothing."""
        t = at_least(x, c.SMALLEST_EXPM1)
        m = fma(t, c.LOG2E, c.SHIFT)
        p = expm1_short(shrinking_remainder(t, m - c.SHIFT))
        s = power_of_two(m)
        return copysign(fma(s, p, s - c.ONE), x)

    @primitive
    def expm1_parts(x):
        """(high, low, twice): expm1(x) = (high + low)*twice; the factor 2 stays out because 2^128 is no float32."""
        shift = c.SHIFT - c.ONE
        t = at_most(x, c.LARGEST_EXPM1)
        t = at_least(t, c.SMALLEST_EXPM1)
        m = fma(t, c.LOG2E, shift)
        n = m - shift
        before = fma(n, -c.LN2_SHORT, t)
        r = fma(n, -c.LN2_REST, before)
        r_low = fma(n, -c.LN2_REST, before - r)
        p, p_low = expm1_reduced(r)
        s = power_of_two(m)
        leading = s - c.HALF
        high = fma(s, p, leading)
        low = fma(s, p, leading - high) + ((s - leading) - c.HALF)
        return high, fma(s, p_low + r_low, low)

    @primitive
    def expm1(x):
        high, low = expm1_parts(x)
        y = high + low
        y = c.INFINITY if x > c.LARGEST_EXPM1 else y + y
        return x if fabs(x) < c.TINY else y

    @primitive
    def times_expm1(a, x):
        """a*expm1(x), rounded once."""
        high, low = expm1_parts(x)
        tiny = fabs(x) < c.TINY
        high = x if tiny else high
        y = fma(a, high, a * (c.ZERO if tiny else low))
        y = y if tiny else y + y
        return a * c.INFINITY if x > c.LARGEST_EXPM1 else y

    @primitive
    def hyperbolic(x):
        """exp(a) = 4*s*(1 + p) and exp(-a) = 4*t*(1 - q) for a = |x|: (s, p, p_low, t, q, q_low)."""
        t = fabs(x)
        t = at_most(t, c.HIGHEST_SINH)
        m = fma(t, c.LOG2E, c.SHIFT - c.TWO)
        n = m - (c.SHIFT - c.TWO)
        p, p_low = expm1_reduced(remainder(t, n))
        b = c.ONE + p
        q, q_low = quotient(p, p_low, b, (p - (b - c.ONE)) + p_low)
        t = power_of_two((c.SHIFT - c.TWO) - at_most(n, c.LARGE_EXPONENT))
        return power_of_two(m), p, p_low, t, q, q_low

    @primitive
    def sinh(x):
        s, p, p_low, t, q, q_low = hyperbolic(x)
        leading = s - t
        first = fma(s, p, leading)
        high = fma(t, q, first)
        low = fma(s, p, leading - first) + fma(t, q, first - high)
        y = high + (low + fma(s, p_low, fma(t, q_low, (s - leading) - t)))
        y = c.INFINITY if fabs(x) > c.HIGHEST_SINH else y + y
        return x if fabs(x) < c.TINY_CUBED else copysign(y, x)

    @primitive
    def cosh(x):
        s, p, p_low, t, q, q_low = hyperbolic(x)
        leading = s + t
        first = fma(s, p, leading)
        high = fma(-t, q, first)
        low = fma(s, p, leading - first) + fma(-t, q, first - high)
        y = high + (low + fma(s, p_low, fma(-t, q_low, t - (leading - s))))
        return c.INFINITY if fabs(x) > c.HIGHEST_SINH else y + y

    @primitive
    def powers_of_two(m):
        """Two powers of two, the first normal, whose product is that of m, which may be far below the normal range."""
        first = at_least(m, c.SHIFT - c.SPARE)
        return power_of_two(first), power_of_two((m - first) + c.SHIFT)

    def sigmoid_parts_of(expm1_parts: Any) -> Any:
        @primitive
        def parts(x, x_low):
            """(high, relative, s): sigmoid(x + x_low) = high*(1 + relative)*s.

            With x = k ln 2 - r it is 2^k/(2^k + exp(r)). From HIGHEST_SIGMOID on `relative` is positive, so that the
            product with an infinite factor is infinite.
            """
            t = at_most(x, c.HIGHEST_SIGMOID)
            t = at_least(t, c.LOWEST_EXP)
            m = fma(t, c.LOG2E, c.SHIFT)
            p, p_low = expm1_parts(-(remainder(t, m - c.SHIFT) + x_low))
            s, rest = powers_of_two(m)
            leading = s + c.ONE
            b = leading + p
            high, relative = share(s, b, ((p - (b - leading)) + p_low) + (s + (c.ONE - leading)))
            return high, relative, rest

        return parts

    @primitive
    def expm1_rounded(r):
        return expm1_short(r), -c.ZERO

    gate_expm1 = expm1_rounded if c.SHORT_GATES else expm1_reduced
    sigmoid_parts, sigmoid_close_parts = sigmoid_parts_of(expm1_rounded), sigmoid_parts_of(expm1_reduced)

    @primitive
    def sigmoid(x):
        high, relative, s = sigmoid_parts(x, -c.ZERO)
        return fma(high, relative, high) * s

    @primitive
    def times_sigmoid(a, x, x_low):
        """a*sigmoid(x + x_low), which neither rounds nor underflows before the product."""
        high, relative, s = sigmoid_close_parts(x, x_low)
        return increased(a, high, relative) * s

    def gate_parts_of(two_part: bool) -> Any:
        @primitive
        def parts(x, x_low):
            """(high, relative, s): sigmoid(-|u|) = high*(1 + relative)*s for u = x + x_low; sigmoid(|u|) is the rest of 1."""
            t = at_least(-fabs(x), c.LOWEST_EXP)
            m = fma(t, c.LOG2E, c.SHIFT)
            r = remainder(t, m - c.SHIFT)
            p, p_low = gate_expm1(flip_sign(x_low, x) - r if two_part else -r)
            s, rest = powers_of_two(m)
            leading = s + c.ONE
            b = leading + p
            high, relative = share(s, b, ((p - (b - leading)) + p_low) + (s + (c.ONE - leading)))
            return high, relative, rest

        return parts

    gate_parts, gate_two_parts = gate_parts_of(False), gate_parts_of(True)

    @primitive
    def times_share(a, high, relative, s, small):
        """a times a sigmoid in parts where `small` is true, else a times what that leaves of 1."""
        return increased(a, high, relative) * s if small else a * (c.ONE - fma(high, relative, high) * s)

    # sigmoid(u) and sigmoid(-u) of one u: LLVM computes the parts once

    @primitive
    def times_gate(a, x):
        """a*sigmoid(x), which doesn't underflow before the product."""
        high, relative, s = gate_parts(x, -c.ZERO)
        return times_share(a, high, relative, s, x < c.ZERO)

    @primitive
    def times_cogate(a, x):
        """a*sigmoid(-x)."""
        high, relative, s = gate_parts(x, -c.ZERO)
        return times_share(a, high, relative, s, x > c.ZERO)

    @primitive
    def times_gate_of_sum(a, x, x_low):
        """a*sigmoid(x + x_low)."""
        high, relative, s = gate_two_parts(x, x_low)
        return times_share(a, high, relative, s, x < c.ZERO)

    @primitive
    def times_cogate_of_sum(a, x, x_low):
        """a*sigmoid(-x - x_low)."""
        high, relative, s = gate_two_parts(x, x_low)
        return times_share(a, high, relative, s, x > c.ZERO)

    @primitive
    def tanh_parts(x):
        """(high, low): their sum is tanh(|x|), up to the argument where that becomes 1.

        With 2|x| = n ln 2 + r and s = 2^-n it is (exp(r) - s)/(exp(r) + s). From HIGHEST_TANH on, where 1 - s is still
        exact, there is only one value below 1.
        """
        t = fabs(x)
        t = at_most(t, c.HIGHEST_TANH)
        t = t + t
        m = fma(t, -c.LOG2E, c.SHIFT)
        s = power_of_two(m)
        p, p_low = expm1_reduced(shrinking_remainder(t, c.SHIFT - m))
        leading = c.ONE - s
        a = leading + p
        a_low = (p - (a - leading)) + p_low
        s = s + s
        b = a + s
        return quotient(a, a_low, b, (a - (b - s)) + a_low)

    @primitive
    def tanh(x):
        high, low = tanh_parts(x)
        return copysign(c.ONE if fabs(x) > c.ONE_TANH else high + low, x)

    @primitive
    def times_tanh(a, x):
        """a*tanh(x), rounded once."""
        high, low = tanh_parts(x)
        return flip_sign(a if fabs(x) > c.ONE_TANH else fma(a, high, a * low), x)

    @primitive
    def times_tanh_softplus(a, x, x_low):
        """a*tanh(softplus(x + x_low)), which doesn't underflow before the product.

        With e = exp(x) it is e*(e + 2)/(e*(e + 2) + 2): one exponential and no logarithm.
        """
        t = at_most(x, c.LARGEST_SOFTPLUS)
        t = at_least(t, c.LOWEST_EXP)
        m = fma(t, c.LOG2E, c.SHIFT)
        s, rest = powers_of_two(m)
        p, p_low = gate_expm1(remainder(t, m - c.SHIFT) + x_low)
        e = fma(p, s, s)
        f = e + c.TWO
        d = fma(e, f, c.TWO)
        if c.SHORT_GATES:
            q = f / d * s
            return a * fma(p, q, q) * rest
        e_low = fma(p, s, s - e) + p_low * s
        f_low = (e - (f - c.TWO)) + e_low
        q, q_low = quotient(f, f_low, d, fma(e, f, c.TWO - d) + fma(e, f_low, e_low * f))
        high, low = product_parts(q, q_low, e, e_low)
        return weighted(a, high, low) * rest

    @primitive
    def tanh_softplus(x):
        return times_tanh_softplus(c.ONE, x, -c.ZERO)

    # -- logarithms

    @primitive
    def log1p_sum(k, f, f_low):
        """k ln 2 + log1p(f + f_low), for 1 + f in [sqrt(1/2), sqrt(2)] and f_low far below it.

        log1p(f) = f - (h - s*(h + R(s^2))) with s = f/(2 + f) and h = f^2/2, as in fdlibm: f leads and is exact.
        """
        s = f / (c.TWO + f)
        ss = s * s
        h = c.HALF * f * f
        short = k * c.LN2_SHORT
        high = short + f
        low = fma(k, c.LN2_REST, fma(-f, f_low, f_low))
        low = h - fma(s, fma(ss, polynomial(ss, c.LOG), h), low)
        return high + ((f - (high - short)) - low)

    @primitive
    def log(x):
        small = fabs(x) < c.SMALLEST_NORMAL
        k, m = exponent_and_mantissa(x * c.SCALE_SUBNORMAL if small else x, c.ROOT_HALF)
        k = k - c.EXPONENT_SUBNORMAL if small else k
        y = log1p_sum(k, m - c.ONE, -c.ZERO)
        y = y if x < c.INFINITY else x
        y = y if x > c.ZERO else -c.INFINITY
        return y if x >= c.ZERO else c.NAN * x

    @primitive
    def log_sum(u, u_low, twice):
        """log(u + u_low), or log(2u) where twice is 1, for u >= 1/2 or about as large as u_low."""
        k, m = exponent_and_mantissa(u, c.ROOT_HALF)
        m = m - c.ONE
        u_low = u_low * power_of_two(c.SHIFT - at_most(k, c.LARGE_EXPONENT))
        f = m + u_low
        return log1p_sum(k + twice, f, (m - f) + u_low)

    @primitive
    def log1p(x):
        u = c.ONE + x
        lost = u - x
        y = log_sum(u, (x - (u - lost)) + (c.ONE - lost), c.ZERO)
        y = y if x < c.INFINITY else x
        y = x if fabs(x) < c.TINY else y
        y = y if x > -c.ONE else -c.INFINITY
        return y if x >= -c.ONE else c.NAN * x

    @primitive
    def asinh(x):
        """log(a + w) for a = |x| and w = sqrt(1 + a^2), with what the two roundings lose; log(2a) for a large a."""
        a = fabs(x)
        large = a > c.HUGE
        b = c.ONE if large else a
        square = b * b
        v = c.ONE + square
        v_low = (fma(b, b, -square)) + ((square - (v - c.ONE)) if square < c.ONE else (c.ONE - (v - square)))
        w = sqrt(v)
        w_low = (fma(-w, w, v) + v_low) / (w + w)
        u = w + b
        y = log_sum(a if large else u, c.ZERO if large else ((w - u) + b) + w_low, c.ONE if large else c.ZERO)
        y = y if a < c.INFINITY else a
        return x if a < c.TINY_CUBED else copysign(y, x)

    def softplus_parts_of(two_part: bool) -> Any:
        @primitive
        def parts(x, x_low):
            """(whole, high, low, e, e_low, s): softplus(x + x_low) = whole + (high + low) for x <= LARGEST_SOFTPLUS.

            log(2 cosh(x/2)) + x/2 where |x| < 1, whole being 0; max(x, 0) + log1p(exp(-|x|)) elsewhere, whole being the
            maximum. exp(-|x|) = (e + e_low)*s/UNIT.
            """
            x = at_most(x, c.LARGEST_SOFTPLUS)
            t = at_least(-fabs(x), c.LOWEST_EXP)
            m = fma(t, c.LOG2E, c.SHIFT_SCALED)
            r = remainder(t, m - c.SHIFT_SCALED)
            w, w_low = exp_reduced(r - flip_sign(x_low, x) if two_part else r)
            scaled = power_of_two(m)
            s = scaled * c.UNSCALE
            far, far_low = w * s, w_low * s
            far_low = fma(far, far * polynomial(far, c.SOFTPLUS_FAR), fma(-far, far_low, far_low))
            u = t * t
            near = fma(c.HALF, x, c.LN2)
            near_low = fma(u, polynomial(u, c.SOFTPLUS_NEAR), fma(c.HALF, x, c.LN2 - near) + c.LN2_LOW)
            if two_part:  # the slope is about 1/2 + x/4 near 0, and 1 for whole
                far_low = far_low + (x_low if x > c.ZERO else c.ZERO)
                near_low = fma(fma(c.HALF * c.HALF, x, c.HALF), x_low, near_low)
            is_near = t > -c.ONE
            whole = c.ZERO if is_near else at_least(x, c.ZERO)
            return whole, near if is_near else far, near_low if is_near else far_low, w, w_low, scaled

        return parts

    softplus_parts, softplus_two_parts = softplus_parts_of(False), softplus_parts_of(True)

    @primitive
    def softplus(x):
        whole, high, low, _, _, _ = softplus_parts(x, c.ZERO)
        return x if x > c.LARGEST_SOFTPLUS else whole + (high + low)

    @primitive
    def softplus_of_sum(x, x_low):
        """softplus(x + x_low)."""
        whole, high, low, _, _, _ = softplus_two_parts(x, x_low)
        return x if x > c.LARGEST_SOFTPLUS else whole + (high + low)

    @primitive
    def times_softplus(a, x, x_low):
        """a*softplus(x + x_low), which neither rounds nor underflows before the product."""
        whole, high, low, e, e_low, s = softplus_two_parts(x, x_low)
        total = whole + high
        total, low = folded(total, ((whole - total) + high) + low)
        tail = x < c.EXP_SOFTPLUS  # where it is exp(x)
        y = product(a, e if tail else total, e_low if tail else low, s if tail else c.UNIT)
        return a * x if x > c.LARGEST_SOFTPLUS else y

    def times_erf_softplus_of(erf: Any) -> Any:
        @primitive
        def times_erf_softplus(a, x, x_low):
            """a*erf(softplus(x + x_low)), which doesn't underflow before the product, for a below 2^31 at a small value."""
            whole, high, low, e, _, s = softplus_two_parts(x, x_low)
            tail = x < c.EXP_SOFTPLUS  # where it is 2/sqrt(pi)*exp(x)
            y = erf(x if x > c.LARGEST_SOFTPLUS else whole + (high + low))
            y = c.SLOPE_ERFC * e * s if tail else y
            return a * y * (c.UNSCALE if tail else c.ONE)

        return times_erf_softplus

    # -- the error functions

    @primitive
    def gaussian_parts(a, a_low):
        """(high, low, s): exp(-(a + a_low)^2) = (high + low)*s/UNIT for a >= 0, from the square with its low part."""
        a = at_most(a, c.ZERO_ERFC)
        square = a * a
        square_low = fma(a, a_low + a_low, fma(a, a, -square))
        m = fma(square, -c.LOG2E, c.SHIFT_SCALED)
        e, e_low = exp_loose(remainder(-square, m - c.SHIFT_SCALED))
        e, e_low = folded(e, fma(-square_low, e + e_low, e_low))
        return e, e_low, power_of_two(m)

    @primitive
    def magnitude_parts(x, x_low):
        """|x + x_low| as two numbers; the second is 0 where neither of the functions here changes any more."""
        t = fabs(x)
        return t, c.ZERO if t > c.ZERO_ERFC else flip_sign(x_low, x)

    @primitive
    def times_gaussian(a, x, x_low):
        """a*exp(-(x + x_low)^2); beside an erfc of the same argument LLVM computes the exponential once."""
        t, t_low = magnitude_parts(x, x_low)
        high, low, s = gaussian_parts(t, t_low)
        return product(a, high, low, s)

    @primitive
    def erfc_positive(a, a_low):
        """(high, low, s): erfc(a + a_low) = (high + low)*s/UNIT for a >= 1/2.

        exp(-a^2) times F(t)/(a + d) with t = (a - d)/(a + d): F is nearly constant.
        """
        e, e_low, s = gaussian_parts(a, a_low)
        a = at_most(a, c.ZERO_ERFC)
        b = a + c.CENTRE_ERFC
        q, q_low = inverse(b, (a - (b - c.CENTRE_ERFC)) + a_low)
        twice = -c.TWO * c.CENTRE_ERFC
        t = fma(twice, q_low, fma(twice, q, c.ONE))
        f, f_low = ends_with(t, polynomial(t, c.ERFC), c.ERFC_CENTRE, c.ERFC_CENTRE_LOW)
        g, g_low = product_parts(f, f_low, q, q_low)
        high, low = product_parts(e, e_low, g, g_low)
        return high, low, s

    @primitive
    def erf(x):
        a = fabs(x)
        high, low, s = erfc_positive(at_least(a, c.ONE), c.ZERO)
        t = at_most(a, c.ONE)
        near = fma(t, polynomial(t * t, c.ERF), t)
        return copysign(near if a < c.ONE else c.ONE - (high + low) * s * c.UNSCALE, x)

    @primitive
    def erf_near(x):
        """erf(x) for |x| <= 1/2."""
        t = at_least(at_most(x, c.HALF), -c.HALF)
        return fma(t, polynomial(t * t, c.ERFC_NEAR), t)

    @primitive
    def erfc(x):
        a = fabs(x)
        high, low, s = erfc_positive(a, -c.ZERO)
        y = (high + low) * s * c.UNSCALE
        y = c.TWO - y if x < c.ZERO else y
        return c.ONE - erf_near(x) if a < c.HALF else y

    @primitive
    def times_erfc(a, x, x_low):
        """a*erfc(x + x_low), which neither rounds nor underflows before the product."""
        t, t_low = magnitude_parts(x, x_low)
        high, low, s = erfc_positive(t, t_low)
        p = high * s * c.UNSCALE
        two = c.TWO - p
        left, near = x < c.ZERO, t < c.HALF
        y = erf_near(x)
        one = c.ONE - y
        # so small a number changes nothing, and beside it the product with an infinite factor is infinite
        left_low = ((c.TWO - two) - p) + c.SMALLEST_NORMAL
        low = fma(-c.SLOPE_ERFC, x_low, (c.ONE - one) - y) if near else left_low if left else low
        high = one if near else two if left else high
        return product(a, high, low, c.UNIT if left | near else s)

    # -- the arctangent

    @primitive
    def atan_quotient(a, b):
        """atan(a/b) for a >= 0 and b > 0: by pi/2 - atan(b/a), pi/4 + atan((a - b)/(a + b)) or itself."""
        far, middle = a > c.TAN_3_PI_8 * b, a > c.TAN_PI_8 * b
        top, top_low = (-b, c.ZERO) if far else (a - b, a - ((a - b) + b)) if middle else (a, c.ZERO)
        bottom = a if far else a + b if middle else b
        bottom_low = c.ZERO if far or not middle else b - ((a + b) - a)
        t, t_low = quotient(top, top_low, bottom, bottom_low)
        u = t * t
        whole = c.HALF_PI if far else c.HALF * c.HALF_PI if middle else c.ZERO
        rest = c.HALF_PI_LOW if far else c.HALF * c.HALF_PI_LOW if middle else c.ZERO
        y = whole + t
        return y + (fma(t * u, polynomial(u, c.ATAN), t_low + rest) + (t - (y - whole)))

    @primitive
    def atan(x):
        return copysign(atan_quotient(at_most(fabs(x), c.HUGE), c.ONE), x)

    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "c"})

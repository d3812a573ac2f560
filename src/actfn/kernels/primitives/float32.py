"""The primitives in float32 arithmetic: the fast level.

The shared algorithms over float32 constants, and what float32 does differently: erf without a division, erfc without the
low parts of its factors, sin and cos whose argument is reduced in float64 where it is far from 0, and rarer functions
through the wide level.
"""

from __future__ import annotations

from typing import Any

from numpy import float32, float64

from actfn.kernels.primitives import constants32 as c
from actfn.kernels.primitives import elementary, quadrants, wide
from actfn.kernels.primitives.coefficients import (
    COS_32,
    COS_64,
    ERF_32,
    ERFC_32,
    ERFC_ROOT_32,
    LOG_ERFC_32,
    SIN_32,
    SIN_64,
)
from actfn.kernels.primitives.intrinsics import (
    at_least,
    at_most,
    copysign,
    fabs,
    fma,
    polynomial,
    power_of_two,
    primitive,
)
from actfn.kernels.primitives.quadrants import flip_sign_by_half, near_quadrant_32, odd, quadrant_32

_shared = elementary.build(c)

exp, exp_nonpositive, times_exp = _shared.exp, _shared.exp_nonpositive, _shared.times_exp
expm1, expm1_nonpositive, times_expm1 = _shared.expm1, _shared.expm1_nonpositive, _shared.times_expm1
sigmoid, times_sigmoid = _shared.sigmoid, _shared.times_sigmoid
times_gate, times_gate_of_sum = _shared.times_gate, _shared.times_gate_of_sum
times_cogate, times_cogate_of_sum = _shared.times_cogate, _shared.times_cogate_of_sum
tanh, times_tanh = _shared.tanh, _shared.times_tanh
tanh_softplus, times_tanh_softplus = _shared.tanh_softplus, _shared.times_tanh_softplus
log, log1p = _shared.log, _shared.log1p
softplus, softplus_of_sum, times_softplus = _shared.softplus, _shared.softplus_of_sum, _shared.times_softplus
atan = _shared.atan

_expm1_short, _remainder = _shared.expm1_short, _shared.remainder
_magnitude_parts, _powers_of_two, _ends_with = _shared.magnitude_parts, _shared.powers_of_two, _shared.ends_with

ERF_SPLIT = float32(0.8)
ONE_ERF = float32(3.95)  # erf is 1 above
ZERO_ERFC_OF_ROOT = float32(17.59)
CENTRE_ERFC = float32(4)  # a power of two, so that nothing is lost at 0
LARGEST_NEAR = float32(quadrants.LARGEST_NEAR)


@primitive
def erf(x):
    """x plus a polynomial below ERF_SPLIT; above, 1 - exp(t) with a polynomial t for log(erfc)."""
    a = fabs(x)
    a = at_most(a, ONE_ERF)
    small = fma(a, polynomial(a * a, ERF_32), a)
    t = a * polynomial(a, LOG_ERFC_32)
    m = fma(t, c.LOG2E, c.SHIFT)
    p = _expm1_short(fma(m - c.SHIFT, -c.LN2, t))
    return copysign(small if a < ERF_SPLIT else fma(-power_of_two(m), p + c.ONE, c.ONE), x)


@primitive
def _gaussian_parts(square, square_low):
    """(p, m): exp(-square - square_low) = (1 + p)*2^n, where the power of two is that of m, as `powers_of_two` takes it."""
    m = fma(square, -c.LOG2E, c.SHIFT)
    return _expm1_short(_remainder(-square, m - c.SHIFT) - square_low), m


@primitive
def _square(x, x_low):
    """(high, low): (x + x_low)^2."""
    square = x * x
    return square, fma(x, x_low + x_low, fma(x, x, -square))


@primitive
def _half_square(x):
    """(high, low): x^2/2."""
    half = c.HALF * x
    square = half * x
    return square, fma(half, x, -square)


def _tail_of(coefficients: Any) -> Any:
    slope, last = coefficients[:-1], coefficients[-1]

    @primitive
    def tail(a, p):
        """(high, low): F(t)/(a + 4)*(1 + p) with t = (a - 4)/(a + 4), for a >= 0; F is the polynomial."""
        b = a + CENTRE_ERFC
        q = c.ONE / b
        lost = fma(-q, a - (b - CENTRE_ERFC), fma(-q, b, c.ONE))  # relative to q; F is steep where a is small
        t = fma(-c.TWO * CENTRE_ERFC, q * lost, fma(-c.TWO * CENTRE_ERFC, q, c.ONE))
        f, f_low = _ends_with(t, polynomial(t, slope), last, c.ZERO)
        g = f * q
        return g, fma(g, p + lost, fma(f_low, q, fma(f, q, -g)))

    return tail


_tail, _tail_of_root = _tail_of(ERFC_32), _tail_of(ERFC_ROOT_32)


@primitive
def _times_tail(a, high, low, m, left):
    """a*(high + low)*2^n, and a times what that leaves of 2 where `left` is true; the product may be subnormal."""
    first, second = _powers_of_two(m)
    b = a * first
    return a * fma(-(high + low), first, c.TWO) if left else fma(b, high, b * low) * second


@primitive
def times_gaussian(a, x, x_low):
    """a*exp(-(x + x_low)^2); beside an erfc of the same argument LLVM computes the exponential once."""
    t, t_low = _magnitude_parts(x, x_low)
    p, m = _gaussian_parts(*_square(at_most(t, c.ZERO_ERFC), t_low))
    first, second = _powers_of_two(m)
    b = a * first
    return fma(b, p, b) * second


@primitive
def times_erfc(a, x, x_low):
    """a*erfc(x + x_low), which doesn't underflow before the product."""
    t, t_low = _magnitude_parts(x, x_low)
    t = at_most(t, c.ZERO_ERFC)
    p, m = _gaussian_parts(*_square(t, t_low))
    return _times_tail(a, *_tail(t, p), m, x < c.ZERO)


@primitive
def erfc(x):
    return times_erfc(c.ONE, x, c.ZERO)


@primitive
def times_gaussian_of_root(a, x):
    """a*exp(-(x/sqrt(2))^2); beside an erfc of the same argument LLVM computes the exponential once."""
    p, m = _gaussian_parts(*_half_square(at_most(fabs(x), ZERO_ERFC_OF_ROOT)))
    first, second = _powers_of_two(m)
    b = a * first
    return fma(b, p, b) * second


@primitive
def times_erfc_of_root(a, x):
    """a*erfc(x/sqrt(2)), which doesn't underflow before the product."""
    t = at_most(fabs(x), ZERO_ERFC_OF_ROOT)
    p, m = _gaussian_parts(*_half_square(t))
    return _times_tail(a, *_tail_of_root(t, p), m, x < c.ZERO)


times_erf_softplus = _shared.times_erf_softplus_of(erf)


@primitive
def erf_softplus(x):
    return times_erf_softplus(c.ONE, x, -c.ZERO)


@primitive
def _circular(m, r, r_low):
    """sin(r + r_low + n*pi/2) for |r| <= pi/4 and the integer n in the low bits of m."""
    u = r * r
    sine = r + fma(r * u, polynomial(u, SIN_32), r_low)
    cosine = fma(u * u, polynomial(u, COS_32), fma(-c.HALF, u, c.ONE))
    return flip_sign_by_half(cosine if odd(m) else sine, m)


@primitive
def sin_near(x):
    """sin for |x| <= LARGEST_NEAR, cheaper; for other x the result means nothing."""
    m, r, r_low = near_quadrant_32(x)
    return x if fabs(x) < c.TINY else _circular(m, r, r_low)


@primitive
def cos_near(x):
    """cos for |x| <= LARGEST_NEAR, cheaper; for other x the result means nothing."""
    m, r, r_low = near_quadrant_32(x)
    return _circular(m + c.ONE, r, r_low)


@primitive
def sin(x):
    near = fabs(x) <= LARGEST_NEAR
    m, r = quadrant_32(x)
    return sin_near(at_least(at_most(x, LARGEST_NEAR), -LARGEST_NEAR)) if near else _circular(m, float32(r), c.ZERO)


@primitive
def cos(x):
    near = fabs(x) <= LARGEST_NEAR
    m, r = quadrant_32(x)
    return (
        cos_near(at_least(at_most(x, LARGEST_NEAR), -LARGEST_NEAR)) if near else _circular(m + 1.0, float32(r), c.ZERO)
    )


@primitive
def tan(x):
    """In float64, as the argument's remainder is."""
    m, r = quadrant_32(x)
    u = r * r
    sine = fma(r * u, polynomial(u, SIN_64), r)
    cosine = fma(u * u, polynomial(u, COS_64), fma(-0.5, u, 1.0))
    turned = odd(m)
    y = (-cosine if turned else sine) / (sine if turned else cosine)
    return x if fabs(x) < c.TINY else float32(y)


@primitive
def asin(x):
    return float32(wide.asin(float64(x)))


@primitive
def acos(x):
    return float32(wide.acos(float64(x)))


@primitive
def sinh(x):
    return float32(wide.sinh(float64(x)))


@primitive
def cosh(x):
    return float32(wide.cosh(float64(x)))


@primitive
def asinh(x):
    return float32(wide.asinh(float64(x)))


@primitive
def cbrt(x):
    return float32(wide.cbrt(float64(x)))


@primitive
def pow(a, b):
    """a^b for a >= 0; NaN for a < 0."""
    return float32(wide.pow(float64(a), float64(b)))

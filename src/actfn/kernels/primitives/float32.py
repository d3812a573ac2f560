"""The primitives in float32 arithmetic: the fast level.

Leans on the intrinsics and the fitted coefficients. The idea: a reduced argument and a short polynomial give the leading
part of the result and what its rounding lost, and both go into the last operation, which then rounds once.
"""

from __future__ import annotations

from numpy import float32

from actfn.kernels.primitives.coefficients import (
    ATAN_32,
    COS_32,
    ERF_32,
    ERFC_32,
    ERFC_NEAR_32,
    EXPM1_32,
    LOG_32,
    LOG_ERFC_32,
    SIN_32,
    SOFTPLUS_FAR_32,
    SOFTPLUS_NEAR_32,
)
from actfn.kernels.primitives.intrinsics import (
    copysign,
    exponent_and_mantissa,
    fabs,
    flip_sign,
    fma,
    polynomial,
    power_of_two,
    primitive,
)
from actfn.kernels.primitives.quadrants import flip_sign_by_half, odd, quadrant_32

ZERO, HALF, ONE, TWO = float32(0), float32(0.5), float32(1), float32(2)
INFINITY, NAN = float32("inf"), float32("nan")

LOG2E = float32(1.4426950408889634)
LN2 = float32(0.6931471805599453)
LN2_LOW = float32(0.6931471805599453 - float(LN2))
LN2_SHORT = float32(0.693145751953125)  # 16 bits: n*LN2_SHORT is exact, and so is what it leaves of x
LN2_REST = float32(0.6931471805599453 - float(LN2_SHORT))

# u + SHIFT rounds u to an integer n and leaves n + 127 in the low bits, the exponent of 2^n
SHIFT = float32(1.5 * 2**23 + 127)
SCALE, UNSCALE = float32(64), float32(2.0**-64)  # 2^(n + 64) is normal where 2^n is not

# exp leaves these bounds through the bits of its power of two, and so raises no flag at an infinity
LOWEST_EXP = float32(-132.4)  # n = -191: 2^(n + 64) is 0 by its bits
HIGHEST_EXP = float32(89.42)  # n = 129: 2^(n - 1) is inf by its bits
SCALED_EXP = float32(-40)  # below, 1 + exp is 1, and the power of two takes the factor 2^64
LARGEST_EXPM1 = float32(88.72283)  # the largest argument whose exp is finite
SMALLEST_EXPM1 = float32(-17.5)  # expm1 is -1 below
LOWEST_SIGMOID = float32(-104.66)  # k = -151: 2^(k + 24) is 0 by its bits
HIGHEST_SIGMOID = float32(18)  # sigmoid is 1 above
SHIFT_24, UNSCALE_24 = SHIFT + float32(24), float32(2.0**-24)
HIGHEST_TANH = float32(8.48)  # n = 24: 1 - 2^-n is exact; tanh rounds to one value from here to
ONE_TANH = float32(9.0109129)  # where it becomes 1
LARGE_EXPONENT = float32(100)  # what log1p's 1 + x loses is nothing to numbers of this size
LARGEST_SOFTPLUS = float32(20)  # softplus is its argument above
ERF_SPLIT = float32(0.8)
ONE_ERF = float32(3.95)  # erf is 1 above
THREE = float32(3)  # the centre of the rational argument of erfc's polynomial
ZERO_ERFC = float32(10.24)  # n = -151: 2^(n + 24) is 0 by its bits
UNIT_24 = float32(2.0**24)
TAN_PI_8, TAN_3_PI_8 = float32(0.41421357), float32(2.4142137)
HALF_PI, QUARTER_PI = float32(1.5707963267948966), float32(0.7853981633974483)
HALF_PI_LOW, QUARTER_PI_LOW = float32(-4.371139000186241e-08), float32(-2.1855695000931206e-08)
TINY = float32(2.0**-26)  # expm1 and log1p are their argument below
SMALLEST_NORMAL = float32(2.0**-126)
ROOT_HALF = float32(0.70710677)


@primitive
def expm1_reduced(r):
    """(high, low): their sum is expm1(r) for |r| <= ln(2)/2."""
    rr = r * r
    q = polynomial(r, EXPM1_32)
    p = fma(rr, q, r)
    return p, fma(rr, q, r - p)


@primitive
def reduced(x, shift):
    """(m, p, low): x = n ln 2 + r with m = n + shift, and expm1(r) = p + low."""
    m = fma(x, LOG2E, shift)
    n = m - shift
    p, p_low = expm1_reduced(fma(n, -LN2_REST, fma(n, -LN2_SHORT, x)))
    return m, p, p_low


@primitive
def exp(x):
    t = HIGHEST_EXP if x > HIGHEST_EXP else x
    t = LOWEST_EXP if t < LOWEST_EXP else t
    # 2^n in two factors, as it may be subnormal or past the largest float
    shift = SHIFT + SCALE if x < ZERO else SHIFT - ONE
    rest = UNSCALE if x < ZERO else TWO
    m = fma(t, LOG2E, shift)
    n = m - shift
    r = fma(n, -LN2_REST, fma(n, -LN2_SHORT, t))
    high = ONE + r
    low = fma(r * r, polynomial(r, EXPM1_32), r - (high - ONE))
    return (high + low) * power_of_two(m) * rest


@primitive
def expm1_nonpositive(x):
    """expm1 for x <= 0 or NaN, cheaper; for other x the result means nothing."""
    t = SMALLEST_EXPM1 if x < SMALLEST_EXPM1 else x
    m = fma(t, LOG2E, SHIFT)
    r = fma(m - SHIFT, -LN2, t)  # the error of LN2 is 2^-29 n, and 2^n shrinks it in the result
    p = fma(r * r, polynomial(r, EXPM1_32), r)
    s = power_of_two(m)
    return copysign(fma(s, p, s - ONE), x)


@primitive
def expm1_parts(x, shift, one):
    """(high, low): their sum is one*expm1(x) for one = 2^n / power_of_two(n + shift)."""
    m, p, p_low = reduced(x, shift)
    s = power_of_two(m)
    leading = s - one
    high = fma(s, p, leading)
    low = fma(s, p, leading - high) + ((s - leading) - one)
    return high, fma(s, p_low, low)


@primitive
def expm1(x):
    t = LARGEST_EXPM1 if x > LARGEST_EXPM1 else x
    t = SMALLEST_EXPM1 if t < SMALLEST_EXPM1 else t
    high, low = expm1_parts(t, SHIFT - ONE, HALF)  # half of the result: 2^128 is no float
    y = high + low
    y = INFINITY if x > LARGEST_EXPM1 else y + y
    return x if fabs(x) < TINY else y


@primitive
def exp_reduced(r):
    """(high, low): their sum is exp(r) for |r| <= ln(2)/2, low below half an ulp of high."""
    leading = ONE + r
    rest = fma(r * r, polynomial(r, EXPM1_32), r - (leading - ONE))
    high = leading + rest
    return high, rest - (high - leading)


@primitive
def exp_parts(x):
    """(high, low, s, rest) for x <= 0: exp(x) = (high + low)*s*rest, high about 1."""
    t = LOWEST_EXP if x < LOWEST_EXP else x
    m, p, p_low = reduced(t, SHIFT + SCALE if x < SCALED_EXP else SHIFT)
    high = ONE + p
    return high, (p - (high - ONE)) + p_low, power_of_two(m), UNSCALE if x < SCALED_EXP else ONE


@primitive
def quotient(a, a_low, b, b_low):
    """(high, low): (a + a_low)/(b + b_low)."""
    inverse = ONE / b
    high = a * inverse
    return high, inverse * (fma(-high, b, a) + fma(-high, b_low, a_low))


@primitive
def sigmoid_parts(x):
    """(high, low, s): sigmoid(x) = (high + low)*s*2^-24; s has the factor 2^24 because 2^-150 is no normal float.

    With x = k ln 2 - r it is 2^k/(2^k + exp(r)).
    """
    t = HIGHEST_SIGMOID if x > HIGHEST_SIGMOID else x
    t = LOWEST_SIGMOID if t < LOWEST_SIGMOID else t
    m = fma(t, LOG2E, SHIFT_24)
    k = m - SHIFT_24
    r = fma(k, LN2_REST, fma(k, LN2_SHORT, -t))
    s = power_of_two(m)
    p, _ = expm1_reduced(r)
    leading = fma(s, UNSCALE_24, ONE)
    b = leading + p
    b_low = (p - (b - leading)) + fma(s, UNSCALE_24, ONE - leading)
    high = ONE / b
    return high, high * fma(-high, b_low, fma(-high, b, ONE)), s


@primitive
def sigmoid(x):
    high, low, s = sigmoid_parts(x)
    return (high + low) * s * UNSCALE_24


@primitive
def product(a, high, low, s):
    """a*(high + low)*s*2^-24, rounded once; s is a power of two that may have to be brought in before and after."""
    large = fabs(a) > ONE
    b = a * UNSCALE_24 if large else a
    return fma(b, high * s, b * (low * s)) * (ONE if large else UNSCALE_24)


@primitive
def times_sigmoid(a, x):
    """a*sigmoid(x), which neither rounds nor underflows before the product."""
    high, low, s = sigmoid_parts(x)
    return product(a, high, low, s)


@primitive
def tanh_parts(x):
    """(high, low): their sum is tanh(|x|) for |x| < 9.01.

    With 2|x| = n ln 2 + r and s = 2^-n it is (exp(r) - s)/(exp(r) + s).
    """
    t = fabs(x)
    t = HIGHEST_TANH if t > HIGHEST_TANH else t
    t = t + t
    m = fma(t, -LOG2E, SHIFT)
    s = power_of_two(m)
    p, p_low = expm1_reduced(fma(m - SHIFT, LN2, t))  # the error of LN2 is 2^-29 n, and s shrinks it in the result
    leading = ONE - s
    a = leading + p
    a_low = (p - (a - leading)) + p_low
    s = s + s
    b = a + s
    return quotient(a, a_low, b, (a - (b - s)) + a_low)


@primitive
def tanh(x):
    high, low = tanh_parts(x)
    return copysign(ONE if fabs(x) > ONE_TANH else high + low, x)


@primitive
def times_tanh(a, x):
    """a*tanh(x), rounded once."""
    high, low = tanh_parts(x)
    return flip_sign(a if fabs(x) > ONE_TANH else fma(a, high, a * low), x)


@primitive
def log1p_sum(k, f, f_low):
    """(high, low): their sum is k ln 2 + log1p(f + f_low), for 1 + f in [sqrt(1/2), sqrt(2)] and f_low far below it.

    log1p(f) = f - (h - s*(h + R(s^2))) with s = f/(2 + f) and h = f^2/2, as in fdlibm: f leads and is exact.
    """
    s = f / (TWO + f)
    ss = s * s
    h = HALF * f * f
    short = k * LN2_SHORT
    high = short + f
    low = fma(k, LN2_REST, fma(-f, f_low, f_low))
    low = h - fma(s, fma(ss, polynomial(ss, LOG_32), h), low)
    return high, (f - (high - short)) - low


@primitive
def log(x):
    small = x < SMALLEST_NORMAL
    k, m = exponent_and_mantissa(x * float32(2.0**23) if small else x, ROOT_HALF)
    k = k - float32(23) if small else k
    high, low = log1p_sum(k, m - ONE, -ZERO)
    y = high + low
    y = y if x < INFINITY else x
    y = y if x > ZERO else -INFINITY
    return y if x >= ZERO else NAN * x


@primitive
def softplus_parts(x):
    """(high, low): their sum is softplus(x) for x <= 20.

    log(2 cosh(x/2)) + x/2 where |x| < 1; max(x, 0) + log1p(exp(-|x|)) elsewhere.
    """
    x = LARGEST_SOFTPLUS if x > LARGEST_SOFTPLUS else x
    t = -fabs(x)
    t = LOWEST_SIGMOID if t < LOWEST_SIGMOID else t
    m = fma(t, LOG2E, SHIFT_24)
    n = m - SHIFT_24
    w, w_low = exp_reduced(fma(n, -LN2_REST, fma(n, -LN2_SHORT, t)))
    s = power_of_two(m) * UNSCALE_24
    e = w * s
    whole = x if x > ZERO else ZERO
    far = whole + e
    far_low = fma(e * e, polynomial(e, SOFTPLUS_FAR_32), fma(w_low, s, (whole - far) + e))
    u = t * t
    near = fma(HALF, x, LN2)
    near_low = fma(u, polynomial(u, SOFTPLUS_NEAR_32), fma(HALF, x, LN2 - near) + LN2_LOW)
    return (near, near_low) if t > -ONE else (far, far_low)


@primitive
def softplus(x):
    high, low = softplus_parts(x)
    return x if x > LARGEST_SOFTPLUS else high + low


@primitive
def log1p(x):
    u = ONE + x
    lost = u - x
    lost = (x - (u - lost)) + (ONE - lost)
    k, m = exponent_and_mantissa(u, ROOT_HALF)
    m = m - ONE
    f_low = lost * power_of_two(SHIFT - (LARGE_EXPONENT if k > LARGE_EXPONENT else k))
    f = m + f_low
    high, low = log1p_sum(k, f, (m - f) + f_low)
    y = high + low
    y = y if x < INFINITY else x
    y = x if fabs(x) < TINY else y
    y = y if x > -ONE else -INFINITY
    return y if x >= -ONE else NAN * x


@primitive
def erf(x):
    a = fabs(x)
    u = a * a
    small = fma(x, polynomial(u, ERF_32), x)
    t = ONE_ERF if a > ONE_ERF else a
    t = t * polynomial(t, LOG_ERFC_32)
    m = fma(t, LOG2E, SHIFT)
    r = fma(m - SHIFT, -LN2, t)
    e = power_of_two(m) * (fma(r * r, polynomial(r, EXPM1_32), r) + ONE)
    return small if a < ERF_SPLIT else copysign(ONE - e, x)


@primitive
def erfc_parts(x, x_low):
    """(high, low, s): erfc(x + x_low) = (high + low)*s*2^-24."""
    a, a_low = fabs(x), flip_sign(x_low, x)
    a_low = ZERO if a > ZERO_ERFC else a_low
    a = ZERO_ERFC if a > ZERO_ERFC else a
    square = a * a
    square_low = fma(a, a_low + a_low, fma(a, a, -square))
    m = fma(square, -LOG2E, SHIFT_24)
    n = m - SHIFT_24
    e, e_low = exp_reduced(fma(n, -LN2_REST, fma(n, -LN2_SHORT, -square)))
    e_low = fma(-square_low, e, e_low)
    s = power_of_two(m)
    b = a + THREE
    b_low = (a - (b - THREE)) + a_low
    q = ONE / b
    q_low = q * fma(-q, b_low, fma(-q, b, ONE))
    t = fma(-TWO * THREE, q_low, fma(-TWO * THREE, q, ONE))
    slope = polynomial(t, ERFC_32[:-1])
    f = fma(t, slope, ERFC_32[-1])
    f_low = fma(t, slope, ERFC_32[-1] - f)
    g = f * q
    g_low = fma(f, q_low, fma(f_low, q, fma(f, q, -g)))
    rest = fma(e_low, g, e * g_low)
    high = fma(e, g, rest)
    low = fma(e, g, -high) + rest
    p = high * s * UNSCALE_24
    two = TWO - p
    left = x < ZERO
    high = two if left else high
    low = (TWO - two) - p if left else low
    near = fabs(x) < HALF
    y = fma(x, polynomial(x * x, ERFC_NEAR_32), x)
    one = ONE - y
    low = (ONE - one) - y if near else low
    return one if near else high, low, UNIT_24 if left or near else s


@primitive
def erfc(x):
    high, low, s = erfc_parts(x, -ZERO)
    return (high + low) * s * UNSCALE_24


@primitive
def times_erfc(a, x, x_low):
    """a*erfc(x + x_low), which neither rounds nor underflows before the product."""
    high, low, s = erfc_parts(x, x_low)
    return product(a, high, low, s)


@primitive
def circular(m, r):
    """sin(r + n*pi/2) for |r| <= pi/4 and the integer n in the low bits of m."""
    u = r * r
    sine = fma(r * u, polynomial(u, SIN_32), r)
    cosine = fma(u * u, polynomial(u, COS_32), fma(-HALF, u, ONE))
    return flip_sign_by_half(cosine if odd(m) else sine, m)


@primitive
def sin(x):
    m, r = quadrant_32(x)
    return x if fabs(x) < TINY else circular(m, float32(r))


@primitive
def cos(x):
    m, r = quadrant_32(x)
    return circular(m + 1.0, float32(r))


@primitive
def atan(x):
    a = fabs(x)
    far, middle = a > TAN_3_PI_8, a > TAN_PI_8
    t = (-ONE if far else a - ONE if middle else a) / (a if far else a + ONE if middle else ONE)
    u = t * t
    y = fma(t * u, polynomial(u, ATAN_32), t)
    whole = HALF_PI if far else QUARTER_PI if middle else ZERO
    rest = HALF_PI_LOW if far else QUARTER_PI_LOW if middle else ZERO
    return copysign(whole + (y + rest), x)

"""The primitives in float64 arithmetic for float64 results.

The shared algorithms over float64 constants; the circular functions over a reduced argument in two floats; inverse sine,
cube root and general powers, which the other levels take from here.
"""

from __future__ import annotations

from typing import Any

from actfn.kernels.primitives import constants64 as c
from actfn.kernels.primitives import elementary
from actfn.kernels.primitives.coefficients import ASIN_64, CBRT_64, COS_64, POW_64, SIN_64
from actfn.kernels.primitives.intrinsics import (
    at_most,
    copysign,
    exponent_and_mantissa,
    fabs,
    fma,
    polynomial,
    power_of_two,
    primitive,
    sqrt,
)
from actfn.kernels.primitives.quadrants import (
    LARGEST_NEAR,
    flip_sign_by_half,
    near_quadrant_64,
    odd,
    quadrant_64,
    two_sum,
)

_shared = elementary.build(c)

exp, exp_nonpositive, times_exp = _shared.exp, _shared.exp_nonpositive, _shared.times_exp
expm1, expm1_nonpositive, times_expm1 = _shared.expm1, _shared.expm1_nonpositive, _shared.times_expm1
sinh, cosh, asinh = _shared.sinh, _shared.cosh, _shared.asinh
sigmoid, times_sigmoid = _shared.sigmoid, _shared.times_sigmoid
times_gate, times_gate_of_sum = _shared.times_gate, _shared.times_gate_of_sum
times_cogate, times_cogate_of_sum = _shared.times_cogate, _shared.times_cogate_of_sum
tanh, times_tanh = _shared.tanh, _shared.times_tanh
tanh_softplus, times_tanh_softplus = _shared.tanh_softplus, _shared.times_tanh_softplus
log, log1p = _shared.log, _shared.log1p
softplus, softplus_of_sum, times_softplus = _shared.softplus, _shared.softplus_of_sum, _shared.times_softplus
softplus_two_parts = _shared.softplus_two_parts
erf, erfc, times_erfc = _shared.erf, _shared.erfc, _shared.times_erfc
times_gaussian = _shared.times_gaussian
atan = _shared.atan
times_erf_softplus = _shared.times_erf_softplus_of(erf)


@primitive
def erf_softplus(x):
    return times_erf_softplus(c.ONE, x, -c.ZERO)


_quotient = _shared.quotient

TINY_SINE = 2.0**-28  # sin and tan are their argument below
CBRT_2, CBRT_4 = 1.2599210498948732, 1.5874010519681996
THIRD = 1.0 / 3.0
TWO_THIRDS, TWO_THIRDS_LOW = 2.0 / 3.0, 3.700743415417188e-17
LARGEST_LOG = 1500.0


@primitive
def _circular(m, r, r_low):
    """(m, sine, sine_low, cosine, cosine_low) of r + r_low."""
    u = r * r
    half = 0.5 * u
    rest = fma(r * u, polynomial(u, SIN_64), fma(-half, r_low, r_low))
    sine = r + rest
    leading = 1.0 - half
    cosine_rest = fma(u * u, polynomial(u, COS_64), fma(-r, r_low, fma(-0.5, fma(r, r, -u), (1.0 - leading) - half)))
    cosine = leading + cosine_rest
    return m, sine, rest - (sine - r), cosine, cosine_rest - (cosine - leading)


@primitive
def _quadrant(x):
    """(m, r, r_low): x = n*pi/2 + r + r_low with n in the low bits of m."""
    near, (m, r, r_low), (m_far, r_far, low_far) = fabs(x) <= LARGEST_NEAR, near_quadrant_64(x), quadrant_64(x)
    return m if near else m_far, r if near else r_far, r_low if near else low_far


def _of_quadrant(quadrant: Any) -> tuple[Any, Any]:
    @primitive
    def sin(x):
        m, sine, _, cosine, _ = _circular(*quadrant(x))
        return x if fabs(x) < TINY_SINE else flip_sign_by_half(cosine if odd(m) else sine, m)

    @primitive
    def cos(x):
        m, sine, _, cosine, _ = _circular(*quadrant(x))
        m = m + 1.0
        return flip_sign_by_half(cosine if odd(m) else sine, m)

    return sin, cos


sin, cos = _of_quadrant(_quadrant)
sin_near, cos_near = _of_quadrant(near_quadrant_64)
"""For |x| <= LARGEST_NEAR, cheaper; for other x the result means nothing."""


@primitive
def tan(x):
    m, sine, sine_low, cosine, cosine_low = _circular(*_quadrant(x))
    if odd(m):
        sine, sine_low, cosine, cosine_low = -cosine, -cosine_low, sine, sine_low
    high, low = _quotient(sine, sine_low, cosine, cosine_low)
    return x if fabs(x) < TINY_SINE else high + low


@primitive
def _arc(x):
    """(t, rest, far): asin(|x|) = t + rest, or pi/2 - 2(t + rest) where far, that is |x| > 1/2."""
    a = fabs(x)
    a = at_most(a, 2.0)  # where it is NaN either way
    far = a > 0.5
    square = 0.5 * (1.0 - a)
    root = sqrt(square if far else 0.25)
    t = root if far else a
    u = square if far else a * a
    t_low = fma(-root, root, square) / (root + root if root > 0.0 else 1.0) if far else 0.0
    return t, fma(t * u, polynomial(u, ASIN_64), t_low), far


@primitive
def asin(x):
    t, rest, far = _arc(x)
    high = c.HALF_PI - (t + t)
    low = (c.HALF_PI - high) - (t + t)
    return copysign(high + (low + (c.HALF_PI_LOW - (rest + rest))) if far else t + rest, x)


@primitive
def acos(x):
    t, rest, far = _arc(x)
    right = x > 0.0
    # 2(t + rest) on the right, pi - 2(t + rest) on the left; in the middle pi/2 minus or plus t + rest
    whole = (0.0 if right else c.HALF_PI + c.HALF_PI) if far else c.HALF_PI
    whole_low = (0.0 if right else c.HALF_PI_LOW + c.HALF_PI_LOW) if far else c.HALF_PI_LOW
    scale = 2.0 if far else 1.0
    scale = scale if right == far else -scale
    high = fma(scale, t, whole)
    low = fma(scale, t, whole - high) if whole > 0.0 else 0.0
    return high + (low + fma(scale, rest, whole_low))


@primitive
def cbrt(x):
    """A polynomial's cube root of the mantissa, one step of Halley's, one of Newton's with the residual by fma."""
    a = fabs(x)
    special = (a == 0.0) | (not a < c.INFINITY)
    a = 1.0 if special else a
    small = a < c.SMALLEST_NORMAL
    k, m = exponent_and_mantissa(a * 2.0**54 if small else a, 1.0)
    shifted = fma(k, THIRD, c.SHIFT)
    left = fma(c.SHIFT - shifted, 3.0, k)  # -1, 0 or 1
    y = polynomial(m, CBRT_64) * (CBRT_2 if left > 0.0 else 0.5 * CBRT_4 if left < 0.0 else 1.0)
    m = m * (2.0 if left > 0.0 else 0.5 if left < 0.0 else 1.0)
    cube = y * y * y
    inverse = 1.0 / fma(2.0, cube, m)
    y = y * fma(2.0, m, cube) * inverse
    square = y * y
    residual = fma(-square, y, m) - fma(y, y, -square) * y
    y = fma(residual, y * inverse, y) * power_of_two(shifted) * (2.0**-18 if small else 1.0)
    return x if special else copysign(y, x)


@primitive
def log_parts(a):
    """(high, low): their sum is log(a) to about 2^-68 of itself, for a positive and finite a."""
    small = a < c.SMALLEST_NORMAL
    k, m = exponent_and_mantissa(a * c.SCALE_SUBNORMAL if small else a, c.ROOT_HALF)
    k = k - c.EXPONENT_SUBNORMAL if small else k
    f = m - 1.0
    b = 2.0 + f
    s, s_low = _quotient(f, 0.0, b, f - (b - 2.0))
    u = s * s
    u_low = fma(s, s, -u) + (s + s) * s_low
    cube = u * s
    cube_low = fma(u, s, -cube) + fma(u, s_low, u_low * s)
    third = cube * TWO_THIRDS
    third_low = fma(cube, TWO_THIRDS, -third) + fma(cube, TWO_THIRDS_LOW, cube_low * TWO_THIRDS)
    high, low = two_sum(k * c.LN2_SHORT, s + s)
    high, more = two_sum(high, third)
    low = low + more + (s_low + s_low) + third_low
    low = low + fma(k, c.LN2_REST, cube * u * polynomial(u, POW_64))
    total = high + low
    return total, low - (total - high)


@primitive
def pow(a, b):
    """a^b for a >= 0; NaN for a < 0."""
    high, low = log_parts(a)
    high = high if (a > 0.0) & (a < c.INFINITY) else log(a)
    low = low if (a > 0.0) & (a < c.INFINITY) else 0.0
    y = b * high
    y_low = fma(b, high, -y) + b * low if fabs(y) < LARGEST_LOG else 0.0
    return 1.0 if b == 0.0 else times_exp(1.0, y, y_low)

"""The primitives in float32 arithmetic: the fast level.

The shared algorithms over float32 constants, and what float32 does differently: erf without a division, sin and cos
whose argument is reduced in float64, and rarer functions through the wide level.
"""

from __future__ import annotations

from numpy import float32, float64

from actfn.kernels.primitives import constants32 as c
from actfn.kernels.primitives import elementary, wide
from actfn.kernels.primitives.coefficients import COS_32, COS_64, ERF_32, LOG_ERFC_32, SIN_32, SIN_64
from actfn.kernels.primitives.intrinsics import at_most, copysign, fabs, fma, polynomial, power_of_two, primitive
from actfn.kernels.primitives.quadrants import flip_sign_by_half, odd, quadrant_32

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
erfc, times_erfc = _shared.erfc, _shared.times_erfc
times_gaussian = _shared.times_gaussian
atan = _shared.atan

_expm1_short = _shared.expm1_short

ERF_SPLIT = float32(0.8)
ONE_ERF = float32(3.95)  # erf is 1 above


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


times_erf_softplus = _shared.times_erf_softplus_of(erf)


@primitive
def erf_softplus(x):
    return times_erf_softplus(c.ONE, x, -c.ZERO)


@primitive
def _circular(m, r):
    """sin(r + n*pi/2) for |r| <= pi/4 and the integer n in the low bits of m."""
    u = r * r
    sine = fma(r * u, polynomial(u, SIN_32), r)
    cosine = fma(u * u, polynomial(u, COS_32), fma(-c.HALF, u, c.ONE))
    return flip_sign_by_half(cosine if odd(m) else sine, m)


@primitive
def sin(x):
    m, r = quadrant_32(x)
    return x if fabs(x) < c.TINY else _circular(m, float32(r))


@primitive
def cos(x):
    m, r = quadrant_32(x)
    return _circular(m + 1.0, float32(r))


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

"""The primitives in float32 arithmetic: the fast level.

Leans on the intrinsics and the fitted coefficients. The idea: a reduced argument and a short polynomial give the leading
part of the result and what its rounding lost, and both go into the last operation, which then rounds once.
"""

from __future__ import annotations

from numpy import float32

from actfn.kernels.primitives.coefficients import EXPM1_32, LOG1P_32
from actfn.kernels.primitives.intrinsics import (
    copysign,
    exponent_and_mantissa,
    fabs,
    flip_sign,
    fma,
    horner,
    power_of_two,
    primitive,
)

ZERO, HALF, ONE, TWO = float32(0), float32(0.5), float32(1), float32(2)
INFINITY, NAN = float32("inf"), float32("nan")

LOG2E = float32(1.4426950408889634)
LN2 = float32(0.6931471805599453)
LN2_LOW = float32(0.6931471805599453 - float(LN2))  # n*LN2 + n*LN2_LOW by fma: n ln 2 to 2^-54 n
LN2_SHORT = float32(0.693145751953125)  # 16 bits: k*LN2_SHORT is exact for |k| <= 256
LN2_REST = float32(0.6931471805599453 - float(LN2_SHORT))

# u + SHIFT rounds u to an integer n and leaves n + 127 in the low bits, the exponent of 2^n
SHIFT = float32(1.5 * 2**23 + 127)
SCALE, UNSCALE = float32(64), float32(2.0**-64)  # 2^(n + 64) is normal where 2^n is not

MINUS_LOG_HUGE = float32(-132.4)  # n = -191: 2^(n + 64) is 0 by its bits, so exp(-inf) raises no underflow
LOG_HUGE = float32(89.42)  # n = 129: 2^(n - 1) is inf by its bits, so exp(inf) raises no overflow
LARGEST_EXPM1 = float32(88.72283)  # the largest argument whose exp is finite
SMALLEST_EXPM1 = float32(-17.5)  # expm1 is -1 below
SMALLEST_NORMAL = float32(2.0**-126)


@primitive
def reduced(x, shift):
    """(m, r, r^2, p): x = n ln 2 + r with m = n + shift, and p = expm1(r)."""
    m = fma(x, LOG2E, shift)
    n = m - shift
    r = fma(n, -LN2_LOW, fma(n, -LN2, x))
    rr = r * r
    return m, r, rr, fma(rr, horner(r, EXPM1_32), r)


@primitive
def exp(x):
    t = LOG_HUGE if x > LOG_HUGE else x
    t = MINUS_LOG_HUGE if t < MINUS_LOG_HUGE else t
    # 2^n in two factors, as it may be subnormal or past the largest float
    shift = SHIFT + SCALE if x < ZERO else SHIFT - ONE
    rest = UNSCALE if x < ZERO else TWO
    m, _, _, p = reduced(t, shift)
    return (ONE + p) * power_of_two(m) * rest


@primitive
def expm1_nonpositive(x):
    """expm1 for x <= 0 or NaN, a third cheaper; for other x the result means nothing."""
    t = SMALLEST_EXPM1 if x < SMALLEST_EXPM1 else x
    m = fma(t, LOG2E, SHIFT)
    r = fma(m - SHIFT, -LN2, t)  # the error of LN2 is 2^-29 n, and 2^n shrinks it in the result
    p = fma(r * r, horner(r, EXPM1_32), r)
    s = power_of_two(m)
    return copysign(fma(s, p, s - ONE), x)


@primitive
def expm1(x):
    t = LARGEST_EXPM1 if x > LARGEST_EXPM1 else x
    t = SMALLEST_EXPM1 if t < SMALLEST_EXPM1 else t
    m, _, _, p = reduced(t, SHIFT - ONE)
    s = power_of_two(m)  # half of 2^n, which is finite where 2^n may not be
    y = fma(s, p, s - HALF)
    return copysign(INFINITY if x > LARGEST_EXPM1 else y + y, x)

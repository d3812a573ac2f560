"""The constants of the primitives' algorithms in float32; what each is for stands in `elementary`."""

from __future__ import annotations

from numpy import float32

from actfn.kernels.primitives.coefficients import (
    ATAN_32,
    EXPM1_32,
    LOG_32,
    SOFTPLUS_FAR_32,
    SOFTPLUS_NEAR_32,
)

COMPENSATED = True
LN2_SUFFICES = True  # see `short_remainder`
SHORT_GATES = True

ZERO, HALF, ONE, TWO = float32(0), float32(0.5), float32(1), float32(2)
INFINITY, NAN = float32("inf"), float32("nan")
SMALLEST_NORMAL = float32(2.0**-126)
TINY = float32(2.0**-26)
TINY_CUBED = float32(2.0**-13)  # sinh and asinh are their argument below
ROOT_HALF = float32(0.70710677)

LOG2E = float32(1.4426950408889634)
LN2 = float32(0.6931471805599453)
LN2_LOW = float32(0.6931471805599453 - float(LN2))
LN2_SHORT = float32(0.693145751953125)
LN2_REST = float32(0.6931471805599453 - float(LN2_SHORT))

BIAS = 127
SHIFT = float32(1.5 * 2**23 + BIAS)
SPARE_BITS = 96
UNIT, UNSCALE = float32(2.0**SPARE_BITS), float32(2.0**-SPARE_BITS)
SPARE = float32(SPARE_BITS)
SHIFT_SCALED = SHIFT + SPARE
LARGE_FACTOR = float32(2.0**30)  # times UNIT it is finite
SCALE_SUBNORMAL, EXPONENT_SUBNORMAL = float32(2.0**23), float32(23)

LOWEST_EXP, HIGHEST_EXP = float32(-154.6), float32(89.42)
LOWEST_HALVED_EXP, HIGHEST_HALVED_EXP = float32(-175.7), float32(176)
LARGEST_EXPM1, SMALLEST_EXPM1 = float32(88.72283), float32(-17.5)
HIGHEST_SINH = float32(89.41599)
HIGHEST_SIGMOID = float32(18.2)
HIGHEST_TANH, ONE_TANH = float32(8.48), float32(9.0109129)
HUGE = float32(2.0**28)  # atan is pi/2 above, and asinh log(2x)
LARGE_EXPONENT = float32(100)
LARGEST_SOFTPLUS, EXP_SOFTPLUS = float32(20), float32(-20)
ZERO_ERFC = float32(12.44)
SLOPE_ERFC = float32(1.1283791670955126)

TAN_PI_8, TAN_3_PI_8 = float32(0.41421357), float32(2.4142137)
HALF_PI, HALF_PI_LOW = float32(1.5707963267948966), float32(-4.371139000186241e-08)

EXPM1, LOG = EXPM1_32, LOG_32
SOFTPLUS_NEAR, SOFTPLUS_FAR = SOFTPLUS_NEAR_32, SOFTPLUS_FAR_32
ATAN = ATAN_32

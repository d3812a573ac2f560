"""The constants of the primitives' algorithms in float64 for results that are rounded to float32.

Polynomials are shorter than `constants64` has them, and what roundings lose is not followed.
"""

from __future__ import annotations

from actfn.kernels.primitives.coefficients import (
    ATAN_WIDE,
    ERF_WIDE,
    ERFC_NEAR_WIDE,
    ERFC_WIDE,
    EXPM1_WIDE,
    LOG_WIDE,
    SOFTPLUS_FAR_WIDE,
    SOFTPLUS_NEAR_WIDE,
)
from actfn.kernels.primitives.constants64 import *  # noqa: F403

COMPENSATED = False
LN2_SUFFICES = True  # see `short_remainder`
SHORT_GATES = True
CENTRE_ERFC = 3.0

EXPM1, LOG = EXPM1_WIDE, LOG_WIDE
SOFTPLUS_NEAR, SOFTPLUS_FAR = SOFTPLUS_NEAR_WIDE, SOFTPLUS_FAR_WIDE
ERFC_NEAR, ERFC = ERFC_NEAR_WIDE, ERFC_WIDE[:-1]
ERFC_CENTRE, ERFC_CENTRE_LOW = ERFC_WIDE[-1], -0.0
ERF, ATAN = ERF_WIDE, ATAN_WIDE

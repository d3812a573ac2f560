"""Coefficients of the primitives' polynomials, highest power first.

Written by `python benchmarks/fit_primitives.py`, a minimax fit of ours; don't edit by hand. Each says what is fitted on
which interval, its degree, and the largest error measured with the rounded coefficients.
"""

from __future__ import annotations

import numpy as np

# (expm1(u) - u)/u^2, relative to expm1(u), -0.34675 <= u <= 0.34675; degree 4; error 2^-26.12
# Remake: python benchmarks/fit_primitives.py EXPM1_32
EXPM1_32 = (
    np.float32(0.0013870657),
    np.float32(0.008366262),
    np.float32(0.041667435),
    np.float32(0.16666546),
    np.float32(0.49999997),
)

# (expm1(u) - u)/u^2, relative to expm1(u), -0.34675 <= u <= 0.34675; degree 8; error 2^-49.36
# Remake: python benchmarks/fit_primitives.py EXPM1_WIDE
EXPM1_WIDE = (
    2.7554219528389396e-07,
    2.7630722736822198e-06,
    2.480169601309923e-05,
    0.0001984119579103482,
    0.0013888888764504235,
    0.00833333336275112,
    0.04166666666710574,
    0.16666666666630375,
    0.49999999999999634,
)

# (expm1(u) - u)/u^2, relative to expm1(u), -0.34675 <= u <= 0.34675; degree 10; error 2^-61.62
# Remake: python benchmarks/fit_primitives.py EXPM1_64
EXPM1_64 = (
    2.089626814063537e-09,
    2.5108706645924428e-08,
    2.755732216433746e-07,
    2.7557245076120865e-06,
    2.4801587286596424e-05,
    0.00019841269885435652,
    0.0013888888888891097,
    0.00833333333332176,
    0.041666666666666685,
    0.16666666666666677,
    0.5,
)

# (log1p(u) - u)/u^2, relative to log1p(u), -0.33333 <= u <= 0.33333; degree 8; error 2^-27.68
# Remake: python benchmarks/fit_primitives.py LOG1P_32
LOG1P_32 = (
    np.float32(-0.12880035),
    np.float32(0.13984612),
    np.float32(-0.1218748),
    np.float32(0.14005733),
    np.float32(-0.16680196),
    np.float32(0.20010427),
    np.float32(-0.24999806),
    np.float32(0.33333215),
    np.float32(-0.5),
)

# (log1p(u) - u)/u^2, relative to log1p(u), -0.33333 <= u <= 0.33333; degree 16; error 2^-48.92
# Remake: python benchmarks/fit_primitives.py LOG1P_WIDE
LOG1P_WIDE = (
    -0.09063501831347098,
    0.0934292842410428,
    -0.05410252915876866,
    0.058895953541269225,
    -0.07247306790661463,
    0.07782015954067945,
    -0.08325812358113767,
    0.09085012104800862,
    -0.10000319935552902,
    0.11111334607534125,
    -0.12499992251041303,
    0.14285709638980515,
    -0.1666666676220889,
    0.2000000004625802,
    -0.24999999999556816,
    0.3333333333317885,
    -0.5,
)

# (log1p(u) - u)/u^2, relative to log1p(u), -0.33333 <= u <= 0.33333; degree 19; error 2^-56.65
# Remake: python benchmarks/fit_primitives.py LOG1P_64
LOG1P_64 = (
    0.0844941262457923,
    -0.08624105302564512,
    0.04204042819850675,
    -0.04573880398021475,
    0.06044815326002958,
    -0.06390830957677324,
    0.06651593689358365,
    -0.07130799409651262,
    0.07693189541588943,
    -0.08333971725420201,
    0.0909087656072271,
    -0.09999979311649328,
    0.11111111841518502,
    -0.12500000388632795,
    0.14285714276511605,
    -0.16666666662934965,
    0.20000000000054943,
    -0.25000000000013317,
    0.3333333333333323,
    -0.5,
)

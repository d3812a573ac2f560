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

# (log1p(u) - u)/u^2, relative to log1p(u), -0.25 <= u <= 0.5; degree 8; error 2^-27.6
# Remake: python benchmarks/fit_primitives.py LOG1P_32
LOG1P_32 = (
    np.float32(-0.045152344),
    np.float32(0.10472558),
    np.float32(-0.13163938),
    np.float32(0.1447763),
    np.float32(-0.16646878),
    np.float32(0.19990848),
    np.float32(-0.2500011),
    np.float32(0.3333345),
    np.float32(-0.5),
)

# (log1p(u) - u)/u^2, relative to log1p(u), -0.25 <= u <= 0.5; degree 16; error 2^-48.79
# Remake: python benchmarks/fit_primitives.py LOG1P_WIDE
LOG1P_WIDE = (
    -0.012286870218471756,
    0.04019274280774159,
    -0.06336415716127367,
    0.07100616538278379,
    -0.0726978159059245,
    0.07671070784279191,
    -0.08317866210514818,
    0.09090260640511495,
    -0.1000076526130482,
    0.11111198527779846,
    -0.12499981620558981,
    0.14285711511674556,
    -0.16666666874540834,
    0.20000000034309076,
    -0.2499999999912516,
    0.3333333333320437,
    -0.5,
)

# (log1p(u) - u)/u^2, relative to log1p(u), -0.25 <= u <= 0.5; degree 19; error 2^-56.57
# Remake: python benchmarks/fit_primitives.py LOG1P_64
LOG1P_64 = (
    0.008087134332691218,
    -0.029379384426308913,
    0.05068674323134468,
    -0.05967785577730863,
    0.06083101622985849,
    -0.06249926789567533,
    0.0664337542635811,
    -0.0713857786664506,
    0.07693385264419318,
    -0.08333704343093222,
    0.09090893111228208,
    -0.09999985554899235,
    0.11111110771046931,
    -0.12500000290220462,
    0.14285714299936125,
    -0.16666666663805732,
    0.1999999999985045,
    -0.2500000000001055,
    0.3333333333333375,
    -0.5,
)

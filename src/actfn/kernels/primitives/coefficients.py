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

# (2 atanh(s)/s - 2)/u, u = s^2, relative to atanh(s), 0.0 <= u <= 0.02944; degree 2; error 2^-30.21
# Remake: python benchmarks/fit_primitives.py LOG_32
LOG_32 = (
    np.float32(0.29870695),
    np.float32(0.39977586),
    np.float32(0.66666776),
)

# (2 atanh(s)/s - 2)/u, u = s^2, relative to atanh(s), 0.0 <= u <= 0.02944; degree 5; error 2^-52.24
# Remake: python benchmarks/fit_primitives.py LOG_WIDE
LOG_WIDE = (
    0.16819451372788952,
    0.18123675868008912,
    0.22223370570989057,
    0.2857141714664697,
    0.4000000005216222,
    0.6666666666658745,
)

# (2 atanh(s)/s - 2)/u, u = s^2, relative to atanh(s), 0.0 <= u <= 0.02944; degree 6; error 2^-59.5
# Remake: python benchmarks/fit_primitives.py LOG_64
LOG_64 = (
    0.14795487465146162,
    0.1531409981527233,
    0.18183562264429037,
    0.2222219861592061,
    0.2857142874193452,
    0.39999999999416935,
    0.6666666666666734,
)

# (log1p(e) - e)/e^2, e = u + 1/2, relative to log1p(e), -0.5 <= u <= 0.5; degree 8; error 2^-27.0
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_32
SOFTPLUS_32 = (
    np.float32(-0.0031740183),
    np.float32(0.006956379),
    np.float32(-0.010266779),
    np.float32(0.016655458),
    np.float32(-0.028890833),
    np.float32(0.05108859),
    np.float32(-0.09323249),
    np.float32(0.17922491),
    np.float32(-0.37813956),
)

# (2 atanh(v/2)/v - 1)/u, u = v^2, relative to atanh(v/2), 0.0 <= u <= 0.44444; degree 7; error 2^-48.95
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_WIDE
SOFTPLUS_WIDE = (
    1.4273395295431103e-06,
    3.5915479560058904e-06,
    1.9001458802063585e-05,
    8.871987115142075e-05,
    0.0004340367192804855,
    0.0022321421052306843,
    0.012500000030487549,
    0.0833333333329116,
)

# (2 atanh(v/2)/v - 1)/u, u = v^2, relative to atanh(v/2), 0.0 <= u <= 0.44444; degree 9; error 2^-59.41
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_64
SOFTPLUS_64 = (
    8.113603579047983e-08,
    1.591105227820776e-07,
    9.235848747309586e-07,
    4.059155183228191e-06,
    1.8782415036302873e-05,
    8.877804789223722e-05,
    0.0004340278117378033,
    0.0022321428553130243,
    0.012500000000048729,
    0.08333333333333288,
)

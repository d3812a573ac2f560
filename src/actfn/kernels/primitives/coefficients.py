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

# log(cosh(a/2))/u, u = a^2, relative to softplus(-a), 0.0 <= u <= 1.0; degree 3; error 2^-26.7
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_NEAR_32
SOFTPLUS_NEAR_32 = (
    np.float32(-2.164526e-05),
    np.float32(0.0003432826),
    np.float32(-0.0052069835),
    np.float32(0.12499985),
)

# log(cosh(a/2))/u, u = a^2, relative to softplus(-a), 0.0 <= u <= 1.0; degree 7; error 2^-49.18
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_NEAR_WIDE
SOFTPLUS_NEAR_WIDE = (
    -9.359990838438948e-10,
    1.4870305503625018e-08,
    -1.7954803462280382e-07,
    2.1352421411077e-06,
    -2.63515320306249e-05,
    0.00034722219251688666,
    -0.0052083333305297476,
    0.12499999999990762,
)

# (log1p(u) - u)/u^2, relative to log1p(u), 0.0 <= u <= 0.36788; degree 5; error 2^-27.5
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_FAR_32
SOFTPLUS_FAR_32 = (
    np.float32(0.05336511),
    np.float32(-0.13108562),
    np.float32(0.1922296),
    np.float32(-0.24910167),
    np.float32(0.3332845),
    np.float32(-0.4999991),
)

# (log1p(u) - u)/u^2, relative to log1p(u), 0.0 <= u <= 0.36788; degree 11; error 2^-50.43
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_FAR_WIDE
SOFTPLUS_FAR_WIDE = (
    0.010857200559975449,
    -0.037702520261760866,
    0.06854650422453187,
    -0.0922750934587846,
    0.1092275571720271,
    -0.12467706618965836,
    0.1428187577050673,
    -0.16666359228933347,
    0.1999998420967734,
    -0.24999999522211927,
    0.333333333260519,
    -0.49999999999961137,
)

# erf(x)/x - 1, u = x^2, relative to erf(x), 0.0 <= u <= 0.64; degree 5; error 2^-28.12
# Remake: python benchmarks/fit_primitives.py ERF_32
ERF_32 = (
    np.float32(-0.000654225),
    np.float32(0.0050868657),
    np.float32(-0.026822243),
    np.float32(0.11283162),
    np.float32(-0.37612608),
    np.float32(0.12837917),
)

# erf(x)/x - 1, u = x^2, relative to erf(x), 0.0 <= u <= 1.0; degree 11; error 2^-56.03
# Remake: python benchmarks/fit_primitives.py ERF_64
ERF_64 = (
    -7.795850941071683e-10,
    1.3720060182696203e-08,
    -1.6208484047304446e-07,
    1.6447424683695925e-06,
    -1.4924736905526447e-05,
    0.00012055294905260914,
    -0.0008548325975388679,
    0.005223977607113834,
    -0.026866170643237798,
    0.11283791670945051,
    -0.37612638903183543,
    0.12837916709551256,
)

# log(erfc(u))/u, relative to erf(u), 0.8 <= u <= 3.95; degree 5; error 2^-28.13
# Remake: python benchmarks/fit_primitives.py LOG_ERFC_32
LOG_ERFC_32 = (
    np.float32(0.00021625224),
    np.float32(-0.003233446),
    np.float32(0.02294854),
    np.float32(-0.10535197),
    np.float32(-0.63565093),
    np.float32(-1.128534),
)

# (x + 3) exp(x^2) erfc(x), u = (x - 3)/(x + 3), relative, -1.0 <= u <= 0.54717; degree 9; error 2^-26.85
# Remake: python benchmarks/fit_primitives.py ERFC_32
ERFC_32 = (
    np.float32(-0.00031232054),
    np.float32(-0.0004669121),
    np.float32(0.003069018),
    np.float32(-0.0012431369),
    np.float32(-0.026836993),
    np.float32(0.11953429),
    np.float32(-0.31046626),
    np.float32(0.5902278),
    np.float32(-0.8833945),
    np.float32(1.0740069),
)

# (x + 3) exp(x^2) erfc(x), u = (x - 3)/(x + 3), relative, -1.0 <= u <= 0.8; degree 19; error 2^-50.12
# Remake: python benchmarks/fit_primitives.py ERFC_WIDE
ERFC_WIDE = (
    2.197722880021206e-08,
    3.479052734206793e-08,
    -1.8532551741794344e-07,
    -3.851691446987535e-07,
    9.518458537573894e-07,
    2.742714201101878e-06,
    -4.7205898824754604e-06,
    -1.7457568970643365e-05,
    3.038700603926578e-05,
    0.0001075570069512423,
    -0.0002767750835857161,
    -0.0005483087729279999,
    0.003034061584357587,
    -0.0012124167331144466,
    -0.02682723458953039,
    0.11952776129334561,
    -0.3104672619019143,
    0.5902283571039701,
    -0.8833944531698688,
    1.0740069070883402,
)

# (x + 4) exp(x^2) erfc(x), u = (x - 4)/(x + 4), relative, -1.0 <= u <= 0.74194; degree 21; error 2^-54.08
# Remake: python benchmarks/fit_primitives.py ERFC_64
ERFC_64 = (
    -4.097948937292154e-09,
    -1.6778853010537765e-08,
    1.1799149353280827e-08,
    1.3268900449796444e-07,
    -8.708224436108162e-08,
    -8.587129491023633e-07,
    1.4305285311865247e-06,
    4.703747735845271e-06,
    -1.886272886961328e-05,
    -3.639292304250725e-06,
    0.00017681304656010078,
    -0.0004550515591708038,
    -0.00028095885353215754,
    0.00611205546740991,
    -0.026370053346875484,
    0.07638151492761601,
    -0.17401093723930003,
    0.3308515878770976,
    -0.5408538313132554,
    0.773208702265255,
    -0.9765487290808819,
    1.095995661000491,
)

# (sin(r)/r - 1)/u, u = r^2, relative to sin(r), 0.0 <= u <= 0.61747; degree 2; error 2^-27.9
# Remake: python benchmarks/fit_primitives.py SIN_32
SIN_32 = (
    np.float32(-0.00019518095),
    np.float32(0.008332188),
    np.float32(-0.16666655),
)

# (sin(r)/r - 1)/u, u = r^2, relative to sin(r), 0.0 <= u <= 0.61747; degree 5; error 2^-57.89
# Remake: python benchmarks/fit_primitives.py SIN_64
SIN_64 = (
    1.5895434607771418e-10,
    -2.5050734403438413e-08,
    2.755731353856027e-06,
    -0.00019841269829358569,
    0.00833333333332184,
    -0.1666666666666663,
)

# (cos(r) - 1 + u/2)/u^2, u = r^2, relative to cos(r), 0.0 <= u <= 0.61747; degree 2; error 2^-32.99
# Remake: python benchmarks/fit_primitives.py COS_32
COS_32 = (
    np.float32(2.4432327e-05),
    np.float32(-0.001388731),
    np.float32(0.041666646),
)

# (cos(r) - 1 + u/2)/u^2, u = r^2, relative to cos(r), 0.0 <= u <= 0.61747; degree 5; error 2^-63.92
# Remake: python benchmarks/fit_primitives.py COS_64
COS_64 = (
    -1.135868330110467e-11,
    2.087570427061842e-09,
    -2.7557314210073587e-07,
    2.480158728898368e-05,
    -0.0013888888888873325,
    0.041666666666666595,
)

# (atan(t)/t - 1)/u, u = t^2, relative to atan(t), 0.0 <= u <= 0.17159; degree 4; error 2^-30.42
# Remake: python benchmarks/fit_primitives.py ATAN_32
ATAN_32 = (
    np.float32(-0.060900524),
    np.float32(0.105991684),
    np.float32(-0.14244391),
    np.float32(0.19998528),
    np.float32(-0.33333316),
)

# (atan(t)/t - 1)/u, u = t^2, relative to atan(t), 0.0 <= u <= 0.17159; degree 10; error 2^-59.44
# Remake: python benchmarks/fit_primitives.py ATAN_64
ATAN_64 = (
    -0.017906944406945534,
    0.03806424801772197,
    -0.05039290174679214,
    0.058478857810959815,
    -0.06663103564971155,
    0.07692060178384504,
    -0.09090897756636061,
    0.11111110783495208,
    -0.1428571428020022,
    0.19999999999953683,
    -0.333333333333332,
)

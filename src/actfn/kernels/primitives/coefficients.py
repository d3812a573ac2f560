"""Coefficients of the primitives' polynomials, highest power first.

Written by `python benchmarks/fit_primitives.py`, a minimax fit of ours; don't edit by hand. Each says what is fitted on
which interval, its degree, and the largest error measured with the rounded coefficients.
"""

from __future__ import annotations

import numpy as np

# (expm1(u) - u)/u^2, relative to expm1(u).
# -0.34675 <= u <= 0.34675; degree 4; error 2^-26.12
# Remake: python benchmarks/fit_primitives.py EXPM1_32
EXPM1_32 = (
    np.float32(0.0013870657),
    np.float32(0.008366262),
    np.float32(0.041667435),
    np.float32(0.16666546),
    np.float32(0.49999997),
)

# (expm1(u) - u)/u^2, relative to expm1(u).
# -0.34675 <= u <= 0.34675; degree 8; error 2^-49.36
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

# (expm1(u) - u)/u^2, relative to expm1(u).
# -0.34675 <= u <= 0.34675; degree 10; error 2^-61.62
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

# (2 atanh(s)/s - 2)/u, u = s^2, relative to atanh(s).
# 0.0 <= u <= 0.02944; degree 2; error 2^-30.21
# Remake: python benchmarks/fit_primitives.py LOG_32
LOG_32 = (
    np.float32(0.29870695),
    np.float32(0.39977586),
    np.float32(0.66666776),
)

# (2 atanh(s)/s - 2)/u, u = s^2, relative to atanh(s).
# 0.0 <= u <= 0.02944; degree 5; error 2^-52.24
# Remake: python benchmarks/fit_primitives.py LOG_WIDE
LOG_WIDE = (
    0.16819451372788952,
    0.18123675868008912,
    0.22223370570989057,
    0.2857141714664697,
    0.4000000005216222,
    0.6666666666658745,
)

# (2 atanh(s)/s - 2)/u, u = s^2, relative to atanh(s).
# 0.0 <= u <= 0.02944; degree 6; error 2^-59.5
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

# (2 atanh(s)/s - 2 - 2u/3)/u^2, u = s^2, relative to atanh(s).
# 0.0 <= u <= 0.02944; degree 6; error 2^-66.28
# Remake: python benchmarks/fit_primitives.py POW_64
POW_64 = (
    0.1319464041092233,
    0.13257013447852997,
    0.1538674820337123,
    0.18181784585035302,
    0.22222222517136975,
    0.2857142857011747,
    0.4000000000000221,
)

# log(cosh(a/2))/u, u = a^2, relative to softplus(-a).
# 0.0 <= u <= 1.0; degree 3; error 2^-26.7
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_NEAR_32
SOFTPLUS_NEAR_32 = (
    np.float32(-2.164526e-05),
    np.float32(0.0003432826),
    np.float32(-0.0052069835),
    np.float32(0.12499985),
)

# log(cosh(a/2))/u, u = a^2, relative to softplus(-a).
# 0.0 <= u <= 1.0; degree 7; error 2^-49.18
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

# log(cosh(a/2))/u, u = a^2, relative to softplus(-a).
# 0.0 <= u <= 1.0; degree 9; error 2^-60.17
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_NEAR_64
SOFTPLUS_NEAR_64 = (
    -6.952073897830016e-12,
    1.153345403992065e-10,
    -1.3758135781676918e-09,
    1.5650106190312264e-08,
    -1.803174837863411e-07,
    2.1356903464303034e-06,
    -2.6351686101588184e-05,
    0.00034722222217163716,
    -0.005208333333330178,
    0.12499999999999993,
)

# (log1p(u) - u)/u^2, relative to log1p(u).
# 0.0 <= u <= 0.36788; degree 6; error 2^-31.2
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_FAR_32
SOFTPLUS_FAR_32 = (
    np.float32(-0.039056152),
    np.float32(0.10307391),
    np.float32(-0.15582275),
    np.float32(0.19828467),
    np.float32(-0.24985082),
    np.float32(0.33332708),
    np.float32(-0.4999999),
)

# (log1p(u) - u)/u^2, relative to log1p(u).
# 0.0 <= u <= 0.36788; degree 11; error 2^-50.43
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

# (log1p(u) - u)/u^2, relative to log1p(u).
# 0.0 <= u <= 0.36788; degree 13; error 2^-56.82
# Remake: python benchmarks/fit_primitives.py SOFTPLUS_FAR_64
SOFTPLUS_FAR_64 = (
    0.007609863156446906,
    -0.028147276946463934,
    0.053756739949809694,
    -0.0744032577019944,
    0.08843644879024605,
    -0.09951159837569216,
    0.11104364897218463,
    -0.12499377477326198,
    0.14285680031234843,
    -0.16666665980183096,
    0.2000000003513735,
    -0.25000000002534967,
    0.3333333333338839,
    -0.5000000000000037,
)

# erf(x)/x - 1, u = x^2, relative to erf(x).
# 0.0 <= u <= 0.64; degree 5; error 2^-28.12
# Remake: python benchmarks/fit_primitives.py ERF_32
ERF_32 = (
    np.float32(-0.000654225),
    np.float32(0.0050868657),
    np.float32(-0.026822243),
    np.float32(0.11283162),
    np.float32(-0.37612608),
    np.float32(0.12837917),
)

# erf(x)/x - 1, u = x^2, relative to erf(x).
# 0.0 <= u <= 1.0; degree 10; error 2^-51.22
# Remake: python benchmarks/fit_primitives.py ERF_WIDE
ERF_WIDE = (
    9.408045434954027e-09,
    -1.51779582351506e-07,
    1.630815175285762e-06,
    -1.4913040068416556e-05,
    0.00012054663259105257,
    -0.0008548304045113768,
    0.005223977131792977,
    -0.026866170583035136,
    0.1128379167055312,
    -0.3761263890317356,
    0.12837916709551214,
)

# erf(x)/x - 1, u = x^2, relative to erf(x).
# 0.0 <= u <= 1.0; degree 11; error 2^-56.03
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

# erf(x)/x - 1, u = x^2, relative to erf(x).
# 0.0 <= u <= 0.25; degree 7; error 2^-50.49
# Remake: python benchmarks/fit_primitives.py ERFC_NEAR_WIDE
ERFC_NEAR_WIDE = (
    -1.3370211111483635e-05,
    0.00011993244382200224,
    -0.0008547023081907713,
    0.005223962386886978,
    -0.026866169675549043,
    0.11283791667919944,
    -0.37612638903147505,
    0.12837916709551186,
)

# erf(x)/x - 1, u = x^2, relative to erf(x).
# 0.0 <= u <= 0.25; degree 8; error 2^-56.03
# Remake: python benchmarks/fit_primitives.py ERFC_NEAR_64
ERFC_NEAR_64 = (
    1.4725865480556744e-06,
    -1.4845849259707869e-05,
    0.00012053335124353741,
    -0.0008548297753674966,
    0.0052239773730077465,
    -0.026866170632887928,
    0.11283791670925467,
    -0.37612638903183476,
    0.12837916709551256,
)

# log(erfc(u))/u, relative to erf(u).
# 0.8 <= u <= 3.95; degree 5; error 2^-28.13
# Remake: python benchmarks/fit_primitives.py LOG_ERFC_32
LOG_ERFC_32 = (
    np.float32(0.00021625224),
    np.float32(-0.003233446),
    np.float32(0.02294854),
    np.float32(-0.10535197),
    np.float32(-0.63565093),
    np.float32(-1.128534),
)

# (x + 4) exp(x^2) erfc(x), u = (x - 4)/(x + 4), relative.
# -1.0 <= u <= 0.51368; degree 10; error 2^-28.18
# Remake: python benchmarks/fit_primitives.py ERFC_32
ERFC_32 = (
    np.float32(-0.0007089187),
    np.float32(-0.0002733289),
    np.float32(0.0062836288),
    np.float32(-0.02632928),
    np.float32(0.07633791),
    np.float32(-0.17402215),
    np.float32(0.33085677),
    np.float32(-0.540853),
    np.float32(0.77320844),
    np.float32(-0.97654873),
    np.float32(1.0959957),
)

# (x + 4) exp(x^2/2) erfc(x/sqrt(2)), u = (x - 4)/(x + 4), relative.
# -1.0 <= u <= 0.62963; degree 9; error 2^-25.7
# Remake: python benchmarks/fit_primitives.py ERFC_ROOT_32
ERFC_ROOT_32 = (
    np.float32(-0.00028527385),
    np.float32(0.00032894363),
    np.float32(0.0031445222),
    np.float32(-0.0070119835),
    np.float32(-0.01505226),
    np.float32(0.120807335),
    np.float32(-0.37304583),
    np.float32(0.7742734),
    np.float32(-1.2157933),
    np.float32(1.5105703),
)

# (x + 3) exp(x^2) erfc(x), u = (x - 3)/(x + 3), relative.
# -0.71429 <= u <= 0.84848; degree 18; error 2^-50.68
# Remake: python benchmarks/fit_primitives.py ERFC_WIDE
ERFC_WIDE = (
    7.130113858544269e-08,
    -1.448352916188729e-07,
    -4.719075916588046e-07,
    9.259416912010053e-07,
    2.829124759114369e-06,
    -4.716470457012289e-06,
    -1.7504301832845156e-05,
    3.038983410210734e-05,
    0.00010757183220043354,
    -0.0002767766987218271,
    -0.0005483115503585841,
    0.0030340619311314677,
    -0.00121241643994133,
    -0.026827234624458306,
    0.11952776127785321,
    -0.3104672619004293,
    0.5902283571042845,
    -0.8833944531698861,
    1.0740069070883391,
)

# (x + 4) exp(x^2) erfc(x), u = (x - 4)/(x + 4), relative.
# -0.77778 <= u <= 0.80296; degree 20; error 2^-56.56
# ERFC_64_LOW belongs to the constant term
# Remake: python benchmarks/fit_primitives.py ERFC_64
ERFC_64 = (
    -1.0829036338299575e-08,
    1.320439346942553e-09,
    1.1568113804485283e-07,
    -7.608099643228957e-08,
    -8.379166128622703e-07,
    1.424508197538103e-06,
    4.689554905401868e-06,
    -1.886096517537338e-05,
    -3.6333800626031143e-06,
    0.00017681281773615303,
    -0.0004550531018046549,
    -0.00028095886055292063,
    0.006112055715813091,
    -0.026370053341417614,
    0.07638151490430749,
    -0.1740109372398371,
    0.3308515878782235,
    -0.5408538313132384,
    0.7732087022652336,
    -0.976548729080882,
    1.095995661000491,
)
ERFC_64_LOW = 6.743205333806182e-17

# (sin(r)/r - 1)/u, u = r^2, relative to sin(r).
# 0.0 <= u <= 0.61747; degree 2; error 2^-27.9
# Remake: python benchmarks/fit_primitives.py SIN_32
SIN_32 = (
    np.float32(-0.00019518095),
    np.float32(0.008332188),
    np.float32(-0.16666655),
)

# (sin(r)/r - 1)/u, u = r^2, relative to sin(r).
# 0.0 <= u <= 0.61747; degree 5; error 2^-57.89
# Remake: python benchmarks/fit_primitives.py SIN_64
SIN_64 = (
    1.5895434607771418e-10,
    -2.5050734403438413e-08,
    2.755731353856027e-06,
    -0.00019841269829358569,
    0.00833333333332184,
    -0.1666666666666663,
)

# (cos(r) - 1 + u/2)/u^2, u = r^2, relative to cos(r).
# 0.0 <= u <= 0.61747; degree 2; error 2^-32.99
# Remake: python benchmarks/fit_primitives.py COS_32
COS_32 = (
    np.float32(2.4432327e-05),
    np.float32(-0.001388731),
    np.float32(0.041666646),
)

# (cos(r) - 1 + u/2)/u^2, u = r^2, relative to cos(r).
# 0.0 <= u <= 0.61747; degree 5; error 2^-63.92
# Remake: python benchmarks/fit_primitives.py COS_64
COS_64 = (
    -1.135868330110467e-11,
    2.087570427061842e-09,
    -2.7557314210073587e-07,
    2.480158728898368e-05,
    -0.0013888888888873325,
    0.041666666666666595,
)

# (atan(t)/t - 1)/u, u = t^2, relative to atan(t).
# 0.0 <= u <= 0.17159; degree 4; error 2^-30.42
# Remake: python benchmarks/fit_primitives.py ATAN_32
ATAN_32 = (
    np.float32(-0.060900524),
    np.float32(0.105991684),
    np.float32(-0.14244391),
    np.float32(0.19998528),
    np.float32(-0.33333316),
)

# (atan(t)/t - 1)/u, u = t^2, relative to atan(t).
# 0.0 <= u <= 0.17159; degree 8; error 2^-49.86
# Remake: python benchmarks/fit_primitives.py ATAN_WIDE
ATAN_WIDE = (
    -0.025472410809703236,
    0.050372849065887,
    -0.06510206703055703,
    0.07674311959294756,
    -0.0908961443384029,
    0.11111054375412498,
    -0.14285712871878853,
    0.1999999998266874,
    -0.3333333333326001,
)

# (atan(t)/t - 1)/u, u = t^2, relative to atan(t).
# 0.0 <= u <= 0.17159; degree 10; error 2^-59.44
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

# (asin(t)/t - 1)/u, u = t^2, relative to asin(t).
# 0.0 <= u <= 0.25; degree 12; error 2^-59.38
# Remake: python benchmarks/fit_primitives.py ASIN_64
ASIN_64 = (
    0.03130246706741911,
    -0.018812898021430716,
    0.02011210714263411,
    0.004384812900285346,
    0.010594040123253958,
    0.011433438053446177,
    0.013976423357936139,
    0.017351995595443197,
    0.022372192537565908,
    0.030381943553618108,
    0.044642857155510224,
    0.07499999999993558,
    0.16666666666666655,
)

# cbrt(u), relative.
# 1.0 <= u <= 2.0; degree 4; error 2^-16.73
# Remake: python benchmarks/fit_primitives.py CBRT_64
CBRT_64 = (
    -0.010603992547363236,
    0.08609194125864769,
    -0.3006129138021322,
    0.7181552844174984,
    0.5069788873151861,
)

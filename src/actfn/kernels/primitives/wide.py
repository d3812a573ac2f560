"""The primitives in float64 arithmetic for results that are rounded to float32 or less.

The shared algorithms over shorter polynomials and without following what roundings lose; the rest as float64 has it.
Each keeps its relative error below a stated bound (see `table`) for every float64 argument, so that a rounding test holds.
"""

from __future__ import annotations

from actfn.kernels.primitives import constantswide as c
from actfn.kernels.primitives import elementary
from actfn.kernels.primitives.float64 import LARGEST_NEAR, acos, asin, cbrt, cos, cos_near, sin, sin_near, tan
from actfn.kernels.primitives.intrinsics import primitive

__all__ = [
    "LARGEST_NEAR",
    "acos",
    "asin",
    "asinh",
    "atan",
    "cbrt",
    "cos",
    "cos_near",
    "cosh",
    "erf",
    "erf_softplus",
    "erfc",
    "exp",
    "exp_nonpositive",
    "expm1",
    "expm1_nonpositive",
    "log",
    "log1p",
    "pow",
    "sigmoid",
    "sin",
    "sin_near",
    "sinh",
    "softplus",
    "softplus_of_sum",
    "tan",
    "tanh",
    "tanh_softplus",
    "times_cogate",
    "times_cogate_of_sum",
    "times_erf_softplus",
    "times_erfc",
    "times_exp",
    "times_expm1",
    "times_gate",
    "times_gate_of_sum",
    "times_gaussian",
    "times_sigmoid",
    "times_softplus",
    "times_tanh",
    "times_tanh_softplus",
]

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
erf, erfc, times_erfc = _shared.erf, _shared.erfc, _shared.times_erfc
times_gaussian = _shared.times_gaussian
atan = _shared.atan
times_erf_softplus = _shared.times_erf_softplus_of(erf)


@primitive
def erf_softplus(x):
    return times_erf_softplus(c.ONE, x, -c.ZERO)


@primitive
def pow(a, b):
    """a^b for a >= 0; NaN for a < 0. The relative error grows with |b log(a)|."""
    return 1.0 if b == 0.0 else exp(b * log(a))

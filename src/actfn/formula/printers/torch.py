"""Source for PyTorch: a tensor in, one of its shape and dtype out; autograd, compile and vmap go through it.

Parameters are numbers or tensors of the dtype of x. Where a function of PyTorch's own loses the value, the gradient or
NaN, our helper stands in its place; some do so only while a compiler or an exporter traces, which decompose the function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Piecewise

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.numpy import PythonPrinter
from actfn.formula.printers.target import ELEMENTARY

_SAME = (*ELEMENTARY, "erfc")

_CBRT = """\
def _cbrt(u):
    # At 0, where the slope is infinite, autograd gets 0: it would make NaN of sign(0)*inf.
    v = torch.where(u == 0, 1, u)
    return torch.where(u == 0, 0*u, torch.sign(v)*torch.abs(v)**(1/3))"""

# The second argument's gradient is taken in a tie, so that max(x, 0) has slope 0 at 0; NaN in either is kept.
_MAXIMUM = "def _maximum(a, b):\n    return torch.where((a > b) | (a != a), a, b)"
_MINIMUM = "def _minimum(a, b):\n    return torch.where((a < b) | (a != a), a, b)"

# From 40 on log(1 + exp(u)) is u in float64, where PyTorch's own default, 20, is wrong by 2e-9.
# torch.sigmoid's slope s*(1 - s) is 0 from 17 on in float32, and softplus has a threshold: these keep both tails.
# sigmoid(u) and sigmoid(-u), which derivatives hold side by side, share what a compiler sees to be the same.
_SIGMOID = """\
def _sigmoid(u):
    e = torch.exp(torch.where(u < 0, u, -u))
    return torch.where(u < 0, e, 1)/(1 + e)"""
_SIGMOID_OF_MINUS = """\
def _sigmoid_of_minus(u):
    e = torch.exp(torch.where(u < 0, u, -u))
    return torch.where(u < 0, 1, e)/(1 + e)"""
_SOFTPLUS = """def _softplus(u):
    return torch.where(u < 0, 0, u) + _log1p(torch.exp(torch.where(u < 0, u, -u)))"""

# Inductor and ONNX write expm1(u) as exp(u) - 1, and Inductor's erf is right to 1e-7 in absolute terms only: both are 0 at
# 1e-9. While something traces, the Taylor series stands in near 0; its first term left out is below 2^-26 of the sum in
# float32, 2^-56 in float64. Its own gradient is right in the tail too.
_EXPM1 = """\
def _expm1(u):
    if not torch.compiler.is_compiling():
        return torch.expm1(u)
    near = torch.abs(u) < 0.7
    v = torch.where(near, u, 0)
    s, c = 0, [1.0]
    for k in range(2, 10 if u.dtype == torch.float32 else 18):
        c.append(c[-1]/k)
    for a in reversed(c):
        s = s*v + a
    return torch.where(near, v*s, torch.exp(u) - 1)"""
_ERF = """\
def _erf(u):
    if not torch.compiler.is_compiling():
        return torch.erf(u)
    near = torch.abs(u) < 0.5
    v = torch.where(near, u, 0)
    s, c = 0, [1.1283791670955126]
    for k in range(1, 7 if u.dtype == torch.float32 else 13):
        c.append(-c[-1]/k)
    for k, a in reversed(list(enumerate(c))):
        s = s*v*v + (a/(2*k + 1) if k else 0.12837916709551257)
    return torch.where(near, v + v*s, torch.where(u > 0, 1 - torch.erfc(u), torch.erfc(-u) - 1))"""

# ONNX has no log1p: PyTorch writes log(1 + u) there. With s = u/(2 + u), log1p(u) is 2*(s + s^3/3 + s^5/5 + ...).
_LOG1P = """\
def _log1p(u):
    if not torch.onnx.is_in_onnx_export():
        return torch.log1p(u)
    near = torch.abs(u) < 0.5
    v = torch.where(near, u, 0)
    s = v/(2 + v)
    t = 0
    for k in range(8 if u.dtype == torch.float32 else 17, -1, -1):
        t = t*s*s + 2/(2*k + 1)
    return torch.where(near, s*t, torch.log(torch.where(near, 1, 1 + u)))"""

# torch.sign(nan) is 0.
_SIGN = "def _sign(u):\n    return torch.where(u != u, u, torch.sign(u))"


class TorchPrinter(PythonPrinter):
    """PyTorch."""

    target = "PyTorch"
    modules = "import torch"
    library = "torch"
    as_array = f"torch.as_tensor({{0}}, dtype={X.name}.dtype, device={X.name}.device)"
    functions: ClassVar[Mapping[Any, str]] = {
        Piecewise: "torch.where",
        sympy.sqrt: "torch.sqrt",
        sympy.Abs: "torch.abs",
        sympy.sign: "_sign",
        **{getattr(sympy, n): f"torch.{n}" for n in _SAME},
        functions.expm1: "_expm1",
        sympy.erf: "_erf",
        functions.log1p: "_log1p",
        functions.sigmoid: "_sigmoid",
        functions.softplus: "_softplus",
        functions.erfc: "torch.erfc",
        functions.cbrt: "_cbrt",
        functions.maximum: "_maximum",
        functions.minimum: "_minimum",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "_sign": _SIGN,
        "_expm1": _EXPM1,
        "_erf": _ERF,
        "_log1p": _LOG1P,
        "_sigmoid": _SIGMOID,
        "_sigmoid_of_minus": _SIGMOID_OF_MINUS,
        "_softplus": _SOFTPLUS,
        "_cbrt": _CBRT,
        "_maximum": _MAXIMUM,
        "_minimum": _MINIMUM,
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "torch.nan", sympy.oo: "torch.inf", -sympy.oo: "-torch.inf"}

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        if function is functions.sigmoid and arguments[0].could_extract_minus_sign():
            self._need_array(*arguments)
            return f"_sigmoid_of_minus({self._print(-arguments[0])})"
        return super().call(function, arguments)

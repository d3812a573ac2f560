"""Source for PyTorch: a tensor in, one of its shape and dtype out; autograd, compile and vmap go through it.

Parameters are numbers or tensors of the dtype of x. Where a function of PyTorch's own loses the value, the gradient or
NaN, our helper stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import sympy
from sympy import Piecewise

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.numpy import PythonPrinter
from actfn.formula.printers.target import ELEMENTARY

_SAME = (*ELEMENTARY, "erf", "erfc")

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
_SIGMOID = """def _sigmoid(u):
    e = torch.exp(torch.where(u < 0, u, -u))
    return torch.where(u < 0, e, 1)/(1 + e)"""
_SOFTPLUS = """def _softplus(u):
    return torch.where(u < 0, 0, u) + torch.log1p(torch.exp(torch.where(u < 0, u, -u)))"""

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
        functions.expm1: "torch.expm1",
        functions.log1p: "torch.log1p",
        functions.sigmoid: "_sigmoid",
        functions.softplus: "_softplus",
        functions.erfc: "torch.erfc",
        functions.cbrt: "_cbrt",
        functions.maximum: "_maximum",
        functions.minimum: "_minimum",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "_sign": _SIGN,
        "_sigmoid": _SIGMOID,
        "_softplus": _SOFTPLUS,
        "_cbrt": _CBRT,
        "_maximum": _MAXIMUM,
        "_minimum": _MINIMUM,
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "torch.nan", sympy.oo: "torch.inf", -sympy.oo: "-torch.inf"}

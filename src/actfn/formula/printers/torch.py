"""Source for PyTorch: a tensor in, one of the same dtype out; autograd, compile and vmap go through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Piecewise

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.numpy import PythonPrinter


class TorchPrinter(PythonPrinter):
    """PyTorch."""

    target = "PyTorch"
    modules = "import torch"
    functions: ClassVar[Mapping[Any, str]] = {
        Piecewise: "torch.where",
        sympy.sqrt: "torch.sqrt",
        sympy.Abs: "torch.abs",
        **{
            getattr(sympy, n): f"torch.{n}"
            for n in [
                "sign",
                "exp",
                "log",
                "sin",
                "cos",
                "tan",
                "asin",
                "acos",
                "atan",
                "sinh",
                "cosh",
                "tanh",
                "asinh",
                "erf",
                "erfc",
            ]
        },
        functions.expm1: "torch.expm1",
        functions.log1p: "torch.log1p",
        functions.sigmoid: "torch.sigmoid",
        functions.softplus: "_softplus",
        functions.erfc: "torch.erfc",
        functions.maximum: "_maximum",
        functions.minimum: "_minimum",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "_softplus": "def _softplus(u):\n    return torch.logaddexp(u, torch.zeros_like(u))",
        "_maximum": "def _maximum(a, b):\n    return torch.where(a < b, b, a)",
        "_minimum": "def _minimum(a, b):\n    return torch.where(a > b, b, a)",
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "torch.nan", sympy.oo: "torch.inf", -sympy.oo: "-torch.inf"}

    def default(self, branches: Sequence[tuple[Any, Any]], default: Any) -> str:
        text = super().default(branches, default)
        depends = any(b.free_symbols for b, _ in branches) or default.free_symbols
        return text if depends else f"torch.full_like(x, {text})"

    def function(self, name, arguments, assignments, result, doc="", preamble=True):
        source = super().function(name, arguments, assignments, result, doc, preamble)
        if not result.has(X) and not any(s in result.free_symbols for s, _ in assignments):
            head, _, tail = source.rpartition("    return ")
            return f"{head}    return torch.zeros_like(x) + ({tail.rstrip()})\n"
        return source

"""Source for NumPy: arrays in, an array out, without a warning that the formula doesn't deserve."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Piecewise

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.target import CodePrinter


class PythonPrinter(CodePrinter):
    """What the array libraries of Python share."""

    logic = (" & ", " | ", "~")
    keywords = frozenset((*keyword.kwlist, *keyword.softkwlist, "np", "torch", "jnp", "jax"))

    def _print_Relational(self, expr: Any) -> str:
        return f"({super()._print_Relational(expr)})"

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        text = f"def {name}({', '.join(arguments)}):\n"
        if doc:
            text += f'    """{doc}"""\n'
        return text + "".join(f"    {left} = {right}\n" for left, right in lines) + f"    return {result}\n"


class NumpyPrinter(PythonPrinter):
    """NumPy."""

    target = "NumPy"
    modules = "import numpy as np"
    functions: ClassVar[Mapping[Any, str]] = {
        Piecewise: "np.where",
        sympy.sqrt: "np.sqrt",
        sympy.Abs: "np.abs",
        **{getattr(sympy, n): f"np.{n}" for n in ["sign", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh"]},
        sympy.asin: "np.arcsin",
        sympy.acos: "np.arccos",
        sympy.atan: "np.arctan",
        sympy.asinh: "np.arcsinh",
        functions.expm1: "np.expm1",
        functions.log1p: "np.log1p",
        functions.cbrt: "np.cbrt",
        functions.sigmoid: "_sigmoid",
        functions.softplus: "_softplus",
        functions.maximum: "np.maximum",
        functions.minimum: "np.minimum",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "_sigmoid": "def _sigmoid(u):\n    return np.exp(np.minimum(u, 0))/(1 + np.exp(-np.abs(u)))",
        "_softplus": "def _softplus(u):\n    return np.maximum(u, 0) + np.log1p(np.exp(-np.abs(u)))",
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "np.nan", sympy.oo: "np.inf", -sympy.oo: "-np.inf"}

    def function(self, name, arguments, assignments, result, doc="", preamble=True):
        if not result.has(X) and not any(s in result.free_symbols for s, _ in assignments):
            doc, wrapped = doc, super().function(name, arguments, assignments, result, doc, preamble)
            head, _, tail = wrapped.rpartition("    return ")
            return f"{head}    return np.full_like(x, {tail.rstrip()})\n"
        return super().function(name, arguments, assignments, result, doc, preamble)

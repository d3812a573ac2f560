"""Source for NumPy: an array in, one of its shape and dtype out, without a warning that the formula doesn't deserve.

`PythonPrinter` is what the array libraries of Python share. What depends on x is an array of its dtype; a number or a
parameter becomes one only where nothing beside it would give it that dtype: inside a function, or as every branch of a where.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, Piecewise, Symbol
from sympy.core.relational import Relational

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.target import CodePrinter


class PythonPrinter(CodePrinter):
    """What the array libraries of Python share."""

    logic = (" & ", " | ", "~")
    keywords = frozenset((*keyword.kwlist, *keyword.softkwlist, "np", "torch", "jnp", "jax"))
    library: ClassVar[str] = ""
    """The module's name in the code."""
    as_array: ClassVar[str] = ""
    """A parameter, `{0}`, as an array of the dtype of x."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, frozenset[str]] = {}
        self._numbers: set[str] = set()
        self._result: Expr | None = None

    def function(
        self,
        name: str,
        arguments: Sequence[str],
        assignments: Sequence[tuple[Symbol, Expr]],
        result: Expr,
        doc: str = "",
        preamble: bool = True,
    ) -> str:
        self._names, self._numbers, self._result = {}, set(), result
        for symbol, expr in assignments:
            self._names[symbol.name] = self._behind(expr)
        return super().function(name, arguments, assignments, result, doc, preamble)

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        if self._result is not None and not self._varies(self._result):
            like = f"{self.library}.full_like({X.name}, {result})"
            result = f"{self.library}.zeros_like({X.name}) + ({result})" if self._behind(self._result) else like
        # Only now is it known which parameters must be arrays.
        arrays = [(self.identifier(p), self.as_array.format(self.identifier(p))) for p in sorted(self._numbers)]
        text = f"def {name}({', '.join(arguments)}):\n"
        if doc:
            escaped = doc.replace("\\", "\\\\").replace('"', '\\"')
            text += f'    """{escaped}"""\n'
        text += "".join(f"    {left} = {right}\n" for left, right in [*arrays, *lines])
        return text + f"    return {result}\n"

    # -- what depends on x

    def _behind(self, *parts: Expr) -> frozenset[str]:
        """The arguments of the function that expressions depend on, through the names assigned before."""
        symbols = [s.name for part in parts for s in part.free_symbols]
        return frozenset().union(*(self._names.get(s, {s}) for s in symbols))

    def _varies(self, *parts: Expr) -> bool:
        return X.name in self._behind(*parts)

    def _need_array(self, *parts: Expr) -> None:
        """Notes the parameters that would be plain numbers where the library needs an array."""
        if not self._varies(*parts):
            self._numbers |= self._behind(*parts)

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        self._need_array(*arguments)
        return super().call(function, arguments)

    def power(self, base: Expr, exponent: Expr) -> str:
        if not (exponent.is_Integer and exponent > 0):
            self._need_array(base, exponent)  # Python makes (-1.0)**0.5 complex
        return super().power(base, exponent)

    def _print_Relational(self, expr: Any) -> str:
        self._need_array(expr.lhs, expr.rhs)
        return super()._print_Relational(expr)

    def default(self, branches: Sequence[tuple[Expr, Any]], default: Expr) -> str:
        last, _ = branches[-1]
        text = super().default(branches, default)
        self._need_array(last, default)
        return text if self._behind(last, default) else f"{self.library}.full_like({X.name}, {text})"

    def level(self, expr: Any, text: str) -> int:
        return 0 if isinstance(expr, Relational) else super().level(expr, text)  # `&` binds more tightly than `<`


class NumpyPrinter(PythonPrinter):
    """NumPy."""

    target = "NumPy"
    modules = "import numpy as np"
    library = "np"
    as_array = f"np.asarray({{0}}, dtype={X.name}.dtype)"
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

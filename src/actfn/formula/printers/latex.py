"""LaTeX, for pages, figures and documents."""

from __future__ import annotations

import sympy
from sympy.printing.latex import LatexPrinter as SymPyLatexPrinter

from actfn.formula.functions import elementary


class LatexPrinter(SymPyLatexPrinter):
    """LaTeX that latex2mathml and matplotlib read."""

    def __init__(self) -> None:
        super().__init__({"ln_notation": False, "fold_short_frac": False})

    def expression(self, expr: sympy.Expr) -> str:
        """The expression as LaTeX."""
        return self.doprint(expr)

    def _print_expm1(self, expr):
        return self._print(elementary(expr))

    _print_log1p = _print_softplus = _print_expm1

    def _print_sigmoid(self, expr, exp=None):
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\sigma{power}\left({self._print(expr.args[0])}\right)"

    def _print_maximum(self, expr):
        return rf"\max\left({', '.join(map(self._print, expr.args))}\right)"

    def _print_minimum(self, expr):
        return rf"\min\left({', '.join(map(self._print, expr.args))}\right)"

    def _print_cbrt(self, expr):
        return rf"\sqrt[3]{{{self._print(expr.args[0])}}}"

    def _print_Symbol(self, expr, style="plain"):
        name = expr.name
        return rf"\text{{{name}}}".replace("_", r"\_") if "_" in name else super()._print_Symbol(expr)

"""LaTeX, for pages, figures and documents: what latex2mathml and matplotlib's mathtext read.

Leans on SymPy's printer. A formula's own functions are first written as a reader knows them, unevaluated, so that
SymPy's printer places brackets and exponents; only names, numbers and conditions are set in our way.
"""

from __future__ import annotations

import re
from typing import Any

import sympy
from sympy import Add, Float, Mul, Piecewise, Pow, Rational, S
from sympy.core.relational import Relational
from sympy.printing.latex import LatexPrinter as SymPyLatexPrinter
from sympy.printing.latex import greek_letters_set, tex_greek_dictionary

from actfn.formula.functions import expm1, log1p, softplus
from actfn.formula.printers.constants import decimal
from actfn.formula.printers.target import UnprintableError

_GREEK = greek_letters_set | set(tex_greek_dictionary)
_UNEVALUATED = (Add, Mul, Pow, Piecewise, Relational)


class LatexPrinter(SymPyLatexPrinter):
    """LaTeX. Any function of SymPy's can be written; what isn't a function, a number or a condition is refused by name."""

    def __init__(self) -> None:
        super().__init__({"ln_notation": False, "fold_short_frac": False})

    def expression(self, expr: Any) -> str:
        """The expression, or the condition, as LaTeX. Raises `UnprintableError`."""
        return self.doprint(_familiar(expr)).replace(r" \right", r"\right")

    # -- what isn't in SymPy, or reads badly there

    def _applied(self, name: str, expr: Any, exp: str | None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{name}{power}\left({', '.join(self._print(a) for a in expr.args)}\right)"

    def _print_sigmoid(self, expr: Any, exp: str | None = None) -> str:
        return self._applied(r"\sigma", expr, exp)

    def _print_maximum(self, expr: Any, exp: str | None = None) -> str:
        return self._applied(r"\max", expr, exp)

    def _print_minimum(self, expr: Any, exp: str | None = None) -> str:
        return self._applied(r"\min", expr, exp)

    def _print_erfc(self, expr: Any, exp: str | None = None) -> str:
        return self._applied(r"\operatorname{erfc}", expr, exp)

    def _print_cbrt(self, expr: Any, exp: str | None = None) -> str:
        root = rf"\sqrt[3]{{{self._print(expr.args[0])}}}"
        return root if exp is None else f"{root}^{{{exp}}}"

    def _print_Piecewise(self, expr: Piecewise) -> str:
        rows = []
        for branch, condition in expr.args:
            words = r"\text{otherwise}" if condition == S.true else rf"\text{{if }} {self._print(condition)}"
            rows.append(f"{self._print(branch)} & {words}")
        joined = r" \\ ".join(rows)
        return rf"\begin{{cases}} {joined} \end{{cases}}"

    def _print_LogOp(self, args: Any, char: str) -> str:
        word = {r"\wedge": r"\text{ and }", r"\vee": r"\text{ or }"}.get(char, char)
        joined = [self._print(a) if isinstance(a, Relational) else rf"\left({self._print(a)}\right)" for a in args]
        return f" {word} ".join(joined)

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        """As SymPy, but a sum begins with a term that has no minus sign, if one has none: x - 1, not -1 + x."""
        terms = self._as_ordered_terms(expr, order=order)
        first = next((i for i, t in enumerate(terms) if not t.could_extract_minus_sign()), 0)
        terms.insert(0, terms.pop(first))
        text = ""
        for term in terms:
            shown = self._print(term)
            negative = shown.startswith("-")
            shown = shown[1:].lstrip() if negative else shown
            if self._needs_add_brackets(term):
                negative, shown = False, rf"\left({self._print(term)}\right)"
            text += f" {'-' if negative else '+'} {shown}" if text else f"- {shown}" if negative else shown
        return text

    # -- names and numbers

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
        letter, digits = re.fullmatch(r"(.*?)_?(\d*)", expr.name).groups()  # type: ignore[union-attr]
        if len(letter) == 1 or letter in _GREEK:
            return super()._print_Symbol(sympy.Symbol(letter)) + (f"_{{{digits}}}" if digits else "")
        return rf"\text{{{expr.name}}}".replace("_", r"\_")

    def _print_Mul(self, expr: Any) -> str:
        """Names of several letters are set apart from their neighbours by a thin space."""
        before = self._settings["mul_symbol_latex"]
        names = [a.as_base_exp()[0] for a in expr.args]
        upright = any(n.is_Symbol and self._print(n).startswith(r"\text") for n in names)
        self._settings["mul_symbol_latex"] = r"\, " if upright else " "
        try:
            return super()._print_Mul(expr)
        finally:
            self._settings["mul_symbol_latex"] = before

    # -- refusals

    def emptyPrinter(self, expr: Any) -> str:
        raise UnprintableError(f"LaTeX has no {type(expr).__name__}")

    _print_Basic = _print_Derivative = _print_Integral = _print_Subs = emptyPrinter

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:
        if isinstance(expr, sympy.core.function.AppliedUndef):
            raise UnprintableError(f"LaTeX has no {expr.func.__name__}")
        return super()._print_Function(expr, exp)


def _familiar(expr: Any) -> Any:
    """expm1, log1p and softplus as a reader knows them, and fractions that are no simple ones as decimals.

    Nothing is evaluated: 2*expm1(x) is 2(e^x - 1).
    """
    if isinstance(expr, Rational):
        digits = decimal(expr) if expr.q > 20 else None
        return Float(digits, len(digits)) if digits else expr
    if not expr.args:
        return expr
    args = [_familiar(a) for a in expr.args]
    if isinstance(expr, expm1):
        return Add(sympy.exp(args[0]), S.NegativeOne, evaluate=False)
    if isinstance(expr, log1p):
        return sympy.log(Add(S.One, args[0], evaluate=False), evaluate=False)
    if isinstance(expr, softplus):
        return sympy.log(Add(S.One, sympy.exp(args[0]), evaluate=False), evaluate=False)
    if all(a is b for a, b in zip(args, expr.args, strict=True)):
        return expr
    if isinstance(expr, _UNEVALUATED) and not isinstance(expr, sympy.exp):
        return expr.func(*args, evaluate=False)
    return expr.func(*args)

"""Scalar code for Numba: what the kernels run. One class an arithmetic, each over the primitives of its level.

Every literal has the type of the level, a sum of products is evaluated by fused multiply-adds, conditions are joined
without branches, and each function is a primitive that LLVM inlines and vectorises.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, Mul, Pow, Rational, Symbol

from actfn.formula import functions
from actfn.formula.printers.constants import is_compound, nearest, value
from actfn.formula.printers.target import CodePrinter

PRIMITIVES = "actfn.kernels.primitives"
MAX_POWER = 64
_BOUNDED = (sympy.exp, functions.sigmoid, sympy.tanh, functions.erfc, sympy.erf, sympy.sin, sympy.cos, sympy.atan)
_FUSED = ((functions.sigmoid, "times_sigmoid"), (sympy.tanh, "times_tanh"))
_SHARED = {"fabs", "fma", "integer_power", "maximum", "minimum", "sign", "sqrt"}
"""What is the same in every arithmetic."""


class NumbaPrinter(CodePrinter):
    """float64 arithmetic."""

    target = "numba"
    arithmetic: ClassVar[str] = "float64"
    logic = (" & ", " | ", "not ")
    keywords = frozenset((*keyword.kwlist, *keyword.softkwlist, "fma", "float32", "primitive", "maximum", "minimum"))
    functions: ClassVar[Mapping[Any, str]] = {
        sympy.exp: "exp",
        sympy.log: "log",
        sympy.sin: "sin",
        sympy.cos: "cos",
        sympy.tan: "tan",
        sympy.asin: "asin",
        sympy.acos: "acos",
        sympy.atan: "atan",
        sympy.sinh: "sinh",
        sympy.cosh: "cosh",
        sympy.tanh: "tanh",
        sympy.asinh: "asinh",
        sympy.erf: "erf",
        sympy.erfc: "erfc",
        sympy.sqrt: "sqrt",
        sympy.Abs: "fabs",
        sympy.sign: "sign",
        Pow: "pow",
        functions.expm1: "expm1",
        functions.log1p: "log1p",
        functions.sigmoid: "sigmoid",
        functions.softplus: "softplus",
        functions.erfc: "erfc",
        functions.cbrt: "cbrt",
        functions.maximum: "maximum",
        functions.minimum: "minimum",
    }

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()
        """The primitives that what was printed so far calls."""

    # -- numbers

    def number(self, rounded: float) -> str:
        """A constant in the type of the level."""
        return repr(rounded)

    def _print_Rational(self, expr: Rational) -> str:
        return self.number(nearest(expr))

    _print_Integer = _print_Zero = _print_One = _print_NegativeOne = _print_Half = _print_Rational

    def _print_Infinity(self, expr: Expr) -> str:
        return self.number(float("inf")).replace("inf", "1e999")

    def _print_NegativeInfinity(self, expr: Expr) -> str:
        return "-" + self._print_Infinity(expr)

    def _print_constant(self, expr: Any) -> str:
        return self._print_Rational(value(expr))

    _print_Pi = _print_Exp1 = _print_constant

    # -- arithmetic

    def product(self, factors: Sequence[Expr]) -> str:
        """Bounded factors first: (2*exp(u))*x is 0 where exp(u) is, while (2*x)*exp(u) may be infinity times 0.

        A factor sigmoid(u) or tanh(u) takes the rest along, so that the product is rounded once.
        """
        ordered = sorted(factors, key=lambda f: (not f.is_number, not isinstance(f.as_base_exp()[0], _BOUNDED)))
        if not ordered:
            return self.number(1.0)
        for kind, name in _FUSED:
            fused = [f for f in ordered if isinstance(f, kind)]
            if fused and len(ordered) > 1:
                rest = list(ordered)
                rest.remove(fused[-1])
                self.used.add(name)
                return f"{name}({self.product(rest)}, {self._print(fused[-1].args[0])})"
        return super().product(ordered)

    def _print_Add(self, expr: Expr) -> str:
        """A chain of fused multiply-adds over the products; the other terms are added first."""
        terms = list(expr.as_ordered_terms())
        products = [t for t in terms if self._factors(t) is not None]
        plain = [t for t in terms if t not in products]
        if not products:
            first, *rest = sorted(plain, key=lambda t: bool(t.is_number or t.could_extract_minus_sign()))
            text = self._print(first)
            for term in rest:
                negative = term.could_extract_minus_sign()
                text += f" {'-' if negative else '+'} {self.bracket(-term if negative else term, 50)}"
            return text
        total = self._print(sympy.Add(*plain)) if plain else self._print(products.pop(0))
        for product in products:
            a, b = self._factors(product) or (product, sympy.S.One)
            self.used.add("fma")
            total = f"fma({self._print(a)}, {self._print(b)}, {total})"
        return total

    @staticmethod
    def _factors(term: Expr) -> tuple[Expr, Expr] | None:
        """Two factors of a product without a division, or None."""
        if isinstance(term, Pow) and term.exp.is_Integer and term.exp >= 2:
            return term.base ** (term.exp // 2), term.base ** (term.exp - term.exp // 2)
        if not isinstance(term, Mul) or is_compound(term) or any(_divides(f) for f in term.args):
            return None
        numbers = [f for f in term.args if f.is_number]
        others = [f for f in term.args if not f.is_number]
        if not others:
            return None
        coefficient = Mul(*numbers)
        if coefficient == 1 or (coefficient == -1 and len(others) > 1):
            return (coefficient * others[0], Mul(*others[1:])) if len(others) > 1 else None
        return coefficient, Mul(*others)

    def power(self, base: Expr, exponent: Expr) -> str:
        if exponent.is_Integer and 2 <= exponent <= MAX_POWER:
            self.used.add("integer_power")
            return f"integer_power({self._print(base)}, {int(exponent)})"
        if exponent.is_Rational and exponent.q == 2 and exponent > 0:
            whole = exponent - sympy.Rational(1, 2)
            return f"{self.bracket(base**whole, 60)}*{self.call(sympy.sqrt, [base])}"
        return self.call(Pow, [base, exponent])

    def _print_Pow(self, expr: Pow) -> str:
        if isinstance(expr, sympy.exp):
            return self.call(sympy.exp, [expr.args[0]])
        return super()._print_Pow(expr)

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        if function not in self.functions:
            raise self.refuse(function.__name__)
        name = self.functions[function]
        if function is functions.expm1 and arguments[0].is_nonpositive:
            name = "expm1_nonpositive"
        self.used.add(name)
        return f"{name}({', '.join(self._print(a) for a in arguments)})"

    # -- conditions

    def _print_Relational(self, expr: Any) -> str:
        return f"({super()._print_Relational(expr)})"

    def where(self, condition: str, branch: str, otherwise: str) -> str:
        return f"({branch} if {condition} else {otherwise})"

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        body = "".join(f"    {left} = {right}\n" for left, right in lines)
        return f"@primitive\ndef {name}({', '.join(arguments)}):\n{body}    return {result}\n"

    def scalar(
        self, name: str, arguments: Sequence[str], assignments: Sequence[tuple[Symbol, Expr]], results: Sequence[Expr]
    ) -> str:
        """The imports and the scalar function of a program with one result or more."""
        lines = [(self.identifier(symbol.name), self.expression(expr)) for symbol, expr in assignments]
        shown = ", ".join(self.expression(r) for r in results)
        code = self.definition(self.identifier(name), [self.identifier(a) for a in arguments], lines, shown, "")
        return self.imports() + "\n\n" + code

    def own(self) -> set[str]:
        """The primitives of this arithmetic alone that the printed code so far calls."""
        return self.used - _SHARED

    def imports(self) -> str:
        """What the printed code so far needs."""
        shared, own = sorted(self.used & _SHARED), sorted(self.own())
        lines = [f"from {PRIMITIVES}.intrinsics import primitive"]
        lines += [f"from {PRIMITIVES}.arithmetic import {', '.join(shared)}"] * bool(shared)
        lines += [f"from {PRIMITIVES}.{self.arithmetic} import {', '.join(own)}"] * bool(own)
        return "\n".join(lines) + "\n"


class NumbaWidePrinter(NumbaPrinter):
    """float64 arithmetic that only has to be good for float32 results."""

    arithmetic = "wide"


class NumbaFloat32Printer(NumbaPrinter):
    """float32 arithmetic."""

    arithmetic = "float32"

    def number(self, rounded: float) -> str:
        return f"float32({rounded!r})"

    def imports(self) -> str:
        return "from numpy import float32\n\n" + super().imports()


def _divides(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.exp.is_Rational and bool(factor.exp.is_negative)

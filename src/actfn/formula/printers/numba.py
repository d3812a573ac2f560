"""Scalar code for Numba: what the kernels run. One class an arithmetic, each over the primitives of its level.

Every literal has the type of the level, a sum of products is evaluated by fused multiply-adds, conditions are joined
without branches, and each function is a primitive that LLVM inlines and vectorises.
"""

from __future__ import annotations

import keyword
import struct
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, Mul, Piecewise, Pow, Rational, Symbol
from sympy.printing.precedence import PRECEDENCE

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.constants import is_compound, nearest, value
from actfn.formula.printers.target import CodePrinter

PRIMITIVES = "actfn.kernels.primitives"
MAX_POWER = 64
_BOUNDED = (sympy.exp, functions.sigmoid, sympy.tanh, functions.erfc, sympy.erf, sympy.sin, sympy.cos, sympy.atan)
_FUSED = (functions.sigmoid, sympy.tanh, sympy.erf, sympy.erfc, functions.erfc, functions.softplus, sympy.exp)
"""Functions whose primitive takes a factor along, those first that lose most without."""
TWO_PART = (sympy.exp, functions.sigmoid, functions.softplus, sympy.erfc, functions.erfc)
"""Functions that amplify their argument's error, and whose primitive with a factor takes it as a sum of two numbers."""
_COMPOSED = {
    (sympy.tanh, functions.softplus): "tanh_softplus",
    (sympy.erf, functions.softplus): "erf_softplus",
}
"""The primitives of a function of a function."""
_BOUNDING = {functions.maximum: "at_least", functions.minimum: "at_most"}
"""What is one instruction where the other argument is a number, which is neither NaN nor a zero with a sign."""
_SHARED = {
    "at_least",
    "at_most",
    "constant_parts",
    "cubic_parts",
    "product_parts",
    "quotient_parts",
    "square_parts",
    "fabs",
    "fma",
    "integer_power",
    "maximum",
    "minimum",
    "sign",
    "sqrt",
}
"""What is the same in every arithmetic."""


class NumbaPrinter(CodePrinter):
    """float64 arithmetic."""

    target = "numba"
    arithmetic: ClassVar[str] = "float64"
    fused: ClassVar[tuple[Any, ...]] = _FUSED
    two_part: ClassVar[tuple[Any, ...]] = TWO_PART
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
        self.copies: set[Expr] = {X}
        """The names of x, held inside bounds or not."""
        self.meanings: dict[Symbol, Expr] = {}
        """What the names of a program stand for, but for those of x."""

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
        """One function takes the other factors along, so that the product is rounded once and leaves the range last.

        It takes one factor that isn't a number, and a constant of at most 1; the others stay outside, as they could
        take their product out of the range. Bounded factors come first: (exp(u)*x)*x is 0 where exp(u) is, while
        (x*x)*exp(u) may be infinity times 0.
        """
        single = [b for f in factors for b in ([f.base] * int(f.exp) if _small_power(f) else [f])]
        ordered = sorted(single, key=lambda f: (not f.is_number, not isinstance(_base(f), _BOUNDED), f == X))
        if not ordered:
            return self.number(1.0)
        fused = next(
            (f for kind in self.fused for f in ordered if isinstance(f, kind) and self._gains(f, ordered)), None
        )
        alone = len(ordered) == 1 or (isinstance(fused, functions.softplus) and all(f.is_number for f in ordered[:-1]))
        if fused is None or alone:
            return super().product(ordered)
        rest = list(ordered)
        rest.remove(fused)
        numbers, others = [f for f in rest if f.is_number], [f for f in rest if not f.is_number]
        outside: list[Expr] = []
        if others:
            leading = next(filter(self._grows, others), others[0])  # what may make a number of what underflows alone
            others.remove(leading)
            outside = [f for f in numbers if abs(f) > 1] + others
            numbers = [f for f in numbers if abs(f) <= 1]
            numbers.append(leading)
        text = self._times(Mul(*numbers), fused)
        return "*".join([text, *(self.bracket(f, PRECEDENCE["Mul"]) for f in outside)])

    def _print_Mul(self, expr: Mul) -> str:
        """A constant in front, as one number; then the factors; then one division."""
        constant: Any = value(Mul(*(f for f in expr.args if f.is_number)))
        factors = [f for f in expr.as_ordered_factors() if not f.is_number]
        below = [f for f in factors if _divides(f)]
        up = [f for f in factors if f not in below]
        if len(below) == 1 and self._leaves_the_range(below[0]) and not any(map(self._grows, up)):
            up, below = [*up, *below], []
        down = [1 / f for f in below]
        negative = constant < 0
        constant = abs(constant)
        up = up if constant == 1 and up else [constant, *up]
        return ("-" if negative else "") + self.quotient(up, down)

    def _grows(self, factor: Expr) -> bool:
        return bool(factor.free_symbols & self.copies) and not isinstance(_base(factor), _BOUNDED)

    def _gains(self, function: Expr, factors: Sequence[Expr]) -> bool:
        """Whether a function is better multiplied before it is rounded; beside numbers a plain exp is cheaper and as good."""
        if isinstance(function, sympy.erf):
            return (sympy.erf, function.args[0].func) in _COMPOSED
        plain = isinstance(function, sympy.exp) and argument_parts(function.args[0])[0] is None
        return not plain or any(map(self._grows, factors))

    def _times(self, factor: Expr, function: Expr) -> str:
        """factor*function, by the primitive that rounds once."""
        kind, argument = _kind_and_argument(function)
        name = f"times_{self.functions.get(kind, kind)}"
        self.used.add(name)
        if kind in TWO_PART or kind in _COMPOSED.values():
            parts = self._parts(argument) or f"{self._print(argument)}, {self.number(-0.0)}"
            return f"{name}({self._print(factor)}, {parts})"
        return f"{name}({self._print(factor)}, {self._print(argument)})"

    def _parts(self, argument: Expr) -> str | None:
        """The argument as a sum of two numbers, where it is a product that one number would round; else None."""
        cubic = self._odd_cubic(argument)
        if cubic is not None:
            x, *coefficients = cubic
            self.used.add("cubic_parts")
            return f"*cubic_parts({', '.join(map(self._two_numbers, coefficients))}, {self._print(x)})"
        kind, parts = argument_parts(argument)
        if kind is None:
            return None
        self.used.add(kind)
        texts = [self._print(p) for p in parts]
        if kind == "constant_parts":
            texts[0] = self._two_numbers(parts[0])
        return f"*{kind}({', '.join(texts)})"

    def _odd_cubic(self, argument: Expr) -> tuple[Expr, Expr, Expr] | None:
        """(x, a, c) of an argument a*x + c*x^3 with constants a and c, where the arithmetic is no wider than the result."""
        if self.arithmetic != "float64" or not self.copies.intersection(argument.xreplace(self.meanings).free_symbols):
            return None
        whole = sympy.expand(argument.xreplace(self.meanings))
        if not isinstance(whole, sympy.Add) or len(whole.args) != 2 or len(whole.free_symbols) != 1:
            return None
        (x,) = whole.free_symbols
        a, c = whole.coeff(x, 1), whole.coeff(x, 3)
        return (x, a, c) if a.is_number and c.is_number and sympy.expand(a * x + c * x**3 - whole) == 0 else None

    def _two_numbers(self, constant: Expr) -> str:
        """A constant as two, the second what rounding the first loses."""
        high = nearest(value(constant))
        low = nearest(value(constant) - Rational(*self.rounded(high).as_integer_ratio()))
        return f"{self.number(high)}, {self.number(low)}"

    def rounded(self, number: float) -> float:
        """A float64 in the precision of this arithmetic."""
        return number

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
            return f"({self.bracket(base**whole, 60)}*{self.call(sympy.sqrt, [base])})"
        return self.call(Pow, [base, exponent])

    def _print_Pow(self, expr: Pow) -> str:
        if isinstance(expr, sympy.exp):
            return self.call(sympy.exp, [expr.args[0]])
        if self._leaves_the_range(expr):
            return self._inverse_power(expr.base, -expr.exp) or super()._print_Pow(expr)
        return super()._print_Pow(expr)

    def _leaves_the_range(self, power: Expr) -> bool:
        """Whether what a power divides by may be infinite where the power is a number still, as far as float64 goes."""
        return self.arithmetic == "float64" and power.exp.is_Rational and power.exp < -1 and self._grows(power.base)

    def _inverse_power(self, base: Expr, exponent: Rational) -> str | None:
        """A power of 1/base, which is a subnormal number where the base's own power is infinite already."""
        whole, inverse = int(exponent), f"{self.number(1.0)}/{self.bracket(base, PRECEDENCE['Mul'])}"
        if exponent.q > 2 or whole > MAX_POWER:
            return None
        if whole > 1:
            self.used.add("integer_power")
            inverse = f"integer_power({inverse}, {whole})"
        return inverse if exponent.q == 1 else f"{inverse}/{self.call(sympy.sqrt, [base])}"

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        if function not in self.functions:
            raise self.refuse(function.__name__)
        name = self.functions[function]
        if function in _BOUNDING and any(a.is_number and a.is_nonzero for a in arguments):
            name, arguments = _BOUNDING[function], sorted(arguments, key=lambda a: bool(a.is_number))
        amplifies = function in self.two_part
        if (function, arguments[0].func) in _COMPOSED:
            name, arguments = _COMPOSED[function, arguments[0].func], arguments[0].args
            amplifies = functions.softplus in self.two_part
        if amplifies and (parts := self._parts(arguments[0])):
            if function is functions.softplus:
                self.used.add("softplus_of_sum")
                return f"softplus_of_sum({parts})"
            self.used.add(f"times_{name}")
            return f"times_{name}({self.number(1.0)}, {parts})"
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
        self.copies |= {s for s, e in assignments if isinstance(e, functions.maximum | functions.minimum | Piecewise)}
        for symbol, expression in assignments:
            if symbol not in self.copies:
                self.meanings[symbol] = expression.xreplace(self.meanings)
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
    fused = (sympy.erfc, functions.erfc, sympy.exp)  # float64 doesn't underflow where float32 doesn't
    two_part = fused


class NumbaFloat32Printer(NumbaPrinter):
    """float32 arithmetic."""

    arithmetic = "float32"

    def number(self, rounded: float) -> str:
        return f"float32({rounded!r})"

    def rounded(self, number: float) -> float:
        return struct.unpack("f", struct.pack("f", number))[0]

    def imports(self) -> str:
        return "from numpy import float32\n\n" + super().imports()


def _kind_and_argument(function: Expr) -> tuple[Any, Expr]:
    """What computes a function, its class or a primitive of its own, and of which argument."""
    (argument,) = function.args
    if (function.func, argument.func) in _COMPOSED:
        return _COMPOSED[function.func, argument.func], argument.args[0]
    return function.func, argument


def _base(factor: Expr) -> Expr:
    return factor if isinstance(factor, sympy.exp) else factor.as_base_exp()[0]


def argument_parts(argument: Expr) -> tuple[str | None, tuple[Expr, ...]]:
    """How an argument is written as a sum of two numbers: the primitive's name and its arguments; None where it isn't.

    A symbol, and a power of two times a symbol, is one number already.
    """
    coefficient, rest = argument.as_coeff_Mul()
    numbers = [f for f in Mul.make_args(rest) if f.is_number]
    others = [f for f in Mul.make_args(rest) if not f.is_number]
    constant = Mul(coefficient, *numbers)
    if len(others) == 1 and others[0].is_Symbol:
        if constant.is_Rational and is_power_of_two(abs(constant)):
            return None, ()
        return "constant_parts", (constant, others[0])
    if not constant.is_Rational or not is_power_of_two(abs(constant)):
        return None, ()
    squares = [f for f in others if isinstance(f, Pow) and f.exp == 2 and f.base.is_Symbol]
    symbols = [f for f in others if f.is_Symbol]
    inverses = [f for f in others if isinstance(f, Pow) and f.exp == -1 and f.base.is_Symbol]
    if len(squares) == 1 and len(symbols) == len(others) - 1 <= 1:
        return "square_parts", (Mul(constant, *symbols), squares[0].base)
    if len(symbols) == 2 == len(others):
        return "product_parts", (constant * symbols[0], symbols[1])
    if len(symbols) == len(inverses) == 1 and len(others) == 2:
        return "quotient_parts", (constant * symbols[0], inverses[0].base)
    return None, ()


def is_power_of_two(number: Rational) -> bool:
    """Whether a positive rational is one."""
    p, q = int(number.p), int(number.q)
    return p & (p - 1) == 0 == q & (q - 1)


def _small_power(factor: Expr) -> bool:
    whole = isinstance(factor, Pow) and bool(factor.exp.is_Integer)
    return whole and 1 < factor.exp <= 4 and (factor.base.is_Symbol or isinstance(factor.base, _BOUNDED))


def _divides(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.exp.is_Rational and bool(factor.exp.is_negative)

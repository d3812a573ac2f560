"""Scalar code for Numba: what the kernels run, but for what depends on the arithmetic.

Leans on `factors.py`; `numba64.py` and `numba32.py` hold one class an arithmetic, each over the primitives of its level.
The idea: every literal has the type of the level, a sum of products is evaluated by fused multiply-adds, a function takes
a factor beside it along, conditions are joined without branches, and each function is a primitive that LLVM inlines and
vectorises.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, Mul, Piecewise, Pow, Rational, Symbol
from sympy.printing.precedence import PRECEDENCE

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.constants import nearest, value
from actfn.formula.printers.factors import (
    BOUNDED,
    COMPOSED,
    TWO_PART,
    argument_parts,
    base_of,
    divides,
    is_power_of_two,
    is_small_power,
    kind_and_argument,
    two_factors,
)
from actfn.formula.printers.target import CodePrinter

PRIMITIVES = "actfn.kernels.primitives"
MAX_POWER = 64
_FUSED = (functions.sigmoid, sympy.tanh, sympy.erf, sympy.erfc, functions.erfc, functions.softplus, sympy.exp)
"""Functions whose primitive takes a factor along, those first that lose most without."""
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
    """What all arithmetics share."""

    target = "numba"
    arithmetic: ClassVar[str]
    """The module of primitives that the code calls."""
    fused: ClassVar[tuple[Any, ...]] = _FUSED
    two_part: ClassVar[tuple[Any, ...]] = TWO_PART
    cheaper_below: ClassVar[tuple[Any, ...]] = (functions.expm1,)
    """Functions with a primitive of their own for arguments that aren't positive."""
    near: ClassVar[Mapping[Any, str]] = {sympy.sin: "sin_near", sympy.cos: "cos_near"}
    """Functions with a primitive of their own for arguments up to LARGEST_NEAR, which most loops keep to."""
    chained: ClassVar[float] = math.inf
    """How many functions with tails it takes for a product to be taken along by all, one after the other; else by one."""
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
        self.written_out: Mapping[Any, Expr] = {}
        """The names in whose place a product has the function with a tail that they stand for."""
        self.lines: list[tuple[str, str]] = []
        """(name, text) of the assignments so far."""
        self.all_near = False
        """Whether the code is for arguments that are near."""
        self.near_to: list[str] = []
        """The arguments, as printed, of the functions that have a primitive for near ones."""

    # -- numbers

    def number(self, rounded: float) -> str:
        """A constant in the type of the level."""
        return repr(rounded)

    def rounded(self, number: float) -> float:
        """A float64 in the precision of this arithmetic."""
        return number

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
        return self._fused([self._gate(f) for f in factors])

    def _fused(self, factors: Sequence[Expr]) -> str:
        single = [b for f in factors for b in ([f.base] * int(f.exp) if is_small_power(f) else [f])]
        ordered = sorted(single, key=lambda f: (not f.is_number, not isinstance(base_of(f), BOUNDED), f == X))
        if not ordered:
            return self.number(1.0)
        gates = [f for f in ordered if isinstance(f, TWO_PART)]
        if len(gates) >= self.chained and any(f not in gates and self._may_be_large(f) for f in ordered):
            return self._gated(gates, [f for f in ordered if f not in gates])
        fused = next(
            (f for kind in self.fused for f in ordered if isinstance(f, kind) and self._gains(f, ordered)), None
        )
        alone = len(ordered) == 1 or (isinstance(fused, functions.softplus) and all(f.is_number for f in ordered[:-1]))
        if fused is None or alone:
            return super().product(self._in_order(ordered))
        rest = list(ordered)
        rest.remove(fused)
        numbers, others = [f for f in rest if f.is_number], [f for f in rest if not f.is_number]
        outside: list[Expr] = []
        if others:
            leading = next(filter(self._grows, others), others[0])  # what may make a number of what underflows alone
            others.remove(leading)
            inside = self._bears_a_constant(leading)
            outside = [f for f in numbers if abs(f) > 1 and not inside] + others
            numbers = [f for f in numbers if abs(f) <= 1 or inside]
            numbers.append(leading)
        text = self._times(self._print(Mul(*numbers)), fused)
        return "*".join([text, *(self.bracket(f, PRECEDENCE["Mul"]) for f in outside)])

    def _in_order(self, factors: list[Expr]) -> list[Expr]:
        """The factors of a product that no function takes along, a number first, as they are multiplied."""
        return factors

    def _bears_a_constant(self, leading: Expr) -> bool:
        """Whether a factor stays inside the range when a constant above 1 is multiplied first."""
        return False

    def _gate(self, factor: Expr) -> Expr:
        """A factor that is the name of a function with a tail, or a power of one, written out: its product is fused."""
        base, power = (
            (factor.base, factor.exp) if isinstance(factor, Pow) and not isinstance(factor, sympy.exp) else (factor, 1)
        )
        meaning = self.written_out.get(base)
        return Pow(meaning, power) if meaning is not None and isinstance(meaning, TWO_PART) else factor

    def _gated(self, gates: Sequence[Expr], rest: Sequence[Expr]) -> str:
        """What grows, times one function with a tail after the other: no tail is rounded, or underflows, before its product."""
        growing = [f for f in rest if self._grows(f)]
        inside = [f for f in rest if f in growing or (f.is_number and abs(f) <= 1)] if growing else list(rest)
        outside = [f for f in rest if f not in inside]
        if growing and outside and any(isinstance(f, sympy.erfc | functions.erfc) for f in gates):
            inside, outside = [Rational(1, 2), *inside], [*outside, Rational(2)]  # erfc may be 2
        text = self._print(Mul(*inside))
        for gate in gates:
            text = self._times(text, gate)
        return "*".join([text, *(self.bracket(f, PRECEDENCE["Mul"]) for f in outside)])

    def _print_Mul(self, expr: Mul) -> str:
        """A constant in front, as one number; then the factors; then one division."""
        constant: Any = value(Mul(*(f for f in expr.args if f.is_number)))
        factors = [f for f in expr.as_ordered_factors() if not f.is_number]
        below = [f for f in factors if divides(f)]
        up = [f for f in factors if f not in below]
        if len(below) == 1 and self._leaves_the_range(below[0]) and not any(map(self._grows, up)):
            up, below = [*up, *below], []
        down = [1 / f for f in below]
        negative = constant < 0
        constant = abs(constant)
        up = up if constant == 1 and up else [constant, *up]
        return ("-" if negative else "") + self.quotient(up, down)

    def _grows(self, factor: Expr) -> bool:
        return bool(self._whole(factor).free_symbols & self.copies) and not isinstance(base_of(factor), BOUNDED)

    def _may_be_large(self, factor: Expr) -> bool:
        return not factor.is_number and not isinstance(base_of(self._whole(factor)), BOUNDED)

    def _whole(self, expr: Expr) -> Expr:
        """An expression as an arithmetic looks at it: with its names, or with what they stand for."""
        return expr

    def _gains(self, function: Expr, factors: Sequence[Expr]) -> bool:
        """Whether a function is better multiplied before it is rounded; beside numbers a plain exp is cheaper and as good."""
        if isinstance(function, sympy.erf):
            return (sympy.erf, function.args[0].func) in COMPOSED
        plain = isinstance(function, sympy.exp) and argument_parts(function.args[0])[0] is None
        return not plain or any(map(self._grows, factors))

    def _times(self, first: str, function: Expr) -> str:
        """A factor, as printed, times a function, by the primitive that rounds once."""
        kind, argument = kind_and_argument(function)
        name = f"times_{self.functions.get(kind, kind)}"
        self.used.add(name)
        if kind in TWO_PART or kind in COMPOSED.values():
            parts = self._parts(argument) or f"{self._print(argument)}, {self.number(-0.0)}"
            return f"{name}({first}, {parts})"
        return f"{name}({first}, {self._print(argument)})"

    def _parts(self, argument: Expr) -> str | None:
        """The argument as a sum of two numbers, where it is one that one number would round; else None."""
        kind, parts = argument_parts(argument)
        if kind is None:
            return None
        self.used.add(kind)
        texts = [self._print(p) for p in parts]
        if kind == "constant_parts":
            texts[0] = self._two_numbers(parts[0])
        return f"*{kind}({', '.join(texts)})"

    def _two_numbers(self, constant: Expr) -> str:
        """A constant as two, the second what rounding the first loses."""
        high = nearest(value(constant))
        low = nearest(value(constant) - Rational(*self.rounded(high).as_integer_ratio()))
        return f"{self.number(high)}, {self.number(low)}"

    def _print_Add(self, expr: Expr) -> str:
        """A chain of fused multiply-adds over the products; the other terms are added first."""
        terms = list(expr.as_ordered_terms())
        line = self._line(expr)
        if line is not None:
            return line
        products = [t for t in terms if two_factors(t) is not None and not self._is_gated(t)]
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
            a, b = two_factors(product) or (product, sympy.S.One)
            self.used.add("fma")
            total = f"fma({self._print(a)}, {self._print(b)}, {total})"
        return total

    def _line(self, expr: Expr) -> str | None:
        """x/3 + 1/2 as (x + 1.5)/3.0, which is exact at its root and has no constant that is rounded; None for other sums."""
        b, rest = expr.as_coeff_Add()
        a, x = rest.as_coeff_Mul()
        if not (b and x in self.copies and a.is_Rational and (1 / a).is_Integer and a.q < 1024):
            return None
        if is_power_of_two(abs(a)):
            return None
        root = b / a
        if not (root.is_Rational and root.q & (root.q - 1) == 0 and max(abs(root.p), root.q) < 1024):
            return None
        return f"({self._print(x)} + {self._print(root)})/{self._print(1 / a)}"

    def _is_gated(self, term: Expr) -> bool:
        """Whether a product is fused with a function with a tail, which may be a subnormal number where the product isn't."""
        return False

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
        """Whether what a power divides by may be infinite where the power is a number still."""
        return power.exp.is_Rational and power.exp < -1 and self._grows(power.base)

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
        if (function, arguments[0].func) in COMPOSED:
            name, arguments = COMPOSED[function, arguments[0].func], arguments[0].args
            amplifies = functions.softplus in self.two_part
        if amplifies and (parts := self._parts(arguments[0])):
            if function is functions.softplus:
                self.used.add("softplus_of_sum")
                return f"softplus_of_sum({parts})"
            self.used.add(f"times_{name}")
            return f"times_{name}({self.number(1.0)}, {parts})"
        if function in self.cheaper_below and arguments[0].is_nonpositive:
            name += "_nonpositive"
        texts = [self._print(a) for a in arguments]
        if function in self.near:
            self.near_to += texts
            name = self.near[function] if self.all_near else name
        self.used.add(name)
        return f"{name}({', '.join(texts)})"

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
        """The imports and the scalar function of a program with one result or more.

        Where there is something for near arguments, `NAME_near` computes the same with it, and `is_near` says whether all
        of them are near.
        """
        code = self._scalar(name, arguments, assignments, results)
        if self.near_to:
            twin = type(self)()
            twin.all_near = True
            code += "\n\n" + twin._scalar(f"{name}_near", arguments, assignments, results)
            near = " & ".join(f"(fabs({u}) <= LARGEST_NEAR)" for u in dict.fromkeys(twin.near_to))
            names = [self.identifier(a) for a in arguments]
            code += "\n\n" + self.definition("is_near", names, twin.lines, near, "")
            self.used |= {*twin.used, "fabs", "LARGEST_NEAR"}
        return self.imports() + "\n\n" + code

    def _scalar(
        self, name: str, arguments: Sequence[str], assignments: Sequence[tuple[Symbol, Expr]], results: Sequence[Expr]
    ) -> str:
        self.copies |= {s for s, e in assignments if isinstance(e, functions.maximum | functions.minimum | Piecewise)}
        for symbol, expression in assignments:
            if symbol not in self.copies:
                self.meanings[symbol] = expression.xreplace(self.meanings)
        self._look_ahead(arguments, [*(e for _, e in assignments), *results])
        for symbol, expression in assignments:
            text = self.expression(self._prepared(expression))
            self.lines.append((self.identifier(symbol.name), text))
            self._remember(symbol, expression)
        shown = ", ".join([self.expression(self._prepared(r)) for r in results])
        return self.definition(self.identifier(name), [self.identifier(a) for a in arguments], self.lines, shown, "")

    def _look_ahead(self, arguments: Sequence[str], expressions: Sequence[Expr]) -> None:
        """What an arithmetic wants to know of a program before any of it is printed."""

    def _prepared(self, node: Any) -> Any:
        """The expression as it is printed; an arithmetic may evaluate parts of it in lines of their own."""
        return node

    def _remember(self, symbol: Symbol, expression: Expr) -> None:
        """What an arithmetic keeps of a name that has its line."""

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

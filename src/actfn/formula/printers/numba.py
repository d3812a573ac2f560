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
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean
from sympy.printing.precedence import PRECEDENCE

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.constants import is_compound, nearest, value
from actfn.formula.printers.pairs import Pairs
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
        self.exact: set[Expr] = {X}
        """The names of x and of parameters: of numbers that aren't rounded."""
        self.wholes: dict[Symbol, Expr] = {}
        """What the other names stand for, over those alone."""
        self.used_in_pairs: set[str] = set()
        """What the printed code so far calls of `primitives.pairs`."""
        self.pairs = Pairs(self)
        self.in_pairs: dict[Expr, Symbol] = {}
        """The names of what was evaluated in pairs and rounded."""
        self.lines: list[tuple[str, str]] = []
        """(name, text) of the assignments so far."""
        self.arguments_in_pairs: dict[str, str] = {}
        """The names of the arguments in pairs, by their text."""
        self.gates: set[Expr] = set()
        """Each u of which both sigmoid(u) and sigmoid(-u) are in the program."""
        self.squares: dict[Expr, Expr] = {}
        """u by -u^2, of which erfc(u) and exp(-u^2) are in the program."""

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
        if self.arithmetic == "wide":
            return self._fused(factors)
        return self._in_its_tail(factors) or self._fused([self._gate(f) for f in factors])

    def _fused(self, factors: Sequence[Expr]) -> str:
        single = [b for f in factors for b in ([f.base] * int(f.exp) if _small_power(f) else [f])]
        ordered = sorted(single, key=lambda f: (not f.is_number, not isinstance(_base(f), _BOUNDED), f == X))
        if not ordered:
            return self.number(1.0)
        gates = [f for f in ordered if isinstance(f, TWO_PART)]
        several = self.arithmetic == "float64" or (self.arithmetic == "float32" and len(gates) > 1)
        if several and gates and any(f not in gates and self._may_be_large(f) for f in ordered):
            return self._gated(gates, [f for f in ordered if f not in gates])
        fused = next(
            (f for kind in self.fused for f in ordered if isinstance(f, kind) and self._gains(f, ordered)), None
        )
        alone = len(ordered) == 1 or (isinstance(fused, functions.softplus) and all(f.is_number for f in ordered[:-1]))
        if fused is None or alone:
            if self.arithmetic == "float32" and ordered[0].is_number and abs(ordered[0]) > 1:
                ordered = [*ordered[1:], ordered[0]]  # first it could take x out of the range
            return super().product(ordered)
        rest = list(ordered)
        rest.remove(fused)
        numbers, others = [f for f in rest if f.is_number], [f for f in rest if not f.is_number]
        outside: list[Expr] = []
        if others:
            leading = next(filter(self._grows, others), others[0])  # what may make a number of what underflows alone
            others.remove(leading)
            inside = self.arithmetic == "float64" and isinstance(leading, _BOUNDED)
            outside = [f for f in numbers if abs(f) > 1 and not inside] + others
            numbers = [f for f in numbers if abs(f) <= 1 or inside]
            numbers.append(leading)
        text = self._times(Mul(*numbers), fused)
        return "*".join([text, *(self.bracket(f, PRECEDENCE["Mul"]) for f in outside)])

    def _gate(self, factor: Expr) -> Expr:
        """A factor that is the name of a function with a tail, or a power of one, written out: its product is fused."""
        base, power = (
            (factor.base, factor.exp) if isinstance(factor, Pow) and not isinstance(factor, sympy.exp) else (factor, 1)
        )
        meaning = (self.wholes if self.arithmetic == "float64" else self.meanings).get(base)
        return Pow(meaning, power) if meaning is not None and isinstance(meaning, TWO_PART) else factor

    def _in_its_tail(self, factors: Sequence[Expr]) -> str | None:
        """x*tanh(exp(x)) as x*exp(x) where the other function is nearly a subnormal number; None for other products."""
        if self.arithmetic != "float64":
            return None
        for factor in factors:
            rest = [f for f in factors if f is not factor]
            whole = factor.xreplace(self.wholes)
            tail = None if isinstance(whole, TWO_PART) else _linear(whole)
            if tail is not None and any(map(self._grows, rest)):
                self.used.add("fabs")
                alone, main, near = (
                    self._print(factor),
                    self._fused(factors),
                    self.product([*rest, *Mul.make_args(tail)]),
                )
                return f"({near} if fabs({alone}) < {self.number(_TINY)} else {main})"
        return None

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
        return bool(factor.xreplace(self.wholes).free_symbols & self.copies) and not isinstance(_base(factor), _BOUNDED)

    def _may_be_large(self, factor: Expr) -> bool:
        return not factor.is_number and not isinstance(_base(factor.xreplace(self.wholes)), _BOUNDED)

    def _gains(self, function: Expr, factors: Sequence[Expr]) -> bool:
        """Whether a function is better multiplied before it is rounded; beside numbers a plain exp is cheaper and as good."""
        if isinstance(function, sympy.erf):
            return (sympy.erf, function.args[0].func) in _COMPOSED
        plain = isinstance(function, sympy.exp) and argument_parts(function.args[0])[0] is None
        return not plain or any(map(self._grows, factors))

    def _times(self, factor: Expr | str, function: Expr) -> str:
        """factor*function, by the primitive that rounds once."""
        first = factor if isinstance(factor, str) else self._print(factor)
        if isinstance(function, functions.sigmoid) and (gate := self._shared_gate(first, function.args[0])):
            return gate
        if isinstance(function, sympy.exp) and function.args[0] in self.squares:
            self.used.add("times_gaussian")
            return f"times_gaussian({first}, {self._parts(self.squares[function.args[0]])})"
        kind, argument = _kind_and_argument(function)
        name = f"times_{self.functions.get(kind, kind)}"
        self.used.add(name)
        if kind in TWO_PART or kind in _COMPOSED.values():
            parts = self._parts(argument) or f"{self._print(argument)}, {self.number(-0.0)}"
            return f"{name}({first}, {parts})"
        return f"{name}({first}, {self._print(argument)})"

    def _shared_gate(self, factor: str, argument: Expr) -> str | None:
        """factor*sigmoid(argument) by the primitive that shares its work with that of -argument, where that is needed too."""
        u = -argument if argument.could_extract_minus_sign() else argument
        if u not in self.gates:
            return None
        parts = self._parts(u) if functions.sigmoid in self.two_part else None
        name = f"times_{'gate' if u == argument else 'cogate'}{'_of_sum' if parts else ''}"
        self.used.add(name)
        return f"{name}({factor}, {parts or self._print(u)})"

    def _parts(self, argument: Expr) -> str | None:
        """The argument as a sum of two numbers, where it is one that one number would round; else None."""
        if self.arithmetic == "float64" and argument.free_symbols & self.wholes.keys():
            return self._in_pairs(argument) or self._product_parts(argument)
        return self._product_parts(argument) or self._in_pairs(argument)

    def _in_pairs(self, argument: Expr) -> str | None:
        """The argument of a function that amplifies its error, in pairs, where it is rounded otherwise."""
        whole = argument.xreplace(self.wholes)
        if self.arithmetic != "float64" or not whole.free_symbols & self.copies or not self.pairs.reaches(whole):
            return None
        exact = self.pairs.is_algebraic(whole) and self.pairs.roundings(whole) == 0
        if exact:
            return None
        text = self.pairs.argument(whole)
        if text not in self.arguments_in_pairs:
            name = self.arguments_in_pairs[text] = f"_u{len(self.arguments_in_pairs)}"
            self.lines.append((name, text))
        name = self.arguments_in_pairs[text]
        return f"{name}[0], {name}[1]"

    def _product_parts(self, argument: Expr) -> str | None:
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
        line = self._line(expr)
        if line is not None:
            return line
        products = [t for t in terms if self._factors(t) is not None and not self._is_gated(t)]
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

    def _line(self, expr: Expr) -> str | None:
        """x/3 + 1/2 as (x + 1.5)/3.0, which is exact at its root and has no constant that is rounded; None for other sums."""
        b, rest = expr.as_coeff_Add()
        a, x = rest.as_coeff_Mul()
        if not (b and x in self.copies and a.is_Rational and (1 / a).is_Integer and a.q & (a.q - 1) and a.q < 1024):
            return None
        root = b / a
        if not (root.is_Rational and root.q & (root.q - 1) == 0 and max(abs(root.p), root.q) < 1024):
            return None
        return f"({self._print(x)} + {self._print(root)})/{self._print(1 / a)}"

    def _is_gated(self, term: Expr) -> bool:
        """Whether a product is fused with a function with a tail, which may be a subnormal number where the product isn't."""
        if self.arithmetic != "float64":
            return False
        factors = [self._gate(f) for f in Mul.make_args(term)]
        return any(isinstance(f, TWO_PART) for f in factors) and any(map(self._grows, factors))

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
        """Whether what a power divides by may be infinite where the power is a number still."""
        return self.arithmetic != "wide" and power.exp.is_Rational and power.exp < -1 and self._grows(power.base)

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
        if self.arithmetic == "float64" and function in (sympy.sin, sympy.cos):
            turned = self.pairs.of_product(name, arguments[0].xreplace(self.wholes))
            if turned is not None:
                return turned
        if function is functions.sigmoid and (gate := self._shared_gate(self.number(1.0), arguments[0])):
            return gate
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
        lines = self.lines
        if self.arithmetic != "float64":
            self._find_what_is_shared([*(e for _, e in assignments), *results])
        if self.arithmetic == "float64":
            self.exact |= {s for e in results for s in e.free_symbols if s.name in arguments and s.name[0] != "_"}
            self.exact |= {
                s for _, e in assignments for s in e.free_symbols if s.name in arguments and s.name[0] != "_"
            }
        for symbol, expression in assignments:
            text = self.expression(self._rounded_once(expression))
            lines.append((self.identifier(symbol.name), text))
            if self.arithmetic != "float64":
                continue
            whole = expression.xreplace(self.wholes)
            if symbol in self.copies and self.pairs.is_algebraic(whole) and self.pairs.roundings(whole) == 0:
                self.exact.add(symbol)
            else:
                self.wholes[symbol] = whole
        shown = ", ".join([self.expression(self._rounded_once(r)) for r in results])
        code = self.definition(self.identifier(name), [self.identifier(a) for a in arguments], lines, shown, "")
        return self.imports() + "\n\n" + code

    def _find_what_is_shared(self, expressions: Sequence[Expr]) -> None:
        atoms = [n for e in expressions for n in e.atoms(functions.sigmoid, functions.erfc, sympy.exp)]
        arguments = {kind: {n.args[0] for n in atoms if isinstance(n, kind)} for kind in (functions.sigmoid, sympy.exp)}
        gates = arguments[functions.sigmoid]
        self.gates = {u for u in gates if -u in gates and not u.could_extract_minus_sign()}
        squares = {-(n.args[0] ** 2): n.args[0] for n in atoms if isinstance(n, functions.erfc)}
        self.squares = {s: u for s, u in squares.items() if s in arguments[sympy.exp] and argument_parts(u)[0]}

    def _rounded_once(self, node: Any) -> Any:
        """The expression with a name for each part that is better evaluated in pairs."""
        if self.arithmetic != "float64" or not node.args or isinstance(node, Boolean):
            return node
        if isinstance(node, ExprCondPair):
            return (self._rounded_once(node.expr), node.cond)
        whole = node.xreplace(self.wholes)
        if whole.free_symbols and self.pairs.is_algebraic(whole):
            if self.pairs.is_long(whole):
                return node
            return self._named_in_pairs(whole) if self.pairs.worth_it(whole) else whole
        if isinstance(node, TWO_PART) and self.pairs.reaches(whole.args[0]):
            return node
        args: list[Any] = list(node.args)
        if isinstance(node, Mul | sympy.Add):
            algebraic = [a for a in args if self.pairs.is_algebraic(a.xreplace(self.wholes))]
            part = node.func(*algebraic).xreplace(self.wholes)
            if len(algebraic) > 1 and part.free_symbols and self.pairs.worth_it(part):
                args = [self._named_in_pairs(part), *(a for a in args if a not in algebraic)]
        args = [self._rounded_once(a) for a in args]
        return node.func(*args) if tuple(args) != node.args else node

    def _named_in_pairs(self, whole: Expr) -> Symbol:
        if whole not in self.in_pairs:
            known = {"nonpositive": True} if whole.is_nonpositive else {"real": True}
            name = self.in_pairs[whole] = Symbol(f"_q{len(self.in_pairs)}", **known)
            if whole.free_symbols & self.copies:
                self.copies.add(name)
            self.lines.append((name.name, self.pairs.rounded(whole)))
        return self.in_pairs[whole]

    def own(self) -> set[str]:
        """The primitives of this arithmetic alone that the printed code so far calls."""
        return self.used - _SHARED

    def imports(self) -> str:
        """What the printed code so far needs."""
        shared, own = sorted(self.used & _SHARED), sorted(self.own())
        lines = [f"from {PRIMITIVES}.intrinsics import primitive"]
        lines += [f"from {PRIMITIVES}.arithmetic import {', '.join(shared)}"] * bool(shared)
        lines += [f"from {PRIMITIVES}.{self.arithmetic} import {', '.join(own)}"] * bool(own)
        pairs = sorted(self.used_in_pairs)
        lines += [f"from {PRIMITIVES}.pairs import {', '.join(pairs)}"] * bool(pairs)
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


_TINY = 2.0**-960
"""Below, tanh and its like are their argument, and 2^-960 times what else is in a product is a normal number."""


def _linear(node: Expr) -> Expr | None:
    """What a function of functions with tails is near 0, over those functions; None where it has no such tail."""
    if isinstance(node, TWO_PART):
        return node
    if isinstance(node, sympy.tanh | sympy.atan | sympy.asinh | sympy.erf | functions.log1p | functions.expm1):
        inner = _linear(node.args[0])
        slope = 2 / sympy.sqrt(sympy.pi) if isinstance(node, sympy.erf) else 1
        return None if inner is None else slope * inner
    if isinstance(node, Mul):
        found = [_linear(f) for f in node.args]
        return (
            Mul(*(a or b for a, b in zip(found, node.args, strict=True)))
            if sum(f is not None for f in found) == 1
            else None
        )
    return None


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

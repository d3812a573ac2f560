"""How a program is printed step by step in float64: what the interval ends of `bounds` and the errors of `running` share.

A printer keeps each value as two names. What they mean, and how an operation makes new ones, is the printer's own; here
is which operations a node comes down to.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy
from sympy import Expr, Mul, Piecewise, Pow, Rational, Symbol

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.constants import nearest, value
from actfn.formula.printers.factors import is_power_of_two
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.lower import Program
from actfn.kernels.primitives import arithmetic, float64
from actfn.kernels.primitives.intrinsics import primitive
from actfn.kernels.primitives.table import PRIMITIVES
from actfn.kernels.printed import load
from benchmarks.exhaustive.ends import PRIMITIVE_ULPS

LEFT_OUT = 2.0**-50  # of a value, by a series that ends; `kernels.rewrites` states less than 2^-56

Two = tuple[str, str]
"""The names of what is known of a value."""


class Walk(ABC):
    """Prints a program as Numba code in float64 that returns what is known of its value, two numbers.

    Raises `UnprintableError` for a function that it has no rule for.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.known: dict[Expr, Two] = {X: self.exactly("x")}
        self.narrow: set[Expr] = {X}
        """Names of values that are float32, whose squares float64 holds exactly."""
        self.used: set[str] = {"fabs"}
        self.count = itertools.count()

    def function(self, program: Program, parameters: Mapping[Symbol, Rational]) -> str:
        """The source of `scalar(x)`."""
        for symbol, expression in program.assignments:
            self.known[symbol] = self.visit(expression.xreplace(dict(parameters)))
            if isinstance(expression, Piecewise) and all(e in self.narrow or e.is_Integer for e, _ in expression.args):
                self.narrow.add(symbol)
        result = self.visit(program.result.xreplace(dict(parameters)))
        if _has_series(program):
            result = self.with_left_out(result)
        body = "".join(f"    {line}\n" for line in self.lines)
        return f"@primitive\ndef scalar(x):\n{body}    return {', '.join(result)}\n"

    def visit(self, node: Expr) -> Two:
        if node not in self.known:
            self.known[node] = self._new(node)
        return self.known[node]

    def step(self, text: str) -> str:
        name = f"s{next(self.count)}"
        self.lines.append(f"{name} = {text}")
        return name

    def _new(self, node: Expr) -> Two:
        if node.is_number:
            number: Any = value(node)
            v = nearest(number)
            exact = number.is_Rational and Rational(*v.as_integer_ratio()) == number
            return self.exactly(repr(v)) if exact else self.nearly(v)
        if node.is_Add:
            denominator = math.lcm(*(int(t.as_coeff_Mul()[0].q) for t in node.args if t.as_coeff_Mul()[0].is_Rational))
            if not is_power_of_two(Rational(denominator)) and denominator < 2**20:
                return self.quotient(self.visit(node * denominator), self.exactly(f"{denominator}.0"))
            return self._folded(node.args, self.sum)
        if isinstance(node, Mul):
            return self._product(node)
        if isinstance(node, Piecewise):
            return self._choice(node)
        if isinstance(node, Pow) and not isinstance(node, sympy.exp):
            return self._power(node)
        if isinstance(node, functions.maximum | functions.minimum):
            a, b = map(self.visit, node.args)
            return self.extreme(a, b, ">" if isinstance(node, functions.maximum) else "<")
        if isinstance(node, sympy.Abs):
            return self.absolute(self.visit(node.args[0]))
        if isinstance(node, sympy.sign):
            return self.sign(self.visit(node.args[0]))
        kind = functions.erfc if isinstance(node, sympy.erfc) else node.func
        return self.call(kind, self.visit(node.args[0]))

    def _folded(self, terms: Sequence[Expr], join: Callable[[Two, Two], Two]) -> Two:
        first, *rest = (self.visit(t) for t in sorted(terms, key=lambda t: bool(t.is_number)))
        for other in rest:
            first = join(first, other)
        return first

    def _product(self, node: Mul) -> Two:
        if len(node.args) == 2 and node.args[1] in self.narrow and _short(node.args[0]):
            return self.exactly(self.step(f"{float(node.args[0])!r}*{self.visit(node.args[1])[0]}"))
        factors = [part for f in node.args for part in _numerator_and_denominator(f)]
        up = [f for f in factors if not _divides(f)]
        down = [1 / f for f in factors if _divides(f)]
        top = self._folded(up, self.product) if up else self.exactly("1.0")
        return self.quotient(top, self._folded(down, self.product)) if down else top

    def _power(self, node: Pow) -> Two:
        base, exponent = node.args
        if exponent.is_Rational and exponent < 0:
            return self.quotient(self.exactly("1.0"), self.visit(base**-exponent))
        if exponent == 2 and base in self.narrow:
            return self.exactly(self.step("{0}*{0}".format(self.visit(base)[0])))
        if exponent == 2:
            return self.square(self.visit(base))
        if exponent.is_Integer:
            half = base ** (exponent // 2)
            return self.product(self.visit(half), self.visit(base ** (exponent - exponent // 2)))
        if exponent == Rational(1, 2):
            self.used.add("sqrt")
            return self.root(self.visit(base))
        if exponent.is_Rational and exponent.q == 2:
            return self.product(self.visit(base ** (exponent - Rational(1, 2))), self.visit(sympy.sqrt(base)))
        raise UnprintableError(f"no rule bounds the error of {node}")

    def _choice(self, node: Piecewise) -> Two:
        tests = [(self.condition(c), self.visit(e)) for e, c in node.args]
        found = tests[-1][1]
        for (surely, possibly), branch in reversed(tests[:-1]):
            found = self.chosen(surely, possibly, branch, found)
        return found

    def condition(self, condition: Any) -> Two:
        """(where it surely holds, where it may hold)."""
        if condition in (sympy.true, sympy.false):
            return str(condition), str(condition)
        if isinstance(condition, sympy.And | sympy.Or):
            sign = " & " if isinstance(condition, sympy.And) else " | "
            surely, possibly = zip(*map(self.condition, condition.args), strict=True)
            return f"({sign.join(surely)})", f"({sign.join(possibly)})"
        if isinstance(condition, sympy.Not):
            surely, possibly = self.condition(condition.args[0])
            return f"(not {possibly})", f"(not {surely})"
        a, b, sign = self.visit(condition.lhs), self.visit(condition.rhs), condition.rel_op
        if self.is_exact(a) and self.is_exact(b):
            text = f"({a[0]} {sign} {b[0]})"
            return text, text
        if sign in (">", ">="):
            a, b, sign = b, a, sign.replace(">", "<")
        if sign in ("<", "<="):
            return self.below(a, b, sign)
        overlap = self.overlap(a, b)
        return ("False", overlap) if sign == "==" else (f"(not {overlap})", "True")

    # -- what a printer knows of a value

    @abstractmethod
    def exactly(self, name: str) -> Two:
        """A value that float64 holds."""

    @abstractmethod
    def is_exact(self, a: Two) -> bool: ...

    @abstractmethod
    def nearly(self, number: float) -> Two:
        """A constant that was rounded to a number."""

    @abstractmethod
    def with_left_out(self, a: Two) -> Two:
        """The value, wider by what a series leaves out."""

    @abstractmethod
    def sum(self, a: Two, b: Two) -> Two: ...

    @abstractmethod
    def product(self, a: Two, b: Two) -> Two: ...

    @abstractmethod
    def quotient(self, a: Two, b: Two) -> Two: ...

    @abstractmethod
    def square(self, a: Two) -> Two: ...

    @abstractmethod
    def root(self, a: Two) -> Two: ...

    @abstractmethod
    def extreme(self, a: Two, b: Two, sign: str) -> Two:
        """The larger for >, the smaller for <."""

    @abstractmethod
    def absolute(self, a: Two) -> Two: ...

    @abstractmethod
    def sign(self, a: Two) -> Two: ...

    @abstractmethod
    def call(self, kind: Any, a: Two) -> Two:
        """A function of one argument."""

    @abstractmethod
    def chosen(self, surely: str, possibly: str, branch: Two, other: Two) -> Two: ...

    @abstractmethod
    def below(self, a: Two, b: Two, sign: str) -> Two:
        """(where a is surely below b, where it may be); or at most b, for <=."""

    @abstractmethod
    def overlap(self, a: Two, b: Two) -> str:
        """Where two values may be the same."""


def only_scales(text: str) -> bool:
    """Whether a printed factor is a power of two, with a sign, by which a product with what is exact stays exact."""
    return text.lstrip("-") in ("0.125", "0.25", "0.5", "1.0", "2.0", "4.0", "8.0")


def compiled(printer: Walk, program: Program, parameters: Mapping[Symbol, Rational], names: Mapping[str, Any]) -> Any:
    """The scalar function that a printer makes of a program, for other compiled code; `names` are what it calls more."""
    source = printer.function(program, parameters)
    _refuse_loose(printer.used)
    primitives = {n: getattr(arithmetic, n, None) or getattr(float64, n) for n in printer.used}
    return load(source, "scalar", {"primitive": primitive, "__name__": __name__, **names, **primitives})


def _has_series(program: Program) -> bool:
    """Whether a program may be a little off the formula: a series is known by coefficients that float64 doesn't hold."""
    expressions = [*(e for _, e in program.assignments), *program.results]
    return any(max(abs(n.p), n.q) > 2**53 for e in expressions for n in e.atoms(Rational))


def _numerator_and_denominator(factor: Expr) -> list[Expr]:
    """A fraction such as 2/3 in two, so that what is divided stays exact."""
    if factor.is_Rational and factor.q < 2**20 and not is_power_of_two(Rational(factor.q)):
        return [Rational(factor.p), Rational(1, factor.q)] if factor.p != 1 else [Rational(1, factor.q)]
    return [factor]


def _divides(factor: Expr) -> bool:
    if factor.is_Rational:
        return factor.p == 1 and factor.q != 1 and not is_power_of_two(Rational(factor.q)) and factor.q < 2**20
    return isinstance(factor, Pow) and factor.exp.is_Rational and bool(factor.exp.is_negative)


def _short(number: Expr) -> bool:
    """Whether a product of a number with a float32 is exact in float64."""
    if not number.is_Rational:
        return False
    p, q = abs(int(number.p)), int(number.q)
    return is_power_of_two(Rational(q)) and p < 2**29 and q < 2**60


def _refuse_loose(names: set[str]) -> None:
    for name in names:
        known = PRIMITIVES.get((name, "float64"))
        if known is not None and not known.bound <= PRIMITIVE_ULPS:
            raise UnprintableError(f"{name} may be off by {known.bound} ulps, more than {PRIMITIVE_ULPS}")

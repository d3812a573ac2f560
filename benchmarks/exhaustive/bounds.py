"""A kernel's program as intervals: compiled code that gives for each float32 two float64 between which the true value lies.

Leans on the float64 primitives and on what they may be off at most. Each step is done for both ends and widened by
more than its rounding, so that what saturates, underflows or overflows stays as narrow as it is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numba
import numpy as np
import sympy
from sympy import Expr, Mul, Piecewise, Pow, Rational, Symbol

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.constants import nearest, value
from actfn.formula.printers.numba import is_power_of_two
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.lower import Program
from actfn.kernels.primitives import arithmetic, float64
from actfn.kernels.primitives.intrinsics import primitive
from actfn.kernels.primitives.table import PRIMITIVES
from actfn.kernels.printed import load
from benchmarks.exhaustive.ends import ENDS, PRIMITIVE_ULPS

_LEFT_OUT = 2.0**-50  # of a value, by a series that ends; `kernels.rewrites` states less than 2^-56

Interval = tuple[str, str]
"""The names of both ends; the same name twice for a value that is exact."""

_INCREASING = {
    sympy.exp: "0.0",  # with what the function doesn't go below
    functions.expm1: "-1.0",
    functions.sigmoid: "0.0",
    functions.softplus: "0.0",
    sympy.tanh: "-1.0",
    sympy.sinh: "",
    sympy.asinh: "",
    sympy.erf: "-1.0",
    sympy.atan: "",
    sympy.log: "",
    functions.log1p: "",
}
_AT_MOST = {functions.sigmoid: "1.0", sympy.tanh: "1.0", sympy.erf: "1.0"}
_UNDEFINED_TO: Mapping[Any, str] = {sympy.log: "0.0", functions.log1p: "-1.0"}


class BoundsPrinter:
    """Prints a program as Numba code in float64 that returns (low, high), between which the true value lies.

    Raises `UnprintableError` for a function that it has no rule for.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.known: dict[Expr, Interval] = {X: ("x", "x")}
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
        low, high = self.visit(program.result.xreplace(dict(parameters)))
        if _has_series(program):
            low, high = self._both(f"{low} - {_LEFT_OUT}*fabs({low})", f"{high} + {_LEFT_OUT}*fabs({high})")
        body = "".join(f"    {line}\n" for line in self.lines)
        return f"@primitive\ndef scalar(x):\n{body}    return {low}, {high}\n"

    def visit(self, node: Expr) -> Interval:
        if node not in self.known:
            self.known[node] = self._new(node)
        return self.known[node]

    def _step(self, text: str) -> str:
        name = f"s{next(self.count)}"
        self.lines.append(f"{name} = {text}")
        return name

    def _both(self, low: str, high: str) -> Interval:
        return self._step(low), self._step(high)

    def _new(self, node: Expr) -> Interval:
        if node.is_number:
            number: Any = value(node)
            v = nearest(number)
            if number.is_Rational and Rational(*v.as_integer_ratio()) == number:
                return repr(v), repr(v)
            return repr(float(np.nextafter(v, -np.inf))), repr(float(np.nextafter(v, np.inf)))
        if node.is_Add:
            denominator = math.lcm(*(int(t.as_coeff_Mul()[0].q) for t in node.args if t.as_coeff_Mul()[0].is_Rational))
            if not is_power_of_two(Rational(denominator)) and denominator < 2**20:
                return self._quotient(self.visit(node * denominator), _same(f"{denominator}.0"))
            return self._folded(node.args, self._sum)
        if isinstance(node, Mul):
            if len(node.args) == 2 and node.args[1] in self.narrow and _short(node.args[0]):
                return _same(self._step(f"{float(node.args[0])!r}*{self.visit(node.args[1])[0]}"))
            factors = [part for f in node.args for part in _numerator_and_denominator(f)]
            up = [f for f in factors if not _divides(f)]
            down = [1 / f for f in factors if _divides(f)]
            top = self._folded(up, self._product) if up else ("1.0", "1.0")
            return self._quotient(top, self._folded(down, self._product)) if down else top
        if isinstance(node, Piecewise):
            return self._choice(node)
        if isinstance(node, Pow) and not isinstance(node, sympy.exp):
            return self._power(node)
        if isinstance(node, functions.maximum | functions.minimum):
            (a, b), sign = map(self.visit, node.args), ">" if isinstance(node, functions.maximum) else "<"
            return self._ends(a, b, lambda p, q: f"{p} if {p} {sign} {q} else {q}")
        if isinstance(node, sympy.Abs):
            return self._absolute(self.visit(node.args[0]))
        if isinstance(node, sympy.sign):
            return self._each(self.visit(node.args[0]), lambda p: f"1.0 if {p} > 0.0 else (-1.0 if {p} < 0.0 else 0.0)")
        return self._call(node)

    def _each(self, a: Interval, text: Callable[[str], str]) -> Interval:
        """An increasing function, without rounding, of both ends."""
        low = self._step(text(a[0]))
        return low, low if _exact(a) else self._step(text(a[1]))

    def _ends(self, a: Interval, b: Interval, text: Callable[[str, str], str]) -> Interval:
        low = self._step(text(a[0], b[0]))
        return low, low if _exact(a) and _exact(b) else self._step(text(a[1], b[1]))

    def _absolute(self, a: Interval) -> Interval:
        if _exact(a):
            return _same(self._step(f"fabs({a[0]})"))
        low = f"{a[0]} if {a[0]} > 0.0 else (-{a[1]} if {a[1]} < 0.0 else 0.0)"
        return self._both(low, f"{a[1]} if {a[1]} > -{a[0]} else -{a[0]}")

    def _folded(self, terms: Sequence[Expr], join: Callable[..., Interval]) -> Interval:
        first, *rest = (self.visit(t) for t in sorted(terms, key=lambda t: bool(t.is_number)))
        for other in rest:
            first = join(first, other)
        return first

    def _sum(self, a: Interval, b: Interval) -> Interval:
        return self._both(f"sum_below({a[0]}, {b[0]})", f"sum_above({a[1]}, {b[1]})")

    def _product(self, a: Interval, b: Interval) -> Interval:
        if _exact(a) and _exact(b) and _only_scales(b[0]):
            return _same(self._step(f"{a[0]}*{b[0]}"))
        return self._corners("product", a, b)

    def _corners(self, name: str, a: Interval, b: Interval) -> Interval:
        ends = []
        for side, choose in (("below", "least"), ("above", "greatest")):
            first, *rest = [self._step(f"{name}_{side}({p}, {q})") for p in dict.fromkeys(a) for q in dict.fromkeys(b)]
            for other in rest:
                first = self._step(f"{choose}({first}, {other})")
            ends.append(first)
        return ends[0], ends[1]

    def _quotient(self, a: Interval, b: Interval) -> Interval:
        if _exact(b) and b[0] == "1.0":
            return a
        low, high = self._corners("quotient", a, b)
        around_zero = f"{b[0]} <= 0.0 <= {b[1]}" if not _exact(b) else f"{b[0]} == 0.0"
        return self._both(f"-1e999 if {around_zero} else {low}", f"1e999 if {around_zero} else {high}")

    def _power(self, node: Pow) -> Interval:
        base, exponent = node.args
        if exponent.is_Rational and exponent < 0:
            return self._quotient(("1.0", "1.0"), self.visit(base**-exponent))
        if exponent == 2 and base in self.narrow:
            return _same(self._step("{0}*{0}".format(self.visit(base)[0])))
        if exponent == 2:
            return self._square(self._absolute(self.visit(base)))
        if exponent.is_Integer:
            half = base ** (exponent // 2)
            return self._product(self.visit(half), self.visit(base ** (exponent - exponent // 2)))
        if exponent == Rational(1, 2):
            a = self.visit(base)
            self.used.add("sqrt")
            low, high = self._both(f"below(sqrt({a[0]} if {a[0]} > 0.0 else 0.0))", f"above(sqrt(fabs({a[1]})))")
            low = self._step(f"({low} if {low} > 0.0 else 0.0) if {a[0]} >= 0.0 else -1e999")
            return low, self._step(f"{high} if {a[0]} >= 0.0 else 1e999")
        if exponent.is_Rational and exponent.q == 2:
            return self._product(self.visit(base ** (exponent - Rational(1, 2))), self.visit(sympy.sqrt(base)))
        raise UnprintableError(f"no rule bounds the error of {node}")

    def _square(self, a: Interval) -> Interval:
        low = self._step(f"product_below({a[0]}, {a[0]})")
        return self._step(f"{low} if {low} > 0.0 else 0.0"), self._step(f"product_above({a[1]}, {a[1]})")

    def _call(self, node: Expr) -> Interval:
        kind = functions.erfc if isinstance(node, sympy.erfc) else node.func
        a = self.visit(node.args[0])
        name = kind.__name__
        self.used.add(name)
        if kind in _INCREASING:
            low, high = self._primitive(name, *a)
            floor, ceiling = _INCREASING[kind], _AT_MOST.get(kind)
            low = self._step(f"{low} if {low} > {floor} else {floor}") if floor else low
            high = self._step(f"{high} if {high} < {ceiling} else {ceiling}") if ceiling else high
            if (edge := _UNDEFINED_TO.get(kind)) is not None:
                low = self._step(f"{low} if {a[0]} > {edge} else -1e999")
                high = self._step(f"{high} if {a[0]} > {edge} else 1e999")
            return low, high
        if kind is functions.erfc:
            low, high = self._primitive(name, a[1], a[0])
            return self._step(f"{low} if {low} > 0.0 else 0.0"), high
        if kind is sympy.cosh:
            return self._primitive(name, *self._absolute(a))
        if kind in (sympy.sin, sympy.cos):
            low, high = self._primitive(name, a[0], a[0])
            if not _exact(a):
                low, high = self._both(f"{low} - 1.001*({a[1]} - {a[0]})", f"{high} + 1.001*({a[1]} - {a[0]})")
            return self._both(f"{low} if {low} > -1.0 else -1.0", f"{high} if {high} < 1.0 else 1.0")
        raise UnprintableError(f"no rule bounds the error of {name}")

    def _primitive(self, name: str, low: str, high: str) -> Interval:
        low_value = self._step(f"{name}({low})")
        high_value = low_value if low == high else self._step(f"{name}({high})")
        return self._both(f"primitive_below({low_value})", f"primitive_above({high_value})")

    def _choice(self, node: Piecewise) -> Interval:
        tests = [(self._condition(c), self.visit(e)) for e, c in node.args]
        low, high = tests[-1][1]
        for (surely, possibly), branch in reversed(tests[:-1]):
            if surely == possibly and (low, branch[0]) == (high, branch[1]):
                low = high = self._step(f"{branch[0]} if {surely} else {low}")
            elif surely == possibly:
                low, high = self._both(*(f"{b} if {surely} else {e}" for b, e in zip(branch, (low, high), strict=True)))
            else:
                hull = self._both(f"least({branch[0]}, {low})", f"greatest({branch[1]}, {high})")
                low, high = self._both(
                    *(
                        f"{b} if {surely} else ({h} if {possibly} else {e})"
                        for b, h, e in zip(branch, hull, (low, high), strict=True)
                    )
                )
        return low, high

    def _condition(self, condition: Any) -> tuple[str, str]:
        """(where it surely holds, where it may hold)."""
        if condition in (sympy.true, sympy.false):
            return _same(str(condition))
        if isinstance(condition, sympy.And | sympy.Or):
            sign = " & " if isinstance(condition, sympy.And) else " | "
            surely, possibly = zip(*map(self._condition, condition.args), strict=True)
            return f"({sign.join(surely)})", f"({sign.join(possibly)})"
        if isinstance(condition, sympy.Not):
            surely, possibly = self._condition(condition.args[0])
            return f"(not {possibly})", f"(not {surely})"
        a, b, sign = self.visit(condition.lhs), self.visit(condition.rhs), condition.rel_op
        if _exact(a) and _exact(b):
            return _same(f"({a[0]} {sign} {b[0]})")
        if sign in (">", ">="):
            a, b, sign = b, a, sign.replace(">", "<")
        if sign in ("<", "<="):
            return f"({a[1]} {sign} {b[0]})", f"({a[0]} {sign} {b[1]})"
        overlap = f"(({a[0]} <= {b[1]}) & ({b[0]} <= {a[1]}))"
        return ("False", overlap) if sign == "==" else (f"(not {overlap})", "True")


def _has_series(program: Program) -> bool:
    """Whether a program may be a little off the formula: a series is known by coefficients that float64 doesn't hold."""
    expressions = [*(e for _, e in program.assignments), *program.results]
    return any(max(abs(n.p), n.q) > 2**53 for e in expressions for n in e.atoms(Rational))


def _same(name: str) -> Interval:
    return name, name


def _exact(a: Interval) -> bool:
    return a[0] == a[1]


def _numerator_and_denominator(factor: Expr) -> list[Expr]:
    """A fraction such as 2/3 in two, so that what is divided stays exact."""
    if factor.is_Rational and factor.q < 2**20 and not is_power_of_two(Rational(factor.q)):
        return [Rational(factor.p), Rational(1, factor.q)] if factor.p != 1 else [Rational(1, factor.q)]
    return [factor]


def _divides(factor: Expr) -> bool:
    if factor.is_Rational:
        return factor.p == 1 and factor.q != 1 and not is_power_of_two(Rational(factor.q)) and factor.q < 2**20
    return isinstance(factor, Pow) and factor.exp.is_Rational and bool(factor.exp.is_negative)


def _only_scales(text: str) -> bool:
    """Whether a printed factor is a power of two, with a sign, by which a product with what is exact stays exact."""
    return text.lstrip("-") in ("0.125", "0.25", "0.5", "1.0", "2.0", "4.0", "8.0")


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


def reference(program: Program, parameters: Mapping[Symbol, Rational]) -> Any:
    """A compiled loop (x, low, high): fills the ends from float32 x."""
    printer = BoundsPrinter()
    source = printer.function(program, parameters)
    _refuse_loose(printer.used)
    namespace = {n: getattr(arithmetic, n, None) or getattr(float64, n) for n in printer.used}
    scalar = load(source, "scalar", {"primitive": primitive, "__name__": __name__, **ENDS, **namespace})
    njit: Any = numba.njit

    @njit(nogil=True, error_model="numpy")
    def fill(x, low, high):
        for i in range(x.size):
            low[i], high[i] = scalar(np.float64(x[i]))

    return fill

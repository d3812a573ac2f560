"""What an expression read from a user's text may hold, and how large its numbers may grow.

Leans on SymPy for the expressions and on Arb (python-flint) for the value of every constant part. The one idea: SymPy
computes while it builds, so each step is measured, before where it could explode and after where it can't, and
everything that was measured once is remembered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add, mul
from typing import Any

import flint
import sympy
from flint import arb, fmpq
from sympy import Add, Basic, Expr, Mul, Pow, Rational, S, Symbol
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from actfn.formula.functions import cbrt, erfc, expm1, log1p, maximum, minimum, sigmoid, softplus

MAX_DEGREE = 100
"""Of a formula as a polynomial, and of a single exponent on anything but a rational number."""
MAX_BITS = 1536
"""Of a numerator or denominator."""
MAX_EXPONENT_NUMBER = 4096
"""In size, of a number inside an exponent that holds `x` or a parameter."""
MAX_SIGNED_DEGREE = 30
"""Of a sum in one parameter of known sign, a pole counting thrice: SymPy finds its sign by its derivative's roots."""
MAX_CONSTANT_DEPTH = 16
"""Of operations inside one another in a constant: SymPy takes three times as long for each radical inside a radical."""
LARGEST, SMALLEST = arb(2) ** 1024, arb(2) ** -1100
"""Of a constant other than 0, in size: float64 ends before either."""
PRECISION = 1280
"""Bits; sin(2**1023) still has 256 right ones."""


class Refused(ValueError):
    """An expression that a formula may not hold: the reason, and what to write instead."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint


class NotReal(Refused):
    """A value that is infinite, or no real number."""


@dataclass(frozen=True)
class _Measure:
    degree: int
    value: arb | None
    """Of a constant; None where there are symbols."""
    depth: int = 0
    """Of a constant."""


def _power(base: arb, exponent: arb) -> arb:
    whole = exponent.unique_fmpz()
    if whole is not None and exponent.is_exact():
        return base**whole
    if base.is_zero():
        return arb(0) if exponent > 0 else arb.nan()
    return base**exponent


def _cube_root(u: arb) -> arb:
    return u if u.is_zero() else u.sgn() * abs(u).root(3)


_VALUES: dict[type[Basic], Any] = {
    Add: lambda *terms: reduce(add, terms),
    Mul: lambda *factors: reduce(mul, factors),
    Pow: _power,
    sympy.exp: arb.exp,
    sympy.log: arb.log,
    sympy.sin: arb.sin,
    sympy.cos: arb.cos,
    sympy.tan: arb.tan,
    sympy.asin: arb.asin,
    sympy.acos: arb.acos,
    sympy.atan: arb.atan,
    sympy.sinh: arb.sinh,
    sympy.cosh: arb.cosh,
    sympy.tanh: arb.tanh,
    sympy.asinh: arb.asinh,
    sympy.erf: arb.erf,
    sympy.Abs: abs,
    sympy.sign: arb.sgn,
    expm1: arb.expm1,
    log1p: arb.log1p,
    sigmoid: lambda u: 1 / (1 + (-u).exp()),
    softplus: lambda u: u.exp().log1p(),
    cbrt: _cube_root,
    erfc: arb.erfc,
    maximum: arb.max,
    minimum: arb.min,
}
_CONDITIONS = (
    sympy.And,
    sympy.Or,
    sympy.Not,
    sympy.Eq,
    sympy.Ne,
    sympy.Lt,
    sympy.Le,
    sympy.Gt,
    sympy.Ge,
    BooleanTrue,
    BooleanFalse,
)
_KEEP_DEGREE = (Add, maximum, minimum, sympy.Abs, sympy.Piecewise, ExprCondPair, *_CONDITIONS)


class Bounds:
    """Measures expressions and refuses those out of bounds; one object for the expressions of one formula."""

    def __init__(self) -> None:
        self._measures: dict[Basic, _Measure] = {}

    def check(self, expression: Basic) -> None:
        """Raise `Refused` unless every part is allowed, every constant a real number, and nothing too large."""
        with flint.ctx.workprec(PRECISION):
            self._measure(expression)

    def check_power(self, base: Expr, exponent: Expr) -> None:
        """Raise `Refused` where SymPy would compute too much in building base**exponent."""
        with flint.ctx.workprec(PRECISION):
            below, above = self._measure(base), self._measure(exponent)
            if below.value is not None and above.value is not None:
                if below.value < 0 and not above.value.is_integer():
                    raise NotReal("the value is not real", "cbrt(u) is the real cube root")
                _check_size(_power(below.value, above.value))
            for factor in Mul.make_args(base):
                root, inner = factor.as_base_exp()
                merged = inner * exponent  # SymPy makes (b**p)**q into b**(p*q)
                if root is S.Exp1:
                    self.check_exponential(merged)
                    continue
                size = self._measure(merged).value
                if size is None:
                    _check_numbers(merged)
                elif isinstance(root, Rational):
                    bits = math.log2(max(abs(root.p), root.q))
                    if not abs(size) * bits <= MAX_BITS:
                        raise Refused("the exponent is too large")
                    # 192**(p/q) becomes (2**m*3**n)**(1/q) with m and n as large as p
                    if isinstance(merged, Rational) and merged.q > 1 and not merged.q * bits <= 2 * MAX_BITS:
                        raise Refused("the exponent has too many digits", "write the value of this power")
                elif not abs(size) <= MAX_DEGREE:
                    raise Refused("the exponent is too large", f"at most {MAX_DEGREE}")

    def check_exponential(self, exponent: Expr) -> None:
        """Raise `Refused` where SymPy would compute too much in building exp(exponent)."""
        with flint.ctx.workprec(PRECISION):
            value = self._measure(exponent).value
            if value is not None:
                _check_size(value.exp())
            if exponent.has(sympy.log):  # exp(n*log(b)) becomes b**n
                _check_numbers(exponent)

    def sign(self, expression: Expr) -> int | None:
        """-1, 0 or 1 where the expression is constant."""
        with flint.ctx.workprec(PRECISION):
            value = self._measure(expression).value
            return None if value is None else (value > 0) - (value < 0)

    def _measure(self, expression: Basic) -> _Measure:
        measure = self._measures.get(expression)
        if measure is None:
            measure = self._measures[expression] = self._measured(expression)
        return measure

    def _measured(self, expression: Basic) -> _Measure:
        if isinstance(expression, Symbol):
            return _Measure(1, None)
        if isinstance(expression, Rational):
            if max(expression.p.bit_length(), expression.q.bit_length()) > MAX_BITS:
                raise Refused("a number here has too many digits")
            return _constant(arb(fmpq(expression.p, expression.q)), 0)
        if expression is S.Pi or expression is S.Exp1:
            return _Measure(0, arb.pi() if expression is S.Pi else arb.const_e())
        kind = type(expression)
        if kind not in _VALUES and not isinstance(expression, (sympy.Piecewise, ExprCondPair, *_CONDITIONS)):
            raise _not_allowed(expression)
        parts = [self._measure(part) for part in expression.args]
        values = [part.value for part in parts if part.value is not None]
        if kind in _VALUES and len(values) == len(parts):
            value = _VALUES[kind](*values)
            # SymPy settles the sign of what cancels further than this by algebra that can take for ever
            if kind is Add and not abs(value) > reduce(arb.max, map(abs, values)) * arb(2) ** -256:
                raise Refused("this can't be told from 0", "write 0 if that is meant")
            return _constant(value, 1 + max(part.depth for part in parts))
        if isinstance(expression, Expr) and expression.is_extended_real is False:
            raise NotReal("the value is not real")
        degrees = [part.degree for part in parts]
        degree = min(1, max(degrees, default=0))
        if isinstance(expression, _KEEP_DEGREE):
            degree = max(degrees, default=0)
        elif kind is Mul:
            degree = sum(degrees)
        elif kind is Pow and parts[1].value is not None:
            degree = degrees[0] * math.ceil(float(abs(parts[1].value).upper()))
        if degree > MAX_DEGREE:
            raise Refused(f"the powers here make degree {degree}", f"at most {MAX_DEGREE}")
        if isinstance(expression, Add):
            self._check_signed(expression, degree)
        return _Measure(degree, None)

    def _check_signed(self, total: Add, degree: int) -> None:
        symbols = total.free_symbols
        symbol = symbols.pop()
        if symbols or (symbol.is_extended_nonnegative is None and symbol.is_extended_nonpositive is None):
            return
        poles = sum(self._measure(power).degree for power in total.atoms(Pow) if power.exp.is_negative)
        if degree + 3 * poles > MAX_SIGNED_DEGREE:
            raise Refused(
                f"the powers of {symbol} here are too many", f"let {symbol} be any real number, or write fewer"
            )
        _ = total.is_extended_nonnegative  # asked of one sum at a time, and remembered


def _constant(value: arb, depth: int) -> _Measure:
    _check_size(value)
    if depth > MAX_CONSTANT_DEPTH:
        raise Refused("a constant here is nested too deeply", "write its value")
    return _Measure(0, value, depth)


def _check_size(value: arb) -> None:
    if not value.is_finite():
        raise NotReal("this can't be shown to be a real number")
    if not abs(value) < LARGEST:
        raise Refused("the value is too large", "a float64 number is below 1.8e308")
    if not value.is_zero() and not abs(value) > SMALLEST:
        raise Refused("the value can't be told from 0", "write 0 if that is meant")


def _check_numbers(exponent: Expr) -> None:
    for number in exponent.atoms(Rational):
        if abs(number) > MAX_EXPONENT_NUMBER:
            limit = f"at most {MAX_EXPONENT_NUMBER} beside a symbol or a logarithm"
            raise Refused("a number in the exponent is too large", limit)


def _not_allowed(expression: Basic) -> Refused:
    if expression is S.ImaginaryUnit:
        return NotReal("the value is not real")
    if expression in (S.ComplexInfinity, S.Infinity, S.NegativeInfinity, S.NaN):
        return NotReal("the value is not finite")
    return Refused(f"SymPy makes this into {type(expression).__name__}, which a formula can't hold")

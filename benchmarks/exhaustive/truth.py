"""The oracle's word on single inputs, and on millions at once where f is nearly a line.

Where f(x) is c*x and something far below an ulp (near 0, or far out), and c*x has a bit more than a float32, every second
input is nearly a tie; where f(0) lies halfway between two float32, so is all around 0. Which side of the tie f lies on is
the sign of f(x) - c*x or f(x) - f(0), which is one sign over a long range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from flint import arb
from sympy import Expr, Mul, Rational
from sympy.core.relational import Relational

from actfn.definition import Definition
from actfn.formula import functions
from actfn.formula.derivative import derivative
from actfn.formula.functions import X
from actfn.formula.pieces import unfold
from actfn.reference import FORMATS, Oracle, working_precision
from benchmarks.exhaustive.judging import distance

_PARTS = 8  # of a binade, over each of which a ball is to tell the sign of f''
_BITS = 512  # more than the exponents of float32 span, so that 1 + x - 1 keeps some


@dataclass(frozen=True)
class Line:
    """From `low` to `high`, f(x) - (slope*x + offset) has the sign that is given."""

    slope: float
    offset: float
    low: float
    high: float
    sign: int


class Truth:
    """The true values of one derivative of an entry, at its default parameters as `dtype` holds them."""

    def __init__(self, definition: Definition, order: int, dtype: str):
        kind = np.float64 if dtype == "float64" else np.float32
        self.parameters = {name: float(kind(v)) for name, v in definition.defaults.items()}
        self.dtype = dtype
        self.definition, self.order = definition, order
        self.oracle = Oracle(self._derivative(0))
        self.symbols = {p.symbol: Rational(*self.parameters[p.name].as_integer_ratio()) for p in definition.parameters}

    def _derivative(self, more: int) -> Expr:
        return derivative(self.definition.expression, self.order + more, self.definition.conventions)

    def rounded(self, x: float, dtype: str = "") -> float:
        return self.oracle.rounded(x, self.parameters, dtype or self.dtype)

    def judged(self, x: float, got: float) -> tuple[bool, float]:
        """(whether it is misrounded, the error in ulps)."""
        error = distance(got, self.oracle.ball(x, self.parameters), self.dtype)
        true = self.rounded(x)
        return got != true and not (math.isnan(got) and math.isnan(true)), error

    @cached_property
    def lines(self) -> list[Line]:
        """The lines near 0 and far out, on each side, as far as they are proven."""
        expressions = [self._derivative(k).xreplace(self.symbols) for k in range(3)]
        ends = [(sign, exponents) for sign in (1, -1) for exponents in (range(-149, 1), range(127, 0, -1))]
        return [line for sign, exponents in ends for line in _lines(expressions, sign, exponents)]

    def nearly_tied(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(which of the inputs are nearly ties of a line, the number of the dtype on the true side of each tie).

        `low` and `high` are the ends between which the true values lie; all arrays are float64.
        """
        tied, true = np.zeros(x.size, bool), np.zeros(x.size)
        for line in self.lines:
            t = line.slope * x + line.offset
            unit = quantum(t, self.dtype)
            units = np.floor(t / unit)
            exact = t - line.slope * x == line.offset  # the product always is
            tie = exact & (t / unit - units == 0.5) & (x >= line.low) & (x <= line.high)
            tie &= (low > t - unit / 4) & (high < t + unit / 4)
            tied |= tie
            true[tie] = ((units + (line.sign > 0)) * unit)[tie]
        return tied, np.where(np.abs(true) < 2.0 ** FORMATS[self.dtype][2], true, np.copysign(np.inf, true))


def quantum(t: np.ndarray, dtype: str) -> np.ndarray:
    """What a unit of the last place is in the binade of each number, of those that the dtype has."""
    significand, bottom, top = FORMATS[dtype]
    exponents = np.where(t == 0.0, bottom, np.frexp(t)[1] - significand)
    return np.ldexp(1.0, np.clip(exponents, bottom, top - significand))


def _lines(expressions: Sequence[Expr], side: int, exponents: range) -> list[Line]:
    """The lines that f is nearly on where the first of the exponents is, on one side of 0, as far as they are proven."""
    start = math.ldexp(side, exponents[0])
    sides = {c: Oracle(c.lhs - c.rhs) for e in expressions for c in unfold(e).atoms(Relational)}
    chosen = {c: _sign(o, arb(start)) for c, o in sides.items()}
    if not all(chosen.values()):
        return []
    holds = {c: sympy.true if c.func(chosen[c], 0) else sympy.false for c in sides}
    f, first, second = (unfold(e).xreplace(holds) for e in expressions)
    lines = [(c, 0.0) for c in _near(Oracle(first).ball(start), 12, 2.0**-18)]
    if exponents[0] < 0:
        lines += [(0.0, d) for d in _near(Oracle(f).ball(start), 25, 2.0**-60)]
    else:
        rests = [(c, Oracle(sympy.factor_terms(f - Rational(c) * X))) for c, _ in lines]
        lines += [(c, d) for c, rest in rests for d in _near(rest.ball(start), 25, 2.0**-60)]
    if not lines:
        return []
    curvature = [Oracle(factor) for factor in _of_unknown_sign(second)]
    bends, reached = {0}, None
    for exponent in exponents:
        found: set[int | None] = set(bends)
        for k in range(_PARTS):
            part = arb(math.ldexp(side * (k + 0.5 + _PARTS), exponent) / _PARTS, math.ldexp(0.51, exponent) / _PARTS)
            same = all(_sign(oracle, part) == chosen[c] for c, oracle in sides.items())  # no breakpoint lies within
            signs = [_sign(factor, part) for factor in curvature]
            found.add(math.prod(s for s in signs if s is not None) if same and None not in signs else None)
        if None in found or len(found) > 2:
            break
        bends, reached = {b for b in found if b is not None}, exponent
    if reached is None:
        return []
    near, far = sorted((exponents[0], reached))
    ends = sorted([math.ldexp(side, near), math.ldexp(side * (2.0 - 2.0**-23), far)])
    return [
        Line(c, d, ends[0], ends[1], sign)
        for c, d in lines
        if (sign := _one_sign(f - Rational(c) * X - Rational(d), first - Rational(c), sum(bends), ends))
    ]


def _one_sign(rest: Expr, slope: Expr, bend: int, ends: Sequence[float]) -> int:
    """The sign of r between two points, given the sign of r''; 0: not proven.

    Where r'' has one sign, r' has one if it has the same at both ends, and then so has r. Or r has at both ends the sign
    that is opposite to that of r'': a convex r below 0 at both ends is below 0.
    """
    sign, other = (_sign_at(rest, x) for x in ends)
    if sign != other:
        return 0
    tilts = [_sign_at(slope, x) for x in ends]
    return sign if (tilts[0] == tilts[1] != 0) or bend in (0, -sign) else 0


def _near(ball: arb, bits: int, distance: float) -> list[float]:
    """The number of so many bits that a ball is near to, relatively; none if there is none, or it is 0."""
    if not ball.is_finite() or not 2.0**-100 < abs(float(ball.mid())) < 2.0**100:
        return []
    mantissa, exponent = math.frexp(float(ball.mid()))
    found = math.ldexp(round(math.ldexp(mantissa, bits)), exponent - bits)
    with working_precision(_BITS):
        return [found] if abs(ball - found) < distance * abs(found) else []


def _of_unknown_sign(expression: Expr) -> list[Expr]:
    """The factors of an expression that aren't known to be positive, and its sign as a number."""
    positive = (sympy.exp, functions.sigmoid, functions.softplus, functions.erfc, sympy.erfc, sympy.cosh)
    return [
        factor
        for factor in Mul.make_args(sympy.factor(expression))
        if not (factor.as_base_exp()[0].is_positive or isinstance(factor.as_base_exp()[0], positive))
        and not isinstance(factor, positive)
    ]


def _sign(oracle: Oracle, part: arb) -> int | None:
    """The sign over a ball; None: unknown."""
    with working_precision(_BITS):
        ball: Any = oracle._run(part, (), _BITS)
        return 1 if ball > 0 else -1 if ball < 0 else 0 if ball == 0 else None


def _sign_at(expression: Expr, x: float) -> int:
    signs = [Oracle(factor).ball(x, {}, 32) for factor in _of_unknown_sign(sympy.factor_terms(expression))]
    return math.prod(1 if ball > 0 else -1 if ball < 0 else 0 for ball in signs)

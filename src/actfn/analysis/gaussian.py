"""Expectations of a formula under Gaussian input, as certified balls.

Each smooth piece is integrated between its ends by Arb's rigorous integration (Johansson, arXiv:1802.07942), out to a
point from which on the Gaussian weight outruns a bound on the growth of the integrand. Nothing is sampled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import sympy
from flint import acb, arb, arb_poly
from sympy import Expr, Symbol

from actfn.analysis import settings
from actfn.analysis.analytic import analytic, number
from actfn.analysis.claims import Claim
from actfn.analysis.growth import Growth
from actfn.analysis.identity import vanishes
from actfn.analysis.settings import text
from actfn.analysis.smoothness import smoothness
from actfn.definition import Definition
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X, elementary
from actfn.formula.pieces import Piece, Undecided
from actfn.reference import working_precision

BITS = 128
"""The accuracy aimed at, 38 digits."""
CLAIMED = 50
"""The bits that a number needs to be claimed: 15 digits."""

_GUARD = 64
_EVALUATIONS = 15000
_ATTEMPTS = 40

Integrand = Callable[[Expr], Expr]


@dataclass(frozen=True)
class Weight:
    """A polynomial of z = x/sqrt(variance) beside the integrand, and a bound on the logarithm of its size in |z|."""

    value: Callable[[acb], acb]
    log: arb_poly


SQUARE_LESS_ONE = Weight(lambda z: z * z - 1, arb_poly([0, 1]))
"""z^2 - 1, with 1 + z^2 <= exp(|z|): E[g (z^2 - 1)]/(2 variance) is the derivative of E[g] by the variance."""


class Gaussian:
    """A formula at fixed parameters as pieces, and its expectations for x ~ N(0, variance).

    Raises `Undecided` where the formula has no pieces that can be told apart, or no value on some interval.
    """

    def __init__(self, definition: Definition, parameters: Mapping[str, float]):
        self.definition, self.parameters = definition, dict(parameters)
        setting = settings.defaults(definition, parameters)
        ((case, _),) = setting.cases
        self.note = setting.note
        self.pieces = case.pieces
        self.breakpoints = case.breakpoints
        undefined = next((p for p in self.pieces if p.undefined), None)
        if undefined:
            raise Undecided(f"f has no value for {text(undefined.left)} < x < {text(undefined.right)}")
        self._known: dict[tuple[str, int, str], arb] = {}

    def expectation(
        self, integrand: Integrand, variance: arb | int = 1, weight: Weight | None = None, bits: int = BITS
    ) -> arb:
        """E[g(x)] for x ~ N(0, variance), where g is the integrand of each piece's expression; NaN where it isn't found."""
        pieces = [Piece(p.left, p.right, integrand(p.expression)) for p in self.pieces]
        return expectation(pieces, arb(variance), {}, weight, bits)

    def second(self, variance: arb | int = 1, bits: int = BITS) -> arb:
        """E[f^2]."""
        return self.once("f^2", squared, variance, bits=bits)

    def slope(self, variance: arb | int = 1, bits: int = BITS) -> arb:
        """E[f'^2], of the slopes between the breakpoints."""
        return self.once("f'^2", slope_squared, variance, bits=bits)

    def mean(self) -> arb:
        """E[f]: exactly 0 for an odd f."""
        value = self.once("f", lambda f: f)
        return arb(0) if value.is_finite() and value.contains(0) and self.odd else value

    def once(
        self, name: str, integrand: Integrand, variance: arb | int = 1, weight: Weight | None = None, bits: int = BITS
    ) -> arb:
        """`expectation`, kept under a name that stands for the integrand and its weight."""
        key = (name, bits, arb(variance).str(80, more=True))
        if key not in self._known:
            self._known[key] = self.expectation(integrand, variance, weight, bits)
        return self._known[key]

    @property
    def places(self) -> tuple[Expr, ...]:
        """Where the pieces meet."""
        return tuple(b.location for b in self.breakpoints)

    @cached_property
    def odd(self) -> bool:
        """Whether f(-x) = -f(x) is seen, piece by piece."""
        for a, b in zip(self.pieces, reversed(self.pieces), strict=True):
            if a.left != -b.right or not _is_zero(a.expression + b.expression.subs(X, -X)):
                return False
        return True

    @cached_property
    def degree(self) -> Expr | None:
        """k where f(c*x) = c^k f(x) for c > 0, seen from pieces a*x^k that meet at 0; None where that isn't seen."""
        degrees = {sympy.simplify(X * p.expression.diff(X) / p.expression) for p in self.pieces if p.expression != 0}
        if any(place != 0 for place in self.places) or len(degrees) != 1:
            return None
        (degree,) = degrees
        return degree if degree.is_number else None

    @cached_property
    def slopes_at_zero(self) -> tuple[arb, arb] | None:
        """f' on the left and on the right of 0, where f(0) = 0; None where that isn't seen."""
        with working_precision(BITS + _GUARD):
            place = [number(p, {}) for p in self.places]
            left = self.pieces[sum(bool(p < 0) for p in place)].expression
            right = self.pieces[sum(not p > 0 for p in place)].expression
            if not (_is_zero(left.subs(X, 0)) and _is_zero(right.subs(X, 0))):
                return None
            slopes = [smooth_derivative(e, 1).subs(X, 0) for e in (left, right)]
            found = [arb(0) if _is_zero(s) else _finite_number(s) for s in slopes]
        return None if found[0] is None or found[1] is None else (found[0], found[1])

    @cached_property
    def jumps(self) -> tuple[Expr, ...] | None:
        """Where f has different limits from the left and the right; None where that isn't decided."""
        found = []
        with working_precision(BITS):
            for breakpoint, left, right in zip(self.breakpoints, self.pieces, self.pieces[1:], strict=False):
                ends = [p.expression.subs(X, breakpoint.location) for p in (left, right)]
                a, b = map(_finite_number, ends)
                if a is None or b is None:
                    return self._jumps_by_limits
                if not (a - b).contains(0):
                    found.append(breakpoint.location)
                elif not _is_zero(ends[0] - ends[1]):
                    return self._jumps_by_limits
        return tuple(found)

    @cached_property
    def _jumps_by_limits(self) -> tuple[Expr, ...] | None:
        found = smoothness(self.definition, **self.definition.values(self.parameters))
        if found.order is not None and found.order >= 0:
            return ()
        sides = [(at.location, *at.limits[:1]) for at in found.breakpoints]
        jumps = tuple(p for p, *first in sides if first and first[0].left != first[0].right)
        return jumps or None


def gaussian(definition: Definition, parameters: Mapping[str, float]) -> Gaussian:
    """The `Gaussian` at the parameters given and the defaults of the others; kept, so that claims share what they compute."""
    return _gaussian(definition, tuple(sorted((k, float(v)) for k, v in parameters.items())))


@lru_cache(maxsize=64)
def _gaussian(definition: Definition, parameters: tuple[tuple[str, float], ...]) -> Gaussian:
    return Gaussian(definition, dict(parameters))


# -- integration ------------------------------------------------------------------------------------------------------


def squared(f: Expr) -> Expr:
    """f^2"""
    return f**2


def slope_squared(f: Expr) -> Expr:
    """f'^2"""
    return smooth_derivative(f, 1) ** 2


def expectation(
    pieces: Sequence[Piece],
    variance: arb,
    given: Mapping[Symbol, arb],
    weight: Weight | None = None,
    bits: int = BITS,
) -> arb:
    """E[g(x)] for x ~ N(0, variance), where g has these pieces and its parameters lie in the balls given.

    NaN where a piece is not integrable by this method, or grows too fast. The goal is a radius of 2**-bits, absolute
    and relative; a ball of parameters or of the variance makes it wider.
    """
    if all(p.expression.is_zero for p in pieces):
        return arb(0)
    with working_precision(bits + _GUARD):
        ends = [number(p.right, given) for p in pieces[:-1]]
        norm = 1 / (2 * arb.pi() * variance).sqrt()
        functions = [analytic(p.expression, given) for p in pieces]
        start = ((2 * bits * variance).sqrt() + sum((abs(e) for e in ends), arb(1))).upper()
        goal = arb((1, -bits))
        before, total = arb("inf"), arb.nan()
        for _ in range(4):  # the goal is absolute: again for a value much smaller than 1
            start, tail = _tails(pieces, variance, given, weight, start, goal, norm)
            if tail is None:
                return arb.nan()
            total = arb(0, tail)
            for function, (a, b) in zip(functions, pairwise([-start, *ends, start]), strict=True):
                total += norm * _integral(function, a, b, variance, weight, goal / norm, bits)
                if not total.is_finite():
                    return arb.nan()
            size, radius = total.abs_upper(), arb(total.rad())
            if not radius > goal * size or radius > before / 2:  # reached, or given balls are what makes it wide
                return total
            before, goal = radius, (goal * size.min(arb(0.5))).mid()
        return total


def _integral(
    function: Callable[[acb, bool], acb], a: arb, b: arb, variance: arb, weight: Weight | None, goal: arb, bits: int
) -> arb:
    fall, root = -1 / (2 * variance), variance.sqrt()

    def integrand(x: acb, strict: bool) -> acb:
        value = function(x, strict) * (fall * x * x).exp()
        return value * weight.value(x / root) if weight else value

    found = acb.integral(integrand, a, b, rel_tol=arb((1, -bits)), abs_tol=goal, eval_limit=_EVALUATIONS)
    return found.real if found.is_finite() else arb.nan()


def _tails(
    pieces: Sequence[Piece],
    variance: arb,
    given: Mapping[Symbol, arb],
    weight: Weight | None,
    start: arb,
    goal: arb,
    norm: arb,
) -> tuple[arb, arb | None]:
    """A point T and a bound on the part of the expectation beyond -T and T, below the goal; None where there is none.

    With |g| <= exp(a + b t + d t^2), the integral of exp(a + b t - k t^2), k = 1/(2 variance) - d, from T on is at
    most its value at T over 2 k T - b, where that is positive: the logarithm falls at least as fast.
    """
    for _ in range(_ATTEMPTS):
        tail = arb(0)
        for side, piece in ((-1, pieces[0]), (1, pieces[-1])):
            log = Growth(side, start, given)(piece.expression).log
            if log is None:
                return start, None
            if weight:
                log = log + weight.log(arb_poly([0, 1 / variance.sqrt()]))
            rate = 1 / (2 * variance) - log[2]
            fall = 2 * start * rate - log[1]
            if not (rate > 0 and fall > 0):
                tail = arb("inf")
                break
            tail += norm * (log(start) - start**2 / (2 * variance)).exp() / fall
        if tail < goal:
            return start, tail.upper()
        start = (start * arb(1.25)).upper()
    return start, None


def _is_zero(expression: Expr) -> bool:
    return vanishes(expression) or sympy.simplify(elementary(expression)) == 0


def _finite_number(expression: Expr) -> arb | None:
    try:
        value = number(expression, {})
    except Undecided:
        return None
    return value if value.is_finite() else None


# -- words ------------------------------------------------------------------------------------------------------------


def ball(value: arb, digits: int = 40) -> tuple[str, str]:
    """A finite ball as decimal strings (midpoint, radius) that enclose it."""
    shown = value.str(digits)
    match = re.fullmatch(r"\[(\S+)? ?\+/- (\S+)\]", shown)
    if match:
        return match[1] or "0", match[2]
    return (shown.rstrip("0").rstrip(".") if "." in shown and "e" not in shown else shown), "0"


def enclosed(value: arb, digits: int = 40) -> str:
    """A ball in a sentence."""
    middle, radius = ball(value, digits)
    return middle if radius == "0" else f"{middle} +/- {radius}"


def accurate(value: arb) -> bool:
    """Whether a ball has 15 certified digits, or lies within 1e-15 of a 0 that it contains."""
    if not value.is_finite():
        return False
    return value.rel_accuracy_bits() >= CLAIMED or (value.contains(0) and bool(value.abs_upper() < arb(1e-15)))


def claim(value: arb, *lines: str) -> Claim:
    """A number as a proven claim, or an unknown one where its ball is too wide."""
    if accurate(value):
        return Claim(0.0 if value.contains(0) else float(value.mid()), "proven", lines, ball(value))
    if value.is_finite():
        return unknown(f"{lines[0]} lies in {enclosed(value)}: fewer than 15 digits")
    return unknown(f"{lines[0]}: no finite enclosure was found; f grows too fast or is singular at a breakpoint")


def unknown(reason: object) -> Claim:
    """A claim of nothing, and why."""
    return Claim(None, "unknown", (f"not decided: {reason}",))

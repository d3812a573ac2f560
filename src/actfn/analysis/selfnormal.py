"""Self-normalising constants: those at which mean 0 and variance 1 are a fixed point of a layer (Klambauer et al.).

For a family of formulas with two free constants, E[f] = 0 and E[f^2] = 1 under N(0, 1) are two equations; the interval
Newton method proves that a box holds exactly one solution and shrinks it (arXiv:1706.02515 solves SELU's by hand,
equation 14; here the family is any).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from flint import arb, arb_mat
from sympy import Expr, Rational, Symbol

from actfn.analysis.analytic import number
from actfn.analysis.claims import Claim
from actfn.analysis.gaussian import BITS, SQUARE_LESS_ONE, accurate, ball, enclosed, expectation
from actfn.definition import Definition, Parameter
from actfn.formula.functions import X
from actfn.formula.parse import parameter_names
from actfn.formula.pieces import Breakpoint, Case, Piece, Undecided, cases
from actfn.reference import working_precision

STARTS = (1.0, 0.5, 2.0, -0.5, -1.0)
"""Where the search begins for each constant, after the defaults."""

SECONDS = 20.0
"""Of this thread's processor time, for the search; the start in hand is finished."""

_SEARCH_BITS = 40
_STEPS = 40


@dataclass(frozen=True)
class SelfNormalizing:
    """The constants of a family as balls, and what is proven of them.

    `claim.value` maps each constant to its float; `contraction` is the largest singular value of the Jacobian of the
    map (mean, variance) -> (mean, variance) of a layer with normalised weights at (0, 1): below 1 the fixed point attracts.
    """

    constants: Mapping[str, tuple[str, str]]
    claim: Claim
    contraction: Claim
    jacobian: tuple[tuple[str, str], tuple[str, str]]
    """The derivatives of the new mean and of the new variance by the variance; those by the mean are 0."""

    def definition(self, family: Definition) -> dict[str, Any]:
        """The arguments of a `Definition` of the family at these constants, written into its formula's parameters."""
        values = dict(self.claim.value)
        parameters = tuple(Parameter(p.name, values.get(p.name, p.default), p.domain) for p in family.parameters)
        return {"name": family.name, "formula": family.formula, "parameters": parameters}


class NoSolution(ValueError):
    """No constants were found, or none could be proven. The text says where the search stopped."""


def self_normalizing(
    family: Definition | str,
    constants: Sequence[str] = ("scale", "alpha"),
    start: Mapping[str, float] | None = None,
    **parameters: float,
) -> SelfNormalizing:
    """The two constants of a family, such as "scale*where(x > 0, x, alpha*(exp(x) - 1))", with E[f] = 0 and E[f^2] = 1.

    `family` is a definition or a formula, whose names are its parameters; the other parameters are those given or the
    defaults. The search is Newton's from `start`, the defaults and a few points around; another start may find another
    solution. Raises `NoSolution`, or `ValueError` for names that aren't two parameters of the family.
    """
    definition = _definition(family) if isinstance(family, str) else family
    if len(set(constants)) != 2 or not set(constants) <= set(definition.symbols):
        known = ", ".join(definition.symbols) or "none"
        raise ValueError(f"two constants of the family's parameters ({known}) are needed, not {tuple(constants)!r}")
    held = {k: v for k, v in definition.values(parameters).items() if k not in constants}
    fixed = {definition.symbols[k]: Rational(repr(float(v))) for k, v in held.items()}
    try:
        return _solved(_Family(definition, [definition.symbols[c] for c in constants], fixed), start or {})
    except Undecided as reason:
        raise NoSolution(f"{definition.name}: no self-normalising constants were proven: {reason}") from None


def _definition(formula: str) -> Definition:
    listed = tuple(Parameter(name, 1.0) for name in parameter_names(formula))
    return Definition(name="family", formula=formula, parameters=listed)


class _Family:
    """The pieces of a formula with two symbols left free, and E[f] and E[f^2] - 1 as functions of them."""

    def __init__(self, definition: Definition, free: list[Symbol], fixed: Mapping[Symbol, Expr]):
        self.definition, self.free = definition, free
        self._joined: dict[int, bool] = {}
        self.cases = cases(definition.expression.xreplace(dict(fixed)), {s: _bounds(definition, s) for s in free})

    def pieces(self, box: Sequence[arb]) -> tuple[Piece, ...]:
        """The pieces that hold on a whole box of constants. Raises `Undecided` where there is more than one way."""
        given = dict(zip(self.free, box, strict=True))
        found = [case for case in self.cases if _holds(case, given) is not False]
        if len(found) != 1 or not _holds(found[0], given):
            raise Undecided("the pieces of f change within the box of constants")
        undefined = next((p for p in found[0].pieces if p.undefined), None)
        if undefined:
            raise Undecided(f"f has no value on a piece: {undefined.undefined}")
        if id(found[0]) not in self._joined:
            self._joined[id(found[0])] = all(map(_joins, found[0].breakpoints, found[0].pieces, found[0].pieces[1:]))
        if not self._joined[id(found[0])]:
            raise Undecided("f jumps at a breakpoint that moves with the constants")
        return found[0].pieces

    def moments(self, box: Sequence[arb], bits: int = BITS) -> arb_mat:
        """(E[f], E[f^2] - 1)."""
        return arb_mat([[self._expect(box, lambda f: f, bits)], [self._expect(box, lambda f: f**2, bits) - 1]])

    def jacobian(self, box: Sequence[arb], bits: int = BITS) -> arb_mat:
        """Their derivatives: f is continuous where a breakpoint moves, so that only the integrands vary."""
        return arb_mat(
            [
                [self._expect(box, lambda f, s=s: f.diff(s), bits) for s in self.free],
                [self._expect(box, lambda f, s=s: 2 * f * f.diff(s), bits) for s in self.free],
            ]
        )

    def by_variance(self, box: Sequence[arb]) -> tuple[arb, arb]:
        """The derivatives of E[f] and E[f^2] by the variance of the input, at 1."""
        half = arb(0.5)
        return (
            half * self._expect(box, lambda f: f, BITS, SQUARE_LESS_ONE),
            half * self._expect(box, lambda f: f**2, BITS, SQUARE_LESS_ONE),
        )

    def _expect(self, box, integrand, bits: int, weight=None) -> arb:
        given = dict(zip(self.free, box, strict=True))
        pieces = [Piece(p.left, p.right, integrand(p.expression)) for p in self.pieces(box)]
        return expectation(pieces, arb(1), given, weight, bits)


def _joins(at: Breakpoint, left: Piece, right: Piece) -> bool:
    """Whether a breakpoint stays where it is, or the pieces are seen to meet there."""
    if not at.location.free_symbols:
        return True
    return sympy.simplify((left.expression - right.expression).subs(X, at.location)).is_zero is True


def _bounds(definition: Definition, symbol: Symbol) -> tuple[float, float]:
    return next(p for p in definition.parameters if p.name == symbol.name).bounds[:2]


def _holds(case: Case, given: Mapping[Symbol, arb]) -> bool | None:
    """Whether a case's condition holds for every constant in the balls; None where it does for some."""
    truths: list[bool | None] = []
    for symbol, value in case.equal.items():
        gap = number(symbol - value, given)
        truths.append(None if gap.contains(0) else False)
    for expression, sign in case.signs.items():
        value = sign * number(expression, given)
        truths.append(True if value > 0 else None if value.contains(0) or sign == 0 else False)
    return False if False in truths else None if None in truths else True


# -- the two equations ------------------------------------------------------------------------------------------------


def _solved(family: _Family, start: Mapping[str, float]) -> SelfNormalizing:
    tried, begun = 0, time.thread_time()
    reasons: dict[str, None] = {}
    with working_precision(BITS + 64):
        for point in _starts(family, start):
            if time.thread_time() - begun > SECONDS:
                break
            tried += 1
            try:
                near = _search(family, point)
                box = None if near is None else _proven(family, near)
                if box is not None:
                    return _result(family, box)
            except Undecided as reason:
                reasons[str(reason)] = None
    raise NoSolution(
        f"{family.definition.name}: no {' and '.join(s.name for s in family.free)} with E[f] = 0 and E[f^2] = 1 "
        f"was found from {tried} starts ({'; '.join(reasons) or 'the residual stays above 0'}); "
        "give start={name: value} near one, if there is one"
    )


def _starts(family: _Family, start: Mapping[str, float]) -> list[list[float]]:
    own = {p.name: p for p in family.definition.parameters}
    first = [float(start.get(s.name, own[s.name].default)) for s in family.free]
    grid = [list(pair) for pair in itertools.product(STARTS, repeat=2)]
    points = [first] if start else [first, *(p for p in grid if p != first)]
    return [p for p in points if _inside(family, [arb(v) for v in p])]


def _inside(family: _Family, point: Sequence[arb]) -> bool:
    own = {p.name: p for p in family.definition.parameters}
    return all(own[s.name].contains(float(v.mid())) for s, v in zip(family.free, point, strict=True))


def _search(family: _Family, point: Sequence[float]) -> list[arb] | None:
    """Newton's iteration on midpoints, each step halved until the residual falls."""
    here = [arb(v) for v in point]
    try:
        residual = family.moments(here, _SEARCH_BITS)
        for _ in range(_STEPS):
            if _norm(residual) < arb((1, 12 - _SEARCH_BITS)):
                return here
            step = family.jacobian(here, _SEARCH_BITS).solve(residual)
            for halvings in range(8):
                there = [(h - step[i, 0] / 2**halvings).mid() for i, h in enumerate(here)]
                if not _inside(family, there):
                    continue
                moved = family.moments(there, _SEARCH_BITS)
                if _norm(moved) < _norm(residual) * (1 - arb((1, -3 - halvings))):
                    here, residual = there, moved
                    break
            else:
                return None
    except ZeroDivisionError:
        pass
    return None


def _norm(values: arb_mat) -> arb:
    return (values[0, 0] ** 2 + values[1, 0] ** 2).sqrt().mid()


def _proven(family: _Family, near: Sequence[arb]) -> list[arb] | None:
    """A box that holds exactly one solution: the interval Newton step lies inside the box that it began from."""
    box = [m + arb(0, (1 + abs(m)) * arb((1, -20))) for m in near]
    proven = False
    for _ in range(8):
        middle = [b.mid() for b in box]
        try:
            bits = min(BITS, 16 + min(b.rel_one_accuracy_bits() for b in box))
            step = family.jacobian(box, bits).solve(family.moments(middle))
        except ZeroDivisionError:
            return None
        new = [m - step[i, 0] for i, m in enumerate(middle)]
        if not proven and not all(b.contains_interior(n) for b, n in zip(box, new, strict=True)):
            return None
        if proven and not any(n.rad() < b.rad() / 2 for b, n in zip(box, new, strict=True)):
            break
        proven, box = True, new
    return box


def _result(family: _Family, box: Sequence[arb]) -> SelfNormalizing:
    names = [s.name for s in family.free]
    balls = {name: ball(value) for name, value in zip(names, box, strict=True)}
    lines = (
        "E[f] = 0 and E[f^2] = 1 for x ~ N(0, 1) have exactly one solution in the box (interval Newton)",
        *(f"{name} = {enclosed(value)}" for name, value in zip(names, box, strict=True)),
    )
    status = "proven" if all(map(accurate, box)) else "unknown"
    claim = Claim({name: float(v.mid()) for name, v in zip(names, box, strict=True)}, status, lines)
    by_mean, by_square = family.by_variance(box)
    size = (by_mean**2 + by_square**2).sqrt()
    verdict = "below 1: the fixed point attracts" if size < 1 else "not below 1: a contraction is not shown"
    note = (
        "the largest singular value of the Jacobian of (mean, variance) -> (mean, variance) at (0, 1), for weights of "
        "sum 0 and sum of squares 1: the derivatives by the mean are 0",
        f"by the variance: {enclosed(by_mean)} and {enclosed(by_square)}; {verdict}",
    )
    contraction = Claim(float(size.mid()), "proven" if accurate(size) else "unknown", note, ball(size))
    return SelfNormalizing(balls, claim, contraction, (ball(by_mean), ball(by_square)))

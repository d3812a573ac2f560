"""The whole line of a function at fixed parameters: its smooth pieces, what happens where they meet, and numbers compared.

Leans on `analysis.roots` for each piece. What can't be decided raises `Undecided`, with a reason that can be shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import sympy
from flint import arb
from sympy import Expr, Rational, S

from actfn.analysis.enclosure import constant
from actfn.analysis.roots import EXCESS, FINE, NAMES, SLOPE, F, Number, Stretch, number
from actfn.analysis.scale import exact, sign, symbolic
from actfn.definition import Definition
from actfn.formula.functions import X
from actfn.formula.pieces import Case, Undecided, cases
from actfn.reference import working_precision


@dataclass(frozen=True)
class Mark:
    """A point where the sign of what is looked at may change: a zero inside a piece, or breakpoint number `breakpoint`."""

    x: Number
    breakpoint: int | None
    piece: int
    """The piece to the left, or that the zero lies in."""
    root: int = 0
    """Which zero in the piece."""


@dataclass(frozen=True)
class Profile:
    """Marks in order, and the sign on each of the open intervals between them."""

    marks: tuple[Mark, ...]
    signs: tuple[int, ...]


class Graph:
    """A function at fixed parameters. Raises `Undecided` where its pieces can't be told or it isn't defined everywhere."""

    def __init__(self, definition: Definition, parameters: dict[str, float]):
        values = definition.values(parameters)
        fixed = {definition.symbols[name]: Rational(repr(value)) for name, value in values.items()}
        found = cases(definition.expression.xreplace(fixed))
        if len(found) != 1:
            raise Undecided("the pieces")
        case: Case = found[0]
        for piece in case.pieces:
            if piece.undefined:
                raise Undecided(f"{piece.undefined} for {_shown(piece.left)} < x < {_shown(piece.right)}")
        for breakpoint in case.breakpoints:
            if breakpoint.at is None:
                raise Undecided(f"f has no value at x = {_shown(breakpoint.location)}")
        self.values = values
        self.pieces = [Stretch(piece) for piece in case.pieces]
        self.breakpoints = case.breakpoints
        self.places = [number(b.location) for b in case.breakpoints]
        self._profiles: dict[int, Profile] = {}

    @cached_property
    def heights(self) -> list[Number]:
        """f at the breakpoints."""
        found = []
        for b in self.breakpoints:
            assert b.at is not None
            value = symbolic(exact(b.at.subs(X, b.location)))
            with working_precision(FINE):
                ball = constant(value)
            found.append(Number(ball, value) if ball.is_finite() else number(sympy.simplify(value)))
        return found

    def profile(self, kind: int) -> Profile:
        """The signs of f, f', f'' or f - x along the line. Raises `Undecided`."""
        if kind not in self._profiles:
            marks: list[Mark] = []
            signs: list[int] = []
            for i, piece in enumerate(self.pieces):
                own = piece.signs(kind)
                marks += [Mark(root, None, i, j) for j, root in enumerate(own.roots)]
                signs += own.signs
                if i < len(self.places):
                    marks.append(Mark(self.places[i], i, i))
            self._profiles[kind] = Profile(tuple(marks), tuple(signs))
        return self._profiles[kind]

    def limit(self, kind: int, breakpoint: int, side: str) -> Number:
        """The limit at a breakpoint, from the "left" or the "right"."""
        piece = self.pieces[breakpoint if side == "left" else breakpoint + 1]
        return piece.limit(kind, "right" if side == "left" else "left")

    def end(self, kind: int, side: str) -> Number:
        """The limit at -infinity ("left") or infinity ("right")."""
        return self.pieces[0 if side == "left" else -1].limit(kind, side)

    def height(self, mark: Mark) -> Number:
        """f at a mark of the profile of f'; one object for two that mirror each other."""
        if mark.breakpoint is not None:
            return self.heights[mark.breakpoint]
        piece, root = mark.piece, mark.root
        if self.even:
            mirrored = len(self.pieces) - 1 - piece
            root = min(root, len(self.pieces[piece].signs(SLOPE).roots) - 1 - root) if piece == mirrored else root
            if mirrored < piece:
                piece, root = mirrored, len(self.pieces[piece].signs(SLOPE).roots) - 1 - root
        return self.pieces[piece].at(F, self.pieces[piece].signs(SLOPE).roots[root])

    @cached_property
    def jumps(self) -> list[int]:
        """The breakpoints where f isn't continuous."""
        found = []
        for i, value in enumerate(self.heights):
            left, right = (self.limit(F, i, side) for side in ("left", "right"))
            if compare(left, value) or compare(right, value):
                found.append(i)
        return found

    def bends(self, breakpoint: int) -> int:
        """The sign of the right slope minus the left slope at a breakpoint."""
        return compare(self.limit(SLOPE, breakpoint, "right"), self.limit(SLOPE, breakpoint, "left"))

    def zero_at(self, kind: int, breakpoint: int) -> bool:
        """Whether f, or f - x, is 0 at a breakpoint."""
        value = self.heights[breakpoint]
        return compare(value, self.places[breakpoint] if kind == EXCESS else number(S.Zero)) == 0

    @cached_property
    def even(self) -> bool:
        """Whether the pieces mirror each other in x = 0, so that what lies at -x lies at x."""
        for mine, other in zip(self.pieces, reversed(self.pieces), strict=True):
            mirrored = other.piece.expression.subs(X, -X)
            if mine.piece.left != -other.piece.right or sympy.expand(mirrored - mine.piece.expression) != 0:
                return False
        return True

    def line(self, kind: int) -> str:
        """What is known of a sign, as text."""
        profile = self.profile(kind)
        ends = ["-infinity", *(text(mark.x) for mark in profile.marks), "infinity"]
        shown = [f"{'<=>'[s + 1]} 0 on ({ends[i]}, {ends[i + 1]})" for i, s in enumerate(profile.signs)]
        return f"{NAMES[kind]} " + ", ".join(shown)


def compare(a: Number, b: Number) -> int:
    """-1, 0 or 1. Raises `Undecided` for numbers that can't be told apart nor shown to be equal."""
    if a is b:
        return 0
    with working_precision(FINE):
        if a.ball < b.ball:
            return -1
        if a.ball > b.ball:
            return 1
        if a.exact is not None and b.exact is not None:
            if a.exact == b.exact:
                return 0
            return sign(exact(sympy.expand(a.exact - b.exact)))
    raise Undecided(f"which of two numbers near {text(a)} is larger")


def steepest(candidates: Iterable[Number]) -> Number:
    """The largest of some numbers, where which of two that agree to all digits doesn't matter."""
    best: Number | None = None
    with working_precision(FINE):
        for c in candidates:
            if best is None or c.ball > best.ball:
                best = c
            elif not c.ball < best.ball and best.exact is None:
                best = c if c.exact is not None else Number(best.ball.union(c.ball))
    assert best is not None
    return best


def text(value: Number, digits: int = 10) -> str:
    """A number for reading, exact where it is short."""
    if value.exact is not None:
        if value.exact.is_infinite:
            return "infinity" if value.exact is S.Infinity else "-infinity"
        if len(str(value.exact)) <= 12:
            return str(value.exact)
    with working_precision(FINE):
        return value.ball.mid().str(digits, radius=False)


def plain(value: Number) -> float | str:
    """A number as JSON can hold it: the nearest float, "inf" or "-inf"."""
    if not value.ball.is_finite():
        return "inf" if value.ball > 0 else "-inf"
    if value.exact is not None and value.exact.is_Rational:
        return float(value.exact)
    with working_precision(FINE):
        return float(value.ball.mid())


def decimal_ball(value: Number, digits: int = 40) -> tuple[str, str] | None:
    """(midpoint, radius) as decimals that contain the number; None for an infinite one."""
    with working_precision(FINE):
        ball = value.ball
        if not ball.is_finite():
            return None
        middle = ball.mid().str(digits, radius=False)
        off = abs(ball - arb(middle)).upper() if not _is_decimal(value, middle) else arb(0)
        if off.is_zero():
            return middle, "0"
        power = 0
        while off < arb(10) ** -(power + 1):
            power += 1
        while not off < arb(10) ** -power:
            power -= 1
        return middle, f"1e{-power}"


def _is_decimal(value: Number, middle: str) -> bool:
    return value.exact is not None and value.exact.is_Rational is True and value.exact == Rational(middle)


def _shown(place: Expr) -> str:
    return str(place)[:40].replace("oo", "infinity")

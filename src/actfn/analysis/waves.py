"""What can be proven of a function that oscillates for ever, where no finite list of signs tells everything.

Three arguments. A line plus a periodic function repeats, so that one period, moved to 0 < t < 1, decides. Along a sequence
x0 + k*P every sine and cosine is a constant, so that signs and limits there are exact: two signs make infinitely many
changes. And where the ends stay below a value that f takes inside, the ends don't matter for the largest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy
from flint import fmpq
from sympy import Dummy, Expr, Rational, S, oo

from actfn.analysis.approach import End
from actfn.analysis.claims import Claim
from actfn.analysis.enclosure import constant
from actfn.analysis.extent import bounded_claim, decimal_text, jump_lines, outermost, proven, range_claim
from actfn.analysis.graph import Graph, compare, decimal_ball, plain, steepest, text
from actfn.analysis.roots import BITS, CURVATURE, EXCESS, FINE, NAMES, SLOPE, F, Number, Stretch, number
from actfn.analysis.scale import exact, symbolic
from actfn.formula.functions import X
from actfn.formula.pieces import Piece, Undecided
from actfn.reference import working_precision

STEPS = 8
"""How many sequences a period is followed by."""


@dataclass(frozen=True)
class Turn:
    """A zero in a period, and the signs before and after it."""

    t: Number
    x: Number
    before: int
    after: int


def period(expression: Expr) -> Expr:
    """A common period of the sines and cosines. Raises `Undecided` where there is none."""
    rates = [sympy.diff(node.args[0], X) for node in expression.atoms(sympy.sin, sympy.cos)]
    rates = [abs(rate) for rate in rates if not rate.is_zero]
    if not rates or any(rate.has(X) for rate in rates):
        raise Undecided("no common period")
    ratios = [sympy.cancel(rate / rates[0]) for rate in rates]
    if not all(isinstance(r, Rational) for r in ratios):
        raise Undecided("no common period")
    numerators, denominators = sympy.igcd(*(r.p for r in ratios), 0), sympy.ilcm(*(r.q for r in ratios), 1)
    return 2 * sympy.pi / (rates[0] * Rational(numerators, denominators))


class Periodic:
    """A line plus a periodic function on the whole line. Raises `Undecided` for another."""

    def __init__(self, graph: Graph):
        if len(graph.pieces) != 1:
            raise Undecided("more than one piece")
        expression = graph.pieces[0].piece.expression
        waves = {node: Dummy() for node in expression.atoms(sympy.sin, sympy.cos) if node.has(X)}
        self.slope = sympy.diff(expression.xreplace(waves), X)
        """Of the line."""
        self.length = period(expression)
        if not self.slope.is_number:
            raise Undecided("neither periodic nor a line plus a periodic function")
        half = expression.subs(X, X + self.length / 2) - expression - self.slope * self.length / 2
        if sympy.expand(half).is_zero:
            self.length = self.length / 2
        self.expression = expression
        self.once = Stretch(Piece(S.Zero, S.One, expression.subs(X, self.length * X)))
        level = sympy.expand(expression - X)
        self._level = Stretch(Piece(S.Zero, S.One, level.subs(X, self.length * X)))

    def turns(self, kind: int) -> list[Turn]:
        """The zeros of f, f', f'' or f - x for 0 <= x < period; f or f - x must be periodic."""
        if (kind == F and self.slope != 0) or (kind == EXCESS and self.slope != 1):
            raise Undecided(f"{NAMES[kind]} isn't periodic")
        stretch, kind = (self._level, F) if kind == EXCESS else (self.once, kind)
        found = stretch.signs(kind)
        turns = []
        with working_precision(BITS):
            if End(S.Zero, "+").limit(stretch.expression(kind)).is_zero:
                turns.append(Turn(number(S.Zero), number(S.Zero), found.signs[-1], found.signs[0]))
        for i, t in enumerate(found.roots):
            turns.append(Turn(t, self._scaled(t, self.length), found.signs[i], found.signs[i + 1]))
        return turns

    def signs(self, kind: int) -> tuple[int, ...]:
        """Those of f' or f'' on the parts of a period."""
        return self.once.signs(kind).signs

    def at(self, kind: int, turn: Turn) -> Number:
        """f, f' or f'' at a zero of something."""
        return self._scaled(self.once.at(kind, turn.t), self.length**-kind)

    def start(self, kind: int) -> Number:
        """f, f' or f'' at 0."""
        return self.at(kind, Turn(number(S.Zero), number(S.Zero), 0, 0))

    @staticmethod
    def _scaled(value: Number, factor: Expr) -> Number:
        with working_precision(FINE):
            scaled = None if value.exact is None else symbolic(exact(sympy.expand(value.exact * factor)))
            return Number(value.ball * constant(factor), scaled)


# -- along sequences ----------------------------------------------------------------------------------------------------


def sequences(graph: Graph, kind: int) -> Iterator[tuple[str, Expr, End]]:
    """(side, g, end): f, f', f'' or f - x along x0 + k*P without its sines and cosines, at both ends."""
    for side, piece, end in (
        ("left", graph.pieces[0], End(-sympy.oo, "+")),
        ("right", graph.pieces[-1], End(sympy.oo, "-")),
    ):
        try:
            length = period(piece.piece.expression)
        except Undecided:
            continue
        g = piece.expression(kind)
        for i in range(STEPS):
            at = {
                node: node.subs(X, length * Rational(i, STEPS)) for node in g.atoms(sympy.sin, sympy.cos) if node.has(X)
            }
            yield side, g.xreplace(at), end


def signs_along(graph: Graph, kind: int) -> dict[str, set[int]]:
    """The signs that f, f', f'' or f - x takes infinitely often, as far as these sequences show, at each end."""
    found: dict[str, set[int]] = {"left": set(), "right": set()}
    with working_precision(BITS):
        for side, g, end in sequences(graph, kind):
            try:
                found[side].add(end.sign(g)[0] if g.has(X) else int(sympy.sign(g)))
            except (Undecided, TypeError):
                continue
    return found


def limits_along(graph: Graph, kind: int) -> set[Expr]:
    """The limits along these sequences, at both ends together."""
    found = set()
    with working_precision(BITS):
        for _, g, end in sequences(graph, kind):
            try:
                found.add(end.limit(g))
            except Undecided:
                continue
    return found


def opposite_signs(graph: Graph, kind: int) -> tuple[str, str] | None:
    """Two points where f' or f'' has opposite signs, as text, or None where none are found."""
    seen: dict[int, str] = {}
    with working_precision(BITS):
        for piece in graph.pieces:
            for k in range(-48, 49):
                x = Rational(k, 4) + Rational(1, 16)
                if not (piece.piece.left < x and x < piece.piece.right):
                    continue
                value = piece.at(kind, Number(constant(x))).ball
                if value > 0 or value < 0:
                    seen.setdefault(1 if value > 0 else -1, f"{NAMES[kind]}({x}) {'>' if value > 0 else '<'} 0")
    return (seen[1], seen[-1]) if len(seen) == 2 else None


# -- ends that don't matter ----------------------------------------------------------------------------------------------


def inner_values(graph: Graph, kind: int) -> list[tuple[Number, bool, str]]:
    """(value, whether it is taken, where): the candidates for the largest and smallest f or f', the ends left out.

    Beyond some T the values lie strictly between two that f takes. Raises `Undecided` where that isn't shown.
    """
    low, high = _sampled(graph, kind)
    margin = (high - low) / 1024
    found: list[tuple[Number, bool, str]] = []
    pieces = [p.piece for p in graph.pieces]
    for side, i in (("left", 0), ("right", -1)):
        piece = graph.pieces[i]
        end = piece.left if side == "left" else piece.right
        g = piece.expression(kind)
        try:
            limit = piece.limit(kind, side)
        except Undecided:
            limit = number(S.Zero)
        reach = 16
        with working_precision(BITS):
            for bound, s in ((low + margin, 1), (high - margin, -1)):
                if limit.exact is -oo * s:
                    found.append((limit, False, f"the limit at {'-' * (side == 'left')}infinity"))
                    continue
                reach_sign, start = end.sign(g - bound)
                if reach_sign != s:
                    raise Undecided(f"{NAMES[kind]} at an end may be the largest")
                reach = max(reach, start)
        if not ((-reach < piece.piece.right) if side == "left" else (piece.piece.left < reach)):
            raise Undecided("a breakpoint far out")
        if side == "left":
            pieces[0] = Piece(Rational(-reach), pieces[0].right, pieces[0].expression)
        else:
            pieces[-1] = Piece(pieces[-1].left, Rational(reach), pieces[-1].expression)
    for i, (whole, part) in enumerate(zip(graph.pieces, pieces, strict=True)):
        stretch = Stretch(part)
        for root in stretch.signs(kind + 1).roots:
            found.append((whole.at(kind, root), True, f"{NAMES[kind]}({root.ball.mid().str(10, radius=False)})"))
        if i:
            found.append((graph.limit(kind, i - 1, "right"), False, "a limit at a breakpoint"))
            found.append((graph.limit(kind, i - 1, "left"), False, "a limit at a breakpoint"))
            if kind == F:
                found.append((graph.heights[i - 1], True, "the value at a breakpoint"))
    return found


def _sampled(graph: Graph, kind: int) -> tuple[Rational, Rational]:
    """A little inside of the smallest and the largest of some values that f or f' takes."""
    values: list[fmpq] = []
    with working_precision(BITS):
        for piece in graph.pieces:
            for k in range(-400, 401):
                x = Rational(k, 40) + Rational(1, 1000)
                if piece.piece.left < x and x < piece.piece.right:
                    value = piece.curve(constant(x), 3)[kind]
                    if value.is_finite():
                        values.append(fmpq(*float(value.mid()).as_integer_ratio()))
    if not values:
        raise Undecided("no values")
    return tuple(Rational(int(v.p), int(v.q)) for v in (min(values), max(values)))  # pyright: ignore[reportReturnType]


# -- claims -----------------------------------------------------------------------------------


def _range(graph: Graph) -> Claim:
    limits = limits_along(graph, F)
    if {oo, -oo} <= limits:
        value = {"low": "-inf", "high": "inf", "low_attained": False, "high_attained": False}
        return proven(value, "f grows without bound in both directions along sequences; f is continuous")
    try:
        wave = Periodic(graph)
        if wave.slope == 0:
            taken = [(wave.at(F, turn), True, f"f({text(turn.x)})") for turn in wave.turns(SLOPE)]
            return range_claim([*taken, (wave.start(F), True, "f(0)")], _repeats(wave))
    except Undecided:
        pass
    return range_claim(inner_values(graph, F), "beyond these points f stays between two values that it takes")


def _repeats(wave: Periodic) -> str:
    line = f"f({X} + P) = f({X})" + (f" + {wave.slope}*P" if wave.slope != 0 else "")
    return f"{line} with P = {str(wave.length)[:60]}: one period decides"


def _monotone(graph: Graph) -> Claim:
    for side, signs in signs_along(graph, SLOPE).items():
        if {1, -1} <= signs:
            return proven(False, f"f' changes sign infinitely often at the {side} end")
    if found := opposite_signs(graph, SLOPE):
        return proven(False, *found)
    wave = Periodic(graph)
    signs = wave.signs(SLOPE)
    for s, name in ((1, "increasing"), (-1, "decreasing")):
        if all(s * t > 0 for t in signs):
            return proven(f"strictly {name}", _repeats(wave), "f' has one sign but for separate zeros")
    return proven(False, _repeats(wave))


def _convex(graph: Graph) -> Claim:
    found = opposite_signs(graph, CURVATURE)
    if found is None:
        raise Undecided("the sign of f''")
    return proven(False, *found)


def _lipschitz(graph: Graph) -> Claim:
    if graph.jumps:
        return proven("inf", *jump_lines(graph))
    if any(limit.is_infinite for limit in limits_along(graph, SLOPE)):
        return proven("inf", "f' grows without bound along a sequence")
    try:
        wave = Periodic(graph)
        slopes = [(wave.at(SLOPE, turn), turn.x) for turn in wave.turns(CURVATURE)]
        slopes.append((wave.start(SLOPE), number(S.Zero)))
        why = _repeats(wave)
    except Undecided:
        slopes = [(value, None) for value, _, _ in inner_values(graph, SLOPE)]
        why = "beyond these points |f'| is smaller than between"
        if any(not value.ball.is_finite() for value, _ in slopes):
            return proven("inf", "f' grows without bound")
    best = steepest(value.size for value, _ in slopes)
    return proven(plain(best), why, f"the largest of |f'| where f'' = 0: {decimal_text(best)}", ball=decimal_ball(best))


def _zeros(graph: Graph, kind: int) -> Claim:
    try:
        wave = Periodic(graph)
        turns = wave.turns(kind)
    except Undecided:
        return _endless(graph, kind, {1, -1}, touching=True)
    if not turns:
        return proven([], _repeats(wave))
    return _every_period(wave, [plain(turn.x) for turn in turns])


def _every_period(wave: Periodic, listed: list[Any]) -> Claim:
    period = number(wave.length)
    return proven({"infinitely many": True, "period": plain(period), "in one period": listed}, _repeats(wave))


def _endless(graph: Graph, kind: int, changing: set[int], touching: bool = False) -> Claim:
    for side, signs in signs_along(graph, kind).items():
        if changing <= signs or (touching and 0 in signs):
            what = "changes sign" if changing <= signs else "is 0"
            return proven({"infinitely many": True}, f"{NAMES[kind]} {what} infinitely often at the {side} end")
    raise Undecided(f"the sign of {NAMES[kind]} at an end")


def _extremes(graph: Graph) -> Claim:
    try:
        wave = Periodic(graph)
        turns = [turn for turn in wave.turns(SLOPE) if turn.before * turn.after < 0]
    except Undecided:
        return _endless(graph, SLOPE, {1, -1})
    if not turns:
        return proven([], _repeats(wave), "f' doesn't change sign")
    listed, values = [], [(wave.at(F, turn), True, "") for turn in turns]
    for turn, (y, _, _) in zip(turns, values, strict=True):
        kind, direction = ("minimum", -1) if turn.before < 0 else ("maximum", 1)
        overall = wave.slope == 0 and compare(y, outermost(values, direction)[0]) == 0
        listed.append({"x": plain(turn.x), "y": plain(y), "kind": kind, "global": overall})
    return _every_period(wave, listed)


def _inflections(graph: Graph) -> Claim:
    try:
        wave = Periodic(graph)
        turns = [turn for turn in wave.turns(CURVATURE) if turn.before * turn.after < 0]
    except Undecided:
        return _endless(graph, CURVATURE, {1, -1})
    return _every_period(wave, [plain(turn.x) for turn in turns]) if turns else proven([], _repeats(wave))


OSCILLATING: dict[str, Callable[[Graph], Claim]] = {
    "range": _range,
    "bounded": lambda graph: bounded_claim(_range(graph)),
    "monotone": _monotone,
    "convex": _convex,
    "lipschitz": _lipschitz,
    "zeros": lambda graph: _zeros(graph, F),
    "fixed_points": lambda graph: _zeros(graph, EXCESS),
    "extremes": _extremes,
    "inflections": _inflections,
}

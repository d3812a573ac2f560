"""The sign of f, f - x, f' and f'' along a smooth piece, and the zeros between, each enclosed and proven to be all.

Near both ends the sign comes from an expansion (`analysis.approach`); between, by branch and bound on balls
(`analysis.enclosure`): a part where g has one sign, or where g' has one and g changes sign, is settled, another is cut
in two. A zero that doesn't settle (g' vanishes there too) must be a simple fraction, whose sides are ends again.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial as fac

import sympy
from flint import arb, fmpq
from sympy import Expr, Rational, S

from actfn.analysis.approach import End
from actfn.analysis.enclosure import Curve, constant, factorials
from actfn.analysis.scale import exact, sign
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X
from actfn.formula.pieces import Piece, Undecided
from actfn.reference import working_precision

F, SLOPE, CURVATURE, EXCESS = 0, 1, 2, -1
"""What has a sign: f, f', f'' and f - x."""
NAMES = {F: "f", SLOPE: "f'", CURVATURE: "f''", EXCESS: "f - x"}

BITS, FINE = 256, 640
"""Working precision for signs, and for the zeros themselves."""
NEARER = ((2, 2000), (8, 4000))
"""(n, evaluations): the tails begin at 16/n or further out; nearer where what lies between needs too much precision."""
LENGTH, SHORT = 10, 5
"""How many Taylor coefficients: fewer where an interval is wide, and more say nothing."""
_STUCK, _LOST = arb((1, -12)), arb((1, -40))


@dataclass(frozen=True)
class Number:
    """A real number, or an infinite one: a ball that contains it, and the number itself where it is known."""

    ball: arb
    exact: Expr | None = None

    @property
    def size(self) -> Number:
        """The absolute value."""
        with working_precision(FINE):
            return Number(abs(self.ball), None if self.exact is None else abs(self.exact))


@dataclass(frozen=True)
class Signs:
    """The zeros inside a piece, in order, and the sign before, between and after them; one sign 0 where all is zero."""

    roots: tuple[Number, ...]
    signs: tuple[int, ...]


class Stretch:
    """One smooth piece of a formula without parameters."""

    def __init__(self, piece: Piece):
        self.piece = piece
        self.curve = Curve(piece.expression, LENGTH)
        self.left, self.right = End(piece.left, "+"), End(piece.right, "-")
        self._signs: dict[int, Signs | Undecided] = {}
        self._expressions: dict[int, Expr] = {}
        self._limits: dict[tuple[int, str], Number] = {}
        self._jets: dict[tuple[arb, arb, int], list[arb]] = {}
        self._values: dict[tuple[int, int], tuple[Number, Number]] = {}
        self._tried: set[tuple[int, Expr]] = set()
        self._left_over = 0

    def expression(self, kind: int) -> Expr:
        """f, f', f'' or f - x."""
        if kind not in self._expressions:
            f = self.piece.expression
            found = f - X if kind == EXCESS else smooth_derivative(f, kind)
            self._expressions[kind] = sympy.expand(found) if found.is_polynomial(X) else found
        return self._expressions[kind]

    def limit(self, kind: int, side: str) -> Number:
        """The limit at the piece's end, "left" or "right": exactly, or a ball where that grows too long. Raises `Undecided`."""
        if (kind, side) not in self._limits:
            end = self.left if side == "left" else self.right
            try:
                with working_precision(BITS):
                    found = number(end.limit(self.expression(kind)))
            except Undecided:
                if end.place.is_infinite:
                    raise
                with working_precision(FINE):
                    at = constant(end.place)
                    found = Number(_of(kind, self.curve(at, 3), at)[0])
                if not found.ball.is_finite():
                    raise
            self._limits[kind, side] = found
        return self._limits[kind, side]

    def at(self, kind: int, place: Number) -> Number:
        """f or a derivative at a point inside; the same object for the same place."""
        key = (kind, id(place))
        if key not in self._values:
            self._values[key] = (place, self._at(kind, place))
        return self._values[key][1]

    def _at(self, kind: int, place: Number) -> Number:
        with working_precision(FINE):
            coefficients = factorials(self.curve(place.ball, 3))
            ball = coefficients[0] - place.ball if kind == EXCESS else coefficients[kind]
        if place.exact is not None:
            try:
                with working_precision(BITS):
                    return number(End(place.exact, "+").limit(self.expression(kind)))
            except Undecided:
                pass
        return Number(ball)

    def signs(self, kind: int) -> Signs:
        """The zeros and signs. Raises `Undecided`, saying where it stopped."""
        if kind not in self._signs:
            try:
                with working_precision(BITS):
                    self._signs[kind] = self._found(kind)
            except Undecided as reason:
                self._signs[kind] = Undecided(f"the sign of {NAMES[kind]}: {reason}")
        found = self._signs[kind]
        if isinstance(found, Undecided):
            raise found
        return found

    # -- the work --

    def _found(self, kind: int) -> Signs:
        expression = self.expression(kind)
        if not expression.has(X):
            return Signs((), (sign(exact(expression)),))
        if expression.is_positive or expression.is_negative:
            return Signs((), (1 if expression.is_positive else -1,))
        reason: Undecided | None = None
        for near, evaluations in NEARER:
            self._left_over = evaluations
            try:
                return self._between(kind, near)
            except Undecided as failed:
                reason = failed
            if not (self.piece.left.is_infinite or self.piece.right.is_infinite):
                break
        raise Undecided(str(reason))

    def _between(self, kind: int, near: int) -> Signs:
        low, before = self._end(kind, self.left, near)
        high, after = self._end(kind, self.right, near)
        if before == 0 or after == 0:
            return Signs((), (0,))
        parts: list[tuple[int, Number | None, int]] = [(before, None, before)]
        if low < high:
            self._solve(kind, low, high, parts)
        parts.append((after, None, after))
        roots, signs = [], [before]
        for first, root, last in parts:
            if first != signs[-1]:
                raise Undecided("two parts disagree")
            if root is not None:
                roots.append(root)
                signs.append(last)
        return Signs(tuple(roots), tuple(signs))

    def _end(self, kind: int, end: End, near: int) -> tuple[arb, int]:
        """Where the bounded part begins, and the sign from there to the end."""
        least = 16
        if not end.place.is_infinite:
            at = constant(end.place)
            value = _of(kind, self.curve(at, 3), at)[0]
            if value > 0 or value < 0:
                return at.mid(), 1 if value > 0 else -1
            width = constant(self.piece.right - self.piece.left) if self._bounded() else arb(1)
            while not width * least > 4:
                least *= 2
        if end.place.is_infinite:
            s, start = end.sign(self.expression(kind), near=near)
            return (arb(start if end.place is S.Infinity else -start) / near).mid(), s
        s, start = end.sign(self.expression(kind), least)
        step = arb(1) / start
        return (at + step if end.side == "+" else at - step).mid(), s

    def _bounded(self) -> bool:
        return not (self.piece.left.is_infinite or self.piece.right.is_infinite)

    def _solve(self, kind: int, low: arb, high: arb, parts: list[tuple[int, Number | None, int]]) -> None:
        pending = [(low, high)]
        while pending:
            low, high = pending.pop()
            width = high - low
            if width < arb(1) / 2 or width < abs(low + high) / 8:
                settled = self._settled(kind, low, high)
                if settled is not None:
                    parts.append(settled)
                    continue
                if width < _LOST:
                    raise Undecided(f"near x = {low.str(8, radius=False)}")
            # off the middle: a zero is seldom there
            cut = (low + width * fmpq(510709, 1048576)).mid()
            pending += [(cut, high), (low, cut)]

    def _settled(self, kind: int, low: arb, high: arb) -> tuple[int, Number | None, int] | None:
        g, slope = self._enclosed(kind, low, high)
        if g > 0 or g < 0:
            s = 1 if g > 0 else -1
            return s, None, s
        if slope > 0 or slope < 0:
            first, last = (self._sign_at(kind, x) for x in (low, high))
            if first and last:
                return first, None if first == last else self._refined(kind, low, high, first), last
        if high - low < _STUCK:
            return self._touching(kind, low, high)
        return None

    def _sign_at(self, kind: int, x: arb) -> int:
        value = _of(kind, self._jet(x, x), x)[0]
        return 1 if value > 0 else -1 if value < 0 else 0

    def _jet(self, low: arb, high: arb, length: int = SHORT) -> list[arb]:
        key = (low, high, length)
        if key not in self._jets:
            self._left_over -= 1
            if self._left_over < 0:
                raise Undecided(f"too many evaluations near x = {low.str(6, radius=False)}")
            self._jets[key] = self.curve(low.union(high), length)
        return self._jets[key]

    def _enclosed(self, kind: int, low: arb, high: arb) -> tuple[arb, arb]:
        """g and g' on an interval, by Taylor's formula around its middle where that is narrower."""
        middle = ((low + high) / 2).mid()
        length = SHORT if high - low > arb(1) / 8 else LENGTH
        whole = _of(kind, self._jet(low, high, length), low.union(high))
        point = _of(kind, self._jet(middle, middle, length), middle)
        d = arb(0, (high - low).upper() / 2)
        g, slope = whole[0], whole[1]
        for n in (2, len(whole) - 1):
            if whole[n].is_finite() and point[0].is_finite():
                step, steepness = whole[n] / fac(n), whole[n] / fac(n - 1)
                for k in range(n - 1, -1, -1):
                    step = step * d + point[k] / fac(k)
                    if k:
                        steepness = steepness * d + point[k] / fac(k - 1)
                g, slope = _narrower(g, step), _narrower(slope, steepness)
        return _narrower(g, point[0] + slope * d), slope

    def _refined(self, kind: int, low: arb, high: arb, first: int) -> Number:
        """The only zero in an interval at whose left end g has the sign `first`, by Newton's method on intervals."""
        with working_precision(FINE):
            box = low.union(high)
            for _ in range(200):
                middle = box.mid()
                g, slope = _of(kind, self.curve(middle, 4), middle)[0], _of(kind, self.curve(box, 4), box)[1]
                before = box.rad()
                if not slope.contains(0) and g.is_finite():
                    box = box.intersection(middle - g / slope)
                if box.rad() * 2 > before:
                    if not (g > 0 or g < 0):
                        break  # as narrow as this precision allows
                    upper = (1 if g > 0 else -1) == first
                    box = box.intersection(middle.union(box.upper()) if upper else box.lower().union(middle))
        return self._recognised(kind, box)

    def _recognised(self, kind: int, box: arb) -> Number:
        guess = simplest(box)
        if guess is not None and guess.q <= 1000 and abs(guess.p) <= 10000 and self._vanishes(kind, guess):
            return Number(constant(guess), guess)
        return Number(box)

    def _vanishes(self, kind: int, place: Expr) -> bool:
        """Whether g is 0 at a point, exactly; False where that can't be told."""
        with working_precision(FINE):
            at = constant(place)
            value = _of(kind, self.curve(at, 3), at)[0]
        if value > 0 or value < 0:
            return False
        try:
            return bool(End(place, "+").limit(self.expression(kind)).is_zero)
        except Undecided:
            return False

    def _touching(self, kind: int, low: arb, high: arb) -> tuple[int, Number | None, int] | None:
        """A zero where g' may vanish too, at the simplest fraction between, by the signs on both its sides."""
        guess = simplest(low.union(high))
        if guess is None or guess.q > 64 or (kind, guess) in self._tried:
            return None
        self._tried.add((kind, guess))
        expression = self.expression(kind)
        at, reach = constant(guess), 16
        while not ((at - low) * reach < 1 and (high - at) * reach < 1):
            reach *= 2
            if reach > 1 << 12:
                return None
        most = reach
        while (at - low) * 2 * most < 1 and (high - at) * 2 * most < 1 and most < 1 << 12:
            most *= 2
        if not self._vanishes(kind, guess):
            return None
        try:
            before, after = (End(guess, side).sign(expression, 16, most)[0] for side in "-+")
        except Undecided:
            return None
        return before, Number(at, guess), after


def number(value: Expr) -> Number:
    """An exact constant, infinite ones too."""
    if value.is_infinite:
        return Number(arb("inf") if value is S.Infinity else arb("-inf"), value)
    with working_precision(FINE):
        return Number(constant(value), value)


def simplest(box: arb) -> Rational | None:
    """The fraction of least denominator in a ball, or None where that takes a large one."""
    low, high = _fraction(box.lower()), _fraction(box.upper())
    if low > high:
        return None
    found = _simplest(low, high, 40)
    return None if found is None else Rational(found.numerator, found.denominator)


def _simplest(low: Fraction, high: Fraction, depth: int) -> Fraction | None:
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        found = _simplest(-high, -low, depth)
        return None if found is None else -found
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    if not depth:
        return None
    below = whole - 1
    inner = _simplest(1 / (high - below), 1 / (low - below), depth - 1)
    return None if inner is None else below + 1 / inner


def _fraction(x: arb) -> Fraction:
    mantissa, exponent = x.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _of(kind: int, coefficients: list[arb], x: arb) -> list[arb]:
    """g, g' and g'' from the Taylor coefficients of f."""
    derivatives = factorials(coefficients)
    if kind == EXCESS:
        return [derivatives[0] - x, derivatives[1] - 1, *derivatives[2:]]
    return derivatives[kind:]


def _narrower(a: arb, b: arb) -> arb:
    if not a.is_finite():
        return b
    if not b.is_finite():
        return a
    return a.intersection(b)

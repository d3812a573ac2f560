"""A function at many points: float64 values to find suspects with, and the oracle's balls to judge them.

The float64 values come from the printed NumPy code, which is fast and nearly right; nothing is concluded from them.
Breakpoints are found here again, from the conditions in the formula, so that a wrong set of pieces can't hide anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy
from flint import arb
from sympy import Expr, Piecewise, Pow, Rational
from sympy.core.relational import Relational

from actfn.definition import Definition
from actfn.formula import functions, parse
from actfn.formula.derivative import derivative
from actfn.formula.functions import X
from actfn.formula.pieces import unfold
from actfn.kernels.lower import program
from actfn.kernels.printed import numpy_function
from actfn.reference import Oracle

Array = np.ndarray[Any, np.dtype[np.float64]]

SUSPECTS = 24
"""How many of the worst points of a check the oracle judges."""

FAR = (2.0**16, 2.0**32, 2.0**64)
"""Where limits are held against values."""

_STEPS = (2.0**-12, 2.0**-18)
_SNAP = 2.0**40


class Sampled:
    """A definition at fixed parameters, at `count` or more points, more of them where claims break.

    `near` are points that claims speak of. Parameters count as the decimals that they print as, as they do in proofs.
    """

    def __init__(
        self, definition: Definition, values: Mapping[str, float], near: Iterable[float], count: int, seed: int
    ):
        self.definition, self.parameters = definition, dict(values)
        self.rule = {definition.symbols[n]: Rational(repr(float(v))) for n, v in values.items()}
        self.expression = definition.expression.xreplace(self.rule)
        self.near, self.count, self.seed = tuple(near), count, seed
        self._oracles: dict[Any, Oracle] = {}
        self._balls: dict[tuple[int, float], arb] = {}
        self._floats: dict[int, Array] = {}
        self._known_breaks: dict[int, list[tuple[float, str]]] = {}

    # -- points

    @cached_property
    def points(self) -> Array:
        """Sorted, finite, distinct; for most x there is -x too."""
        rng = np.random.default_rng(self.seed)
        half = self.count // 8
        wide = np.exp(rng.uniform(np.log(1e-18), np.log(1e4), half))
        parts = [
            *(rng.normal(0, 3, 2 * half), rng.uniform(-12, 12, half), wide, np.linspace(-8, 8, 2049)),
            *(np.exp(rng.uniform(np.log(1e4), np.log(1e18), half // 16)), [0.0, 5e-324, 1e-300, 1e30, 2.0**64]),
        ]
        for low, high in self.breakpoints:
            parts += [beside(low, rng, half // 16), beside(high, rng, half // 16)]
        special = [x for x in self.near if math.isfinite(x)]
        parts += [beside(x, rng, max(40, min(half // 16, 4 * half // (1 + len(special))))) for x in special]
        found = np.concatenate([np.asarray(p, dtype=np.float64) for p in parts])
        found = np.unique(np.concatenate([found, -found]))
        return found[np.isfinite(found)]

    @cached_property
    def breakpoints(self) -> tuple[tuple[float, float], ...]:
        """The floats on both sides of each place where a condition of the formula changes, the same twice where it is one."""
        found: set[tuple[float, float]] = set()
        for gap in gaps(self.expression):
            found |= set(crossings(gap))
        return tuple(sorted(found))

    @cached_property
    def exact_breakpoints(self) -> frozenset[float]:
        """Breakpoints that are floats: there a derivative is what the convention says."""
        return frozenset(low for low, high in self.breakpoints if low == high)

    @cached_property
    def free(self) -> np.ndarray:
        """Which points are no breakpoints."""
        return ~np.isin(self.points, list(self.exact_breakpoints))

    # -- values

    def floats(self, order: int = 0) -> Array:
        """f, f' or f'' at the points, in float64; NaN where that overflows."""
        if order not in self._floats:
            self._floats[order] = self.code(self.definition, order)(self.points)
        return self._floats[order]

    def code(self, definition: Definition, order: int = 0) -> Callable[[Array], Array]:
        """A definition with these parameters as NumPy code that is NaN where it isn't finite."""
        function, values = printed(definition, order), [np.float64(v) for v in self.parameters.values()]

        def finite(x: Array) -> Array:
            with np.errstate(all="ignore"):
                y = np.broadcast_to(np.asarray(function(x, *values), dtype=np.float64), x.shape)
            return np.where(np.isfinite(y), y, np.nan)

        return finite

    def ball(self, x: float, order: int = 0) -> arb:
        """f or a derivative at a float, to 128 bits; NaN where it has no value."""
        key = (order, float(x))
        if key not in self._balls:
            self._balls[key] = self.oracle(order).ball(x)
        return self._balls[key]

    def oracle(self, order: int = 0) -> Oracle:
        if order not in self._oracles:
            self._oracles[order] = Oracle(derivative(self.expression, order, self.conventions))
        return self._oracles[order]

    @cached_property
    def conventions(self) -> Any:
        """With breakpoints as numbers."""
        rules = self.definition.conventions
        if not isinstance(rules, Mapping):
            return rules
        symbols = self.definition.symbols
        return {str(parse(place, symbols).xreplace(self.rule)): rule for place, rule in rules.items()}

    def parsed(self, text: str) -> Expr:
        """A text in x and the parameters, at these parameters."""
        return parse(text, self.definition.symbols).xreplace(self.rule)

    def number(self, value: Any) -> arb:
        """A claimed number: text exactly, a float with what rounding it may have cost."""
        if isinstance(value, str) and value not in ("inf", "-inf"):
            return Oracle(self.parsed(value)).ball(0.0)
        value = float(value)
        return arb(value, abs(value) * 2.0**-52) if math.isfinite(value) else arb(value)

    def same(self, a: float, b: float) -> bool:
        """Whether f has one value at two points for certain: a rational one, or both lie on one level piece."""
        here, there = self.ball(a), self.ball(b)
        if here.is_exact() and there.is_exact():
            return bool(here == there)
        if not here.overlaps(there):
            return False
        level = self.branch(a)
        return not level.has(X) and level == self.branch(b)

    def branch(self, x: float) -> Expr:
        """The formula without its conditions, as it is at x."""
        plain = unfold(self.expression)
        while relations := plain.atoms(Relational):
            truth = {r: self._holds(r, x) for r in relations if not r.has(Piecewise)}
            plain = plain.xreplace(truth)
        return plain

    def _holds(self, relation: Relational, x: float) -> Any:
        value = Oracle(relation.lhs - relation.rhs).ball(x, None, 64)
        return relation.func(1 if value > 0 else -1 if value < 0 else 0, 0)

    # -- at breakpoints

    def sides(self, place: tuple[float, float], order: int, step: float) -> tuple[arb, arb]:
        """The derivative of an order to the left and to the right of a breakpoint, from divided differences of f alone."""
        low, high = place
        starts = (math.floor(low * _SNAP) / _SNAP, math.ceil(high * _SNAP) / _SNAP)
        left, right = (self._difference(start, side * step, order) for start, side in zip(starts, (-1, 1), strict=True))
        return left, right

    def _difference(self, start: float, step: float, order: int) -> arb:
        oracle, total = self.oracle(0), arb(0)
        for i in range(order + 1):
            value = oracle.ball(start + (i + 1) * step, None, 400)
            total += value * ((-1) ** (order - i) * math.comb(order, i))
        return total / arb(step) ** order

    def breaks(self, order: int) -> list[tuple[float, str]]:
        """Breakpoints where the derivative of an order jumps or has no limit, with what was seen."""
        if order not in self._known_breaks:
            self._known_breaks[order] = list(self._breaks(order))
        return self._known_breaks[order]

    def _breaks(self, order: int) -> Iterator[tuple[float, str]]:
        for place in self.breakpoints:
            if abs(place[0]) > 2.0**11:
                continue
            seen = [[*self.sides(place, order, h)] for h in _STEPS]
            if order == 0 and place[0] == place[1]:
                seen = [[*values, self.ball(place[0])] for values in seen]
            before, now = seen
            if not all(v.is_finite() for v in (*before, *now)):
                yield place[0], "no value"
                continue
            size = max(float(abs(v).upper()) for v in now)
            gap, gap_before = (max(float(abs(a - b).mid()) for a in values for b in values) for values in (now, before))
            grows = any(1.3 * abs(a) < abs(b) and abs(b) > 1e-6 for a, b in zip(before, now, strict=True))
            if (gap > 1e-4 * size and gap > 0.5 * gap_before) or (order and grows):
                yield place[0], " | ".join(v.str(8, radius=False) for v in now)


def beside(x: float, rng: np.random.Generator, count: int) -> Array:
    """A point, its nearest floats, and points on both sides at every distance."""
    near = [x]
    for way in (-math.inf, math.inf):
        at = x
        for _ in range(4):
            at = math.nextafter(at, way)
            near.append(at)
    away = np.exp2(rng.uniform(-52, 3, count)) * rng.choice([-1.0, 1.0], count) * max(abs(x), 1.0)
    return np.concatenate([near, x + away])


# -- breakpoints ----------------------------------------------------------------------------------------------------------


def gaps(expression: Expr) -> list[Expr]:
    """What changes its sign where the formula may not be smooth: both sides of a condition, and what is under a root."""
    plain = unfold(expression)
    found = {r.lhs - r.rhs for r in plain.atoms(Relational)}
    found |= {n.args[0] for n in plain.atoms(functions.cbrt, sympy.log, functions.log1p)}
    found |= {n.base for n in plain.atoms(Pow) if not (n.exp.is_integer and n.exp.is_nonnegative)}
    return sorted((g for g in found if g.has(X) and not g.is_positive), key=sympy.default_sort_key)


def crossings(gap: Expr) -> Iterator[tuple[float, float]]:
    """The floats on both sides of each zero of an expression, as far as they are found."""
    oracle = Oracle(gap)

    def sign(x: float) -> int | None:
        value = oracle.ball(x, None, 64)
        return 0 if value == 0 else 1 if value > 0 else -1 if value < 0 else None

    slope = sympy.diff(gap, X)
    grid = [k / 8 for k in range(-80, 81)] + [s * 2.0**k for k in range(4, 12) for s in (-1, 1)]
    if slope.is_number and slope.is_zero is False:  # one zero, and its bracket is known
        place = float(sympy.N(-gap.subs(X, 0) / slope, 30))
        grid = [place - 1 - abs(place), place, place + 1 + abs(place)]
    grid.sort()
    signs = [sign(x) for x in grid]
    for x, s in zip(grid, signs, strict=True):
        if s == 0:
            yield x, x
    for a, b, s, t in zip(grid, grid[1:], signs, signs[1:], strict=False):
        if s is not None and t is not None and s * t < 0:
            yield bisected(sign, a, b, s)


def bisected(sign: Callable[[float], int | None], a: float, b: float, first: int) -> tuple[float, float]:
    """Neighbouring floats between a and b with different signs, or one with none; `first` is the sign at a."""
    while True:
        middle = a + (b - a) / 2
        if middle in (a, b):
            return a, b
        s = sign(middle)
        if s in (0, None):
            return middle, middle
        a, b = (middle, b) if s == first else (a, middle)


# -- fast code ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def printed(definition: Definition, order: int) -> Callable[..., Any]:
    """The NumPy code of a definition's derivative, over x and the parameters."""
    steps = program(definition, order)
    return numpy_function(steps.arguments, steps.assignments, steps.result)


def worst(severity: Array, most: int = SUSPECTS) -> list[int]:
    """The indices of the largest positive numbers, the largest first."""
    severity = np.where(severity > 0, severity, 0)
    indices = np.argpartition(-severity, min(most, severity.size - 1))[:most] if severity.size else []
    return sorted((int(i) for i in indices if severity[i] > 0), key=lambda i: -severity[i])


def spread(indices: Any, most: int = SUSPECTS) -> list[int]:
    """So many of the indices, from all over them."""
    indices = np.asarray(indices)
    return (
        [int(i) for i in indices[np.unique(np.linspace(0, len(indices) - 1, most).astype(int))]] if len(indices) else []
    )

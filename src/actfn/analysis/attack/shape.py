"""Attacks on what is said of a function's shape: range, monotone, convex, Lipschitz constant, zeros, extremes, inflections.

Suspects are ranked by float64 values. What is yielded is settled by balls: a value beyond a claimed end, two values in
the wrong order, a change of sign with no claimed zero in between.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from flint import arb

from actfn.analysis.attack.sampled import FAR, Array, Sampled, bisected, spread, worst
from actfn.analysis.claims import Claim

Found = tuple[str, tuple[float, ...], str]
"""Kind ("wrong" or "loose"), the points, and what is the case there."""


def shown(value: arb) -> str:
    return value.str(20, radius=False)


# -- values -------------------------------------------------------------------------------------------------------------


def of_range(s: Sampled, claim: Claim) -> Iterator[Found]:
    y = s.floats()
    for name, way in (("low", -1), ("high", 1)):
        end, taken = claim.value[name], claim.value[f"{name}_attained"]
        if end in ("inf", "-inf"):
            if max(abs(s.ball(w * x)).abs_lower() for x in FAR for w in (-1, 1)) < 8 and np.nanmax(way * y) < 100:
                yield "loose", (), f"no value comes near {name} = {end}"
            continue
        limit = s.number(end)
        beyond = way * (y - float(end))
        for i in worst(beyond + 1e-14 * abs(float(end)) + 1e-300):
            x = float(s.points[i])
            if s.ball(x) * way > limit * way:
                yield "wrong", (x,), f"f = {shown(s.ball(x))} lies beyond {name} = {end!r}"
                break
            if not taken and s.ball(x).is_exact() and s.ball(x) == arb(float(end)):
                yield "wrong", (x,), f"f takes its {name} value {end!r}"
                break
        best = float(s.points[np.nanargmax(way * y)])
        scale = max(abs(float(end)), float(np.nanmax(y) - np.nanmin(y)) if np.nanmax(y) < 1e9 else 1.0)
        tails = [s.ball(w * x) for x in FAR for w in (-1, 1)]
        if all(way * (limit - v) > 0.01 * scale for v in (s.ball(best), *tails)):
            yield "loose", (best,), f"the outermost value found, {shown(s.ball(best))}, is far from {name} = {end!r}"
        elif taken and not _takes(s, limit, float(end), way) and not any(_peak(s, x, limit, way) for x in _top(s, way)):
            yield "wrong", (best,), f"{name} = {end!r} is said to be taken, and only comes near"


def _takes(s: Sampled, limit: arb, end: float, way: int) -> bool:
    """Whether some point has the value, to a few ulps, with no larger one beside it."""
    y = s.floats()
    near = np.flatnonzero(np.abs(y - end) <= 4e-16 * abs(end) + 1e-300)
    close = near[np.argsort(np.abs(s.points[near]), kind="stable")][:SHORT]
    points = [*s.near, *(float(s.points[i]) for i in close)]
    exact = (s.ball(float(s.points[i])) for i in spread(near))
    return any(_peak(s, x, limit, way) for x in points) or any(v.is_exact() and limit.contains(v) for v in exact)


SHORT = 60


def _top(s: Sampled, way: int) -> tuple[float, ...]:
    """The floats beside the top, where f' changes its sign next to the largest value found."""
    sign, i = signs_of(lambda x: s.ball(x, 1)), int(np.nanargmax(way * s.floats()))
    a, b = (float(s.points[j]) for j in (max(i - 1, 0), min(i + 1, len(s.points) - 1)))
    first, last = sign(a), sign(b)
    return bisected(sign, a, b, first) if first and last == -first else ()


def _peak(s: Sampled, x: float, limit: arb, way: int) -> bool:
    step = 2.0**-10 * max(abs(x), 1.0)
    value, *beside = (s.oracle().ball(p, None, 1024) for p in (x, x + step, x - step))  # sees 1 - 1e-300
    return limit.overlaps(value) and not any(way * b > way * value or not b.is_finite() for b in beside)


def of_bounded(s: Sampled, claim: Claim) -> Iterator[Found]:
    inner = float(np.nanmax(np.abs(s.floats()[np.abs(s.points) < 2.0**20])))
    for x in (-(2.0**64), 2.0**64, -(2.0**100), 2.0**100):
        value = abs(s.ball(x))
        if claim.value and (value > 1.5 * inner + 1 or (not value.is_finite() and not value.is_nan())):
            yield "wrong", (x,), f"|f| = {shown(value)} grows beyond {inner:.6g}"
            return
        if not claim.value and (value > max(4.0, 1.2 * inner) or value.mid() > 1e6 or not value.is_finite()):
            return
    if not claim.value and inner < 1e3:
        yield "loose", (), f"no |f| beyond {inner:.6g} is found"


# -- which way it goes ----------------------------------------------------------------------------------------------------


def steps(s: Sampled, way: int, most: int = 24) -> Iterator[tuple[float, float]]:
    """Pairs a < b for which f(b) - f(a) has the sign `way` for certain, the plainest first."""
    y = s.floats()
    known = np.flatnonzero(~np.isnan(y))
    rise = way * np.diff(y[known])
    size = np.abs(y[known])
    relative = rise / (np.maximum(size[:-1], size[1:]) + 1e-300)
    for i in dict.fromkeys([*worst(rise, most), *worst(relative, most)]):
        a, b = float(s.points[known[i]]), float(s.points[known[i + 1]])
        gap = s.ball(b) - s.ball(a)
        if way * gap > 0:
            yield a, b


def level(s: Sampled) -> Iterator[tuple[float, float]]:
    """Pairs a < b with exactly one value."""
    y = s.floats()
    for i in spread(np.flatnonzero(y[1:] == y[:-1]), 64):
        a, b = float(s.points[i]), float(s.points[i + 1])
        if s.same(a, b):
            yield a, b


def of_monotone(s: Sampled, claim: Claim) -> Iterator[Found]:
    up, down = next(steps(s, 1), None), next(steps(s, -1), None)
    if claim.value is False:
        if not (up and down):
            yield "loose", (), "no rise and fall are found"
        return
    against = down if "increasing" in claim.value else up
    if against:
        yield "wrong", against, f"f = {shown(s.ball(against[0]))}, then {shown(s.ball(against[1]))}"
    flat = next(level(s), None)
    if "strictly" in claim.value and flat:
        yield "wrong", flat, f"f = {shown(s.ball(flat[0]))} at both"
    if "strictly" not in claim.value and not flat:
        yield "loose", (), "no two points with one value are found"


def bends(s: Sampled, way: int) -> Iterator[tuple[tuple[float, ...], str]]:
    """Places where f'' has the sign `way` for certain, or three points that lie so at a breakpoint."""
    for i in worst(np.where(s.free, way * s.floats(2), 0)):
        x = float(s.points[i])
        if way * s.ball(x, 2) > 0:
            yield (x,), f"f'' = {shown(s.ball(x, 2))}"
    for low, high in s.breakpoints:
        for step, where in itertools.product((2.0**-6, 2.0**-20), ((-1, 0, 1), (-2, -1, 1), (-1, 1, 2))):
            a, b, c = ((high if i > 0 else low) + i * step * max(abs(low), 1) for i in where)
            over = s.ball(a) * (arb(c) - b) + s.ball(c) * (arb(b) - a) - s.ball(b) * (arb(c) - a)
            if way * over > 0:
                yield (a, b, c), f"f = {', '.join(shown(s.ball(x)) for x in (a, b, c))}"


def of_convex(s: Sampled, claim: Claim) -> Iterator[Found]:
    up, down = next(bends(s, 1), None), next(bends(s, -1), None)
    if claim.value is False:
        if not (up and down):
            yield "loose", (), "no place where it is convex and none where it is concave, or only one"
        return
    for name, against in (("convex", down), ("concave", up)):
        if against and claim.value in (name, "affine"):
            yield "wrong", against[0], against[1]
    if claim.value != "affine" and not (up or down):
        yield "loose", (), "f is straight wherever it is looked at"


def of_lipschitz(s: Sampled, claim: Claim) -> Iterator[Found]:
    slopes = np.where(s.free, np.abs(s.floats(1)), 0)
    found: list[tuple[arb, tuple[float, ...]]] = []
    found += [(abs(s.ball(x, 1)), (x,)) for x in (float(s.points[i]) for i in worst(slopes))]
    for place in s.breakpoints:  # the slope on each side, and across
        low, high = place
        for a, b in ((low - 2.0**-30, low), (high, high + 2.0**-30), (low - 2.0**-30, high + 2.0**-30)):
            found.append((abs((s.ball(b) - s.ball(a)) / (arb(b) - a)), (a, b)))
    tails = [(abs(s.ball(w * x, 1)), (w * x,)) for x in FAR for w in (-1, 1)]
    found = [(slope, at) for slope, at in found + tails if slope.is_finite()]
    slope, at = max(found, key=lambda f: float(f[0].lower()))
    if claim.value == "inf":
        inner = float(np.nanmax(slopes[np.abs(s.points) < 16.0]))
        if not (slope > 1e3 or slope > 4 * inner or s.breaks(0)):
            yield "loose", at, f"the steepest slope found is {shown(slope)}"
        return
    limit = s.number(claim.value) if claim.ball is None else arb(*claim.ball)
    if slope > limit:
        yield "wrong", at, f"a slope of {shown(slope)}"
    elif not slope > 0.99 * limit:
        yield "loose", at, f"the steepest slope found is {shown(slope)}"


# -- points -------------------------------------------------------------------------------------------------------------

Spans = list[tuple[float, float, Any]]


def listed(value: Any) -> tuple[Spans, float]:
    """(from, to, item) of each listed point or stretch, and how far from 0 the list is told."""
    if not isinstance(value, dict):
        return [(*ends(item), item) for item in value], math.inf
    if "period" not in value:
        return [], 0.0
    once, period = [(*ends(item), item) for item in value["in one period"]], value["period"]
    return [(a + k * period, b + k * period, item) for k in range(-6, 7) for a, b, item in once], 5 * period


def ends(item: Any) -> tuple[float, float]:
    if isinstance(item, dict):
        return ends(item["x"]) if "x" in item else (float(item["from"]), float(item["to"]))
    return float(item), float(item)


def near(a: float, b: float, spans: Spans) -> bool:
    """Whether an interval meets a listed point or stretch, up to what a float may be off."""
    return any(a <= high + _slack(high) and low - _slack(low) <= b for low, high, _ in spans)


def _slack(x: float) -> float:
    return 1e-13 * max(1.0, abs(x)) if math.isfinite(x) else 0.0


Sign = Callable[[float], int | None]


def signs_of(value: Callable[[float], arb]) -> Sign:
    def sign(x: float) -> int | None:
        v = value(x)
        return 1 if v > 0 else -1 if v < 0 else 0 if v.is_exact() and v == 0 else None

    return sign


def of_zeros(s: Sampled, claim: Claim) -> Iterator[Found]:
    return _roots(s, claim, s.floats(), lambda x: s.ball(x), "f")


def of_fixed_points(s: Sampled, claim: Claim) -> Iterator[Found]:
    return _roots(s, claim, s.floats() - s.points, lambda x: s.ball(x) - arb(x), "f - x")


def _roots(s: Sampled, claim: Claim, y: Array, value: Callable[[float], arb], name: str) -> Iterator[Found]:
    sign, (spans, reach) = signs_of(value), listed(claim.value)
    for low, high, _ in spans:
        if abs(low) > reach and low == high:
            continue
        if low == high:
            width = _slack(low)
            about = [low - width, math.nextafter(low, -math.inf), low, math.nextafter(low, math.inf), low + width]
            seen = {sign(x) for x in about}
            if not (0 in seen or {1, -1} <= seen or abs(value(low)) < 1e-20):
                yield "wrong", (low,), f"{name} = {shown(value(low))}"
            continue
        inside = s.points[(s.points > low) & (s.points < high)]
        edges = [x + w * _slack(x) for x, w in ((low, 1), (high, -1)) if math.isfinite(x)]
        inside = [x for x in edges if low < x < high] + [float(inside[i]) for i in spread(np.arange(len(inside)))]
        wrong = next((x for x in inside if value(x) > 0 or value(x) < 0), None)
        if wrong is not None:
            yield "wrong", (wrong,), f"{name} = {shown(value(wrong))}"
    if isinstance(claim.value, dict) and "period" not in claim.value:
        pairs = changes(s, y, 200)
        crossings = sum(sign(a) in (1, -1) and sign(a) == -(sign(b) or 0) for a, b in pairs)
        size = np.abs(y)
        touches = np.sum((size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:]) & (size[1:-1] < 1e-4))
        if crossings < 8 and touches < 2:
            yield "loose", (), f"{name} is seen to change its sign less than 8 times"
        return
    zero = y == 0
    alone = zero & ~np.roll(zero, 1) & ~np.roll(zero, -1)
    for i in (*spread(np.flatnonzero(zero)), *spread(np.flatnonzero(alone))):
        x = float(s.points[i])
        if abs(x) <= reach and sign(x) == 0 and not near(x, x, spans):
            yield "wrong", (x,), f"{name} is 0"
            break
    for a, b in changes(s, y):
        first = sign(a)
        if max(abs(a), abs(b)) > reach or near(a, b, spans) or not first or sign(b) != -first:
            continue
        a, b = bisected(sign, a, b, first)
        if a == b or not (abs(value(a)) > 1e-9 and abs(value(b)) > 1e-9):  # no jump
            yield "wrong", (a, b), f"{name} = {shown(value(a))}, then {shown(value(b))}"
            break


def changes(s: Sampled, y: Array, most: int = 64) -> list[tuple[float, float]]:
    """Neighbouring points where float64 values have different signs; zeros between them are passed over."""
    known = np.flatnonzero(~np.isnan(y) & (y != 0))
    places = np.flatnonzero(np.diff(np.sign(y[known])))
    return [(float(s.points[known[i]]), float(s.points[known[i + 1]])) for i in spread(places, most)]


def of_extremes(s: Sampled, claim: Claim) -> Iterator[Found]:
    spans, reach = listed(claim.value)
    y = s.floats()
    for low, high, item in spans:
        if min(abs(low), abs(high)) > reach:
            continue
        yield from _extreme(s, low, high, item, y)
    turns = list(_turns(s, y))
    if isinstance(claim.value, dict) and "period" not in claim.value:
        if sum(1 for _ in turns) < 8:
            yield "loose", (), "less than 8 extremes are found"
        return
    for a, x, b, kind in turns:
        mine = [span for span in spans if span[2]["kind"] == kind]
        jumps = any(a <= at <= b for at, _ in s.breaks(0))
        if max(abs(a), abs(b)) <= reach and not near(a, b, mine) and not jumps:
            yield "wrong", (a, x, b), f"a {kind}: f = {', '.join(shown(s.ball(p)) for p in (a, x, b))}"
            break


def _extreme(s: Sampled, low: float, high: float, item: Any, y: Array) -> Iterator[Found]:
    way = 1 if item["kind"] == "maximum" else -1
    top = s.number(item["y"])
    jumps = [at for at, _ in s.breaks(0)]  # where a stretch may end without its end
    inside = [x for x in (low, high) if math.isfinite(x) and not (low < high and x in jumps)]
    if low < high:
        inside += [x for x in (low + 1.0, high - 1.0, (low + high) / 2) if low < x < high and math.isfinite(x)]
    for x in inside:
        if abs(s.ball(x) - top) > 1e-12 * (abs(top) + abs(s.ball(x)) + _slope(s, x)):
            yield "wrong", (x,), f"f = {shown(s.ball(x))}, not {item['y']!r}"
            return
    for x, side in ((low, -1), (high, 1)):
        for step in (2.0**-20, 2.0**-40) if s.breakpoints else (2.0**-20,):
            at = x + side * step * max(1.0, abs(x))
            larger = (
                way * (s.ball(at) - top) > 1e-15 * (abs(top) + _slope(s, x) * abs(x)) if math.isfinite(at) else False
            )
            if larger:
                yield "wrong", (at,), f"f = {shown(s.ball(at))} beside the {item['kind']} {item['y']!r}"
                return
    i = int(np.nanargmax(way * y))
    x = float(s.points[i])
    beyond = way * (s.ball(x) - top) > 1e-14 * abs(top)
    if item["global"] and beyond:
        yield "wrong", (x,), f"f = {shown(s.ball(x))} beyond the global {item['kind']} {item['y']!r}"
    if not item["global"] and not beyond and not any(way * (s.ball(w * t) - top) > 0 for t in FAR for w in (-1, 1)):
        yield "loose", (low,), f"nothing is found beyond the {item['kind']} {item['y']!r}"


def _slope(s: Sampled, x: float) -> float:
    value = s.ball(x, 1)
    return float(abs(value).upper()) if value.is_finite() else 1.0


def _turns(s: Sampled, y: Array) -> Iterator[tuple[float, float, float, str]]:
    """(a, x, b, kind): a value for certain above, or below, those at a and b."""
    known = np.flatnonzero(~np.isnan(y))
    start = known[np.flatnonzero(np.diff(y[known], prepend=np.inf) != 0)]  # runs of one value
    height = np.diff(y[start])
    for way, kind in ((1, "maximum"), (-1, "minimum")):
        tops = np.flatnonzero((way * height[:-1] > 0) & (way * height[1:] < 0)) + 1
        depth = np.minimum(np.abs(height[tops - 1]), np.abs(height[tops]))
        for j in dict.fromkeys([*worst(depth, 40), *worst(depth / np.abs(y[start[tops]] + 1e-300), 40)]):
            k = tops[j]
            a, x, b = (float(s.points[i]) for i in (start[k] - 1, start[k], start[k + 1]))
            if all(way * (s.ball(x) - s.ball(p)) > 0 for p in (a, b)):
                yield a, x, b, kind


def of_inflections(s: Sampled, claim: Claim) -> Iterator[Found]:
    spans, reach = listed(claim.value)
    sign = signs_of(lambda x: s.ball(x, 2))
    for low, high, _ in spans:
        if max(abs(low), abs(high)) > reach:
            continue
        seen = [sign(x + w * 2.0**-20 * max(1.0, abs(x))) for x, w in ((low, -1), (high, 1))]
        if None not in seen and seen[0] != -(seen[1] or 2):
            yield "wrong", (low, high), "f'' has one sign on both sides, or is 0"
    pairs = changes(s, np.where(s.free, s.floats(2), 0))
    certain = [(a, b) for a, b in pairs if sign(a) and sign(b) == -(sign(a) or 0)]
    if isinstance(claim.value, dict) and "period" not in claim.value:
        if len(certain) < 8:
            yield "loose", (), "f'' is seen to change its sign less than 8 times"
        return
    kinks = [at for order in (0, 1) for at, _ in s.breaks(order)]
    for a, b in certain:
        if max(abs(a), abs(b)) > reach or near(a, b, spans) or any(a <= k <= b for k in kinks):
            continue
        yield "wrong", (a, b), f"f'' = {shown(s.ball(a, 2))}, then {shown(s.ball(b, 2))}"
        break

"""Attacks on what is said of the formula: smoothness, both ends, parity, homogeneity, inverses, and what is given as text.

A text is compared with f by balls at single points; an antiderivative by its rise over short stretches against a
Gaussian rule over f. Ends are looked at far out, up to 2^64, where what converges must have come closer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import sympy
from flint import arb

from actfn.analysis.attack.sampled import FAR, Sampled, spread, worst
from actfn.analysis.attack.shape import Found, level, shown, steps
from actfn.analysis.claims import Claim
from actfn.definition import Definition
from actfn.formula import parse
from actfn.formula.functions import X
from actfn.reference import Oracle

_SIDES = (("left", -1), ("right", 1))
_ORDERS = 4
"""Derivatives beyond this one are not looked at."""


def of_smoothness(s: Sampled, claim: Claim) -> Iterator[Found]:
    order = math.inf if claim.value == "inf" else claim.value
    for k in range(int(min(order, _ORDERS)) + 1):
        for at, what in s.breaks(k):
            yield "wrong", (at,), f"the derivative of order {k} on both sides: {what}"
            return
    conditional = bool(claim.certificate) and " if " in claim.certificate[-1]
    if order < _ORDERS and not conditional and not s.breaks(int(order) + 1):
        yield "loose", (), f"the derivative of order {int(order) + 1} is continuous wherever it is looked at"


# -- the ends -----------------------------------------------------------------------------------------------------------


def of_limits(s: Sampled, claim: Claim) -> Iterator[Found]:
    for name, way in _SIDES:
        value = claim.value[name]
        far = [way * x for x in FAR]
        y = [s.ball(x) for x in far]
        if value is None:
            oscillating = [s.ball(x) for x in _about(far[1])]
            if all(abs(a - oscillating[0]) < 1e-9 for a in oscillating[1:]):
                yield "loose", (far[1],), f"f = {shown(oscillating[0])} at several points far out"
            continue
        if value in ("inf", "-inf"):
            sign = 1 if value == "inf" else -1
            if any(v.is_nan() for v in y):
                continue
            if not all(sign * v > 8 or not v.is_finite() for v in y[1:]) or (
                y[1].is_finite() and y[2].is_finite() and not sign * y[2] > sign * y[1]
            ):
                yield "wrong", (far[2],), f"f = {shown(y[1])}, then {shown(y[2])}"
            continue
        yield from _comes_near(s.ball, way, s.number(value), f"the limit {value!r}")


def _comes_near(value: Callable[[float], arb], way: int, limit: arb, name: str) -> Iterator[Found]:
    """Nothing where the distance from the limit falls, or may be zero."""
    most: list[tuple[float, float]] = []
    for far in FAR[1:]:
        gaps = [(float(abs(value(x) - limit).lower()), x) for x in _about(way * far) if not value(x).is_nan()]
        most.append(max(gaps, default=(0.0, way * far)))
    (before, _), (after, x) = most
    if after > 0.75 * before:
        yield "wrong", (x,), f"{shown(value(x))} isn't nearer to {name} than {before:.6g}"


def _about(x: float) -> list[float]:
    return [x * (1 + k / 8) for k in range(8)]


def of_asymptotes(s: Sampled, claim: Claim) -> Iterator[Found]:
    for name, way in _SIDES:
        line, rate = claim.value[name], claim.value[f"{name}_rate"]
        rest = s.expression if line is None else s.expression - s.parsed(line)
        oracle = Oracle(rest)
        if line is not None:
            yield from _comes_near(lambda x, o=oracle: o.ball(x, None, 64), way, arb(0), f"the line {line}")
        elif _straight(s, way):
            yield "loose", (way * FAR[1],), "f lies on a line at four points far out"
        if not rate or rate.startswith("O("):
            continue
        if rate == "0":
            last = max((way * x for place in s.breakpoints for x in place), default=0.0)
            far = (way * (last + x) for x in (1.0, 30.0, *FAR))
            wrong = next((x for x in far if oracle.ball(x, None, 64).abs_lower() > 0), None)
            if wrong is not None:
                yield "wrong", (wrong,), f"f is not on the line {line}"
            continue
        leading, last = Oracle(s.parsed(rate)), []
        for x in (way * x for x in (2.0**4, 2.0**6, 2.0**8, 2.0**12, 2.0**20, 2.0**40)):
            a, b = oracle.ball(x, None, 64), leading.ball(x, None, 64)
            if a.is_finite() and b.is_finite() and not a.contains(0) and not b.contains(0):
                last.append((abs(a / b - 1), x, a, b))
        if "sin" in rate or "cos" in rate or len(last) < 2:
            continue
        (before, *_), (gap, x, a, b) = last[-2:]
        if gap > 0.05 and not gap < 0.9 * before:
            yield "wrong", (x,), f"what is left is {shown(a)}, not about {shown(b)}"


def _straight(s: Sampled, way: int) -> bool:
    x = [way * k * FAR[1] for k in (1, 2, 3, 5)]
    y = [s.ball(p) for p in x]
    slope = (y[1] - y[0]) / (x[1] - x[0])
    return all(abs(b - y[0] - slope * (p - x[0])) < 1e-6 for p, b in zip(x[2:], y[2:], strict=True))


def of_saturating(s: Sampled, claim: Claim) -> Iterator[Found]:
    for name, way in _SIDES:
        y = [s.ball(way * x) for x in FAR]
        slope = abs(s.ball(way * FAR[1], 1))
        if claim.value[name] and (not y[2].is_finite() or abs(y[2] - y[1]) > 0.1 or slope > 0.01):
            yield "wrong", (way * FAR[1],), f"f = {shown(y[1])}, then {shown(y[2])}; |f'| = {shown(slope)}"
        more = [s.ball(x) for x in _about(way * FAR[1])]
        if not claim.value[name] and slope < 1e-3 and all(abs(v - y[1]) < 1e-3 for v in (y[2], *more)):
            yield "loose", (way * FAR[1],), f"f = {shown(y[1])}, and |f'| = {shown(slope)}"


# -- identities ---------------------------------------------------------------------------------------------------------


def of_parity(s: Sampled, claim: Claim) -> Iterator[Found]:
    y = s.floats()
    mirrored = s.code(s.definition)(-s.points)
    against = {}
    for name, way in (("even", 1), ("odd", -1)):
        gap = np.abs(mirrored - way * y)
        for i in dict.fromkeys([*worst(gap), *worst(gap / (np.abs(y) + 1e-300)), *_places(s)]):
            x = float(s.points[i])
            here, there = s.ball(x), s.ball(-x)
            if abs(there - way * here) > 0:
                against[name] = (x, f"f = {shown(here)}, and {shown(there)} at -x")
                break
    if claim.value is False:
        for name in {"even", "odd"} - set(against):
            yield "loose", (), f"nothing is found against f being {name}"
    elif claim.value in against:
        x, what = against[claim.value]
        yield "wrong", (x,), what


def _places(s: Sampled) -> list[int]:
    """The indices of breakpoints and of 0."""
    places = [0.0, *(x for place in s.breakpoints for x in place)]
    return np.searchsorted(s.points, places).tolist()


def of_homogeneous(s: Sampled, claim: Claim) -> Iterator[Found]:
    points = [float(s.points[i]) for i in spread(np.flatnonzero(np.abs(s.points) < 64), 200)]
    points += [w * x for x in (0.125, 0.5, 1.0, 2.0, 5.5) for w in (-1.0, 1.0)]
    if claim.value is False:
        for x in points:
            y = [s.ball(k * x) for k in (1, 2, 4)]
            if abs(y[0] * y[2] - y[1] ** 2) > 0:
                return
        pairs = ((s.ball(x), s.ball(2 * x)) for x in points)
        degrees = [b / a for a, b in pairs if not a.contains(0)]
        if not any(d > degrees[0] or d < degrees[0] for d in degrees):
            yield "loose", (), "f(4x) f(x) = f(2x)^2 wherever it is looked at"
        return
    degree = arb(claim.value) if isinstance(claim.value, int) else s.number(claim.value)
    for x in points:
        for c in (2.0, 3.0, 0.25):
            if x * c / c == x and abs(s.ball(c * x) - arb(c) ** degree * s.ball(x)) > 0:
                if (c * x).as_integer_ratio() != _product(c, x):
                    continue
                yield "wrong", (x, c * x), f"f = {shown(s.ball(x))}, then {shown(s.ball(c * x))}"
                return


def _product(c: float, x: float) -> tuple[int, int]:
    return (Fraction(c) * Fraction(x)).as_integer_ratio()


def twice(s: Sampled) -> tuple[tuple[float, ...], str] | None:
    """Two points with one value, or three on a stretch without jumps of which the middle one lies above or below both."""
    flat = next(level(s), None)
    if flat:
        return flat, f"f = {shown(s.ball(flat[0]))} at both"
    y = s.floats()
    order = np.argsort(y, kind="stable")
    order = order[~np.isnan(y[order])]
    same = np.flatnonzero(np.diff(y[order]) == 0)
    for k in spread(same, 64):
        a, b = (float(s.points[i]) for i in order[k : k + 2])
        if s.same(a, b):
            return (a, b), f"f = {shown(s.ball(a))} at both"
    up, down = list(steps(s, 1)), list(steps(s, -1))
    jumps = [at for at, _ in s.breaks(0)]
    for rise in up:
        for fall in down:
            low, high = min(rise[0], fall[0]), max(rise[1], fall[1])
            if not any(low <= at <= high for at in jumps):
                return (*rise, *fall), "f rises between the first two and falls between the others, without a jump"
    return None


def of_invertible(s: Sampled, claim: Claim) -> Iterator[Found]:
    found = twice(s)
    if claim.value and found:
        yield "wrong", *found
    if not claim.value and not found:
        yield "loose", (), "no value is found twice"


def of_inverse(s: Sampled, claim: Claim) -> Iterator[Found]:
    if claim.value is None:
        if not twice(s):
            yield "loose", (), "there is said to be none, and no value is found twice"
        return
    yield from _composed(s, claim.value, "x", lambda x: arb(x), "x")


def of_derivative_from_output(s: Sampled, claim: Claim) -> Iterator[Found]:
    if claim.value is False:
        if not twice(s):
            yield "loose", (), "there is said to be none, and no value is found twice"
    elif claim.value is not None:
        yield from _composed(s, claim.value, "y", lambda x: s.ball(x, 1), "f'")


def _composed(s: Sampled, text: str, name: str, expected: Callable[[float], arb], what: str) -> Iterator[Found]:
    """A text in the output, put behind f, against what it is to give."""
    output = X if name == "x" else sympy.Symbol(name, real=True)
    stated = parse(text, {**s.definition.symbols, **({} if name == "x" else {name: output})}).xreplace(s.rule)
    points = s.points[s.free & (np.abs(s.points) < 24)]
    places = [x for place in s.breakpoints for x in place]
    for piece in np.split(points, np.searchsorted(points, places)):
        if not len(piece):
            continue
        oracle = Oracle(stated.xreplace({output: s.branch(float(piece[len(piece) // 2]))}))
        for x in (float(piece[i]) for i in spread(np.arange(len(piece)), 60)):
            got, true = oracle.ball(x, None, 96), expected(x)
            if got.is_finite() and abs(got - true) > 1e-25 * abs(true):
                yield "wrong", (x,), f"it gives {shown(got)}, and {what} = {shown(true)}"
                return


_NODES, _WEIGHTS = (a.tolist() for a in np.polynomial.legendre.leggauss(6))
_WIDTH = 2.0**-7


def of_antiderivative(s: Sampled, claim: Claim) -> Iterator[Found]:
    """F(b) - F(a) against a Gaussian rule of six points and itself on both halves, between breakpoints and up to them."""
    if claim.value is None:
        return
    stated = Definition("stated", claim.value, s.definition.parameters)
    x = s.points[(np.abs(s.points) < 40) & (np.abs(s.points) > 1e-6)]
    a = x[:-1:5]
    b = a + _WIDTH
    code, F = s.code(s.definition), s.code(stated)
    mean = np.sum([w / 2 * code((a + b) / 2 + t * _WIDTH / 2) for t, w in zip(_NODES, _WEIGHTS, strict=True)], axis=0)
    rise = (F(b) - F(a)) / _WIDTH
    noise = 1e-15 * np.abs(F(a)) / _WIDTH + 1e-13 * np.abs(mean) + 1e-18
    for low, high in s.breakpoints:
        mean[(a <= high) & (b >= low)] = np.nan
    suspects = [(float(a[i]), float(b[i])) for i in worst(np.abs(rise - mean) / noise, 12)]
    suspects += [(float(a[i]), float(b[i])) for i in spread(np.flatnonzero(~np.isnan(mean)), 12)]
    oracle = Oracle(s.parsed(claim.value))
    for low, high in s.breakpoints:  # and whether it is continuous across
        suspects += [(low - _WIDTH, low), (high, high + _WIDTH)]
        gap = abs(oracle.ball(low - 2.0**-40) - oracle.ball(high + 2.0**-40))
        if gap > 1e-9 * (1 + abs(oracle.ball(high + 2.0**-40))):
            yield "wrong", (low,), f"it jumps by {shown(gap)}"
            return
    for low, high in suspects:
        middle = (low + high) / 2
        whole, halves = _integral(s, low, high), _integral(s, low, middle) + _integral(s, middle, high)
        got = oracle.ball(high) - oracle.ball(low)
        rounding = 1e-12 * (abs(s.ball(low)) + abs(s.ball(high))) * (high - low)  # of the six points
        if abs(got - halves) > 4 * abs(whole - halves) + 1e-10 * abs(got) + rounding:
            yield "wrong", (low, high), f"it rises by {shown(got)}, and the integral of f is {shown(halves)}"
            return


def _integral(s: Sampled, low: float, high: float) -> arb:
    nodes = ((low + high) / 2 + t * (high - low) / 2 for t in _NODES)
    return sum((s.ball(x) * w for x, w in zip(nodes, _WEIGHTS, strict=True)), arb(0)) * (high - low) / 2

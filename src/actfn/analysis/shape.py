"""What is proven of the shape of a function at fixed parameters: range, monotone, convex, Lipschitz constant, zeros, extremes.

Everything is read off the certified signs of f, f - x, f' and f'' along the whole line (`analysis.graph`) and exact
limits at the ends of the pieces. A function that oscillates for ever has no finite list of signs: what can still be
shown of it comes from `analysis.waves`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from actfn.analysis.claims import Claim
from actfn.analysis.extent import (
    FAILURES,
    Candidate,
    bounded_claim,
    claimed,
    decimal_text,
    jump_lines,
    outermost,
    proven,
    range_claim,
    unknown,
)
from actfn.analysis.graph import Graph, Mark, Profile, compare, decimal_ball, plain, steepest, text
from actfn.analysis.roots import CURVATURE, EXCESS, NAMES, SLOPE, F, Number, number
from actfn.analysis.waves import OSCILLATING
from actfn.definition import Definition

CLAIMS = ("range", "bounded", "monotone", "convex", "lipschitz", "zeros", "fixed_points", "extremes", "inflections")


def shape(definition: Definition, **parameters: float) -> dict[str, Claim]:
    """The claims named in `CLAIMS`, at the parameters given and the defaults of the others.

    Never raises for a formula that parses: what can't be decided has status "unknown", and its certificate says where
    the work stopped. Raises `ValueError` for a parameter that doesn't exist or lies outside its domain.
    """
    values = definition.values(parameters)
    where = ", ".join(f"{name} = {value:.12g}" for name, value in values.items())
    _ = definition.expression  # raises where the text can't be read
    try:
        graph = Graph(definition, parameters)
    except FAILURES as reason:
        return dict.fromkeys(CLAIMS, unknown(reason))
    found = {}
    for name in CLAIMS:
        claim = claimed(_RULES[name], graph)
        if claim.status != "proven":
            oscillating = claimed(OSCILLATING[name], graph)
            claim = oscillating if oscillating.status == "proven" else claim
        found[name] = Claim(
            claim.value, claim.status, (*claim.certificate, f"at {where}") if where else claim.certificate, claim.ball
        )
    return found


# -- values -------------------------------------------------------------------------------------------------------------


def _candidates(graph: Graph) -> list[Candidate]:
    """(value, whether f takes it, where) of everything that can be the largest or the smallest value."""
    found = [
        (graph.end(F, side), False, f"the limit at {'-' * (side == 'left')}infinity") for side in ("left", "right")
    ]
    profile = graph.profile(SLOPE)
    for mark in profile.marks:
        found.append((graph.height(mark), True, f"f({text(mark.x)})"))
        if mark.breakpoint is not None:
            for side in ("left", "right"):
                beside = f"the limit at {text(mark.x)} from the {side}"
                found.append((graph.limit(F, mark.breakpoint, side), False, beside))
    for i, s in enumerate(profile.signs):
        if s == 0:
            found.append((_level(graph, profile, 2 * i, 2 * i), True, "on an interval where f is constant"))
    return found


def _range(graph: Graph) -> Claim:
    return range_claim(_candidates(graph), graph.line(SLOPE))


def _bounded(graph: Graph) -> Claim:
    return bounded_claim(_range(graph))


def _monotone(graph: Graph) -> Claim:
    profile = graph.profile(SLOPE)
    steps = []
    for i in graph.jumps:
        left, value, right = graph.limit(F, i, "left"), graph.heights[i], graph.limit(F, i, "right")
        steps += [compare(value, left), compare(right, value)]
    signs = [*profile.signs, *steps]
    lines = [graph.line(SLOPE), *jump_lines(graph)]
    for s, name in ((1, "increasing"), (-1, "decreasing")):
        if all(s * t >= 0 for t in signs):
            strict = all(profile.signs)
            return proven(f"strictly {name}" if strict else name, *lines)
    return proven(False, *lines)


def _convex(graph: Graph) -> Claim:
    if graph.jumps:
        return proven(False, *jump_lines(graph), "a convex or concave function is continuous")
    profile = graph.profile(CURVATURE)
    bends = [graph.bends(i) for i in range(len(graph.places))]
    lines = [graph.line(CURVATURE)]
    lines += [f"the slope {'rises' if b > 0 else 'falls'} at {text(graph.places[i])}" for i, b in enumerate(bends) if b]
    signs = [*profile.signs, *bends]
    if not any(signs):
        return proven("affine", *lines)
    for s, name in ((1, "convex"), (-1, "concave")):
        if all(s * t >= 0 for t in signs):
            return proven(name, *lines)
    return proven(False, *lines)


def _lipschitz(graph: Graph) -> Claim:
    if graph.jumps:
        return proven("inf", *jump_lines(graph))
    candidates: list[tuple[Number, str]] = []
    for piece in graph.pieces:
        for side, end in (("left", piece.piece.left), ("right", piece.piece.right)):
            limit = piece.limit(SLOPE, side).size
            candidates.append((limit, f"|f'| -> {text(limit, 20)} at {text(number(end))}"))
            if not limit.ball.is_finite():
                return proven("inf", candidates[-1][1])
        for root in piece.signs(CURVATURE).roots:
            slope = piece.at(SLOPE, root)
            size = slope.size
            candidates.append((size, f"|f'| = {text(size, 20)} at {text(root)}, where f'' = 0"))
    best = steepest(c for c, _ in candidates)
    lines = dict.fromkeys(line for _, line in candidates)
    exactly = f": exactly {best.exact}" if best.exact is not None and len(str(best.exact)) < 60 else ""
    return proven(
        plain(best),
        *([graph.line(CURVATURE)] if any(p.signs(CURVATURE).signs != (0,) for p in graph.pieces) else []),
        *lines,
        f"the largest of these{exactly}",
        ball=decimal_ball(best),
    )


# -- points -------------------------------------------------------------------------------------------------------------


# In what follows the nodes of a line are its open intervals (even numbers) and the marks between them (odd ones).


def _runs(joined: list[bool]) -> list[tuple[int, int]]:
    """The first and the last node of each run; `joined[j]` says whether node j and the next belong together."""
    runs, start = [], 0
    for j, together in enumerate([*joined, False]):
        if not together:
            runs.append((start, j))
            start = j + 1
    return runs


def _extent(profile: Profile, first: int, last: int) -> Any:
    """A run as a number or as an interval, for JSON."""
    if first == last and first % 2:
        return plain(profile.marks[first // 2].x)
    left, right = (first - 1) // 2, last // 2
    return {
        "from": "-inf" if left < 0 else plain(profile.marks[left].x),
        "to": "inf" if right >= len(profile.marks) else plain(profile.marks[right].x),
    }


def _zeros(graph: Graph, kind: int) -> Claim:
    profile = graph.profile(kind)
    held = []
    for i, s in enumerate(profile.signs):
        held.append(s == 0)
        if i < len(profile.marks):
            breakpoint = profile.marks[i].breakpoint
            held.append(breakpoint is None or graph.zero_at(kind, breakpoint))
    found, lines = [], [graph.line(kind)]
    for first, last in _runs([a and b for a, b in pairwise(held)]):
        if held[first]:
            found.append(_extent(profile, first, last))
            if first == last and first % 2:
                lines.append(f"{NAMES[kind]} = 0 at {decimal_text(profile.marks[first // 2].x)}")
    return proven(found, *lines)


def _beside(graph: Graph, mark: Mark, side: str, s: int) -> int:
    """How f lies just beside a mark, against its value there: 1 above, -1 below, 0 where it is the same constant."""
    if mark.breakpoint is not None:
        step = compare(graph.limit(F, mark.breakpoint, side), graph.height(mark))
        if step:
            return step
    return -s if side == "left" else s


def _extremes(graph: Graph) -> Claim:
    """Local extremes, each a point or a stretch where f is constant; against what lies beside it, as far as there is any."""
    profile = graph.profile(SLOPE)
    marks, signs = profile.marks, profile.signs
    lines = [graph.line(SLOPE)]
    if not marks and signs == (0,):
        return proven([], "f is constant")
    steps = []
    for i, mark in enumerate(marks):
        steps += [_beside(graph, mark, "left", signs[i]), _beside(graph, mark, "right", signs[i + 1])]
    found = []
    candidates = _candidates(graph)
    for first, last in _runs([step == 0 for step in steps]):
        if first == last and first % 2 == 0 and signs[first // 2]:
            continue
        before = 0 if first == 0 else steps[first - 1] * (1 if first % 2 else -1)
        after = 0 if last == 2 * len(marks) else steps[last] * (1 if last % 2 else -1)
        if before * after < 0:
            continue
        kind, direction = ("minimum", -1) if before + after > 0 else ("maximum", 1)
        y = _level(graph, profile, first, last)
        x = _extent(profile, first, last)
        overall = compare(y, outermost(candidates, direction)[0]) == 0
        found.append({"x": x, "y": plain(y), "kind": kind, "global": overall})
        at = decimal_text(marks[first // 2].x) if first == last and first % 2 else f"{x['from']} .. {x['to']}"
        lines.append(f"{kind} {decimal_text(y)} at {at}")
    return proven(found, *lines)


def _level(graph: Graph, profile: Profile, first: int, last: int) -> Number:
    """The value of f on a run where it is constant."""
    if first < last or first % 2:
        return graph.height(profile.marks[first // 2])
    i = first // 2
    if i in (0, len(profile.marks)):
        return graph.end(F, "left" if i == 0 else "right")
    mark = profile.marks[i - 1]
    assert mark.breakpoint is not None
    return graph.limit(F, mark.breakpoint, "right")


def _inflections(graph: Graph) -> Claim:
    """Where f passes from convex to concave or back, with one tangent there; an interval where it is straight between."""
    profile = graph.profile(CURVATURE)
    marks, signs = profile.marks, profile.signs
    found: list[Any] = []
    lines = [graph.line(CURVATURE)]
    last: int | None = None
    for i, s in enumerate(signs):
        if s == 0:
            continue
        if last is not None and signs[last] == -s:
            between = marks[last:i]
            if all(_smooth(graph, mark) for mark in between):
                if len(between) == 1:
                    found.append(plain(between[0].x))
                    lines.append(f"inflection at {decimal_text(between[0].x)}")
                else:
                    found.append({"from": plain(between[0].x), "to": plain(between[-1].x)})
        last = i
    return proven(found, *lines)


def _smooth(graph: Graph, mark: Mark) -> bool:
    if mark.breakpoint is None:
        return True
    left, right = (graph.limit(SLOPE, mark.breakpoint, side) for side in ("left", "right"))
    if left.exact is not None and left.exact.is_infinite:
        return mark.breakpoint not in graph.jumps and left.exact == right.exact
    return mark.breakpoint not in graph.jumps and compare(left, right) == 0


_RULES: dict[str, Callable[[Graph], Claim]] = {
    "range": _range,
    "bounded": _bounded,
    "monotone": _monotone,
    "convex": _convex,
    "lipschitz": _lipschitz,
    "zeros": lambda graph: _zeros(graph, F),
    "fixed_points": lambda graph: _zeros(graph, EXCESS),
    "extremes": _extremes,
    "inflections": _inflections,
}

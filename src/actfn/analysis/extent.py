"""Claims put together: proven or unknown ones, and those of the largest and the smallest of some candidate values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actfn.analysis.claims import Claim
from actfn.analysis.graph import Graph, compare, decimal_ball, plain, text
from actfn.analysis.roots import FINE, F, Number
from actfn.formula.pieces import Undecided
from actfn.reference import working_precision

Candidate = tuple[Number, bool, str]
"""A value, whether f takes it, and where."""

FAILURES = (Undecided, ArithmeticError, ValueError, TypeError, AttributeError, NotImplementedError, RecursionError)
"""What work on a formula may end with; all but the first come from SymPy and say nothing of the function."""


def claimed(rule: Callable[[Graph], Claim], graph: Graph) -> Claim:
    """The claim that a rule makes of a function, or an unknown one with the reason."""
    try:
        return rule(graph)
    except FAILURES as reason:
        return unknown(reason)


def unknown(reason: Exception) -> Claim:
    name = "" if isinstance(reason, Undecided) else f"{type(reason).__name__}: "
    return Claim(None, "unknown", (f"not decided: {name}{reason}"[:300],))


def proven(value: Any, *lines: str, ball: tuple[str, str] | None = None) -> Claim:
    return Claim(value, "proven", lines, ball)


def outermost(candidates: list[Candidate], direction: int) -> Candidate:
    """The largest (direction 1) or smallest value, and whether it is taken."""
    best = candidates[0]
    for other in candidates[1:]:
        try:
            order = direction * compare(other[0], best[0])
        except Undecided:
            if other[1] != best[1]:
                raise
            with working_precision(FINE):  # taken both, or neither: any of the two, to all digits
                best = (Number(best[0].ball.union(other[0].ball)), best[1], best[2])
            continue
        if order > 0 or (order == 0 and other[1] and not best[1]):
            best = other
    return best


def range_claim(candidates: list[Candidate], *lines_: str) -> Claim:
    (low, low_taken, low_where), (high, high_taken, high_where) = (outermost(candidates, d) for d in (-1, 1))
    value = {"low": plain(low), "high": plain(high), "low_attained": low_taken, "high_attained": high_taken}
    lines = list(lines_)
    for name, number_, where in (("infimum", low, low_where), ("supremum", high, high_where)):
        ball = decimal_ball(number_)
        lines.append(f"{name}: {where}" + (f" = {ball[0]} +/- {ball[1]}" if ball else f" = {text(number_)}"))
    return proven(value, *lines)


def bounded_claim(found: Claim) -> Claim:
    finite = all(isinstance(found.value[k], float) for k in ("low", "high"))
    return proven(finite, *found.certificate)


def jump_lines(graph: Graph) -> list[str]:
    return [
        f"f jumps at {text(graph.places[i])}: {text(graph.limit(F, i, 'left'))} to the left, "
        f"{text(graph.heights[i])} there, {text(graph.limit(F, i, 'right'))} to the right"
        for i in graph.jumps
    ]


def decimal_text(value: Number) -> str:
    """A number with its radius."""
    ball = decimal_ball(value)
    return text(value) if ball is None else ball[0] if ball[1] == "0" else f"{ball[0]} +/- {ball[1]}"

"""The data of a card: everything that the figure, the page and the terminal show, as one dict of strict JSON.

Leans on the oracle for numbers, on `analysis` for what is proven and on the printers for code. Whatever is shown of an
activation is read from this dict, so whoever has the JSON file has the whole card.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Rational, S

from actfn import catalog
from actfn.analysis.limited import smoothness_within
from actfn.analysis.smoothness import Limits, Smoothness, class_name, condition_text, smoothness
from actfn.definition import Definition, Source
from actfn.formula.derivative import derivative
from actfn.formula.printers.js import JavaScriptPrinter
from actfn.formula.printers.latex import LatexPrinter
from actfn.formula.printers.text import TextPrinter
from actfn.kernels.lower import program
from actfn.reference import Oracle

SCHEMA = "actfn/card/1"
MAX_POINTS = 1_000_000


def card_data(
    definition: Definition,
    parameters: Mapping[str, float],
    low: float = -2.0,
    high: float = 2.0,
    points: int = 1000,
) -> dict[str, Any]:
    """The card of an activation at these parameters (the defaults where none is given), as strict JSON.

    `x` is evenly spaced as `numpy.linspace` spaces it; `y` and `yp` are f and f' there, each the oracle's value rounded
    once to float64, None where undefined or too large. Raises `ValueError`, in one line, for a range or a number of
    points that makes no card, and for parameters as `Definition.values` does.
    """
    values = definition.values(parameters)
    sampled = sample(definition, values, low, high, points)
    slopes = {side: _at(definition, 1, side, values) for side in ("left", "right")}
    slope = derivative(definition.expression, 1, definition.conventions)
    f, fp = _at(definition, 0, "left", values), _at(definition, 1, definition.conventions, values)
    in_catalog = catalog.entries().get(definition.name) == definition
    prove = smoothness if in_catalog else _smoothness_within
    found = prove(definition)
    text, latex = TextPrinter().expression, LatexPrinter().expression

    def around(at: float) -> dict[str, Any]:
        """f' at a point and on both sides of it."""
        return {"left": _limit(slopes["left"](at)), "at": _finite(fp(at)), "right": _limit(slopes["right"](at))}

    return {
        **{key: [_finite(value) for value in sampled[key]] for key in ("x", "y", "yp")},
        "schema": SCHEMA,
        "name": definition.name,
        "label": label(definition),
        "title": definition.title,
        "summary": definition.summary,
        "formula": definition.formula,
        "formula_latex": latex(definition.expression),
        "derivative": {"text": text(slope), "latex": latex(slope)},
        "parameters": {
            p.name: {"value": values[p.name], "default": p.default, "domain": p.domain, "latex": latex(p.symbol)}
            for p in definition.parameters
        },
        "range": [sampled["x"][0], sampled["x"][-1]],
        "smoothness": _smoothness(definition, found, prove, values) | {"breakpoints": _breakpoints(definition, found, values, f, around)},
        "origin": {"y": _finite(f(0.0)), "yp": around(0.0)},
        "tails": {
            side: {"y": _limit(f(end)), "yp": _limit(fp(end))} for side, end in (("left", -math.inf), ("right", math.inf))
        },
        "conventions": definition.conventions if isinstance(definition.conventions, str | float) else dict(definition.conventions),
        "tags": list(definition.tags),
        "aliases": dict(definition.aliases),
        "sources": [_source(source) for source in definition.sources],
        "in_catalog": in_catalog,
        "javascript": _javascript(definition, found),
        "version": _version(),
    }


def sample(definition: Definition, values: Mapping[str, float], low: float, high: float, points: int) -> dict[str, list[float]]:
    """`{"x", "y", "yp"}`: x evenly spaced, f and f' there as the oracle has them, rounded once to float64 (NaN where undefined).

    Raises `ValueError` as `evenly_spaced` does.
    """
    x = evenly_spaced(low, high, points)
    slope = derivative(definition.expression, 1, definition.conventions)
    return {"x": x, "y": Oracle(definition.expression).sample(x, values), "yp": Oracle(slope).sample(x, values)}


def evenly_spaced(low: float, high: float, points: int) -> list[float]:
    """`numpy.linspace` as a list. Raises `ValueError` for what isn't a range from a lower to a higher number."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"a range goes from one number to another; got {low} to {high}")
    if not low < high:
        raise ValueError(f"a range goes from the lower to the higher number; got {low} to {high}")
    if isinstance(points, bool) or points != int(points) or not 2 <= points <= MAX_POINTS:
        raise ValueError(f"the number of points is a whole number from 2 to {MAX_POINTS:,}; got {points}")
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.linspace(low, high, int(points))
        apart = bool(np.all(np.diff(x) > 0))
    if not (math.isfinite(high - low) and apart):
        raise ValueError(f"float64 has no {points} numbers evenly spaced from {low} to {high}")
    return x.tolist()


def label(definition: Definition) -> str:
    """What a chart is called: "ELU", "Leaky ReLU", "Swish", or the name that a user gave."""
    for place in ("torch", "literature"):
        if place in definition.aliases:
            return re.sub(r"(?<=[a-z]{3})(?=[A-Z])", " ", definition.aliases[place].rsplit(".", 1)[-1])
    initials = "".join(word[0] for word in definition.title.casefold().split())
    return definition.name.upper() if initials.endswith(definition.name) else definition.title or definition.name


def _at(definition: Definition, order: int, conventions: Any, values: Mapping[str, float]) -> Callable[[float], float]:
    """The derivative of an order at these parameters, as a function of x."""
    oracle = Oracle(derivative(definition.expression, order, conventions))
    return lambda x: oracle.rounded(x, values)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _limit(value: float) -> float | str | None:
    """As `_finite`, with the infinities by name: a limit may be one."""
    return {math.inf: "infinity", -math.inf: "-infinity"}.get(value, _finite(value))


# -- smoothness ---------------------------------------------------------------------------------------------------------


def _smoothness_within(definition: Definition, **parameters: float) -> Smoothness:
    return smoothness_within(definition, parameters)


def _smoothness(
    definition: Definition, found: Smoothness, prove: Callable[..., Smoothness], values: Mapping[str, float]
) -> dict[str, Any]:
    orders = [order for condition, order in found.conditions.items() if order is not None and _holds(condition, definition, values)]
    here = max(orders, default=found.order)
    if here is None and values:  # undecided for all parameters at once; these may be easier
        here = prove(definition, **values).order
    latex = LatexPrinter().expression
    return {
        "order": _order(found.order),
        "order_text": class_name(found.order),
        "conditions": [
            {"condition": condition_text(condition), "latex": latex(condition), "order": _order(order), "order_text": class_name(order)}
            for condition, order in found.conditions.items()
        ],
        "at_parameters": {"order": _order(here), "order_text": class_name(here)},
        "limits": [
            {
                "location": TextPrinter().expression(b.location),
                "location_latex": latex(b.location),
                "condition_latex": "" if b.condition == S.true else latex(b.condition),
                "order": limits.order,
                "left_latex": latex(limits.left),
                "right_latex": latex(limits.right),
                "equal": limits.order not in b.jumps,
                "jump_latex": latex(_jump(limits)) if _jump(limits) else "",
            }
            for b in found.breakpoints
            for limits in b.limits
        ],
        "status": found.claim.status,
        "certificate": list(found.claim.certificate),
    }


def _jump(limits: Limits) -> Expr:
    """Right limit minus left limit; 0 where one of them isn't finite."""
    return limits.right - limits.left if limits.left.is_finite is not False and limits.right.is_finite is not False else S.Zero


def _order(order: float | None) -> int | str | None:
    return "infinity" if order == math.inf else order if order is None else int(order)


def _holds(condition: Any, definition: Definition, values: Mapping[str, float]) -> bool:
    exact = {definition.symbols[name]: Rational(repr(value)) for name, value in values.items()}
    return condition.subs(exact) == S.true


def _breakpoints(
    definition: Definition,
    found: Smoothness,
    values: Mapping[str, float],
    f: Callable[[float], float],
    around: Callable[[float], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The breakpoints that there are at these parameters, from left to right; `index` counts those for all parameters."""
    rows: dict[float, dict[str, Any]] = {}
    for index, breakpoint in enumerate(found.breakpoints):
        if not _holds(breakpoint.condition, definition, values):
            continue
        at = _constant(breakpoint.location, values)
        if not math.isfinite(at) or at in rows:
            continue
        limits = breakpoint.limits[0] if breakpoint.limits else None
        rows[at] = {
            "index": index,
            "location": TextPrinter().expression(breakpoint.location),
            "location_latex": LatexPrinter().expression(breakpoint.location),
            "value": at,
            "y": {
                "left": _limit(_constant(limits.left, values) if limits else f(at)),
                "at": _finite(f(at)),
                "right": _limit(_constant(limits.right, values) if limits else f(at)),
            },
            "yp": around(at),
            "order": _order(breakpoint.order),
            "why": breakpoint.singular,
        }
    return [rows[at] for at in sorted(rows)]


def _constant(expression: Expr, values: Mapping[str, float]) -> float:
    if expression in (sympy.oo, -sympy.oo):
        return float(expression)
    return Oracle(expression).rounded(0.0, values)


# -- the rest -----------------------------------------------------------------------------------------------------------


def _javascript(definition: Definition, found: Smoothness) -> dict[str, Any] | None:
    """The functions as JavaScript source, for whoever shows the card live; None where the target can't print one."""
    printer = JavaScriptPrinter()
    names = list(definition.defaults)

    def function(name: str, order: int) -> str:
        steps = program(definition, order)
        return printer.function(name, steps.arguments, steps.assignments, steps.result)

    def of_parameters(name: str, expression: Any) -> str:
        return printer.function(name, names, [], expression)

    try:
        return {
            "value": function("value", 0),
            "slope": function("slope", 1),
            "breakpoints": [
                {"location": of_parameters("location", b.location), "holds": of_parameters("holds", b.condition)}
                for b in found.breakpoints
            ],
            "conditions": [
                {"holds": of_parameters("holds", condition), "order": _order(order), "text": class_name(order)}
                for condition, order in found.conditions.items()
            ],
        }
    except ValueError:
        return None


def _source(source: Source) -> dict[str, Any]:
    kind, _, identifier = source.where.partition(":")
    places = {"arxiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
    place = places.get(kind.casefold())
    url = place + identifier.strip() if place and identifier else ""
    return {"authors": source.authors, "year": source.year, "title": source.title, "where": source.where, "url": url}


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("actfn")
    except PackageNotFoundError:  # run from a checkout that isn't installed
        return "0"

"""The data of a card: everything that the figure, the page and the terminal show, as one dict of strict JSON.

Leans on the oracle for numbers, on `analysis` for what is proven and on the printers for code. Whatever is shown of an
activation is read from this dict, so whoever has the JSON file has the whole card.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Rational, S

from actfn import catalog
from actfn.analysis.limited import smoothness_within
from actfn.analysis.proofs import data_of, kept
from actfn.analysis.smoothness import Limits, Order, Smoothness, class_name, condition_text, smoothness
from actfn.card.wording import HEADINGS, wording
from actfn.definition import Definition, Source
from actfn.formula.derivative import derivative
from actfn.formula.functions import X, elementary
from actfn.formula.pieces import cases
from actfn.formula.printers.js import JavaScriptPrinter
from actfn.formula.printers.latex import LatexPrinter
from actfn.formula.printers.text import TextPrinter
from actfn.kernels.lower import program
from actfn.reference import Oracle

SCHEMA = "actfn/card/1"
MAX_POINTS = 1_000_000
COMPARED = ("relu", "leaky_relu")
"""What a card compares its function with: names of the catalog."""


def card_data(
    definition: Definition,
    parameters: Mapping[str, float],
    low: float = -2.0,
    high: float = 2.0,
    points: int = 1000,
    *,
    smoothness: Smoothness | None = None,
) -> dict[str, Any]:
    """The card of an activation at these parameters (the defaults where none is given), as strict JSON.

    `x` is evenly spaced as `numpy.linspace` spaces it; `y` and `yp` are f and f' there, each the oracle's value rounded
    once to float64, None where undefined or too large. `smoothness` is the activation's for all parameters, where the
    caller has it already. Raises `ValueError`, in one line, for a range or a number of points that makes no card, and
    for parameters as `Definition.values` does.
    """
    values = definition.values(parameters)
    sampled = sample(definition, values, low, high, points)
    slope = derivative(definition.expression, 1, definition.conventions)
    found = smoothness or _proven(definition)
    conventions = definition.conventions
    return {
        **{key: [_finite(value) for value in sampled[key]] for key in ("x", "y", "yp")},
        "schema": SCHEMA,
        "name": definition.name,
        "label": label(definition),
        "title": definition.title,
        "summary": definition.summary,
        "formula": definition.formula,
        "formula_latex": _latex(definition.expression),
        "derivative": {"text": _text(slope), "latex": _latex(slope)},
        "parameters": {
            p.name: {"value": values[p.name], "default": p.default, "domain": p.domain, "latex": _latex(p.symbol)}
            for p in definition.parameters
        },
        "range": [sampled["x"][0], sampled["x"][-1]],
        **_shape(definition, values, found),
        "properties": _claims(definition, values),
        "compared": [_compared(other) for other in map(catalog.find, COMPARED) if other.name != definition.name],
        "conventions": dict(conventions) if isinstance(conventions, Mapping) else conventions,
        "tags": list(definition.tags),
        "aliases": dict(definition.aliases),
        "sources": [_source(source) for source in definition.sources],
        "in_catalog": _in_catalog(definition),
        "javascript": _javascript(definition, found),
        "version": _version(),
    }


def sample(
    definition: Definition, values: Mapping[str, float], low: float, high: float, points: int
) -> dict[str, list[float]]:
    """`{"x", "y", "yp"}`: x evenly spaced, f and f' there as the oracle has them, rounded once to float64.

    NaN where undefined. Raises `ValueError` as `evenly_spaced` does.
    """
    x = evenly_spaced(low, high, points)
    slope = derivative(definition.expression, 1, definition.conventions)
    return {"x": x, "y": Oracle(definition.expression).sample(x, values), "yp": Oracle(slope).sample(x, values)}


def evenly_spaced(low: float, high: float, points: int) -> list[float]:
    """`numpy.linspace` as a list. Raises `ValueError` for what isn't a range from a lower to a higher number."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"a range goes from one number to another; got {low:g} to {high:g}")
    if not low < high:
        raise ValueError(f"a range goes from the lower to the higher number; got {low:g} to {high:g}")
    if isinstance(points, bool) or not isinstance(points, int) or not 2 <= points <= MAX_POINTS:
        raise ValueError(f"the number of points is a whole number from 2 to {MAX_POINTS:,}; got {points!r}")
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.linspace(low, high, points)
        if not (math.isfinite(high - low) and np.all(np.diff(x) > 0)):
            raise ValueError(f"float64 has no {points:,} different numbers evenly spaced from {low!r} to {high!r}")
    return x.tolist()


def label(definition: Definition) -> str:
    """What a chart is called: "ELU", "Leaky ReLU", "Swish", or the name that a user gave."""
    for place in ("torch", "literature"):
        if place in definition.aliases:
            return re.sub(r"(?<=[a-z]{3})(?=[A-Z])", " ", definition.aliases[place].rsplit(".", 1)[-1])
    return definition.title or definition.name


# -- what is proven, and the numbers that go with it -------------------------------------------------------------------


def _shape(definition: Definition, values: Mapping[str, float], found: Smoothness) -> dict[str, Any]:
    """Smoothness, breakpoints, slopes at 0 and tails at these parameters."""
    expression = definition.expression
    slope = derivative(expression, 1, definition.conventions)
    f, fp = _at(expression, values), _at(slope, values)
    sides = {side: _at(derivative(expression, 1, side), values) for side in ("left", "right")}

    def around(x: float) -> dict[str, Any]:
        """f' at a point and on both sides of it: the derivative with the convention of either side."""
        return {"left": _limit(sides["left"](x)), "at": _finite(fp(x)), "right": _limit(sides["right"](x))}

    return {
        "smoothness": _smoothness(definition, values, found)
        | {"breakpoints": _breakpoints(definition, values, found, f, around)},
        "origin": {"y": _finite(f(0.0)), "yp": around(0.0)},
        "tails": {
            side: {"y": _tail(definition, expression, values, end), "yp": _tail(definition, slope, values, end)}
            for side, end in (("left", -math.inf), ("right", math.inf))
        },
    }


def _claims(definition: Definition, values: Mapping[str, float]) -> dict[str, Any]:
    """The claims that are kept of a catalog entry, each with its words; none at other parameters than the defaults."""
    claims = kept(definition) if values == definition.defaults else None
    return {
        name: {"heading": HEADINGS[name], "text": wording(name, claim), **data_of(claim)}
        for name, claim in (claims or {}).items()
    }


def _compared(definition: Definition) -> dict[str, Any]:
    """What a card says of a function that it compares its own with, at that one's defaults."""
    shape = _shape(definition, definition.defaults, _proven(definition))
    order = shape["smoothness"]["at_parameters"]
    return {
        "name": definition.name,
        "label": label(definition),
        **order,
        "origin": shape["origin"],
        "tails": shape["tails"],
    }


def _smoothness(definition: Definition, values: Mapping[str, float], found: Smoothness) -> dict[str, Any]:
    held = [
        order
        for condition, order in found.conditions.items()
        if order is not None and _holds(condition, definition, values)
    ]
    here = max(held, default=found.order)
    if here is None and values:  # undecided for all parameters at once; these may be easier
        here = _proven(definition, tuple(values.items())).order
    return {
        "order": _order(found.order),
        "order_text": class_name(found.order),
        "conditions": [
            {
                "condition": condition_text(condition),
                "latex": _latex(condition),
                "order": _order(order),
                "order_text": class_name(order),
            }
            for condition, order in found.conditions.items()
        ],
        "at_parameters": {"order": _order(here), "order_text": class_name(here)},
        "status": found.claim.status,
        "limits": [
            {
                "location": _text(b.location),
                "location_latex": _latex(b.location),
                "condition_latex": "" if b.condition == S.true else _latex(b.condition),
                "order": limits.order,
                "left_latex": _latex(limits.left),
                "right_latex": _latex(limits.right),
                "equal": limits.order not in b.jumps,
                "jump_latex": _jump(limits),
            }
            for b in found.breakpoints
            for limits in b.limits
        ],
        "certificate": list(found.claim.certificate),
    }


def _breakpoints(
    definition: Definition,
    values: Mapping[str, float],
    found: Smoothness,
    f: Callable[[float], float],
    around: Callable[[float], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The breakpoints at these parameters, from left to right; `index` is the place among those for all parameters."""
    rows: dict[float, dict[str, Any]] = {}
    for index, breakpoint in enumerate(found.breakpoints):
        if not _holds(breakpoint.condition, definition, values):
            continue
        x = _constant(breakpoint.location, values)
        if not math.isfinite(x) or x in rows:
            continue
        y = f(x)
        left, right = (breakpoint.limits[0].left, breakpoint.limits[0].right) if breakpoint.limits else (None, None)
        rows[x] = {
            "index": index,
            "location": _text(breakpoint.location),
            "location_latex": _latex(breakpoint.location),
            "value": x,
            "y": {
                "left": _limit(y if left is None else _constant(left, values)),
                "at": _finite(y),
                "right": _limit(y if right is None else _constant(right, values)),
            },
            "yp": around(x),
            "order": _order(breakpoint.order),
            "why": breakpoint.singular,
        }
    return [rows[x] for x in sorted(rows)]


def _tail(definition: Definition, expression: Expr, values: Mapping[str, float], end: float) -> float | str | None:
    """The limit at an end of the line, by ball arithmetic; else symbolically, for the catalog, where that ends soon."""
    value = Oracle(expression).rounded(end, values)
    if math.isnan(value) and _in_catalog(definition):
        (case,) = cases(expression.xreplace(_exact(definition, values)))
        outer = elementary(case.pieces[-1 if end > 0 else 0].expression)
        limit = sympy.limit(outer, X, sympy.oo if end > 0 else -sympy.oo)
        value = _constant(limit, {}) if limit.is_number else math.nan
    return _limit(value)


def _proven(definition: Definition, fixed: tuple[tuple[str, float], ...] = ()) -> Smoothness:
    """The smoothness of a catalog entry, once a process; of a user's formula within a time limit."""
    return _of_entry(definition.name, fixed) if _in_catalog(definition) else smoothness_within(definition, dict(fixed))


@cache
def _of_entry(name: str, fixed: tuple[tuple[str, float], ...]) -> Smoothness:
    return smoothness(catalog.find(name), **dict(fixed))


def _in_catalog(definition: Definition) -> bool:
    return catalog.entries().get(definition.name) == definition


def _exact(definition: Definition, values: Mapping[str, float]) -> dict[sympy.Symbol, Rational]:
    """The parameters as the decimals that they print as, which is how `analysis` takes them."""
    return {definition.symbols[name]: Rational(repr(float(value))) for name, value in values.items()}


def _holds(condition: Any, definition: Definition, values: Mapping[str, float]) -> bool:
    return condition.subs(_exact(definition, values)) == S.true


def _at(expression: Expr, values: Mapping[str, float]) -> Callable[[float], float]:
    oracle = Oracle(expression)
    return lambda x: oracle.rounded(x, values)


def _constant(expression: Expr, values: Mapping[str, float]) -> float:
    if expression in (sympy.oo, -sympy.oo):
        return float(expression)
    return Oracle(expression).rounded(0.0, values)


def _jump(limits: Limits) -> str:
    """Right limit minus left limit, as LaTeX; empty where that is zero or no number."""
    jump = limits.right - limits.left
    return "" if jump.is_zero or jump.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan) else _latex(jump)


# -- spelling ----------------------------------------------------------------------------------------------------------


def _text(expression: Any) -> str:
    return TextPrinter().expression(expression)


def _latex(expression: Any) -> str:
    return LatexPrinter().expression(expression)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _limit(value: float) -> float | str | None:
    """As `_finite`, with the infinities by name: a limit may be one."""
    return {math.inf: "infinity", -math.inf: "-infinity"}.get(value, _finite(value))


def _order(order: Order) -> int | str | None:
    return order if order is None else "infinity" if order == math.inf else int(order)


def _javascript(definition: Definition, found: Smoothness) -> dict[str, Any] | None:
    """The functions as JavaScript source, for whoever shows the card live; None where the target can't print one."""
    printer = JavaScriptPrinter()
    names = list(definition.defaults)

    def function(name: str, order: int) -> str:
        steps = program(definition, order)
        return printer.function(name, steps.arguments, steps.assignments, steps.result)

    def of_parameters(name: str, expression: Any) -> str:
        return printer.function(name, names, [], expression)

    def holds(condition: Any) -> str:
        return of_parameters("holds", sympy.Piecewise((1, condition), (0, True)))

    try:
        return {
            "value": function("value", 0),
            "slope": function("slope", 1),
            "breakpoints": [
                {"location": of_parameters("location", b.location), "holds": holds(b.condition)}
                for b in found.breakpoints
            ],
            "conditions": [
                {"holds": holds(condition), "order": _order(order), "text": class_name(order)}
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

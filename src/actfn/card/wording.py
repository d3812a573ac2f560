"""Claims as short texts, for tables: what is claimed, in the words of DESIGN's vocabulary and numbers of few digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from actfn.analysis.claims import Claim

HEADINGS = {
    "smoothness": "smoothness",
    "range": "range",
    "bounded": "bounded",
    "limits": "limits",
    "asymptotes": "asymptotes",
    "saturating": "saturating",
    "monotone": "monotone",
    "convex": "convex",
    "lipschitz": "Lipschitz constant",
    "zeros": "zeros",
    "fixed_points": "fixed points",
    "extremes": "extremes",
    "inflections": "inflections",
    "parity": "parity",
    "homogeneous": "homogeneous",
    "invertible": "invertible",
    "inverse": "inverse",
    "derivative_from_output": "f' from y = f(x)",
    "antiderivative": "antiderivative",
    "mean": "E[f]",
    "second_moment": "E[f^2]",
    "variance": "variance",
    "derivative_second_moment": "E[f'^2]",
    "gain": "gain",
    "backward_gain": "backward gain",
    "chi_1": "chi_1",
    "edge_of_chaos": "edge of chaos",
    "length_fixed_point": "fixed length",
}
"""Claim name -> what a table calls it. All numbers from E[f] on are for inputs of the standard normal distribution."""


def wording(name: str, claim: Claim, digits: int = 6) -> str:
    """A claim's value in a few words; "unknown" where nothing is claimed, "~" before what is only sampled."""
    if claim.status == "unknown":
        return "unknown"
    text = _VALUES.get(name, _plain)(claim.value, digits)
    return f"~ {text}" if claim.status == "sampled" else text


def number(value: Any, digits: int = 6) -> str:
    """A number of so many digits; whole numbers and infinities as they are; text as it is."""
    if isinstance(value, str):
        return value
    if value is None:
        return "none"
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "none")
    return f"{value:.{digits}g}"


def _plain(value: Any, digits: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value, digits)


def _smoothness(value: Any, _digits: int) -> str:
    return "jumps" if value == -1 else "C^infinity" if value == "inf" else f"C^{value}"


def _range(value: Mapping[str, Any], digits: int) -> str:
    left = "[" if value["low_attained"] else "("
    right = "]" if value["high_attained"] else ")"
    return f"{left}{number(value['low'], digits)}, {number(value['high'], digits)}{right}"


def _ends(value: Mapping[str, Any], digits: int) -> str:
    return f"{number(value['left'], digits)} | {number(value['right'], digits)}"


def _saturating(value: Mapping[str, bool], _digits: int) -> str:
    return {(True, True): "both sides", (True, False): "left", (False, True): "right"}.get(
        (bool(value["left"]), bool(value["right"])), "no"
    )


def _form(value: Any, _digits: int) -> str:
    return value if isinstance(value, str) else "no"


def _points(value: Any, digits: int) -> str:
    if isinstance(value, Mapping):
        return "infinitely many"
    return ", ".join(_place(item, digits) for item in value) or "none"


def _extremes(value: Any, digits: int) -> str:
    if isinstance(value, Mapping):
        return "infinitely many"
    return (
        ", ".join(
            f"{'min' if e['kind'] == 'minimum' else 'max'} {number(e.get('y'), digits)} at {_place(e.get('x'), digits)}"
            for e in value
        )
        or "none"
    )


def _place(x: Any, digits: int) -> str:
    if not isinstance(x, Mapping):
        return number(x, digits)
    low, high = number(x["from"], digits), number(x["to"], digits)
    return f"all of {'(' if low == '-inf' else '['}{low}, {high}{')' if high == 'inf' else ']'}"


def _degree(value: Any, _digits: int) -> str:
    return "no" if value is False else f"degree {value}"


def _formula(value: Any, _digits: int) -> str:
    return "none" if value is None or value is False else str(value)


_VALUES: dict[str, Callable[[Any, int], str]] = {
    "smoothness": _smoothness,
    "range": _range,
    "limits": _ends,
    "asymptotes": _ends,
    "saturating": _saturating,
    "monotone": _form,
    "convex": _form,
    "parity": _form,
    "zeros": _points,
    "fixed_points": _points,
    "inflections": _points,
    "extremes": _extremes,
    "homogeneous": _degree,
    "inverse": _formula,
    "derivative_from_output": _formula,
    "antiderivative": _formula,
}

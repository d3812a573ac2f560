"""An independent check of proven claims: they are attacked at many points, and only what a ball refutes counts.

Nothing here knows how a claim was proven: float64 values find suspects, the oracle judges them. `attack` is silent about
what it can't judge; that it says nothing proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actfn.analysis.attack import numbers, shape, symbols
from actfn.analysis.attack.sampled import Sampled
from actfn.analysis.claims import Claim
from actfn.definition import Definition
from actfn.reference import working_precision

BITS = 256

Rule = Callable[[Sampled, Claim], Iterator[shape.Found]]

RULES: dict[str, Rule] = {
    "smoothness": symbols.of_smoothness,
    "range": shape.of_range,
    "bounded": shape.of_bounded,
    "limits": symbols.of_limits,
    "asymptotes": symbols.of_asymptotes,
    "saturating": symbols.of_saturating,
    "monotone": shape.of_monotone,
    "convex": shape.of_convex,
    "lipschitz": shape.of_lipschitz,
    "zeros": shape.of_zeros,
    "fixed_points": shape.of_fixed_points,
    "extremes": shape.of_extremes,
    "inflections": shape.of_inflections,
    "parity": symbols.of_parity,
    "homogeneous": symbols.of_homogeneous,
    "invertible": symbols.of_invertible,
    "inverse": symbols.of_inverse,
    "derivative_from_output": symbols.of_derivative_from_output,
    "antiderivative": symbols.of_antiderivative,
    **{name: numbers.of_moment(name) for name in ("mean", "second_moment", "variance", "derivative_second_moment")},
    **{name: numbers.of_moment(name) for name in ("gain", "backward_gain", "chi_1")},
    "edge_of_chaos": numbers.of_edge_of_chaos,
    "length_fixed_point": numbers.of_length_fixed_point,
}
"""How each claim of `properties.MEANINGS` is attacked."""


@dataclass(frozen=True)
class Counterexample:
    """A claim that isn't so ("wrong"), or that says less than could be seen ("loose")."""

    function: str
    claim: str
    kind: str
    at: tuple[float, ...]
    claimed: Any
    found: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        given = "".join(f", {name} = {value!r}" for name, value in self.parameters.items())
        where = f" at x = {', '.join(map(repr, self.at))}" if self.at else ""
        return f"{self.function}{given}: {self.claim} = {self.claimed!r} is {self.kind}{where}: {self.found}"


def attack(
    definition: Definition, claims: Mapping[str, Claim], points: int = 100_000, seed: int = 0
) -> list[Counterexample]:
    """Every proven claim held against f at `points` or more points, at the defaults of its parameters.

    What is claimed for every parameter is held against another choice of them too, at a tenth as many points.
    """
    proven = {name: claim for name, claim in claims.items() if claim.status == "proven" and name in RULES}
    found = list(_attacked(definition, definition.defaults, proven, points, seed))
    others = _others(definition)
    general = {n: c for n, c in proven.items() if c.certificate and "every" in c.certificate[-1].split(" (")[0]}
    if others and general:
        found += _attacked(definition, others, general, points // 10, seed)
    return found


def _attacked(
    definition: Definition, values: Mapping[str, float], claims: Mapping[str, Claim], points: int, seed: int
) -> Iterator[Counterexample]:
    sampled = Sampled(definition, values, _places(claims), points, seed)
    with working_precision(BITS), np.errstate(all="ignore"):
        for name, claim in claims.items():
            for kind, at, what in RULES[name](sampled, claim):
                yield Counterexample(definition.name, name, kind, at, claim.value, what, dict(values))


def _others(definition: Definition) -> dict[str, float]:
    """Other values of the parameters, inside their domains."""
    found = {}
    for i, parameter in enumerate(definition.parameters):
        tried = [parameter.default + step for step in (0.375 + i / 8, -0.375, 0.0625, -0.0625)]
        found[parameter.name] = next((v for v in tried if parameter.contains(v)), parameter.default)
    return found if found != definition.defaults else {}


def _places(claims: Mapping[str, Claim]) -> Iterable[float]:
    """The points that claims speak of."""
    names = [n for n in ("zeros", "fixed_points", "extremes", "inflections") if n in claims]
    spans = [span for n in names for span in shape.listed(claims[n].value)[0]]
    return sorted({x for low, high, _ in spans for x in (low, high) if math.isfinite(x)})

"""Every claim that is made of an activation, joined from the modules that make them, in one order.

`properties` proves them now, each group within a time limit; `actfn.analysis.proofs` keeps those of the catalog as data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from actfn.analysis.claims import Claim
from actfn.analysis.limited import within
from actfn.definition import Definition

SECONDS = 60.0
"""How long one group of claims may take."""

MEANINGS = {
    "smoothness": "how many derivatives are continuous: the k of C^k; -1 where f jumps or has no value",
    "range": "the values that f takes, and whether the ends are among them",
    "bounded": "whether the range is",
    "limits": "of f at both ends of the line",
    "asymptotes": "the straight lines that f comes close to, and how fast",
    "saturating": "where f flattens out: f' goes to 0 and f to a number",
    "monotone": "increasing or decreasing, strictly or not",
    "convex": "convex, concave, or affine, on the whole line",
    "lipschitz": "the least L with |f(a) - f(b)| <= L |a - b|",
    "zeros": "where f(x) = 0",
    "fixed_points": "where f(x) = x",
    "extremes": "local minima and maxima",
    "inflections": "where f goes from convex to concave or back",
    "parity": "odd: f(-x) = -f(x); even: f(-x) = f(x)",
    "homogeneous": "the k for which f(c x) = c^k f(x) for every c > 0",
    "invertible": "whether f takes every value once",
    "inverse": "as a formula",
    "derivative_from_output": "f' as an expression of y = f(x)",
    "antiderivative": "a function whose derivative is f",
    "mean": "E[f(z)] for z of the standard normal distribution",
    "second_moment": "E[f(z)^2]",
    "variance": "E[f(z)^2] - E[f(z)]^2",
    "derivative_second_moment": "E[f'(z)^2]",
    "gain": "1/sqrt(E[f(z)^2]): weights of this variance times 1/fan_in keep the second moment at 1",
    "backward_gain": "1/sqrt(E[f'(z)^2]), for gradients",
    "chi_1": "how much a layer at the forward gain stretches small differences (Poole et al., arXiv:1606.05340)",
    "edge_of_chaos": "the weights' standard deviation at which chi_1 is 1",
    "length_fixed_point": "the squared length that layers keep",
}
"""What each claim says, in the order in which they are shown."""


@dataclass(frozen=True)
class Group:
    """Claims that are made together: the function that makes them, as "module:name", and their names."""

    function: str
    names: tuple[str, ...]


GROUPS = (
    Group("actfn.analysis.properties:smoothness_claim", ("smoothness",)),
    Group(
        "actfn.analysis.properties:shape_and_symmetry",
        (
            *(
                "range",
                "bounded",
                "monotone",
                "convex",
                "lipschitz",
                "zeros",
                "fixed_points",
                "extremes",
                "inflections",
            ),
            *("parity", "homogeneous", "invertible", "inverse", "derivative_from_output"),
        ),
    ),
    Group("actfn.analysis.ends:ends", ("limits", "asymptotes", "saturating")),
    Group("actfn.analysis.properties:antiderivative_claim", ("antiderivative",)),
    Group(
        "actfn.analysis.moments:moments",
        ("mean", "second_moment", "variance", "derivative_second_moment", "gain", "backward_gain"),
    ),
    Group("actfn.analysis.meanfield:mean_field", ("chi_1", "edge_of_chaos", "length_fixed_point")),
)


def properties(
    definition: Definition, parameters: Mapping[str, float] | None = None, seconds: float = SECONDS
) -> dict[str, Claim]:
    """Every claim of `MEANINGS`: name -> Claim, at the parameters given, else for as many as can be proven.

    Work runs in another process, `seconds` for each group; what isn't decided by then is unknown, with the reason.
    Raises `ValueError` for a parameter that doesn't exist or lies outside its domain.
    """
    given = dict(parameters or {})
    definition.values(given)
    claims: dict[str, Claim] = {}
    results = within([group.function for group in GROUPS], definition, given, seconds)
    for group, (found, reason) in zip(GROUPS, results, strict=True):
        for name in group.names:
            missing = Claim(None, "unknown", (reason or "nothing was said",))
            claims[name] = missing if found is None else found.get(name, missing)
    return {name: claims[name] for name in MEANINGS}


def smoothness_claim(definition: Definition, **parameters: float) -> dict[str, Claim]:
    """The smoothness class as a claim."""
    from actfn.analysis.smoothness import smoothness

    claim = smoothness(definition, **parameters).claim
    value = "inf" if claim.value == math.inf else claim.value
    return {"smoothness": Claim(value, claim.status, claim.certificate)}


def shape_and_symmetry(definition: Definition, **parameters: float) -> dict[str, Claim]:
    """The claims of `shape`, and those of `symbolic`, which use that f is monotone."""
    from actfn.analysis.shape import shape
    from actfn.analysis.symbolic import symbolic

    found = shape(definition, **parameters)
    return {**found, **symbolic(definition, found.get("monotone"), **parameters)}


def antiderivative_claim(definition: Definition, **parameters: float) -> dict[str, Claim]:
    """The antiderivative as a claim."""
    from actfn.analysis.antiderivative import antiderivative

    return {"antiderivative": antiderivative(definition, **parameters)}

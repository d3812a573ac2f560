"""Proven claims under attack: wrong ones of every kind are found, and what the catalog claims withstands it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from actfn import catalog
from actfn.analysis.attack import RULES, attack
from actfn.analysis.attack.sampled import Sampled
from actfn.analysis.claims import Claim
from actfn.analysis.proofs import kept
from actfn.analysis.properties import MEANINGS
from actfn.definition import Definition
from tests.entries import EVERY

INF = "inf"


def span(low: Any, high: Any) -> dict[str, Any]:
    return {"from": low, "to": high}


def extent(low: Any, high: Any, low_attained: bool, high_attained: bool) -> dict[str, Any]:
    return {"low": low, "high": high, "low_attained": low_attained, "high_attained": high_attained}


def extreme(x: Any, y: float, kind: str = "minimum", overall: bool = True) -> dict[str, Any]:
    return {"x": x, "y": y, "kind": kind, "global": overall}


def line(left: str | None, right: str | None, left_rate: str, right_rate: str) -> dict[str, Any]:
    return {"left": left, "right": right, "left_rate": left_rate, "right_rate": right_rate}


def both(left: Any, right: Any) -> dict[str, Any]:
    return {"left": left, "right": right}


SILU_LOW = -0.2784645427610738

# (entry, claim, a value that isn't so, one that says too little or the like)
PLANTED = [
    ("relu", "smoothness", 1, "wrong"),
    ("celu", "smoothness", 2, "wrong"),
    ("heaviside", "smoothness", 0, "wrong"),
    ("hardswish", "smoothness", INF, "wrong"),
    ("relu_squared", "smoothness", 0, "loose"),
    ("tanh", "range", extent(-1.0, 0.999, False, False), "wrong"),
    ("tanh", "range", extent(-1.0, 1.0, False, True), "wrong"),
    ("relu", "range", extent(0.0, INF, False, False), "wrong"),
    ("silu", "range", extent(SILU_LOW + 1e-12, INF, True, False), "wrong"),
    ("silu", "range", extent(SILU_LOW - 0.01, INF, True, False), "loose"),
    ("sigmoid", "range", extent(0.0, INF, False, False), "loose"),
    ("softplus", "bounded", True, "wrong"),
    ("arcsinh", "bounded", True, "wrong"),
    ("rbf", "bounded", False, "loose"),
    ("tanh", "limits", both(-1.0, 1.0 - 1e-9), "wrong"),
    ("elu", "limits", both("-alpha/2", INF), "wrong"),
    ("elu", "limits", both("-alpha", "-inf"), "wrong"),
    ("sine", "limits", both(0.0, None), "wrong"),
    ("softsign", "limits", both(-1.0, None), "loose"),
    ("gelu", "asymptotes", line("0", "x + 1", "-x*exp(-x**2/2)", "0"), "wrong"),
    ("softsign", "asymptotes", line("-1", "1", "-1/x", "-2/x"), "wrong"),
    ("silu", "asymptotes", line("0", "x", "x*exp(x)", "0"), "wrong"),
    ("softplus", "asymptotes", line("0", None, "exp(x)", "x"), "loose"),
    ("silu", "saturating", both(True, True), "wrong"),
    ("sine", "saturating", both(True, False), "wrong"),
    ("sigmoid", "saturating", both(False, True), "loose"),
    ("silu", "monotone", "increasing", "wrong"),
    ("relu", "monotone", "strictly increasing", "wrong"),
    ("softplus", "monotone", "decreasing", "wrong"),
    ("tanh", "monotone", "increasing", "loose"),
    ("elu", "monotone", False, "loose"),
    ("elu", "convex", "concave", "wrong"),
    ("silu", "convex", "convex", "wrong"),
    ("softplus", "convex", "concave", "wrong"),
    ("leaky_relu", "convex", "affine", "wrong"),
    ("heaviside", "convex", "convex", "wrong"),
    ("relu", "convex", False, "loose"),
    ("gelu", "lipschitz", 1.1289, "wrong"),
    ("leaky_relu", "lipschitz", 0.99, "wrong"),
    ("quadratic", "lipschitz", 100.0, "wrong"),
    ("heaviside", "lipschitz", 1.0, "wrong"),
    ("gelu", "lipschitz", 1.15, "loose"),
    ("tanh", "lipschitz", INF, "loose"),
    ("tanh", "zeros", [0.0, 1e-9], "wrong"),
    ("cosine", "zeros", [1.5707963267948966], "wrong"),
    ("softshrink", "zeros", [span(-0.5, 0.75)], "wrong"),
    ("softshrink", "zeros", [span(-0.5, 0.25)], "wrong"),
    ("silu", "zeros", [], "wrong"),
    ("elu", "zeros", {"infinitely many": True}, "loose"),
    ("cosine", "zeros", {"infinitely many": True, "period": 6.283185307179586, "in one period": [1.5]}, "wrong"),
    ("cosine", "fixed_points", [0.74], "wrong"),
    ("cosine", "fixed_points", [], "wrong"),
    ("relu", "fixed_points", [0.0], "wrong"),
    ("silu", "extremes", [], "wrong"),
    ("silu", "extremes", [extreme(-1.2, SILU_LOW)], "wrong"),
    ("silu", "extremes", [extreme(-1.2784645427610738, SILU_LOW, "maximum")], "wrong"),
    ("silu", "extremes", [extreme(-1.2784645427610738, SILU_LOW, overall=False)], "loose"),
    ("hardtanh", "extremes", [extreme(span("-inf", -1.0), -1.0), extreme(span(0.5, INF), 1.0, "maximum")], "wrong"),
    ("tanh", "inflections", [], "wrong"),
    ("tanh", "inflections", [0.0, 0.5], "wrong"),
    ("gelu", "inflections", [-1.4142135623730951], "wrong"),
    ("elu", "parity", "odd", "wrong"),
    ("rbf", "parity", "odd", "wrong"),
    ("tanh", "parity", "even", "wrong"),
    ("tanh", "parity", False, "loose"),
    ("relu", "homogeneous", 2, "wrong"),
    ("elu", "homogeneous", 1, "wrong"),
    ("relu_squared", "homogeneous", False, "loose"),
    ("relu", "invertible", True, "wrong"),
    ("silu", "invertible", True, "wrong"),
    ("tanh", "invertible", False, "loose"),
    ("elu", "inverse", "where(x > 0, x, log1p(x/alpha) + x/1000000)", "wrong"),
    ("sigmoid", "inverse", "log(x/(1 - x)) + 0.0000000001", "wrong"),
    ("elu", "inverse", None, "loose"),
    ("elu", "derivative_from_output", "where(y > 0, 1, y)", "wrong"),
    ("tanh", "derivative_from_output", "1 - y", "wrong"),
    ("tanh", "derivative_from_output", False, "loose"),
    ("elu", "antiderivative", "where(x > 0, x**2/2, alpha*(exp(x) - x))", "wrong"),
    ("gelu", "antiderivative", "x*erfc(-x/sqrt(2))/2", "wrong"),
    ("sigmoid", "antiderivative", "softplus(x) + x/1000000", "wrong"),
    ("silu", "mean", 0.2066, "wrong"),
    ("tanh", "second_moment", 0.3943, "wrong"),
    ("selu", "variance", 1.00001, "wrong"),
    ("gelu", "derivative_second_moment", 0.45585, "wrong"),
    ("relu", "derivative_second_moment", INF, "loose"),
    ("hardshrink", "derivative_second_moment", 0.617, "wrong"),
    ("tanh", "gain", 5 / 3, "wrong"),
    ("elu", "backward_gain", 1.24, "wrong"),
    ("heaviside", "chi_1", 1.0, "wrong"),
    ("gelu", "chi_1", 1.072, "wrong"),
    ("tanh", "edge_of_chaos", 1.01, "wrong"),
    ("cosine", "edge_of_chaos", 1.4832, "wrong"),
    ("relu", "edge_of_chaos", False, "loose"),
    ("tanh", "length_fixed_point", 2.0, "wrong"),
    ("tanh", "length_fixed_point", False, "wrong"),
]


@pytest.mark.parametrize(("name", "claim", "value", "kind"), PLANTED)
def test_a_planted_claim_is_found(name: str, claim: str, value: Any, kind: str) -> None:
    found = attack(catalog.find(name), {claim: Claim(value, "proven")}, points=20_000)
    assert kind in {counterexample.kind for counterexample in found}, found
    assert all(counterexample.claim == claim and str(counterexample) for counterexample in found)


def test_every_kind_of_claim_is_planted_and_attacked() -> None:
    assert {claim for _, claim, _, _ in PLANTED} == set(RULES) == set(MEANINGS)


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_what_the_catalog_claims_withstands(entry: Definition) -> None:
    claims = kept(entry)
    if claims is None:
        pytest.skip("no proofs of this definition are kept")
    assert [str(found) for found in attack(entry, claims)] == []


def test_only_what_is_proven_is_attacked() -> None:
    assert attack(catalog.find("relu"), {"smoothness": Claim(5, "unknown"), "parity": Claim("odd", "sampled")}) == []


def test_what_is_claimed_for_every_parameter_is_tried_at_others() -> None:
    leaky = catalog.find("leaky_relu")
    claim = Claim("-inf", "proven", ("for every negative_slope",))
    ends = Claim({"left": "-inf", "right": "inf"}, "proven", claim.certificate)
    assert attack(leaky, {"limits": ends}) == []
    wrong = Claim("where(y > 0, 1, 0.01)", "proven", claim.certificate)  # so at the default
    (found,) = attack(leaky, {"derivative_from_output": wrong})
    assert found.parameters != leaky.defaults


def test_the_points() -> None:
    """At least 10^5, with both neighbours of a breakpoint that is no float, and tails."""
    entry = Definition("mine", "where(x > 1/3, x, 2*x) + where(exp(x) > 5, 1, 0)")
    sampled = Sampled(entry, {}, [2.5], 100_000, 0)
    assert len(sampled.points) >= 100_000
    points = set(sampled.points.tolist())
    for place in (1 / 3, math.log(5), 2.5):
        assert {place, math.nextafter(place, 9), math.nextafter(place, -9)} <= points
    assert [low for low, _ in sampled.breakpoints] == pytest.approx([1 / 3, math.log(5)], rel=1e-15)
    assert max(points) > 1e15
    assert min(abs(p) for p in points if p) < 1e-300

"""Shape claims: known ones, ones with kinks and jumps, endless ones, what must be unknown; and all attacked by sampling."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from flint import arb, fmpq
from sympy import Integer, Rational, S

from actfn import catalog
from actfn.analysis.claims import Claim
from actfn.analysis.graph import Graph, compare, decimal_ball
from actfn.analysis.roots import F, Number
from actfn.analysis.shape import CLAIMS, shape
from actfn.analysis.waves import inner_values
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.formula.pieces import Undecided
from actfn.reference import Oracle, working_precision

GELU = "0.5*x*erfc(-x/sqrt(2))"
INF, MINUS = "inf", "-inf"


def defined(formula: str, **parameters: float) -> Definition:
    return Definition(name="mine", formula=formula, parameters=[Parameter(n, v) for n, v in parameters.items()])


def claim(formula: str, name: str) -> Claim:
    return shape(defined(formula))[name]


def value(formula: str, name: str) -> Any:
    found = claim(formula, name)
    assert found.status == "proven", found.certificate
    return found.value


# -- known values -------------------------------------------------------------------------------------------------------

LIPSCHITZ = [
    (GELU, "1.12890414518515478634074444226"),
    ("x*sigmoid(x)", "1.09983932012886691695818492"),
    ("x*tanh(softplus(x))", "1.08849816125172786122829363"),
    ("max(x, 0)", "1"),
    ("where(x > 0, x, 1.5*(exp(x) - 1))", "1.5"),
    ("x/(1 + abs(x))", "1"),
    ("sigmoid(x)", "0.25"),
    ("exp(-x**2)", "0.857763884960706796480190"),  # sqrt(2/e)
    ("x*clip(x + 3, 0, 6)/6", "1.5"),
    ("x + sin(x)**2", "2"),
    ("cos(5*x)*exp(-x**2/2)", "4.79288466900932194"),
]


@pytest.mark.parametrize(("formula", "expected"), LIPSCHITZ)
def test_lipschitz_constants(formula: str, expected: str) -> None:
    found = claim(formula, "lipschitz")
    assert found.status == "proven"
    assert found.ball is not None
    middle, radius = found.ball
    with working_precision(200):
        assert arb(radius) <= arb("1e-15")
        assert abs(arb(middle) - arb(expected)) < arb(radius) + arb("1e-17")
    assert found.value == float(expected)


@pytest.mark.parametrize("formula", ["x**2", "exp(x)", "cbrt(x)", "sign(x)", "where(abs(x) > 0.5, x, 0)", "x*cos(x)"])
def test_no_lipschitz_constant(formula) -> None:
    found = claim(formula, "lipschitz")
    assert (found.value, found.status, found.ball) == (INF, "proven", None)


def test_gelu() -> None:
    found = shape(defined(GELU))
    assert all(c.status == "proven" for c in found.values())
    (minimum,) = found["extremes"].value
    assert minimum["x"] == pytest.approx(-0.7517915246935645, rel=1e-15)
    assert minimum["y"] == pytest.approx(-0.16997120747990366, rel=1e-15)
    assert (minimum["kind"], minimum["global"]) == ("minimum", True)
    assert found["range"].value == {"low": minimum["y"], "high": INF, "low_attained": True, "high_attained": False}
    assert found["inflections"].value == [-math.sqrt(2), math.sqrt(2)]
    assert (found["zeros"].value, found["fixed_points"].value) == ([0.0], [0.0])
    assert (found["monotone"].value, found["convex"].value, found["bounded"].value) == (False, False, False)
    assert "-0.1699712074" in "\n".join(found["range"].certificate)


def ends(low, high, low_attained=False, high_attained=False) -> dict[str, Any]:
    return {"low": low, "high": high, "low_attained": low_attained, "high_attained": high_attained}


KNOWN = [
    ("max(x, 0)", "range", ends(0.0, INF, True)),
    ("max(x, 0)", "monotone", "increasing"),
    ("max(x, 0)", "convex", "convex"),
    ("max(x, 0)", "zeros", [{"from": MINUS, "to": 0.0}]),
    ("max(x, 0)", "fixed_points", [{"from": 0.0, "to": INF}]),
    ("max(x, 0)", "extremes", [{"x": {"from": MINUS, "to": 0.0}, "y": 0.0, "kind": "minimum", "global": True}]),
    ("-softplus(-x)", "convex", "concave"),
    ("3*x - 2", "convex", "affine"),
    ("max(x, 0) + min(x, 0)", "convex", "affine"),
    ("where(x > 0, x, exp(x) - 1)", "monotone", "strictly increasing"),
    ("where(x > 0, x, exp(x) - 1)", "range", ends(-1.0, INF)),
    ("where(x > 0, x, 0.5*(exp(x) - 1))", "convex", "convex"),
    ("where(x > 0, x, 1.5*(exp(x) - 1))", "convex", False),  # the slope falls at 0
    ("tanh(x)", "range", ends(-1.0, 1.0)),
    ("1 - x**3", "monotone", "strictly decreasing"),
    ("clip(x, -1, 1)", "range", ends(-1.0, 1.0, True, True)),
    ("clip(x, -1, 1)", "convex", False),
    ("clip(x, -1, 1)", "inflections", []),
    ("x/(1 + abs(x))", "inflections", [0.0]),
    ("cbrt(x)", "inflections", [0.0]),
    ("cbrt(x)", "fixed_points", [-1.0, 0.0, 1.0]),
    ("where(x > 1, 2*sqrt(x) - 1, where(x < -1, ((x + 2)**2 - 3)/2, x))", "inflections", [{"from": -1.0, "to": 1.0}]),
    ("exp(-x**2)", "range", ends(0.0, 1.0, False, True)),
    ("x**2*exp(-x**2)", "range", ends(0.0, math.exp(-1), True, True)),
    ("exp(-exp(x))", "bounded", True),
    ("where(x > 0, 2, 1)", "range", ends(1.0, 2.0, True, True)),
    ("where(x > 0, 2 - exp(-x), 1 - exp(x))", "range", ends(0.0, 2.0, True)),
    ("where(x > 0, exp(-x), 0)", "range", ends(0.0, 1.0, True, False)),
    ("where(x > 0, x, x - 1)", "monotone", "strictly increasing"),
    ("where(x > 0, x, x + 1)", "monotone", False),
    ("sign(x)", "fixed_points", [-1.0, 0.0, 1.0]),
    ("where(abs(x) > 0.5, x, 0)", "zeros", [{"from": -0.5, "to": 0.5}]),
    ("where(abs(x) > 0.5, x, 0)", "fixed_points", [{"from": MINUS, "to": -0.5}, 0.0, {"from": 0.5, "to": INF}]),
    ("where(abs(x) > 0.5, x, 0)", "extremes", []),
    ("where(x == 0, 1, 0)", "extremes", None),
    ("x - tanh(x)", "monotone", "strictly increasing"),
    ("7", "range", ends(7.0, 7.0, True, True)),
    ("sin(x)", "zeros", {"infinitely many": True, "period": 2 * math.pi, "in one period": [0.0, math.pi]}),
    ("x + sin(x)", "monotone", "strictly increasing"),
    ("x*cos(x)", "range", ends(MINUS, INF)),
    ("x*cos(x)", "extremes", {"infinitely many": True}),
    ("exp(-sin(x))", "range", ends(math.exp(-1), math.e, True, True)),
    ("2 + sin(x)", "zeros", []),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "name", "expected"), KNOWN, ids=[f"{k[0]} {k[1]}" for k in KNOWN])
def test_known_claims(formula, name, expected) -> None:
    found = value(formula, name)
    if expected is not None:
        assert found == (pytest.approx(expected) if isinstance(expected, dict) and name == "range" else expected)
        return
    assert [(e["kind"], e["x"], e["global"]) for e in found] == [
        ("minimum", {"from": MINUS, "to": 0.0}, True),
        ("maximum", 0.0, True),
        ("minimum", {"from": 0.0, "to": INF}, True),
    ]


def test_equal_extremes_of_an_even_function_are_both_global() -> None:
    found = value("x**2*exp(-x**2)", "extremes")
    assert [(e["x"], e["kind"], e["global"]) for e in found] == [
        (-1.0, "maximum", True),
        (0.0, "minimum", True),
        (1.0, "maximum", True),
    ]


# -- parameters ---------------------------------------------------------------------------------------------------------


def test_parameters_are_put_in_and_named() -> None:
    elu = catalog.find("elu")
    assert shape(elu)["lipschitz"].certificate[-1] == "at alpha = 1"
    found = shape(elu, alpha=-0.5)
    assert found["monotone"].value is False
    assert found["lipschitz"].certificate[-1] == "at alpha = -0.5"
    assert found["extremes"].value == [{"x": 0.0, "y": 0.0, "kind": "minimum", "global": True}]
    assert shape(elu, alpha=0.1)["range"].value["low"] == -0.1  # the decimal, not the float next to it
    assert shape(elu, alpha=0.1)["lipschitz"].ball == ("1.000000000000000000000000000000000000000", "0")
    with pytest.raises(ValueError, match="no parameter 'beta'"):
        shape(elu, beta=1.0)


# -- unknown ------------------------------------------------------------------------------------------------------------

UNKNOWN = [
    ("1/x", CLAIMS),
    ("log(x)", CLAIMS),
    ("where(sin(x) > 0, x, 0)", CLAIMS),
    ("sin(x**2)", ("zeros", "extremes", "range")),
    ("sin(x) + sin(pi*x)", ("range", "lipschitz")),
    ("(x**2 - 2)**2*(1 + exp(x))", ("zeros",)),
]


@pytest.mark.parametrize(("formula", "names"), UNKNOWN, ids=[u[0] for u in UNKNOWN])
def test_what_cannot_be_told_is_unknown_with_a_reason(formula, names) -> None:
    found = shape(defined(formula))
    assert tuple(found) == CLAIMS
    for name in names:
        assert (found[name].value, found[name].status) == (None, "unknown"), name
        assert found[name].certificate[0].startswith("not decided: ")


def test_ends_that_may_hold_the_largest_value_are_not_left_out() -> None:
    """tanh(x/50) is still rising where values are tried."""
    with pytest.raises(Undecided, match="an end may be the largest"):
        inner_values(Graph(defined("tanh(x/50)"), {}), F)


def test_numbers_are_compared_exactly_or_not_at_all() -> None:
    wide = arb(0, 3)
    one, two = Number(wide, S.One), Number(wide, Integer(2))
    assert (compare(one, two), compare(two, one), compare(one, Number(wide, S.One))) == (-1, 1, 0)
    with pytest.raises(Undecided, match="which of two numbers"):
        compare(one, Number(wide))


@pytest.mark.parametrize(("p", "q"), [(1, 3), (1, 4), (-7, 1), (10**9, 7), (-1, 10**12 + 1)])
def test_a_decimal_ball_contains_its_number(p, q) -> None:
    exact = Rational(p, q)
    with working_precision(300):
        middle, radius = decimal_ball(Number(arb(fmpq(p, q)), exact)) or ("", "")
    assert abs(Rational(middle) - exact) <= Rational(radius)
    assert Rational(radius) <= abs(exact) / 10**30
    assert (radius == "0") == (q in (1, 4))


# -- attacked -----------------------------------------------------------------------------------------------------------

POINTS = sorted(
    {k / 8 for k in range(-64, 65)} | {s * t for s in (-1, 1) for t in (1e-9, 1e-3, 0.7, 11.0, 17.3, 40.0, 300.0)}
)


def counterexamples(definition: Definition, claims: dict[str, Claim]) -> list[str]:
    """Names of the claims that some points contradict."""
    f, slope = Oracle(definition.expression), Oracle(derivative(definition.expression, 1))
    values = definition.defaults
    with working_precision(256):
        ys = [f.ball(x, values) for x in POINTS]
        slopes = [slope.ball(x, values) for x in POINTS]
        found = []
        low, high = (arb(str(claims["range"].value[k])) for k in ("low", "high"))
        slack = arb("1e-14")
        if any(y < low - slack or y > high + slack for y in ys):
            found.append("range")
        rises = [b - a for a, b in itertools.pairwise(ys)]
        monotone = str(claims["monotone"].value)
        if ("increasing" in monotone and any(r < 0 for r in rises)) or (
            "decreasing" in monotone and any(r > 0 for r in rises)
        ):
            found.append("monotone")
        if "strictly" in monotone and any(r.is_zero() for r in rises):
            found.append("monotone")
        steps = [(arb(b) - arb(a)) for a, b in itertools.pairwise(POINTS)]
        chords = [r / s for r, s in zip(rises, steps, strict=True)]
        bends = [b - a for a, b in itertools.pairwise(chords)]
        convex = claims["convex"].value
        if (convex in ("convex", "affine") and any(b < 0 for b in bends)) or (
            convex in ("concave", "affine") and any(b > 0 for b in bends)
        ):
            found.append("convex")
        bound = arb(str(claims["lipschitz"].value)) + slack
        if any(abs(c) > bound for c in [*chords, *slopes]):
            found.append("lipschitz")
        for name, g in (("zeros", ys), ("fixed_points", [y - x for x, y in zip(POINTS, ys, strict=True)])):
            if not _accounted(claims[name].value, g) and not _jumps(claims):
                found.append(name)
        if isinstance(claims["extremes"].value, list):
            turning = [(POINTS[i], POINTS[i + 2]) for i in range(len(rises) - 1) if _opposite(rises[i], rises[i + 1])]
            known = [_span(e["x"]) for e in claims["extremes"].value]
            if any(not any(a <= right and b >= left for a, b in known) for left, right in turning):
                found.append("extremes")
    return found


def _jumps(claims: dict[str, Claim]) -> bool:
    return claims["lipschitz"].value == INF


def _opposite(a: arb, b: arb) -> bool:
    return bool((a > 0 and b < 0) or (a < 0 and b > 0))


def _span(x: Any) -> tuple[float, float]:
    return (float(x["from"]), float(x["to"])) if isinstance(x, dict) else (x, x)


def _accounted(listed: Any, g: list[arb]) -> bool:
    """Whether each change of sign has a zero of the list in it, and each exact zero is in the list."""
    if isinstance(listed, dict):
        return True
    known = [_span(x) for x in listed]
    for i, (a, b) in enumerate(itertools.pairwise(g)):
        if _opposite(a, b) and not any(l <= POINTS[i + 1] and h >= POINTS[i] for l, h in known):  # noqa: E741
            return False
    return all(any(l <= x <= h for l, h in known) for x, y in zip(POINTS, g, strict=True) if y.is_zero())  # noqa: E741


ATTACKED = [
    "elu",
    "relu",
    "leaky_relu",
    "selu",
    "gelu",
    "mish",
    "silu",
    "tanh",
    "softplus",
    "rbf",
    "hardswish",
    "sinlu",
]


@pytest.mark.parametrize("name", ATTACKED)
def test_claims_against_samples(name: str) -> None:
    definition = catalog.find(name)
    assert counterexamples(definition, shape(definition)) == []


WRONG = [
    ("range", lambda v: {**v, "low": v["low"] + 0.001}),
    ("monotone", lambda _: "increasing"),
    ("convex", lambda _: "convex"),
    ("lipschitz", lambda v: v * 0.99),
    ("zeros", lambda _: []),
    ("fixed_points", lambda _: [1.0]),
    ("extremes", lambda _: []),
]


@pytest.mark.parametrize(("name", "planted"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_claim_would_be_seen(name, planted) -> None:
    gelu = catalog.find("gelu")
    claims = shape(gelu)
    assert counterexamples(gelu, {**claims, name: replace(claims[name], value=planted(claims[name].value))}) == [name]


def test_nearly_all_of_the_catalog_is_proven() -> None:
    """Of a sample; `actfn prove --all` counts all."""
    found = [c for entry in list(catalog.entries().values())[::6] for c in shape(entry).values()]
    proven = sum(c.status == "proven" for c in found)
    assert proven >= 0.95 * len(found), [c.certificate for c in found if c.status != "proven"]

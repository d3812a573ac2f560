"""Smoothness classes: known ones, ones whose breakpoints depend on parameters, and what must be answered "unknown".

Each class is attacked by sampling too: the k-th derivative on both sides of a breakpoint, in high precision.
"""

from __future__ import annotations

import math

import pytest
import sympy
from sympy import Eq, Rational, S

from actfn import catalog
from actfn.analysis.limited import smoothness_within
from actfn.analysis.smoothness import class_name, condition_text, smoothness
from actfn.definition import Definition, Parameter
from actfn.formula import X
from actfn.formula.derivative import derivative
from actfn.formula.functions import elementary

INF = math.inf


def defined(formula: str, **domains: str) -> Definition:
    defaults = {"negative": -1.0}
    listed = [Parameter(name, defaults.get(domain, 1.0), domain) for name, domain in domains.items()]
    return Definition(name="mine", formula=formula, parameters=tuple(listed))


CATALOG = {
    "elu": (0, {"alpha = 1": 1}),
    "relu": (0, {}),
    "leaky_relu": (0, {"negative_slope = 1": INF}),
    "celu": (1, {}),
    "selu": (0, {}),
    "sigmoid": (INF, {}),
    "tanh": (INF, {}),
    "softplus": (INF, {}),
    "silu": (INF, {}),
    "swish": (INF, {}),
    "rbf": (INF, {}),
    "bipolar_sigmoid": (INF, {}),
}


@pytest.mark.parametrize("name", CATALOG)
def test_the_catalog(name: str) -> None:
    found = smoothness(catalog.find(name))
    assert (found.order, {condition_text(c): o for c, o in found.conditions.items()}) == CATALOG[name]
    assert found.claim.status == "proven"
    assert found.claim.certificate


@pytest.mark.parametrize(("alpha", "order"), [(1, 1), (1.0, 1), (0.5, 0), (0, 0), (-1, 0), (2, 0)])
def test_elu_at_an_alpha(alpha: float, order: int) -> None:
    found = smoothness(catalog.find("elu"), alpha=alpha)
    assert (found.order, found.claim.status, dict(found.conditions)) == (order, "proven", {})


def test_the_certificate_of_elu_holds_the_limits() -> None:
    found = smoothness(catalog.find("elu"))
    (at,) = found.breakpoints
    alpha = catalog.find("elu").symbols["alpha"]
    assert at.location == 0
    assert [(k.left, k.right) for k in at.limits] == [(0, 0), (alpha, 1)]
    assert at.jumps == {1: 1 - alpha}
    assert "at x = 0: f' has left limit alpha, right limit 1: equal if and only if" in "\n".join(
        found.claim.certificate
    )
    at_one = smoothness(catalog.find("elu"), alpha=1)
    assert at_one.breakpoints[0].jumps == {2: -1}
    assert "f'' has left limit 1, right limit 0: different" in "\n".join(at_one.claim.certificate)


PARAMETRIC = [
    ("where(x > theta, x - theta, 0)", {"theta": "real"}, 0, {}),
    ("where(x > theta, x, 0)", {"theta": "real"}, -1, {"theta = 0": 0}),
    ("where(abs(x) > theta, x - sign(x)*theta, 0)", {"theta": "positive"}, 0, {}),
    ("clip(x, low, high)", {"low": "negative", "high": "positive"}, 0, {}),
    ("max(a*x, x)", {"a": "real"}, 0, {"a = 1": INF}),
    ("where(x > theta, (x - theta)**2, 0)", {"theta": "real"}, 1, {}),
    ("where(x > theta, (x - theta)**2 + a*(x - theta), 0)", {"theta": "real", "a": "real"}, 0, {"a = 0": 1}),
    ("where(x > t, x, b*(exp((x - t)/b) - 1) + t)", {"t": "real", "b": "positive"}, 1, {}),
    ("where(x > t, a*x, b*x)", {"t": "real", "a": "real", "b": "real"}, -1, {"a = b": INF, "t = 0": 0}),
    ("where(x > 0, x, a*tanh(b*x))", {"a": "nonnegative", "b": "nonnegative"}, 0, {"a = 1/b": 2}),
    ("where(abs(x) > w, x, 0)", {"w": "nonnegative"}, -1, {"w = 0": INF}),
    ("where(x > c, x**3, c**3)", {"c": "real"}, 0, {"c = 0": 2}),
    ("where(a*x > 1, a*x - 1, 0)", {"a": "nonzero"}, 0, {}),
    ("abs(x - p) + abs(x + p)", {"p": "positive"}, 0, {}),
]


@pytest.mark.parametrize(("formula", "domains", "order", "conditions"), PARAMETRIC, ids=[p[0] for p in PARAMETRIC])
def test_breakpoints_that_depend_on_parameters(formula, domains, order, conditions) -> None:
    found = smoothness(defined(formula, **domains))
    assert (found.order, found.claim.status) == (order, "proven"), found.claim
    shown = {condition_text(c): o for c, o in found.conditions.items()}
    assert shown == conditions or {_flipped(c): o for c, o in shown.items()} == conditions


def _flipped(condition: str) -> str:
    left, equals, right = condition.partition(" = ")
    return f"{right}{equals}{left}"


SINGULAR = [
    ("sqrt(x)", -1, "sqrt(x)"),
    ("1/x", -1, "1/x"),
    ("tan(x)", -1, "tan(x)"),
    ("log(x)", -1, "log(x)"),
    ("cbrt(x)", 0, "cbrt(x)"),
    ("x*cbrt(x)", 1, "cbrt(x)"),
    ("1/(exp(x) - 1)", -1, "exp(x) - 1"),
    ("where(x > 0, sqrt(x), 0)", 0, ""),
    ("where(x > 0, x*sqrt(x), 0)", 1, ""),
    ("abs(x)**1.5", 1, ""),
    ("where(x > 0, log(x), 0)", -1, ""),
    ("where(x == 0, 1, x)", -1, ""),
    ("sign(x)", -1, ""),
    ("x*sign(x)", 0, ""),
    ("x**x**x", -1, "x**x"),
    ("asin(x)", -1, "asin(x)"),
    ("where(x != 0, sin(x)/x, 1)", None, ""),
]


@pytest.mark.parametrize(("formula", "order", "named"), SINGULAR, ids=[s[0] for s in SINGULAR])
def test_what_is_not_smooth_inside_a_piece_is_found_and_named(formula, order, named) -> None:
    found = smoothness(defined(formula))
    if order is None:  # true is C^infinity; what matters is that nothing false is claimed
        assert found.order in (None, INF)
        return
    assert (found.order, found.claim.status) == (order, "proven"), found.claim
    assert named in "\n".join(found.claim.certificate)


@pytest.mark.parametrize(
    "formula", ["exp(exp(exp(x)))", "x*tanh(softplus(x))", "x*exp(-x**2)", "sqrt(x**2 + 1)", "x + sin(x)**2"]
)
def test_analytic_formulas(formula) -> None:
    found = smoothness(defined(formula))
    assert (found.order, found.claim.status) == (INF, "proven")


@pytest.mark.parametrize(
    "formula", ["tan(1/x)", "where(sin(x) > 0, 1, 0)", "where(x > 0, exp(-1/x), 0)", "max(x, exp(x) - x**3)"]
)
def test_what_cannot_be_told_is_unknown(formula) -> None:
    found = smoothness_within(defined(formula), {}, seconds=20)
    assert found.order in (None, -1 if "tan" in formula else None)
    assert found.claim.status == "unknown" or "tan" in formula
    assert found.claim.certificate


def test_out_of_time_is_unknown() -> None:
    found = smoothness_within(defined("max(x, 0)"), {}, seconds=0.01)
    assert (found.order, found.claim.status) == (None, "unknown")
    assert "0.01 seconds" in found.claim.certificate[0]


def test_a_proof_in_a_process_is_the_same_proof() -> None:
    elu = catalog.find("elu")
    assert smoothness_within(elu, {}) == smoothness(elu)


def test_a_parameter_outside_its_domain() -> None:
    with pytest.raises(ValueError, match="outside its domain"):
        smoothness(catalog.find("celu"), alpha=-1)
    with pytest.raises(ValueError, match="no parameter 'beta'"):
        smoothness(catalog.find("elu"), beta=1)


@pytest.mark.parametrize("order", [-1, 0, 3, INF, None])
def test_class_names(order) -> None:
    assert class_name(order) == {-1: "discontinuous", 0: "C^0", 3: "C^3", INF: "C^infinity", None: "unknown"}[order]


ATTACKED = [catalog.find(n) for n in ("elu", "relu", "leaky_relu", "celu", "selu")] + [
    defined(f, **d) for f, d, _, _ in PARAMETRIC
]


@pytest.mark.parametrize("definition", ATTACKED, ids=lambda d: d.formula)
def test_classes_against_samples(definition: Definition) -> None:
    """At three choices of the parameters: derivatives up to the class agree across each breakpoint, the next one doesn't."""
    for k, scale in enumerate((Rational(1), Rational(3, 2), Rational(7, 10))):
        values = {p.name: float(p.default * scale + (k if p.domain == "real" else 0)) for p in definition.parameters}
        found = smoothness(definition, **values)
        assert found.claim.status == "proven"
        assert found.order is not None
        rule = {definition.symbols[n]: Rational(repr(v)) for n, v in values.items()}
        for at in found.breakpoints:
            step = Rational(1, 10**20)
            assert at.order is not None
            jumps = []
            for order in range(int(min(found.order, 3)) + 2):
                f = elementary(derivative(definition.expression, order)).xreplace(rule)
                near = [f.subs(X, at.location + s * step).doit().evalf(40) for s in (-1, 1)]
                jumps.append(abs(near[1] - near[0]) > 1e-15)
            first = jumps.index(True) if True in jumps else len(jumps)
            assert first == min(at.order + 1, len(jumps))
            assert found.order <= at.order


def test_conditions_are_sympy() -> None:
    (condition,) = smoothness(catalog.find("elu")).conditions
    assert condition == Eq(catalog.find("elu").symbols["alpha"], 1)
    assert condition.subs(catalog.find("elu").symbols["alpha"], 1) == S.true
    assert isinstance(condition, sympy.logic.boolalg.Boolean)

"""Gaussian moments and mean-field theory: known constants, an independent quadrature, and what must not be claimed.

The quadrature is Gauss and Legendre's between the breakpoints, on the oracle's values: another evaluator and another
rule than the ball integration.
"""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from flint import arb
from mpmath import mp, mpf

from actfn import catalog
from actfn.analysis import gaussian as rooms
from actfn.analysis import meanfield
from actfn.analysis.growth import Growth
from actfn.analysis.meanfield import correlation_map, edge_of_chaos, length_map, mean_field
from actfn.analysis.moments import gain, moments
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, working_precision

DIGITS = mpf(10) ** -15


def defined(formula: str, **parameters: float) -> Definition:
    listed = tuple(Parameter(name, default) for name, default in parameters.items())
    return Definition(name="mine", formula=formula, parameters=listed)


def found(definition: Definition, name: str, **parameters: float):
    return {**moments(definition, **parameters), **mean_field(definition, **parameters)}[name]


def inside(claim, value: mpf) -> bool:
    """Whether a value lies in a claim's ball, which has 15 digits at least."""
    assert claim.status == "proven", claim
    middle, radius = map(mpf, claim.ball)
    assert radius <= abs(middle) * DIGITS or (middle == 0 and radius < DIGITS)
    assert float(middle) == pytest.approx(claim.value, rel=1e-15, abs=1e-15)
    return abs(middle - value) <= radius + mpf(10) ** -34


def cdf(x: int) -> mpf:
    return mpmath.ncdf(x)


# E[ELU^2]: E[(exp(x) - 1)^2] over x < 0 is e^2 N(-2) - 2 sqrt(e) N(-1) + 1/2
def elu_square() -> mpf:
    return 1 + mpmath.e**2 * cdf(-2) - 2 * mpmath.sqrt(mpmath.e) * cdf(-1)


KNOWN = [
    ("x", "gain", lambda: 1),
    ("max(x, 0)", "gain", lambda: mpmath.sqrt(2)),
    ("max(x, 0)", "mean", lambda: 1 / mpmath.sqrt(2 * mp.pi)),
    ("where(x > 0, x, 0.01*x)", "gain", lambda: mpmath.sqrt(2 / (1 + mpf("0.01") ** 2))),
    ("where(x > 0, x, 0.01*x)", "backward_gain", lambda: mpmath.sqrt(2 / (1 + mpf("0.01") ** 2))),
    ("where(x > 0, x, exp(x) - 1)", "second_moment", elu_square),
    ("where(x > 0, x, exp(x) - 1)", "gain", lambda: 1 / mpmath.sqrt(elu_square())),
    ("where(x > 0, x, exp(x) - 1)", "derivative_second_moment", lambda: mpf(1) / 2 + mpmath.e**2 * cdf(-2)),
    ("exp(x)", "second_moment", lambda: mpmath.e**2),
    ("exp(x)", "variance", lambda: mpmath.e**2 - mpmath.e),
    ("sin(x)", "second_moment", lambda: (1 - mpmath.exp(-2)) / 2),
    ("sin(x)", "chi_1", lambda: (1 + mpmath.exp(-2)) / (1 - mpmath.exp(-2))),
    ("x**3", "second_moment", lambda: 15),
    ("exp(-x**2)", "mean", lambda: 1 / mpmath.sqrt(3)),
    ("exp(-x**2)", "edge_of_chaos", lambda: 1 + 1 / mpmath.sqrt(2)),
    ("erf(x)", "second_moment", lambda: 2 * mpmath.asin(mpf(2) / 3) / mp.pi),
    ("where(x > 1, x - 1, 0)", "mean", lambda: mpmath.npdf(1) - cdf(-1)),
    ("where(x > 1, x - 1, 0)", "derivative_second_moment", lambda: cdf(-1)),
    ("where(x > log(2), x, log(2))", "derivative_second_moment", lambda: cdf(-mpmath.log(2))),
    ("clip(x, -1, 1)", "derivative_second_moment", lambda: 1 - 2 * cdf(-1)),
    ("where(x > 20, x - 20, 0)", "derivative_second_moment", lambda: cdf(-20)),
    ("0.5*x*erfc(-x/sqrt(2))", "mean", lambda: 1 / mpmath.sqrt(4 * mp.pi)),
    ("sqrt(abs(x))", "second_moment", lambda: mpmath.sqrt(2 / mp.pi)),
    ("cbrt(x)", "second_moment", lambda: mpf(2) ** (mpf(1) / 3) * mpmath.gamma(mpf(5) / 6) / mpmath.sqrt(mp.pi)),
]


@pytest.mark.parametrize(("formula", "name", "value"), KNOWN, ids=[f"{f} {n}" for f, n, _ in KNOWN])
def test_closed_forms(formula, name, value) -> None:
    with mp.workdps(60):
        assert inside(found(defined(formula), name), value())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("elu", "1.24519830070070655"),
        ("tanh", "1.59253741972283142"),
        ("sigmoid", "1.84622854533860539"),
        ("selu", "1"),
    ],
)
def test_gains(name, value) -> None:
    claim = gain(catalog.find(name))
    assert claim.value == float(value)
    assert claim.status == "proven"


def test_a_planted_error_fails() -> None:
    with mp.workdps(60):
        claim = found(defined("where(x > 0, x, exp(x) - 1)"), "second_moment")
        assert not inside(claim, elu_square() + mpf(10) ** -33)
        assert not inside(
            found(defined("where(x > 0, x, 1.0000000000001*(exp(x) - 1))"), "second_moment"), elu_square()
        )


def test_parameters_are_those_given_or_the_defaults() -> None:
    elu = catalog.find("elu")
    assert gain(elu, alpha=0.0).value == pytest.approx(math.sqrt(2), rel=1e-15)
    assert gain(elu).certificate[-1] == "at alpha = 1"
    assert gain(elu, alpha=0.5).certificate[-1] == "at alpha = 0.5"
    with pytest.raises(ValueError, match="no parameter 'beta'"):
        gain(elu, beta=1)
    with pytest.raises(ValueError, match="outside its domain"):
        moments(catalog.find("celu"), alpha=-1)


# -- against another method -------------------------------------------------------------------------------------------

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def quadrature(definition: Definition) -> dict[str, float]:
    """Moments in floats, from the oracle's values at Gauss and Legendre's points."""
    rooms_of = rooms.gaussian(definition, {})
    ends = sorted({*np.linspace(-9.0, 9.0, 73), *(p for p in map(float, rooms_of.places) if abs(p) < 9)})
    f = Oracle(definition.expression)
    slope = Oracle(derivative(definition.expression, 1, definition.conventions))
    sums = np.zeros(3)
    for a, b in pairwise(ends):
        x = (a + b) / 2 + (b - a) / 2 * NODES
        weight = WEIGHTS * (b - a) / 2 * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
        y = np.array(f.sample(x.tolist(), definition.defaults))
        yp = np.array(slope.sample(x.tolist(), definition.defaults))
        sums += [weight @ y, weight @ y**2, weight @ yp**2]
    return dict(zip(("mean", "second_moment", "derivative_second_moment"), sums.tolist(), strict=True))


@pytest.mark.parametrize("name", list(catalog.entries())[::6])
def test_the_catalog_against_quadrature(name: str) -> None:
    definition = catalog.find(name)
    claims = moments(definition)
    for moment, value in quadrature(definition).items():
        claim = claims[moment]
        if claim.value == "inf":
            continue
        assert claim.status == "proven", claim
        scale = max(1.0, math.sqrt(claims["second_moment"].value))
        assert claim.value == pytest.approx(value, rel=1e-8, abs=1e-8 * scale)


# -- infinite, undefined, too hard --------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["where(x > 0, 1, 0)", "sign(x)*(abs(x) + 1)", "cbrt(x)", "sign(x)*sqrt(abs(x))"])
def test_an_infinite_slope(formula) -> None:
    claims = {**moments(defined(formula)), **mean_field(defined(formula))}
    assert (claims["derivative_second_moment"].value, claims["derivative_second_moment"].status) == ("inf", "proven")
    assert claims["backward_gain"].value == 0
    assert (claims["chi_1"].value, claims["edge_of_chaos"].value) == ("inf", False)
    assert claims["gain"].status == "proven"


@pytest.mark.parametrize("formula", ["sqrt(x)", "1/x", "exp(x**2)", "exp(exp(x))", "tan(x)", "where(sin(x) > 0, 1, 0)"])
def test_what_has_no_moment_is_not_claimed(formula) -> None:
    claim = found(defined(formula), "second_moment")
    assert (claim.value, claim.status) == (None, "unknown")
    assert claim.certificate[0].startswith("not decided")


def test_zero() -> None:
    claims = {**moments(defined("0*x")), **mean_field(defined("0*x"))}
    assert (claims["gain"].value, claims["second_moment"].value, claims["chi_1"].value) == ("inf", 0.0, False)


def test_an_odd_function_has_mean_zero_exactly() -> None:
    for name in ("tanh", "softsign", "softshrink", "bipolar_sigmoid"):
        assert found(catalog.find(name), "mean").ball == ("0", "0")


# -- growth --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula",
    ["x**3 - x", "exp(2*x)*sin(x)", "x*sigmoid(x)", "log(1 + exp(x))", "x/(1 + x**2)", "sqrt(x**2 + 1)", "cosh(x)",
     "x*exp(-exp(-x))", "log(sigmoid(x))", "asinh(x)*cbrt(x)", "sinh(x)/cosh(x)", "expm1(x) - log1p(x**2)"],
)  # fmt: skip
@pytest.mark.parametrize("side", [-1, 1])
def test_bounds_on_growth_hold(formula, side) -> None:
    expression = defined(formula).expression
    with working_precision(192):
        bound = Growth(side, arb(4), {})(expression)
        assert bound.log is not None
        for t in (4.0, 5.5, 9.0, 40.0):
            value = Oracle(expression).ball(side * t)
            assert abs(value) <= bound.log(arb(t)).exp() * (1 + arb(2) ** -100)
            assert bound.low is None or not value < bound.low(arb(t))
            assert bound.high is None or not value > bound.high(arb(t))


# -- mean field ----------------------------------------------------------------------------------------------------------

EDGES = [
    ("tanh(x)", 1.0, "q* = 0"),
    ("max(x, 0)", math.sqrt(2), "every q"),
    ("0.5*x*erfc(-x/sqrt(2))", 2.0, "q* = 0"),
    ("exp(x)", math.exp(-1), "q* = 1.0"),
    ("softplus(x)", False, "no q*"),
    ("x**2", False, "q* = 0"),
    ("where(abs(x) > 0.5, x - sign(x)*0.5, 0)", False, "q* = 0"),
    ("3", False, "constant"),
]


@pytest.mark.parametrize(("formula", "value", "says"), EDGES, ids=[e[0] for e in EDGES])
def test_the_edge_of_chaos(formula, value, says) -> None:
    claim = found(defined(formula), "edge_of_chaos")
    assert claim.status == "proven"
    assert claim.value == (value if value is False else pytest.approx(value, rel=1e-15))
    assert says in " ".join(claim.certificate)


def test_the_edge_is_a_fixed_point_with_chi_1() -> None:
    for name, sigma_b in (("tanh", 0.05**0.5), ("sigmoid", 0.0)):
        definition = catalog.find(name)
        claim = edge_of_chaos(definition, sigma_b)
        assert claim.status == "proven"
        q = float(claim.certificate[0].rsplit("q* = ")[1])
        assert length_map(definition, q, claim.value, sigma_b).value == pytest.approx(q, rel=1e-13)
        of = rooms.gaussian(definition, {})
        assert claim.value**2 * float(of.slope(arb(q)).mid()) == pytest.approx(1, rel=1e-13)
        if name == "tanh":
            assert claim.value**2 == pytest.approx(1.76, abs=0.01)  # as in the figures of Schoenholz et al.


def test_the_length_map() -> None:
    assert length_map(defined("max(x, 0)"), 2.0, 1.5, 0.5).value == pytest.approx(2.5, rel=1e-15)
    assert length_map(defined("x**2"), 2.0).value == pytest.approx(12, rel=1e-15)
    with pytest.raises(ValueError, match="positive"):
        length_map(defined("x"), 0.0)


def test_whether_the_fixed_point_attracts() -> None:
    for formula, word in (
        ("tanh(x)", "attracts"),
        ("x**3", "repels"),
        ("max(x, 0)", "every q"),
        ("x*sigmoid(x)", "repels"),
    ):
        claim = found(defined(formula), "length_fixed_point")
        assert (claim.value, claim.status) == (1.0, "proven")
        assert word in claim.certificate[1]


def test_the_correlation_map(monkeypatch) -> None:
    relu = defined("max(x, 0)")  # the arc-cosine kernel of order 1
    for c in (-0.5, 0.0, 0.3, 0.9, 1.0):
        claim = correlation_map(relu, c)
        exact = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi
        middle, radius = map(float, claim.ball or ())
        assert abs(middle - exact) <= radius + 1e-15
        assert radius < 1e-5
    monkeypatch.setattr(meanfield, "TERMS", 24)
    erf = correlation_map(defined("erf(x)"), 0.5, 2.0)  # 2/pi asin(2 q c/(1 + 2 q)), over its value at c = 1
    assert erf.value == pytest.approx(math.asin(2 / 5) / math.asin(4 / 5), rel=1e-9)
    with pytest.raises(ValueError, match="correlation"):
        correlation_map(relu, 1.5)

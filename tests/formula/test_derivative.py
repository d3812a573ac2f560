"""Derivatives: against numerical differentiation between the breakpoints, and against one-sided limits at them."""

from __future__ import annotations

import itertools

import mpmath
import pytest
import sympy
from sympy import Rational, S, Symbol

from actfn.formula import X, parse
from actfn.formula.derivative import derivative
from actfn.formula.functions import elementary

SYMBOLS = {name: Symbol(name, real=True) for name in ("alpha", "theta")}
RULE = {SYMBOLS["alpha"]: Rational(1, 2), SYMBOLS["theta"]: Rational(3, 2)}

FORMULAS = {
    "where(x > 0, x, alpha*(exp(x) - 1))": [0],
    "where(x >= 0, x, alpha*(exp(x) - 1))": [0],
    "where(x < 0, alpha*(exp(x) - 1), x)": [0],
    "where(0 < x, x, alpha*x)": [0],
    "max(x, x**2)": [0, 1],
    "max(alpha*x, x)": [0],
    "abs(x - theta)": ["theta"],
    "clip(x, -1, theta)": [-1, "theta"],
    "where(abs(x) > theta, x - sign(x)*theta, 0)": ["-theta", "theta"],
    "exp(-abs(x))*x**2 + abs(x)": [0],
    "abs(abs(x) - 1)": [-1, 0, 1],
    "where(-2*x > 3, x**2, sin(x))": [-1.5],
    "where(x > 0 and x < theta, x**2, x)": [0, "theta"],
    "x*tanh(softplus(x))": [],
    "x/(1 + exp(-x))": [],
    "log1p(exp(alpha*x)) + cbrt(x**2 + 1) + atan(x) + erf(x) + erfc(2*x) + asinh(x)": [],
    "sinh(x)/cosh(x) + sqrt(x**2 + 1) + tan(x/9)": [],
}


def _at(expression, point):
    value = elementary(expression.xreplace(RULE)).subs(X, point)
    return value.doit().evalf(30)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("text", FORMULAS)
def test_between_the_breakpoints(text: str, order: int) -> None:
    expression = parse(text, SYMBOLS)
    exact = derivative(expression, order)
    below = derivative(expression, order - 1)
    with mpmath.workdps(40):
        for point in map(Rational, ("-3.3", "-0.7", "0.3", "1.2", "1.7", "2.9")):
            step = Rational(1, 10**8)
            slope = (_at(below, point + step) - _at(below, point - step)) / (2 * step)
            assert abs(_at(exact, point) - slope) <= 1e-10 * (1 + abs(slope)), point


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("text", [t for t, places in FORMULAS.items() if places])
def test_conventions_at_the_breakpoints(text: str, order: int) -> None:
    expression = parse(text, SYMBOLS)
    sides = {c: derivative(expression, order, c) for c in ("left", "right", "mean")}
    step = Rational(1, 10**25)
    for place in FORMULAS[text]:
        at = parse(str(place), SYMBOLS).xreplace(RULE)
        left, right = _at(sides["left"], at - step), _at(sides["left"], at + step)
        assert abs(_at(sides["left"], at) - left) < 1e-20
        assert abs(_at(sides["right"], at) - right) < 1e-20
        assert abs(_at(sides["mean"], at) - (left + right) / 2) < 1e-20


def test_a_number_is_the_value_of_the_first_derivative() -> None:
    relu = parse("where(x > 0, x, 0)", {})
    assert derivative(relu, 1, 0.25).subs(X, 0) == Rational(1, 4)
    assert derivative(relu, 1, 0.25).subs(X, 1) == 1
    assert derivative(parse("x*abs(x)", {}), 2, 7).subs(X, 0) == 0  # the mean of -2 and 2


def test_conventions_by_breakpoint() -> None:
    hardtanh = parse("clip(x, -1, theta)", SYMBOLS)
    slope = derivative(hardtanh, 1, {"-1": "right", "theta": 0.5}).xreplace(RULE)
    assert [slope.subs(X, at) for at in (-2, -1, 0, Rational(3, 2), 2)] == [0, 1, 1, Rational(1, 2), 0]


@pytest.mark.parametrize("convention", ["up", None, "LEFT", True])
def test_an_unknown_convention(convention) -> None:
    with pytest.raises(ValueError, match="unknown convention"):
        derivative(parse("abs(x)", {}), 1, convention)


@pytest.mark.parametrize("order", [-1, 9, 1.0, True, "1"])
def test_an_order_out_of_range(order) -> None:
    with pytest.raises(ValueError, match="order of a derivative"):
        derivative(X, order)


def test_order_zero_is_the_formula() -> None:
    assert derivative(parse("abs(x)", {}), 0) == sympy.Abs(X)


@pytest.mark.parametrize(("text", "by", "at", "expected"), [
    ("where(x > 0, x, alpha*(exp(x) - 1))", ("alpha",), -1, sympy.exp(-1) - 1),
    ("where(x > 0, x, alpha*(exp(x) - 1))", ("alpha",), 0, 0),
    ("where(x > 0, x, alpha**2*x)", ("alpha", "alpha"), -3, -6),
    ("x*sigmoid(alpha*x)", ("alpha",), 0, 0),
])  # fmt: skip
def test_by_a_parameter(text, by, at, expected) -> None:
    expression = derivative(parse(text, SYMBOLS), 0, "left", [SYMBOLS[b] for b in by])
    assert sympy.simplify(expression.subs(X, at) - expected) == 0


@pytest.mark.parametrize("text", list(FORMULAS))
def test_no_unevaluated_nodes_are_left(text: str) -> None:
    for order, convention in itertools.product((1, 2, 3), ("left", "mean")):
        assert not derivative(parse(text, SYMBOLS), order, convention).has(
            sympy.Derivative, sympy.DiracDelta, sympy.Heaviside, sympy.Subs, S.NaN
        )

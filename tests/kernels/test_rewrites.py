"""Each rewriting finds its pattern, keeps the value, and leaves alone what isn't better for it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy
from flint import arb
from numba import njit
from sympy import Abs, Rational, Symbol, exp, sqrt, tanh

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.formula import X, parse
from actfn.formula.functions import sigmoid
from actfn.kernels.lower import program, stable
from actfn.kernels.primitives.arithmetic import cubic_parts
from actfn.kernels.rewrites import (
    common_tails,
    one_exponential,
    one_fraction,
    without_asinh,
    without_cancelling_atan,
    without_cancelling_tanh,
    without_double_zeros,
    without_overflowing_squares,
)
from actfn.kernels.ufunc import ufunc
from actfn.reference import working_precision

ALPHA = Symbol("alpha", positive=True)
ROOT = sqrt(1 + X**2)


@pytest.mark.parametrize(
    ("formula", "order", "expected"),
    [
        ("x/(1 + abs(x))", 1, (1 + Abs(X)) ** -2),
        ("x/sqrt(1 + alpha*x**2)", 1, (1 + ALPHA * X**2) ** Rational(-3, 2)),
        ("x/(1 + sqrt(1 + x**2))", 1, 1 / (ROOT * (1 + ROOT))),
        ("x + x**2/(2*(1 + sqrt(1 + x**2)))", 1, (X + 2 * ROOT) / (2 * ROOT)),
        ("x - tanh(x)", 1, tanh(X) ** 2),
        ("1 - exp(-exp(x))", 1, exp(X - exp(X))),
        ("2/pi*atan(exp(asinh(x)))", 1, 1 / (sympy.pi * (1 + X**2))),
    ],
)
def test_a_derivative_without_its_cancelling_terms(formula: str, order: int, expected: sympy.Expr) -> None:
    parameters = (Parameter("alpha", 1.0, "positive"),) if "alpha" in formula else ()
    steps = program(Definition("mine", formula, parameters), order)
    whole = steps.result
    for symbol, expression in reversed(steps.assignments):
        whole = whole.xreplace({symbol: expression})
    assert sympy.simplify(whole - expected) == 0
    assert sympy.count_ops(whole) <= sympy.count_ops(expected) + 1


@pytest.mark.parametrize("text", ["x/(1 + x**2) + 1", "exp(x) - x*exp(x)", "1 + x - x**3", "x*sigmoid(x) - x/2"])
def test_no_fraction_is_made_where_none_is_shorter(text: str) -> None:
    assert one_fraction(parse(text, {})) == parse(text, {})


def test_exponentials_are_joined_where_one_holds_another() -> None:
    v = exp(X)
    assert one_exponential(X * v * exp(-v)) == X * exp(X - v)
    assert one_exponential(v * sigmoid(-2 * v) ** 3) == exp(X - 6 * v) * sigmoid(2 * v) ** 3
    for same in (X * v * sigmoid(-X), v * exp(-(X**2)), sigmoid(-2 * v), exp(-v)):
        assert one_exponential(same) == same


@pytest.mark.parametrize("x", [-3.0, -1.25, -1.0, -1e-3, 0.0, 1e-9, 0.7, 1.2499999, 1.3, 40.0])
@pytest.mark.parametrize("text", ["x - tanh(x)", "2*tanh(3*x) - 6*x + 1", "exp(asinh(x))", "sqrt(3 + 2*x**2)"])
def test_the_value_stays(text: str, x: float) -> None:
    expression = stable(parse(text, {}))
    rewritten = without_overflowing_squares(without_asinh(without_cancelling_tanh(expression)))
    assert rewritten != expression
    before, after = (e.xreplace({X: Rational(x)}).evalf(60) for e in (expression, rewritten))
    assert abs(before - after) <= abs(before) * Rational(1, 2**60)


@pytest.mark.parametrize("x", [-0.2, -0.12499999, 0.125, 0.1, 1e-3, 1e-30])
@pytest.mark.parametrize("text", ["x - tanh(x)", "2*tanh(3*x) - 6*x + 1"])
def test_few_terms_are_enough_for_a_float32(text: str, x: float) -> None:
    expression = stable(parse(text, {}))
    before, after = (
        e.xreplace({X: Rational(x)}).evalf(60) for e in (expression, without_cancelling_tanh(expression, wide=True))
    )
    assert abs(before - after) <= abs(before) * Rational(1, 2**43)
    assert sympy.count_ops(without_cancelling_tanh(expression, wide=True)) < 40


@pytest.mark.parametrize(
    ("rewrite", "text"),
    [
        (without_double_zeros, "3 + 3*cos(x)"),
        (without_double_zeros, "x + 2 - 2*cos(x/2)"),
        (without_double_zeros, "1 + 2*sin(x)*cos(x)"),
        (common_tails, "sigmoid(x) + x*sigmoid(x)*sigmoid(-x)"),
        (common_tails, "x*exp(-x**2) - exp(-x**2)"),
        (common_tails, "x*sigmoid(x)**1.5"),
        (without_cancelling_atan, "2*atan(exp(asinh(x))) + x/(1 + x**2)"),
    ],
    ids=lambda c: c if isinstance(c, str) else c.__name__,
)
def test_the_value_stays_in_float64s_own(rewrite: Any, text: str) -> None:
    expression = stable(parse(text, {}))
    rewritten = rewrite(expression)
    assert rewritten != expression
    for x in (-30.0, -3.0, -1.25, -0.5, 0.0, 0.7, 5.0):
        before, after = (e.xreplace({X: Rational(x)}).evalf(60) for e in (expression, rewritten))
        assert abs(before - after) <= abs(before) * Rational(1, 2**52), x


def test_squares_that_overflow() -> None:
    x = np.array([1e30, 1e154, 1e200, float(np.finfo("float64").max), np.inf])
    isru, squareplus = catalog.find("isru"), catalog.find("squareplus")
    for b in (1.0, 4.0):
        np.testing.assert_allclose(ufunc(isru)([*x, *-x], b), np.sign([*x, *-x]) / math.sqrt(b), rtol=3e-16)
        np.testing.assert_allclose(ufunc(squareplus)(x, b), x, rtol=3e-16)
        np.testing.assert_array_equal(ufunc(squareplus, 1)(x, b), np.ones(5))
        assert (ufunc(squareplus, 1)(-x, b) >= 0).all()


def test_an_odd_cubic_in_two_parts() -> None:
    a, a_low, c, c_low = 1.5957691216057308, -9.97e-17, 0.07135481627260025, -6.2e-19
    compiled = njit(lambda x: cubic_parts(a, a_low, c, c_low, x))
    with working_precision(300):
        for x in np.random.default_rng(3).uniform(-40, 40, 200).tolist():
            high, low = compiled(x)
            exact = (arb(a) + arb(a_low)) * x + (arb(c) + arb(c_low)) * arb(x) ** 3
            assert abs(float((arb(high) + arb(low) - exact) / exact)) < 2.0**-100

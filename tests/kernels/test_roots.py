"""Sums that cancel at a root: float32 kernels beside it, which sums get a polynomial, and which are left to float64."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from sympy import Piecewise

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.formula.functions import X, sigmoid
from actfn.kernels import build
from actfn.kernels.build import Request
from actfn.kernels.precision import float32_suffices
from actfn.kernels.roots import cancels, exceeds_float32, is_beside_roots, with_roots
from actfn.kernels.ufunc import ufunc
from actfn.reference import Oracle, ulps

SLOPE_OF_SILU = 1 + X * sigmoid(-X)
ROOTS = {"silu": -1.2784645427610738, "gelu": -0.7517915246935646, "mish": -1.1924312145, "quick_gelu": -0.7511542398}


@pytest.mark.parametrize("name", ROOTS)
def test_a_slope_keeps_its_digits_beside_its_root(name: str) -> None:
    entry, root = catalog.find(name), ROOTS[name]
    request = Request(entry, 1)
    assert build.level(request, build.program(request)) == "float32"
    beside = np.float32(root)
    x = np.unique(
        np.concatenate(
            [
                np.array([beside, np.nextafter(beside, np.float32(0)), np.nextafter(beside, np.float32(-9))]),
                (root * (1 + np.array([-1e-6, 1e-6, -1e-4, 1e-4, -1e-2, 1e-2]))).astype(np.float32),
                np.linspace(2.5 * root, 0.2 * root, 400).astype(np.float32),
            ]
        )
    )
    oracle = Oracle(derivative(entry.expression, 1))
    errors = [ulps(float(y), oracle.ball(float(at)), "float32") for at, y in zip(x, ufunc(entry, 1)(x), strict=True)]
    assert max(errors) < 4.1, float(x[int(np.argmax(errors))])


def test_a_root_gets_a_polynomial() -> None:
    found = with_roots(sigmoid(X) * SLOPE_OF_SILU)
    (choice,) = found.atoms(Piecewise)
    assert is_beside_roots(choice)
    assert choice.args[-1] == (SLOPE_OF_SILU, sympy.true)
    (polynomial, window), _ = choice.args
    assert polynomial.is_polynomial(X)
    assert window.subs(X, ROOTS["silu"]) == sympy.true
    assert abs(float(polynomial.subs(X, ROOTS["silu"]))) < 1e-15


@pytest.mark.parametrize(
    "text",
    [
        "x*cos(x) + sin(x)",  # roots without end
        "1 - 2*x*exp(-x) + x**2*exp(-2*x)*exp(0)",  # a double one
        "exp(x) - 1 - x",  # one at 0
        "exp(x) - b",  # one that depends on a parameter
        "exp(x) + sigmoid(x)",  # none
        "3*x - 1",  # a line, whose rounding is its only one
    ],
)
def test_other_sums_are_left_as_they_are(text: str) -> None:
    parameters = (Parameter("b", 2.0),) if "b" in text else ()
    expression = Definition("mine", text, parameters).expression
    assert with_roots(expression) == expression


def test_where_no_polynomial_helps_float64_does() -> None:
    for formula in ("x*cos(x)", "exp(x) - x**2", "sin(exp(x)) - cos(x)"):
        definition = Definition("mine", formula)
        assert build.level(Request(definition, 1), build.program(Request(definition, 1))) == "wide", formula


def test_an_ordinary_sum_does_not_cancel() -> None:
    assert cancels(SLOPE_OF_SILU, {})
    assert not cancels(2 - sigmoid(X), {})
    b = sympy.Symbol("b", real=True)
    assert cancels(b - sigmoid(X), {b: sympy.Integer(1)})
    assert not cancels(b - sigmoid(X), {b: sympy.Integer(3)})


def test_what_leaves_float32s_range_below_a_fraction() -> None:
    assert exceeds_float32(2 * X + 2, {})
    assert not exceeds_float32(sympy.Abs(X) / 2 + 1, {})
    for formula, suffices in (("x/(1 + abs(x))**2", False), ("x/(1 + sigmoid(x))**2", True)):
        definition = Definition("mine", formula)
        assert float32_suffices(definition, build.program(Request(definition))) is suffices, formula


def test_wider_arithmetic_has_no_polynomials() -> None:
    """What is rounded correctly is the formula's own program."""
    for request in (
        Request(catalog.find("silu"), 1, accuracy="correct"),
        Request(catalog.find("silu"), 1, dtype="float16"),
    ):
        assert not any(map(is_beside_roots, sympy.preorder_traversal(build.program(request).result)))

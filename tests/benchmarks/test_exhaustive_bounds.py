"""The intervals of the exhaustive check hold the true value, and stay narrow where a function saturates or overflows."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
import sympy
from flint import arb

from actfn import catalog
from actfn.definition import Definition
from actfn.formula.functions import X
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.lower import Program
from actfn.kernels.primitives import float64
from actfn.kernels.printed import load
from actfn.reference import working_precision
from benchmarks.exhaustive import bounds
from benchmarks.exhaustive.scan import reference_program
from benchmarks.exhaustive.truth import Truth

KERNELS = [
    ("selu", 0),
    ("silu", 1),
    ("bipolar_sigmoid", 0),
    ("rbf", 1),
    ("gelu", 0),
    ("mish", 0),
    ("hardswish", 1),
    ("cube", 0),
]
FORMULAS = [
    "x*exp(-x**2)/(1 + x**2)",
    "1/sqrt(1 + x**2) - sqrt(1 + x**2)",
    "log(2 + sin(x))*(2 + cos(x))**(-3/2)",
    "max(x, -2)*erfc(x)",
    "min(abs(x), 3)/3 - 2*x/7",
    "where(tanh(x) > 1/2, 1, x/3)",
    "where(abs(sin(x)) == 0, 1, cosh(x))",
    "exp(exp(x))/(1 + exp(x))",
]

UNSEEN = 1e-46
"""In absolute terms, what a program for float32 may be off: it holds x where the result is 0 in float32 all the same."""


def intervals(definition: Definition, order: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, Truth]:
    truth = Truth(definition, order, "float32")
    fill = bounds.reference(reference_program(definition, order), truth.symbols)
    low, high = np.empty(x.size), np.empty(x.size)
    fill(x, low, high)
    return low, high, truth


def outside(x: np.ndarray, low: np.ndarray, high: np.ndarray, truth: Truth) -> list[float]:
    """The inputs whose true value is surely not between the ends, give or take what a guard against overflow leaves."""
    found = []
    for at, a, b in zip(x.tolist(), low.tolist(), high.tolist(), strict=True):
        with working_precision(200):
            ball = truth.oracle.ball(at, truth.parameters)
            if ball.is_finite() and (ball < arb(a) - UNSEEN or ball > arb(b) + UNSEEN):
                found.append(at)
    return found


@pytest.mark.parametrize(("name", "order"), KERNELS)
def test_the_true_value_lies_between_the_ends(name: str, order: int):
    random = np.random.default_rng(3)
    bits = random.integers(0, 1 << 32, 200, dtype=np.uint32).view(np.float32)
    near = random.normal(0, 20, 200).astype(np.float32)
    x = np.concatenate([bits[np.isfinite(bits)], near, np.array([0.0, -0.0, 1e-45, -1e-45], np.float32)])
    low, high, truth = intervals(catalog.find(name), order, x)
    assert not np.isnan(low).any()
    assert not np.isnan(high).any()
    assert outside(x, low, high, truth) == []


@pytest.mark.parametrize("formula", FORMULAS)
def test_bounds_of_other_formulas(formula: str):
    x = np.random.default_rng(4).normal(0, 3, 300).astype(np.float32)
    low, high, truth = intervals(Definition(name="mine", formula=formula), 0, x)
    assert outside(x, low, high, truth) == []
    assert np.median((high - low) / np.maximum(np.abs(low), 1e-3)) < 1e-11


@pytest.mark.parametrize(
    ("name", "order", "x", "true"),
    [
        ("gelu", 0, 1e12, 1e12),  # erfc is 2 up to far less than the error of its argument, which is large
        ("mish", 0, 1e15, 1e15),
        ("gelu", 0, -1e30, 0.0),
        ("cube", 0, 1e-30, 1e-90),
        ("hardsigmoid", 0, 1e30, 1.0),
        ("siren", 0, 12345678.0, math.sin(30 * 12345678.0)),
    ],
)
def test_what_saturates_or_vanishes_is_known_well(name: str, order: int, x: float, true: float):
    low, high, _ = intervals(catalog.find(name), order, np.array([x], np.float32))
    true = float(np.float32(x)) if true == x else true
    assert low[0] - 1e-80 <= true <= high[0] + 1e-80
    assert high[0] - low[0] <= 1e-13 * abs(true) + 1e-80


def test_what_overflows_is_known_to_be_large():
    low, high, _ = intervals(catalog.find("exponential"), 0, np.array([800.0, 3e38], np.float32))
    assert (low > 1e300).all()
    assert np.isinf(high).all()


@pytest.mark.parametrize(("formula", "x"), [("x - 1/2", 2.0**23 + 1), ("(2*x + 3)/6", 1.5), ("x*(x + 1)/4", 4097.0)])
def test_what_loses_no_bit_is_exact(formula: str, x: float):
    low, high, truth = intervals(Definition(name="mine", formula=formula), 0, np.array([x], np.float32))
    assert low[0] == high[0] == float(truth.oracle.ball(x, {}).mid())


def test_what_a_series_leaves_out_is_allowed_for():
    """x - tanh(x) near 1 comes from a series, which is off by about 2^-62: the ends lie farther apart than that."""
    x = np.array([1.2, -1.1, 0.7], np.float32)
    low, high, truth = intervals(catalog.find("tanhshrink"), 0, x)
    assert (high - low >= 2.0**-50 * np.abs(low)).all()
    assert outside(x, low, high, truth) == []


def test_primitives_have_their_limits():
    """An end may be infinite, and what came out as NaN would be taken for 0."""
    names = ("exp", "expm1", "sigmoid", "softplus", "tanh", "sinh", "asinh", "erf", "erfc", "atan", "cosh")
    positive = (*names, "log", "log1p")

    def nans(names: tuple[str, ...], x: float) -> list[str]:
        source = f"def each(x):\n    return {', '.join(f'{n}(x)' for n in names)}\n"
        each = numba.njit(error_model="numpy")(load(source, "each", {n: getattr(float64, n) for n in names}))
        return [n for n, y in zip(names, each(x), strict=True) if math.isnan(y)]

    assert nans(names, -math.inf) == []
    assert nans(positive, math.inf) == []


def test_a_function_without_a_rule_is_refused():
    with pytest.raises(UnprintableError, match="acos"):
        bounds.BoundsPrinter().function(Program(("x",), (), (sympy.acos(X),)), {})


@pytest.mark.slow
def test_bounds_of_all_entries_can_be_printed():
    for definition in catalog.entries().values():
        for order in (0, 1):
            bounds.BoundsPrinter().function(
                reference_program(definition, order), Truth(definition, order, "float32").symbols
            )

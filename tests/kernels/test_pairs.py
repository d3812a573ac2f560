"""Arithmetic on sums of two float64 against Arb, its zeros and infinities, and what the printer evaluates that way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from flint import arb
from numba import njit

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.kernels import build
from actfn.kernels.build import Request
from actfn.kernels.primitives import pairs
from actfn.kernels.ufunc import ufunc
from actfn.reference import working_precision

RNG = np.random.default_rng(11)


def two(count: int, low: float = -40.0, high: float = 40.0) -> list[tuple[float, float]]:
    """Pairs of every sign, whose second part is below half an ulp of the first."""
    first = RNG.uniform(low, high, count)
    return list(zip(first.tolist(), (RNG.uniform(-0.5, 0.5, count) * np.spacing(first)).tolist(), strict=True))


def exact(p: Any) -> arb:
    return arb(p[0]) + arb(p[1]) if isinstance(p, tuple) else arb(p)


# name, how Arb has it, from where to where the operands lie, log2 of the relative error
BINARY = [
    ("sum_of_pairs", lambda p, q: p + q, (-40, 40), -102),
    ("sum_of_like_pairs", lambda p, q: p + q, (1, 40), -101),
    ("product_of_pairs", lambda p, q: p * q, (-40, 40), -101),
    ("quotient_of_pairs", lambda p, q: p / q, (-40, 40), -100),
]
WITH_NUMBER = [
    ("sum_with_number", lambda p, a: p + a, (-40, 40), -102),
    ("like_sum_with_number", lambda p, a: p + a, (1, 40), -101),
    ("product_with_number", lambda p, a: p * a, (-40, 40), -102),
]
UNARY = [
    ("root_of_pair", lambda p: p.sqrt(), (0.001, 900), -101),
    ("exp_of_pair", lambda p: p.exp(), (-640, 700), -62),
    ("log_of_pair", lambda p: p.log(), (2, 900), -64),
    ("softplus_of_pair", lambda p: p.exp().log1p(), (-30, 60), -53.5),
    ("absolute_of_pair", abs, (-40, 40), -1000),
    ("negative_pair", lambda p: -p, (-40, 40), -1000),
]


def worst(got: list[Any], expected: list[arb]) -> float:
    return max(float(abs((exact(g) - e) / e)) if g[0] else 0.0 for g, e in zip(got, expected, strict=True))


@pytest.mark.parametrize(("name", "truth", "where", "bound"), BINARY, ids=[b[0] for b in BINARY])
def test_two_pairs(name: str, truth: Any, where: tuple[float, float], bound: float) -> None:
    function = getattr(pairs, name)
    compiled = njit(lambda p, q: function(p, q))
    some, others = two(300, *where), two(300, *where)
    others[:50] = [
        (-p * (1 + 2.0**-40), 0.7 * low) if where[0] < 0 else (p, low) for p, low in some[:50]
    ]  # they cancel
    with working_precision(400):
        got = [compiled(p, q) for p, q in zip(some, others, strict=True)]
        assert worst(got, [truth(exact(p), exact(q)) for p, q in zip(some, others, strict=True)]) < 2.0**bound


@pytest.mark.parametrize(("name", "truth", "where", "bound"), WITH_NUMBER, ids=[b[0] for b in WITH_NUMBER])
def test_a_pair_and_a_number(name: str, truth: Any, where: tuple[float, float], bound: float) -> None:
    function = getattr(pairs, name)
    compiled = njit(lambda p, a: function(p, a))
    some, numbers = two(300, *where), RNG.uniform(*where, 300).tolist()
    with working_precision(400):
        got = [compiled(p, a) for p, a in zip(some, numbers, strict=True)]
        assert worst(got, [truth(exact(p), exact(a)) for p, a in zip(some, numbers, strict=True)]) < 2.0**bound


@pytest.mark.parametrize(("name", "truth", "where", "bound"), UNARY, ids=[b[0] for b in UNARY])
def test_one_pair(name: str, truth: Any, where: tuple[float, float], bound: float) -> None:
    function = getattr(pairs, name)
    compiled = njit(lambda p: function(p))
    some = two(300, *where)
    with working_precision(400):
        assert worst([compiled(p) for p in some], [truth(exact(p)) for p in some]) < 2.0**bound


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_circular_functions_of_a_product(name: str) -> None:
    function = getattr(pairs, f"{name}_of_product")
    compiled = njit(lambda p, x: function(p, x))
    huge = (2.0 ** RNG.uniform(40, 1024, 200)).tolist()
    xs = [*RNG.uniform(-40, 40, 300).tolist(), *huge, 1.7976931348623157e308, 2.0**900, 1e-300]
    with working_precision(3000):
        for x in xs:
            for factor in ((30.0, 0.0), (1.7, 0.0), (-5.0, 0.0), *[(1.7, 1.1e-17)] * (abs(x) <= 40)):
                true = getattr(exact(factor) * arb(x), name)()
                assert abs(float((arb(compiled(factor, x)) - true) / true)) < 1.6 * 2.0**-53, (factor, x)
    assert math.isnan(compiled((30.0, 0.0), math.inf))
    assert math.isnan(compiled((30.0, 0.0), math.nan))


def test_zeros_and_infinities() -> None:
    times = njit(lambda a, b: pairs.product_of_pairs((a, -0.0), (b, -0.0)))
    plus = njit(lambda a, b: pairs.sum_of_pairs((a, -0.0), (b, -0.0)))
    over = njit(lambda a, b: pairs.quotient_of_pairs((a, -0.0), (b, -0.0)))
    root = njit(lambda a: pairs.root_of_pair((a, -0.0)))
    for a in (0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, 1e300, math.nan):
        for b in (0.0, -0.0, 1.5, -2.5, math.inf, -math.inf, 1e300, math.nan):
            with np.errstate(all="ignore"):
                x, y = np.float64(a), np.float64(b)
                expected = (x * y, x + y, x / y)
            got = (times(a, b)[0], plus(a, b)[0], over(a, b)[0])
            np.testing.assert_array_equal(got, expected)
            assert all(np.isnan(e) or np.signbit(g) == np.signbit(e) for g, e in zip(got, expected, strict=True)), (
                a,
                b,
            )
    assert [root(a)[0] for a in (0.0, math.inf)] == [0.0, math.inf]


IN_PAIRS = [
    ("x/sqrt(1 + alpha*x**2)", True),
    ("0.2*x + 0.5", True),  # 0.2 is no float64, and near -2.5 that is what is left
    ("x - alpha**2/x", True),
    ("exp(-exp(-x))", True),
    ("sin(alpha*x)", True),
    ("alpha*x", False),
    ("x + alpha", False),
    ("1/(1 + x**2)", False),
    ("x*sigmoid(x)", False),
    ("sin(2*x)", False),
    ("x**3", False),
]


@pytest.mark.parametrize(("formula", "expected"), IN_PAIRS, ids=[c[0] for c in IN_PAIRS])
def test_what_is_evaluated_in_pairs(formula: str, expected: bool) -> None:
    mine = Definition("mine", formula, (Parameter("alpha", 1.5, "positive"),) if "alpha" in formula else ())
    assert ("primitives.pairs" in build.source(Request(mine, dtype="float64"))) == expected
    assert "primitives.pairs" not in build.source(Request(mine, dtype="float32"))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_line_is_exact_at_its_root(dtype: str) -> None:
    at = np.array([-1.5, -1.5 - 2.0**-8], dtype)
    np.testing.assert_array_equal(ufunc(catalog.find("hardswish"), 1)(at), np.array([0, -(2.0**-8) / 3], dtype))


def test_a_root_that_no_float64_comes_close_to() -> None:
    x = np.nextafter([-2.5, 2.5], 0)
    hard = catalog.find("hardsigmoid_keras2")
    np.testing.assert_array_equal(ufunc(hard)(x), [0.2 * 2.0**-51, 1 - 2.0**-53])

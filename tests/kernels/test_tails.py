"""Far out an algebraic part is its leading term, where float64 arithmetic would fail, and no other part is touched."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from sympy import Piecewise, Symbol

from actfn import catalog
from actfn.definition import Definition
from actfn.formula import X, parse
from actfn.formula.derivative import derivative
from actfn.kernels import build
from actfn.kernels.tails import TAIL, in_floats, with_tails
from actfn.kernels.ufunc import ufunc
from actfn.reference import Oracle
from tests.entries import EVERY

ALPHA = Symbol("alpha", positive=True)
DEFAULTS = {ALPHA: sympy.Integer(2)}

LEADING = [
    ("x/sqrt(1 + alpha*x**2)", 1 / sympy.sqrt(ALPHA), -1 / sympy.sqrt(ALPHA)),
    ("1/(1 + x**2)", X**-2, X**-2),
    ("1 + atan(x)/(1 + x**4)", None, None),  # the sum is 1 in arithmetic too
    ("atan(x)/(1 + x**4)", sympy.pi / 2 * X**-4, -sympy.pi / 2 * X**-4),
    ("x*atan(1/x)", None, None),
    ("1 + abs(x)", None, None),
]


@pytest.mark.parametrize(("text", "right", "left"), LEADING, ids=[c[0] for c in LEADING])
def test_leading_terms(text: str, right: sympy.Expr | None, left: sympy.Expr | None) -> None:
    expression = parse(text, {"alpha": ALPHA})
    found = with_tails(expression, DEFAULTS)
    if right is None:
        assert found == expression
        return
    assert isinstance(found, Piecewise)
    for at, tail in ((2 * TAIL, right), (-2 * TAIL, left)):
        branch = next(e for e, condition in found.args if condition.subs(X, at) == True)  # noqa: E712
        assert sympy.simplify(branch - tail) == 0
    assert found.args[-1] == (expression, True)


def test_a_branch_has_the_ends_of_its_region() -> None:
    found = with_tails(parse("where(x > 0, exp(-x), x/(1 + x**2))", {}), {})
    assert not found.has(X > TAIL)
    assert found.has(X < -TAIL)


@pytest.mark.parametrize(
    ("name", "order", "limit"),
    [
        ("bent_identity", 1, (0.5, 1.5)),
        ("blu", 1, (0.5, 1.5)),
        ("atlu", 0, (-1 / math.pi, math.inf)),
        ("atlu", 1, (0.0, 1.0)),
        ("squareplus", 0, (0.0, math.inf)),
        ("morlet", 0, (0.0, 0.0)),
        ("isru", 2, (0.0, 0.0)),
        ("softsign", 2, (0.0, 0.0)),
    ],
)
def test_limits_and_the_largest_numbers(name: str, order: int, limit: tuple[float, float]) -> None:
    entry, largest = catalog.find(name), float(np.finfo("float64").max)
    at = np.array([-math.inf, -largest, largest, math.inf])
    got = ufunc(entry, order)(at, *entry.defaults.values())
    last = largest if math.isinf(limit[1]) else limit[1]
    expected = np.array([limit[0], limit[0], last, limit[1]])
    np.testing.assert_allclose(got, expected, rtol=2e-16, atol=1e-300 if limit[0] == 0 else 0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("name", "order", "left", "right"),
    [
        ("morlet", 0, 0.0, 0.0),
        ("morlet", 1, 0.0, 0.0),
        ("x_plus_sin", 0, -math.inf, math.inf),
        ("x_plus_sin", 1, math.nan, math.nan),
        ("sinlu", 0, 0.0, math.inf),
        ("sinlu", 1, 0.0, math.nan),
        ("snake", 0, -math.inf, math.inf),
        ("snake", 1, math.nan, math.nan),
        ("siren", 0, math.nan, math.nan),
        ("gcu", 0, math.nan, math.nan),
    ],
)
def test_a_limit_beside_what_swings(name: str, order: int, left: float, right: float, dtype: str) -> None:
    entry = catalog.find(name)
    got = ufunc(entry, order)(np.array([-math.inf, math.inf, math.nan], dtype), *entry.defaults.values())
    np.testing.assert_array_equal(got, [left, right, math.nan])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("name", "order"),
    [
        *((name, 1) for name in ("relu", "leaky_relu", "hardtanh", "absolute", "softmodulus_q", "tent", "identity")),
        *((name, 2) for name in ("relu", "hardswish", "squ")),
        ("heaviside", 0),
    ],
)
def test_nan_propagates_where_x_only_chooses(name: str, order: int, dtype: str) -> None:
    entry = catalog.find(name)
    x = np.array([math.nan, -2.0, 0.0, 0.25, 2.0] * 9, dtype)  # the vectorised part of the loop, and its rest
    got = ufunc(entry, order)(x, *np.array(list(entry.defaults.values()), dtype))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(x))
    oracle = Oracle(derivative(entry.expression, order, entry.conventions))
    assert got[1:5].tolist() == oracle.sample(x[1:5].tolist(), _held(entry, dtype), dtype)


def _held(entry: Definition, dtype: str) -> dict[str, float]:
    return {name: float(np.dtype(dtype).type(value)) for name, value in entry.defaults.items()}


@pytest.mark.parametrize("order", [0, 1, 2])
def test_nan_reaches_the_result_of_every_program(order: int) -> None:
    for entry in EVERY[::3]:
        steps = build.program(build.Request(entry, order, dtype="float64"))
        values = {p.symbol: float(p.default) for p in entry.parameters} | {X: math.nan}
        for symbol, expression in steps.assignments:
            values[symbol] = in_floats(expression, values)
        assert math.isnan(in_floats(steps.result, values)), entry.name


@pytest.mark.parametrize("entry", [e for e in EVERY if e.parameters], ids=lambda e: e.name)
def test_a_clamp_far_out_fits_small_parameters(entry: Definition) -> None:
    """A parameter a thousand times smaller moves what is far out: swish'(1000) at beta = 0.001 is swish'(1) at 1."""
    values = {p.name: 1e-3 * p.default if p.contains(1e-3 * p.default) else p.default for p in entry.parameters}
    oracle, made = Oracle(derivative(entry.expression, 1, entry.conventions)), ufunc(entry, 1)
    for x in (-3000.0, -700.0, 700.0, 3000.0):
        true = oracle.rounded(x, values)
        got = float(made(np.float64(x), *map(np.float64, values.values())))
        assert got == pytest.approx(true, rel=1e-9, abs=1e-300), x

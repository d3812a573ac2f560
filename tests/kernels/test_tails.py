"""Far out an algebraic part is its leading term, where float64 arithmetic would fail, and no other part is touched."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from sympy import Piecewise, Symbol

from actfn import catalog
from actfn.formula import X, parse
from actfn.kernels.tails import TAIL, with_tails
from actfn.kernels.ufunc import ufunc

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
    if name == "morlet":  # the cosine of infinity is no number
        got, expected = got[1:3], np.array(limit)
    else:
        last = largest if math.isinf(limit[1]) else limit[1]
        expected = np.array([limit[0], limit[0], last, limit[1]])
    np.testing.assert_allclose(got, expected, rtol=2e-16, atol=1e-300 if limit[0] == 0 else 0)

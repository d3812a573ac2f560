"""Compiled kernels against the oracle, with tails, kinks and odd inputs: every order and dtype of one entry of each kind,
and f and f' of every entry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.kernels.ufunc import ufunc
from actfn.reference import Oracle, ulps
from tests.entries import EVERY, REPRESENTATIVE

DTYPES = ("float16", "float32", "float64")
OWN = [
    Definition("mine", "x*tanh(softplus(beta*x))", (Parameter("beta", 1.0, "positive"),)),
    Definition("clipped", "clip(x, low, 1)*exp(-abs(x))", (Parameter("low", -1.0),)),
]

BOUNDS = {"float32": {0: 4.0, 1: 4.0, 2: 8.0}, "float64": {0: 3.0, 1: 3.0, 2: 64.0}}
"""In ulps; what each kernel reaches is measured by `benchmarks/exhaustive`."""

OWN_BOUNDS = {
    ("atlu", 1, "float64"): 10.0,  # just right of where its series begins, a quarter of what cancels is left
    ("sinlu", 1, "float64"): 2.0**15,  # 1 + cos(x), which is 1.5e-5 at the largest number
}
"""(entry, order, dtype): a bound of its own."""
WITH_ROOTS = ("dsilu", "fts", "soft_exponential", "xielu")
"""Entries whose terms cancel at a root that no float64 is: an error of a few ulps of 1 counts as none near it."""
OSCILLATING = ("snake", "asu", "gcu", "morlet", "siren")
"""Entries whose derivatives come close to 0 everywhere: an error of a few ulps of 1 counts as none."""


def points(dtype: str) -> np.ndarray:
    """Normal numbers, every power of two of both signs, the neighbourhood of kinks and of overflow."""
    info = np.finfo(dtype)
    rng = np.random.default_rng(7)
    powers = 2.0 ** np.arange(info.minexp, info.maxexp, max(1, (info.maxexp - info.minexp) // 120))
    special = [0.0, float(info.tiny), float(info.smallest_subnormal), float(info.max), 1.0, 6.0, 88.7, 103.0, 709.0]
    values = np.concatenate([rng.normal(0, 3, 150), rng.uniform(-120, 120, 60), powers, special])
    with np.errstate(over="ignore"):
        found = np.concatenate([values, -values]).astype(dtype)
    return found[np.isfinite(found)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("entry", [*REPRESENTATIVE, *OWN], ids=lambda e: e.name)
def test_one_of_each_kind(entry: Definition, order: int, dtype: str) -> None:
    check(entry, order, points(dtype))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("entry", [e for e in EVERY if e not in REPRESENTATIVE], ids=lambda e: e.name)
def test_every_entry_in_float32(entry: Definition, order: int) -> None:
    check(entry, order, points("float32")[::3])


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("entry", [e for e in EVERY if e not in REPRESENTATIVE], ids=lambda e: e.name)
def test_every_entry_in_float64(entry: Definition, order: int) -> None:
    check(entry, order, points("float64")[::5])


def check(entry: Definition, order: int, x: np.ndarray) -> None:
    key = (entry.name, order, x.dtype.name)
    error = worst(entry, order, x)
    assert error[0] < OWN_BOUNDS.get(key, BOUNDS.get(key[2], {}).get(order, 1.0)), error


def worst(entry: Definition, order: int, x: np.ndarray) -> tuple[float, float]:
    """The largest error in ulps, and where; in float16, where each result is the nearest, an error is an assertion's."""
    dtype = x.dtype.name
    values = [x.dtype.type(v) for v in entry.defaults.values()]
    got = ufunc(entry, order)(x, *values)
    assert got.dtype == x.dtype
    oracle = Oracle(derivative(entry.expression, order, entry.conventions))
    parameters = dict(zip(entry.defaults, map(float, values), strict=True))
    found = (0.0, 0.0)
    for at, y in zip(x.tolist(), got.tolist(), strict=True):
        if dtype == "float16":
            expected = oracle.rounded(at, parameters, dtype)
            assert y == expected or (math.isnan(y) and math.isnan(expected)), (at, y, expected)
        else:
            ball = oracle.ball(at, parameters)
            cancels = order > 0 or entry.name in WITH_ROOTS
            near_zero = cancels and (abs(at) < 4 or entry.name in OSCILLATING)
            if not _lost_by_nature(y, ball, near_zero, dtype):
                found = max(found, (ulps(y, ball, dtype), at))
    return found


def _lost_by_nature(y: float, ball, near_zero: bool, dtype: str) -> bool:
    """Near a zero, where its terms cancel, and among the subnormals ulps say little: the error is tiny."""
    error = abs(y - float(ball.mid()))
    small = 4 * float(np.finfo(dtype).eps) if near_zero else 0.0
    return error <= max(small, 64 * float(np.finfo(dtype).smallest_subnormal))

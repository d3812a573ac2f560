"""Activations for NumPy: each name is a function of x and its parameters by position, and both dtype and shape stay."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy

import actfn
import actfn.numpy
from actfn import catalog
from actfn.definition import Definition
from actfn.formula.derivative import derivative
from actfn.formula.functions import erfc
from actfn.formula.printers import UnprintableError
from actfn.reference import Oracle, ulps
from tests.entries import REPRESENTATIVE

ENTRIES = [*catalog.entries().values()]
X = np.array([-3.5, -1.0, -1e-8, -0.0, 0.0, 1e-8, 1.0, 3.5])


def naive_elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def test_every_name_of_the_catalog_is_a_function():
    assert {*actfn.names()} <= {*dir(actfn.numpy)}
    for entry in ENTRIES:
        function = getattr(actfn.numpy, entry.name)
        assert function(X, *entry.defaults.values()).shape == X.shape


def test_an_unknown_function_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no function 'elv'"):
        actfn.numpy.elv  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError):
        from actfn.numpy import elv  # type: ignore[attr-defined]  # noqa: F401


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_dtype_stays(dtype):
    from actfn.numpy import elu

    x = X.astype(dtype)
    for y in (elu(x, x.dtype.type(0.5)), actfn.get("elu")(x, alpha=0.5)):
        assert y.dtype == x.dtype
        np.testing.assert_allclose(y, naive_elu(x.astype(float), 0.5).astype(dtype), rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    "x", [-1, True, [-1, 2], [[-1.0], [2.0]], np.array([-1, 2], np.int8), np.float64(-1.0), []], ids=repr
)
def test_whatever_numpy_reads_as_real_numbers_becomes_float64(x):
    y = actfn.get("elu")(x, alpha=2.0)
    assert y.dtype == np.float64
    assert y.shape == np.shape(x)
    np.testing.assert_allclose(y, naive_elu(np.asarray(x, float), 2.0), rtol=1e-15)


@pytest.mark.parametrize("x", [1j, "1", None, [None], np.array(["1"])], ids=repr)
def test_what_is_no_real_number_is_refused(x):
    with pytest.raises(TypeError, match="elu takes real numbers"):
        actfn.get("elu")(x)


def test_a_parameter_broadcasts():
    alpha = np.array([[0.5], [1.0], [-2.0]])
    expected = naive_elu(X, alpha)
    np.testing.assert_allclose(actfn.numpy.elu(X, alpha), expected, rtol=1e-15)
    np.testing.assert_allclose(actfn.get("elu")(X, alpha=alpha), expected, rtol=1e-15)
    np.testing.assert_allclose(actfn.get("elu")(X[0], alpha=alpha[:, 0]), expected[:, 0], rtol=1e-15)


@pytest.mark.parametrize("alpha", [0.0, -1.0, 1e300, 1e-300])
def test_any_real_alpha_is_taken(alpha):
    np.testing.assert_allclose(actfn.get("elu")(X, alpha=alpha), naive_elu(X, alpha), rtol=1e-14)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::2],
        lambda a: a[::-1],
        lambda a: a.reshape(4, 4).T,
        lambda a: a.reshape(2, 8)[:, 1::3],
        lambda a: np.broadcast_to(a[:1], (5,)),
        lambda a: a[:0],
        lambda a: a[3],
        lambda a: np.asfortranarray(a.reshape(4, 4)),
    ],
    ids=["step", "reversed", "transposed", "columns", "broadcast", "empty", "scalar", "Fortran"],
)
def test_any_layout_is_read(view):
    x = view(np.linspace(-3, 3, 16))
    before = np.array(x)
    np.testing.assert_allclose(actfn.get("elu")(x, alpha=0.5), naive_elu(before, 0.5), rtol=1e-15)
    np.testing.assert_allclose(actfn.numpy.elu(x, 0.5), naive_elu(before, 0.5), rtol=1e-15)
    np.testing.assert_array_equal(x, before)


def test_a_long_array_is_like_its_parts():
    x = np.random.default_rng(1).normal(0, 3, 300_001)
    whole = actfn.get("elu")(x, alpha=0.5)
    parts = [actfn.get("elu")(part, alpha=0.5) for part in np.array_split(x, 61)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_and_infinity(dtype):
    y = actfn.get("elu")(np.array([math.nan, math.inf, -math.inf], dtype), alpha=0.5)
    assert math.isnan(y[0])
    assert y.tolist()[1:] == [math.inf, -0.5]


@pytest.mark.parametrize("name", ["elu", "celu", "selu"])
def test_zero_keeps_its_sign(name):
    zeros = actfn.get(name)(np.array([0.0, -0.0]))
    assert zeros.tolist() == [0.0, 0.0]
    assert np.signbit(zeros).tolist() == [False, True]


def test_no_warning_at_the_ends_of_the_line():
    with np.errstate(all="raise"):  # and a warning is an error here
        for entry in ENTRIES:
            actfn.get(entry.name)(np.array([-1e4, -800.0, 800.0, 1e4]))


PRINTED_ULPS = {
    "rbf": 400.0,
    "swish": 8.0,
    "silu": 8.0,
    "mish": 8.0,
    "hardswish": 8.0,
    "gelu_tanh": 200.0,
    "snake": 1e9,
}
"""Bounds for printed code other than 4 ulps: it calls NumPy's own exp in the dtype of x, to which the rounding of x**2
matters in the tails of a Gaussian (and of x**3 in those of gelu_tanh), and the derivative of a gate is a sum. The slope of
snake touches 0 again and again, where ulps say nothing."""


def points(dtype: str) -> np.ndarray:
    """Away from the zeros of f', where a sum cancels."""
    powers = 2.0 ** np.arange(-60, 7)
    positive = np.concatenate([powers, 1.7 * powers, 3.3 * powers / 4])
    return np.concatenate([positive, -positive, [0.0]]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("entry", REPRESENTATIVE, ids=lambda entry: entry.name)
def test_printed_code_against_the_oracle(entry: Definition, order: int, dtype: str) -> None:
    if entry.expression.has(sympy.erf, erfc):
        with pytest.raises(UnprintableError, match="NumPy has no erf"):
            actfn.numpy.printed(entry, order)
        return
    oracle = Oracle(derivative(entry.expression, order, entry.conventions))
    x = points(dtype)
    parameters = {name: float(x.dtype.type(value)) for name, value in entry.defaults.items()}
    with np.errstate(under="ignore", over="ignore"):
        got = actfn.numpy.printed(entry, order)(x, *map(x.dtype.type, parameters.values()))
    worst = max(
        (ulps(float(y), oracle.ball(float(at), parameters), dtype), float(at)) for at, y in zip(x, got, strict=True)
    )
    assert worst[0] < PRINTED_ULPS.get(entry.name, 4.0), worst

"""NumPy: values, dtypes and shapes of printed functions, without a warning."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from sympy import Symbol, sqrt

from actfn.catalog import entries
from actfn.definition import Definition, Parameter
from actfn.formula import X
from actfn.formula.functions import erfc
from actfn.formula.printers import UnprintableError
from actfn.formula.printers.numpy import NumpyPrinter
from actfn.kernels.lower import program
from actfn.kernels.printed import load
from tests.entries import NAMES


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_dtype_and_shape(formula, expression, compiled, truth, points, dtype):
    if "erf" in formula:
        with pytest.raises(UnprintableError, match="NumPy has no erf"):
            NumpyPrinter().expression(expression)
        return
    x, values = points
    wanted = np.array(truth(expression))
    known = np.isfinite(wanted)
    assert known.any()
    with np.errstate(invalid="ignore", divide="ignore"):  # the formula's own: sqrt(-1), 1/0
        got = compiled(NumpyPrinter(), expression)(np.array(x, dtype).reshape(2, 4), **values)
    assert (got.dtype, got.shape) == (dtype, (2, 4))
    rtol = 2e-6 if dtype is np.float32 else 1e-14
    np.testing.assert_allclose(got.ravel()[known].astype(float), wanted[known], rtol=rtol, atol=rtol / 100)


@pytest.mark.parametrize("formula_", ["where(x > 0, 1, negative_slope)", "exp(alpha)*x", "alpha", "max(alpha, beta)*x"])
def test_parameters_may_be_arrays(read, compiled, formula_):
    x = np.array([-1.0, 2.0], np.float32)
    f = compiled(NumpyPrinter(), read(formula_))
    got = f(x, *(np.array([v, v], np.float32) for v in (0.5, 2.0, 0.25)))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, f(x, 0.5, 2.0, 0.25))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", [0, 1])
def test_the_catalog_warns_nowhere(name, order):
    definition = entries()[name]
    steps = program(definition, order)
    if any(e.has(sympy.erf, erfc) for e in (steps.result, *(e for _, e in steps.assignments))):
        return  # refused, see above
    source = NumpyPrinter().function("f", steps.arguments, steps.assignments, steps.result)
    x = np.array([-1e4, -88.0, -1.0, -0.0, 0.0, 1.0, 88.0, 1e4])
    y = load(source, "f", {"np": np})(x, **definition.defaults)
    assert np.isfinite(y).all()
    assert (y.dtype, y.shape) == (x.dtype, x.shape)


@pytest.mark.parametrize("formula_", ["sigmoid(x)", "softplus(x)", "softplus(-x)"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_overflow_far_out(read, compiled, formula_, dtype):
    y = compiled(NumpyPrinter(), read(formula_))(np.array([-1e4, 1e4], dtype), 1.0, 1.0, 1.0)
    assert sorted(y.tolist()) in ([0.0, 1.0], [0.0, 1e4])


@pytest.mark.parametrize(
    "formula_", ["max(x, 0)", "min(0, x)", "clip(x, -1, 1)", "sign(x)", "sigmoid(x)", "softplus(x)", "cbrt(x)"]
)
def test_nan_stays(read, compiled, formula_):
    y = compiled(NumpyPrinter(), read(formula_))(np.array([np.nan, 1.0]), 1.0, 1.0, 1.0)
    assert np.isnan(y).tolist() == [True, False]


def test_assigned_names_are_followed_back_to_x(compiled):
    """u depends on x, v on alpha alone: a where over v needs an array, one over u doesn't."""
    alpha, u, v = Symbol("alpha", real=True), Symbol("u"), Symbol("v")
    f = compiled(NumpyPrinter(), u * sqrt(v), [(u, 2 * X), (v, alpha - 1)])
    assert f(np.array([3.0], np.float32), 5.0, 0, 0) == np.float32(12)
    constant = compiled(NumpyPrinter(), v, [(u, 2 * X), (v, alpha - 1)])
    assert constant(np.zeros(3, np.float32), 5.0, 0, 0).tolist() == [4.0] * 3


def test_names_that_mean_something_else():
    lambd = Definition("lambda", "np*x + sigmoid(x)/torch", [Parameter("np", 2.0), Parameter("torch", 4.0)])
    steps = program(lambd)
    source = NumpyPrinter().function(lambd.name, steps.arguments, steps.assignments, steps.result)
    assert load(source, "lambda_", {"np": np})(np.ones(1), 2.0, 4.0) == pytest.approx(2 + 0.25 / (1 + np.exp(-1)))


def test_the_code_reads_well(read):
    source = NumpyPrinter().function("f", ["x", "alpha"], [], read("where(x > 0, x, alpha*(exp(x) - 1))"))
    assert source.endswith("def f(x, alpha):\n    return np.where(x > 0, x, alpha*(np.exp(x) - 1))\n")
    assert NumpyPrinter().expression(read("1.0507009873554804934*1.6732632423543772848*x")) == "1.7580993408473768*x"

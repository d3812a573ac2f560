"""PyTorch: values, dtypes, shapes and gradients of printed functions, under compile, vmap and forward AD."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from sympy import Symbol, sqrt

from actfn.catalog import entries
from actfn.formula import X
from actfn.formula.printers.torch import TorchPrinter
from actfn.kernels.lower import program
from actfn.kernels.printed import load
from tests.entries import NAMES

torch = pytest.importorskip("torch")
HALF, SINGLE, DOUBLE = torch.float16, torch.float32, torch.float64
TOLERANCE = {HALF: 4e-3, SINGLE: 2e-6, DOUBLE: 2e-14}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("kind", ["numbers", "tensors"])
def test_value_dtype_and_shape(expression, compiled, truth, points, dtype, kind):
    at, values = points
    x = torch.tensor(at, dtype=dtype).reshape(2, 4)
    given = values if kind == "numbers" else {n: torch.tensor(v, dtype=dtype) for n, v in values.items()}
    got = compiled(TorchPrinter(), expression)(x, **given)
    assert (got.dtype, got.shape) == (dtype, x.shape)
    wanted = np.array(truth(expression))
    known = np.isfinite(wanted)
    rtol = TOLERANCE[dtype]
    np.testing.assert_allclose(got.double().numpy().ravel()[known], wanted[known], rtol=rtol, atol=rtol / 4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
def test_gradients_of_the_catalog_are_finite_and_right(name, dtype):
    definition = entries()[name]
    codes = []
    for order in (0, 1):
        steps = program(definition, order)
        source = TorchPrinter().function("f", steps.arguments, steps.assignments, steps.result)
        codes.append(load(source, "f", {"torch": torch}))
    x = torch.tensor([-1000.0, -100.0, -1.5, -0.25, 0.0, 0.25, 1.5, 100.0, 1000.0], dtype=dtype, requires_grad=True)
    (slope,) = torch.autograd.grad(codes[0](x, **definition.defaults).sum(), x)
    exact = codes[1](x.detach(), **definition.defaults)
    assert torch.isfinite(slope).all()
    assert exact.dtype == slope.dtype == dtype
    away = x.detach() != 0  # at 0 there may be a kink, whose slope is a convention
    torch.testing.assert_close(slope[away], exact[away], rtol=1e-5 if dtype == SINGLE else 1e-12, atol=1e-7)


FUNCTIONS = [
    "sigmoid(x)",
    "softplus(x)",
    "tanh(x)",
    "erf(x)",
    "erfc(x)",
    "atan(x)",
    "asinh(x)",
    "expm1(-abs(x))",
    "cbrt(x)",
]
FUNCTIONS += ["max(x, 0)", "min(x, 1)", "clip(x, -1, 1)", "abs(x)", "sign(x)*x", "sin(x)", "x*sigmoid(x)", "exp(-x**2)"]


@pytest.mark.parametrize("formula_", FUNCTIONS)
@pytest.mark.parametrize("dtype", [HALF, SINGLE, DOUBLE], ids=str)
def test_gradients_are_finite(read, compiled, formula_, dtype):
    x = torch.tensor([-1000.0, -30.0, 0.0, 30.0, 1000.0], dtype=dtype, requires_grad=True)
    (slope,) = torch.autograd.grad(compiled(TorchPrinter(), read(formula_))(x, 1.0, 1.0, 1.0).sum(), x)
    assert torch.isfinite(slope).all()


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
def test_softplus(read, compiled, dtype):
    """Value, slope and second derivative, to 4 units of the dtype's precision and its smallest number."""
    f = compiled(TorchPrinter(), read("softplus(x)"))
    at = [-100.0, -30.0, -1.0, 0.0, 1.0, 15.0, 19.9, 20.1, 30.0, 39.9, 40.1, 100.0]
    x = torch.tensor(at, dtype=dtype, requires_grad=True)
    y = f(x, 1.0, 1.0, 1.0)
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    eps = torch.finfo(dtype).eps
    with mpmath.workdps(60):
        for i, u in enumerate(map(mpmath.mpf, x.tolist())):
            s = 1 / (1 + mpmath.exp(-u))
            assert float(y.detach()[i]) == pytest.approx(float(mpmath.log1p(mpmath.exp(u))), rel=4 * eps, abs=4e-45)
            assert float(slope.detach()[i]) == pytest.approx(float(s), rel=4 * eps, abs=4e-45)
            assert float(second[i]) == pytest.approx(float(s * (1 - s)), rel=4 * eps, abs=eps)


@pytest.mark.parametrize(
    "formula_",
    ["max(x, 0)", "max(0, x)", "min(x, 0)", "min(0, x)", "clip(x, -1, 1)", "sign(x)", "softplus(x)", "cbrt(x)"],
)
def test_nan_stays(read, compiled, formula_):
    y = compiled(TorchPrinter(), read(formula_))(torch.tensor([torch.nan, 1.0]), 1.0, 1.0, 1.0)
    assert y.isnan().tolist() == [True, False]


def test_the_slope_in_a_tie_is_that_of_the_second_argument(read, compiled):
    x = torch.zeros(1, requires_grad=True)
    for formula, slope in (("max(x, 0)", 0), ("min(x, 0)", 0), ("max(0, x)", 1)):
        y = compiled(TorchPrinter(), read(formula))(x, 1.0, 1.0, 1.0)
        assert torch.autograd.grad(y.sum(), x)[0].item() == slope


def test_cbrt(read, compiled):
    x = torch.tensor([-27.0, -8e-30, 0.0, 8e30], dtype=DOUBLE, requires_grad=True)
    y = compiled(TorchPrinter(), read("cbrt(x)"))(x, 1.0, 1.0, 1.0)
    torch.testing.assert_close(y.detach(), torch.tensor([-3.0, -2e-10, 0.0, 2e10], dtype=DOUBLE), rtol=2e-14, atol=0)
    (slope,) = torch.autograd.grad(y.sum(), x)
    expected = torch.tensor([1 / 27, 1 / 12e-20, 0.0, 1 / 12e20], dtype=DOUBLE)  # 0 at 0, where it is infinite
    torch.testing.assert_close(slope, expected, rtol=2e-14, atol=0)


COMPOSED = [
    "softplus(alpha*x)",
    "where(x > 0, 1, exp(alpha))*x",
    "max(x, alpha) + cbrt(x)",
    "exp(alpha)",
    "where(x > alpha, 1, 2)",
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a part of PyTorch by PyTorch
@pytest.mark.parametrize("formula_", COMPOSED)
def test_it_composes(read, compiled, formula_):
    """compile, vmap over x and a parameter, forward AD: each agrees with eager code, and with reverse AD."""
    f = compiled(TorchPrinter(), read(formula_))
    x = torch.tensor([-3.0, -0.5, 0.75, 2.0], dtype=DOUBLE)
    alpha = torch.tensor(0.75, dtype=DOUBLE)
    eager = f(x, 0.75, 1.0, 1.0)
    torch.testing.assert_close(torch.func.vmap(lambda u, a: f(u, a, 1.0, 1.0))(x, alpha.expand(4)), eager)
    _, forward = torch.func.jvp(
        lambda u, a: f(u, a, 1.0, 1.0), (x, alpha), (torch.ones_like(x), torch.zeros_like(alpha))
    )
    _, pull = torch.func.vjp(lambda u: f(u, 0.75, 1.0, 1.0), x)
    torch.testing.assert_close(forward, pull(torch.ones_like(x))[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a part of PyTorch by PyTorch
@pytest.mark.parametrize("parameter", [0.75, torch.tensor(0.75, dtype=DOUBLE)], ids=["number", "tensor"])
def test_it_compiles_in_one_piece(read, compiled, parameter):
    torch._dynamo.reset()
    f = compiled(
        TorchPrinter(), read("softplus(alpha*x) + where(x > 0, 1, exp(alpha)) + max(x, alpha) + sign(x) + cbrt(x)")
    )
    whole = torch.compile(f, backend="aot_eager", fullgraph=True)
    results = []
    for function in (f, whole):
        x = torch.tensor([-3.0, -0.5, 0.75, 2.0], dtype=DOUBLE, requires_grad=True)
        y = function(x, parameter, 1.0, 1.0)
        results.append((y.detach(), torch.autograd.grad(y.sum(), x)[0]))
    torch.testing.assert_close(results[1], results[0])


def test_a_learnable_parameter_gets_its_gradient(read, compiled):
    alpha = torch.tensor(0.5, requires_grad=True)
    y = compiled(TorchPrinter(), read("where(x > 0, 1, exp(alpha))"))(torch.tensor([-1.0, 1.0]), alpha, 1.0, 1.0)
    assert torch.autograd.grad(y.sum(), alpha)[0].item() == pytest.approx(np.exp(0.5), rel=1e-6)


def test_assigned_names_are_followed_back_to_their_parameters(compiled):
    alpha, u = Symbol("alpha", real=True), Symbol("u")
    source = TorchPrinter().function("f", ["x", "alpha"], [(u, alpha - 1)], X * sqrt(u))
    assert "alpha = torch.as_tensor(alpha, dtype=x.dtype, device=x.device)\n    u = alpha - 1\n" in source
    assert "as_tensor" not in TorchPrinter().function("f", ["x", "alpha"], [(u, alpha - X)], sqrt(u))

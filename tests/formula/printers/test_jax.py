"""JAX: values, dtypes, shapes and gradients of printed functions, under jit, vmap and forward AD, with and without x64."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import mpmath
import numpy as np
import pytest
from sympy import Symbol

from actfn.catalog import entries
from actfn.formula import X
from actfn.formula.printers.jax import JaxPrinter
from actfn.kernels.lower import program
from actfn.kernels.printed import load
from tests.entries import NAMES

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
TOLERANCE = {"bfloat16": 3e-2, "float32": 2e-6, "float64": 2e-14}


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Iterator[str]:
    """A dtype; float64 only exists where x64 is enabled, which holds for the test alone."""
    with x64(request.param == "float64"):
        yield request.param


def x64(on: bool):
    context = getattr(jax, "enable_x64", None)
    if context is None:
        from jax.experimental import enable_x64 as context  # type: ignore[attr-defined]  # before JAX 0.8
    return context(on)


def numbers(values) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


@pytest.mark.parametrize("name", TOLERANCE)
@pytest.mark.parametrize("kind", ["numbers", "arrays"])
def test_value_dtype_and_shape(expression, compiled, truth, points, name, kind):
    at, values = points
    with x64(name == "float64" or kind == "arrays"):  # under x64, too, a smaller dtype must stay
        x = jnp.asarray(at, dtype=name).reshape(2, 4)
        given = values if kind == "numbers" else {n: jnp.asarray(v, dtype=name) for n, v in values.items()}
        got = compiled(JaxPrinter(), expression)(x, **given)
        assert (got.dtype, got.shape) == (x.dtype, x.shape)
        wanted = np.array(truth(expression))
        known = np.isfinite(wanted)
        rtol = TOLERANCE[name]
        np.testing.assert_allclose(numbers(got).ravel()[known], wanted[known], rtol=rtol, atol=rtol / 4)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_the_catalog_are_finite_and_right(name, dtype):
    definition = entries()[name]
    codes = []
    for order in (0, 1):
        steps = program(definition, order)
        codes.append(load(JaxPrinter().function("f", steps.arguments, steps.assignments, steps.result), "f", {}))
    x = jnp.asarray([-1000.0, -100.0, -30.0, -1.5, -0.25, 0.0, 0.25, 1.5, 30.0, 100.0, 1000.0], dtype=dtype)
    slope = jax.jit(jax.vmap(jax.grad(lambda u: codes[0](u, **definition.defaults))))(x)
    exact = codes[1](x, **definition.defaults)
    assert np.isfinite(numbers(slope)).all()
    assert exact.dtype == slope.dtype == x.dtype
    away = np.asarray(x) != 0  # at 0 there may be a kink, whose slope is a convention
    rtol = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(numbers(slope)[away], numbers(exact)[away], rtol=rtol, atol=1e-7)


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
def test_gradients_are_finite(read, compiled, formula_, dtype):
    f = compiled(JaxPrinter(), read(formula_))
    x = jnp.asarray([-1000.0, -30.0, 0.0, 30.0, 1000.0], dtype=dtype)
    assert np.isfinite(numbers(jax.grad(lambda u: f(u, 1.0, 1.0, 1.0).sum())(x))).all()


def test_sigmoid_and_softplus(read, compiled, dtype):
    """Values, slopes and second derivatives, to 8 units of the dtype's precision: also in the tails, and at 0."""
    at = [-80.0, -30.0, -17.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 15.0, 17.0, 30.0, 80.0]
    x = jnp.asarray(at, dtype=dtype)
    found = {}
    for formula in ("sigmoid(x)", "softplus(x)"):
        f = compiled(JaxPrinter(), read(formula))
        scalar = lambda u, f=f: f(u, 1.0, 1.0, 1.0)  # noqa: E731
        slope = jax.grad(scalar)
        found[formula] = [numbers(jax.vmap(g)(x)) for g in (scalar, slope, jax.grad(slope))]
    near = {"rel": 8 * float(jnp.finfo(dtype).eps), "abs": 0}
    with mpmath.workdps(60):
        for i, u in enumerate(map(mpmath.mpf, numbers(x))):
            s = 1 / (1 + mpmath.exp(-u))
            value, slope, second = (column[i] for column in found["softplus(x)"])
            assert value == pytest.approx(float(mpmath.log1p(mpmath.exp(u))), **near)
            assert slope == pytest.approx(float(s), **near)
            assert second == pytest.approx(float(s * (1 - s)), **near)
            value, slope, second = (column[i] for column in found["sigmoid(x)"])
            assert value == pytest.approx(float(s), **near)
            assert slope == pytest.approx(float(s * (1 - s)), **near)
            assert second == pytest.approx(float(s * (1 - s) * (1 - 2 * s)), rel=near["rel"], abs=near["rel"] / 4)


def test_erfc_keeps_its_tail(read, compiled, dtype):
    at = [-3.0, 0.0, 0.5, 2.0, 5.0, 9.0]
    got = numbers(compiled(JaxPrinter(), read("erfc(x)"))(jnp.asarray(at, dtype=dtype), 1.0, 1.0, 1.0))
    rtol = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(got, [float(mpmath.erfc(x)) for x in at], rtol=rtol)


KEEP_NAN = [
    "max(x, 0)",
    "max(0, x)",
    "min(x, 0)",
    "min(0, x)",
    "clip(x, -1, 1)",
    "sign(x)",
    "softplus(x)",
    "sigmoid(x)",
    "cbrt(x)",
]


@pytest.mark.parametrize("formula_", KEEP_NAN)
def test_nan_stays_and_infinity_is_the_limit(read, compiled, formula_):
    f = compiled(JaxPrinter(), read(formula_))
    y = numbers(f(jnp.asarray([np.nan, 1.0, np.inf, -np.inf]), 1.0, 1.0, 1.0))
    assert np.isnan(y).tolist() == [True, False, False, False]
    far = numbers(f(jnp.asarray([1e37, -1e37]), 1.0, 1.0, 1.0))
    assert y[2:].tolist() == [v if abs(v) < 10 else np.copysign(np.inf, v) for v in far.tolist()]


def test_the_slope_in_a_tie_is_that_of_the_second_argument(read, compiled):
    for formula, slope in (("max(x, 0)", 0), ("min(x, 0)", 0), ("max(0, x)", 1)):
        f = compiled(JaxPrinter(), read(formula))
        assert jax.grad(lambda u, f=f: f(u, 1.0, 1.0, 1.0))(jnp.asarray(0.0)) == slope


def test_cbrt(read, compiled):
    f = compiled(JaxPrinter(), read("cbrt(x)"))
    with x64(True):
        x = jnp.asarray([-27.0, -8e-30, 0.0, 8e30], dtype="float64")
        np.testing.assert_allclose(f(x, 1.0, 1.0, 1.0), [-3.0, -2e-10, 0.0, 2e10], rtol=2e-14)
        slope = jax.grad(lambda u: f(u, 1.0, 1.0, 1.0).sum())(x)
        np.testing.assert_allclose(
            slope, [1 / 27, 1 / 12e-20, 0.0, 1 / 12e20], rtol=2e-14
        )  # 0 at 0, where it is infinite


COMPOSED = [
    "softplus(alpha*x)",
    "where(x > 0, 1, exp(alpha))*x",
    "max(x, alpha) + cbrt(x)",
    "exp(alpha)",
    "where(x > alpha, 1, 2)",
]


@pytest.mark.parametrize("formula_", COMPOSED)
def test_it_composes(read, compiled, formula_, dtype):
    """jit with a traced parameter, vmap over x and a parameter, forward AD: each agrees with what runs step by step."""
    f = compiled(JaxPrinter(), read(formula_))
    two = lambda u, a: f(u, a, 1.0, 1.0)  # noqa: E731
    x = jnp.asarray([-3.0, -0.5, 0.75, 2.0], dtype=dtype)
    alpha = jnp.asarray(0.75, dtype=dtype)
    rtol = 1e-6 if dtype == "float32" else 1e-14
    direct = two(x, 0.75)
    np.testing.assert_allclose(jax.jit(two)(x, 0.75), direct, rtol=rtol)
    np.testing.assert_allclose(jax.vmap(two)(x, jnp.full_like(x, 0.75)), direct, rtol=rtol)
    _, forward = jax.jvp(two, (x, alpha), (jnp.ones_like(x), jnp.zeros_like(alpha)))
    _, pull = jax.vjp(lambda u: two(u, 0.75), x)
    np.testing.assert_allclose(forward, pull(jnp.ones_like(x))[0], rtol=rtol)


def test_a_parameter_gets_its_gradient(read, compiled):
    f = compiled(JaxPrinter(), read("where(x > 0, 1, exp(alpha))"))
    slope = jax.grad(lambda a: f(jnp.asarray([-1.0, 1.0]), a, 1.0, 1.0).sum())(0.5)
    assert float(slope) == pytest.approx(np.exp(0.5), rel=1e-6)


def test_names_of_the_language_can_be_parameters(compiled):
    names = ["lambda", "jnp", "jax", "match", "_sigmoid"]
    total = sum((Symbol(n, real=True) for n in names), start=X)
    scope: dict = {}
    exec(JaxPrinter().function("class", ["x", *names], [], total), scope)
    assert scope["class_"](jnp.asarray(0.5), *(1.0 for _ in names)) == 5.5


@pytest.mark.parametrize(
    ("formula_", "imports"),
    [
        ("sqrt(x)", ["import jax.numpy as jnp"]),
        ("erfc(x)", ["import jax.numpy as jnp", "from jax.scipy.special import erfc as _erfc"]),
    ],
)
def test_it_imports_what_it_needs_and_no_more(read, formula_, imports):
    tree = ast.parse(JaxPrinter().function("f", ["x"], [], read(formula_)))
    assert [ast.unparse(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)] == imports


def test_the_code_reads_well():
    steps = program(entries()["elu"])
    assert JaxPrinter().function("elu", steps.arguments, steps.assignments, steps.result) == (
        "import jax.numpy as jnp\n\n\ndef elu(x, alpha):\n    x0 = jnp.where(x > 0, 0, x)\n"
        "    return jnp.where(x > 0, x, alpha*jnp.expm1(x0))\n"
    )

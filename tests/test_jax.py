"""JAX functions: values and exact derivatives of any order under its transforms, dtypes as jnp.exp has them, layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

import actfn
from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
check_grads = pytest.importorskip("jax.test_util").check_grads

import actfn.jax  # noqa: E402  (needs JAX)

ENTRIES = [*catalog.entries().values()]


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Iterator[str]:
    """A dtype; float64 exists only where x64 is enabled, which holds for the test alone."""
    with x64(request.param == "float64"):
        yield request.param


def x64(on: bool = True):
    context = getattr(jax, "enable_x64", None)
    if context is None:
        from jax.experimental import enable_x64 as context  # type: ignore[attr-defined]  # before JAX 0.8
    return context(on)


@cache
def oracle(definition: Definition, order: int = 0, by: tuple[str, ...] = ()) -> Oracle:
    symbols = [definition.symbols[n] for n in by]
    return Oracle(derivative(definition.expression, order, definition.conventions, symbols))


def numbers(values) -> list[float]:
    return np.asarray(values, dtype=np.float64).tolist()


# -- names


def test_every_name_of_the_catalog_is_a_function_and_no_other():
    assert {*actfn.names()} <= {*dir(actfn.jax)}
    assert actfn.jax.elu is actfn.jax.elu  # one function: jit caches by it
    with pytest.raises(AttributeError, match="no function 'elv'"):
        actfn.jax.elv  # type: ignore[attr-defined]  # noqa: B018


def test_parameters_go_by_position_or_name_and_have_defaults():
    from actfn.jax import elu

    assert float(elu(-1.0)) == float(elu(-1.0, 1.0)) == float(elu(x=-1.0, alpha=1.0))
    with pytest.raises(TypeError, match="unexpected keyword argument 'beta'"):
        elu(-1.0, beta=1.0)
    assert elu.__doc__.startswith("Exponential linear unit: where(")
    np.testing.assert_allclose(jax.jit(elu, static_argnames="alpha")(-1.0, alpha=2.0), 2 * math.expm1(-1), rtol=1e-6)


# -- numbers

POINTS = [s * m for m in (1e-30, 1e-3, 0.11, 0.55, 1.3, 2.7, 4.9, 11.0, 31.0) for s in (1.0, -1.0)]
"""None is a kink of an entry at default parameters, so that f' has one value there."""


def test_every_entry_and_its_gradient_agree_with_the_oracle(dtype):
    """Within 32 roundings of x, of the value, or of a number near 1 that cancels. Step by step, as XLA takes its time."""
    x = np.array(POINTS, dtype)
    with jax.disable_jit():
        found = {d: jax.vmap(jax.value_and_grad(getattr(actfn.jax, d.name)))(x) for d in ENTRIES}
    for entry, columns in found.items():
        given = {n: float(x.dtype.type(v)) for n, v in entry.defaults.items()}
        assert [y.dtype for y in columns] == [x.dtype] * 2
        for at, y, yp in zip(numbers(x), *map(numbers, columns), strict=True):
            true, slope = (float(oracle(entry, order).ball(at, given).mid()) for order in (0, 1))
            rounding = 32 * float(np.finfo(dtype).eps)
            assert abs(y - true) <= rounding * max(abs(true), abs(at * slope), 1.0), (entry.name, at, y, true)
            if not abs(yp - slope) <= rounding * max(abs(slope), 1.0):
                steep = abs(at * float(oracle(entry, 2).ball(at, given).mid()))
                assert abs(yp - slope) <= rounding * steep, (entry.name, at, yp, slope)


ULPS = {
    ("relu", 0): 0, ("relu", 1): 0, ("leaky_relu", 0): 0.5, ("leaky_relu", 1): 0, ("elu", 0): 5.5, ("elu", 1): 1,
    ("selu", 0): 6, ("selu", 1): 1.8, ("celu", 0): 5.5, ("celu", 1): 1, ("sigmoid", 0): 2.4, ("sigmoid", 1): 4.3,
    ("tanh", 0): 7, ("tanh", 1): 4.2, ("softplus", 0): 3, ("softplus", 1): 2.4, ("silu", 0): 3.1,
}  # fmt: skip
"""How far XLA's CPU code may be off, found with every 37th float32 (tanh is at its worst in float64), where the value is at
least 2^8 times the smallest normal number: a factor that is flushed to 0 takes the product with it."""


@pytest.mark.parametrize(("name", "order"), ULPS)
def test_errors_in_ulps(name, order, dtype):
    entry = catalog.find(name)
    f = getattr(actfn.jax, name)
    powers = 2.0 ** np.arange(-40, 7)
    positive = np.concatenate([powers, 1.7 * powers, 0.8 * powers])
    normal = np.random.default_rng(2).normal(0, 3, 300)
    x = np.concatenate([positive, -positive, normal, [-20.0, -80.0, 80.0]]).astype(dtype)
    got = jax.jit(jax.vmap(jax.grad(f)) if order else f)(x)
    given = {n: float(x.dtype.type(v)) for n, v in entry.defaults.items()}
    floor = 2**8 * np.finfo(dtype).tiny
    worst = (0.0, 0.0)
    for at, y in zip(numbers(x), numbers(got), strict=True):
        ball = oracle(entry, order).ball(at, given)
        if ball == 0 or abs(float(ball.mid())) >= floor:
            worst = max(worst, (ulps(y, ball, dtype), at))
    assert worst[0] <= ULPS[name, order], worst


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_sixteen_bits_are_rounded_once(kind):
    """Over all finite patterns f and its gradient lie within 0.51 ulp; what is subnormal in float32 is 0 to XLA's CPU code."""
    x = jax.lax.bitcast_convert_type(jnp.arange(2**16, dtype=jnp.uint16), kind)
    x = x[jnp.isfinite(x)]
    wide, alpha, info = np.asarray(x, np.float64), float(np.float32(0.3)), jnp.finfo(kind)
    low = np.minimum(wide, 0)
    values = np.where(wide > 0, wide, alpha * np.expm1(low))
    slopes = np.where(wide > 0, 1, alpha * np.exp(low))
    tiny, least = float(np.finfo(np.float32).tiny), float(info.smallest_normal)
    for got, true in (
        (actfn.jax.elu(x, 0.3), values),
        (jax.vmap(jax.grad(lambda u: actfn.jax.elu(u, 0.3)))(x), slopes),
    ):
        assert got.dtype == x.dtype
        quantum = float(info.eps) * np.exp2(np.floor(np.log2(np.maximum(np.abs(true), least))))
        seen = ((np.abs(wide) >= tiny) | (wide == 0)) & ((np.abs(true) >= tiny) | (true == 0))
        assert np.max((np.abs(np.asarray(got, np.float64) - true) / quantum)[seen]) <= 0.51


def test_both_tails_are_kept():
    """jax.nn's own ELU'(-20) is 0; where f' is 0 for good, and where x is large, nothing turns into NaN."""
    slope = jax.vmap(jax.grad(actfn.jax.elu))
    np.testing.assert_allclose(slope(jnp.array([-20.0, -80.0])), np.exp([-20.0, -80.0]), rtol=1e-6)
    far = jnp.array([-3e38, -1e4, -104.0, 89.0, 1e4, 3e38])
    for name in ("elu", "celu", "selu", "sigmoid", "softplus", "silu"):
        f = getattr(actfn.jax, name)
        assert np.isfinite(numbers(jax.vmap(jax.grad(f))(far))).all()
        assert np.isnan(numbers(f(jnp.asarray(math.nan))))


# -- kinks


@pytest.mark.parametrize(
    ("rule", "slopes"),
    [
        ("left", [0.0, 1.0]),
        ("right", [1.0, 0.0]),
        ("mean", [0.5, 0.5]),
        (0.25, [0.25, 0.25]),
        ({"-a": "right", "a": "mean"}, [1.0, 0.5]),
    ],
    ids=str,
)
def test_the_slope_at_a_kink_is_that_of_the_convention(rule, slopes):
    definition = Definition("kinked", "clip(x, -a, a)", [Parameter("a", 1.0, "positive")], conventions=rule)
    f = actfn.jax.function(definition)
    for way in (jax.grad(f), jax.jacfwd(f), jax.jit(jax.grad(f))):
        assert [float(way(u)) for u in (-1.0, 1.0)] == slopes


def test_higher_orders_take_the_side_too():
    """ELU has f''(0) = alpha from the left; CELU's in jax.nn is the mean of its branches' ties, on neither side."""
    hessian = jax.hessian(actfn.jax.elu)
    assert [float(hessian(u, 0.5)) for u in (0.0, 1e-6)] == [0.5, 0.0]
    assert float(jax.hessian(actfn.jax.celu)(0.0, 0.5)) == 2.0
    assert float(jax.grad(actfn.jax.relu)(0.0)) == 0.0


# -- transforms

DEEP = ["elu", "celu", "softplus", "tanh", "silu", "rbf"]


@pytest.mark.parametrize("name", DEEP)
def test_derivatives_of_every_order_and_by_parameters(name):
    entry = catalog.find(name)
    f = getattr(actfn.jax, name)
    at, given = np.array([-1.25, 0.5]), dict.fromkeys(entry.defaults, 0.75)
    ways = {(1, ()): jax.grad(f), (2, ()): jax.hessian(f), (3, ()): jax.grad(jax.hessian(f))}
    for i, n in enumerate(entry.defaults, start=1):
        ways |= {(0, (n,)): jax.grad(f, i), (0, (n, n)): jax.jacfwd(jax.grad(f, i), i)}
        ways |= {(1, (n,)): jax.jacfwd(jax.jacrev(f, i))}
    with x64():
        for (order, by), way in ways.items():
            got = jax.jit(jax.vmap(lambda u, way=way: way(u, *given.values())))(at)
            true = oracle(entry, order, by).sample(at, given)
            np.testing.assert_allclose(got, true, rtol=1e-13, atol=1e-15)
        check_grads(jax.jit(f), (jnp.asarray(-1.25), *map(jnp.asarray, given.values())), order=2, modes=("fwd", "rev"))


def test_transforms_compose():
    from actfn.jax import elu

    x = jnp.array([-2.0, -0.5, 0.75])
    slope = np.where(np.array(x) > 0, 1, 0.5 * np.exp(np.minimum(x, 0)))
    near = {"rtol": 1e-6}
    _, along = jax.jvp(lambda u: elu(u, 0.5), (x,), (jnp.full_like(x, 2.0),))
    np.testing.assert_allclose(along, 2 * slope, **near)
    _, pull = jax.vjp(elu, x, jnp.asarray(0.5))
    by_x, by_alpha = pull(jnp.ones_like(x))
    np.testing.assert_allclose(by_x, slope, **near)
    np.testing.assert_allclose(by_alpha, np.expm1([-2.0, -0.5]).sum(), **near)
    np.testing.assert_allclose(jax.linearize(elu, x)[1](jnp.ones_like(x)), 2 * slope - (x > 0), **near)
    batched = jax.jit(jax.vmap(jax.grad(elu), in_axes=(0, None)))
    np.testing.assert_allclose(batched(x, 0.5), slope, **near)
    both = jax.vmap(elu, in_axes=(None, 0))(x, jnp.array([0.5, 1.0]))
    np.testing.assert_allclose(both[1], elu(x), **near)
    np.testing.assert_allclose(jax.hessian(lambda u: elu(u, 0.5).sum())(x), np.diag(slope * (x < 0)), **near)
    np.testing.assert_allclose(jax.grad(lambda u: jax.checkpoint(elu)(u, 0.5).sum())(x), slope, **near)
    thrice = lambda u: jax.lax.scan(lambda c, _: (elu(c, 0.5), None), u, None, length=3)[0]  # noqa: E731
    by_hand = lambda u: elu(elu(elu(u, 0.5), 0.5), 0.5)  # noqa: E731
    np.testing.assert_allclose(jax.grad(thrice)(-1.0), jax.grad(by_hand)(-1.0), **near)


def test_a_gradient_that_is_not_asked_for_cannot_spoil_one_that_is():
    """d/da overflows where d/dx does not: 0 times infinity must not get into the sum."""
    f = actfn.jax.function(Definition("f", "x*a**3", [Parameter("a", 1.0)]))
    assert float(jax.grad(lambda x: f(x, jnp.asarray(1e12)) * 0)(3e30)) == 0.0
    assert float(jax.jit(jax.grad(f))(3e30, 1e12)) == pytest.approx(1e36, rel=1e-6)


def test_parameters_broadcast_with_x_and_get_gradients_of_their_shape():
    x, alpha = -jnp.ones((2, 3)), jnp.array([0.5, 1.0, 2.0])
    y = actfn.jax.elu(x, alpha)
    np.testing.assert_allclose(y, np.broadcast_to(np.asarray(alpha) * np.expm1(-1), (2, 3)), rtol=1e-6)
    assert actfn.jax.elu(x[0, 0], alpha).shape == (3,)
    gradient = jax.grad(lambda x, a: actfn.jax.elu(x, a).sum(), argnums=(0, 1))(x, alpha)
    assert [g.shape for g in gradient] == [(2, 3), (3,)]
    line = actfn.jax.function(Definition("line", "a*x + b", [Parameter("a"), Parameter("b")]))
    by_b = jax.grad(lambda b: line(jnp.ones(3), jnp.ones((2, 1)), b).sum())  # df/db = 1 has no shape of its own
    np.testing.assert_array_equal(by_b(jnp.ones((2, 1))), [[3.0], [3.0]])
    assert float(by_b(0.5)) == 6.0


# -- dtypes


@pytest.mark.parametrize("wide", [False, True], ids=["x32", "x64"])
def test_dtypes_are_those_of_exp(wide):
    with x64(wide):
        strong = [
            np.float32(-1),
            np.float16(-1),
            np.int8(-1),
            np.uint16(1),
            np.bool_(True),
            np.int64(-1),
            np.float64(-1),
        ]
        strong += [jnp.arange(3), jnp.ones(2, "bfloat16"), jnp.ones(2, "float16"), np.ones(2), jnp.ones(0)]
        for x in [*strong, 1.0, -2, True]:
            for f in (actfn.jax.elu, jax.jit(actfn.jax.elu)):
                got, expected = f(x), jnp.exp(x)
                assert (got.dtype, got.shape) == (expected.dtype, expected.shape), x
                assert got.weak_type == expected.weak_type, x
        assert (
            jnp.ones(2, "bfloat16") * actfn.jax.elu(-1.0)
        ).dtype == "bfloat16"  # a weak result yields to what it meets


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_a_parameter_does_not_change_the_dtype(kind):
    with x64():
        x = jnp.array([-1.0, 2.0], kind)
        for alpha in (0.5, 2, np.float64(0.5), jnp.asarray(0.5, "float32"), np.ones(2), jnp.arange(2)):
            assert actfn.jax.elu(x, alpha).dtype == x.dtype
            assert jax.grad(lambda u, a=alpha: actfn.jax.elu(u, a).sum())(x).dtype == x.dtype


def test_errors_say_what_to_do():
    from actfn.jax import celu, elu

    with pytest.raises(TypeError, match=r"elu takes a JAX array or a number, not list; write elu\(jnp.asarray\(x\)\)"):
        elu([1.0])
    with pytest.raises(TypeError, match="elu takes real numbers, not complex64"):
        elu(jnp.ones(2, "complex64"))
    with pytest.raises(ValueError, match=r"celu: alpha = -1.0 is outside its domain, positive"):
        celu(1.0, alpha=-1)
    with pytest.raises(TypeError, match="alpha is a real number or an array of them, not complex64"):
        elu(1.0, 1j)
    with pytest.raises(ValueError, match="a whole number from 0 to 8, not 9"):
        actfn.jax.printed(catalog.find("relu"), 9)


def test_what_runs_is_what_is_printed():
    entry = catalog.find("elu")
    text = actfn.jax.source(entry, 1)
    assert "jnp.exp" in text
    scope: dict = {}
    exec(text, scope)
    x = jnp.array([-1.0, 1.0])
    np.testing.assert_array_equal(scope["elu"](x, 0.5), actfn.jax.printed(entry, 1)(x, 0.5))


# -- layers


def test_in_an_equinox_layer():
    eqx = pytest.importorskip("equinox")
    net = eqx.nn.MLP(3, "scalar", 4, 2, activation=actfn.jax.elu, key=jax.random.key(0))
    peer = eqx.tree_at(lambda m: m.activation, net, jax.nn.elu)
    x = jax.random.normal(jax.random.key(1), (5, 3))
    ours, theirs = (eqx.filter_jit(eqx.filter_value_and_grad(lambda m: jax.vmap(m)(x).sum()))(m) for m in (net, peer))
    for a, b in zip(*(jax.tree.leaves(eqx.filter(found, eqx.is_array)) for found in (ours, theirs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_in_flax_layers_with_a_learnable_parameter():
    nnx, linen = (pytest.importorskip(f"flax.{n}") for n in ("nnx", "linen"))
    x = jax.random.normal(jax.random.key(1), (5, 3))

    class New(nnx.Module):
        def __init__(self):
            self.dense = nnx.Linear(3, 4, rngs=nnx.Rngs(0))
            self.alpha = nnx.Param(jnp.full(4, 0.5))

        def __call__(self, x):
            return actfn.jax.elu(self.dense(x), self.alpha)

    net = New()
    got = nnx.jit(nnx.grad(lambda m: m(x).sum()))(net)
    hidden = net.dense(x)
    np.testing.assert_allclose(got["alpha"][...], jnp.expm1(jnp.minimum(hidden, 0)).sum(0), rtol=1e-5)

    class Old(linen.Module):
        @linen.compact
        def __call__(self, x):
            return actfn.jax.elu(linen.Dense(4)(x), self.param("alpha", linen.initializers.constant(0.5), (4,)))

    layer = Old()
    state = layer.init(jax.random.key(0), x)
    gradient = jax.jit(jax.grad(lambda s: layer.apply(s, x).sum()))(state)
    assert gradient["params"]["alpha"].shape == (4,)
    assert float(jnp.abs(gradient["params"]["alpha"]).max()) > 0

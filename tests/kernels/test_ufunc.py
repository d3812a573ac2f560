"""The ufuncs are NumPy's own kind: loops, promotion, layouts, `out=`, methods and silence are as NumPy's functions have them."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest

import actfn
from actfn import catalog
from actfn.definition import Definition
from actfn.kernels.correct import NotShown
from actfn.kernels.ufunc import ufunc
from tests.entries import REPRESENTATIVE

ENTRIES = REPRESENTATIVE
SHOWN = {
    "elu",
    "celu",
    "selu",
    "relu",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "softplus",
    "silu",
    "swish",
    "rbf",
    "mish",
    "gelu",
}
"""Of these, correct rounding is shown, whatever else it is shown of."""
by_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
ELU = catalog.find("elu")
RELU = catalog.find("relu")
REAL = "?bBhHiIlLefd"
X = np.linspace(-4, 4, 24)


@pytest.fixture(scope="module")
def elu() -> np.ufunc:
    return ufunc(ELU)


def expected(x, alpha) -> np.ndarray:
    x = np.asarray(x)
    return np.where(x > 0, x, np.asarray(alpha) * np.expm1(np.minimum(x, 0)))


def close(got, x, alpha) -> None:
    got = np.asarray(got)
    assert got.dtype in ("float16", "float32", "float64")
    wanted = expected(np.asarray(x, np.float64), np.asarray(alpha, np.float64))
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got.astype(float), wanted, rtol=4 * float(np.finfo(got.dtype).eps))


# -- what it is ---------------------------------------------------------------------------------------------------------


@by_entry
def test_it_is_a_ufunc_with_loops_for_three_types(entry):
    f = ufunc(entry)
    assert isinstance(f, np.ufunc)
    inputs = 1 + len(entry.parameters)
    assert f.types == [f"{t * inputs}->{t}" for t in "efd"]
    assert (f.nin, f.nout, f.nargs) == (inputs, 1, inputs + 1)
    assert f.__name__ == entry.name
    assert entry.formula in (f.__doc__ or "")
    assert f is ufunc(entry)
    assert actfn.get(entry.name).ufunc() is f
    try:
        correct = ufunc(entry, 0, "correct")
    except NotShown:
        assert entry.name not in SHOWN
    else:
        assert correct.types == [f"{t * inputs}->{t}" for t in "ef"]


def test_what_it_refuses(elu):
    with pytest.raises(ValueError, match="'fast' or 'correct'"):
        ufunc(ELU, 0, "exact")
    with pytest.raises(ValueError, match="no parameter 'beta'"):
        ufunc(ELU, fixed={"beta": 1.0})
    with pytest.raises(ValueError, match="outside its domain"):
        ufunc(catalog.find("celu"), fixed={"alpha": 0.0})
    for x in (1j, "1", None, np.longdouble(1), np.datetime64("2020-01-01")):
        with pytest.raises(TypeError):
            elu(x, 1.0)
    for args in ((), (1.0,), (1.0, 1.0, np.empty(()), 1.0)):
        with pytest.raises(TypeError):
            elu(*args)
    with pytest.raises(TypeError):
        elu(1.0, alpha=1.0)  # type: ignore[call-overload]


# -- types --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REAL)
def test_integers_promote_as_exp_does(kind):
    x = np.ones(3, kind)
    assert ufunc(RELU)(x).dtype == np.exp(x).dtype
    assert ufunc(ELU)(x, 1.0).dtype == np.logaddexp(x, 1.0).dtype
    assert ufunc(RELU)(x[0]).dtype == np.exp(x[0]).dtype


def test_mixed_types_go_by_numpys_rules(elu):
    for first, second in itertools.product(REAL, repeat=2):
        x, alpha = np.ones(2, first), np.ones(2, second)
        assert elu(x, alpha).dtype == np.logaddexp(x, alpha).dtype, (first, second)
        assert elu(x, alpha[0]).dtype == np.logaddexp(x, alpha[0]).dtype, (first, second)


@pytest.mark.parametrize("kind", REAL)
def test_the_values_of_every_type(elu, kind):
    x = np.array([0, 1, 3], kind)
    close(elu(x, 0.5), x, 0.5)
    if kind.islower():
        close(elu(-x.astype("d").astype(kind), 0.5), -x.astype(int), 0.5)


def test_dtype_casting_and_signature(elu):
    x = X.astype(np.float32)
    assert elu(x, 0.5, dtype=np.float64).dtype == np.float64
    close(elu(x, 0.5, dtype=np.float64), x, 0.5)
    assert elu(x, np.float32(0.5), signature="dd->d").dtype == np.float64
    assert elu(X, 0.5, dtype=np.float32, casting="same_kind").dtype == np.float32
    with pytest.raises(TypeError):
        elu(X, 0.5, dtype=np.float32, casting="safe")
    with pytest.raises(TypeError):
        elu(X, 0.5, dtype=np.int64)
    out = np.empty(X.size, np.float32)
    assert elu(X, 0.5, out=out) is out  # "same_kind" is NumPy's default
    np.testing.assert_array_equal(out, elu(X, 0.5).astype(np.float32))
    with pytest.raises(TypeError):
        elu(X, 0.5, out=out, casting="safe")
    with pytest.raises(TypeError):
        elu(X, 0.5, out=np.empty(X.size, np.int64))


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_big_endian_and_unaligned_arrays(elu, kind):
    x = X.astype(kind)
    plain = elu(x, x.dtype.type(0.5))
    swapped = x.astype(x.dtype.newbyteorder(">"))
    np.testing.assert_array_equal(elu(swapped, x.dtype.type(0.5)), plain)
    out = np.empty_like(swapped)
    elu(x, x.dtype.type(0.5), out=out)
    assert out.dtype.byteorder == ">"
    np.testing.assert_array_equal(out, plain)

    buffer = bytearray(x.nbytes + 1)
    off = np.frombuffer(buffer, x.dtype, offset=1)
    assert not off.flags.aligned
    off[:] = x
    np.testing.assert_array_equal(elu(off, x.dtype.type(0.5)), plain)
    elu(off, x.dtype.type(0.5), out=off)
    np.testing.assert_array_equal(off, plain)


# -- shapes and layouts -------------------------------------------------------------------------------------------------

ALPHAS = {
    "a scalar": 0.5,
    "0-d": np.array(0.5),
    "one a column": np.linspace(-1, 2, 6),
    "one a row": np.linspace(-1, 2, 4)[:, None],
    "one an element": np.linspace(-1, 2, 24).reshape(4, 6),
    "in another order": np.linspace(-1, 2, 24).reshape(6, 4).T,
    "reversed": np.linspace(-1, 2, 24).reshape(4, 6)[::-1, ::-1],
    "every second": np.linspace(-1, 2, 48).reshape(4, 12)[:, ::2],
    "repeated": np.broadcast_to(0.5, (4, 6)),
    "one dimension more": np.linspace(-1, 2, 3)[:, None, None],
}
VIEWS = {
    "dense": lambda x: x.reshape(4, 6),
    "Fortran": lambda x: np.asfortranarray(x.reshape(4, 6)),
    "reversed": lambda x: x.reshape(4, 6)[::-1, ::-1],
    "columns": lambda x: np.repeat(x, 2).reshape(4, 12)[:, ::2],
    "repeated": lambda x: np.broadcast_to(x[:6], (4, 6)),
    "of three": lambda x: np.stack([x, x, x], axis=-1)[:, 1].reshape(4, 6),
}


@pytest.mark.parametrize("alpha", ALPHAS.values(), ids=ALPHAS)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_parameters_broadcast_over_any_layout(elu, view, alpha, kind):
    x, a = view(X.astype(kind)), np.asarray(alpha, kind)
    plain = elu(x, a)
    close(plain, x, a)
    spread = np.full((*plain.shape, 2), np.nan, kind)
    elu(x, a, out=spread[..., 0])
    np.testing.assert_array_equal(spread[..., 0], plain)
    assert np.isnan(spread[..., 1]).all()
    backward = np.empty_like(plain)
    elu(x, a, out=backward[..., ::-1])
    np.testing.assert_array_equal(backward[..., ::-1], plain)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (1, 1), (0, 5)])
def test_empty_and_0_d(elu, shape):
    x = np.full(shape, -1.0, np.float32)
    y = elu(x, np.float32(2))
    assert np.shape(y) == shape
    assert y.dtype == np.float32
    close(y, x, 2.0)
    if shape == ():
        assert type(y) is np.float32
        assert isinstance(elu(x, np.float32(2), out=...), np.ndarray)


@pytest.mark.parametrize("n", [1, 7, 8, 15, 33, 64, 100, 1000, 10_000])
def test_every_length_and_offset_gives_the_same_bits(elu, n):
    x = np.random.default_rng(n).normal(0, 3, n + 9).astype(np.float32)
    whole = elu(x, np.float32(0.7))
    alphas = np.full_like(x, 0.7)
    for k in range(9):
        part = slice(k, k + n)
        assert elu(x[part], np.float32(0.7)).tobytes() == whole[part].tobytes()
        assert elu(x[part], alphas[part]).tobytes() == whole[part].tobytes()  # the loop that takes arrays
    assert elu(np.repeat(x, 2)[::2], np.float32(0.7)).tobytes() == whole.tobytes()  # the loop that takes strides


@pytest.mark.parametrize("n", [5, 100, 9000])
def test_overlapping_arrays_are_as_if_they_were_not(elu, n):
    fresh = np.random.default_rng(n).normal(0, 2, n + 1)
    values = elu(fresh, 0.5)
    for source, target in [
        (slice(None), slice(None)),
        (slice(1, None), slice(None, -1)),
        (slice(None, -1), slice(1, None)),
        (slice(None, None, -1), slice(None)),
    ]:
        x = fresh.copy()
        out = x[target]
        assert elu(x[source], 0.5, out=out) is out
        np.testing.assert_array_equal(out, values[source])
    alphas = np.linspace(0.5, 1, n + 1)
    wanted = elu(fresh, alphas)
    both = alphas.copy()
    elu(fresh, both, out=both)
    np.testing.assert_array_equal(both, wanted)
    np.testing.assert_array_equal(elu(fresh, fresh), elu(fresh, fresh.copy()))
    shifted = alphas.copy()
    elu(fresh[:-1], shifted[:-1], out=shifted[1:])
    np.testing.assert_array_equal(shifted[1:], wanted[:-1])


def test_where(elu):
    chosen = X > -1
    out = np.full_like(X, 9.0)
    elu(X, 0.5, out=out, where=chosen)
    np.testing.assert_array_equal(out, np.where(chosen, elu(X, 0.5), 9.0))
    grid = np.full((3, X.size), 9.0)
    elu(X, 0.5, out=grid, where=np.array([[True], [False], [True]]))
    np.testing.assert_array_equal(grid, np.stack([elu(X, 0.5), np.full_like(X, 9.0), elu(X, 0.5)]))


# -- methods ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("n", [1, 2, 5, 37, 300])
def test_methods_of_a_binary_ufunc_are_a_fold(elu, n, kind):
    a = np.random.default_rng(n).uniform(-2, -0.5, n).astype(kind)
    fold = list(itertools.accumulate(a, elu))
    np.testing.assert_array_equal(elu.accumulate(a), np.array(fold))
    assert elu.reduce(a) == fold[-1]
    np.testing.assert_array_equal(elu.accumulate(a[::-1]), list(itertools.accumulate(a[::-1], elu)))
    same = np.broadcast_to(a[:1], (n,))
    np.testing.assert_array_equal(elu.accumulate(same), list(itertools.accumulate(same, elu)))
    table = np.stack([a, a[::-1]])
    for axis in (0, 1):
        folds = np.array([list(itertools.accumulate(row, elu)) for row in np.moveaxis(table, axis, -1)])
        np.testing.assert_array_equal(np.moveaxis(elu.accumulate(table, axis=axis), axis, -1), folds)
        np.testing.assert_array_equal(elu.reduce(table, axis=axis), folds[:, -1])
    np.testing.assert_array_equal(elu.outer(a, a[:3]), elu(a[:, None], a[:3]))
    np.testing.assert_array_equal(elu.reduceat(a, [0, n // 2]), [elu.reduce(a[: n // 2 or 1]), elu.reduce(a[n // 2 :])])
    at = a.copy()
    elu.at(at, [0, n - 1, 0], a.dtype.type(0.5))
    once = a.copy()
    for i in (0, n - 1, 0):
        once[i] = elu(once[i], a.dtype.type(0.5))
    np.testing.assert_array_equal(at, once)


def test_methods_have_numpys_own_errors(elu):
    with pytest.raises(ValueError, match="no identity"):
        elu.reduce(np.empty(0))
    with pytest.raises(ValueError, match="not reorderable"):
        elu.reduce(np.ones((2, 2)), axis=(0, 1))
    with pytest.raises(ValueError, match="binary"):
        ufunc(RELU).reduce(X)
    relu_at = X.copy()
    ufunc(RELU).at(relu_at, [0, 0, -1])
    np.testing.assert_array_equal(relu_at, [0.0, *X[1:]])


# -- hard points --------------------------------------------------------------------------------------------------------


def hard(kind: str) -> np.ndarray:
    """Where arithmetic raises flags if it may: ends of the range, subnormals, overflow of exp, kinks, NaN of any kind."""
    info = np.finfo(kind)
    tiny, least, eps = float(info.tiny), float(info.smallest_subnormal), float(info.eps)
    finite = [
        0.0,
        least,
        3 * least,
        tiny / 2,
        tiny,
        1.5 * tiny,
        eps,
        1e-3,
        1.0,
        6.0,
        9.0,
        17.0,
        37.0,
        88.0,
        89.0,
        104.0,
    ]
    finite += [float(info.max), float(info.max) / 2, math.sqrt(float(info.max)), 65504.0, 709.0, 710.0, 746.0]
    bits = np.array([1, -1], info.dtype)
    nans = np.array([np.nan, -np.nan])
    with np.errstate(all="ignore"):
        signalling = np.full(2, np.inf, kind).view(f"i{bits.itemsize}") + 1
        plain = np.array([*finite, *(-np.array(finite)), math.inf, -math.inf]).astype(kind)
        return np.concatenate([plain, nans.astype(kind), signalling.view(kind)])


@by_entry
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_no_warning_and_no_nan_but_from_nan(entry: Definition, order: int, kind: str):
    x = hard(kind)
    values = [x.dtype.type(v) for v in entry.defaults.values()]
    with np.errstate(all="raise"):
        y = ufunc(entry, order)(x, *values)
        strided = ufunc(entry, order)(np.repeat(x, 2)[::2], *values)
        arrays = ufunc(entry, order)(x, *(np.full_like(x, v) for v in values))
        single = [ufunc(entry, order)(v, *values) for v in x]
    for other in (strided, arrays, np.array(single)):
        np.testing.assert_array_equal(np.isnan(other), np.isnan(y))
        good = ~np.isnan(y)
        assert other[good].tobytes() == y[good].tobytes()
    assert not np.isnan(y[np.isfinite(x)]).any()
    if order == 0:
        assert np.isnan(y[np.isnan(x)]).all()


def test_a_user_still_gets_the_warnings_of_numpy(elu):
    with np.errstate(divide="raise"):
        elu(X, 0.5)
        with pytest.raises(FloatingPointError):
            np.divide(1.0, 0.0)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):  # in NumPy's cast of the result
        elu(np.array([1e300]), 0.5, out=np.empty(1, np.float32))


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["elu", "celu", "selu", "tanh", "bipolar_sigmoid", "leaky_relu", "silu"])
def test_tiny_numbers_and_the_sign_of_zero(name, kind):
    """f(x) = f'(0)*x there, and 0.0 and -0.0 stay what they are."""
    entry = catalog.find(name)
    values = [np.dtype(kind).type(v) for v in entry.defaults.values()]
    zeros = ufunc(entry)(np.array([0.0, -0.0], kind), *values)
    assert np.signbit(zeros).tolist() == [False, True]
    assert (zeros == 0).all()
    least = float(np.finfo(kind).smallest_subnormal)
    x = np.array([least * k for k in (1, 2, 5, 1000)]).astype(kind)
    for at in (x, -x):
        slope = ufunc(entry, 1)(at, *values)
        y = ufunc(entry)(at, *values)
        assert (np.abs(y.astype(float) - slope.astype(float) * at.astype(float)) <= least).all()
        if name in ("elu", "celu", "tanh"):
            np.testing.assert_array_equal(y, at)


# -- fixed parameters and derivatives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.parameters], ids=lambda e: e.name)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_fixed_parameters_leave_fewer_inputs_and_the_same_bits(entry: Definition, order: int):
    fixed = {p.name: next(v for v in (0.3, -0.3, 1.5) if p.contains(v)) for p in entry.parameters}
    free, bound = ufunc(entry, order), ufunc(entry, order, fixed=fixed)
    assert bound.nin == 1
    assert bound.types == ["e->e", "f->f", "d->d"]
    for kind in ("float16", "float32", "float64"):
        x = X.astype(kind)
        values = [x.dtype.type(v) for v in fixed.values()]
        assert bound(x).tobytes() == free(x, *values).tobytes()
        assert bound(x[::-3]).tobytes() == free(x[::-3], *values).tobytes()
        assert (
            bound(np.repeat(x[:, None], 3, 1).T[:, ::2]).tobytes()
            == free(np.repeat(x[:, None], 3, 1).T[:, ::2], *values).tobytes()
        )


def test_some_of_many_parameters_fixed():
    three = actfn.define("a*x + b*x**2 + c", name="three", a=1.0, b=2.0, c=3.0)
    x = np.array([-2.0, 0.5, 3.0])
    whole = three.ufunc()
    wanted = whole(x, 5.0, 7.0, 11.0)
    np.testing.assert_allclose(wanted, 5 * x + 7 * x**2 + 11)
    given = {"a": 5.0, "b": 7.0, "c": 11.0}
    for count in range(4):
        for names in itertools.combinations(given, count):
            f = ufunc(three.definition, fixed={n: given[n] for n in names})
            free = [v for n, v in given.items() if n not in names]
            assert f.nin == 1 + len(free)
            np.testing.assert_array_equal(f(x, *free), wanted)
            np.testing.assert_array_equal(f(x[:, None], *free)[:, 0], wanted)


@pytest.mark.parametrize("alpha", [0.0, -0.0, 5e-324, 1e-40, 0.1, 1e300, -3.0, np.float32(0.1), 2])
def test_a_fixed_value_is_the_very_float(elu, alpha):
    x = np.array([-1.0, -0.0, 2.0])
    f = ufunc(ELU, fixed={"alpha": alpha})
    assert f(x).tobytes() == elu(x, np.float64(alpha)).tobytes()
    assert f is ufunc(ELU, fixed={"alpha": alpha})


def test_derivatives(elu):
    x = np.array([-2.0, -0.0, 0.0, 3.0])
    first, second = ufunc(ELU, 1), ufunc(ELU, 2)
    assert first.__name__ != elu.__name__ != second.__name__
    np.testing.assert_allclose(first(x, 0.5), [0.5 * math.exp(-2), 0.5, 0.5, 1.0], rtol=1e-15)
    np.testing.assert_allclose(second(x, 0.5), [0.5 * math.exp(-2), 0.5, 0.5, 0.0], rtol=1e-15)
    assert actfn.get("elu").ufunc(derivative=1) is first


def test_correct_is_within_half_an_ulp():
    x = np.random.default_rng(5).normal(0, 4, 3000).astype(np.float32)
    alpha = np.float32(0.3)
    exact = ufunc(ELU)(x.astype(np.float64), np.float64(alpha))
    np.testing.assert_array_equal(ufunc(ELU, 0, "correct")(x, alpha), exact.astype(np.float32))
    assert ufunc(ELU, 0, "correct")(x.astype(np.float16), np.float16(0.3)).dtype == np.float16
    with pytest.raises(TypeError):
        ufunc(ELU, 0, "correct")(x.astype(np.float64), 1.0)


# -- other libraries' arrays --------------------------------------------------------------------------------------------


class Labelled(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of another library: what `__array_ufunc__` is asked for."""

    def __init__(self, values, label: str):
        self.values, self.label = np.asarray(values), label
        self.dtype = self.values.dtype

    def __array_ufunc__(self, function, method, *inputs, **keywords):
        plain = [i.values if isinstance(i, Labelled) else i for i in inputs]
        return Labelled(getattr(function, method)(*plain, **keywords), f"{function.__name__}.{method}({self.label})")


def test_array_ufunc_is_asked(elu):
    x = Labelled(X, "x")
    for y in (elu(x, 0.5), elu(X, Labelled(0.5, "x")), actfn.get("elu")(x, alpha=0.5)):
        assert isinstance(y, Labelled)
        assert y.label == "elu.__call__(x)"
        np.testing.assert_array_equal(y.values, elu(X, 0.5))
    assert elu.accumulate(x).label == "elu.accumulate(x)"
    masked = elu(np.ma.masked_less(X, 0), 0.5)
    assert isinstance(masked, np.ma.MaskedArray)


@pytest.mark.parametrize(
    ("library", "make", "values"),
    [
        ("pandas", lambda m: m.Series(X, index=range(100, 100 + X.size), name="x"), lambda y: y.to_numpy()),
        ("xarray", lambda m: m.DataArray(X, dims="t", coords={"t": range(X.size)}), lambda y: y.values),
        ("dask.array", lambda m: m.from_array(X, chunks=7), lambda y: y.compute()),
    ],
)
def test_other_libraries_keep_their_type(elu, library, make, values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip(library)
    x = make(module)
    for y in (elu(x, 0.5), actfn.get("elu")(x, alpha=0.5)):
        assert type(y) is type(x)
        np.testing.assert_array_equal(values(y), elu(X, 0.5))

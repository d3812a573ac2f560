"""Every form of a kernel is the composition of values that it says it is; its source is what is compiled."""

from __future__ import annotations

import importlib
import math
import os
import subprocess
import sys
from fractions import Fraction

import numba
import numpy as np
import pytest

import actfn
from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.formula.printers import UnprintableError
from actfn.kernels import build, cache
from actfn.kernels.build import ITEMSIZE, Request, kernel, kernel_if_any, ready, source
from actfn.kernels.loops import narrow_bfloat16
from actfn.kernels.threads import run
from actfn.kernels.ufunc import of_request, ufunc
from tests.entries import REPRESENTATIVE

MINE = Definition("mine", "x*tanh(softplus(beta*x))", (Parameter("beta", 1.0, "positive"),))
ENTRIES = [catalog.find(n) for n in ("elu", "celu", "silu", "relu")] + [MINE]
ALL = [*REPRESENTATIVE, MINE]
INVERTED = [catalog.find(n) for n in ("elu", "celu", "selu", "sigmoid", "tanh", "softplus")]
STORED = {"float16": np.float16, "bfloat16": np.uint16, "float32": np.float32, "float64": np.float64}
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}

by_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
by_dtype = pytest.mark.parametrize("dtype", STORED)


def stored(values: np.ndarray, dtype: str) -> np.ndarray:
    """float64 values as they lie in memory, rounded half to even."""
    if dtype != "bfloat16":
        return values.astype(STORED[dtype])
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + (0x7FFF + (bits >> 16 & 1))) >> 16).astype(np.uint16)


def read(memory: np.ndarray, dtype: str) -> np.ndarray:
    """What lies in memory, in float64."""
    if dtype != "bfloat16":
        return memory.astype(np.float64)
    return (memory.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def inputs(request: Request) -> list[np.ndarray]:
    """x (or y = f(x)), then g and gg, as they lie in memory."""
    rng = np.random.default_rng(11)
    n = 203
    x = np.concatenate([rng.normal(0, 2, n - 3), [0.0, -0.0, 1.0]])
    if request.form == "output":
        x = value(request, read(stored(x, request.dtype), request.dtype))
    drawn = [rng.normal(0, 1, n) for _ in request.arrays[1:]]
    return [stored(a, request.dtype) for a in (x, *drawn)]


def value(request: Request, x: np.ndarray, order: int = 0) -> np.ndarray:
    """f, or a derivative, in float64 by the ufunc, which has its own tests against the oracle."""
    return ufunc(request.definition, order)(x, *request.definition.defaults.values())


def called(request: Request, memory: list[np.ndarray], threads: int = 1) -> list[np.ndarray]:
    kind = STORED[request.parameter_dtype]
    parameters = [np.array([v], kind) for v in request.definition.defaults.values()]
    outputs = [np.zeros_like(memory[0]) for _ in range(request.outputs)]
    arrays, scalars, results = ([a.ctypes.data for a in group] for group in (memory, parameters, outputs))
    run(kernel(request), memory[0].size, arrays, scalars, results, threads)
    return outputs


def assert_near(got: np.ndarray, wanted: np.ndarray, scale: np.ndarray, dtype: str, ulps: float) -> None:
    """Within ulps of what was summed: `scale` is the sum of the sizes of the terms."""
    error = np.abs(read(got, dtype) - wanted)
    least = {"float16": 2.0**-24}.get(dtype, 2.0**-126)
    assert (error <= ulps * EPS[dtype] * scale + least).all(), float((error / (EPS[dtype] * scale + least)).max())


# -- forms --------------------------------------------------------------------------------------------------------------


@by_entry
@by_dtype
@pytest.mark.parametrize("order", [0, 1])
def test_a_product_is_g_times_the_value(entry, dtype, order):
    request = Request(entry, order, form="product", dtype=dtype)
    memory = inputs(request)
    x, g = (read(a, dtype) for a in memory)
    (got,) = called(request, memory)
    wanted = g * value(request, x, order)
    slack = np.abs(g) * (np.abs(value(request, x, order)) + (1.0 if order else 0.0))
    assert_near(got, wanted, slack, dtype, 0.51 if ITEMSIZE[dtype] == 2 else 5)


@by_entry
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_double_is_both_gradients_of_the_backward(entry, dtype):
    request = Request(entry, 1, form="double", dtype=dtype)
    memory = inputs(request)
    x, g, gg = (read(a, dtype) for a in memory)
    by_g, by_x = called(request, memory)
    first, second = value(request, x, 1), value(request, x, 2)
    narrow = ITEMSIZE[dtype] == 2
    assert_near(by_g, gg * first, np.abs(gg) * (np.abs(first) + 1), dtype, 0.51 if narrow else 5)
    assert_near(by_x, gg * g * second, np.abs(gg * g) * (np.abs(second) + 1), dtype, 0.51 if narrow else 8)


@pytest.mark.parametrize("entry", INVERTED, ids=lambda e: e.name)
def test_the_output_gives_the_slope(entry):
    request = Request(entry, 1, form="output", dtype="float64")
    assert request.arrays == ("_y", "_g")
    x = np.random.default_rng(2).normal(0, 2, 200)
    g = np.random.default_rng(3).normal(0, 1, 200)
    (got,) = called(request, [value(request, x), g])
    np.testing.assert_allclose(got, g * value(request, x, 1), rtol=1e-12)


@by_dtype
def test_by_a_parameter(dtype):
    elu = catalog.find("elu")
    request = Request(elu, 0, ("alpha",), dtype=dtype)
    memory = inputs(request)
    x = read(memory[0], dtype)
    (got,) = called(request, memory)
    wanted = np.where(x > 0, 0.0, np.expm1(np.minimum(x, 0)))
    assert_near(got, wanted, np.abs(wanted), dtype, 0.51 if ITEMSIZE[dtype] == 2 else 3)


@by_dtype
def test_16_bit_values_are_rounded_once(dtype):
    """float64 to 16 bits in one rounding; NaN, infinities and subnormals as they are."""
    if ITEMSIZE[dtype] != 2:
        pytest.skip("a wide type")
    relu = Request(catalog.find("relu"), dtype=dtype)
    every = np.arange(2**16, dtype=np.uint16)
    memory = every.view(STORED[dtype])
    with np.errstate(invalid="ignore"):
        x = read(memory, dtype)
    (got,) = called(relu, [memory])
    with np.errstate(invalid="ignore"):
        values = read(got, dtype)
    np.testing.assert_array_equal(values, np.where(x > 0, x, np.where(np.isnan(x), x, 0)))
    half = Request(actfn.define("x/3").definition, dtype=dtype)
    finite = np.isfinite(x) & (np.abs(x) < 1e38)
    (third,) = called(half, [memory[finite].copy()])
    exact = x[finite] / 3
    if dtype == "float16":
        np.testing.assert_array_equal(third, exact.astype(np.float16))
    else:
        normal = np.abs(exact) > 2.0**-120  # below, float32 would round before this test's own rounding
        np.testing.assert_array_equal(third[normal], stored(exact, dtype)[normal])


def test_parameters_of_16_bit_kernels_are_float32_unless_asked_for():
    elu = catalog.find("elu")
    assert Request(elu, dtype="bfloat16").parameter_dtype == "float32"
    x, alpha = np.array([-1.0, 2.0], np.float16), np.float32(0.1)  # not a float16
    wide = of_request(Request(elu, dtype="float16"))
    assert wide.types == ["ef->e"]
    np.testing.assert_array_equal(wide(x, alpha), np.array([alpha * np.expm1(-1.0), 2.0]).astype(np.float16))
    assert of_request(Request(elu, dtype="float16", parameters="float16")).types == ["ee->e"]


@pytest.mark.parametrize("form", ["product", "double"])
def test_strided_calls_have_the_same_bits(form):
    request = Request(catalog.find("elu"), 1, form=form)
    f = of_request(request)
    assert (f.nin, f.nout) == (len(request.arrays) + 1, request.outputs)
    memory = inputs(request)
    dense = called(request, memory)
    alphas = np.full_like(memory[0], 1.0)
    for arrays, back in [
        ([np.repeat(a, 2)[::2] for a in memory], slice(None)),
        ([a[::-1] for a in memory], slice(None, None, -1)),
        ([np.stack([a, a, a], axis=-1)[:, 1] for a in memory], slice(None)),
    ]:
        for alpha in (np.float32(1), alphas):
            got = f(*arrays, alpha)
            for y, wanted in zip(got if isinstance(got, tuple) else [got], dense, strict=True):
                assert y[back].tobytes() == wanted.tobytes()
    scalar = f(*(a[:1] for a in memory), np.float32(1))
    assert np.ravel(scalar)[0] == dense[0][0]


@pytest.mark.parametrize("form", ["product", "double"])
def test_in_place_and_in_threads(form, monkeypatch):
    from actfn.kernels import threads

    monkeypatch.setattr(threads, "GRAIN", 64)
    request = Request(catalog.find("elu"), 1, form=form)
    memory = inputs(request)
    wanted = called(request, memory)
    for got, once in zip(called(request, memory, threads=3), wanted, strict=True):
        assert got.tobytes() == once.tobytes()
    own = [a.copy() for a in memory]
    alpha = np.ones(1, np.float32)
    targets = own[-request.outputs :]  # over g, or over g and gg
    arrays, scalars, results = ([a.ctypes.data for a in group] for group in (own, [alpha], targets))
    run(kernel(request), own[0].size, arrays, scalars, results)
    for got, once in zip(targets, wanted, strict=True):
        assert got.tobytes() == once.tobytes()


# -- source -------------------------------------------------------------------------------------------------------------


@by_entry
def test_the_source_is_what_is_compiled(entry):
    request = Request(entry, 1, form="product")
    built = kernel(request)
    assert built.source == source(request)
    assert kernel(request) is built
    assert ready(request) is built
    kept = cache.load(build._key(request))
    assert kept is not None
    assert kept.source == built.source
    assert (cache.folder() / f"{build._key(request)}.py").read_text("utf-8") == built.source
    assert entry.formula in built.source


@by_entry
def test_the_source_runs_again(entry):
    """Compiled once more, from the text alone, it gives the same bits."""
    import numba
    from numba import types

    from actfn.kernels.printed import load

    request = Request(entry)
    text = source(request)
    njit = numba.njit(error_model="numpy")
    loop = load(text, "loop", {"contiguous": njit, "__name__": "again"})
    sizes = types.CPointer(types.intp)
    again = numba.cfunc(types.void(sizes, sizes, sizes, types.intp), error_model="numpy")(loop)
    memory = inputs(request)
    (wanted,) = called(request, memory)
    parameters = [np.array([v], np.float32) for v in entry.defaults.values()]
    out = np.zeros_like(memory[0])
    arguments = np.array([a.ctypes.data for a in (*memory, *parameters, out)], np.intp)
    steps = np.array([4, *[0] * len(parameters), 4], np.intp)
    count = np.array([out.size], np.intp)
    again_c = build.prototype()(again.address)
    again_c(arguments.ctypes.data, count.ctypes.data, steps.ctypes.data, None)
    assert out.tobytes() == wanted.tobytes()


DIGESTS = """
import hashlib
from actfn import catalog
from actfn.kernels.build import Request, source
for entry in list(catalog.entries().values())[::4]:
    for form, order in (("value", 0), ("value", 2), ("product", 1), ("double", 1)):
        print(hashlib.sha256(source(Request(entry, order, form=form)).encode()).hexdigest())
"""


def test_every_process_prints_the_same_source():
    """Whatever the order of its sets: two processes write one entry of the cache."""
    printed = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", DIGESTS],
            capture_output=True,
            text=True,
            timeout=100,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.split())
    assert len(printed[0]) == 4 * len(list(catalog.entries())[::4])
    assert printed[0] == printed[1]


# -- what has no kernel -------------------------------------------------------------------------------------------------


@pytest.fixture
def without_sinh(monkeypatch: pytest.MonkeyPatch) -> Definition:
    """A formula with a function that no arithmetic has."""
    for arithmetic in ("float32", "wide", "float64"):
        module = importlib.import_module(f"actfn.kernels.primitives.{arithmetic}")
        monkeypatch.delattr(module, "sinh")
    return Definition("unprintable", "x*sinh(x)")


def test_a_formula_without_a_kernel(without_sinh):
    for request in (Request(without_sinh), Request(without_sinh, dtype="float64")):
        with pytest.raises(UnprintableError, match="no sinh in"):
            source(request)
        with pytest.raises(UnprintableError):
            kernel(request)
        assert kernel_if_any(request) is None
        assert ready(request) is None
    with pytest.raises(UnprintableError, match="no sinh"):
        ufunc(without_sinh)


def test_a_formula_with_a_kernel():
    request = Request(catalog.find("relu"))
    assert kernel_if_any(request) is kernel(request)


def test_bfloat16_subnormals_are_rounded_once():
    """Each value lies next to a tie, nearer than float32 can tell; zeros keep their sign."""

    @numba.njit
    def narrow(value):
        return narrow_bfloat16(value)

    unit = 2.0**-133
    for k in [0, 1, 2, 3, 62, 126]:
        for near in (k + 0.5, math.nextafter(k + 0.5, 0), math.nextafter(k + 0.5, 1e9), k + 0.5 + 2.0**-20):
            expected = round(Fraction(near))  # half to even
            assert narrow(near * unit) == expected, near
            assert narrow(-near * unit) == 0x8000 | expected, near
    assert [narrow(0.0), narrow(-0.0)] == [0, 0x8000]

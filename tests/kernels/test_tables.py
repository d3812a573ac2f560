"""Tables for 16-bit numbers: f has the kernel's bits, g*f' is within its bound, and what has no table keeps its kernel."""

from __future__ import annotations

import numpy as np
import pytest

from actfn import catalog
from actfn.kernels import tables
from actfn.kernels.build import Kernel, Request, kernel
from actfn.kernels.direct import called
from actfn.kernels.threads import run

EVERY = np.arange(1 << 16, dtype=np.uint16)
PLACES = {"bfloat16": 8, "float16": 11}
SMALLEST = {"bfloat16": 2.0**-133, "float16": 2.0**-24}
BOUND = {"bfloat16": 0.5 + 2.0**-15, "float16": 0.5 + 2.0**-12}
DTYPES = pytest.mark.parametrize("dtype", ["bfloat16", "float16"])


def as_float(bits: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        if dtype == "float16":
            return bits.view(np.float16).astype(np.float64)
        return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def by_kernel(built: Kernel, numbers: tuple[float, ...], *arrays: np.ndarray) -> np.ndarray:
    found = np.empty_like(arrays[0])
    held, parameters = built.parameters_at(numbers)
    run(built, found.size, [a.ctypes.data for a in arrays], parameters, [found.ctypes.data])
    del held
    return found


def by_table(built: Kernel, numbers: tuple[float, ...], *arrays: np.ndarray) -> np.ndarray:
    bound = tables.bound(built, numbers)
    assert bound is not None
    n = arrays[0].size
    whole = np.full(n + 32, 0x7777, arrays[0].dtype)
    called(bound)(n, *(a.ctypes.data for a in arrays), whole.ctypes.data)
    assert (whole[n:] == 0x7777).all()
    return whole[:n]


@DTYPES
@pytest.mark.parametrize("name", ["relu", "elu", "selu", "gelu", "mish", "softplus", "sine", "hardshrink"])
def test_every_value_has_the_bits_of_the_kernel(name, dtype):
    definition = catalog.find(name)
    for scale in (1.0, 0.75):
        numbers = tuple(v * scale for v in definition.defaults.values())
        built, x = kernel(Request(definition, dtype=dtype)), np.random.default_rng(1).permutation(np.tile(EVERY, 2))
        expected = by_kernel(built, numbers, x)
        np.testing.assert_array_equal(by_table(built, numbers, x), expected)
        bound = tables.bound(built, numbers)
        assert bound is not None
        over_itself = x.copy()
        called(bound)(x.size, over_itself.ctypes.data, over_itself.ctypes.data)
        np.testing.assert_array_equal(over_itself, expected)


@DTYPES
@pytest.mark.parametrize(
    ("name", "form"), [(n, "product") for n in ("elu", "gelu", "silu", "mish")] + [("elu", "output")]
)
def test_a_slope_times_a_gradient_is_nearly_rounded_once(name, form, dtype):
    definition = catalog.find(name)
    order = 0 if form == "output" else 1
    numbers = tuple(v * 0.75 for v in definition.defaults.values())
    built = kernel(Request(definition, order, form=form, dtype=dtype))
    rng = np.random.default_rng(2)
    x = np.tile(EVERY, 8)
    g = rng.integers(0, 1 << 16, x.size).astype(np.uint16)
    found, wide_x, wide_g = by_table(built, numbers, x, g), as_float(x, dtype), as_float(g, dtype)
    exact = kernel(Request(definition, order, form=form, dtype="float64"))
    with np.errstate(all="ignore"):
        slope = by_kernel(exact, tuple(float(np.float32(n)) for n in numbers), wide_x, np.ones(x.size))
        true = slope * wide_g
        largest = float(as_float(np.array([0x7F7F if dtype == "bfloat16" else 0x7BFF], np.uint16), dtype)[0])
        finite = np.isfinite(true) & (np.abs(true) < largest)
        _, exponent = np.frexp(true)
        ulp = np.maximum(np.ldexp(1.0, exponent - PLACES[dtype]), SMALLEST[dtype])
        error = np.abs(as_float(found, dtype) - true) / ulp
    usual = np.abs(slope) >= 2.0**-126  # a float32 with all of its places
    assert error[finite & usual & (np.abs(true) >= 2.0**-126)].max() <= BOUND[dtype]
    assert error[finite & usual].max() <= 0.5 + 2.0**-10  # float32's subnormals have fewer places
    np.testing.assert_array_equal(np.isnan(as_float(found, dtype))[usual], np.isnan(true)[usual])
    once = as_float(by_kernel(built, numbers, x, g), dtype)
    same = (as_float(found, dtype) == once) | np.isnan(once)
    assert same.mean() > 0.98  # where f' is nearly 1, g*f' is nearly a tie


def test_what_has_no_table():
    elu = catalog.find("elu")
    assert tables.bound(kernel(Request(elu)), (1.0,)) is None
    assert tables.bound(kernel(Request(elu, 1, form="double", dtype="float16")), (1.0,)) is None
    steep = kernel(Request(catalog.find("exponential"), 1, form="product", dtype="bfloat16"))
    assert tables.bound(steep, ()) is None  # exp(100) is no float32, but times 1e-20 it is a bfloat16
    assert tables.bound(kernel(Request(catalog.find("exponential"), dtype="bfloat16")), ()) is not None

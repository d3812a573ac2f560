"""Loops that are quicker where all arguments of sin and cos are near: the same bits as for each element alone."""

from __future__ import annotations

import numpy as np
import pytest

from actfn import catalog
from actfn.kernels.build import BLOCK, Request, kernel, source
from actfn.kernels.primitives.quadrants import LARGEST_NEAR
from actfn.kernels.ufunc import ufunc

NAMES = ("sine", "cosine", "gcu", "snake", "siren", "morlet", "sinlu")


def numbers(dtype: str) -> np.ndarray:
    """Blocks of near arguments, one with a far one among them, one with NaN and infinities, and a rest."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-30, 30, 4 * BLOCK + 37)
    x[BLOCK + 3] = 6e4
    x[2 * BLOCK + 5 : 2 * BLOCK + 8] = np.nan, np.inf, -np.inf
    x[3 * BLOCK : 3 * BLOCK + 2] = LARGEST_NEAR, np.nextafter(np.float32(LARGEST_NEAR), np.float32(np.inf))
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", [0, 1])
def test_an_element_does_not_depend_on_its_neighbours(name, order, dtype):
    definition = catalog.find(name)
    f, x = ufunc(definition, order), numbers(dtype)
    parameters = [np.dtype(dtype).type(v) for v in definition.defaults.values()]
    with np.errstate(all="ignore"):
        together = f(x, *parameters)
        alone = np.concatenate([f(x[i : i + 1], *parameters) for i in range(x.size)])
        backwards = f(x[::-1], *parameters)[::-1]  # by strides, where nothing is looked at together
        over_itself = f(y := x.copy(), *parameters, out=y)
    for other in (alone, backwards, over_itself):
        np.testing.assert_array_equal(together, other)
        assert together.tobytes() == np.ascontiguousarray(other).tobytes() or np.isnan(together).any()


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("form", ["value", "product", "double"])
@pytest.mark.parametrize(("name", "by"), [("snake", ("a",)), ("snake", ()), ("sinlu", ("b",)), ("siren", ("omega",))])
def test_every_form_is_built(name, by, form, dtype):
    """Also where some of the functions take their argument as two numbers, which has no quicker code."""
    definition = catalog.find(name)
    assert kernel(Request(definition, 1, by, form=form, dtype=dtype)).address


def test_what_is_printed_says_what_must_be_near():
    text = source(Request(catalog.find("sinlu")))
    assert "sin_near(b*" in text
    assert "(fabs(b*" in text
    assert "<= LARGEST_NEAR)" in text
    assert "is_near" not in source(Request(catalog.find("elu")))

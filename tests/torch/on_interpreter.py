"""What tests/torch/test_gpu.py runs in a process of its own, under Triton's interpreter: generated kernels and their gradients.

The interpreter has no libdevice: NumPy's and Python's functions stand in its place, rounded once to the dtype.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import triton.language as tl
from triton.language.extra import libdevice
from triton.runtime.interpreter import TensorHandle

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps
from actfn.torch import gpu
from actfn.torch.printed import Derivative, Spec, printed

MINE = Definition("mine", "where(x > 0, x**3*exp(-x), n*atan(x))", [Parameter("n", 0.3)])
NAMES = ["elu", "gelu", "mish", "rbf", "softplus", "hardswish", "snake", "softsign", "threshold", "swish", "isru"]
ENTRIES = [*map(catalog.find, NAMES), MINE]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
BOUNDS = {"float32": 16, "bfloat16": 1.01}  # the interpreter cuts a float32 short where a GPU rounds
STAND_INS = {
    "erf": np.vectorize(math.erf, otypes=[float]),
    "erfc": np.vectorize(math.erfc, otypes=[float]),
    "atan": np.arctan,
    "pow": np.power,
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "sqrt")},
}


@pytest.fixture(autouse=True)
def interpreter(monkeypatch):
    def stand_in(function):
        def call(*arguments):
            kind = arguments[0].handle.dtype
            wide = [np.asarray(a.handle.data, np.float64) for a in arguments]
            data = np.asarray(function(*wide), arguments[0].handle.data.dtype)
            return tl.core.tensor(TensorHandle(data, kind), arguments[0].type)

        return call

    for name, function in STAND_INS.items():
        monkeypatch.setattr(libdevice, name, stand_in(function))
    monkeypatch.setattr(gpu, "DEVICES", ("cpu",))
    with np.errstate(all="ignore"):
        yield


def points(dtype: str) -> torch.Tensor:
    grid = np.concatenate([np.linspace(-12, 12, 151), *(s * np.logspace(-9, 1, 20) for s in (-1, 1)), [0.0, -0.0, 40, -40]])
    return torch.tensor(grid).to(DTYPES[dtype])


def numbers(entry: Definition) -> tuple[float, ...]:
    return tuple(float(np.float32(v)) for v in entry.defaults.values())


def worst(entry: Definition, order: int, got: torch.Tensor, x: torch.Tensor, dtype: str) -> float:
    oracle = Oracle(derivative(entry.expression, order, entry.conventions))
    values = dict(zip(entry.defaults, numbers(entry), strict=True))
    pairs = zip(got.double().tolist(), x.double().tolist(), strict=True)
    return max(ulps(y, oracle.ball(at, values), dtype) for y, at in pairs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_value_gradient_and_second_gradient(entry, dtype):
    x = points(dtype).requires_grad_()
    y = gpu.apply(Spec(entry), x, numbers(entry))
    assert type(y.grad_fn).__name__ == "ValueBackward"
    (slope,) = torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)
    (second,) = torch.autograd.grad(slope, x, torch.ones_like(x))
    for order, got in enumerate((y, slope, second)):
        assert got.dtype is x.dtype
        error = worst(entry, order, got.detach(), x.detach(), dtype)
        print(entry.name, dtype, order, error)
        assert error <= BOUNDS[dtype]

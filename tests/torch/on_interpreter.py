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
from actfn.kernels.lower import program
from actfn.kernels.precision import float32_suffices
from actfn.reference import Oracle, ulps
from actfn.torch import gpu
from actfn.torch.printed import Spec, printed

MINE = Definition("mine", "where(x > 0, x**3*exp(-x), n*atan(x))", [Parameter("n", 0.3)])
NAMES = ["elu", "gelu", "mish", "rbf", "softplus", "hardswish", "snake", "softsign", "threshold", "swish", "isru"]
ENTRIES = [*map(catalog.find, NAMES), MINE]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
BOUNDS = {"float32": 16, "bfloat16": 1.01}  # the interpreter cuts a float32 short where a GPU rounds
TOLERANCES = {"float32": 2e-6, "bfloat16": 2**-7}
"""Where terms may cancel in float32, or an exponential gets a rounded argument."""
AMPLIFYING = ("gelu", "rbf")
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
    grid = np.concatenate(
        [np.linspace(-12, 12, 151), *(s * np.logspace(-9, 1, 20) for s in (-1, 1)), [0.0, -0.0, 40, -40]]
    )
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
    with torch.no_grad():
        double = gpu.compute(
            "double", Spec(entry, 1), (x, torch.full_like(x, 2), torch.full_like(x, 0.5)), numbers(entry)
        )
    for order, got in [(0, y), (1, slope), (2, second), (1, 2 * double[0]), (2, double[1])]:
        assert got.dtype is x.dtype
        steps = program(entry, order)
        if float32_suffices(entry, steps) and entry.name not in AMPLIFYING:
            assert worst(entry, order, got.detach(), x.detach(), dtype) <= BOUNDS[dtype]
        else:
            expected = Oracle(derivative(entry.expression, order, entry.conventions)).sample(
                x.tolist(), dict(zip(entry.defaults, numbers(entry), strict=True))
            )
            scale = TOLERANCES[dtype] * max(1.0, max(map(abs, expected)))
            np.testing.assert_allclose(got.detach().double(), expected, rtol=TOLERANCES[dtype], atol=scale / 8)


def test_learnable_parameters_and_higher_derivatives_agree_with_finite_differences():
    x = torch.tensor([[-2.5, -0.3, 0.4], [1.7, -1.1, 2.2]], dtype=torch.float64, requires_grad=True)
    beta = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def f(x, beta):
        return gpu.apply(Spec(catalog.find("swish")), x, (beta,))

    assert torch.autograd.gradcheck(f, (x, beta))
    assert torch.autograd.gradgradcheck(f, (x, beta))
    (first,) = torch.autograd.grad(f(x, beta).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), x)
    expected = printed(catalog.find("swish"), 3)(x.detach(), 0.7)
    torch.testing.assert_close(third, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", gpu._DTYPES, ids=str)
def test_the_dtype_stays_and_float64_keeps_its_digits(dtype):
    x = torch.linspace(-4, 4, 101, dtype=dtype)
    y = gpu.apply(Spec(MINE), x, (0.1,))
    assert y.dtype is dtype
    expected = printed(MINE)(x.double(), 0.1)
    torch.testing.assert_close(y.double(), expected, rtol=4 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize(
    "arrange",
    [
        lambda x: x.contiguous(memory_format=torch.channels_last),
        lambda x: x.transpose(0, 3),
        lambda x: x[:, ::2],
        lambda x: x[:1, :1].expand(2, 4, 5, 6),
        lambda x: x[:0],
        lambda x: x[0, 0, 0, 0],
    ],
    ids=["channels last", "transposed", "sliced", "expanded", "empty", "one number"],
)
def test_any_layout_is_read_and_a_dense_one_is_kept(arrange):
    x = arrange(torch.randn(2, 4, 5, 6)).detach().requires_grad_()
    y = gpu.apply(Spec(MINE), x, (0.3,))
    torch.testing.assert_close(y, printed(MINE)(x, 0.3))
    assert y.stride() == torch.empty_like(x).stride()
    g = torch.randn_like(x).contiguous()
    (slope,) = torch.autograd.grad(y, x, g)
    torch.testing.assert_close(slope, g * printed(MINE, 1)(x, 0.3))


def test_more_elements_than_a_block():
    x = torch.randn(3 * gpu.BLOCK + 17)
    torch.testing.assert_close(gpu.apply(Spec(MINE), x, (0.3,)), printed(MINE)(x, 0.3))


@pytest.mark.parametrize("name", ["tl", "f", "exp", "_x", "_0"])
@pytest.mark.parametrize("parameter", ["i", "n", "inside", "BLOCK", "ARITHMETIC", "tl", "libdevice", "f", "at_x", "y0"])
def test_no_name_means_something_else_in_the_code(name, parameter):
    definition = Definition(name, f"x*exp({parameter}*x)", [Parameter(parameter, 0.5)])
    x = torch.linspace(-2, 2, 9)
    torch.testing.assert_close(gpu.apply(Spec(definition), x, (0.5,)), x * torch.exp(0.5 * x))


@pytest.mark.parametrize(
    ("x", "parameter"),
    [
        (torch.ones(3, device="meta"), 1.0),
        (torch.ones(3, dtype=torch.int32), 1.0),
        (torch.ones(3).to_sparse(), 1.0),
        (torch.ones(3), torch.ones(3)),
        (torch.ones(3), torch.ones((), device="meta")),
    ],
    ids=["another device", "whole numbers", "sparse", "a vector of parameters", "a parameter elsewhere"],
)
def test_what_the_kernels_cant_read_is_left_to_others(x, parameter):
    assert gpu.apply(Spec(catalog.find("elu")), x, (parameter,)) is None


def test_under_a_transform_they_leave_it_to_others():
    x = torch.linspace(-2, 2, 9)
    seen = []
    torch.func.vmap(lambda v: seen.append(gpu.apply(Spec(MINE), v, (0.3,))) or v)(x)
    assert seen == [None]

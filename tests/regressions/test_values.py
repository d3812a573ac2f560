"""Values that other implementations have got wrong: each test names its bug, and shows it in the naive formulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import actfn
import actfn.numpy
import actfn.torch
from actfn.torch import elu, function


@pytest.fixture(params=[False, True], ids=["kernels", "native"], autouse=True)
def native(request):
    """Short tensors may go to PyTorch's own operators; both ways have to be right."""
    actfn.torch.set_native(request.param)
    yield
    actfn.torch.set_native(True)


def naive_elu(x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
    return torch.where(x > 0, x, alpha * (torch.exp(x) - 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_small_arguments_are_not_lost(dtype):
    """pytorch#77062, pytorch#189801, jax#1207, tensorflow#116943: exp(x) - 1 is 0, or has no right digit, near 0."""
    x = -torch.logspace(-30, -9, 22, dtype=dtype)
    assert (naive_elu(x)[:10] == 0).all()
    expected = (x.double() + x.double() ** 2 / 2).to(dtype)
    for y in (elu(x), elu(x, 1.0), actfn.get("elu")(x), elu(x.requires_grad_()).detach()):
        torch.testing.assert_close(y, expected, rtol=2 * torch.finfo(dtype).eps, atol=0)
    array = x.detach().numpy()
    np.testing.assert_allclose(actfn.get("elu")(array), expected.numpy(), rtol=2 * np.finfo(array.dtype).eps)
    printed = actfn.numpy.printed(actfn.get("elu").definition)(array, array.dtype.type(1))
    np.testing.assert_allclose(printed, expected.numpy(), rtol=4 * np.finfo(array.dtype).eps)


@pytest.mark.parametrize("name", ["celu", "selu"])
def test_small_arguments_are_not_lost_by_its_family(name):
    x = torch.tensor([-1e-8, -1e-12], dtype=torch.float32)
    scale = getattr(actfn.torch, name)(torch.tensor([-1e-3], dtype=torch.float64)).item() / math.expm1(-1e-3)
    torch.testing.assert_close(getattr(actfn.torch, name)(x), (scale * x.double()).float(), rtol=3e-7, atol=0)


def test_small_arguments_of_formulas_written_out():
    """Rewriting finds the stable form of what a user wrote: alpha*exp(x) - alpha, exp(x) - 1, 1/(1 + exp(-x)) - 1/2."""
    x = torch.tensor([-1e-9, 1e-9, 3e-7])
    for formula, expected in [
        ("a*exp(x) - a", 2 * x),
        ("exp(x) - 1", x),
        ("log(1 + x)", x),
        ("1/(1 + exp(-x)) - 1/2", x / 4),
        ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", x),
    ]:
        given: dict[str, Any] = {"a": 2.0} if "a*" in formula else {}
        y = function(actfn.define(formula, **given).definition)(x)
        torch.testing.assert_close(y, expected, rtol=1e-6, atol=0, msg=formula)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_far_tail_of_softplus_is_not_zero(dtype):
    """log(1 + exp(x)) is 0 from about x = -17 (float32), -37 (float64), and infinite from 89, 710."""
    x = torch.tensor([-20.0, -40.0, -80.0, 100.0, 1000.0], dtype=dtype)
    naive = torch.log(1 + torch.exp(x))
    assert naive[1] == 0
    assert naive[-1].isinf()
    expected = torch.tensor([math.exp(-20), math.exp(-40), math.exp(-80), 100.0, 1000.0], dtype=dtype)
    torch.testing.assert_close(actfn.torch.softplus(x), expected, rtol=1e-6 if dtype == torch.float32 else 1e-8, atol=0)


def test_the_tail_of_a_gate_with_erf_does_not_cancel():
    """pytorch#187806: 1 + erf cancels; exact GELU in torch is 57 % off at -5.5 and 0 below about -6."""
    gelu = actfn.define("x*(1 + erf(x/sqrt(2)))/2")
    x = torch.tensor([-5.5, -7.0, -10.0])
    expected = torch.tensor([v * math.erfc(-v / math.sqrt(2)) / 2 for v in x.tolist()])
    naive = nn.functional.gelu(x)
    assert ((naive - expected) / expected).abs().max() > 0.5
    torch.testing.assert_close(gelu(x), expected, rtol=1e-5, atol=0)


def test_infinite_arguments():
    """ELU has limits; alpha*(exp(x) - 1) behind a `where` keeps them, a product with x does not."""
    x = torch.tensor([-math.inf, math.inf])
    assert elu(x, 0.5).tolist() == [-0.5, math.inf]
    assert actfn.torch.celu(x).tolist() == [-1.0, math.inf]
    assert actfn.torch.softplus(x).tolist() == [0.0, math.inf]
    assert actfn.torch.bipolar_sigmoid(x).tolist() == [-1.0, 1.0]


def test_alpha_0():
    """pytorch#178480: CELU at alpha = 0 is NaN; our domain excludes it, and ELU at alpha = 0 is ReLU."""
    x = torch.tensor([-1.0, 0.0, 2.0])
    assert (torch.where(x > 0, x, 0.0 * torch.expm1(x / 0.0))).isnan().any()
    with pytest.raises(ValueError, match=r"alpha = 0\.0 is outside its domain, positive"):
        actfn.torch.celu(x, 0.0)
    leaf = x.clone().requires_grad_()
    y = elu(leaf, 0.0)
    y.sum().backward()
    assert y.tolist() == [0.0, 0.0, 2.0]
    assert leaf.grad is not None
    assert leaf.grad.tolist() == [0.0, 0.0, 1.0]


def test_an_infinite_alpha_is_refused():
    """pytorch#183762: alpha = inf gives NaN."""
    for call in (
        lambda: elu(torch.ones(1), math.inf),
        lambda: actfn.torch.CELU(math.inf),
        lambda: actfn.get("elu").sample(alpha=math.inf),
    ):
        with pytest.raises(ValueError, match="alpha = inf is outside its domain"):
            call()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "silu", "elu", "softplus"])
def test_16_bit_values_are_rounded_once(name):
    """bfloat16 gradients of sigmoid and tanh are up to 15,000 ulp off in torch, as they go through a rounded output."""
    x = torch.linspace(-9, 9, 301).bfloat16()
    ours = x.clone().requires_grad_()
    y = getattr(actfn.torch, name)(ours)
    wide = x.double().requires_grad_()
    true = getattr(actfn.torch, name)(wide)
    assert torch.equal(y, true.bfloat16())
    (found,) = torch.autograd.grad(y.sum(), ours)
    (slope,) = torch.autograd.grad(true.sum(), wide)
    assert torch.equal(found, slope.bfloat16())


def test_torchs_16_bit_gradients_are_what_that_guards_against():
    x = torch.linspace(-9, 9, 301).bfloat16().requires_grad_()
    (naive,) = torch.autograd.grad(torch.tanh(x).sum(), x)
    wide = x.detach().double()
    true = 1 / torch.cosh(wide) ** 2
    assert ((naive - true) / true).abs().max() > 0.9

"""Gradients that other implementations have got wrong: each test names its bug, and shows it in the naive formulation."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import forward_ad, gradcheck, gradgradcheck

import actfn
import actfn.torch
from actfn.torch import elu, function
from tests.entries import REPRESENTATIVE

# What torch.func says of torch's own code on first use.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")


@pytest.fixture(params=[False, True], ids=["kernels", "native"], autouse=True)
def native(request):
    """Short tensors may go to PyTorch's own operators; both ways have to be right."""
    actfn.torch.set_native(request.param)
    yield
    actfn.torch.set_native(True)


def naive_elu(x: torch.Tensor, alpha: float | torch.Tensor = 1.0) -> torch.Tensor:
    return torch.where(x > 0, x, alpha * (torch.exp(x) - 1))


def slope(f, x: torch.Tensor, order: int = 1) -> torch.Tensor:
    x = x.detach().requires_grad_()
    y = f(x)
    for k in range(order):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=k + 1 < order)
    return y.detach()


LARGE = {torch.float32: 89.0, torch.float64: 710.0, torch.float16: 12.0}


@pytest.mark.parametrize("dtype", LARGE)
@pytest.mark.parametrize("name", ["elu", "celu", "selu"])
def test_no_nan_gradient_at_large_arguments(name, dtype):
    """jax#1538, jax#9873, mxnet#14673, candle#2328, tinygrad#17852: 0 * inf in the branch that isn't taken."""
    x = torch.tensor([LARGE[dtype], 1000.0, torch.finfo(dtype).max], dtype=dtype)
    assert slope(naive_elu, x).isnan().all()
    constant = actfn.torch.selu(torch.ones(1, dtype=dtype)).item() if name == "selu" else 1.0
    assert slope(getattr(actfn.torch, name), x).tolist() == [constant] * 3
    assert slope(getattr(actfn.torch, name), x, order=2).tolist() == [0.0] * 3


def test_no_nan_gradient_by_a_parameter_at_large_arguments():
    x, alpha = torch.tensor([89.0, 1000.0]), torch.tensor(1.0, requires_grad=True)
    (naive,) = torch.autograd.grad(naive_elu(x, alpha).sum(), alpha)
    assert naive.isnan()
    (found,) = torch.autograd.grad(elu(x, alpha).sum(), alpha)
    assert found.item() == 0.0


@pytest.mark.parametrize(
    ("formula", "at", "expected"),
    [
        ("where(x > 0, sqrt(x), 0)", 0.0, 0.0),
        ("where(x > 0, sqrt(x), x)", -1.0, 1.0),
        ("where(x > 1, log(x), x - 1)", 0.0, 1.0),
        ("where(x > 1, log(x), x - 1)", -5.0, 1.0),
        ("where(abs(x) > 1, 1/x, x)", 0.0, 1.0),
        ("where(x < 0, 1/(1 - x) - 1, log(1 + x))", 1.0, 0.5),
        pytest.param(
            *("where(x < 1, exp(1/(x**2 - 1)), 0)", 1.0, 0.0),
            marks=pytest.mark.xfail(
                strict=True,
                reason="a slope at a kink is taken from the piece's formula, also where only its limit exists",
            ),
        ),
    ],
)
def test_no_nan_gradient_from_the_branch_that_is_not_taken(formula, at, expected):
    """The same of any formula of a user's own."""
    for dtype in (torch.float32, torch.float64):
        found = slope(function(actfn.define(formula).definition), torch.tensor([at], dtype=dtype))
        assert found.item() == pytest.approx(expected)
    for transform in (torch.func.grad, torch.func.jacrev, torch.func.jacfwd):
        f = function(actfn.define(formula).definition)
        assert transform(f)(torch.tensor(at)).item() == pytest.approx(expected)


def test_the_derivative_in_the_tail_is_not_zero():
    """tensorflow#124833, jax#39795: taken from the output as y + alpha, or as exp(x) - 1 + 1, it is 0 at -40."""
    x = torch.tensor([-20.0, -40.0, -80.0])
    assert ((torch.expm1(x) + 1) == 0).any()
    expected = torch.tensor([math.exp(v) for v in x.tolist()])
    torch.testing.assert_close(slope(elu, x), expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(elu))(x), expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(torch.func.jvp(elu, (x,), (torch.ones_like(x),))[1], expected, rtol=1e-6, atol=0)


def test_the_second_derivative_at_tiny_negatives():
    """tensorflow#126063, tensorflow#19333, pytorch#76185, pytorch#104040: wrong or missing double backward."""
    x = torch.tensor([-1e-30, -1e-8, -1e-3, -1.0, -30.0, 1e-8, 1.0])
    expected = torch.where(x > 0, torch.zeros_like(x), torch.exp(x.double()).float())
    torch.testing.assert_close(slope(elu, x, order=2), expected, rtol=1e-6, atol=0)
    alpha = torch.tensor(0.5)
    torch.testing.assert_close(slope(lambda v: elu(v, alpha), x, order=2), expected / 2, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", ["silu", "swish"])
def test_the_gradient_of_a_gate_in_the_far_tail(name):
    """jax#40828: SiLU's gradient is 0 at -709 in float64, where it is -708 * exp(-709)."""
    x = torch.tensor([-600.0, -700.0, -709.0], dtype=torch.float64)
    found = slope(getattr(actfn.torch, name), x)
    expected = torch.tensor([(1 + v) * math.exp(v) for v in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_softplus_has_the_gradient_of_its_own_value():
    """pytorch#55587: forward and backward switch at thresholds that differ; here neither has one."""
    x = torch.cat([torch.linspace(19.5, 20.5, 21), torch.linspace(-60, 60, 121)]).double()
    found = slope(actfn.torch.softplus, x)
    torch.testing.assert_close(found, torch.sigmoid(x), rtol=1e-12, atol=0)
    assert slope(torch.nn.functional.softplus, x).eq(1).sum() > found.eq(1).sum()
    step = 1e-6
    difference = (actfn.torch.softplus(x + step) - actfn.torch.softplus(x - step)) / (2 * step)
    torch.testing.assert_close(found, difference, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("inplace", [False, True])
def test_a_negative_alpha(inplace):
    """pytorch#47671, pytorch#49272, onnxruntime#6906: wrong backward, or refused in place."""
    x = torch.tensor([-2.0, -0.1, 0.5], requires_grad=True)
    y = torch.nn.functional.elu(x * 1, -0.5, inplace=True)
    with pytest.raises(RuntimeError, match="negative slope"):
        y.sum().backward()
    (found,) = torch.autograd.grad(elu(x * 1, -0.5, inplace=inplace).sum(), x)
    torch.testing.assert_close(found, torch.where(x > 0, 1.0, -0.5 * torch.exp(x)).detach())


def test_a_negative_alpha_is_no_function_of_the_output():
    with pytest.raises(ValueError, match="needs alpha >= 0"):
        elu(torch.randn(3), -0.5, save="output")


@pytest.mark.parametrize("entry", REPRESENTATIVE, ids=lambda entry: entry.name)
def test_forward_ad_is_not_silently_zero(entry):
    """pytorch#179652, pytorch#184974: an operator of one's own has a zero tangent, and `opcheck` passes it."""
    x = torch.tensor([-1.5, 0.7], dtype=torch.float64)
    f = function(entry)
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(f(forward_ad.make_dual(x, torch.ones_like(x)))).tangent
    assert tangent is not None
    torch.testing.assert_close(tangent, slope(f, x), rtol=1e-12, atol=1e-15)  # 0 at -1.5 for hardswish
    if entry.name not in ("relu", "relu6", "hardtanh", "hardswish", "threshold"):  # which are flat there
        assert (tangent != 0).all()


def test_second_derivatives_by_parameters():
    """What a hand-written double backward forgets."""
    x = torch.tensor([-1.3, -0.2, 0.8], dtype=torch.float64, requires_grad=True)
    alpha = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64, requires_grad=True)
    assert gradcheck(elu, (x, alpha), check_forward_ad=True)
    assert gradgradcheck(elu, (x, alpha))


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [("relu", 0.0, 0.0), ("leaky_relu", 0.0, 0.01), ("elu", 0.0, 1.0), ("celu", 0.0, 1.0), ("relu", -0.0, 0.0)],
)
def test_the_slope_at_a_kink_is_the_entrys(name, at, expected):
    """Implementations differ (leaky_relu'(0) is 0.01 in torch, 1 in JAX); here it is part of the entry."""
    f = getattr(actfn.torch, name)
    x = torch.tensor([at], dtype=torch.float64)
    assert slope(f, x).item() == expected
    assert torch.func.grad(f)(x[0]).item() == expected
    assert actfn.get(name).sample(-1, 1, 3)["yp"][1] == expected


def test_ties_are_not_split():
    """JAX: CELU''(0) = 0.25, which is neither side, by splitting a tie of min and max."""
    actfn.torch.set_native(False)
    found = slope(actfn.torch.celu, torch.zeros(1), order=2).item()
    assert found == 1.0
    assert slope(function(actfn.define("max(x, 0) + min(0, exp(x) - 1)").definition), torch.zeros(1)).item() == 1.0

"""`torch.compile(fullgraph=True)`: values and gradients on Inductor and AOTAutograd, any shape, inside and around transforms."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.func import functional_call, grad, hessian, jvp, vmap

import actfn
import actfn.torch
from actfn import catalog
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps
from actfn.torch import elu, function

pytestmark = [
    # What PyTorch says of its own code on first use.
    pytest.mark.filterwarnings("ignore:.torch.jit.script.*is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.:FutureWarning"),
]
inductor = pytest.mark.skipif(shutil.which("gcc") is None, reason="Inductor needs a C++ compiler")


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()


def compiled(f: Callable[..., Any], backend: str = "aot_eager", **options: Any) -> Callable[..., Any]:
    return torch.compile(f, backend=backend, fullgraph=True, **options)


def worst(name: str, order: int, x: torch.Tensor, got: torch.Tensor) -> tuple[float, float]:
    """The largest error in ulps, and where it is."""
    entry = catalog.find(name)
    oracle = Oracle(derivative(entry.expression, order, entry.conventions))
    kind = str(x.dtype).rpartition(".")[2]
    parameters = {n: float(torch.tensor(v, dtype=x.dtype)) for n, v in entry.defaults.items()}
    return max((ulps(y, oracle.ball(at, parameters), kind), at) for at, y in zip(x.tolist(), got.tolist(), strict=True))


POINTS = torch.cat([-torch.logspace(-9, 1.9, 40), torch.logspace(-9, 1.9, 24)])
PRECISE = {"elu": 2, "celu": 2, "selu": 2, "softplus": 3, "silu": 3, "mish": 6, "erf": 2, "tanh": 4, "sigmoid": 4}
"""What Inductor's float32 may be off in ulps, value and slope, on all of the points."""


@inductor
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inductor_keeps_small_arguments_and_tails(dtype):
    """Inductor has exp(x) - 1 for expm1, 0 at -1e-8, and autograd's slope of that is 0 at -40."""
    names = list(PRECISE) if dtype == torch.float32 else ["elu", "erf"]
    functions = [getattr(actfn.torch, name) for name in names]
    x = POINTS.to(dtype).clone().requires_grad_()
    values = compiled(lambda v: [f(v) for f in functions], "inductor")(x)
    for name, y in zip(names, values, strict=True):
        (slope,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
        assert worst(name, 0, x.detach(), y.detach())[0] <= PRECISE[name], name
        if name not in ("erf", "mish"):  # whose slope's argument is rounded
            assert worst(name, 1, x.detach(), slope)[0] <= PRECISE[name], name


@inductor
def test_inductor_needs_that():
    x = torch.tensor([-1e-8] * 16)
    assert (compiled(torch.expm1, "inductor")(x) == 0).all()
    assert (compiled(torch.erf, "inductor")(x * 0.1) == 0).any() or worst(
        "erf", 0, x, compiled(torch.erf, "inductor")(x)
    )[0] > 100


@inductor
def test_inductor_trains_a_network_of_any_batch():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(8, 16), actfn.torch.ELU(learnable=True), torch.nn.Linear(16, 4), actfn.torch.Mish()]
    model = torch.nn.Sequential(*layers)
    fast = compiled(model, "inductor", dynamic=True)
    for n in (3, 7, 12):
        x = torch.randn(n, 8)
        results = []
        for f in (model, fast):
            model.zero_grad()
            y = f(x)
            y.square().sum().backward()
            results.append([y.detach(), *(p.grad for p in model.parameters())])
        torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)


MODERATE = torch.tensor([-30.0, -7.5, -2.6, -0.71, -1e-3, 0.3, 0.9, 2.7, 7.75, 21.0])
ALL = list(catalog.entries())
_CANCELS = ("ricker", "soft_clipping", "siren", "tanhshrink", "atlu")
"""Their expressions cancel in float32."""


@pytest.mark.parametrize("part", range(4))
def test_every_entry_compiles_whole(part):
    names = ALL[part::4]
    functions = [function(catalog.find(name)) for name in names]
    x = MODERATE.clone().requires_grad_()
    wide = MODERATE.double().requires_grad_()
    values = compiled(lambda v: [f(v) for f in functions])(x)
    for name, f, y in zip(names, functions, values, strict=True):
        # Eagerly in float64 by the expression too, so that no kernel has to be built.
        (true_slope,) = vmap(grad(f))(wide.detach()).unsqueeze(0)
        true = vmap(f)(wide.detach())
        (slope,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
        close: dict[str, Any] = {"rtol": 2e-3 if name in _CANCELS else 1e-4, "atol": 1e-5 if name in _CANCELS else 1e-8}
        torch.testing.assert_close(y.detach().double(), true, **close, msg=lambda m, name=name: f"{name}: {m}")
        torch.testing.assert_close(slope.double(), true_slope, **close, msg=lambda m, name=name: f"{name}' : {m}")


FAR = torch.tensor([-1000.0, -100.0, -20.0, -1.0, -1e-8, 0.5, 1.0, 30.0, 100.0, 1000.0])


@pytest.mark.parametrize("name", ["elu", "celu", "selu", "softplus", "silu", "gelu", "mish", "tanh"])
def test_no_gradient_is_nan_far_out(name):
    x = FAR.clone().requires_grad_()
    y = compiled(getattr(actfn.torch, name))(x)
    y.sum().backward()
    assert x.grad is not None
    assert y.isfinite().all()
    assert x.grad.isfinite().all()


def test_a_compiled_tail_has_a_gradient():
    """Autograd's own derivative of expm1 is taken from its rounded result, and is 0 at -40."""
    x = torch.tensor([-40.0, -80.0], requires_grad=True)
    compiled(elu)(x).sum().backward()
    torch.testing.assert_close(x.grad, x.detach().exp(), rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "alpha",
    [0.5, torch.tensor(0.5), torch.nn.Parameter(torch.linspace(0.1, 1, 10))],
    ids=["number", "tensor", "learnable"],
)
def test_parameters(alpha):
    x = FAR.clone().requires_grad_()
    y = compiled(lambda x: elu(x, alpha=alpha))(x)
    torch.testing.assert_close(y, elu(x, alpha))
    y.sum().backward()
    if isinstance(alpha, torch.nn.Parameter):
        torch.testing.assert_close(alpha.grad, torch.expm1(FAR.clamp(max=0)))


def test_another_alpha_each_time():
    f = compiled(lambda x, alpha: elu(x, alpha))
    for alpha in (1.0, 0.5, 0.25, 0.125, -3.0):
        torch.testing.assert_close(f(FAR, alpha), elu(FAR, alpha))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_dtypes(dtype):
    x = FAR.to(dtype).requires_grad_()
    y = compiled(elu)(x)
    assert y.dtype == dtype
    torch.testing.assert_close(y, elu(x))
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.where(x > 0, 1, x.double().exp().to(dtype)).detach())


def test_dynamic_shapes_are_compiled_once():
    counted = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    f = torch.compile(lambda x: elu(x, 0.5), backend=counted, fullgraph=True, dynamic=True)
    for shape in ((3, 4), (5, 6), (9, 2)):
        x = torch.randn(shape, requires_grad=True)
        f(x).sum().backward()
        torch.testing.assert_close(x.grad, torch.where(x > 0, 1.0, 0.5 * x.exp()).detach())
    assert counted.frame_count == 1


@pytest.mark.parametrize("inplace", [False, True])
def test_in_place(inplace):
    x = torch.linspace(-3, 3, 7, requires_grad=True)
    y = compiled(lambda v: elu(v * 2, 0.5, inplace))(x)
    torch.testing.assert_close(y, elu(2 * x, 0.5))
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(x > 0, 2.0, (2 * x).exp()).detach())


def test_a_kink_has_its_convention():
    x = torch.zeros(1, requires_grad=True)
    compiled(actfn.torch.relu)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.item() == 0.0


def test_transforms_inside():
    x = torch.tensor([-40.0, -1.0, 0.5])
    expected = torch.where(x > 0, 1.0, x.exp())
    close: dict[str, Any] = {"rtol": 1e-6, "atol": 0.0}
    torch.testing.assert_close(compiled(vmap(grad(elu)))(x), expected, **close)
    torch.testing.assert_close(compiled(lambda v: jvp(elu, (v,), (torch.ones_like(v),))[1])(x), expected, **close)
    second = compiled(lambda v: hessian(lambda u: elu(u).sum())(v).diagonal())(x)
    torch.testing.assert_close(second, torch.where(x > 0, 0.0, x.exp()), **close)


def test_the_backward_of_compiled_code_is_differentiated_by_nobody():
    """PyTorch's limit, the same for its own functions: ask for second derivatives inside what is compiled."""
    x = torch.tensor([-1.0], requires_grad=True)
    for f in (elu, torch.nn.functional.silu):
        (slope,) = torch.autograd.grad(compiled(f)(x).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="does not currently support double backward"):
            slope.sum().backward()


def test_arguments_of_pytorchs_functions():
    x = torch.linspace(-3, 3, 12).reshape(2, 3, 2)
    weight = torch.tensor([0.1, 0.2, 0.3])
    f = compiled(
        lambda v: (
            actfn.torch.gelu(v, approximate="tanh"),
            actfn.torch.softplus(v, 2.0, 1.0),
            actfn.torch.celu(v, -0.5),
            actfn.torch.prelu(v, weight),
            actfn.torch.hardtanh(v, 0.5, 1.0),
        )
    )
    F = torch.nn.functional
    expected = (
        F.gelu(x, approximate="tanh"),
        F.softplus(x, 2.0, 1.0),
        F.celu(x, -0.5),
        F.prelu(x, weight),
        F.hardtanh(x, 0.5, 1.0),
    )
    torch.testing.assert_close(f(x), expected)


def test_a_formula_of_ones_own():
    f = compiled(actfn.torch.module("where(x > 0, x, a*(exp(x) - 1))", a=0.5, learnable=True))
    x = torch.linspace(-3, 3, 7)
    torch.testing.assert_close(f(x), elu(x, 0.5))


def test_a_mistake_is_said_while_tracing():
    with pytest.raises(Exception, match="elu takes a floating-point tensor"):
        compiled(elu)(torch.arange(3))


def test_functional_call_of_a_module():
    alpha = torch.tensor(0.5, requires_grad=True)
    model = actfn.torch.ELU(alpha=torch.nn.Parameter(torch.tensor(1.0)))
    y = functional_call(model, {"alpha": alpha}, (FAR,))
    torch.testing.assert_close(y, elu(FAR, 0.5))


def test_importing_costs_no_dynamo():
    import subprocess
    import sys

    code = "import sys, torch, actfn.torch as a; a.elu(torch.ones(3)); print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

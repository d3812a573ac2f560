"""The short way of eager tensors steps aside for whatever a loop over memory can't see, in both passes."""

from __future__ import annotations

import threading

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

import actfn.torch
from actfn.torch import elu

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.(script|trace).*is deprecated:DeprecationWarning")
SAVES = pytest.mark.parametrize("save", ["input", "output"])
N = 12


@pytest.fixture(autouse=True)
def ready():
    """Kernels only, and called before, so that the short way is at hand."""
    actfn.torch.set_native(False)
    for save in ("input", "output"):
        for given in ({}, {"alpha": 0.5}):
            elu(torch.ones(1), save=save, **given)
    yield
    actfn.torch.set_native(True)


def points() -> torch.Tensor:
    return torch.linspace(-3, 2.5, N, requires_grad=True)


def slope(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, 1.0, x.exp()).detach()


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def is_short(y: torch.Tensor) -> bool:
    return y.grad_fn is not None and y.grad_fn.name().startswith("Short")


@SAVES
def test_it_is_taken(save):
    x = points()
    y = elu(x, save=save)
    assert is_short(y)
    (found,) = torch.autograd.grad(y, x, torch.ones(N))
    close(found, slope(x))


GRADIENTS = {
    "expanded": lambda: torch.tensor(2.0).expand(N),
    "every other": lambda: torch.arange(2.0 * N)[::2],
    "negated lazily": lambda: torch._neg_view(torch.arange(1.0, N + 1)),
    "flipped": lambda: torch.arange(1.0, N + 1).flip(0),
    "a parameter": lambda: torch.nn.Parameter(torch.arange(1.0, N + 1)),
    "imaginary part": lambda: torch.complex(torch.zeros(N), torch.arange(1.0, N + 1)).conj().imag,
}


@SAVES
@pytest.mark.parametrize("kind", GRADIENTS)
def test_gradients_of_every_kind(kind, save):
    x, g = points(), GRADIENTS[kind]()
    (found,) = torch.autograd.grad(elu(x, save=save), x, g)
    close(found, g.detach().resolve_neg() * slope(x))


@SAVES
def test_batched_gradients(save):
    x = points()
    several = torch.stack([torch.ones(N), torch.arange(1.0, N + 1)])
    (found,) = torch.autograd.grad(elu(x, save=save), x, several, is_grads_batched=True)
    close(found, several * slope(x))


class Plain(torch.Tensor):
    """A subclass without a word of its own."""


@SAVES
def test_subclasses(save):
    x = points().detach().as_subclass(Plain).requires_grad_()
    y = elu(x, save=save)
    assert not is_short(y)
    (found,) = torch.autograd.grad(y.sum(), x)
    close(found.as_subclass(torch.Tensor), slope(points()))
    x = points()
    (found,) = torch.autograd.grad(elu(x, save=save), x, torch.ones(N).as_subclass(Plain))
    close(found.as_subclass(torch.Tensor), slope(x))


UNPACKED = {
    "the same": lambda t: t,
    "a copy": torch.clone,
    "every other of twice as many": lambda t: t.repeat_interleave(2)[::2],
    "negated lazily": lambda t: torch._neg_view(-t),
    "a parameter": torch.nn.Parameter,
}


@SAVES
@pytest.mark.parametrize("kind", UNPACKED)
def test_hooks_for_saved_tensors_may_unpack_any_layout(kind, save):
    x = points()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), UNPACKED[kind]):
        y = elu(x, save=save)
    assert is_short(y)
    (found,) = torch.autograd.grad(y, x, torch.ones(N))
    close(found, slope(x))


def test_a_tensor_saved_by_a_module_is_freed_after():
    x = points()
    y = elu(x)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()


def test_changing_what_was_saved_is_noticed():
    x = points()
    z = x * 1
    y = elu(z)
    z.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    y = elu(points(), save="output")
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_inference_tensors():
    with torch.inference_mode():
        x = points().detach()
        y = elu(x)
    assert y.is_inference()
    close(elu(x.clone()), y.clone())


def test_transforms_meet_a_graph_from_outside():
    x = points()
    y = elu(x)
    (found,) = (
        torch.func.vmap(lambda g: torch.autograd.grad(y, x, g, retain_graph=True)[0])(torch.eye(N)).sum(0).unsqueeze(0)
    )
    close(found, slope(x))
    close(torch.func.grad(lambda v: elu(v).sum())(x.detach()), slope(x))
    whole = torch.autograd.functional.jacobian(elu, x.detach(), vectorize=True)
    close(whole.diagonal(), slope(x))


def test_hooks_of_tensors_and_nodes():
    x, seen = points(), []
    y = elu(x)
    y.register_hook(lambda g: seen.append("y") or 2 * g)
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append("node"))
    y.sum().backward()
    assert seen == ["y", "node"]
    close(x.grad, 2 * slope(x))


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_images(layout):
    x = torch.randn(2, 3, 4, 5).to(memory_format=layout).requires_grad_()
    y = elu(x)
    assert y.stride() == x.stride()
    (found,) = torch.autograd.grad(y, x, torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last))
    close(found, slope(x))
    assert found.stride() in (x.stride(), torch.ones(2, 3, 4, 5).stride())


def test_double_backward():
    x = points()
    (first,) = torch.autograd.grad(elu(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    close(second, torch.where(x > 0, 0.0, x.exp()).detach())
    (first,) = torch.autograd.grad(elu(x, save="output").sum(), x, create_graph=True)
    close(first.detach(), slope(x))
    with pytest.raises(RuntimeError, match="can't be differentiated again"):
        first.sum().backward()


def test_threads():
    x, found = points(), []

    def work() -> None:
        for _ in range(50):
            (g,) = torch.autograd.grad(elu(x), x, torch.ones(N))
            found.append(g)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    for g in found:
        close(g, slope(x))


class Counting(TorchDispatchMode):
    """Counts the operations that pass through PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_what_looks_on_sees_every_operation():
    x = points()
    with Counting() as mode:
        y = elu(x)
        y.sum().backward()
    assert any(name.startswith("expm1") for name in mode.names)
    assert any(name.startswith("exp.") for name in mode.names)
    close(x.grad, slope(x))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_traces_hold_operations_and_not_results():
    graph = make_fx(lambda v: elu(v))(points().detach())
    other = torch.linspace(-1, 1, N)
    close(graph(other), elu(other))
    traced = torch.jit.trace(elu, points().detach(), check_trace=False)
    close(traced(other), elu(other))


def test_another_default_device():
    x = torch.randn(1 << 23)
    with torch.device("meta"):
        y = elu(x)
    assert y.device.type == "cpu"
    close(y[:9], elu(x[:9]))


def test_storage_stays_resizable():
    """FSDP frees parameters by resizing; `Tensor.numpy` would forbid that."""
    x, alpha = torch.randn(3, 4), torch.rand(4)
    elu(x, alpha)
    elu(x)
    assert x.untyped_storage().resizable()
    assert alpha.untyped_storage().resizable()

"""Long tensors of 16 bits: what a table gives is what short tensors get, in as many threads as PyTorch uses."""

from __future__ import annotations

import pytest
import torch

import actfn.torch
from actfn.kernels import tables

N = tables.SIZE


@pytest.fixture(autouse=True)
def ready():
    actfn.torch.set_native(False)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    actfn.torch.set_native(True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", ["elu", "gelu", "silu", "mish", "tanh"])
def test_long_tensors_are_as_short_ones(name, dtype, monkeypatch):
    asked = []
    kept = tables.bound
    monkeypatch.setattr(tables, "bound", lambda *given: asked.append(given) or kept(*given))
    f = actfn.torch.module(name)
    x, g = torch.randn(3 * N + 5).to(dtype), torch.randn(3 * N + 5).to(dtype)

    def passes(x: torch.Tensor, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = x.clone().requires_grad_()
        y = f(x)
        (slope,) = torch.autograd.grad(y, x, g)
        return y.detach(), slope

    passes(x[:9], g[:9])  # from the second call on the short way is taken
    pieces = [passes(a, b) for a, b in zip(x.split(999), g.split(999), strict=True)]
    expected = [torch.cat(parts) for parts in zip(*pieces, strict=True)]
    assert not asked
    for count in (1, 3):
        torch.set_num_threads(count)
        y, slope = passes(x, g)
        assert torch.equal(y, expected[0])
        torch.testing.assert_close(slope, expected[1])
        assert (slope == expected[1]).float().mean() > 0.999
    assert asked


def test_other_parameters_have_another_table():
    x = torch.randn(2 * N).bfloat16()
    for alpha in (1.0, 0.5, 0.5, 2.0):
        actfn.torch.elu(x[:5], alpha)
        y = actfn.torch.elu(x, alpha)
        assert torch.equal(y, torch.cat([actfn.torch.elu(part, alpha) for part in x.split(1000)]))

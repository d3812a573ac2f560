"""Memory that other implementations have kept for nothing (pytorch#63644, pytorch#63027, Mish-CUDA#18)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import actfn.torch
from actfn.torch import elu


def kept_bytes(run) -> int:
    """How many bytes a graph keeps, each storage once."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    assert result.requires_grad
    return sum(kept.values())


@pytest.mark.parametrize("f", [elu, actfn.torch.softplus, actfn.torch.silu, lambda x: elu(x, torch.tensor(0.5))])
def test_one_tensor_is_kept(f):
    x = torch.randn(1 << 16, requires_grad=True)
    assert kept_bytes(lambda: f(x)) <= x.numel() * 4 + 4


def test_nothing_more_is_kept_where_the_next_layer_keeps_the_output():
    width = 256
    layers = [nn.Linear(width, width) for _ in range(4)]
    batch = torch.randn(512, width)

    def run(activation):
        x = batch
        for layer in layers:
            x = activation(layer(x))
        return x

    one = batch.numel() * 4
    weights = 3 * width * width * 4  # the first layer's isn't needed, as the batch has no gradient
    assert kept_bytes(lambda: run(lambda x: elu(x, save="output"))) - weights == 5 * one  # the batch, four outputs
    assert kept_bytes(lambda: run(elu)) - weights == 8 * one  # and four inputs, less the last output


def test_nothing_is_kept_without_a_gradient():
    x = torch.randn(1 << 16, requires_grad=True)
    with torch.no_grad():
        assert not elu(x).requires_grad
    assert elu(x.detach()).grad_fn is None

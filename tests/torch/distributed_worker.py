"""One of two processes: a job over DTensor or FSDP2 beside the same in this process alone. `test_distributed.py` starts it."""

from __future__ import annotations

import copy
import os
import sys
from datetime import timedelta

os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

import actfn.torch


def dtensor() -> None:
    """Every way of laying a tensor out: the result is laid out as x is, and the gradients are those of the whole."""
    mesh = init_device_mesh("cpu", (2,))
    whole = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    for name in ("elu", "gelu", "softplus", "hardswish", "prelu"):
        f = getattr(actfn.torch, name)
        alone = whole.clone().requires_grad_()
        expected = f(alone)
        (slope,) = torch.autograd.grad(expected.square().sum(), alone)
        for placement in (Shard(0), Shard(1), Replicate()):
            x = distribute_tensor(whole, mesh, [placement]).requires_grad_()
            y = f(x)
            assert y.placements == (placement,), (name, y.placements)
            (found,) = torch.autograd.grad(y.square().sum(), x)
            torch.testing.assert_close(y.full_tensor(), expected, rtol=2e-6, atol=1e-7)
            torch.testing.assert_close(found.full_tensor(), slope, rtol=1e-5, atol=1e-6)
    # a learnable parameter, replicated, gets the gradient of all the rows
    alpha = torch.tensor([0.5, 2.0, 1.0, -1.0])
    x = distribute_tensor(whole, mesh, [Shard(0)])
    spread = nn.Parameter(distribute_tensor(alpha, mesh, [Replicate()]))
    actfn.torch.elu(x, spread).sum().backward()
    alone_alpha = alpha.clone().requires_grad_()
    actfn.torch.elu(whole, alone_alpha).sum().backward()
    assert spread.grad is not None
    torch.testing.assert_close(spread.grad.full_tensor(), alone_alpha.grad)


def fsdp() -> None:
    """Three steps of a network whose parameters are sharded, learnable activations among them."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(8, 16),
        actfn.torch.ELU(learnable=True, channels=16, channel_dim=-1),
        nn.Linear(16, 16),
        actfn.torch.GELU(),
        nn.Linear(16, 4),
    )
    alone = copy.deepcopy(model)
    mesh = init_device_mesh("cpu", (2,))
    for layer in model:
        if isinstance(layer, nn.Linear):
            fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    batch = torch.randn(8, 8, generator=torch.Generator().manual_seed(1))
    rank = dist.get_rank()
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in (model, alone)]
    for _ in range(3):
        for m, part, optimizer in zip((model, alone), (batch[4 * rank : 4 * rank + 4], batch), optimizers, strict=True):
            optimizer.zero_grad()
            m(part).square().mean().backward()
            optimizer.step()
    for (name, ours), expected in zip(model.named_parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(
            ours.full_tensor(), expected, rtol=1e-5, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}"
        )


def main() -> None:
    job, rank, meeting = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=2, timeout=timedelta(seconds=60)
    )
    try:
        {"dtensor": dtensor, "fsdp": fsdp}[job]()
        dist.barrier()  # neither goes while the other still talks to it
    finally:
        dist.destroy_process_group()
    print(f"rank {rank}: {job} agrees", flush=True)
    # A C++ thread that gloo left may abort the interpreter's end (pytorch/pytorch#190489), which isn't under test.
    os._exit(0)


if __name__ == "__main__":
    main()

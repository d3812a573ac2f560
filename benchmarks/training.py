"""How fast is ELU in training? Forward and backward, and the backward of that, under PyTorch's autograd.

The upstream gradient is a dense tensor of normal numbers, outputs and gradients are fresh, and x.grad is set to None
before each step. The double backward is that of a layer inside a network: by x and by the upstream gradient; once
also by x alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

import actfn.torch
from benchmarks import peers
from benchmarks.report import Record, main

SIZES = (1, 64, 1024, 4096, 16_384, 65_536, 1 << 20, 1 << 24)
DOUBLE = (64, 4096, 65_536, 1 << 20, 1 << 24)
NEVER_SLOWER = {size: 0.95 for size in SIZES if size <= 4096}
TARGETS = {
    (1, "input"): {**NEVER_SLOWER, 16_384: 1.3, 65_536: 2.0, 1 << 20: 3.0, 1 << 24: 4.0},
    (1, "output"): {16_384: 1.5, 65_536: 2.5, 1 << 20: 4.0, 1 << 24: 5.0},
    (2, "input"): {1 << 20: 2.5, 1 << 24: 2.5},
    (2, "output"): {},
}
"""Forward and backward in float32 against F.elu, by the number of threads and by what is kept."""
Activation = Callable[[torch.Tensor], torch.Tensor]


def measure(record: Record) -> None:
    """Every row of the question."""
    for dtype in ("float32", "float64"):
        for size in record.sizes(*SIZES):
            for save in ("input", "output"):
                least = TARGETS[record.threads, save].get(size) if dtype == "float32" else None
                backward(record, dtype, size, save, {"torch": least} if least else {})
        for size in record.sizes(*DOUBLE):
            goal = record.threads == 1 and dtype == "float32" and size == 1 << 20
            double_backward(record, dtype, size, {"torch": 3.0} if goal else {})
            if goal:
                double_backward(record, dtype, size, {"torch": 3.0}, by_upstream=False)


def backward(record: Record, dtype: str, size: int, save: str, targets: Mapping[str, float]) -> None:
    """y = f(x); y.backward(g)."""
    x, g = (torch.from_numpy(peers.normal(size, dtype, seed)) for seed in (peers.SEED, peers.SEED + 1))
    x.requires_grad_()

    def step(f: Activation) -> Callable[[], Any]:
        def run() -> None:
            x.grad = None
            f(x).backward(g)

        def gradient() -> Any:
            run()
            return x.grad

        agrees(gradient, expected)
        return run

    expected = torch.autograd.grad(F.elu(x), x, g)
    calls = {"torch": step(F.elu)}
    if save == "input":
        traced = peers.compiled(record, lambda x: F.elu(x))
        if traced:
            calls["torch.compile"] = step(traced)
        calls |= peers.elu_derivatives(record, x.detach().numpy(), g.numpy())
    ours = actfn.torch.elu
    case = {
        "pass": "forward + backward",
        "function": "elu",
        "dtype": dtype,
        "size": size,
        "output": "fresh",
        "save": save,
    }
    label = f"forward + backward, {dtype}, save={save}, {size:,}"
    record.compare(label, case, step(lambda x: ours(x, save=save)), calls, targets)


def double_backward(
    record: Record, dtype: str, size: int, targets: Mapping[str, float], by_upstream: bool = True
) -> None:
    """y = f(x), its gradient gx for the upstream gradient g, and the gradients of gx for a second one, gg."""
    x, g, gg = (torch.from_numpy(peers.normal(size, dtype, peers.SEED + i)) for i in range(3))
    x.requires_grad_()
    g.requires_grad_(by_upstream)
    of = (x, g) if by_upstream else (x,)

    def step(f: Activation) -> Callable[[], Any]:
        def run() -> Any:
            (gx,) = torch.autograd.grad(f(x), x, g, create_graph=True)
            return torch.autograd.grad(gx, of, gg)

        agrees(run, expected)
        return run

    (gx,) = torch.autograd.grad(F.elu(x), x, g, create_graph=True)
    expected = torch.autograd.grad(gx, of, gg)
    calls = {"torch": step(F.elu)}
    record.skip("torch.compile (double backward)", "can't be differentiated twice")
    if by_upstream:
        calls |= peers.elu_derivatives(record, *(t.detach().numpy() for t in (x, g, gg)))
    elu = actfn.torch.elu
    case = {
        "pass": "forward + backward + double backward",
        "function": "elu",
        "dtype": dtype,
        "size": size,
        "output": "fresh",
    }
    case["by"] = "x and g" if by_upstream else "x"
    label = f"double backward{'' if by_upstream else ' by x alone'}, {dtype}, {size:,}"
    record.compare(label, case, step(lambda x: elu(x)), calls, targets)


def agrees(gradients: Callable[[], Any], expected: tuple[torch.Tensor, ...]) -> None:
    """Raises `ValueError` where gradients aren't the expected ones, to 1e-4."""
    found = gradients()
    found = found if isinstance(found, tuple) else (found,)
    if not all(np.allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-4) for a, b in zip(found, expected, strict=True)):
        raise ValueError("these gradients are of something else, so their time would mean nothing")


if __name__ == "__main__":
    main("training", measure, __doc__, threads=(1, 2))

"""How fast is a formula of a user's own? Against the same expression written by hand in PyTorch, eager and compiled.

None of these has a native operation: a beta Mish, Serf (erf of softplus, arXiv:2108.09598) and ELiSH (arXiv:1808.00783)
with parameters. By hand each is written as the formula reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F

import actfn.torch
from benchmarks import peers
from benchmarks.report import Record, main

SIZE = 65_536
TARGETS = {"torch": 10.0, "torch.compile": 1.5}


class Own(NamedTuple):
    """A formula, its parameters, and what a user would write instead."""

    formula: str
    parameters: Mapping[str, float]
    by_hand: Callable[..., torch.Tensor]


OWN = (
    Own("x*tanh(softplus(beta*x))", {"beta": 1.5}, lambda x, beta: x * torch.tanh(F.softplus(beta * x))),
    Own("x*erf(softplus(beta*x))", {"beta": 1.5}, lambda x, beta: x * torch.erf(F.softplus(beta * x))),
    Own(
        "where(x > 0, x, a*(exp(x) - 1))*sigmoid(b*x)",
        {"a": 1.25, "b": 1.5},
        lambda x, a, b: torch.where(x > 0, x, a * (torch.exp(x) - 1)) * torch.sigmoid(b * x),
    ),
)


def measure(record: Record) -> None:
    """Two rows a formula: forward, out of place, and with the backward pass."""
    for own in OWN:
        for size in record.sizes(SIZE):
            forward(record, own, size)
            backward(record, own, size)


def forward(record: Record, own: Own, size: int) -> None:
    """f(x), without a graph."""
    x = torch.from_numpy(peers.normal(size))
    ours = actfn.torch.module(own.formula, **own.parameters)
    values = tuple(own.parameters.values())
    calls: dict[str, peers.Call] = {"torch": lambda: own.by_hand(x, *values)}
    traced = peers.compiled(record, own.by_hand)
    if traced:
        calls["torch.compile"] = lambda: traced(x, *values)
    peers.checked({"actfn": lambda: ours(x), **calls}, own.by_hand(x, *values).numpy())
    case = {"pass": "forward", "formula": own.formula, "dtype": "float32", "size": size, "output": "fresh"}
    record.compare(own.formula, case, lambda: ours(x), calls, TARGETS)


def backward(record: Record, own: Own, size: int) -> None:
    """f(x) and its gradient."""
    x, g = (torch.from_numpy(peers.normal(size, seed=seed)) for seed in (peers.SEED, peers.SEED + 1))
    x.requires_grad_()
    values = tuple(own.parameters.values())

    def step(f: Callable[..., torch.Tensor], *more: float) -> peers.Call:
        def run() -> torch.Tensor | None:
            x.grad = None
            f(x, *more).backward(g)
            return x.grad

        return run

    calls = {"torch": step(own.by_hand, *values)}
    traced = peers.compiled(record, own.by_hand)
    if traced:
        calls["torch.compile"] = step(traced, *values)
    ours = step(actfn.torch.module(own.formula, **own.parameters))
    (expected,) = torch.autograd.grad(own.by_hand(x, *values), x, g)
    peers.checked({"actfn": ours, **calls}, expected.numpy())
    case = {"pass": "forward + backward", "formula": own.formula, "dtype": "float32", "size": size, "output": "fresh"}
    record.compare("  forward + backward", case, ours, calls)


if __name__ == "__main__":
    main("own_formulas", measure, __doc__)

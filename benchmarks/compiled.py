"""How fast does a small compiled network train with our activation, against PyTorch's own?

`torch.compile(fullgraph=True)` on Inductor of the same network twice, from the same weights; a step is forward, backward and
SGD. Eagerly too. Ours keep what Inductor's exp(x) - 1 and 1 + erf(x) lose, by polynomials of their own; here is what that
costs, or saves, in a network, and what compiled activations cost alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

import actfn.torch
from benchmarks.report import Record, main

PAIRS: dict[str, tuple[type[nn.Module], type[nn.Module]]] = {
    name: (getattr(nn, name), getattr(actfn.torch, name)) for name in ("ELU", "GELU", "SiLU", "Mish", "Softplus")
}
TARGET = 1.0
"""How many steps ours has to make in the time of one of PyTorch's, for ELU."""


def network(activation: Callable[[], nn.Module], width: int) -> nn.Sequential:
    """Three hidden layers."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Linear(64, width), activation()]
    for _ in range(2):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def step(
    model: Callable[[torch.Tensor], torch.Tensor], parameters: list[nn.Parameter], batch: int
) -> Callable[[], None]:
    """One step of training on normal inputs."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, 64, generator=generator)
    target = torch.randint(10, (batch,), generator=generator)
    optimizer = torch.optim.SGD(parameters, lr=1e-3)

    def run() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), target).backward()
        optimizer.step()

    return run


def both_passes(f: Callable[[torch.Tensor], torch.Tensor], size: int) -> Callable[[], None]:
    """f of normal inputs, and its gradient."""
    x = torch.randn(size, generator=torch.Generator().manual_seed(2), requires_grad=True)
    g = torch.ones_like(x)

    def run() -> None:
        torch.autograd.grad(f(x), x, g)

    run()  # compiles
    return run


def measure(record: Record) -> None:
    """Every row of the question."""
    pairs = {name: PAIRS[name] for name in (("ELU",) if record.quick else PAIRS)}
    for name, (theirs, ours) in pairs.items():
        for batch, width in ((256, 256),) if record.quick else ((256, 256), (1024, 512)):
            torch._dynamo.reset()  # which compiles a method, here that of all networks, so many times only
            steps: dict[str, Callable[[], None]] = {}
            for who, activation in (("ours", ours), ("torch", theirs)):
                model = network(activation, width)
                steps[f"{who}, eager"] = step(model, list(model.parameters()), batch)
                other = copy.deepcopy(model)
                fast = torch.compile(other, fullgraph=True)
                steps[f"{who}, compiled"] = step(fast, list(other.parameters()), batch)
            for way in ("compiled", "eager"):
                case = {"pass": f"step of training, {way}", "function": name, "batch": batch, "width": width}
                targets = {"torch": TARGET} if name == "ELU" and way == "compiled" else {}
                label = f"training, {way}, {name}, batch {batch:,}, width {width}"
                for run in (steps[f"ours, {way}"], steps[f"torch, {way}"]):
                    run()  # compiles
                record.compare(label, case, steps[f"ours, {way}"], {"torch": steps[f"torch, {way}"]}, targets)
    for name, (theirs, ours) in pairs.items():
        torch._dynamo.reset()
        size = 1 << 12 if record.quick else 1 << 18
        calls = [both_passes(torch.compile(activation(), fullgraph=True), size) for activation in (ours, theirs)]
        case = {"pass": "forward + backward, compiled", "function": name, "size": size}
        record.compare(f"compiled alone, {name}, {size:,}", case, calls[0], {"torch": calls[1]}, {})


if __name__ == "__main__":
    main("compiled", measure, __doc__, threads=(1,))

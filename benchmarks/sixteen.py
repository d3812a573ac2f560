"""How fast are 16-bit tensors? bfloat16 and float16 against PyTorch's own operators, forward and in training.

Long tensors look their values up, whatever the function; the cheapest selects are quicker in PyTorch, and are here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

import actfn.torch
from benchmarks import peers
from benchmarks.report import Record, main

SIZE = 1 << 18
COMPUTED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
SELECTED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"relu": F.relu, "hardswish": F.hardswish}
PLACES = {torch.bfloat16: 2.0**-7, torch.float16: 2.0**-9}


def measure(record: Record) -> None:
    """Two rows a function and dtype."""
    for dtype in (torch.bfloat16, torch.float16):
        for name, theirs in {**COMPUTED, **SELECTED}.items():
            for size in record.sizes(SIZE):
                both(record, name, theirs, dtype, size)


def both(
    record: Record, name: str, theirs: Callable[[torch.Tensor], torch.Tensor], dtype: torch.dtype, size: int
) -> None:
    """y = f(x), without a graph; then with y.backward(g)."""
    x, g = (torch.from_numpy(peers.normal(size, seed=seed)).to(dtype) for seed in (peers.SEED, peers.SEED + 1))
    ours = getattr(actfn.torch, name)
    kind = str(dtype).removeprefix("torch.")
    agrees(ours(x), theirs(x), dtype)
    targets = {"torch": 1.0} if name in COMPUTED else {}
    case = {"pass": "forward", "function": name, "dtype": kind, "size": size, "output": "fresh"}
    record.compare(f"{name}, {kind}", case, lambda: ours(x), {"torch": lambda: theirs(x)}, targets)
    x.requires_grad_()

    def step(f: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[], Any]:
        def run() -> Any:
            x.grad = None
            f(x).backward(g)
            return x.grad

        return run

    agrees(step(ours)(), step(theirs)(), dtype)
    case = {**case, "pass": "forward + backward"}
    record.compare("  forward + backward", case, step(ours), {"torch": step(theirs)})


def agrees(ours: torch.Tensor, theirs: torch.Tensor, dtype: torch.dtype) -> None:
    """A peer that computes something else isn't timed: PyTorch's slopes are a few of its last places off."""
    torch.testing.assert_close(ours, theirs, rtol=4 * PLACES[dtype], atol=4 * PLACES[dtype])


if __name__ == "__main__":
    main("sixteen", measure, __doc__)

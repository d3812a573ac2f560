"""How much does autograd keep? The bytes saved for the backward pass by four Linear(1024) with ELU behind each.

Every storage counts once, however many saved tensors lie in it, and the parameters, which are there anyway, don't count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import actfn.torch
from benchmarks.report import Record, Row, main
from benchmarks.timing import spread

MIB = 1 << 20
LIMIT = 80.0


def measure(record: Record) -> None:
    """One row each for what is kept by us and by PyTorch."""
    width, batch = (64, 256) if record.quick else (1024, 4096)
    scale = (1024 * 4096) / (width * batch)  # the quick run is told as if it were whole
    elu = actfn.torch.elu
    ways: list[tuple[str, Callable[[torch.Tensor], torch.Tensor], float | None]] = [
        ('actfn, save="output"', lambda x: elu(x, save="output"), LIMIT),
        ("actfn", elu, None),
        ("torch", nn.functional.elu, None),
    ]
    for name, activation, limit in ways:
        found = saved_bytes(activation, width, batch) * scale / MIB
        label = f"bytes saved by four Linear({width}) + ELU on {batch} x {width}, {name}"
        record.add(Row(label, {"way": name}, value=spread([found]), unit="MB", limit=limit))


def saved_bytes(activation: Callable[[torch.Tensor], torch.Tensor], width: int, batch: int) -> int:
    """Bytes of the distinct storages that the graph of four layers keeps, beside the parameters."""
    torch.manual_seed(0)
    layers = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage
        return tensor

    def unpack(packed: Any) -> torch.Tensor:
        return packed

    y = torch.randn(batch, width)
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        for layer in layers:
            y = activation(layer(y))
    y.sum().backward()
    own = {parameter.untyped_storage().data_ptr() for parameter in layers.parameters()}
    return sum(storage.nbytes() for place, storage in kept.items() if place not in own)


if __name__ == "__main__":
    main("memory", measure, __doc__)

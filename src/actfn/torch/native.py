"""PyTorch's own operators where they are faster: on short tensors, where Python's share outweighs the kernel.

An operator serves only where its value and its gradient are those of the formula within a few ulps, conventions included
(ELU and its family, ReLU, leaky ReLU); without a gradient also sigmoid, tanh, SiLU and, in float32, softplus. What it
may do differently is bounded by `MAX_ULPS`, and `set_native(False)` turns it off. One difference stays: at x = 0
exactly, PyTorch takes the second derivative of ELU, CELU and SELU as 0, where the entries' convention takes the left limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from actfn import catalog
from actfn.definition import Definition

LIMIT = 8_192
"""Tensors with fewer elements go to the native operator: see `benchmarks/torch_training.py`."""
MAX_ULPS = {torch.float32: 3.0, torch.float64: 3.0}
"""How far a native value or gradient may lie from the exact one, in ulps; `tests/torch/test_native.py` holds it."""


@dataclass
class Switch:
    """Whether native operators may serve."""

    on: bool = True


switch = Switch()


@dataclass(frozen=True)
class Native:
    """An operator of PyTorch's: `call(x, *parameters)`; whether its gradient serves too; for which dtypes.

    `call(x)` takes the entry's own defaults, and is quicker by a third of a microsecond.
    """

    call: Callable[..., torch.Tensor]
    gradient: bool = True
    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64)


_nn: Any = torch._C._nn  # pyright: ignore[reportAttributeAccessIssue]

NATIVE = {
    "elu": Native(_nn.elu),
    "celu": Native(torch.celu),
    "selu": Native(torch.selu),
    "relu": Native(torch.relu),
    "leaky_relu": Native(_nn.leaky_relu),
    "sigmoid": Native(torch.sigmoid, gradient=False),
    "tanh": Native(torch.tanh, gradient=False),
    "silu": Native(_nn.silu, gradient=False),
    "softplus": Native(_nn.softplus, gradient=False, dtypes=(torch.float32,)),
}


def set_native(on: bool) -> None:
    """Whether short tensors may go to PyTorch's own operators (they do unless told otherwise)."""
    switch.on = bool(on)


def of(definition: Definition) -> Native | None:
    """The operator of a catalog entry, if there is one."""
    known = NATIVE.get(definition.name)
    return known if known is not None and catalog.entries().get(definition.name) == definition else None


def serves(
    native: Native | None, x: torch.Tensor, parameters: tuple[Any, ...], save: str = "input", accuracy: str = "fast"
) -> bool:
    """Whether the operator serves a plain tensor, at parameters that are numbers, asked for as the options say."""
    return (
        native is not None
        and x.numel() < LIMIT
        and switch.on
        and save == "input"
        and accuracy == "fast"
        and x.dtype in native.dtypes
        and not any(isinstance(p, torch.Tensor) for p in parameters)
        and (native.gradient or not (x.requires_grad and torch.is_grad_enabled()))
    )

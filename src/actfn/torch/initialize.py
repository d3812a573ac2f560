"""`init_`: weights of a size that keeps the signal's, by the certified gain of each layer's own activation.

The gain is 1/sqrt(E[f(x)^2]) for x ~ N(0, 1), which `actfn.analysis.moments` encloses; torch's `calculate_gain` has a few by hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from actfn.analysis.moments import gain as certified_gain
from actfn.definition import Definition
from actfn.torch.named import from_config
from actfn.torch.order import Neighbour, activation_of, neighbours
from actfn.torch.recognize import Use
from actfn.torch.table import table

_STATED = ("proven", "sampled")


@dataclass(frozen=True)
class Layer:
    """One layer: its activation ("" for none), the gain, the weights' standard deviation (None: left as it was), and how."""

    name: str
    activation: str
    gain: float
    std: float | None
    how: str


@dataclass
class Initialized:
    """What `init_` did, a `Layer` for each; `str` shows it as a table of 80 columns."""

    layers: list[Layer] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __str__(self) -> str:
        rows = [
            (
                x.name or "(the model)",
                x.activation or "none",
                f"{x.gain:.6g}",
                "-" if x.std is None else f"{x.std:.4g}",
                x.how,
            )
            for x in self.layers
        ]
        if not rows:
            return "no Linear, convolution or transposed convolution was found"
        return table(("layer", "activation", "gain", "std", "how"), rows)


@torch.no_grad()
def init_(
    model: nn.Module,
    *,
    activation: str | Mapping[str, Any] | nn.Module | None = None,
    by: str = "following",
    mode: str = "fan_in",
    distribution: str = "normal",
    generator: torch.Generator | None = None,
) -> Initialized:
    """Draws each layer's weights with standard deviation gain/sqrt(fan), and sets biases to 0.

    Layers are Linear, convolutions and transposed convolutions. The gain is that of the activation that follows, at its own
    parameters; 1 where none does. It is found by torch.fx where the model or a part of it can be traced, else by the order
    in which modules were registered; the result's `how` says which. `activation` (a name, a config or a module) is for
    layers of which neither tells.

    `by="preceding"` takes the activation before the layer: E[f^2] is the mean square of the layer's input, so that every
    pre-activation has variance 1 from the first layer on, if the input has. Inside a network with one activation both agree.
    `mode` is "fan_in" (keeps the forward signal) or "fan_out" (the gradient's); `distribution` is "normal" or "uniform".

    Raises `ValueError` for another word, `TypeError` for what is no module. The method is He et al.'s (arXiv:1502.01852,
    section 2.2), who have it for ReLU.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"init_ takes a torch.nn.Module, not {type(model).__name__}")
    _one_of("by", by, ("following", "preceding"))
    _one_of("mode", mode, ("fan_in", "fan_out"))
    _one_of("distribution", distribution, ("normal", "uniform"))
    fallback = None if activation is None else activation_of(from_config(activation))
    if activation is not None and fallback is None:
        raise ValueError(f"{activation!r} is no activation that is known; write a name, such as 'relu'")
    done: dict[int, str] = {}
    result = Initialized()
    for name, found in neighbours(model, by == "following").items():
        layer = model.get_submodule(name)
        if found.use is None and not found.ended and fallback is not None:
            found = Neighbour(fallback, "by argument")
        gain, how = _gain(found)
        shown = found.use.definition.name if found.use else ""
        weight = layer._parameters.get("weight")
        reason = _why_not(layer, weight, done)
        if reason or weight is None:
            result.layers.append(Layer(name, shown, gain, None, f"left: {reason}"))
            continue
        done[id(weight)] = name
        std = gain / math.sqrt(fans(layer)[mode == "fan_out"])
        if distribution == "normal":
            nn.init.normal_(weight, 0.0, std, generator=generator)
        else:
            nn.init.uniform_(weight, -math.sqrt(3) * std, math.sqrt(3) * std, generator=generator)
        if layer._parameters.get("bias") is not None:
            nn.init.zeros_(layer._parameters["bias"])  # pyright: ignore[reportArgumentType]
        result.layers.append(Layer(name, shown, gain, std, how))
    return result


def fans(layer: nn.Module) -> tuple[float, float]:
    """How many inputs an output of a layer is the sum of, and how many outputs an input goes to, away from the edges.

    torch's `_calculate_fan_in_and_fan_out` swaps the two for transposed convolutions, and knows of neither groups nor strides.
    """
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    area = math.prod(layer.kernel_size)  # pyright: ignore
    strided = area / math.prod(layer.stride)  # pyright: ignore
    inputs, outputs = layer.in_channels // layer.groups, layer.out_channels // layer.groups  # pyright: ignore
    return (inputs * strided, outputs * area) if layer.transposed else (inputs * area, outputs * strided)


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {' or '.join(map(repr, known))}, not {value!r}")


def _why_not(layer: nn.Module, weight: Any, done: Mapping[int, str]) -> str:
    if weight is None:
        return "its weight is computed from something else"
    if isinstance(weight, nn.parameter.UninitializedParameter):
        return "it has no shape yet; call the model once"
    return f"its weight is that of {done[id(weight)]}" if id(weight) in done else ""


def _gain(found: Neighbour) -> tuple[float, str]:
    """The gain, and how it was found."""
    if found.use is None:
        return 1.0, found.how
    value = gain_of(found.use)
    return (1.0, f"{found.how}; its gain is unknown") if value is None else (value, found.how)


def gain_of(use: Use) -> float | None:
    """The gain of an activation at its parameters (the mean of those that are tensors), or None where it isn't known."""
    arguments = {n: v for n, v in use.arguments.items() if n in use.definition.defaults}
    numbers = {n: float(v.float().mean()) if isinstance(v, torch.Tensor) else float(v) for n, v in arguments.items()}
    return _certified(use.definition, tuple(sorted(numbers.items())))


@lru_cache(maxsize=512)
def _certified(definition: Definition, numbers: tuple[tuple[str, float], ...]) -> float | None:
    try:
        claim = certified_gain(definition, **dict(numbers))
    except ValueError:  # a parameter outside the domain of the entry
        return None
    value = claim.value
    known = claim.status in _STATED and isinstance(value, float) and math.isfinite(value) and value > 0
    return value if known else None

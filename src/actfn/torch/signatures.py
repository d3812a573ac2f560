"""Where `torch.nn.functional` has a function of an entry's name: its signature, and what its further arguments do.

A row says only what the entry itself doesn't: whether `inplace` may be given by position, the arguments that aren't
parameters of the formula, and the numbers that PyTorch takes beyond the entry's domain. The formula stays the entry's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import torch

from actfn import catalog
from actfn.definition import Definition

Function = Callable[..., torch.Tensor]
Variant = Callable[[Function, torch.Tensor, tuple, tuple, dict[str, Any]], torch.Tensor]
"""Takes the entry's function, x, its parameters, the extra arguments, and the options by name."""


@dataclass(frozen=True)
class Signature:
    """What PyTorch's function takes beside the entry's parameters. Its first argument is called `input`."""

    inplace: bool = False
    """Whether `inplace` follows the parameters by position."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments with their defaults, before `inplace`."""
    positional: bool = True
    """Whether those may be given by position."""
    variant: Callable[[], Variant] | None = None
    """Makes the call where an extra argument isn't its default."""
    prepare: Callable[[torch.Tensor, tuple[Any, ...]], tuple[Any, ...]] | None = None
    """The parameters as the formula takes them, from those that were given."""
    domains: Mapping[str, str] = field(default_factory=dict)
    """Wider domains, where PyTorch takes numbers that the entry's own exclude."""


def _gelu() -> Variant:
    tanh = _function("gelu_tanh")

    def variant(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict) -> torch.Tensor:
        (approximate,) = extra
        if approximate not in ("none", "tanh"):
            raise RuntimeError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
        return (tanh if approximate == "tanh" else function)(x, **options)

    return variant


def _softplus() -> Variant:
    whole = catalog.find("softplus")

    def variant(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict) -> torch.Tensor:
        """x itself where beta*x is above the threshold, value and slope; at PyTorch's own, 20, nothing is cut off."""
        (threshold,) = extra
        if not isinstance(threshold, int | float | torch.SymFloat) or threshold != threshold:
            raise TypeError(f"softplus: threshold is a number, not {threshold!r}")
        if threshold in (20, math.inf):
            return function(x, *parameters, **options)
        if torch.compiler.is_compiling():  # when no formula can be made
            y = torch.where(parameters[0] * x > threshold, x, function(x, *parameters))
            return x.copy_(y) if options["inplace"] else y
        from actfn.torch.functional import function as of_definition

        formula = f"where(beta*x > {float(threshold)!r}, x, {whole.formula})"
        return of_definition(replace(widened(whole), formula=formula))(x, *parameters, **options)

    return variant


def _rrelu() -> Variant:
    leaky = _function("leaky_relu")

    def variant(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict) -> torch.Tensor:
        """In training, each element's slope is drawn evenly between the bounds, by PyTorch's generator."""
        (training,) = extra
        if not training:
            return function(x, *parameters, **options)
        low, high = parameters
        return leaky(x, low + (high - low) * torch.rand_like(x, requires_grad=False), **options)

    return variant


def _prelu() -> Variant:
    def variant(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict) -> torch.Tensor:
        return function(x, *(parameters if extra[0] is None else extra), **options)

    return variant


def _function(name: str) -> Function:
    from actfn.torch.functional import function

    return function(catalog.find(name))


def _by_channel(x: torch.Tensor, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """prelu's weight of one dimension runs along dimension 1 of x."""
    (weight,) = parameters
    if not isinstance(weight, torch.Tensor) or weight.dim() != 1:
        return parameters
    if weight.numel() == 1:
        return (weight.reshape(()),)
    channels = x.shape[1] if x.dim() > 1 else x.numel()
    if weight.numel() != channels:
        raise RuntimeError(f"prelu: {weight.numel()} weights for {channels} channels; write one for each, or one")
    return (weight.reshape(-1, *[1] * (x.dim() - 2)),)


def _in_order(x: torch.Tensor, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two bounds, the lower first."""
    low, high = parameters
    if not any(isinstance(p, torch.Tensor) for p in parameters) and low > high:
        raise ValueError(f"the lower bound, {low!r}, is above the upper one, {high!r}; write them the other way round")
    return parameters


_INPLACE = Signature(inplace=True)

SIGNATURES: Mapping[str, Signature] = {
    "celu": Signature(inplace=True, domains={"alpha": "nonzero"}),
    "elu": _INPLACE,
    "gelu": Signature(extra={"approximate": "none"}, positional=False, variant=_gelu),
    "hardshrink": Signature(domains={"lambd": "real"}),
    "hardsigmoid": _INPLACE,
    "hardswish": _INPLACE,
    "hardtanh": Signature(inplace=True, prepare=_in_order, domains={"min_val": "real", "max_val": "real"}),
    "leaky_relu": _INPLACE,
    "logsigmoid": Signature(),
    "mish": _INPLACE,
    "prelu": Signature(extra={"weight": None}, positional=False, variant=_prelu, prepare=_by_channel),
    "relu": _INPLACE,
    "relu6": _INPLACE,
    "rrelu": Signature(inplace=True, extra={"training": False}, variant=_rrelu, prepare=_in_order),
    "selu": _INPLACE,
    "sigmoid": Signature(),
    "silu": _INPLACE,
    "softplus": Signature(extra={"threshold": 20.0}, variant=_softplus, domains={"beta": "nonzero"}),
    "softshrink": Signature(),
    "softsign": Signature(),
    "tanh": Signature(),
    "tanhshrink": Signature(),
    "threshold": _INPLACE,
}


def of(definition: Definition) -> Signature | None:
    """The signature of an entry of the catalog, or None."""
    found = SIGNATURES.get(definition.name)
    return found if found is not None and catalog.entries().get(definition.name) == definition else None


@lru_cache(maxsize=64)
def widened(definition: Definition) -> Definition:
    """The formula with the domains that PyTorch takes: the definition itself where they are its own."""
    signature = of(definition)
    if signature is None or not signature.domains:
        return definition
    wide = [replace(p, domain=signature.domains.get(p.name, p.domain)) for p in definition.parameters]
    return replace(definition, parameters=tuple(wide))

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


@dataclass(frozen=True)
class Signature:
    """What PyTorch's function takes beside the entry's parameters. Its first argument is called `input`."""

    inplace: bool = False
    """Whether `inplace` follows the parameters by position."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments with their defaults, before `inplace`."""
    positional: bool = True
    """Whether those may be given by position."""
    variant: Callable[..., torch.Tensor] | None = None
    """`(function, x, parameters, extra, options)`: the call where an extra argument isn't its default."""
    prepare: Callable[[torch.Tensor, tuple[Any, ...]], tuple[Any, ...]] | None = None
    """The parameters as the formula takes them, from those that were given."""
    domains: Mapping[str, str] = field(default_factory=dict)
    """Wider domains, where PyTorch takes numbers that the entry's own exclude."""


def _gelu(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict[str, Any]):
    (approximate,) = extra
    if approximate == "none":
        return function(x, **options)
    if approximate != "tanh":
        raise RuntimeError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    from actfn.torch.functional import function as of_entry

    return of_entry(catalog.find("gelu_tanh"))(x, **options)


def _softplus(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict[str, Any]):
    """x itself where beta*x is above the threshold, value and slope; at PyTorch's own, 20, nothing is cut off."""
    (threshold,) = extra
    if not isinstance(threshold, int | float) or math.isnan(threshold):
        raise TypeError(f"softplus: threshold is a number, not {threshold!r}")
    if threshold in (20, math.inf):
        return function(x, *parameters, **options)
    from actfn.torch.functional import function as of_definition

    whole = catalog.find("softplus")
    formula = f"where(beta*x > {float(threshold)!r}, x, {whole.formula})"
    return of_definition(replace(widened(whole) or whole, formula=formula))(x, *parameters, **options)


def _rrelu(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict[str, Any]):
    """In training, each element's slope is drawn between the bounds; PyTorch's generator says what comes."""
    (training,) = extra
    if not training:
        return function(x, *parameters, **options)
    from actfn.torch.functional import function as of_entry

    slopes = torch.empty_like(x, requires_grad=False).uniform_(*parameters)
    return of_entry(catalog.find("leaky_relu"))(x, slopes, **options)


def _prelu(function: Function, x: torch.Tensor, parameters: tuple, extra: tuple, options: dict[str, Any]):
    (weight,) = extra
    return function(x, *(parameters if weight is None else (weight,)), **options)


def _by_channel(x: torch.Tensor, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """prelu's weight of one dimension runs along dimension 1 of x."""
    (weight,) = parameters
    if not isinstance(weight, torch.Tensor) or weight.dim() != 1 or x.dim() < 2 or weight.numel() == 1:
        return parameters
    if weight.numel() != x.shape[1]:
        raise RuntimeError(f"prelu: {weight.numel()} weights for {x.shape[1]} channels; write one for each, or one")
    return (weight.reshape(-1, *[1] * (x.dim() - 2)),)


def _in_order(x: torch.Tensor, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    low, high = parameters
    if not any(isinstance(p, torch.Tensor) for p in parameters) and low > high:
        raise ValueError(f"hardtanh: min_val = {low!r} is above max_val = {high!r}; write them the other way round")
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
    "rrelu": Signature(inplace=True, extra={"training": False}, variant=_rrelu),
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
def widened(definition: Definition) -> Definition | None:
    """The same formula with the domains that PyTorch takes; None where they are the entry's own."""
    signature = of(definition)
    if signature is None or not signature.domains:
        return None
    wide = [replace(p, domain=signature.domains.get(p.name, p.domain)) for p in definition.parameters]
    return replace(definition, parameters=tuple(wide))

"""The printed PyTorch expression of a formula and of its derivatives, and its evaluation in the dtype of x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch

from actfn.definition import Definition
from actfn.formula.printers.torch import TorchPrinter
from actfn.kernels.lower import program
from actfn.kernels.printed import load


@dataclass(frozen=True)
class Spec:
    """A definition, the order of its derivative by x, and the parameters that it is differentiated by."""

    definition: Definition
    order: int = 0
    by: tuple[str, ...] = ()
    kernels: dict[tuple[str, torch.dtype, str], Any] = field(default_factory=dict, compare=False, repr=False)
    """What was built for it: (form, dtype, accuracy) -> the kernel, or None where there is none."""
    derivatives: dict[str | None, Spec] = field(default_factory=dict, compare=False, repr=False)
    """By x (None) or by a parameter."""


_HALVES = (torch.float16, torch.bfloat16)


@lru_cache(maxsize=1024)
def printed(definition: Definition, order: int = 0, by: tuple[str, ...] = ()) -> Callable[..., torch.Tensor]:
    """The printed code of a derivative as a function of x and every parameter, by position."""
    name = TorchPrinter().identifier(definition.name)
    return load(source(definition, order, by), name, {"torch": torch})


def source(definition: Definition, order: int = 0, by: tuple[str, ...] = ()) -> str:
    """The PyTorch code that runs."""
    steps = program(definition, order, by)
    return TorchPrinter().function(
        definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula
    )


def evaluate(spec: Spec, x: torch.Tensor, parameters: tuple[Any, ...]) -> torch.Tensor:
    """A derivative at x, by its printed code."""
    return run(printed(spec.definition, spec.order, spec.by), x, parameters)


def run(code: Callable[..., torch.Tensor], x: torch.Tensor, parameters: tuple[Any, ...]) -> torch.Tensor:
    """Printed code at x. float16 and bfloat16 are computed in float32 and rounded once more."""
    if x.dtype in _HALVES:
        wide = [p.float() if isinstance(p, torch.Tensor) else p for p in parameters]
        return code(x.float(), *wide).to(x.dtype)
    return code(x, *parameters)


def along(spec: Spec, name: str | None = None) -> Spec:
    """The spec of the derivative by x, or by a parameter."""
    found = spec.derivatives.get(name)
    if found is None:
        by = spec.by if name is None else tuple(sorted((*spec.by, name)))
        found = spec.derivatives[name] = Spec(spec.definition, spec.order + (name is None), by)
    return found

"""Gated units, as functions (`swiglu`) and modules (`SwiGLU`): one half of the input times an activation of the other half.

Which activation, and on which half, is data of the catalog; the halves are those of `torch.nn.GLU`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

import torch

from actfn import catalog
from actfn.definition import GatedUnit
from actfn.torch.functional import function
from actfn.torch.modules import ActivationModule, signature


class GatedModule(ActivationModule):
    """A module that halves its input along `dim`: (..., 2 n, ...) in, (..., n, ...) of the same dtype out.

    The activation's parameters follow `dim`, as numbers or learnable; `channels` counts those of one half.
    Raises `RuntimeError` for a dimension of odd size, `IndexError` for one that x hasn't, as `torch.nn.GLU` does.
    """

    unit: GatedUnit
    extras: ClassVar[Mapping[str, Any]] = {"dim": -1}
    extras_first: ClassVar[bool] = True
    has_inplace: ClassVar[bool] = False
    dim: int

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """a*f(b), or f(a)*b, for the halves a and b of x."""
        inner, other = halves(x, self.dim, self.unit)
        return self._apply_to(inner, self._values_for(inner)) * other


def halves(x: torch.Tensor, dim: int, unit: GatedUnit) -> tuple[torch.Tensor, torch.Tensor]:
    """The half that the activation is for, and the other."""
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
        raise TypeError(f"{unit.name} takes a floating-point tensor, not {kind}; write {unit.name}(x.float())")
    if x.dim() == 0:
        raise RuntimeError(f"{unit.name} halves a dimension, and a tensor of shape () has none; write x.reshape(-1)")
    size = x.size(dim)  # IndexError for a dimension that x hasn't
    if size % 2:
        raise RuntimeError(
            f"{unit.name} halves dimension {dim}, which must be even, not {size}; its input is two halves"
        )
    first, second = x.chunk(2, dim)
    return (first, second) if unit.gate_first else (second, first)


@lru_cache(maxsize=1)
def gated_class_names() -> dict[str, str]:
    """Class name -> the unit's name: GLU, ReGLU, SwiGLU, ...; `BilinearUnit`, as `torch.nn.Bilinear` is another layer."""
    return {_class_name(unit): name for name, unit in catalog.gated_units().items()}


def _class_name(unit: GatedUnit) -> str:
    if unit.name.endswith("glu") and "torch" not in unit.aliases:
        kind = unit.name.removesuffix("glu")
        return (kind.upper() if kind == "ge" else kind.capitalize()) + "GLU"  # GEGLU, as its paper has it
    title = "_".join(unit.title.split()).lower()
    return catalog.class_name(unit.name if unit.aliases else title, unit.aliases)


@lru_cache(maxsize=64)
def gated_class(name: str) -> type[GatedModule]:
    """The module class of a gated unit of the catalog."""
    unit = catalog.gated_units()[name]
    gate = catalog.find(unit.gate)
    doc = f"{unit.title}: {_formula(unit)} over the halves a, b of the input.\n\n{unit.summary}"
    members = {"unit": unit, "definition": gate, "activation": staticmethod(function(gate)), "__doc__": doc}
    members["__signature__"] = signature(gate, tuple(GatedModule.extras.items()), True, False)
    return type(_class_name(unit), (GatedModule,), {**members, "__module__": "actfn.torch"})


@lru_cache(maxsize=64)
def gated(name: str) -> Callable[..., torch.Tensor]:
    """A gated unit as a function of a floating-point tensor, `dim=-1` and, by name, the activation's parameters."""
    unit = catalog.gated_units()[name]
    activation = function(catalog.find(unit.gate))

    def unit_of(x: torch.Tensor, dim: int = -1, **parameters: Any) -> torch.Tensor:
        inner, other = halves(x, dim, unit)
        return activation(inner, **parameters) * other

    unit_of.__name__ = unit_of.__qualname__ = unit.name
    unit_of.__module__ = "actfn.torch"
    unit_of.__doc__ = f"{unit.title}: {_formula(unit)} over the halves a, b of x along `dim`.\n\n{unit.summary}"
    return unit_of


def _formula(unit: GatedUnit) -> str:
    return f"{unit.gate}(a)*b" if unit.gate_first else f"a*{unit.gate}(b)"

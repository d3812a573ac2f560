"""Activations for PyTorch: functions (`elu`), modules (`ELU`), modules of any formula, and models that change theirs.

Every name of the catalog is a function here and a module in the spelling of `torch.nn`, made on first use; so is every
gated unit (`swiglu`, `SwiGLU`).
"""

from __future__ import annotations

from typing import Any

from actfn import catalog
from actfn.torch.functional import function
from actfn.torch.gated import GatedModule, gated, gated_class, gated_class_names
from actfn.torch.initialize import Initialized, init_
from actfn.torch.memory import set_kept_memory
from actfn.torch.modules import ActivationModule, class_names, module_class
from actfn.torch.named import from_config, module
from actfn.torch.native import set_native
from actfn.torch.swap import Swapped, swap
from actfn.torch.visualize import visualize_activation

__all__ = [
    "ActivationModule",
    "GatedModule",
    "Initialized",
    "Swapped",
    "from_config",
    "function",
    "init_",
    "module",
    "set_kept_memory",
    "set_native",
    "swap",
    "visualize_activation",
]


def __getattr__(name: str) -> Any:
    if name in catalog.entries():
        return function(catalog.find(name))
    if name in catalog.gated_units():
        return gated(name)
    if name in class_names():
        return module_class(class_names()[name])
    if name in gated_class_names():
        return gated_class(gated_class_names()[name])
    raise AttributeError(f"module 'actfn.torch' has no function or module {name!r}")


def __dir__() -> list[str]:
    made = (catalog.entries(), catalog.gated_units(), class_names(), gated_class_names())
    return sorted({*__all__, *(name for names in made for name in names)})

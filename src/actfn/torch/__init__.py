"""Activations for PyTorch: functions (`elu`), modules (`ELU`), modules of any formula, and the data of a plot.

Every name of the catalog is a function here and a module in the spelling of `torch.nn`, made on first use.
"""

from __future__ import annotations

from typing import Any

from actfn import catalog
from actfn.torch.functional import function
from actfn.torch.memory import set_kept_memory
from actfn.torch.modules import ActivationModule, class_names, module, module_class
from actfn.torch.native import set_native
from actfn.torch.visualize import visualize_activation

__all__ = ["ActivationModule", "function", "module", "set_kept_memory", "set_native", "visualize_activation"]


def __getattr__(name: str) -> Any:
    if name in catalog.entries():
        return function(catalog.find(name))
    if name in class_names():
        return module_class(class_names()[name])
    raise AttributeError(f"module 'actfn.torch' has no function or module {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *catalog.entries(), *class_names()})

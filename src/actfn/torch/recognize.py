"""Which entry of the catalog a module, a function or a call in a traced graph is, and with which arguments.

Modules are ours or of `torch.nn`, by the alias that an entry has there; functions are those of `torch`, of
`torch.nn.functional` and the methods of tensors that go by the entry's name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import fx, nn

from actfn import catalog
from actfn.definition import Definition
from actfn.torch.gated import GatedModule
from actfn.torch.modules import ActivationModule, module_class


@dataclass(frozen=True)
class Use:
    """An activation as a model uses it: its definition, and what our module of `entry` takes to be the same."""

    entry: str
    definition: Definition
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inplace: bool = False

    def module(self) -> ActivationModule:
        """Our module that is the same function."""
        return module_class(self.entry)(**self.arguments, inplace=self.inplace)


class Computed(ValueError):
    """A call whose arguments aren't numbers that are known beforehand."""


@lru_cache(maxsize=1)
def torch_classes() -> dict[type[nn.Module], str]:
    """Class of `torch.nn` -> the entry's name."""
    found = {}
    for name, entry in catalog.entries().items():
        alias = entry.aliases.get("torch", "")
        kind = getattr(nn, alias.rpartition(".")[2], None) if alias.startswith("torch.nn.") else None
        if isinstance(kind, type):
            found[kind] = name
    return found


@lru_cache(maxsize=1)
def functions() -> dict[Any, tuple[str, bool]]:
    """Function of PyTorch's, or name of a tensor's method -> (the entry's name, whether it works in place)."""
    found: dict[Any, tuple[str, bool]] = {}
    for name in torch_classes().values():
        for called, inplace in ((name, False), (f"{name}_", True)):
            known = [getattr(where, called, None) for where in (torch, nn.functional)]
            found |= {f: (name, inplace) for f in known if callable(f)}
            if hasattr(torch.Tensor, called):
                found[called] = (name, inplace)
    return found


def use_of(module: nn.Module) -> Use | None:
    """What an activation module is, or None where it isn't one that is known (a gated unit isn't one)."""
    if isinstance(module, GatedModule):
        return None
    if isinstance(module, ActivationModule):
        entry = type(module).definition.name if hasattr(type(module), "definition") else module.definition.name
        extras = {name: getattr(module, name) for name in module.extras}
        return Use(entry, module.definition, {**module.values(), **extras}, module.inplace)
    entry = torch_classes().get(type(module))
    if entry is None:
        return None
    if isinstance(module, nn.PReLU):
        return _use(entry, {"alpha": module.weight, "num_parameters": module.num_parameters}, False)
    names = (*catalog.find(entry).defaults, *module_class(entry).extras)
    return _use(entry, {n: getattr(module, n) for n in names}, getattr(module, "inplace", False))


def _use(entry: str, arguments: dict[str, Any], inplace: bool) -> Use:
    tanh = arguments.get("approximate") == "tanh"
    definition = catalog.find("gelu_tanh" if tanh else entry)
    return Use(entry, definition, arguments, bool(inplace))


def use_of_function(function: Any) -> Use | None:
    """What a function of PyTorch's is, also one with some arguments fixed by `functools.partial`."""
    fixed = function if isinstance(function, functools.partial) else functools.partial(function)
    try:
        return use_of_call(fixed.func, (None, *fixed.args), fixed.keywords)
    except Computed:
        return None


def use_of_call(target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], training: bool = False) -> Use | None:
    """What a call of a function, or of a tensor's method by name, is; its first argument is x.

    Raises `Computed` for a call whose other arguments are no numbers.
    """
    known = known_function(target)
    if known is None:
        return None
    entry, inplace = known
    kwargs = {n: v for n, v in kwargs.items() if (n, v) not in (("save", "input"), ("accuracy", "fast"))}
    names = [*catalog.find(entry).defaults, *module_class(entry).extras]
    names += ["training", "inplace"] if entry == "rrelu" else ["inplace"]
    given = dict(zip(names, args[1:], strict=False)) | {n: v for n, v in kwargs.items() if n != "input"}
    computed = next((n for n, v in given.items() if not isinstance(v, bool | int | float | str)), None)
    if computed or not set(given) <= set(names):
        raise Computed(f"its {computed or 'arguments'} isn't a number that is known beforehand")
    if bool(given.pop("training", False)) != training and entry == "rrelu":
        raise Computed("whether it draws at random isn't the module's training flag")
    return _use(entry, given, inplace or given.pop("inplace", False))


def known_function(target: Any) -> tuple[str, bool] | None:
    """The entry's name of a function of PyTorch's or ours, or of a method, and whether it works in place."""
    if getattr(target, "__module__", "") == "actfn.torch" and getattr(target, "__name__", "") in catalog.entries():
        return target.__name__, False
    try:
        return functions().get(target)
    except TypeError:  # it has no hash
        return None


class Tracer(fx.Tracer):
    """Traces a module whose parts are leaves where `leaf` says so; forward hooks of the others aren't run."""

    def __init__(self, leaf: Callable[[nn.Module], bool] = lambda m: True) -> None:
        super().__init__()
        self.leaf = leaf

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return self.leaf(m)

    def call_module(self, m: nn.Module, forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return super().call_module(m, m.forward, args, kwargs)

"""What a swap replaces and by what: the ways to say it, read, and what a new module keeps of the old one."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from actfn import catalog
from actfn.definition import Definition
from actfn.torch.modules import ActivationModule
from actfn.torch.named import from_config, module
from actfn.torch.recognize import Use, functions, torch_classes, use_of

_HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_is_full_backward_hook",
)


@dataclass(frozen=True)
class Matcher:
    module: Callable[[str, nn.Module], bool]
    use: Callable[[Use], bool]
    """Whether a function is one that is to be replaced."""


def matcher(old: Any, model: nn.Module) -> Matcher:
    if isinstance(old, tuple):
        several = [matcher(each, model) for each in old]
        return Matcher(lambda n, m: any(s.module(n, m) for s in several), lambda u: any(s.use(u) for s in several))
    if isinstance(old, str):
        return _by_name(old, model)
    if isinstance(old, type) and issubclass(old, nn.Module):
        own = getattr(old, "definition", None) if issubclass(old, ActivationModule) else None
        entry = own.name if own is not None else torch_classes().get(old)
        return Matcher(lambda n, m: type(m) is old, lambda u: u.entry == entry)
    if callable(old) and not isinstance(old, nn.Module):
        known = functions().get(old)
        if known is not None:
            return Matcher(lambda n, m: False, lambda u: u.entry == known[0])
        return Matcher(lambda n, m: bool(old(n, m)), lambda u: False)
    raise TypeError(f"what to replace is a class, a name, a function or a predicate of (name, module), not {old!r}")


def _by_name(name: str, model: nn.Module) -> Matcher:
    if any(type(m).__name__ == name for m in model.modules()) and not _is_entry(name):
        return Matcher(lambda n, m: type(m).__name__ == name, lambda u: False)
    wanted = catalog.find(name).name

    def matches(found: Use | None) -> bool:
        return found is not None and found.definition.name == wanted

    return Matcher(lambda n, m: matches(use_of(m)), matches)


def _is_entry(name: str) -> bool:
    try:
        return bool(catalog.find(name))
    except catalog.UnknownName:
        return False


def maker(new: Any, arguments: dict[str, Any]) -> Callable[[nn.Module], nn.Module]:
    """The function from the old module to the new one."""
    if isinstance(new, nn.Module):
        if arguments:
            raise TypeError(f"{new!r} is made already; give its arguments there, not {next(iter(arguments))}=")
        return lambda old: copy.deepcopy(new)
    if isinstance(new, type) and issubclass(new, nn.Module):
        return lambda old: _of_class(new, old, arguments)
    if isinstance(new, str | Mapping):
        made = from_config(new, **arguments)  # an error shows before anything is changed
        given = dict(new) if isinstance(new, Mapping) else {}
        return lambda old: _of_entry(new, made, old, {**given, **arguments})
    if isinstance(getattr(new, "definition", new), Definition):
        return lambda old: module(new, **arguments)
    if callable(new) and not arguments:
        return new  # pyright: ignore[reportReturnType]
    raise TypeError(
        f"the new activation is a name, a config, a module, its class, or a function of the old one, not {new!r}"
    )


def _of_class(new: type[nn.Module], old: nn.Module, arguments: dict[str, Any]) -> nn.Module:
    use = use_of(old)
    entry = (
        new.definition.name
        if issubclass(new, ActivationModule) and hasattr(new, "definition")
        else torch_classes().get(new)
    )
    same = use is not None and use.entry == entry
    known = inspect.signature(new).parameters
    kept = (
        {n: v for n, v in use.arguments.items() if n in known and not isinstance(v, torch.Tensor)}
        if same and use
        else {}
    )
    if use is not None and use.inplace and "inplace" in known:
        kept["inplace"] = True
    return new(**{**kept, **arguments})


def _of_entry(new: Any, made: nn.Module, old: nn.Module, arguments: dict[str, Any]) -> nn.Module:
    use, own = use_of(old), use_of(made)
    kept: dict[str, Any] = {}
    if use is not None and own is not None and use.definition.name == own.definition.name and own.entry == use.entry:
        kept = {n: v for n, v in use.arguments.items() if not isinstance(v, torch.Tensor)}
    if use is not None and use.inplace and own is not None:
        kept["inplace"] = True
    return from_config(new, **{**kept, **{n: v for n, v in arguments.items() if n not in ("name", "formula")}})


def keep(old: nn.Module, new: nn.Module) -> None:
    """Gives the new module the old one's hooks, training flag and, where they are the same function, learned parameters."""
    for name in _HOOKS:
        if isinstance(getattr(old, name, None), dict):
            vars(new)[name] = {**getattr(new, name), **getattr(old, name)} if getattr(new, name) else getattr(old, name)
        elif name in vars(old):
            vars(new)[name] = getattr(old, name)
    new.train(old.training)
    before, after = use_of(old), use_of(new)
    if before is None or after is None or before.definition.name != after.definition.name:
        return
    for name, parameter in old._parameters.items():
        if parameter is not None and name in dict(new.named_parameters()) | dict(new.named_buffers()) | vars(new):
            vars(new).pop(name, None)
            new._buffers.pop(name, None)
            new.register_parameter(name, parameter)
    if isinstance(old, ActivationModule) and isinstance(new, ActivationModule) and not isinstance(old, nn.PReLU):
        for name in ("learned", "initial", "channels", "channel_dim"):
            if name in vars(old) and old._parameters:
                setattr(new, name, getattr(old, name))

"""Activations as `torch.nn` modules: one class for each catalog entry, one instance for each formula of a user's own."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import nn

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.torch.functional import function


class ActivationModule(nn.Module):
    """A module that applies an activation elementwise: a floating-point tensor in, one of the same shape and dtype out.

    A parameter is a number, an `nn.Parameter` (learned with the model) or another tensor (kept as a buffer).
    `repr` is in torch's own form; `str` is `Activation Function: ELU()`, with parameters that differ from their defaults.
    """

    definition: ClassVar[Definition]
    activation: ClassVar[Callable[..., torch.Tensor]]

    def __init__(self, *args: float | torch.Tensor, **parameters: float | torch.Tensor) -> None:
        super().__init__()
        defaults = self.definition.defaults
        if len(args) > len(defaults):
            raise TypeError(f"{self._get_name()} takes {len(defaults)} parameters; {len(args)} were given")
        given: dict[str, Any] = dict(zip(defaults, args, strict=False))
        twice = sorted(set(given) & set(parameters))
        if twice:
            raise TypeError(f"{self._get_name()}: parameter {twice[0]!r} was given twice")
        given |= parameters
        tensors = {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}
        stand_ins = {name: defaults.get(name, 0.0) for name in tensors}
        for name, value in (self.definition.values({**given, **stand_ins}) | tensors).items():
            if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def values(self) -> dict[str, Any]:
        """The parameters' values."""
        return {name: getattr(self, name) for name in self.definition.defaults}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """f(x)."""
        return self.activation(x, **self.values())

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={_shown(value)}" for name, value in self.values().items())

    def __str__(self) -> str:
        defaults = self.definition.defaults
        changed = [
            f"{n}={v}" for n, v in zip(defaults, map(_shown, self.values().values()), strict=True) if v != defaults[n]
        ]
        return f"Activation Function: {self._get_name()}({', '.join(changed)})"


def _shown(value: Any) -> Any:
    """A number as it is, a tensor by its only element or its shape."""
    if not isinstance(value, torch.Tensor):
        return value
    return value.item() if value.dim() == 0 else f"tensor of shape {tuple(value.shape)}"


class Formula(ActivationModule):
    """A module of a user's own formula; see `module`."""

    def __init__(self, definition: Definition, **parameters: float | torch.Tensor) -> None:
        self.__dict__.update(definition=definition, activation=function(definition))
        taken = next((name for name in definition.defaults if name == "training" or hasattr(self, name)), None)
        if taken:
            raise ValueError(f"a module has a {taken!r} of its own; name the parameter otherwise, such as {taken}_1")
        super().__init__(**parameters)

    def _get_name(self) -> str:
        return "Formula" if self.definition.name == "custom" else self.definition.name

    def extra_repr(self) -> str:
        return ", ".join(filter(None, [repr(self.definition.formula), super().extra_repr()]))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "activation"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__["activation"] = function(self.definition)


@lru_cache(maxsize=1)
def class_names() -> dict[str, str]:
    """Class name -> catalog name: `torch.nn`'s name where it has the function, else the entry's in capitals."""
    named = {}
    for name, entry in catalog.entries().items():
        alias = entry.aliases.get("torch", "")
        own = alias.rpartition(".")[2] if alias.startswith("torch.nn.") and "functional" not in alias else ""
        named[own or "".join(part.capitalize() for part in name.split("_"))] = name
    return named


@lru_cache(maxsize=512)
def module_class(name: str) -> type[ActivationModule]:
    """The module class of a catalog entry."""
    entry = catalog.find(name)
    class_name = next(c for c, n in class_names().items() if n == entry.name)
    doc = f"{entry.title}: {entry.formula}\n\n{entry.summary}"
    members = {"definition": entry, "activation": staticmethod(function(entry)), "__doc__": doc}
    return type(class_name, (ActivationModule,), {**members, "__module__": "actfn.torch"})


def module(formula_or_name: str, **parameters: float | torch.Tensor) -> ActivationModule:
    """A module of a catalog name (`module("elu", alpha=0.5)`) or of a formula (`module("x*tanh(a*x)", a=1.0)`).

    Raises `LookupError` for an unknown name, `FormulaError` for a formula that can't be read.
    """
    text = formula_or_name
    if text.isidentifier() and text != "x" and not keyword.iskeyword(text):
        return module_class(catalog.find(text).name)(**parameters)
    tensors = {name: value for name, value in parameters.items() if isinstance(value, torch.Tensor)}
    listed = tuple(Parameter(name, 1.0 if name in tensors else float(value)) for name, value in parameters.items())
    definition = Definition(name="custom", formula=text, parameters=listed)
    definition.expression  # noqa: B018  (parses now, so that an error shows here)
    return Formula(definition, **tensors)

"""Activations as `torch.nn` modules: one class for each catalog entry, one instance for each formula of a user's own."""

from __future__ import annotations

import keyword
from functools import lru_cache
from typing import ClassVar

import torch
from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.torch.functional import function
from torch import nn


class ActivationModule(nn.Module):
    """A module that applies an activation elementwise: a floating-point tensor in, one of the same shape and dtype out.

    `repr` is in torch's own form; `str` is `Activation Function: ELU()`, with parameters that differ from their defaults.
    """

    definition: ClassVar[Definition]

    def __init__(self, *args: float, **parameters: float) -> None:
        super().__init__()
        names = list(self.definition.defaults)
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} parameters; {len(args)} were given")
        given = dict(zip(names, args, strict=False))
        twice = sorted(set(given) & set(parameters))
        if twice:
            raise TypeError(f"{type(self).__name__}: parameter {twice[0]!r} was given twice")
        for name, value in self.definition.values({**given, **parameters}).items():
            setattr(self, name, value)

    def values(self) -> dict[str, float]:
        """The parameters' values."""
        return {name: getattr(self, name) for name in self.definition.defaults}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """f(x)."""
        return function(self.definition)(x, **self.values())

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.values().items())

    def __str__(self) -> str:
        changed = [f"{n}={v}" for n, v in self.values().items() if v != self.definition.defaults[n]]
        return f"Activation Function: {self._get_name()}({', '.join(changed)})"


class Formula(ActivationModule):
    """A module of a user's own formula; see `module`."""

    def __init__(self, definition: Definition) -> None:
        self.__dict__["definition"] = definition
        super().__init__()

    def _get_name(self) -> str:
        return "Formula" if self.definition.name == "custom" else self.definition.name

    def extra_repr(self) -> str:
        return ", ".join(filter(None, [repr(self.definition.formula), super().extra_repr()]))


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
    return type(class_name, (ActivationModule,), {"definition": entry, "__doc__": doc, "__module__": "actfn.torch"})


def module(formula_or_name: str, **parameters: float) -> ActivationModule:
    """A module of a catalog name (`module("elu", alpha=0.5)`) or of a formula (`module("x*tanh(a*x)", a=1.0)`).

    Raises `LookupError` for an unknown name, `FormulaError` for a formula that can't be read.
    """
    text = formula_or_name
    if text.isidentifier() and text != "x" and not keyword.iskeyword(text):
        return module_class(catalog.find(text).name)(**parameters)
    listed = tuple(Parameter(name, float(value)) for name, value in parameters.items())
    definition = Definition(name="custom", formula=text, parameters=listed)
    definition.expression  # noqa: B018  (parses now, so that an error shows here)
    return Formula(definition)

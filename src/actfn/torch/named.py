"""A module by the name of its activation, by a formula of one's own, or by the data of a config file."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.torch.gated import gated_class
from actfn.torch.modules import OPTIONS, ActivationModule, Formula, module_class


def module(formula_or_name: Any, /, **arguments: Any) -> ActivationModule:
    """A module of a catalog name (`module("elu", alpha=0.5)`) or of a formula (`module("x*tanh(a*x)", a=1.0)`).

    Each parameter of a formula is given with its starting value, a number or a tensor. `learnable`, `channels`, `channel_dim`,
    `inplace`, `save`, `accuracy`, `device`, `dtype` are as in `ActivationModule`. What `actfn.define` returned goes too, with
    its own name, domains and conventions.
    Raises `LookupError` for an unknown name, `FormulaError` for a formula that can't be read, `ValueError` for a parameter's
    name that a module has itself.
    """
    definition = getattr(formula_or_name, "definition", formula_or_name)
    if isinstance(definition, Definition):
        own = catalog.entries().get(definition.name) == definition
        return module_class(definition.name)(**arguments) if own else Formula(definition, **arguments)
    text = formula_or_name
    if not isinstance(text, str):
        raise TypeError(f"an activation is a name or a formula, such as 'elu' or 'x*sigmoid(x)', not {text!r}")
    if text.casefold() in catalog.gated_units():
        return gated_class(text.casefold())(**arguments)
    try:
        return module_class(catalog.find(text).name)(**arguments)
    except catalog.UnknownName:
        if text.isidentifier() and text != "x" and not keyword.iskeyword(text):
            raise
    options = {name: arguments.pop(name) for name in ("inplace", *OPTIONS) if name in arguments}
    tensors = {name: value for name, value in arguments.items() if isinstance(value, torch.Tensor)}
    listed = tuple(Parameter(name, 1.0 if name in tensors else float(value)) for name, value in arguments.items())
    definition = Definition(name="custom", formula=text, parameters=listed)
    definition.expression  # noqa: B018  (parses now, so that an error shows here)
    return Formula(definition, **tensors, **options)


def from_config(config: str | Mapping[str, Any] | nn.Module, /, **arguments: Any) -> nn.Module:
    """The module that a config file asks for: `from_config("elu", alpha=0.5)`, `from_config({"name": "elu", "alpha": 0.5})`.

    A mapping has "name" or "formula", and the arguments of `module`; `arguments` override its. A module is handed back.
    Raises what `module` does, and `ValueError` for a mapping with neither key.
    """
    if isinstance(config, nn.Module):
        if arguments:
            raise TypeError(f"{config!r} is made already; give its arguments there, not {next(iter(arguments))}=")
        return config
    if isinstance(config, str):
        return module(config, **arguments)
    if not isinstance(config, Mapping):
        raise TypeError(f'a config is a name or a mapping such as {{"name": "elu", "alpha": 0.5}}, not {config!r}')
    given = dict(config)
    said = [given.pop(key) for key in ("name", "formula") if key in given]
    if len(said) != 1:
        raise ValueError(f'a config has either "name" or "formula", as in {{"name": "elu"}}; this one is {config!r}')
    return module(said[0], **{**given, **arguments})

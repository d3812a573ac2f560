"""Activations for NumPy: `from actfn.numpy import elu`, then `elu(x)` or `elu(x, 0.5)`.

Every name of the catalog is a function here, made on first use from the printed NumPy code of its formula.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from actfn import catalog
from actfn.definition import Definition
from actfn.formula.printers.numpy import NumpyPrinter
from actfn.kernels.lower import program
from actfn.kernels.printed import load


@lru_cache(maxsize=512)
def printed(definition: Definition, order: int = 0) -> Callable[..., Any]:
    """The printed code of f, or of its derivative of an order, as a function of x and every parameter, by position."""
    return load(source(definition, order), definition.name, {"np": np})


def source(definition: Definition, order: int = 0) -> str:
    """The NumPy code that runs."""
    steps = program(definition, order)
    return NumpyPrinter().function(
        definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula
    )


@lru_cache(maxsize=512)
def function(definition: Definition, order: int = 0) -> Callable[..., Any]:
    """f (or its derivative of an order) as a function of x and the parameters, by position or name, with defaults."""
    names = tuple(definition.defaults)

    def activation(x: Any, *args: Any, **keywords: Any) -> Any:
        if len(args) > len(names):
            raise TypeError(f"{definition.name} takes x and {len(names)} parameters; {len(args)} parameters were given")
        given = dict(zip(names, args, strict=False))
        for name, value in keywords.items():
            if name not in names or name in given:
                known = ", ".join(names) or "none"
                raise TypeError(f"{definition.name}: no free parameter {name!r}; its parameters: {known}")
            given[name] = value
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{definition.name} takes real numbers, not {array.dtype}")
        kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
        work = np.float32 if kind == np.float16 else kind
        values = [_parameter(definition, n, given.get(n, definition.defaults[n]), work) for n in names]
        result = printed(definition, order)(array.astype(work, copy=False), *values)
        return np.asarray(result).astype(kind, copy=False)[()]

    activation.__name__ = activation.__qualname__ = definition.name
    activation.__doc__ = f"{definition.title or definition.name}: {definition.formula}\n\n{definition.summary}"
    return activation


def _parameter(definition: Definition, name: str, value: Any, dtype: Any) -> Any:
    if isinstance(value, int | float):
        definition.values({name: value})
    return np.asarray(value, dtype=dtype)[()]


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("_") or name not in catalog.entries():
        raise AttributeError(f"module 'actfn.numpy' has no function {name!r}")
    return function(catalog.find(name))


def __dir__() -> list[str]:
    return sorted(catalog.entries())

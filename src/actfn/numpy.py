"""Activations for NumPy: `from actfn.numpy import elu`, a real `numpy.ufunc` over x and the parameters.

Every name of the catalog is a ufunc here, made on first use. Parameters are inputs like x and broadcast with it; a
ufunc has no defaults, so `elu(x, 1.0)`; `actfn.get("elu")(x)` supplies them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from actfn import catalog
from actfn.definition import Definition
from actfn.kernels.printed import load
from actfn.kernels.threads import GRAIN, each_part, get_num_threads
from actfn.kernels.ufunc import ufunc

__all__ = ["function", "printed", "source", "ufunc"]


def source(definition: Definition, order: int = 0) -> str:
    """The NumPy code of f, or of its derivative of an order, to read and to check; what runs are the kernels."""
    from actfn.formula.printers.numpy import NumpyPrinter
    from actfn.kernels.lower import program

    steps = program(definition, order)
    return NumpyPrinter().function(
        definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula
    )


@lru_cache(maxsize=512)
def printed(definition: Definition, order: int = 0) -> Callable[..., Any]:
    """The printed code as a function of x and every parameter, by position."""
    from actfn.formula.printers.numpy import NumpyPrinter

    return load(source(definition, order), NumpyPrinter().identifier(definition.name), {"np": np})


@lru_cache(maxsize=512)
def function(definition: Definition) -> Callable[..., Any]:
    """f as a function of x and the parameters, by position or name, with defaults.

    x is anything that NumPy reads as real numbers; what takes ufuncs (Dask, xarray, pandas) keeps its type, labels and
    attributes, and an array of the array API standard that NumPy can read keeps its type. Whole numbers become float64.
    Parameters are numbers, checked against their domains, or arrays; they are cast to the dtype of x (of a table, to the
    one that its columns have in common). A long array is worked on by as many threads as `actfn.set_num_threads` allows.
    Raises `TypeError` for numbers that aren't real and for parameters that don't exist, `ValueError` for one outside its domain.
    """
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
        array, work = _read(definition, x)
        values = [_parameter(definition, n, given.get(n, definition.defaults[n]), work) for n in names]
        compute = _ufunc_or_printed(definition)
        plain = type(array) in (np.ndarray, np.memmap)
        if plain and array.size >= 2 * GRAIN and not any(np.ndim(v) for v in values):
            y = _in_parts(compute, array, values)
        else:
            y = compute(array, *values)
        if array is not x and hasattr(x, "__array_namespace__"):
            return x.__array_namespace__().asarray(y, device=x.device)
        return y

    activation.__name__ = activation.__qualname__ = definition.name
    activation.__doc__ = f"{definition.title or definition.name}: {definition.formula}\n\n{definition.summary}"
    return activation


def _read(definition: Definition, x: Any) -> tuple[Any, Any]:
    """x as something of floating-point numbers that a ufunc takes, and their dtype, or that which a table's columns share.

    Elsewhere than in NumPy whole numbers become float64 by a product, which whatever takes ufuncs has, and which keeps
    labels, attributes and missing values. NumPy itself would make float16 of int8.
    """
    takes = hasattr(x, "__array_ufunc__") and (hasattr(x, "dtype") or hasattr(x, "dtypes"))
    try:
        array: Any = x if takes else np.asarray(x)
    except RuntimeError as error:  # array-api-strict's, of an array on a device
        raise TypeError(f"{definition.name} takes what NumPy can read; move x to the processor ({error})") from None
    dtypes = [array.dtype] if hasattr(array, "dtype") else [dtype for _, dtype in array.dtypes.items()]
    kinds = [getattr(dtype, "kind", "") for dtype in dtypes]  # a library's own dtypes may have none
    wrong = next((dtype for dtype, kind in zip(dtypes, kinds, strict=True) if kind not in "fiub"), None)
    if wrong is not None:
        raise TypeError(f"{definition.name} takes real numbers, not {wrong}")
    floats = [dtype.type if kind == "f" else np.float64 for dtype, kind in zip(dtypes, kinds, strict=True)]
    work = np.result_type(*(floats or [np.float64]))
    if isinstance(array, np.ndarray):
        return array.astype(work, copy=False), work
    return (array if {*kinds} <= {"f"} else np.multiply(array, work.type(1))), work


@lru_cache(maxsize=512)
def _ufunc_or_printed(definition: Definition) -> Callable[..., Any]:
    """The kernels, or the printed code for a formula that has none."""
    try:
        return ufunc(definition)
    except ValueError as reason:  # UnprintableError, whose module would load SymPy
        if type(reason).__name__ != "UnprintableError":
            raise
        return printed(definition)


def _in_parts(compute: Callable[..., Any], x: np.ndarray, values: list[Any]) -> np.ndarray:
    threads = get_num_threads()
    if threads < 2 or not isinstance(compute, np.ufunc) or not x.flags.c_contiguous:
        return compute(x, *values)
    y = np.empty(x.shape, x.dtype)
    flat, out = x.reshape(-1), y.reshape(-1)
    each_part(flat.size, threads, lambda a, b: compute(flat[a:b], *values, out=out[a:b]))
    return y


def _parameter(definition: Definition, name: str, value: Any, dtype: Any) -> Any:
    if isinstance(value, int | float):
        return dtype.type(definition.values({name: value})[name])
    return value.astype(dtype) if hasattr(value, "astype") else np.asarray(value, dtype=dtype)[()]


def __getattr__(name: str) -> np.ufunc:
    if name.startswith("_") or name not in catalog.entries():
        raise AttributeError(f"module 'actfn.numpy' has no function {name!r}")
    return ufunc(catalog.find(name))


def __dir__() -> list[str]:
    return sorted({*__all__, *catalog.entries()})

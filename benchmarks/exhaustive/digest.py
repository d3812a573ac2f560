"""What a kernel is made of, as a digest: a kernel whose digest is that of a row of the results needn't be tried again."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from actfn.kernels.build import Kernel
from actfn.kernels.printed import load


def digest(kernel: Kernel) -> str:
    """Changes with the kernel's scalar code and with any function or constant that it reaches; not with a comment."""
    plain = {"contiguous": lambda function: function, "__name__": "actfn.kernels.generated"}
    values = load(kernel.source.replace("@primitive\n", ""), "with_scalars", plain)
    hashed = hashlib.sha256()
    for part in _reached(values, {}):
        hashed.update(part.encode())
    return hashed.hexdigest()[:16]


def _reached(item: Any, seen: dict[int, Any]) -> Iterator[str]:
    item = getattr(item, "py_func", None) or getattr(item, "_defn", item)
    if id(item) in seen:
        return
    seen[id(item)] = item
    if not isinstance(item, types.FunctionType):
        if isinstance(item, int | float | str | tuple | np.generic):
            yield repr(item)
        return
    scope = item.__globals__
    for cell_name, cell in zip(item.__code__.co_freevars, item.__closure__ or (), strict=True):
        scope = {**scope, cell_name: cell.cell_contents}
    codes = [item.__code__]
    for code in codes:
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        yield code.co_code.hex()
        yield repr([c for c in code.co_consts if c != item.__doc__ and not isinstance(c, types.CodeType)])
        for name in (*code.co_names, *code.co_freevars):
            found = scope.get(name)
            if isinstance(found, types.ModuleType) and found.__name__.startswith("actfn."):
                for attribute in code.co_names:
                    if hasattr(found, attribute):
                        yield attribute
                        yield from _reached(getattr(found, attribute), seen)
            elif found is not None and not isinstance(found, types.ModuleType | type):
                yield name
                yield from _reached(found, seen)

"""From a program's printed source to a function that runs: what runs is what was printed.

The source of a generated function stays readable where Python looks for it, so that tracebacks and `inspect` show it.
"""

from __future__ import annotations

import hashlib
import linecache
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympy import Expr, Symbol


def load(source: str, name: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
    """The function `name` of a printed source, which sees only `namespace`.

    The source comes from a printer over a checked expression, never from a user's text.
    """
    filename = f"<actfn {name} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope: dict[str, Any] = dict(namespace)
    exec(compile(source, filename, "exec"), scope)
    return scope[name]


def numpy_function(
    arguments: Sequence[str], assignments: Sequence[tuple[Symbol, Expr]], result: Expr
) -> Callable[..., Any]:
    """A program as NumPy code, to try it at many points: fast and nearly right. Its error functions run point by point."""
    import numpy as np
    import sympy

    from actfn.formula.functions import erfc
    from actfn.formula.printers.numpy import NumpyPrinter

    class Printer(NumpyPrinter):
        functions = {**NumpyPrinter.functions, sympy.erf: "_erf", erfc: "_erfc", sympy.erfc: "_erfc"}  # noqa: RUF012

    def each(function: Callable[[float], float]) -> Callable[[Any], Any]:
        every = np.frompyfunc(function, 1, 1)
        return lambda x: np.asarray(every(x), dtype=np.float64)

    source = Printer().function("value", arguments, assignments, result)
    return load(source, "value", {"np": np, "_erf": each(math.erf), "_erfc": each(math.erfc)})

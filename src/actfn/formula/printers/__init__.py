"""Printers: an expression written as source text, one file a target. Each target states what it can print in one table.

`target.py` holds what they share; a further target is a further file. Numba has a class an arithmetic, in `numba32.py` and
`numba64.py`, over what `numba.py` holds. What runs is what is printed here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from actfn.formula.printers.target import UnprintableError

__all__ = ["UnprintableError", "printer"]

_CLASSES = {
    "c": "c.CPrinter",
    "jax": "jax.JaxPrinter",
    "js": "js.JavaScriptPrinter",
    "latex": "latex.LatexPrinter",
    "numba": "numba64.NumbaFloat64Printer",
    "numpy": "numpy.NumpyPrinter",
    "text": "text.TextPrinter",
    "torch": "torch.TorchPrinter",
    "triton": "triton.TritonPrinter",
}


def printer(target: str) -> Any:
    """A printer of a target: "c", "jax", "js", "latex", "numba", "numpy", "text", "torch" or "triton".

    Raises `KeyError` for another.
    """
    module, name = _CLASSES[target].split(".")
    return getattr(import_module(f"actfn.formula.printers.{module}"), name)()

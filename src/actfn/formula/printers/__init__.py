"""Printers: an expression written as source text, one file a target. Each target states what it can print in one table.

`target.py` holds what they share; a further target is a further file. What runs is what is printed here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from actfn.formula.printers.target import UnprintableError

__all__ = ["UnprintableError", "printer"]

_CLASSES = {
    "c": "CPrinter",
    "jax": "JaxPrinter",
    "js": "JavaScriptPrinter",
    "latex": "LatexPrinter",
    "numba": "NumbaPrinter",
    "numpy": "NumpyPrinter",
    "text": "TextPrinter",
    "torch": "TorchPrinter",
    "triton": "TritonPrinter",
}


def printer(target: str) -> Any:
    """A printer of a target: "c", "jax", "js", "latex", "numba", "numpy", "text", "torch" or "triton".

    Raises `KeyError` for another.
    """
    name = _CLASSES[target]
    return getattr(import_module(f"actfn.formula.printers.{target}"), name)()

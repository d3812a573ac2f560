"""Activation functions from their formulas: exact derivatives, proven properties, code for NumPy and PyTorch.

The root holds nothing itself. Each public name is looked up by string on first use, so that `import actfn` loads
neither SymPy nor Numba nor a framework. No module inside the package imports from here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actfn.activation import Activation, define, gain, get, names, self_normalizing
    from actfn.formula import FormulaError
    from actfn.kernels.threads import get_num_threads, set_num_threads

__version__ = "0.1.0"

__all__ = [
    "Activation",
    "FormulaError",
    "__version__",
    "define",
    "gain",
    "get",
    "get_num_threads",
    "names",
    "self_normalizing",
    "set_num_threads",
]

_HOMES = {
    "Activation": "actfn.activation",
    "FormulaError": "actfn.formula",
    "define": "actfn.activation",
    "gain": "actfn.activation",
    "get": "actfn.activation",
    "get_num_threads": "actfn.kernels.threads",
    "names": "actfn.activation",
    "self_normalizing": "actfn.activation",
    "set_num_threads": "actfn.kernels.threads",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next look-up no longer comes here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

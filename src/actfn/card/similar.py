"""The nearest functions of the catalog, by a stated distance: the L2 norm of the difference under the standard normal distribution.

d(f, g) = sqrt(E[(f(z) - g(z))^2]), the root mean square difference of two layers' outputs for inputs as initialisation makes them.
The expectation is a trapezoidal sum over 20,001 points of [-10, 10] in float64: good for four digits, kinks and jumps included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from actfn import catalog
from actfn.definition import Definition
from actfn.formula.printers.target import UnprintableError
from actfn.numpy import printed, ufunc

_X = np.linspace(-10, 10, 20_001)
_WEIGHTS = np.exp(-_X * _X / 2) / np.sqrt(2 * np.pi) * (_X[1] - _X[0])


@dataclass(frozen=True)
class Neighbour:
    """An entry and its distance."""

    definition: Definition
    distance: float


def similar(definition: Definition, parameters: Mapping[str, float] | None = None, count: int = 10) -> list[Neighbour]:
    """The `count` entries nearest to a function at these parameters, each at its own defaults, the nearest first.

    Raises `ValueError` for a parameter that doesn't exist or lies outside its domain, and for a count below 1.
    """
    if count < 1:
        raise ValueError(f"how many neighbours is a number from 1, not {count}")
    own = _values(definition, definition.values(parameters or {}))
    found = [
        Neighbour(entry, _norm(_values(entry, entry.defaults) - own))
        for entry in catalog.entries().values()
        if entry != definition
    ]
    return sorted(found, key=lambda n: (not n.distance < np.inf, n.distance, n.definition.name))[:count]


def distance(a: Definition, b: Definition) -> float:
    """d(a, b) at the defaults of both; infinite where one of them has no value."""
    return _norm(_values(a, a.defaults) - _values(b, b.defaults))


def _values(definition: Definition, parameters: Mapping[str, float]) -> np.ndarray:
    try:
        code = printed(definition)  # which needs no compiling, where there are a hundred others to evaluate once
    except UnprintableError:  # NumPy has no erf
        code = ufunc(definition)
    with np.errstate(all="ignore"):
        return np.broadcast_to(code(_X, *parameters.values()), _X.shape)


def _norm(difference: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        total = float(np.sqrt(np.sum(difference * difference * _WEIGHTS)))
    return total if np.isfinite(total) else float("inf")

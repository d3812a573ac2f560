"""Sums that cancel at a root of x: a polynomial in the distance from the root takes over beside it, in float32.

1 + x*sigmoid(-x), of SiLU's slope, is 0 at -1.278..., and float32 would leave it an error as large as a term's there. The
root is found in ball arithmetic, and the polynomial passes through exact values. Where a sum cancels is found by trying
many points: it is no proof, so the error of each kernel is measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from flint import arb, arb_poly
from sympy import Add, Expr, Gt, Lt, Piecewise, Rational, S, Symbol

from actfn.formula.functions import X
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.printed import numpy_function
from actfn.reference import Oracle, working_precision

_LOST = 1.55
"""Where a sum is so many times smaller than its largest term, it has that many times the error of its terms."""
_SUFFERED = 2.05
"""What is borne where there is no root, as in 2 - sigmoid(x)."""
_MOST = 2
"""Roots of a sum; each costs a polynomial's evaluation everywhere."""
_GRID = 1.0 / 64
_DEGREES = range(4, 16)
_ERROR = 2.0**-26  # of the polynomial's value
_BITS = 200


def with_roots(expression: Expr) -> Expr:
    """The expression with a polynomial beside each root of each sum over x alone that cancels there and nowhere else."""
    return expression.replace(lambda n: isinstance(n, Add) and n.free_symbols == {X} and not is_line(n), _beside_roots)


def is_line(node: Expr) -> bool:
    """Whether a sum is a*x + b, which is rounded once or twice, with nothing rounded before."""
    return bool(node.is_polynomial(X)) and sympy.degree(node, X) == 1


def is_beside_roots(node: Any) -> bool:
    """Whether a choice is one that `with_roots` made."""
    if not isinstance(node, Piecewise) or node.args[-1][1] != S.true or not isinstance(node.args[-1][0], Add):
        return False
    return all(
        e.is_polynomial(X) and isinstance(c, sympy.And) and {type(r) for r in c.args} == {Gt, Lt}
        for e, c in node.args[:-1]
    )


def cancels(node: Add, values: Mapping[Symbol, Expr]) -> bool:
    """Whether a sum over x, at these values of the parameters, is much smaller than its terms somewhere."""
    try:
        return bool((_loss(node.xreplace(dict(values)), _points()) > _SUFFERED).any())
    except UnprintableError:
        return True


def exceeds_float32(node: Expr, values: Mapping[Symbol, Expr]) -> bool:
    """Whether what is divided by is infinite in float32 at its largest numbers; 1 by it is a subnormal number there."""
    largest = float(np.finfo(np.float32).max)
    try:
        with np.errstate(all="ignore"):
            return bool(np.any(np.abs(_values(node.xreplace(dict(values)), np.array([-largest, largest]))) > largest))
    except UnprintableError:
        return True


@lru_cache(maxsize=512)
def _beside_roots(node: Add) -> Expr:
    found = list(_windows(node))
    if not found or None in found:
        return node
    return Piecewise(*found, (node, True), evaluate=False)


def _windows(node: Add) -> Iterator[Any]:
    """(polynomial, condition) of each root's neighbourhood; None where a sum cancels in another way than at a root."""
    at = _points()
    loss = _loss(node, at)
    if not (loss > _SUFFERED).any():
        return
    lost = loss > _LOST
    starts = np.flatnonzero(lost & ~np.r_[False, lost[:-1]])
    ends = np.flatnonzero(lost & ~np.r_[lost[1:], False])
    if starts.size > _MOST:
        yield None
        return
    for first, last in zip(starts, ends, strict=True):
        if first == 0 or last == at.size - 1:
            yield None
            return
        low, high = (math.floor(at[first - 1] / _GRID) * _GRID, math.ceil(at[last + 1] / _GRID) * _GRID)
        polynomial = _polynomial(node, low, high)
        yield polynomial and (polynomial, sympy.And(Gt(X, _exact(low)), Lt(X, _exact(high))))


def _exact(number: float) -> Rational:
    return Rational(*number.as_integer_ratio())


def _polynomial(node: Add, low: float, high: float) -> Expr | None:
    """A polynomial in x - r for the float32 r next to the only root between two points."""
    if low <= 0.0 <= high:
        return None
    oracle = Oracle(node)
    with working_precision(_BITS):
        sides = [oracle.ball(x, precision=_BITS) for x in (low, high)]
        if not (sides[0] < 0 < sides[1] or sides[1] < 0 < sides[0]):
            return None
        rising = bool(sides[1] > 0)
        left, right = low, high
        while (middle := (left + right) / 2) not in (left, right):
            value = oracle.ball(middle, precision=_BITS)
            left, right = (left, middle) if (value > 0) == rising else (middle, right)
        root = float(np.float32(left))
        for degree in _DEGREES:
            nodes = [
                (low + high) / 2 - (high - low) / 2 * math.cos(math.pi * (k + 0.5) / (degree + 1))
                for k in range(degree + 1)
            ]
            # through r itself in place of the node next to it, so that the value there is right to the last digit
            nodes[min(range(degree + 1), key=lambda k: abs(nodes[k] - root))] = root
            values = [oracle.ball(x, precision=_BITS) for x in nodes]
            fitted = arb_poly.interpolate([arb(x) - root for x in nodes], values)
            if _fits(fitted, oracle, low, high, root):
                coefficients = [_exact(float(fitted[k].mid())) for k in range(degree + 1)]
                total: Expr = S.Zero
                for coefficient in reversed(coefficients):
                    total = coefficient + (X - _exact(root)) * total
                return total
    return None


def _fits(polynomial: arb_poly, oracle: Oracle, low: float, high: float, root: float) -> bool:
    """Whether a polynomial is close enough at some points, near the root too, and loses nothing itself."""
    steps = np.concatenate([np.linspace(low, high, 66)[1:-1], root + np.array([-1e-3, -1e-5, -1e-7, 1e-7, 1e-5, 1e-3])])
    for x in steps.tolist():
        true, t = oracle.ball(x, precision=_BITS), arb(x) - root
        if not abs(polynomial(t) - true) < _ERROR * abs(true):
            return False
    return True


def _loss(node: Add, at: np.ndarray) -> np.ndarray:
    """How many times smaller a sum is than its largest term; NaN where both are 0, or no numbers."""
    with np.errstate(all="ignore"):
        terms = [np.abs(_values(term, at)) for term in node.args]
        total = np.abs(_values(node, at))
        return np.max(np.broadcast_arrays(*terms, total), axis=0) / total


@lru_cache(maxsize=4)
def _points() -> np.ndarray:
    """Sorted: dense where functions change, and some in every binade of float32."""
    far = np.exp2(np.arange(-149.0, 128.0, 0.25))
    near = np.arange(_GRID / 2, 64.0, _GRID / 4)
    right = np.unique(np.concatenate([far, near]))
    return np.concatenate([-right[::-1], right])


def _values(expression: Expr, at: np.ndarray) -> np.ndarray:
    return np.broadcast_to(numpy_function((X.name,), (), expression)(at), at.shape)

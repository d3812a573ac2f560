"""Where a 16-bit result is nearly a tie and float64 can't see on which side: x*sigmoid(x) is x/2 and a hair near 0.

Leans on the oracle, which splits a value into a rational and a rest. The idea: there the rest has one sign as far as x
goes on, so that a factor a hair beside 1 puts the float64 result on the side of the tie on which the true value lies.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import sympy
from flint import arb, fmpq
from sympy import Abs, Expr, Gt, Lt, Piecewise, Rational, S

from actfn.definition import Definition
from actfn.formula.derivative import derivative
from actfn.formula.functions import X
from actfn.kernels.lower import stable
from actfn.reference import FORMATS, Oracle, working_precision

_HAIR = Rational(1, 2**50)
"""What is added, relatively: more than float64 arithmetic may lose again, and no more than the rest is lost by."""
_UNSEEN = arb((1, -48))
"""A rest, relatively, that may be lost in float64."""
_SHORT = 50
"""Bits of a rational that is taken for what the value is near to: what it leaves is unseen."""
_UNITS = (1, 2, 3, 5, 8, 11, 16, 21, 24, 32, 40, 48, 56, 64, 80, 85, 96, 112)
"""Beyond a power of two, in its last place: inputs at which ties are looked for."""


def beside_ties(definition: Definition, order: int, dtype: str) -> Expr:
    """What a result is multiplied by: 1, or 1 and a hair more or less where x is near 0 or far out.

    The signs are those at the default parameters, at points of every binade; `benchmarks/exhaustive` tries all 2^16 inputs.
    Elsewhere the factor is no more than a rounding's error, which counts only for what is nearly a tie.
    """
    oracle = Oracle(stable(derivative(stable(definition.expression), order, definition.conventions)))
    defaults = {name: float(np.float32(value)) for name, value in definition.defaults.items()}
    branches = []
    passes = not oracle.beside(0.0, defaults)[0]  # elsewhere a tie at 0 may be one
    for far in (False, True):
        right, left = (_hair(oracle, defaults, side, far, dtype) for side in (1, -1))
        if right and left and right[0] == left[0] and (far or passes):
            bound = Rational((max if far else min)(right[1], left[1]))
            branches.append((1 + right[0] * _HAIR, Abs(X) > bound if far else Abs(X) < bound))
            continue
        for side, found in ((1, right), (-1, left)):
            if found:
                bound = side * Rational(found[1])
                inner = Lt(X, bound) if (side > 0) != far else Gt(X, bound)
                outer = [] if far else [Gt(X, 0) if side > 0 else Lt(X, 0)]
                branches.append((1 + found[0] * _HAIR, sympy.And(inner, *outer)))
    return Piecewise(*branches, (S.One, True)) if branches else S.One


def _hair(oracle: Oracle, values: Mapping[str, float], side: int, far: bool, dtype: str) -> tuple[int, float] | None:
    """(the sign of the rest relative to the value, from where on or up to where it is unseen); None: no ties are there."""
    significand, bottom, top = FORMATS[dtype]
    signs: set[int | None] = set()
    end = None
    for exponent in range(top - 1, 0, -1) if far else range(bottom, 0):
        sign = _sign(oracle, values, side * math.ldexp(1.5, exponent))
        if not sign:  # it is seen, or there is nothing but the rational, which may lie on a tie
            break
        end = exponent
        tied = (side * x for x in _tried(exponent, significand, bottom) if _is_tied(oracle, values, side * x, dtype))
        signs |= {_sign(oracle, values, x) for x in tied} - {None}
    if end is None or len(signs) != 1:
        return None
    (sign,) = signs
    if not sign:
        return None
    inside, outside = math.ldexp(1.5, end), math.ldexp(1.5, end + (-1 if far else 1))
    for _ in range(12):
        middle = (inside + outside) / 2
        if _sign(oracle, values, side * middle) == sign:
            inside = middle
        else:
            outside = middle
    return sign, inside


def _split(oracle: Oracle, values: Mapping[str, float], x: float) -> tuple[fmpq, arb]:
    """The value at x as a short rational and a rest: x^2 + x is x^2 and a rest far out."""
    near, rest = oracle.beside(x, values)
    if not near:
        return near, rest
    unit = fmpq(2) ** (int(near.p).bit_length() - int(near.q).bit_length() - _SHORT)
    short = (near / unit + fmpq(1, 2)).floor() * unit
    with working_precision(128):
        return short, rest + (near - short)


def _sign(oracle: Oracle, values: Mapping[str, float], x: float) -> int | None:
    """The sign of the rest at x, relative to the value's; 0 where there is none, None where it is seen in float64."""
    near, rest = _split(oracle, values, x)
    with working_precision(64):
        if rest == 0:
            return 0
        if not near or not abs(rest / near) < _UNSEEN or rest.contains(0):
            return None
        return 1 if (rest > 0) == (near > 0) else -1


def _tried(exponent: int, significand: int, bottom: int) -> Iterator[float]:
    """Inputs of the dtype in a binade."""
    quantum = max(exponent + 1 - significand, bottom)
    for unit in _UNITS:
        if unit < 2 ** (exponent - quantum):
            yield math.ldexp(1.0, exponent) + math.ldexp(unit, quantum)
        elif exponent == bottom:
            yield math.ldexp(unit, bottom)


def _is_tied(oracle: Oracle, values: Mapping[str, float], x: float, dtype: str) -> bool:
    """Whether the rational at x lies halfway between two numbers of a dtype."""
    significand, bottom, _ = FORMATS[dtype]
    near = abs(_split(oracle, values, x)[0])
    binade = int(near.p).bit_length() - int(near.q).bit_length()
    quantum = max(binade - (near < fmpq(2) ** binade) + 1 - significand, bottom)
    return bool((near / fmpq(2) ** quantum).q == 2)

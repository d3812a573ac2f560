"""Verdicts on float32 results, given two float64 between which each true value lies; and the tally of them.

A result is settled where both ends round to the same float32 and lie close together. Distances are in ulps of the true
value's binade, and reckoned as if the exponents had no end: an infinite result stands for 2^128, so that one that
overflows too early is an ulp or so off, and counted apart.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numba
import numba.extending
import numpy as np
from flint import arb
from llvmlite import ir

from actfn.kernels.primitives import arithmetic
from actfn.kernels.primitives.intrinsics import primitive
from actfn.reference import ulp, ulps, working_precision

EXAMPLES = 5
OVERFLOW = 2.0**128  # what an infinite float32 stands for
_TOP = {"float16": 16, "bfloat16": 128, "float32": 128, "float64": 1024}
_COUNTS = ("misrounded", "caught", "nan", "not_decided", "overflow_early", "settled_by_arb", "settled_by_tangent")

Compute = Callable[[np.ndarray, np.ndarray], None]
"""Fills its second argument with the results of its first."""

njit: Any = numba.njit
intrinsic: Any = numba.extending.intrinsic


def _bits_of(typing_context, x):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return numba.types.int64(numba.types.float64), codegen


def _float_of(typing_context, bits):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return numba.types.float64(numba.types.int64), codegen


_bits, _float = intrinsic(_bits_of), intrinsic(_float_of)
_EXPONENT = 0x7FF << 52


@primitive
def _ended(t):
    """A value that may be infinite, as a number at the end of the exponents."""
    t = t if t < OVERFLOW else OVERFLOW
    return t if t > -OVERFLOW else -OVERFLOW


@primitive
def one_by_ulp(t):
    """One by the ulp of float32 at t, which isn't negative."""
    exponent = _bits(t) >> 52
    exponent = exponent if exponent < 1023 + 127 else 1023 + 127
    exponent = exponent - 23 if exponent - 23 > 1023 - 149 else 1023 - 149
    return _float((2046 - exponent) << 52)


@primitive
def _judge(got, low, high):
    """(misrounded, NaN, in doubt, overflowed early, error in ulps as bits) of one float32."""
    y = np.float64(got)
    true, other = np.float64(np.float32(low)), np.float64(np.float32(high))
    nan = y != y
    infinite = arithmetic.fabs(true) == np.inf
    # beyond the end, both ends are the end: how far beyond doesn't matter
    y, low, high = _ended(y), _ended(low), _ended(high)
    # the ulp of the smallest binade that the true value may lie in
    per_ulp = one_by_ulp(low if low > 0.0 else (-high if high < 0.0 else 0.0))
    settled = (true == other) & ((high - low) * per_ulp < 0.02)
    right = np.float64(got) == true
    a, b = arithmetic.fabs(y - low), arithmetic.fabs(y - high)
    error = (a if a > b else b) * per_ulp
    error = 0.5 if right & (error > 0.5) else error
    error = 0.0 if right & infinite else error
    doubt = (not settled) & (not nan)
    error = 0.0 if nan | doubt else error
    early = settled & (not infinite) & (arithmetic.fabs(np.float64(got)) == np.inf)
    return settled & (not right) & (not nan), nan, doubt, early, _bits(error)


@njit(nogil=True, error_model="numpy")
def sift(y, values, limit, wanted, left):
    """(how many results are misrounded, how many are for `count` to judge: those that `left` says).

    `values` are NaN, or so near to the true ones that they settle the verdict. Left are results where a value is open,
    what is no number or overflowed early, errors above the limit, and what is misrounded if that is wanted.
    """
    misrounded, more = 0, 0
    for i in range(y.size):
        v, rounded = values[i], np.float32(values[i])
        right = y[i] == rounded
        done = right & ((limit >= 0.5) | (arithmetic.fabs(rounded) == np.inf))
        ulp = _float(_bits(v) & _EXPONENT) * 2.0**-23
        ulp = ulp if ulp > 2.0**-149 else 2.0**-149
        near = arithmetic.fabs(np.float64(y[i]) - v) <= limit * ulp
        again = not (done | (near & (right | (not wanted))))
        left[i] = again
        misrounded += 0 if right | again else 1
        more += 1 if again else 0
    return misrounded, more


@njit(nogil=True, error_model="numpy")
def largest(y, values):
    """The largest error in ulps of results whose values are settled."""
    worst = 0.0
    for i in range(y.size):
        value = _ended(values[i])
        error = arithmetic.fabs(_ended(np.float64(y[i])) - value) * one_by_ulp(arithmetic.fabs(value))
        error = 0.5 if (y[i] == np.float32(values[i])) & (error > 0.5) else error
        worst = error if error > worst and values[i] == values[i] else worst
    return worst


@njit(nogil=True, error_model="numpy")
def count(y, low, high):
    """How many results are misrounded, NaN, in doubt, infinite too early; the bits of the largest error."""
    misrounded, nans, doubts, earlies, worst = 0, 0, 0, 0, 0
    for i in range(y.size):
        wrong, nan, doubt, early, error = _judge(y[i], low[i], high[i])
        misrounded += 1 if wrong else 0
        nans += 1 if nan else 0
        doubts += 1 if doubt else 0
        earlies += 1 if early else 0
        worst = error if error > worst else worst
    return misrounded, nans, doubts, earlies, worst


@njit(nogil=True, error_model="numpy")
def places(y, low, high, worst):
    """Where the first of the largest error is; what is in doubt, what is misrounded, the first that are NaN."""
    at, doubts, wrongs, nans = -1, [0 for _ in range(0)], [0 for _ in range(0)], [0 for _ in range(0)]
    for i in range(y.size):
        wrong, nan, doubt, _, error = _judge(y[i], low[i], high[i])
        if at < 0 and error == worst and not nan and not doubt:
            at = i
        if doubt:
            doubts.append(i)
        if wrong:
            wrongs.append(i)
        if nan and len(nans) < EXAMPLES:
            nans.append(i)
    return at, doubts, wrongs, nans


def distance(got: float, ball: arb, dtype: str) -> float:
    """`ulps`, where what is infinite or beyond the largest number stands for the end of the exponents."""
    error, end = ulps(got, ball, dtype), arb((1, _TOP[dtype]))
    with working_precision(256):
        if error == 0.0 or not ball.is_finite() or math.isnan(got) or not (math.isinf(got) or abs(ball) > end):
            return error
        true, y = ball.min(end).max(-end), arb(got).min(end).max(-end)
        return float((y - true).abs_upper() / ulp(min(float(true.abs_lower()), sys.float_info.max), dtype))


@dataclass
class Tally:
    """What was found so far of one kernel; `at` and the examples are inputs."""

    misrounded: int = 0
    caught: int = 0
    """How many of the misrounded a rounding test catches, which then have Arb's result."""
    nan: int = 0
    not_decided: int = 0
    overflow_early: int = 0
    settled_by_arb: int = 0
    settled_by_tangent: int = 0
    max_ulp: float = 0.0
    at: float | None = None
    examples: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.worst(other.max_ulp, other.at)
        self.examples = (self.examples + other.examples)[:EXAMPLES]

    def worst(self, error: float, at: float | None) -> None:
        """Takes note of an error."""
        if error > self.max_ulp:
            self.max_ulp, self.at = error, at

    def as_json(self) -> dict[str, Any]:
        return vars(self) | {"max_ulp": "infinite" if math.isinf(self.max_ulp) else self.max_ulp}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tally:
        known: dict[str, Any] = {k: v for k, v in data.items() if k in cls.__dataclass_fields__}
        known["max_ulp"] = float(str(known["max_ulp"]).replace("infinite", "inf"))
        return cls(**known)

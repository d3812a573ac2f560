"""Ends of intervals in float64, one operation each, that no rounding can carry past the true value.

Compiled into the code that `bounds` prints. An end that overflowed says no more than that it is large, and one that a
sum, a product or a quotient gave without losing a bit stays as it is, so that a true tie is seen as one.
"""

from __future__ import annotations

from actfn.kernels.primitives import arithmetic
from actfn.kernels.primitives.intrinsics import primitive

PRIMITIVE_ULPS = 16.0
"""What a float64 primitive may be off: a wide margin over what is stated of it. It costs 2^-24 of a float32 ulp."""
_LARGEST = 1.7976931348623157e308
_ROUNDING = 2.3e-16  # twice what one rounding loses, and more: the widening is rounded too
_OWN = PRIMITIVE_ULPS * 2.0**-52
_UNDERFLOW = 1e-321
_TINY = 1e-250  # above it no error of a rounding underflows


@primitive
def _lowered(t, share):
    """t less a share of it. An end that overflowed says no more than that it is large."""
    t = t if t < _LARGEST else _LARGEST
    return t - (arithmetic.fabs(t) * share + _UNDERFLOW)


@primitive
def below(t):
    """A lower bound of what was rounded to t."""
    return _lowered(t, _ROUNDING)


@primitive
def above(t):
    """An upper bound of what was rounded to t."""
    return -below(-t)


@primitive
def primitive_below(t):
    """A lower bound of what a primitive gave as t."""
    return _lowered(t, _OWN)


@primitive
def primitive_above(t):
    """An upper bound of what a primitive gave as t."""
    return -primitive_below(-t)


@primitive
def sum_below(a, b):
    """A lower bound of a + b: itself, where no bit was lost or those lost are positive (Knuth's exact error)."""
    s = a + b
    t = s - a
    error = (a - (s - t)) + (b - t)
    return s if error >= 0.0 else below(s)


@primitive
def sum_above(a, b):
    """An upper bound of a + b."""
    return -sum_below(-a, -b)


@primitive
def product_below(a, b):
    """A lower bound of a*b, the product itself as in `sum_below`.

    An infinite end stands for any large number, so that 0 times it is 0.
    """
    p = a * b
    error = arithmetic.fma(a, b, -p)
    kept = (error >= 0.0) & ((arithmetic.fabs(p) > _TINY) | (a == 0.0) | (b == 0.0))
    return p if kept else (below(p) if p == p else 0.0)


@primitive
def product_above(a, b):
    """An upper bound of a*b."""
    return -product_below(-a, b)


@primitive
def quotient_below(a, b):
    """A lower bound of a/b, the quotient itself as in `sum_below`; one infinite end by another may be 0."""
    q = a / b
    error = arithmetic.fma(-q, b, a)
    error = error if b > 0.0 else -error
    kept = (error >= 0.0) & (((arithmetic.fabs(a) > _TINY) & (arithmetic.fabs(q) > _TINY)) | (a == 0.0))
    return q if kept else (below(q) if q == q else 0.0)


@primitive
def quotient_above(a, b):
    """An upper bound of a/b."""
    return -quotient_below(-a, b)


@primitive
def least(a, b):
    """The smaller."""
    return a if a < b else b


@primitive
def greatest(a, b):
    """The larger."""
    return a if a > b else b


ENDS = {
    "below": below,
    "above": above,
    "primitive_below": primitive_below,
    "primitive_above": primitive_above,
    "sum_below": sum_below,
    "sum_above": sum_above,
    "product_below": product_below,
    "product_above": product_above,
    "quotient_below": quotient_below,
    "quotient_above": quotient_above,
    "least": least,
    "greatest": greatest,
}

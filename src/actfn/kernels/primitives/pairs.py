"""Arithmetic on sums of two float64, which carry about 104 bits: what a formula's own additions and products would lose.

Leans on the intrinsics and the float64 primitives. A pair is (high, low), low at most half an ulp of high. Where high is a
zero, infinite or NaN it is what one float64 would give: a low part that isn't finite is never added, and a zero keeps
its sign.
"""

from __future__ import annotations

import math

from actfn.kernels.primitives import constants64 as c
from actfn.kernels.primitives.arithmetic import low_part
from actfn.kernels.primitives.coefficients import COS_64, SIN_64
from actfn.kernels.primitives.float64 import log, log_parts, softplus_two_parts
from actfn.kernels.primitives.intrinsics import at_least, at_most, fabs, fma, polynomial, power_of_two, primitive, sqrt
from actfn.kernels.primitives.quadrants import HALF_PI, HALF_PI_LOW, SHIFT, flip_sign_by_half, odd, quadrant_64, two_sum

__all__ = [
    "absolute_of_pair",
    "argument_of_pair",
    "choice_of_pairs",
    "cos_of_product",
    "exp_of_pair",
    "larger_of_pairs",
    "like_sum_with_number",
    "log_of_pair",
    "negative_pair",
    "product_of_numbers",
    "product_of_pairs",
    "product_with_number",
    "quotient_of_pairs",
    "root_of_pair",
    "rounded_pair",
    "scaled_pair",
    "sin_of_product",
    "smaller_of_pairs",
    "softplus_of_pair",
    "sum_of_like_pairs",
    "sum_of_numbers",
    "sum_of_pairs",
    "sum_with_number",
]


@primitive
def _normal(high, low):
    """The pair of a sum whose second part is the smaller."""
    total = high + low if (fabs(low) < c.INFINITY) & (low != 0.0) else high
    return total, low - (total - high)


@primitive
def rounded_pair(p):
    """The nearest float64."""
    return p[0]


@primitive
def argument_of_pair(p):
    """(x, x_low) for a primitive that takes its argument in two parts."""
    return p[0], low_part(p[1])


@primitive
def negative_pair(p):
    """-p."""
    return -p[0], -p[1]


@primitive
def scaled_pair(p, s):
    """p*s for a power of two s."""
    return p[0] * s, p[1] * s


@primitive
def sum_of_pairs(p, q):
    """p + q, to 2^-103 of itself even where they cancel."""
    high, rest = two_sum(p[0], q[0])
    low, more = two_sum(p[1], q[1])
    high, rest = _normal(high, rest + low)
    return _normal(high, rest + more)


@primitive
def sum_of_like_pairs(p, q):
    """p + q where neither has the other's sign turned: their low parts lose nothing that counts."""
    high, rest = two_sum(p[0], q[0])
    return _normal(high, rest + (p[1] + q[1]))


@primitive
def sum_of_numbers(a, b):
    """a + b of two numbers."""
    return two_sum(a, b)


@primitive
def sum_with_number(p, a):
    """p + a for a number a."""
    high, rest = two_sum(p[0], a)
    low, more = two_sum(rest, p[1])
    high, low = _normal(high, low)
    return _normal(high, low + more)


@primitive
def like_sum_with_number(p, a):
    """p + a for a number a of p's sign."""
    high, rest = two_sum(p[0], a)
    return _normal(high, rest + p[1])


@primitive
def product_of_numbers(a, b):
    """a*b of two numbers."""
    high = a * b
    return high, fma(a, b, -high)


@primitive
def product_with_number(p, a):
    """p*a for a number a."""
    high = p[0] * a
    return _normal(high, fma(p[0], a, -high) + p[1] * a)


@primitive
def product_of_pairs(p, q):
    """p*q."""
    high = p[0] * q[0]
    return _normal(high, fma(p[0], q[0], -high) + fma(p[0], q[1], p[1] * q[0]))


@primitive
def quotient_of_pairs(p, q):
    """p/q."""
    inverse = 1.0 / q[0]
    high = p[0] * inverse
    return _normal(high, inverse * (fma(-high, q[0], p[0]) + fma(-high, q[1], p[1])))


@primitive
def root_of_pair(p):
    """sqrt(p)."""
    high = sqrt(p[0])
    return _normal(high, (fma(-high, high, p[0]) + p[1]) / (high + high))


@primitive
def absolute_of_pair(p):
    """|p|."""
    return fabs(p[0]), -p[1] if p[0] < 0.0 else p[1]


@primitive
def choice_of_pairs(condition, p, q):
    """p where the condition holds, else q."""
    return p[0] if condition else q[0], p[1] if condition else q[1]


@primitive
def larger_of_pairs(p, q):
    """The larger, as `maximum` has it."""
    return choice_of_pairs((p[0] > q[0]) | (p[0] != p[0]), p, q)


@primitive
def smaller_of_pairs(p, q):
    """The smaller, as `minimum` has it."""
    return choice_of_pairs((p[0] < q[0]) | (p[0] != p[0]), p, q)


# -- functions ----------------------------------------------------------------------------------------------------------

EXP_TERMS = tuple(1.0 / math.factorial(k) for k in range(10, 2, -1))
"""Of exp's own series from u^3 on: up to ln(2)/16 what is left out is below 2^-74."""


@primitive
def _of_twice(high, low):
    """expm1(2u) as e*(2 + e) from e = expm1(u)."""
    square = high * high
    twice = high + high
    total = twice + square
    return total, (square - (total - twice)) + ((low + low) + fma(twice, low, fma(high, high, -square)))


@primitive
def exp_of_pair(p):
    """exp(p) to about 2^-64 of itself: the argument of another exp, which multiplies the relative error by up to 745.

    exp(u) - 1 of an eighth of the reduced argument, squared three times as (1 + e)^2 - 1 = e*(2 + e).
    """
    t = at_most(p[0], c.HIGHEST_EXP)
    t = at_least(t, c.LOWEST_EXP)
    n = fma(t, c.LOG2E, c.SHIFT) - c.SHIFT
    before = fma(n, -c.LN2_SHORT, t)
    r = fma(n, -c.LN2_REST, before)
    r_low = fma(n, -c.LN2_REST, before - r) + low_part(p[1])
    u, u_low = 0.125 * r, 0.125 * r_low
    square = u * u
    half = 0.5 * square
    third = u * square * polynomial(u, EXP_TERMS)
    first = u + half
    high = first + third
    low = (half - (first - u)) + (third - (high - first))
    low = low + (u_low + fma(high, u_low, 0.5 * fma(u, u, -square)))
    high, low = _of_twice(high, low)
    high, low = _of_twice(high, low)
    high, low = _of_twice(high, low)
    leading = 1.0 + high
    low = (high - (leading - 1.0)) + low
    m = fma(n, 0.5, c.SHIFT)
    first, second = power_of_two(m), power_of_two((n - (m - c.SHIFT)) + c.SHIFT)
    return _normal(leading * first * second, low * first * second)


@primitive
def log_of_pair(p):
    """log(p), for a p that isn't near 1 beyond its first part."""
    high, low = log_parts(p[0])
    plain = (p[0] > 0.0) & (p[0] < c.INFINITY)
    return _normal(high if plain else log(p[0]), low + p[1] / p[0] if plain else 0.0)


@primitive
def softplus_of_pair(p):
    """softplus(p) to about 2^-55 of what it exceeds max(p, 0) by: the argument of an exp."""
    whole, high, low, _, _, _ = softplus_two_parts(p[0], low_part(p[1]))
    total = whole + high
    low = ((whole - total) + high) + low
    return choice_of_pairs(p[0] > c.LARGEST_SOFTPLUS, p, _normal(total, low))


# -- sin and cos of a product -------------------------------------------------------------------------------------------

FAR, NEARER, NEARER_BACK = 2.0**900, 2.0**-32, 2.0**32
HALF_PI_LAST = -1.4973849048591698e-33


@primitive
def _turned(factor, x):
    """(m, r, r_low): factor*x = n*pi/2 + r + r_low with n in the low bits of m, for a factor up to 2^32 at the largest x.

    Both parts of the product are reduced. Where the product could be infinite, its 2^-32th part is, and 2^32 quarter
    turns are none.
    """
    far = fabs(x) > FAR
    product = product_of_pairs(factor, (x * NEARER if far else x, -0.0))
    m, a, a_low = quadrant_64(product[0])
    n, b, b_low = quadrant_64(product[1] if fabs(product[0]) < c.INFINITY else 0.0)
    whole = 0.0 if far else (m - SHIFT) + (n - SHIFT)
    scale = NEARER_BACK if far else 1.0
    high, low = sum_of_pairs((a * scale, a_low * scale), (b * scale, b_low * scale))
    k = fma(high, 0.6366197723675814, SHIFT) - SHIFT
    turns = k * HALF_PI
    high, rest = two_sum(high, -turns)
    rest = rest + (low - fma(k, HALF_PI, -turns))
    part = k * HALF_PI_LOW
    high, low = two_sum(high, rest)
    high, rest = two_sum(high, -part)
    low = low + (rest - (fma(k, HALF_PI_LOW, -part) + k * HALF_PI_LAST))
    r = high + low
    return (whole + k) + SHIFT, r, low - (r - high)


@primitive
def _sine_and_cosine(r, r_low):
    u = r * r
    half = 0.5 * u
    sine = r + fma(r * u, polynomial(u, SIN_64), fma(-half, r_low, r_low))
    leading = 1.0 - half
    rest = fma(u * u, polynomial(u, COS_64), fma(-r, r_low, fma(-0.5, fma(r, r, -u), (1.0 - leading) - half)))
    return sine, leading + rest


@primitive
def sin_of_product(factor, x):
    """sin(factor*x) for a pair and a number; at a large x for a factor that is one number."""
    m, r, r_low = _turned(factor, x)
    sine, cosine = _sine_and_cosine(r, r_low)
    y = flip_sign_by_half(cosine if odd(m) else sine, m)
    return factor[0] * x if fabs(factor[0] * x) < 2.0**-28 else y


@primitive
def cos_of_product(factor, x):
    """cos(factor*x) for a pair and a number; at a large x for a factor that is one number."""
    m, r, r_low = _turned(factor, x)
    m = m + 1.0
    sine, cosine = _sine_and_cosine(r, r_low)
    return flip_sign_by_half(cosine if odd(m) else sine, m)

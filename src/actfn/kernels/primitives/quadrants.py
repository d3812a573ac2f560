"""Argument reduction for sin, cos and tan that is right for every float: x = n*pi/2 + r.

Leans on the intrinsics. The idea (Payne and Hanek): of 2/pi only 2^k * 2/pi modulo 4 matters to a float that is a whole
number times 2^k, so a table of a few floats for each k replaces a value of pi with a thousand digits. Up to LARGEST_NEAR,
where nearly all arguments are, three floats and no table do (Cody and Waite).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numpy import float32, float64

from actfn.kernels.primitives.intrinsics import INTEGERS, MANTISSA_BITS, fma, intrinsic, primitive

SHIFT = float64(1.5 * 2**52)  # u + SHIFT rounds u to an integer and keeps it in the low bits
HALF_PI = float64(1.5707963267948966)
HALF_PI_LOW = float64(6.123233995736766e-17)

LARGE = float64(1.5 * 2**56)  # u + LARGE rounds u to a multiple of 16
MANTISSA_EXPONENT = {types.float32: 127 + 23, types.float64: 1023 + 52}  # biased; from here a float is whole
BITS = 1400  # of 2/pi: the largest exponent, 1024, and three floats more


def _two_over_pi() -> int:
    """2/pi * 2^BITS, pi by Machin's formula in integers."""
    guard = BITS + 64

    def arctangent(inverse: int) -> int:
        total, power, k = 0, (1 << guard) // inverse, 0
        while power:
            total += (-power if k % 2 else power) // (2 * k + 1)
            power //= inverse * inverse
            k += 1
        return total

    pi = 4 * (4 * arctangent(5) - arctangent(239))
    return (2 << (guard + BITS)) // pi


def _table(largest: int, bits: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """2^k * 2/pi modulo 4 for k = 0 ... largest, as a sum of floats with so many bits each."""
    whole = _two_over_pi()
    parts: list[list[float]] = [[] for _ in bits]
    for k in range(largest + 1):
        rest = (whole << k) & ((4 << BITS) - 1)
        for part, count in zip(parts, bits, strict=True):
            drop = max(rest.bit_length() - count, 0)
            part.append(math.ldexp(rest >> drop, drop - BITS))
            rest &= (1 << drop) - 1
    return tuple(np.array(part) for part in parts)


HIGH_32, LOW_32 = _table(128 - 23, (29, 53))  # a float32 times 29 bits is exact in float64
FIRST_64, SECOND_64, THIRD_64, FOURTH_64 = _table(1024 - 52, (53, 53, 53, 53))


@intrinsic
def entry(typing_context, x):
    """(k, y): x = y * 2^k, y below 2^24 (float32) or 2^53 (float64) and whole unless k is 0; 0 <= k."""

    def codegen(context, builder, signature, arguments):
        integer, real, word = INTEGERS[x], context.get_value_type(x), ir.IntType(32)
        width = ir.Constant(integer, MANTISSA_BITS[x])
        bits = builder.lshr(builder.bitcast(arguments[0], integer), width)
        bits = builder.trunc(bits, word) if integer.width > 32 else bits
        bias = 127 if x == types.float32 else 1023
        exponent = builder.and_(bits, ir.Constant(word, 2 * bias + 1))
        first = ir.Constant(word, MANTISSA_EXPONENT[x])
        k = builder.sub(builder.select(builder.icmp_unsigned(">", exponent, first), exponent, first), first)
        scale = builder.sub(ir.Constant(word, bias), k)
        scale = builder.zext(scale, integer) if integer.width > 32 else scale
        y = builder.fmul(arguments[0], builder.bitcast(builder.shl(scale, width), real))
        return context.make_tuple(builder, signature.return_type, [builder.zext(k, ir.IntType(64)), y])

    return types.Tuple((types.uint64, x))(x), codegen


@intrinsic
def odd(typing_context, m):
    """Whether the integer in the low bits of m is odd."""

    def codegen(context, builder, signature, arguments):
        return builder.trunc(builder.bitcast(arguments[0], INTEGERS[m]), ir.IntType(1))

    return types.boolean(m), codegen


@intrinsic
def flip_sign_by_half(typing_context, y, m):
    """y, its sign changed where the integer in the low bits of m is 2 or 3 modulo 4."""

    def codegen(context, builder, signature, arguments):
        integer = INTEGERS[y]
        bits = builder.bitcast(arguments[1], INTEGERS[m])
        bits = builder.trunc(bits, integer) if integer.width < INTEGERS[m].width else bits
        mask = builder.and_(
            builder.shl(bits, ir.Constant(integer, integer.width - 2)), ir.Constant(integer, 1 << (integer.width - 1))
        )
        return builder.bitcast(builder.xor(builder.bitcast(arguments[0], integer), mask), arguments[0].type)

    return y(y, m), codegen


@primitive
def quadrant_32(x):
    """(m, r) of a float32: x = n*pi/2 + r with n in the low bits of m; both are float64."""
    k, y = entry(x)
    y = float64(y)
    p, low = y * HIGH_32[k], LOW_32[k]
    m = fma(y, low, p) + SHIFT
    return m, fma(y, low, p - (m - SHIFT)) * HALF_PI


def near_quadrant_of(two_over_pi: Any, parts: Any, shift: Any) -> Any:
    """The reduction for |x| <= LARGEST_NEAR, without a table: pi/2 as three numbers, the second short enough for n*second."""
    first, second, third = parts

    @primitive
    def near_quadrant(x):
        """(m, r, r_low): x = n*pi/2 + r + r_low with n in the low bits of m."""
        m = fma(x, two_over_pi, shift)
        n = m - shift
        rest = fma(-n, first, x)  # exact: a multiple of the last place of x or of `first`, and below 1
        r = fma(-n, second, rest)  # the product is exact, and so is what the next line takes from it
        return m, r, fma(-n, third, fma(-n, second, rest - r))

    return near_quadrant


LARGEST_NEAR = 1024.0
near_quadrant_32 = near_quadrant_of(
    float32(2 / math.pi), (float32(1.5707964), float32(-4.3710315e-08), float32(-1.0746346e-12)), float32(1.5 * 2**23)
)  # pi/2 to 2^-65, the second with 14 bits
near_quadrant_64 = near_quadrant_of(
    float64(2 / math.pi), (HALF_PI, float64(6.123233995736757e-17), float64(8.4784276603689e-32)), SHIFT
)  # pi/2 to 2^-159, the second with 43 bits


@primitive
def two_sum(a, b):
    """(high, low): a + b without an error."""
    high = a + b
    back = high - a
    return high, (a - (high - back)) + (b - back)


@primitive
def quadrant_64(x):
    """(m, r, r_low) of a float64: x = n*pi/2 + r + r_low with n in the low bits of m.

    Four floats of 2/pi leave an error of 2^-150, and no float64 lies nearer to a multiple of pi/2 than about 2^-62.
    """
    k, y = entry(x)
    first, second, third = FIRST_64[k], SECOND_64[k], THIRD_64[k]
    p = y * first
    f = p - ((p + LARGE) - LARGE)
    p_low = fma(y, first, -p)
    a, b = y * second, y * third
    a_low = fma(y, second, -a)
    m = ((f + p_low) + a) + SHIFT
    f, f_low = two_sum(f - (m - SHIFT), p_low)
    f, f_rest = two_sum(f, a)
    b, b_low = two_sum(b, a_low)
    b, b_rest = two_sum(b, f_low)
    b, b_last = two_sum(b, f_rest)
    f, f_low = two_sum(f, b)
    f_low = f_low + (b_low + b_rest + b_last + fma(y, FOURTH_64[k], fma(y, third, -(y * third))))
    r = f * HALF_PI
    return m, r, fma(f, HALF_PI_LOW, fma(f_low, HALF_PI, fma(f, HALF_PI, -r)))

"""Argument reduction for sin, cos and tan that is right for every float: x = n*pi/2 + r.

Leans on the intrinsics. The idea (Payne and Hanek): only 2^k * 2/pi modulo 4 matters to a float that is a multiple of
2^k, so a table by exponent, a few dozen to a few hundred floats in all, replaces a value of pi with a thousand digits.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy import float64

from actfn.kernels.primitives.intrinsics import INTEGERS, MANTISSA_BITS, fma, primitive

SHIFT = float64(1.5 * 2**52)  # u + SHIFT rounds u to an integer and keeps it in the low bits
HALF_PI = float64(1.5707963267948966)
HALF_PI_LOW = float64(6.123233995736766e-17)

STEP = 8  # exponents that share an entry of a table
FIRST_EXPONENT = {types.float32: 127 + 16, types.float64: 1023}  # biased; smaller ones share the first entry too
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


def _table(exponents: int, bits: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """2^(STEP*i) * 2/pi modulo 4 as a sum of floats with so many bits each, for every i."""
    whole = _two_over_pi()
    parts = np.zeros((len(bits), exponents // STEP + 1))
    for i in range(parts.shape[1]):
        rest = (whole << (STEP * i)) % (4 << BITS)
        for j, count in enumerate(bits):
            drop = max(rest.bit_length() - count, 0)
            parts[j, i] = np.ldexp(float(rest >> drop), drop - BITS)
            rest &= (1 << drop) - 1
    return tuple(np.ascontiguousarray(part) for part in parts)


HIGH_32, LOW_32 = _table(128 - 16, (29, 53))  # a float32 times 29 bits is exact in float64
HIGH_64, MIDDLE_64, LOW_64 = _table(1024, (53, 53, 53))


@intrinsic
def entry(typing_context, x):
    """(i, y): the entry of the table that serves x, and y = x * 2^(-STEP*i)."""

    def codegen(context, builder, signature, arguments):
        integer, real, word = INTEGERS[x], context.get_value_type(x), ir.IntType(32)
        width = ir.Constant(integer, MANTISSA_BITS[x])
        bits = builder.lshr(builder.bitcast(arguments[0], integer), width)
        bits = builder.trunc(bits, word) if integer.width > 32 else bits
        bias = 127 if x == types.float32 else 1023
        exponent = builder.and_(bits, ir.Constant(word, 2 * bias + 1))
        first = ir.Constant(word, FIRST_EXPONENT[x])
        above = builder.select(builder.icmp_unsigned(">", exponent, first), exponent, first)
        i = builder.lshr(builder.sub(above, first), ir.Constant(word, STEP.bit_length() - 1))
        scale = builder.sub(ir.Constant(word, bias), builder.mul(i, ir.Constant(word, STEP)))
        scale = builder.zext(scale, integer) if integer.width > 32 else scale
        scale = builder.bitcast(builder.shl(scale, width), real)
        y = builder.fmul(arguments[0], scale)
        return context.make_tuple(builder, signature.return_type, [builder.zext(i, ir.IntType(64)), y])

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
    """(m, r) of a float32: x = n*pi/2 + r with n in the low bits of m; both float64, r to 2^-30 of itself and better."""
    i, y = entry(x)
    y = float64(y)
    p = y * HIGH_32[i]
    m = p + SHIFT
    return m, fma(y, LOW_32[i], p - (m - SHIFT)) * HALF_PI


@primitive
def quadrant_64(x):
    """(m, r, r_low) of a float64: x = n*pi/2 + r + r_low with n in the low bits of m."""
    i, y = entry(x)
    high, middle = HIGH_64[i], MIDDLE_64[i]
    p = y * high
    m = p + SHIFT
    f = p - (m - SHIFT)
    a, b = fma(y, high, -p), y * middle
    c = a + b
    c_low = (a - (c - (c - a))) + (b - (c - a))
    g = f + c
    g_low = (f - (g - (g - f))) + (c - (g - f))
    g_low = g_low + (c_low + fma(y, LOW_64[i], fma(y, middle, -b)))
    r = g * HALF_PI
    return m, r, fma(g, HALF_PI_LOW, fma(g_low, HALF_PI, fma(g, HALF_PI, -r)))

"""What the primitives need of the machine and Python has no operator for: fused multiply-add, bits, selects.

Leans on Numba and llvmlite. None of them carries a fast-math flag, so LLVM keeps NaN, infinities, signed zeros and
every rounding as they are written, and the bits don't depend on the CPU.
"""

from __future__ import annotations

from typing import Any

import numba
import numba.extending
from llvmlite import ir
from numba import types

njit: Any = numba.njit  # Numba's own types don't say what its decorators make
intrinsic: Any = numba.extending.intrinsic

MANTISSA_BITS = {types.float32: 23, types.float64: 52}
INTEGERS = {types.float32: ir.IntType(32), types.float64: ir.IntType(64)}

JOINED_FROM = 8  # terms from which a polynomial's neighbours are joined

# What a primitive is compiled with: inlined by LLVM, division without Python's check for zero
primitive: Any = njit(forceinline=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@intrinsic
def fma(typing_context, a, b, c):
    """a*b + c, rounded once."""

    def codegen(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return a(a, b, c), codegen


@intrinsic
def polynomial(typing_context, x, coefficients):
    """The polynomial in x by fused multiply-adds; the highest power's coefficient comes first.

    A short one by Horner's rule. In a longer one neighbours are joined first and Horner's rule runs in x^2, which halves
    the chain of operations that wait for one another.
    """
    count = len(coefficients)

    def codegen(context, builder, signature, arguments):
        power, packed = arguments
        terms = [builder.extract_value(packed, i) for i in reversed(range(count))]
        if count >= JOINED_FROM:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            joined = [builder.fma(high, power, low) for low, high in pairs]
            terms = joined + terms[2 * len(joined) :]
            power = builder.fmul(power, power)
        total = terms.pop()
        while terms:
            total = builder.fma(total, power, terms.pop())
        return total

    return x(x, coefficients), codegen


@intrinsic
def power_of_two(typing_context, m):
    """2^n of m = n + bias + 1.5*2^p, p being the mantissa's bits: m's low bits shifted into the exponent."""

    def codegen(context, builder, signature, arguments):
        integer = INTEGERS[m]
        bits = builder.shl(builder.bitcast(arguments[0], integer), ir.Constant(integer, MANTISSA_BITS[m]))
        return builder.bitcast(bits, context.get_value_type(m))

    return m(m), codegen


@intrinsic
def exponent_and_mantissa(typing_context, x, low):
    """(k, m) with x = 2^k * m and m in [low, 2*low), for a normal x > 0; k is a float."""

    def codegen(context, builder, signature, arguments):
        integer, real = INTEGERS[x], context.get_value_type(x)
        width = ir.Constant(integer, MANTISSA_BITS[x])
        bits = builder.bitcast(arguments[0], integer)
        k = builder.ashr(builder.sub(bits, builder.bitcast(arguments[1], integer)), width)
        m = builder.bitcast(builder.sub(bits, builder.shl(k, width)), real)
        if x == types.float32:
            k = builder.sitofp(k, real)
        else:  # AVX2 converts no 64-bit integers: put k into the low bits of a large float
            magic = ir.Constant(real, 1.5 * 2.0**52)
            k = builder.fsub(builder.bitcast(builder.add(builder.bitcast(magic, integer), k), real), magic)
        return context.make_tuple(builder, signature.return_type, [k, m])

    return types.UniTuple(x, 2)(x, low), codegen


def _bound(comparison: str) -> Any:
    @intrinsic
    def function(typing_context, x, bound):
        def codegen(context, builder, signature, arguments):
            x, bound = arguments
            return builder.select(builder.fcmp_ordered(comparison, x, bound), bound, x)

        return x(x, bound), codegen

    return function


# A select, not a branch: LLVM computes ahead what follows a branch for both sides, and an overflow there raises its flag
at_most = _bound(">")
"""x, or bound where x is larger; NaN stays."""
at_least = _bound("<")
"""x, or bound where x is smaller; NaN stays."""


def _unary(name: str) -> Any:
    @intrinsic
    def function(typing_context, x):
        def codegen(context, builder, signature, arguments):
            return builder.call(builder.module.declare_intrinsic(name, [arguments[0].type]), arguments)

        return x(x), codegen

    return function


fabs = _unary("llvm.fabs")
sqrt = _unary("llvm.sqrt")


@intrinsic
def copysign(typing_context, magnitude, sign):
    """magnitude with the sign of sign."""

    def codegen(context, builder, signature, arguments):
        real = arguments[0].type
        kind = ir.FunctionType(real, [real, real])
        return builder.call(builder.module.declare_intrinsic("llvm.copysign", [real], kind), arguments)

    return magnitude(magnitude, sign), codegen


@intrinsic
def flip_sign(typing_context, x, sign):
    """x with its sign changed where sign is negative."""

    def codegen(context, builder, signature, arguments):
        integer = INTEGERS[x]
        mask = ir.Constant(integer, 1 << (integer.width - 1))
        a, b = (builder.bitcast(v, integer) for v in arguments)
        return builder.bitcast(builder.xor(a, builder.and_(b, mask)), arguments[0].type)

    return x(x, sign), codegen


@primitive
def scaled(x, factor, factor_low):
    """(high, low): x*(factor + factor_low), what a two-part argument of `times_exp` or `times_erfc` is made with."""
    high = x * factor
    return high, fma(x, factor, -high) + x * factor_low

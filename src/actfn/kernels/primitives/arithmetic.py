"""Arithmetic that is the same at every level: larger, smaller, sign, whole powers.

Leans on the intrinsics. NaN propagates from either argument, and a select never reads what it didn't choose.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core.errors import RequireLiteralValue

from actfn.kernels.primitives.intrinsics import copysign, fabs, fma, intrinsic, primitive, sqrt

__all__ = ["copysign", "fabs", "fma", "integer_power", "maximum", "minimum", "sign", "sqrt"]


@primitive
def maximum(a, b):
    return a if (a > b) | (a != a) else b


@primitive
def minimum(a, b):
    return a if (a < b) | (a != a) else b


@intrinsic
def sign(typing_context, x):
    """-1, 0 or 1; NaN and a zero's sign stay."""

    def codegen(context, builder, signature, arguments):
        (value,) = arguments
        zero, one = (ir.Constant(value.type, v) for v in (0.0, 1.0))
        kind = ir.FunctionType(value.type, [value.type, value.type])
        signed = builder.call(builder.module.declare_intrinsic("llvm.copysign", [value.type], kind), [one, value])
        return builder.select(builder.fcmp_ordered("one", value, zero), signed, value)

    return x(x), codegen


@intrinsic
def integer_power(typing_context, x, n):
    """x^n for a whole n from 1 on, by repeated squaring: at most log2(n) + 1 roundings on the longest path."""
    if not isinstance(n, types.IntegerLiteral):
        raise RequireLiteralValue("the exponent is a number in the source")
    exponent = n.literal_value

    def codegen(context, builder, signature, arguments):
        square, result, left = arguments[0], None, exponent
        while left:
            if left & 1:
                result = square if result is None else builder.fmul(result, square)
            left >>= 1
            if left:
                square = builder.fmul(square, square)
        return result

    return x(x, n), codegen

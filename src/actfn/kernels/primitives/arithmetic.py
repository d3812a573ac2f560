"""Arithmetic that is the same at every level: larger, smaller, sign, whole powers.

Leans on the intrinsics. NaN propagates from either argument, and a select never reads what it didn't choose.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core.errors import RequireLiteralValue

from actfn.kernels.primitives.intrinsics import at_least, at_most, copysign, fabs, fma, intrinsic, primitive, sqrt

__all__ = [
    "at_least",
    "at_most",
    "constant_parts",
    "copysign",
    "cubic_parts",
    "fabs",
    "fma",
    "integer_power",
    "maximum",
    "minimum",
    "product_parts",
    "quotient_parts",
    "sign",
    "sqrt",
    "square_parts",
]


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


@intrinsic
def low_part(typing_context, low):
    """The low part of an argument, and no more than 2^-12, which one that counts doesn't reach.

    A low part is large, infinite or NaN only where the argument is far out, where no function here changes any more.
    """

    def codegen(context, builder, signature, arguments):
        (value,) = arguments
        bound, lowest = (ir.Constant(value.type, b) for b in (2.0**-12, -(2.0**-12)))
        value = builder.select(builder.fcmp_ordered("<", value, bound), value, bound)  # a NaN fails the comparison
        return builder.select(builder.fcmp_ordered("<", value, lowest), lowest, value)

    return low(low), codegen


@primitive
def product_parts(a, b):
    """(high, low): their sum is a*b."""
    high = a * b
    return high, low_part(fma(a, b, -high))


@primitive
def quotient_parts(a, b):
    """(high, low): their sum is a/b."""
    high = a / b
    return high, low_part(fma(-high, b, a) / b)


@primitive
def square_parts(c, x):
    """(high, low): their sum is c*x^2."""
    square = x * x
    high = c * square
    return high, low_part(fma(c, fma(x, x, -square), fma(c, square, -high)))


@primitive
def constant_parts(c, c_low, x):
    """(high, low): their sum is (c + c_low)*x."""
    high = c * x
    return high, low_part(fma(c_low, x, fma(c, x, -high)))


@primitive
def cubic_parts(a, a_low, c, c_low, x):
    """(high, low): their sum is (a + a_low)*x + (c + c_low)*x^3, for an x whose cube is finite."""
    square = x * x
    cubic = c * square
    cubic_low = fma(c_low, square, fma(c, fma(x, x, -square), fma(c, square, -cubic)))
    slope = a + cubic
    rest = slope - a
    slope_low = (a - (slope - rest)) + (cubic - rest) + (cubic_low + a_low)
    high = x * slope
    return high, low_part(fma(x, slope_low, fma(x, slope, -high)))

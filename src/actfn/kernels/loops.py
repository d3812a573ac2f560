"""What generated loops call beside the primitives: typed pointers, and numbers as they lie in memory.

A loop computes in float32 or float64; what it reads and writes may be narrower. float16 and bfloat16 results are rounded
once: float64 goes to float32 by rounding to odd, which keeps what the second rounding needs to know.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from actfn.kernels.primitives.intrinsics import copysign, fabs, intrinsic, primitive

_SMALLEST_NORMAL = 2.0**-126
_ROUNDS_TO_2_TO_MINUS_133 = 2.0 ** (52 - 133) * 1.5
"""Added to a smaller float64 and taken away again, it leaves a multiple of bfloat16's smallest number, half to even."""
_I16, _I32, _I64 = (ir.IntType(n) for n in (16, 32, 64))


def _pointer_to(kind: Any) -> Any:
    @intrinsic
    def pointer(typing_context, address):
        def codegen(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(types.CPointer(kind)))

        return types.CPointer(kind)(types.intp), codegen

    return pointer


at_float64 = _pointer_to(types.float64)
at_float32 = _pointer_to(types.float32)
at_float16 = at_bfloat16 = _pointer_to(types.uint16)


def _apart(module: Any) -> tuple[Any, Any]:
    """The scopes of what a loop reads and of what it writes, which are declared not to overlap."""
    domain = module.add_metadata(["actfn loops"])
    reads, writes = (
        module.add_metadata([module.add_metadata([f"actfn {what}", domain])]) for what in ("reads", "writes")
    )
    return reads, writes


@intrinsic
def read(typing_context, pointer, index):
    """pointer[index]. No read of a loop sees what another turn of it wrote: an output is an input, or apart from it.

    Said so, LLVM vectorises a loop that works in place, where its own check at run time would give up.
    """

    def codegen(context, builder, signature, arguments):
        loaded = builder.load(builder.gep(arguments[0], [arguments[1]]))
        reads, writes = _apart(builder.module)
        loaded.set_metadata("alias.scope", reads)
        loaded.set_metadata("noalias", writes)
        return loaded

    return pointer.dtype(pointer, types.intp), codegen


@intrinsic
def write(typing_context, pointer, index, value):
    """pointer[index] = value; see `read`."""

    def codegen(context, builder, signature, arguments):
        pointer, index, value = arguments
        stored = builder.store(value, builder.gep(pointer, [index]))
        reads, writes = _apart(builder.module)
        stored.set_metadata("alias.scope", writes)
        stored.set_metadata("noalias", reads)
        return context.get_dummy_value()

    return types.void(pointer, types.intp, pointer.dtype), codegen


@intrinsic
def settle(typing_context, number, x, a, b, c, d):
    """f(x) correctly rounded to float32, from ball arithmetic: `build` says which f goes by a number. Slow, and rare."""

    def codegen(context, builder, signature, arguments):
        double = ir.DoubleType()
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(double, [_I64, *[double] * 5]), "actfn_settle"
        )
        return builder.call(function, arguments)

    return types.float64(types.int64, *[types.float64] * 5), codegen


@primitive
def doubtful(value, error):
    """Whether a float64 value may round to float32 either way, if its relative error is below `error`."""
    away = np.float64(np.abs(value) * error)
    return (np.float32(value - away) != np.float32(value + away)) & (value == value)


@intrinsic
def forget_flags(typing_context):
    """Clears the CPU's floating-point flags, so that NumPy warns of nothing.

    A comparison raises one on a quiet NaN, and what a select didn't choose may raise another; neither says anything of
    the result, which has its own NaN or infinity where there is cause for one.
    """

    def codegen(context, builder, signature, arguments):
        kind = ir.FunctionType(_I32, [_I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "feclearexcept")
        builder.call(function, [ir.Constant(_I32, 31)])  # every flag there is on x86 and on Arm
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _half_to_float32(typing_context, bits):
    def codegen(context, builder, signature, arguments):
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), codegen


@intrinsic
def _float32_to_half(typing_context, value):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), _I16)

    return types.uint16(types.float32), codegen


@intrinsic
def _bfloat16_to_float32(typing_context, bits):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(builder.shl(builder.zext(arguments[0], _I32), ir.Constant(_I32, 16)), ir.FloatType())

    return types.float32(types.uint16), codegen


@intrinsic
def _float32_to_bfloat16(typing_context, value):
    """Round half to even; NaN stays NaN."""

    def codegen(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], _I32)
        odd = builder.and_(builder.lshr(bits, ir.Constant(_I32, 16)), ir.Constant(_I32, 1))
        rounded = builder.add(bits, builder.add(odd, ir.Constant(_I32, 0x7FFF)))
        nan = builder.fcmp_unordered("uno", arguments[0], arguments[0])
        chosen = builder.select(nan, builder.or_(bits, ir.Constant(_I32, 0x400000)), rounded)
        return builder.trunc(builder.lshr(chosen, ir.Constant(_I32, 16)), _I16)

    return types.uint16(types.float32), codegen


@intrinsic
def _to_odd(typing_context, value):
    """float64 to float32 so that a second rounding, to fewer bits, gives what one rounding would.

    The 29 bits that float32 hasn't are dropped, and the last bit that stays is set if any of them was. Below float32's
    normal range the spacing is coarser, and the conversion there rounds; float16 has no such numbers.
    """

    def codegen(context, builder, signature, arguments):
        (value,) = arguments
        bits = builder.bitcast(value, _I64)
        low = ir.Constant(_I64, (1 << 29) - 1)
        rest = builder.and_(bits, low)
        sticky = builder.select(
            builder.icmp_unsigned("!=", rest, ir.Constant(_I64, 0)), ir.Constant(_I64, 1 << 29), ir.Constant(_I64, 0)
        )
        kept = builder.or_(builder.and_(bits, ir.Constant(_I64, ~((1 << 29) - 1))), sticky)
        nan = builder.fcmp_unordered("uno", value, value)
        chosen = builder.select(nan, value, builder.bitcast(kept, ir.DoubleType()))
        return builder.fptrunc(chosen, ir.FloatType())

    return types.float32(types.float64), codegen


@primitive
def wide_float16(bits):
    return np.float64(_half_to_float32(bits))


@primitive
def wide_bfloat16(bits):
    return np.float64(_bfloat16_to_float32(bits))


@primitive
def wide_float32(value):
    return np.float64(value)


@primitive
def same(value):
    return value


@primitive
def apart(source, target, size):
    """Whether an output is an input or apart from it, as `read` says; a step of `ufunc.accumulate` reads the last one's."""
    return source == target or abs(source - target) >= size


single_float16, single_bfloat16 = _half_to_float32, _bfloat16_to_float32
rounded_float16, rounded_bfloat16 = _float32_to_half, _float32_to_bfloat16


@primitive
def narrow_float16(value):
    return _float32_to_half(_to_odd(value))


@primitive
def narrow_bfloat16(value):
    # float32's subnormals are rounded by the processor, whatever `_to_odd` left: bfloat16's are rounded before, in float64.
    subnormal = copysign((fabs(value) + _ROUNDS_TO_2_TO_MINUS_133) - _ROUNDS_TO_2_TO_MINUS_133, value)
    return _float32_to_bfloat16(_to_odd(subnormal if fabs(value) < _SMALLEST_NORMAL else value))


@primitive
def narrow_float32(value):
    return np.float32(value)

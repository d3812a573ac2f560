"""A loop as a built-in function of Python's, which costs less to call than through ctypes.

ctypes takes over a microsecond for the arguments of a call, which is a loop's time for some 5,000 elements. A few
instructions with CPython's calling convention take addresses as whole numbers, put those of the parameters between
them, let go of the interpreter's lock and call the loop.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from actfn.kernels.build import Kernel, machine

_CALL = """
declare ptr @PyBytes_AsString(ptr)
declare ptr @PyLong_AsVoidPtr(ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)
@_Py_NoneStruct = external global i8

define ptr @call(ptr %self, ptr %given, i64 %count) {
entry:
  %table = call ptr @PyBytes_AsString(ptr %self)
  %loop = load ptr, ptr %table
  %steps.at = getelementptr i64, ptr %table, i64 1
  %steps = load ptr, ptr %steps.at
  %arrays.at = getelementptr i64, ptr %table, i64 2
  %arrays = load i64, ptr %arrays.at
  %parameters.at = getelementptr i64, ptr %table, i64 3
  %parameters = load i64, ptr %parameters.at
  %values = getelementptr i64, ptr %table, i64 4
  %places = add i64 %count, %parameters
  %length = alloca ptr, i64 %places
  %args = getelementptr ptr, ptr %length, i64 1
  br label %next
next:
  %i = phi i64 [0, %entry], [%i.next, %next]
  %object.at = getelementptr ptr, ptr %given, i64 %i
  %object = load ptr, ptr %object.at
  %number = call ptr @PyLong_AsVoidPtr(ptr %object)
  %result = icmp sgt i64 %i, %arrays
  %behind = select i1 %result, i64 %parameters, i64 0
  %place = add i64 %i, %behind
  %place.at = getelementptr ptr, ptr %length, i64 %place
  store ptr %number, ptr %place.at
  %i.next = add i64 %i, 1
  %more = icmp slt i64 %i.next, %count
  br i1 %more, label %next, label %between
between:
  %j = phi i64 [0, %next], [%j.next, %one]
  %another = icmp slt i64 %j, %parameters
  br i1 %another, label %one, label %ready
one:
  %value.at = getelementptr i64, ptr %values, i64 %j
  %slot = add i64 %arrays, %j
  %slot.at = getelementptr ptr, ptr %args, i64 %slot
  store ptr %value.at, ptr %slot.at
  %j.next = add i64 %j, 1
  br label %between
ready:
  %thread = call ptr @PyEval_SaveThread()
  call void %loop(ptr %args, ptr %length, ptr %steps, ptr null)
  call void @PyEval_RestoreThread(ptr %thread)
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
}
"""
_FASTCALL = 0x80


class _Method(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def direct(kernel: Kernel, numbers: tuple[float, ...]) -> Callable[..., None]:
    """`call(n, *arrays, *outputs)`: the loop at these parameters over n dense elements, without the interpreter's lock.

    n and the addresses are whole numbers, and nothing is checked. A kernel stays for as long as the process does.
    """
    arrays, steps = len(kernel.request.arrays), ctypes.addressof(kernel.dense_steps)
    kind = "d" if kernel.request.parameter_dtype == "float64" else "f4x"
    values = b"".join(struct.pack(f"={kind}", number) for number in numbers)
    table = struct.pack("=4q", kernel.address, steps, arrays, len(numbers)) + values
    return _make()(_method(), table, None)


@lru_cache(maxsize=1)
def _make() -> Any:
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return make


@lru_cache(maxsize=1)
def _method() -> int:
    """The address of the method whose instances `direct` makes."""
    import llvmlite.binding as llvm

    for name in ("PyBytes_AsString", "PyLong_AsVoidPtr", "PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef"):
        llvm.add_symbol(name, ctypes.cast(ctypes.pythonapi[name], ctypes.c_void_p).value)
    llvm.add_symbol("_Py_NoneStruct", id(None))
    target = machine()()  # initialises LLVM, which parsing needs
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_CALL), target)
    engine.finalize_object()
    method = _Method(b"loop", engine.get_function_address("call"), _FASTCALL, None)
    for kept in (engine, method):  # past the end of the interpreter, which may free a function after them
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    return ctypes.addressof(method)

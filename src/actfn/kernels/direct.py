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

; The length and then the arguments of a loop: what is given, with the addresses of the parameters between.
define void @gather(ptr %table, ptr %given, i64 %count, ptr %length) {
entry:
  %arrays.at = getelementptr i64, ptr %table, i64 2
  %arrays = load i64, ptr %arrays.at
  %parameters.at = getelementptr i64, ptr %table, i64 3
  %parameters = load i64, ptr %parameters.at
  %values = getelementptr i64, ptr %table, i64 4
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
  br i1 %another, label %one, label %done
one:
  %value.at = getelementptr i64, ptr %values, i64 %j
  %slot = add i64 %arrays, %j
  %slot.at = getelementptr ptr, ptr %args, i64 %slot
  store ptr %value.at, ptr %slot.at
  %j.next = add i64 %j, 1
  br label %between
done:
  ret void
}

define ptr @call(ptr %self, ptr %given, i64 %count) {
  %table = call ptr @PyBytes_AsString(ptr %self)
  %loop = load ptr, ptr %table
  %steps.at = getelementptr i64, ptr %table, i64 1
  %steps = load ptr, ptr %steps.at
  %parameters.at = getelementptr i64, ptr %table, i64 3
  %parameters = load i64, ptr %parameters.at
  %places = add i64 %count, %parameters
  %length = alloca ptr, i64 %places
  call void @gather(ptr %table, ptr %given, i64 %count, ptr %length)
  %args = getelementptr ptr, ptr %length, i64 1
  %thread = call ptr @PyEval_SaveThread()
  call void %loop(ptr %args, ptr %length, ptr %steps, ptr null)
  call void @PyEval_RestoreThread(ptr %thread)
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
}
"""
_SHARE = """
; loop, steps, arguments, how many, elements, elements of a part, and where the next part begins
%Job = type {ptr, ptr, ptr, i64, i64, i64, i64}

define void @parts(ptr %job) {
entry:
  %loop = load ptr, ptr %job
  %steps.at = getelementptr %Job, ptr %job, i64 0, i32 1
  %steps = load ptr, ptr %steps.at
  %args.at = getelementptr %Job, ptr %job, i64 0, i32 2
  %args = load ptr, ptr %args.at
  %places.at = getelementptr %Job, ptr %job, i64 0, i32 3
  %places = load i64, ptr %places.at
  %n.at = getelementptr %Job, ptr %job, i64 0, i32 4
  %n = load i64, ptr %n.at
  %part.at = getelementptr %Job, ptr %job, i64 0, i32 5
  %part = load i64, ptr %part.at
  %begin.at = getelementptr %Job, ptr %job, i64 0, i32 6
  %moved = alloca ptr, i64 %places
  %length = alloca i64
  br label %take
take:
  %begin = atomicrmw add ptr %begin.at, i64 %part monotonic
  %any = icmp slt i64 %begin, %n
  br i1 %any, label %measure, label %done
measure:
  %left = sub i64 %n, %begin
  %last = icmp slt i64 %left, %part
  %size = select i1 %last, i64 %left, i64 %part
  store i64 %size, ptr %length
  br label %move
move:
  %k = phi i64 [0, %measure], [%k.next, %move]
  %arg.at = getelementptr ptr, ptr %args, i64 %k
  %arg = load ptr, ptr %arg.at
  %step.at = getelementptr i64, ptr %steps, i64 %k
  %step = load i64, ptr %step.at
  %by = mul i64 %step, %begin
  %there = getelementptr i8, ptr %arg, i64 %by
  %moved.at = getelementptr ptr, ptr %moved, i64 %k
  store ptr %there, ptr %moved.at
  %k.next = add i64 %k, 1
  %more = icmp slt i64 %k.next, %places
  br i1 %more, label %move, label %run
run:
  call void %loop(ptr %moved, ptr %length, ptr %steps, ptr null)
  br label %take
done:
  ret void
}

define ptr @share(ptr %self, ptr %given, i64 %count) {
  %table = call ptr @PyBytes_AsString(ptr %self)
  %loop = load ptr, ptr %table
  %steps.at = getelementptr i64, ptr %table, i64 1
  %steps = load ptr, ptr %steps.at
  %parameters.at = getelementptr i64, ptr %table, i64 3
  %parameters = load i64, ptr %parameters.at
  %threads.object = load ptr, ptr %given
  %threads.pointer = call ptr @PyLong_AsVoidPtr(ptr %threads.object)
  %threads = ptrtoint ptr %threads.pointer to i32
  %part.given = getelementptr ptr, ptr %given, i64 1
  %part.object = load ptr, ptr %part.given
  %part.pointer = call ptr @PyLong_AsVoidPtr(ptr %part.object)
  %part = ptrtoint ptr %part.pointer to i64
  %rest = getelementptr ptr, ptr %given, i64 2
  %rest.count = sub i64 %count, 2
  %places = add i64 %rest.count, %parameters
  %length = alloca ptr, i64 %places
  call void @gather(ptr %table, ptr %rest, i64 %rest.count, ptr %length)
  %args = getelementptr ptr, ptr %length, i64 1
  %args.count = sub i64 %places, 1
  %n = load i64, ptr %length
  %job = alloca %Job
  store ptr %loop, ptr %job
  %job.steps = getelementptr %Job, ptr %job, i64 0, i32 1
  store ptr %steps, ptr %job.steps
  %job.args = getelementptr %Job, ptr %job, i64 0, i32 2
  store ptr %args, ptr %job.args
  %job.places = getelementptr %Job, ptr %job, i64 0, i32 3
  store i64 %args.count, ptr %job.places
  %job.n = getelementptr %Job, ptr %job, i64 0, i32 4
  store i64 %n, ptr %job.n
  %job.part = getelementptr %Job, ptr %job, i64 0, i32 5
  store i64 %part, ptr %job.part
  %job.begin = getelementptr %Job, ptr %job, i64 0, i32 6
  store i64 0, ptr %job.begin
  %thread = call ptr @PyEval_SaveThread()
  call void inttoptr (i64 TEAM to ptr)(ptr @parts, ptr %job, i32 %threads, i32 0)
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
    return called(bound(kernel, numbers))


def shared(kernel: Kernel, numbers: tuple[float, ...], team: int) -> Callable[..., None]:
    """`call(threads, part, n, *arrays, *outputs)`: the same by the threads of a team, each taking a part at a time.

    `team` is the address of `void (void (*work)(void *), void *data, unsigned threads, unsigned flags)`, which has so
    many threads call `work(data)` and returns when they have: OpenMP's GOMP_parallel. `part` is a number of elements.
    """
    return called(bound(kernel, numbers), team)


def called(bound: bytes, team: int = 0) -> Callable[..., None]:
    """What `direct` gives, or for a team what `shared` gives, of a loop with its parameters."""
    return _make()(_methods(team)["share" if team else "call"], bound, None)


def bound(kernel: Kernel, numbers: tuple[float, ...]) -> bytes:
    """A kernel's loop and the values of its parameters."""
    kind = "d" if kernel.request.parameter_dtype == "float64" else "f4x"
    values = b"".join(struct.pack(f"={kind}", number) for number in numbers)
    return packed(kernel.address, kernel.dense_steps, len(kernel.request.arrays), len(numbers), values)


def packed(address: int, steps: Any, arrays: int, parameters: int, values: bytes) -> bytes:
    """What a call finds at its `self`. Between the arrays and the outputs come the addresses of the values, 8 bytes apart."""
    return struct.pack("=4q", address, ctypes.addressof(steps), arrays, parameters) + values


@lru_cache(maxsize=1)
def _make() -> Any:
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return make


@lru_cache(maxsize=8)
def _methods(team: int) -> dict[str, int]:
    """The addresses of the methods whose instances `direct` and `shared` make; 0 for no team."""
    import llvmlite.binding as llvm

    for name in ("PyBytes_AsString", "PyLong_AsVoidPtr", "PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef"):
        llvm.add_symbol(name, ctypes.cast(ctypes.pythonapi[name], ctypes.c_void_p).value)
    llvm.add_symbol("_Py_NoneStruct", id(None))
    target = machine()()  # initialises LLVM, which parsing needs
    text = _CALL + (_SHARE.replace("TEAM", str(team)) if team else "")
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), target)
    engine.finalize_object()
    methods = {}
    for name in ("call", "share") if team else ("call",):
        method = _Method(b"loop", engine.get_function_address(name), _FASTCALL, None)
        methods[name] = ctypes.addressof(method)
        for kept in (engine, method):  # past the end of the interpreter, which may free a function after them
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    return methods

"""Real NumPy ufuncs over compiled loops, made through NumPy's C API.

A loop of ours has the signature of a ufunc's inner loop, so NumPy itself brings broadcasting, `out=`, `where=`,
casting, overlap and `__array_ufunc__`. A few instructions in front of a loop put fixed parameters between the
arguments, and call for the kernel to be built when a dtype is first met.
"""

from __future__ import annotations

import copyreg
import ctypes
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from actfn.definition import Definition
from actfn.kernels.build import Kernel, Request, kernel, prototype, ready, source, to_its_end

_LOOPS = {"fast": ("float16", "float32", "float64"), "correct": ("float16", "float32")}
_alive: list[Any] = []
"""What a ufunc points to. A ufunc is never freed, so neither is this."""
_origins: dict[int, tuple[Any, ...]] = {}
"""The id of a ufunc -> what `_ufunc` made it from, by which another process makes it again."""


def ufunc(
    definition: Definition, derivative: int = 0, accuracy: str = "fast", fixed: Mapping[str, float] | None = None
) -> np.ufunc:
    """The ufunc of f or of its derivative of an order, over x and the parameters that aren't fixed, by position.

    Loops for float16, float32 and float64 ("correct": float16 and float32). Raises `ValueError` for an unknown
    accuracy or parameter and for a fixed value outside its domain, `UnprintableError` for a formula without a kernel.
    """
    if accuracy not in _LOOPS:
        raise ValueError(f"accuracy is 'fast' or 'correct', not {accuracy!r}")
    values = definition.values(fixed or {})
    return _ufunc(definition, derivative, accuracy, tuple((name, values[name].hex()) for name in sorted(fixed or {})))


@lru_cache(maxsize=1024)
def of_request(request: Request) -> np.ufunc:
    """A ufunc with the one loop of a request: its arrays and the parameters in, its results out."""
    built = kernel(request)
    loops, datas = (ctypes.c_void_p * 1)(built.address), (ctypes.c_void_p * 1)(None)
    inputs = [request.dtype] * len(request.arrays) + [request.parameter_dtype] * len(request.definition.parameters)
    kinds = [np.dtype(d).num for d in (*inputs, *[request.dtype] * request.outputs)]
    signature = (ctypes.c_char * len(kinds))(*kinds)
    name = request.definition.name.encode()
    _alive.extend((loops, datas, signature, name, built))
    return _make()(loops, datas, signature, 1, len(inputs), request.outputs, -1, name, b"", 0)


@lru_cache(maxsize=1024)
def _ufunc(definition: Definition, derivative: int, accuracy: str, fixed: tuple[tuple[str, str], ...]) -> np.ufunc:
    values = {name: float.fromhex(value) for name, value in fixed}  # as text 0.0 and -0.0 differ
    requests = [Request(definition, derivative, (), "value", d, accuracy, d) for d in _LOOPS[accuracy]]
    built = [ready(r) for r in requests]
    single = _LOOPS[accuracy].index("float32")
    if not any(built) or (accuracy == "correct" and built[single] is None):
        to_its_end(source, requests[single])  # so that a formula without such a kernel is refused now
    free = [name for name in definition.defaults if name not in values]
    count = len(requests)
    loops, datas = (ctypes.c_void_p * count)(), (ctypes.c_void_p * count)()
    for i, (request, found) in enumerate(zip(requests, built, strict=True)):
        if found is not None and not values:
            loops[i] = found.address
        else:
            loops[i] = _binder()
            datas[i] = _bound(request, found, list(definition.defaults), values)
    inputs = 1 + len(free)
    kinds = [np.dtype(d).num for d in _LOOPS[accuracy] for _ in range(inputs + 1)]
    signature = (ctypes.c_char * len(kinds))(*kinds)
    name = (definition.name + "_" + "prime" * derivative if derivative else definition.name).encode()
    doc = (
        f"{definition.formula}\n\nInputs: {', '.join(['x', *free])}. Output: {_what(derivative)}, {accuracy}.".encode()
    )
    made = _make()(loops, datas, signature, count, inputs, 1, -1, name, doc, 0)
    _alive.extend((loops, datas, signature, name, doc, built, made))
    _origins[id(made)] = (definition, derivative, accuracy, fixed)
    return made


def _reduced(made: np.ufunc) -> str | tuple[Any, ...]:
    """How a ufunc is pickled: ours by what it was made from, any other by its name, as NumPy does it."""
    origin = _origins.get(id(made))
    return made.__name__ if origin is None else (_ufunc, origin)


copyreg.pickle(np.ufunc, _reduced)  # pyright: ignore[reportArgumentType]


def _what(derivative: int) -> str:
    return "f(x)" if derivative == 0 else f"f{chr(39) * derivative}(x)"


@lru_cache(maxsize=1)
def _make() -> Any:
    """NumPy's PyUFunc_FromFuncAndData: the second entry of its ufunc API."""
    import numpy._core._multiarray_umath as umath

    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    api = ctypes.cast(pointer(umath._UFUNC_API, None), ctypes.POINTER(ctypes.c_void_p))  # pyright: ignore
    array = ctypes.c_void_p
    kind = ctypes.PYFUNCTYPE(
        ctypes.py_object, array, array, array, *[ctypes.c_int] * 4, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int
    )
    return kind(api[1])


# -- fixed parameters ---------------------------------------------------------------------------------------------------

_BINDER = """
define void @bind(ptr %args, ptr %dimensions, ptr %steps, ptr %data) {
entry:
  %function = load i64, ptr %data
  %count.at = getelementptr i64, ptr %data, i64 1
  %count = load i64, ptr %count.at
  %unfinished.at = getelementptr i64, ptr %data, i64 2
  %rows = getelementptr i64, ptr %data, i64 3
  %inner.args = alloca i64, i64 %count
  %inner.steps = alloca i64, i64 %count
  br label %next
next:
  %i = phi i64 [0, %entry], [%i.next, %stored]
  %row = mul i64 %i, 2
  %slot.at = getelementptr i64, ptr %rows, i64 %row
  %slot = load i64, ptr %slot.at
  %fixed = icmp slt i64 %slot, 0
  br i1 %fixed, label %from.table, label %from.caller
from.table:
  %row.next = add i64 %row, 1
  %address.at = getelementptr i64, ptr %rows, i64 %row.next
  %address = load i64, ptr %address.at
  br label %stored
from.caller:
  %argument.at = getelementptr i64, ptr %args, i64 %slot
  %argument = load i64, ptr %argument.at
  %step.at = getelementptr i64, ptr %steps, i64 %slot
  %step = load i64, ptr %step.at
  br label %stored
stored:
  %a = phi i64 [%address, %from.table], [%argument, %from.caller]
  %s = phi i64 [0, %from.table], [%step, %from.caller]
  %a.at = getelementptr i64, ptr %inner.args, i64 %i
  store i64 %a, ptr %a.at
  %s.at = getelementptr i64, ptr %inner.steps, i64 %i
  store i64 %s, ptr %s.at
  %i.next = add i64 %i, 1
  %more = icmp slt i64 %i.next, %count
  br i1 %more, label %next, label %call
call:
  %loop = inttoptr i64 %function to ptr
  call void %loop(ptr %inner.args, ptr %dimensions, ptr %inner.steps, ptr null)
  %unfinished = load i64, ptr %unfinished.at
  %finished = icmp eq i64 %unfinished, 0
  br i1 %finished, label %done, label %interrupt
interrupt:
  %signal = inttoptr i64 PyErr_SetInterrupt to ptr
  call void %signal()
  br label %done
done:
  ret void
}
"""


@lru_cache(maxsize=1)
def _binder() -> int:
    """The address of a loop that reads `_bound`'s table, puts the fixed parameters in, and goes on to the kernel."""
    import llvmlite.binding as llvm

    from actfn.kernels.build import machine

    signal = ctypes.cast(ctypes.pythonapi.PyErr_SetInterrupt, ctypes.c_void_p).value
    code = _BINDER.replace("PyErr_SetInterrupt", str(signal))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(code), machine()())
    engine.finalize_object()
    _alive.append(engine)
    return engine.get_function_address("bind")


def _bound(request: Request, built: Kernel | None, names: list[str], values: Mapping[str, float]) -> int:
    """The address of a table: the loop, how many arguments it has, whether the loop is still to be built, and for each
    argument its slot in the caller's or its value.

    Without a kernel the loop is one that builds it, and puts it into the table's first place. A build that Ctrl-C ends
    can't raise through NumPy's loop: the binder asks for the interrupt again when the loop is done.
    """
    dtype = np.dtype(request.parameter_dtype)
    rows: list[int] = [0, 0]
    slot = 1
    for name in names:
        if name in values:
            with np.errstate(all="ignore"):  # it may overflow a narrow type
                value = np.array([values[name]], dtype=dtype)
            _alive.append(value)
            rows += [-1, value.ctypes.data]
        else:
            rows += [slot, 0]
            slot += 1
    rows += [slot, 0]
    table = (ctypes.c_int64 * (3 + len(rows)))(built.address if built else 0, len(rows) // 2, built is None, *rows)
    _alive.append(table)
    if built is None:

        def build(args: int, dimensions: int, steps: int, data: int) -> None:
            with suppress(KeyboardInterrupt):
                made = kernel(request)
                made.call(args, dimensions, steps, data)
                table[0], table[2] = made.address, False

        callback = prototype()(build)
        _alive.append(callback)
        table[0] = ctypes.cast(callback, ctypes.c_void_p).value or 0
    return ctypes.addressof(table)

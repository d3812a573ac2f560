"""From a definition to a compiled loop: printed source, compiled by Numba, kept as object code.

A kernel is one C function with the signature of a NumPy inner loop, so that a ufunc, a tensor and a thread of the pool
all call the same code. What is kept in the cache is LLVM's object code, which loads without Numba and without SymPy:
a kernel that was built once costs a new process a few milliseconds.
"""

from __future__ import annotations

import _thread
import ctypes
import ctypes.util
import gc
import hashlib
import importlib
import importlib.util
import json
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actfn.definition import Definition
from actfn.kernels import cache

if TYPE_CHECKING:
    from actfn.kernels.lower import Program

DTYPES = ("float16", "bfloat16", "float32", "float64")
LARGEST_FLOAT32 = (2.0 - 2.0**-23) * 2.0**127
BLOCK = 1024
"""So many elements of a dense array are looked at together, where a loop is quicker if all arguments are near."""
ITEMSIZE = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


@dataclass(frozen=True)
class Request:
    """Which loop is wanted.

    `order` and `by` say of which derivative (see `lower.program`). `form` is "value": F(x); "product": g*F(x), the
    backward pass; "double": gg*F(x) and gg*g*F'(x), the backward of that; "output": g*f' from y = f(x), as
    `kernels.inverse` finds it. `dtype` is what lies in memory;
    `accuracy` is "fast" or "correct" (float32 through float64; the 16-bit types always go that way).
    """

    definition: Definition
    order: int = 0
    by: tuple[str, ...] = ()
    form: str = "value"
    dtype: str = "float32"
    accuracy: str = "fast"
    parameters: str = ""

    @property
    def parameter_dtype(self) -> str:
        """What the parameters lie in memory as: `parameters` if given, else the dtype, or float32 for a 16-bit one."""
        return self.parameters or ("float32" if self.dtype in ("float16", "bfloat16") else self.dtype)

    @property
    def arrays(self) -> tuple[str, ...]:
        """The arguments that are arrays, beside the parameters."""
        return {"value": ("x",), "product": ("x", "_g"), "double": ("x", "_g", "_gg"), "output": ("_y", "_g")}[
            self.form
        ]

    @property
    def outputs(self) -> int:
        """How many results there are."""
        return 2 if self.form == "double" else 1


@dataclass(frozen=True)
class Kernel:
    """A loop that can be called: `address` is that of `void (char **args, intp *dimensions, intp *steps, void *data)`.

    `args` holds the arrays, then one pointer a parameter (of `request.parameter_dtype`), then the outputs.
    """

    request: Request
    address: int
    source: str
    call: Any = field(repr=False, compare=False)
    """The function, called without the interpreter's lock."""
    keeps: Any = field(repr=False, compare=False)

    @cached_property
    def pointers(self) -> Any:
        """The C type of the loop's array of pointers."""
        request = self.request
        return ctypes.c_void_p * (len(request.arrays) + len(request.definition.parameters) + request.outputs)

    @cached_property
    def dense_steps(self) -> Any:
        """The steps over dense arrays, with one value a parameter."""
        request, size = self.request, ITEMSIZE[self.request.dtype]
        steps = [*[size] * len(request.arrays), *[0] * len(request.definition.parameters), *[size] * request.outputs]
        return (ctypes.c_ssize_t * len(steps))(*steps)

    @cached_property
    def _given(self) -> dict[tuple[float, ...], tuple[Any, list[int]]]:
        return {}

    def parameters_at(self, values: tuple[float, ...]) -> tuple[Any, list[int]]:
        """Memory with these values of the parameters, to be held while it is used, and the address of each."""
        found = self._given.get(values)
        if found is None:
            if len(self._given) > 64:
                self._given.clear()
            kind = ctypes.c_double if self.request.parameter_dtype == "float64" else ctypes.c_float
            memory = (kind * max(1, len(values)))(*values)
            at = ctypes.addressof(memory)
            found = self._given[values] = (memory, [at + i * ctypes.sizeof(kind) for i in range(len(values))])
        return found


@lru_cache(maxsize=1)
def prototype() -> Any:
    """The C type of a loop."""
    pointer = ctypes.c_void_p
    return ctypes.CFUNCTYPE(None, pointer, pointer, pointer, pointer)


_kernels: dict[Request, Kernel] = {}
_building = threading.RLock()
if hasattr(os, "register_at_fork"):  # a child that began in the middle of a build could never build anything
    os.register_at_fork(before=_building.acquire, after_in_parent=_building.release, after_in_child=_building.release)


def kernel(request: Request) -> Kernel:
    """The kernel of a request: from memory, else from the cache, else built now.

    Raises `UnprintableError` for a formula that has no kernel.
    """
    return _kernels.get(request) or ready(request) or to_its_end(_built, request)


def to_its_end(work: Callable[..., Any], *args: Any) -> Any:
    """`work(*args)` in a thread of its own: Ctrl-C is raised here at once, and never leaves Numba half loaded."""
    if threading.current_thread() is not threading.main_thread():
        return work(*args)
    future: Future[Any] = Future()

    def run() -> None:
        try:
            with _without_collector():
                result = work(*args)
            future.set_result(result)
        except BaseException as error:
            future.set_exception(error)

    try:
        threading.Thread(target=run, name="actfn-build").start()
    except RuntimeError:  # the interpreter is ending
        return work(*args)
    return future.result()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's collector of cycles is off meanwhile: it takes a tenth of a build, and finds modules that stay."""
    with _building:  # so that no other build sees it off
        was_on = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if was_on:
                gc.enable()


def _built(request: Request) -> Kernel:
    with _building:
        found = ready(request)
        if found is None:
            entry = _compiled(source(request))
            cache.store(_key(request), entry)
            address, keeps = _loaded(entry)
            _numbered[_number(request)] = request
            found = _kernels[request] = Kernel(request, address, entry.source, prototype()(address), keeps)
        return found


def ready(request: Request) -> Kernel | None:
    """The kernel of a request if it needn't be built: from memory or from the cache."""
    with _building:
        if request not in _kernels:
            entry = cache.load(_key(request))
            if entry is None:
                return None
            address, keeps = _loaded(entry)
            _numbered[_number(request)] = request
            _kernels[request] = Kernel(request, address, entry.source, prototype()(address), keeps)
        return _kernels[request]


@lru_cache(maxsize=4096)
def kernel_if_any(request: Request) -> Kernel | None:
    """The kernel of a request, or None for a formula that has none."""
    from actfn.formula.printers.target import UnprintableError

    try:
        return kernel(request)
    except UnprintableError:
        return None


def _key(request: Request) -> str:
    """A name for the entry that changes with everything its code depends on."""
    about = request.definition
    parts = [
        [about.name, about.formula, repr(about.conventions)],
        [[p.name, p.default, p.domain] for p in about.parameters],
        [
            _is_tried(request),
            request.order,
            *request.by,
            request.form,
            request.dtype,
            request.accuracy,
            request.parameter_dtype,
        ],
        _toolchain(),
    ]
    return f"{about.name}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]}"


@lru_cache(maxsize=1)
def tried_on_every_input() -> frozenset[str]:
    """What `benchmarks/exhaustive` found correct on all float32 inputs, each as `described` has it."""
    place = Path(__file__).with_name("correct.json")
    return frozenset(json.loads(place.read_text())) if place.exists() else frozenset()


def described(definition: Definition, order: int) -> str:
    """A derivative of a definition in words: its name, formula, conventions and default parameters."""
    defaults = ", ".join(f"{name}={value!r}" for name, value in definition.defaults.items())
    name = definition.name + "'" * order
    conventions = "" if definition.conventions == "left" else f" with {definition.conventions!r}"
    return f"{name}({', '.join(filter(None, ['x', defaults]))}): {definition.formula}{conventions}"


def _is_tried(request: Request) -> bool:
    return described(request.definition, request.order) in tried_on_every_input()


@lru_cache(maxsize=1)
def _toolchain() -> list[str]:
    """What turns a definition into code here: the versions, the CPU, and the code of this package that takes part."""
    import llvmlite
    import llvmlite.binding as llvm

    package = Path(__file__).parent.parent
    own = hashlib.sha256()
    for part in sorted([*(package / "formula").rglob("*.py"), *(package / "kernels").rglob("*.py")]):
        own.update(part.read_bytes())
    features = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(llvm.get_host_cpu_features().items()))
    numba = importlib.util.find_spec("numba")
    version = Path(numba.origin).with_name("_version.py").read_text() if numba and numba.origin else ""
    return [
        llvmlite.__version__,
        version,
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        features,
        own.hexdigest(),
    ]


# -- printing -----------------------------------------------------------------------------------------------------------


def program(request: Request, wide: bool = True) -> Program:
    """The steps of a request, over its arrays and the parameters.

    Where float32 arithmetic doesn't suffice for a narrow result, they are for float64 arithmetic, unless `wide` is false.
    """
    from sympy import Symbol

    from actfn.kernels.lower import combined, of_output
    from actfn.kernels.precision import float32_suffices

    g, gg = Symbol("_g", real=True), Symbol("_gg", real=True)  # no parameter begins with _
    if request.form == "output":
        from actfn.kernels.inverse import Y, from_output

        return of_output(request.definition, from_output(request.definition).slope, Y, g)
    factors = {"value": [(1, 0)], "product": [(g, 0)], "double": [(gg, 0), (g * gg, 1)]}[request.form]
    largest = sys.float_info.max if request.dtype == "float64" else LARGEST_FLOAT32
    about = request.definition, request.order, request.by, request.arrays, factors, largest
    if request.dtype == "float32" and request.accuracy == "fast":
        steps = combined(*about, beside_roots=True)
        if float32_suffices(request.definition, steps):
            return steps
    return combined(*about, wide=wide and request.dtype != "float64")


@lru_cache(maxsize=64)
def source(request: Request) -> str:
    """The Python source that is compiled: a scalar function and the loop around it."""
    from actfn.formula.printers.numba32 import NumbaFloat32Printer, NumbaWidePrinter
    from actfn.formula.printers.numba64 import NumbaFloat64Printer

    steps = _beside_ties(request, program(request))
    chosen = level(request, steps)
    printer = {"float64": NumbaFloat64Printer, "float32": NumbaFloat32Printer, "wide": NumbaWidePrinter}[chosen]()
    scalar = printer.scalar("scalar", steps.arguments, steps.assignments, steps.results)
    _check(printer)
    body = _loop(request, chosen, bool(printer.near_to), _error_to_test(request, steps))
    return _heading(request) + scalar + "\n\n" + body


def _beside_ties(request: Request, steps: Program) -> Program:
    """The steps, and for a 16-bit result one more, for where float64 can't tell it from a tie."""
    from sympy import Symbol

    if request.dtype not in ("float16", "bfloat16") or request.form != "value" or request.by:
        return steps
    from actfn.kernels.ties import beside_ties

    hair = beside_ties(request.definition, request.order, request.dtype)
    if hair == 1:
        return steps
    value = Symbol("_v", real=True)
    return replace(steps, assignments=(*steps.assignments, (value, steps.result)), results=(hair * value,))


def triton_source(request: Request) -> str:
    """The Triton code of a request, which `actfn.torch.gpu` runs. It computes in float64 for that dtype, else in float32."""
    from actfn.formula.printers.triton import TritonPrinter

    steps = program(request, wide=False)
    return TritonPrinter().kernel(
        request.definition.name,
        request.arrays,
        tuple(request.definition.defaults),
        steps.assignments,
        steps.results,
        doc=request.definition.formula,
    )


def _error_to_test(request: Request, steps: Program) -> float | None:
    """The error bound of a rounding test, for a request that rounds correctly; raises `NotShown` where there is none."""
    from actfn.kernels.correct import NotShown, relative_error

    if request.accuracy != "correct" or request.dtype != "float32" or request.form != "value":
        return None
    error = relative_error(steps)
    if error is None and not request.definition.parameters and _is_tried(request):
        return 0.0  # there is nothing else that it could be asked
    if error is None or len(request.definition.parameters) > 4:
        raise NotShown(f"{request.definition.name}: it isn't shown that this rounds correctly; write accuracy='fast'")
    return error


def _check(printer: Any) -> None:
    """Refuses, by name, a function that a level has no primitive for."""
    from actfn.formula.printers.target import UnprintableError

    try:
        module = importlib.import_module(f"actfn.kernels.primitives.{printer.arithmetic}")
    except ModuleNotFoundError:
        raise UnprintableError(f"there are no {printer.arithmetic} primitives") from None
    for name in sorted(printer.own()):
        if not hasattr(module, name):
            raise UnprintableError(f"kernels have no {name} in {printer.arithmetic} arithmetic")


def level(request: Request, steps: Program) -> str:
    """The arithmetic of a kernel, which is the module of primitives that it calls: "float32", "wide" or "float64".

    "wide" is float64 arithmetic for narrower results: always for 16-bit types and for "correct", and for "fast" where
    float32 arithmetic would lose more than a few ulps.
    """
    from actfn.kernels.precision import float32_suffices

    if request.dtype == "float64":
        return "float64"
    fast = request.dtype == "float32" and request.accuracy == "fast"
    return "float32" if fast and float32_suffices(request.definition, steps) else "wide"


def _heading(request: Request) -> str:
    what = "f" + "'" * request.order + "".join(f" by {name}" for name in request.by)
    form = {
        "value": what,
        "product": f"g*{what}",
        "double": f"gg*{what} and gg*g*{what}'",
        "output": "g*f' from y = f",
    }[request.form]
    return f'"""{request.definition.name}: {form} for {request.dtype}, {request.accuracy}.\n\n{request.definition.formula}\n"""\n\n'


def _loop(request: Request, level: str, near: bool, check: float | None = None) -> str:
    kind = request.dtype
    narrow_inputs = kind != level
    parameters = list(request.definition.defaults)
    names = [f"p{i}" for i in range(len(parameters))]
    parameter_kind = request.parameter_dtype
    arrays, outputs = list(request.arrays), [f"y{i}" for i in range(request.outputs)]
    widen = f"wide_{kind}" if narrow_inputs else "same"
    widen_parameter = f"wide_{parameter_kind}" if parameter_kind != level else "same"
    narrow = f"narrow_{kind}" if narrow_inputs else "same"
    used = {
        "apart",
        "forget_flags",
        "read",
        "write",
        f"at_{kind}",
        f"at_{parameter_kind}",
        widen,
        widen_parameter,
        narrow,
    }
    size, parameter_size = ITEMSIZE[kind], ITEMSIZE[parameter_kind]
    everything = [*arrays, *names, *outputs]
    position = {name: i for i, name in enumerate(everything)}

    def stored(indent: str, index: str, values: list[str], function: str = "scalar") -> str:
        call = f"{function}({', '.join(values)})"
        if len(outputs) == 1:
            return f"{indent}write({outputs[0]}, {index}, {narrow}({call}))\n"
        left = ", ".join(f"r{i}" for i in range(len(outputs)))
        each = "".join(f"{indent}write({y}, {index}, {narrow}(r{i}))\n" for i, y in enumerate(outputs))
        return f"{indent}{left} = {call}\n" + each

    def contiguous(name: str, fixed: bool) -> str:
        head = f"@contiguous\ndef {name}(n, {', '.join(everything)}):\n"
        values = [f"{widen}(read({a}, i))" for a in arrays]
        if fixed:
            head += "".join(f"    v{i} = {widen_parameter}({p}[0])\n" for i, p in enumerate(names))
            values += [f"v{i}" for i in range(len(names))]
        else:
            values += [f"{widen_parameter}(read({p}, i))" for p in names]
        if not (near and fixed):
            return f"{head}    for i in range(n):\n{stored('        ', 'i', values)}"
        each = "for i in range(start, stop):\n"
        return (
            f"{head}    for start in range(0, n, {BLOCK}):\n        stop = min(start + {BLOCK}, n)\n        count = 0\n"
            f"        {each}            count += is_near({', '.join(values)})\n        if count == stop - start:\n"
            f"            {each}{stored(' ' * 16, 'i', values, 'scalar_near')}        else:\n"
            f"            {each}{stored(' ' * 16, 'i', values)}"
        )

    def apart(inputs: list[str], size: int) -> list[str]:
        return [f"apart(args[{position[a]}], args[{position[y]}], n*{size})" for a in inputs for y in outputs]

    def pointer(name: str, offset: str = "") -> str:
        return f"at_{parameter_kind if name in names else kind}(args[{position[name]}]{offset})"

    text = f"from actfn.kernels.loops import {', '.join(sorted(used))}\n\n\n" + contiguous("with_scalars", True)
    if check is not None:
        used |= {"doubtful", "settle"}
        text = f"from actfn.kernels.loops import {', '.join(sorted(used))}\n\n\n" + contiguous("with_scalars", True)
        values = ["widen(read(x, i))".replace("widen", widen), *(f"v{i}" for i in range(len(names)))]
        text += f"\n\n@contiguous\ndef doubts(n, {', '.join(everything)}):\n    count = 0\n"
        text += "".join(f"    v{i} = {widen_parameter}({p}[0])\n" for i, p in enumerate(names))
        text += f"    for i in range(n):\n        count += doubtful(scalar({', '.join(values)}), {check!r})\n    return count\n"
    elif names:
        text += "\n\n" + contiguous("with_arrays", False)
    dense = " and ".join([*(f"steps[{position[a]}] == {size}" for a in [*arrays, *outputs]), *apart(arrays, size)])
    text += "\n\ndef loop(args, dimensions, steps, data):\n    n = dimensions[0]\n"
    fixed = " and ".join([*(f"steps[{position[p]}] == 0" for p in names), dense])
    if check is not None:
        return _forget(text + _checked(request, check, fixed, position, pointer, widen, widen_parameter))
    text += f"    if {fixed}:\n        with_scalars(n, {', '.join(map(pointer, everything))})\n"
    if names:
        steps = [f"steps[{position[p]}] == {parameter_size}" for p in names]
        each = " and ".join([*steps, dense, *apart(names, parameter_size)])
        text += f"    elif {each}:\n        with_arrays(n, {', '.join(map(pointer, everything))})\n"
    text += "    else:\n        for i in range(n):\n"
    for y in outputs:
        text += f"            {y} = {pointer(y, f' + i*steps[{position[y]}]')}\n"
    values = [f"{widen}({pointer(a, f' + i*steps[{position[a]}]')}[0])" for a in arrays]
    values += [f"{widen_parameter}({pointer(p, f' + i*steps[{position[p]}]')}[0])" for p in names]
    return _forget(text + stored("            ", "0", values))


def _forget(text: str) -> str:
    return text + "    forget_flags()\n"


def _checked(
    request: Request,
    error: float,
    fixed: str,
    position: dict[str, int],
    pointer: Callable[..., str],
    widen: str,
    widen_parameter: str,
) -> str:
    """The body of a loop that rounds correctly: a rounding test, and ball arithmetic for what fails it.

    Dense arrays are worked through without settling anything; only if an element was in doubt is it looked for. At the
    default parameters a kernel that was tried on every input needs no test.
    """
    names = [n for n in position if n.startswith("p")]
    everything = ", ".join(map(pointer, position))
    text = ""
    if _is_tried(request):
        defaults = request.definition.defaults.values()
        usual = [f"{widen_parameter}({pointer(n)}[0]) == {d!r}" for n, d in zip(names, defaults, strict=True)]
        text += f"    if {' and '.join([fixed, *usual])}:\n"
        text += f"        with_scalars(n, {everything})\n        forget_flags()\n        return\n"
    text += f"    sure = False\n    if {fixed} and args[{position['x']}] != args[{position['y0']}]:\n"
    text += f"        with_scalars(n, {everything})\n        sure = doubts(n, {everything}) == 0\n"
    text += "    if not sure:\n        for i in range(n):\n"
    for name in ("x", *names):
        read = widen if name == "x" else widen_parameter
        place = pointer(name, f" + i*steps[{position[name]}]")
        text += f"            {name} = {read}({place}[0])\n"
    padded = ", ".join(["x", *names, *["0.0"] * (4 - len(names))])
    text += f"            v = scalar({', '.join(['x', *names])})\n"
    text += f"            if doubtful(v, {error!r}):\n"
    text += f"                v = settle({_number(request)}, {padded})\n"
    result = pointer("y0", f" + i*steps[{position['y0']}]")
    return text + f"            write({result}, 0, narrow_float32(v))\n"


def _number(request: Request) -> int:
    """What a kernel calls itself when it has something settled."""
    return int(_key(request).rpartition("-")[2][:15], 16)


# -- compiling and loading ----------------------------------------------------------------------------------------------


def _compiled(text: str) -> cache.Entry:
    """The code of a printed source, whose function `loop` has the signature of a NumPy inner loop."""
    import numba
    from numba import types

    from actfn.kernels.printed import load

    _give_symbols()
    sizes = types.CPointer(types.intp)
    njit: Any = numba.njit
    cfunc: Any = numba.cfunc
    contiguous = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
    loop = load(text, "loop", {"contiguous": contiguous, "__name__": "actfn.kernels.generated"})
    compiled = cfunc(types.void(sizes, sizes, sizes, types.intp), error_model="numpy")(loop)
    code = compiled._library._get_compiled_object()
    return cache.Entry(compiled._wrapper_name, bytes(code), text)


def plain_loop(name: str, text: str) -> tuple[int, Any]:
    """The address of a loop that belongs to no formula, from the cache if it is there, and what must be kept for it."""
    key = f"{name}-{hashlib.sha256(json.dumps([text, _toolchain()]).encode()).hexdigest()[:40]}"
    entry = cache.load(key)
    if entry is None:
        entry = to_its_end(_compiled, text)
        cache.store(key, entry)
    return _loaded(entry)


_numbered: dict[int, Request] = {}


def _settle(number: int, x: float, *parameters: float) -> float:
    """f, or a derivative, at an element that a rounding test left in doubt: its float32 from ball arithmetic."""
    from actfn.reference import rounded_to_float32

    request = _numbered[number]
    values = dict(zip(request.definition.defaults, parameters, strict=False))
    try:
        return rounded_to_float32(request.definition, request.order, request.by, x, values)
    except KeyboardInterrupt:
        _thread.interrupt_main()  # an exception can't cross the loop; it is raised when the loop is done
        return math.nan


_UNUSED = (
    "NRT_Free",
    "NRT_MemInfo_call_dtor",
    "numba_do_raise",
    "numba_gil_ensure",
    "numba_gil_release",
    "numba_runtime_build_excinfo_struct",
    "numba_unpickle",
)
"""What Numba's wrapper would call if a loop raised; none can, but the linker wants an address."""


@lru_cache(maxsize=1)
def _give_symbols() -> None:
    """Tells LLVM's linker where the functions are that kernels name: it sees only what the process shows to all."""
    import llvmlite.binding as llvm

    mathematics = ctypes.CDLL(ctypes.util.find_library("m") or None)
    llvm.add_symbol("feclearexcept", ctypes.cast(mathematics.feclearexcept, ctypes.c_void_p).value)
    global _settle_address
    _settle_address = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, *[ctypes.c_double] * 5)(_settle)
    llvm.add_symbol("actfn_settle", ctypes.cast(_settle_address, ctypes.c_void_p).value)
    for name in _UNUSED:
        if not llvm.address_of_symbol(name):  # Numba's own, where it is loaded; it replaces ours where it comes later
            llvm.add_symbol(name, _stand_in_address())


def _loaded(entry: cache.Entry) -> tuple[int, Any]:
    """The address of the loop, and what must be kept for it to stay there."""
    import llvmlite.binding as llvm

    _give_symbols()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine()())
    engine.add_object_file(llvm.ObjectFileRef.from_data(entry.code))
    engine.finalize_object()
    address = engine.get_function_address(entry.symbol)
    if not address:
        raise RuntimeError(f"the compiled kernel has no {entry.symbol}")
    return address, engine


@lru_cache(maxsize=1)
def machine() -> Any:
    """Makes target machines for this CPU."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return lambda: target.create_target_machine(jit=True)


@lru_cache(maxsize=1)
def _stand_in_address() -> int:
    global _stand_in
    _stand_in = ctypes.CFUNCTYPE(None)(lambda: None)
    return ctypes.cast(_stand_in, ctypes.c_void_p).value or 0


_stand_in: Any = None
_settle_address: Any = None

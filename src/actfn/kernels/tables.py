"""Numbers of 16 bits are few: at fixed parameters a function of one is a table of 65,536, which is quicker than any formula.

f itself is looked up, and so is what its kernel gives, bit by bit. A backward pass looks up f' as a float32 and multiplies
it by the gradient in float32: that is rounded three times, so it is within 0.5 + 2^-15 ulps (bfloat16) or 0.5 + 2^-12
(float16) of g*f'(x). A slope below 2^-126 has the fewer places of float32's subnormals, and is 0 below those.
"""

from __future__ import annotations

import ctypes
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from actfn.kernels.build import ITEMSIZE, Kernel, kernel_if_any, plain_loop
from actfn.kernels.direct import packed
from actfn.kernels.threads import run

SIZE = 1 << 16
"""So many entries has a table. It is made as quickly as a kernel computes so many elements, and pays from there on."""
_TABLED = ("value", "product", "output")
"""Forms that are a function of the first array, times the second if there is one."""


def bound(kernel: Kernel, numbers: tuple[float, ...]) -> bytes | None:
    """The loop that looks up what a kernel computes at these parameters, as `direct.called` takes it; None for other kernels."""
    request = kernel.request
    if ITEMSIZE[request.dtype] != 2 or request.form not in _TABLED:
        return None
    table = _values(kernel, numbers) if request.form == "value" else _slopes(kernel, numbers)
    if table is None:
        return None
    address, steps, _ = _loop(request.dtype, len(request.arrays))
    return packed(address, steps, len(request.arrays), 1, table.tobytes())


def _values(kernel: Kernel, numbers: tuple[float, ...]) -> np.ndarray:
    """f of every number, as the kernel gives it, shape (65536,), dtype uint16."""
    every, found = np.arange(SIZE, dtype=np.uint16), np.empty(SIZE, np.uint16)
    held, parameters = kernel.parameters_at(numbers)
    run(kernel, SIZE, [every.ctypes.data], parameters, [found.ctypes.data])
    del held
    return found


def _slopes(kernel: Kernel, numbers: tuple[float, ...]) -> np.ndarray | None:
    """What the gradient is multiplied by, shape (65536,), dtype float32; None where float32 hasn't the range for it."""
    exact = kernel_if_any(replace(kernel.request, dtype="float64", parameters=""))
    if exact is None:
        return None
    every = np.arange(SIZE, dtype=np.uint16)
    bits = (
        every.view(np.float16)
        if kernel.request.dtype == "float16"
        else (every.astype(np.uint32) << 16).view(np.float32)
    )
    with np.errstate(invalid="ignore"):  # some of the NaN are signalling ones
        x = bits.astype(np.float64)
    ones, found = np.ones(SIZE), np.empty(SIZE)
    held, parameters = exact.parameters_at(tuple(float(np.float32(n)) for n in numbers))
    run(exact, SIZE, [x.ctypes.data, ones.ctypes.data], parameters, [found.ctypes.data])
    del held
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        single = found.astype(np.float32)
    return None if (np.isfinite(x) & np.isfinite(found) & np.isinf(single)).any() else single


@lru_cache(maxsize=4)
def _loop(dtype: str, arrays: int) -> tuple[int, Any, Any]:
    """The address of the loop over one array, or over one and the gradient; its steps; and what must be kept for it."""
    if arrays == 1:
        names, entries, size = "x, table, y", f"at_{dtype}", 2
        result = "read(table, read(x, i))"
    else:
        names, entries, size = "x, g, table, y", "at_float32", 4
        result = f"rounded_{dtype}(single_{dtype}(read(g, i))*read(table, read(x, i)))"
    used = {f"at_{dtype}", entries, "read", "write"}
    used |= {f"rounded_{dtype}", f"single_{dtype}"} if arrays > 1 else set()
    given = [f"{entries if name == 'table' else f'at_{dtype}'}(args[{i}])" for i, name in enumerate(names.split(", "))]
    text = (
        f'"""A table of {size} bytes an entry, looked up for {dtype}."""\n\n'
        f"from actfn.kernels.loops import {', '.join(sorted(used))}\n\n\n"
        f"@contiguous\ndef looked_up(n, {names}):\n    for i in range(n):\n        write(y, i, {result})\n\n\n"
        f"def loop(args, dimensions, steps, data):\n    looked_up(dimensions[0], {', '.join(given)})\n"
    )
    address, keeps = plain_loop(f"table-{dtype}-{arrays}", text)
    return address, (ctypes.c_ssize_t * (arrays + 2))(*[2] * arrays, 0, 2), keeps

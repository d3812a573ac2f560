"""Calling a loop over long arrays: in chunks, over a pool of threads of our own.

Loops run without the interpreter's lock, so plain Python threads do; Numba's own threading layers are never started
(one of them ends the process when two callers use it at once). A child of `fork` begins with no pool and makes its own.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from actfn.kernels.build import ITEMSIZE, Kernel

GRAIN = 65_536
"""A chunk is at least so long: handing one over costs as much as computing some 50,000 elements."""

_threads = 0
_pools: dict[int, ThreadPoolExecutor] = {}
_making = threading.Lock()


def set_num_threads(count: int) -> None:
    """How many threads a call may use from now on; 0 is as many as there are processors. PyTorch calls follow PyTorch.

    Raises `ValueError` for a negative count.
    """
    global _threads
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ValueError(
            f"the number of threads is a whole number from 0 (as many as there are processors), not {count!r}"
        )
    _threads = count


def get_num_threads() -> int:
    """How many threads a call may use."""
    return _threads or _processors()


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def run(
    kernel: Kernel, n: int, arrays: Sequence[int], parameters: Sequence[int], outputs: Sequence[int], threads: int = 1
) -> None:
    """One call over n dense elements: addresses of the arrays, of one value a parameter, and of the outputs."""
    function, pointers, steps = kernel.call, kernel.pointers, kernel.dense_steps
    if threads < 2 or n < 2 * GRAIN:
        function(pointers(*arrays, *parameters, *outputs), ctypes.byref(ctypes.c_ssize_t(n)), steps, None)
        return
    size = ITEMSIZE[kernel.request.dtype]

    def part(start: int, stop: int) -> None:
        at = start * size
        moved = pointers(*(a + at for a in arrays), *parameters, *(y + at for y in outputs))
        function(moved, ctypes.byref(ctypes.c_ssize_t(stop - start)), steps, None)

    each_part(n, threads, part)


def each_part(n: int, threads: int, work: Callable[[int, int], object]) -> None:
    """`work(start, stop)` for parts that make up range(n), at once in as many threads; raises what a part raised."""
    parts = max(1, min(threads, n // GRAIN))
    chunk = -(-n // parts // 64) * 64  # whole cache lines, so that no two threads write to one
    if parts == 1:
        work(0, n)
        return
    pool = _pool(parts - 1)
    waiting: list[Future[object]] = []
    try:
        for at in range(chunk, n, chunk):
            part = (at, min(at + chunk, n))
            try:
                waiting.append(pool.submit(work, *part))
            except RuntimeError as error:
                if "shutdown" not in str(error):
                    raise
                work(*part)  # the interpreter is ending, and no thread takes work any more
        work(0, min(chunk, n))
    finally:
        wait(waiting)  # a caller that fails, or is interrupted, gives back memory that no part may still write to
    for future in waiting:
        future.result()


def _pool(workers: int) -> ThreadPoolExecutor:
    pool = _pools.get(workers)
    if pool is None:
        with _making:
            pool = _pools.setdefault(workers, ThreadPoolExecutor(workers, thread_name_prefix="actfn"))
    return pool


def _forget() -> None:
    """In a child of fork: the threads are gone, and a lock may have been held when it was made."""
    global _making
    _pools.clear()
    _making = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

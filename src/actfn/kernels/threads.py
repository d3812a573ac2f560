"""Calling a loop over long arrays: in parts, over threads of our own.

Loops run without the interpreter's lock, so plain Python threads do; Numba's own threading layers are never started
(one of them ends the process when two callers use it at once). The caller begins at once, and a thread that has woken
up takes parts that nobody has taken: one that comes late, or not at all, holds nobody up. A child of `fork` begins
with no threads and makes its own. Tensors use PyTorch's threads where they can (`actfn.torch.openmp`).
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from actfn.kernels.build import ITEMSIZE, Kernel

GRAIN = 65_536
"""A part is at least so long: waking a thread up costs as much as computing some 50,000 elements."""
PARTS = 4
"""So many parts a thread, so that what one is late the others make up for."""

_threads = 0
_helpers = 0
_waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
"""What helpers are asked to do."""
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


def part_of(n: int, threads: int) -> int:
    """How many elements a part has: whole cache lines, so that no two threads write to one."""
    return -(-n // max(1, min(n // GRAIN, PARTS * threads)) // 64) * 64


def each_part(n: int, threads: int, work: Callable[[int, int], object]) -> None:
    """`work(start, stop)` for parts that make up range(n), at once in as many threads; raises what a part raised."""
    if threads < 2 or n < 2 * GRAIN:
        work(0, n)
        return
    chunk = part_of(n, threads)
    parts = deque((at, min(at + chunk, n)) for at in range(0, n, chunk))
    at_work: list[Any] = []
    failures: list[BaseException] = []

    def take() -> tuple[int, int] | None:
        try:
            return parts.popleft()
        except IndexError:
            return None

    def help_out() -> None:
        lock = threading.Lock()
        with lock:
            at_work.append(lock)  # before a part is taken: a caller who sees no parts left sees who has the last ones
            while part := take():
                try:
                    work(*part)
                except BaseException as error:
                    failures.append(error)

    _ask(min(threads, len(parts)) - 1, help_out)
    try:
        while part := take():
            work(*part)
    finally:
        parts.clear()
        for lock in list(at_work):  # a caller that fails gives back memory that no part may still write to
            lock.acquire()
    if failures:
        raise failures[0]


def _ask(count: int, work: Callable[[], None]) -> None:
    """Has as many helpers do a work as soon as they wake up, if there are so many."""
    global _helpers
    if _helpers < count:
        with _making:
            try:
                while _helpers < count:
                    threading.Thread(target=_serve, args=[_waiting], name="actfn", daemon=True).start()
                    _helpers += 1
            except RuntimeError:  # the interpreter is ending, and no thread begins any more
                pass
    for _ in range(min(count, _helpers)):
        _waiting.put(work)


def _serve(waiting: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        waiting.get()()


def _forget() -> None:
    """In a child of fork: the threads are gone, and a lock may have been held when it was made."""
    global _helpers, _making, _waiting
    _helpers, _making, _waiting = 0, threading.Lock(), SimpleQueue()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

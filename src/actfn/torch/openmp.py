"""The threads that PyTorch's own operators run on, for loops of ours.

Two pools would be two sets of threads on the same processors: OpenMP's go on looking for work for a while after an
operator, and one of ours that wakes up meanwhile waits for its turn. Where PyTorch was built with OpenMP, its runtime
is asked for the same threads, which costs a microsecond or two. Elsewhere, and in a child of `fork`, where OpenMP's
threads are gone and its runtime may wait for them, `kernels.threads` has threads of ours.
"""

from __future__ import annotations

import ctypes
import os

import torch


def _found() -> int:
    """The address of GOMP_parallel in the runtime that PyTorch is linked with; 0 where there is none."""
    if not torch.backends.openmp.is_available():
        return 0
    try:
        library = ctypes.CDLL(torch._C.__file__)  # a symbol is looked for in what a library is linked with, too
        return ctypes.cast(library.GOMP_parallel, ctypes.c_void_p).value or 0
    except (AttributeError, OSError, TypeError):
        return 0


team = _found()


def _forget() -> None:
    global team
    team = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

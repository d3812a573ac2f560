"""Memory for large results: in huge pages, and used again when nothing refers to it any more.

glibc maps fresh pages for every block from 32 MiB on and gives them back when it is freed, so a result of 64 MiB costs
some 16,000 page faults and the zeroing of what the loop then overwrites, several times the loop itself. NumPy asks for huge
pages, PyTorch does not. Blocks that were freed are kept for the next result of their size, up to a bound
(`set_kept_memory`).
"""

from __future__ import annotations

import os
import sys
import threading

import numpy as np
import torch

LARGE = 32 << 20
"""From this many bytes on. Smaller memory is used again by glibc itself."""

_kept: list[np.ndarray] = []
"""Blocks that were given out, the oldest first; one that only this list refers to is free."""
_most = 256 << 20
_choosing = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_choosing.acquire, after_in_parent=_choosing.release, after_in_child=_choosing.release)


def set_kept_memory(size: int) -> None:
    """How many bytes of large results are kept for use again, beside those in use: 256 MiB unless told otherwise; 0 for none.

    Raises `ValueError` for a negative size.
    """
    global _most
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ValueError(f"the memory to keep is a whole number of bytes from 0, not {size!r}")
    with _choosing:
        _most = size
        _trim()


def storage(size: int) -> torch.UntypedStorage:
    """Uninitialised memory of a size in bytes that only the caller refers to."""
    with _choosing:
        for block in _kept:
            if block.nbytes == size and sys.getrefcount(block) == _ONLY_KEPT:
                return torch.from_numpy(block).untyped_storage()
        block = np.empty(size, np.uint8)
        found = torch.from_numpy(block).untyped_storage()
        if size <= _most:
            _kept.append(block)
            _trim()
    return found


def _references() -> int:
    """What `sys.getrefcount` says in a loop over a list of something that only the list refers to."""
    for block in [np.empty(1, np.uint8)]:
        return sys.getrefcount(block)
    raise AssertionError


_ONLY_KEPT = _references()


def _trim() -> None:
    """Lets go of the oldest blocks until those kept, in use or not, fit the bound; what is in use lives on with its tensor."""
    while sum(block.nbytes for block in _kept) > _most:
        _kept.pop(0)

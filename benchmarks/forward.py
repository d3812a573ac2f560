"""How fast is ELU forward? Against every peer, from 1 to 16 M elements, into a given array and as a fresh one.

Into a given array (`out=`) it is the ufunc, as a fresh one the PyTorch function; that of NumPy runs beside it. The limit
is `np.copyto` into an array that was touched before: the same bytes, and nothing computed.
"""

from __future__ import annotations

import numpy as np
import torch

import actfn
import actfn.numpy
import actfn.torch
from benchmarks import peers
from benchmarks.report import Record, main

INTO = (64, 1024, 4096, 16_384, 65_536, 1 << 20, 1 << 24)
FRESH = (1, *INTO)


def measure(record: Record) -> None:
    """Every row of the question."""
    one = record.threads == 1
    for dtype in ("float32", "float64"):
        ours = actfn.get("elu").ufunc(alpha=1.0)
        for size in record.sizes(*INTO):
            targets = {}
            if one and dtype == "float32":
                targets = {65_536: {"torch": 6.0}, 1 << 20: {"torch": 6.0}, 1 << 24: {"copyto": 0.85}}.get(size, {})
            elif one and size == 65_536:
                targets = {"torch": 4.0}
            into(record, f"forward, {dtype}, out=, {size:,}", ours, dtype, size, targets)
        for size in record.sizes(*FRESH):
            small = one and dtype == "float32" and size <= 4096
            fresh(record, dtype, size, {"torch": 0.95} if small else {})
    if one:
        correct = actfn.get("elu").ufunc(accuracy="correct", alpha=1.0)
        for size in record.sizes(65_536, 1 << 20):
            label = f"forward, correctly rounded, float32, out=, {size:,}"
            into(record, label, correct, "float32", size, {"torch": 2.0}, accuracy="correct")
        for size in record.sizes(65_536):
            label = f"the ufunc called as elu(x, 1.0, out), float32, {size:,}"
            into(record, label, actfn.numpy.elu, "float32", size, {"torch": 5.0, "NumPy": 20.0}, 1.0)


def into(
    record: Record,
    label: str,
    ours: np.ufunc,
    dtype: str,
    size: int,
    targets: dict[str, float],
    *parameters: float,
    accuracy: str = "fast",
) -> None:
    """Into an array that is there already, by a ufunc of x and the parameters."""
    x = peers.normal(size, dtype)
    out = np.zeros_like(x)
    calls = peers.elu_into(record, x, out)
    if parameters:
        (alpha,) = parameters

        def call() -> object:
            return ours(x, alpha, out)
    else:

        def call() -> object:
            return ours(x, out)

    peers.checked({"actfn": call}, np.where(x > 0, x, np.expm1(x)), out)
    case = {"pass": "forward", "dtype": dtype, "size": size, "output": "out", "accuracy": accuracy}
    case |= {"called": f"elu(x, {', '.join([*map(str, parameters), 'out'])})"}
    record.compare(label, case, call, calls, targets)


def fresh(record: Record, dtype: str, size: int, targets: dict[str, float]) -> None:
    """As a fresh tensor."""
    x = peers.normal(size, dtype)
    tx = torch.from_numpy(x)
    elu, ufunc = actfn.torch.elu, actfn.get("elu").ufunc(alpha=1.0)
    calls = {**peers.elu_fresh(record, x), "actfn.numpy": lambda: ufunc(x)}
    peers.checked({"actfn": lambda: elu(tx)}, np.where(x > 0, x, np.expm1(x)))
    case = {"pass": "forward", "dtype": dtype, "size": size, "output": "fresh"}
    record.compare(f"forward, {dtype}, fresh, {size:,}", case, lambda: elu(tx), calls, targets)


if __name__ == "__main__":
    main("forward", measure, __doc__, threads=(1, 2))

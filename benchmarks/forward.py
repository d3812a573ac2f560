"""How fast is ELU forward? Against every peer, from 1 to 16 M elements, into a given array and as a fresh one.

Into a given array (`out=`) it is the ufunc, which works in one thread however many there are; as a fresh one it is the
PyTorch function, with the call of the activation on a NumPy array beside it. The limit is `np.copyto` into an array that
was touched before: the same bytes, and nothing computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

import actfn
import actfn.numpy
import actfn.torch
from benchmarks import peers
from benchmarks.report import Record, main

INTO = (64, 1024, 4096, 16_384, 65_536, 1 << 20, 1 << 24)
FRESH = (1, *INTO)
TARGETS: dict[tuple[str, int], Mapping[str, float]] = {
    ("float32", 65_536): {"torch": 6.0},
    ("float32", 1 << 20): {"torch": 6.0},
    ("float32", 1 << 24): {"copyto": 0.85},
    ("float64", 65_536): {"torch": 4.0},
}
"""Into a given array, at one thread."""


def measure(record: Record) -> None:
    """Every row of the question."""
    elu = actfn.get("elu")
    one = record.threads == 1
    fixed = elu.ufunc(alpha=1.0)
    for dtype in ("float32", "float64"):
        for size in record.sizes(*INTO):
            targets = TARGETS.get((dtype, size), {}) if one else {}
            into(record, f"forward, {dtype}, out=, {size:,}", targets, fixed, dtype, size)
        for size in record.sizes(*FRESH):
            never_slower = one and dtype == "float32" and size <= 4096
            fresh(record, dtype, size, {"torch": 0.95} if never_slower else {})
    if one:
        correct = elu.ufunc(accuracy="correct", alpha=1.0)
        for size in record.sizes(65_536, 1 << 20):
            label = f"forward, correctly rounded, float32, out=, {size:,}"
            into(record, label, {"torch": 2.0}, correct, "float32", size, accuracy="correct")
        for size in record.sizes(65_536):
            label, targets = f"the ufunc as elu(x, 1.0, out), float32, {size:,}", {"torch": 5.0, "NumPy": 20.0}
            into(record, label, targets, actfn.numpy.elu, "float32", size, 1.0, parameters="given")


def into(
    record: Record,
    label: str,
    targets: Mapping[str, float],
    ours: Any,
    dtype: str,
    size: int,
    *parameters: float,
    **odd: str,
) -> None:
    """Into an array that is there already, by a ufunc of x and the parameters; `odd` is put into the case."""
    x = peers.normal(size, dtype)
    out = np.zeros_like(x)
    arguments = (x, *parameters, out)
    case = {"pass": "forward", "function": "elu", "dtype": dtype, "size": size, "output": "out", **odd}
    calls = peers.elu_into(record, x, out)
    peers.checked({"actfn": lambda: ours(*arguments)}, np.where(x > 0, x, np.expm1(x)), out)
    record.compare(label, case, lambda: ours(*arguments), calls, targets)


def fresh(record: Record, dtype: str, size: int, targets: Mapping[str, float]) -> None:
    """As a fresh tensor."""
    x = peers.normal(size, dtype)
    tx = torch.from_numpy(x)
    elu, activation = actfn.torch.elu, actfn.get("elu")
    case = {"pass": "forward", "function": "elu", "dtype": dtype, "size": size, "output": "fresh"}
    calls = {**peers.elu_fresh(record, x), "actfn (NumPy)": lambda: activation(x)}
    peers.checked({"actfn": lambda: elu(tx)}, np.where(x > 0, x, np.expm1(x)))
    record.compare(f"forward, {dtype}, fresh, {size:,}", case, lambda: elu(tx), calls, targets)


if __name__ == "__main__":
    main("forward", measure, __doc__, threads=(1, 2))

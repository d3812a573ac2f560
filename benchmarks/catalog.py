"""How fast is each function of the catalog, forward, at 65,536 elements?

Against PyTorch's own function with `out=` where PyTorch has that; else both make a fresh array. The geometric means are
over whole groups, so that no function is picked, but for GELU, whose left tail PyTorch has wrong; a function whose
pieces are polynomials (a cheap select) is at the limit of the memory in PyTorch already, and is held to not being
slower. A function that PyTorch lacks has a row against the expression that we print for PyTorch, run eagerly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import sympy
import torch

from actfn.catalog import entries
from actfn.definition import Definition
from actfn.formula.functions import X
from actfn.formula.pieces import unfold
from actfn.formula.printers import UnprintableError
from actfn.kernels.ufunc import ufunc
from actfn.torch.printed import printed
from benchmarks import peers
from benchmarks.report import Record, Row, main
from benchmarks.timing import Spread

SIZE = 65_536
DEAR = 0.5e-9
"""Seconds an element from which on a function of PyTorch's is dear."""


def measure(record: Record) -> None:
    """A row a function, then the groups."""
    rows: dict[str, Row] = {}
    record.skip("torch.nn.Identity", "hands its argument on, so that there is nothing to time")
    theirs = [entry for entry in entries().values() if "torch" in entry.aliases and entry.name != "identity"]
    others = [entry for entry in entries().values() if "torch" not in entry.aliases]
    if record.quick:
        theirs, others = theirs[::5], others[::20]
    for entry in theirs:
        row = forward(record, entry, *record.sizes(SIZE))
        if row:
            rows[entry.name] = row
    summarise(record, rows)
    for entry in others:
        against_the_expression(record, entry, *record.sizes(SIZE))


def forward(record: Record, entry: Definition, size: int) -> Row | None:
    """One function against PyTorch's."""
    x = peers.normal(size)
    out = np.zeros_like(x)
    native = native_module(entry)
    if native is None:
        return record.skip(entry.aliases["torch"], "can't be made from its name and the default parameters")
    tx, tout = torch.from_numpy(x), torch.from_numpy(out)
    expected = native(tx)
    into = native_into(entry.name, tx, expected)
    ours = ufunc(entry, fixed=entry.defaults)
    peers.checked({"actfn": lambda: ours(x)}, expected.numpy())
    case = {"pass": "forward", "function": entry.name, "dtype": "float32", "size": size}
    case |= {"output": "out" if into else "fresh", "cheap": is_cheap(entry)}
    label = f"{entry.name}{' (fresh: torch has no out=)' if into is None else ''}"
    if into is None:
        return record.compare(label, case, lambda: ours(x), {"torch": lambda: native(tx)})
    return record.compare(label, case, lambda: ours(x, out), {"torch": lambda: into(tx, out=tout)})


def against_the_expression(record: Record, entry: Definition, size: int) -> Row | None:
    """One function that PyTorch lacks against its printed expression; both make fresh arrays."""
    x = peers.normal(size)
    tx, code = torch.from_numpy(x), printed(entry)
    try:
        ours = ufunc(entry, fixed=entry.defaults)
    except UnprintableError as reason:
        return record.skip(entry.name, str(reason))
    values = tuple(entry.defaults.values())
    if not np.allclose(ours(x), code(tx, *values).numpy(), rtol=1e-3, atol=1e-4, equal_nan=True):
        return record.skip(entry.name, "the expression loses too much in float32 to be compared with")
    case = {"pass": "forward", "function": entry.name, "dtype": "float32", "size": size, "output": "fresh"}
    label = f"{entry.name} (against the expression)"
    return record.compare(label, case, lambda: ours(x), {"torch expression": lambda: code(tx, *values)})


def native_module(entry: Definition) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """PyTorch's function of an alias: the function itself, or what a module of it calls."""
    home: Any = torch
    for part in entry.aliases["torch"].removeprefix("torch.").split("."):
        home = getattr(home, part, None)
    if not isinstance(home, type):
        return home
    for parameters in ({}, entry.defaults):
        try:
            return home(**parameters).eval().requires_grad_(False).forward
        except TypeError:
            continue
    return None


def native_into(name: str, x: torch.Tensor, expected: torch.Tensor) -> Callable[..., Any] | None:
    """PyTorch's function with `out=`, if it has one of this name with the same defaults."""
    for home in (torch._C._nn, torch, torch.nn.functional):  # pyright: ignore[reportAttributeAccessIssue]
        function = getattr(home, name, None)
        try:
            if function and torch.equal(function(x, out=torch.empty_like(x)), expected):
                return function
        except (TypeError, RuntimeError):  # it has no out=, or takes more than x
            continue
    return None


def is_cheap(entry: Definition) -> bool:
    """Whether every piece is a polynomial in x."""
    expression = unfold(entry.expression)
    pieces = [piece.expr for found in expression.atoms(sympy.Piecewise) for piece in found.args]
    return all(
        part.replace(lambda e: isinstance(e, sympy.Piecewise), lambda e: X).is_polynomial(X)
        for part in [expression, *pieces]
    )


def summarise(record: Record, rows: dict[str, Row]) -> None:
    """The groups, as rows of their own."""
    rows = {name: row for name, row in rows.items() if name != "gelu"}  # PyTorch's left tail is wrong, and quick
    dear = {n: r for n, r in rows.items() if r.times["torch"].median > DEAR * r.case["size"]}
    cheap = {n: r for n, r in rows.items() if r.case["cheap"]}
    groups = [
        ("functions that cost torch over 0.5 ns an element, geometric mean", dear, geometric_mean, 4.0),
        ("all functions that torch has, geometric mean", rows, geometric_mean, 2.0),
        ("cheap selects, the slowest of them", cheap, slowest, 0.9),
    ]
    for label, group, of, target in groups:
        if group:
            found = of([row.ratios["torch"] for row in group.values()])
            case = {"functions": list(group), "threads": record.threads}
            record.add(Row(label, case, ratios={"torch": found}, targets={"torch": target}))


def geometric_mean(ratios: Iterable[Spread]) -> Spread:
    """Quartile by quartile."""
    return Spread(*(math.exp(sum(map(math.log, column)) / len(column)) for column in zip(*ratios, strict=True)))


def slowest(ratios: Iterable[Spread]) -> Spread:
    """The one whose median is smallest."""
    return min(ratios, key=lambda ratio: ratio.median)


if __name__ == "__main__":
    main("catalog", measure, __doc__)

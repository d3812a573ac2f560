"""The file of what was found, a row for each kernel, and the page that is made from it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actfn import catalog, files
from actfn.kernels import build
from actfn.kernels.build import Kernel, Request
from benchmarks import machine
from benchmarks.exhaustive.judging import EXAMPLES, Tally
from benchmarks.exhaustive.others import widened
from benchmarks.exhaustive.scan import calling
from benchmarks.exhaustive.truth import Truth

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks/results/exhaustive.json"
PAGE = ROOT / "docs/accuracy.md"
CORRECT = Path(build.__file__).with_name("correct.json")

Row = Mapping[str, Any]


class Results:
    """The rows that were found, and how far an unfinished kernel got, in one file that is written whole."""

    def __init__(self, path: Path = RESULTS):
        self.path = path
        data = json.loads(path.read_text()) if path.exists() else {}
        self.machine: dict[str, Any] = data.get("machine", {})
        self.rows: list[dict[str, Any]] = data.get("kernels", [])
        self.unfinished: dict[str, Any] = data.get("unfinished", {})
        self.refused: list[list[Any]] = data.get("refused", [])
        """[entry, order] of what "correct" is refused for."""

    def row(self, request: Request, source: str) -> dict[str, Any] | None:
        key = _key(request)
        return next((r for r in self.rows if _row_key(r) == key and r["source"] == source), None)

    def has(self, request: Request) -> bool:
        return any(_row_key(r) == _key(request) for r in self.rows)

    def drop(self, request: Request) -> None:
        """Forgets what was found of a kernel."""
        self.rows = [r for r in self.rows if _row_key(r) != _key(request)]
        self.save()

    def put(self, row: dict[str, Any]) -> None:
        self.rows = sorted([*(r for r in self.rows if _row_key(r) != _row_key(row)), row], key=_row_key)
        self.save()

    def refuse(self, name: str, order: int, refused: bool) -> None:
        """Keeps whether "correct" is refused."""
        if refused != ([name, order] in self.refused):
            others = [pair for pair in self.refused if pair != [name, order]]
            self.refused = sorted([*others, [name, order]] if refused else others)
            self.save()

    def save(self) -> None:
        self.machine = machine.facts()
        data = {"machine": self.machine, "kernels": self.rows, "unfinished": self.unfinished, "refused": self.refused}
        files.write_json(self.path, data)

    def correct(self) -> list[str]:
        """Each float32 kernel whose accuracy "correct" was shown on every input, as `build.described` has it."""
        counts = ("misrounded", "misrounded_without_test", "nan", "not_decided", "specials_wrong")
        found = [
            build.described(catalog.find(r["entry"]), r["order"])
            for r in self.rows
            if (r["dtype"], r["arithmetic"], r["method"]) == ("float32", "wide", "exhaustive")
            and not any(r.get(c) for c in counts)
        ]
        return list(dict.fromkeys(found))  # "fast" may be the same code


def is_open(row: Row) -> bool:
    """Whether a row leaves something open that a better checker may settle: inputs undecided, a distance infinite."""
    return bool(row["not_decided"]) or (row["max_ulp"] == "infinite" and "overflow_early" not in row)


def _key(request: Request) -> tuple[Any, ...]:
    return request.definition.name, request.order, request.dtype, request.accuracy


def _row_key(row: Row) -> tuple[Any, ...]:
    return row["entry"], row["order"], row["dtype"], row["accuracy"]


def new_row(
    kernel: Kernel, source: str, tally: Tally, inputs: int, seconds: float, method: str, wrong: int
) -> dict[str, Any]:
    """The row of a kernel. Of "correct", as those who call it get it: a rounding test changes results to Arb's alone."""
    request, found = kernel.request, tally.as_json()
    del found["examples"], found["caught"]
    if request.accuracy == "correct" and request.dtype == "float32":
        found["misrounded_without_test"] = tally.misrounded
        found["misrounded"] = tally.misrounded - tally.caught
        if not found["misrounded"]:
            found["max_ulp"] = min(tally.max_ulp, 0.5)
            found["overflow_early"] = 0
    truth = Truth(request.definition, request.order, request.dtype)
    worst: list[float] = [] if tally.at is None else [tally.at]
    shown = [
        {"x": x, "got": str(_single(kernel, x)), "true": str(truth.rounded(x))}
        for x in dict.fromkeys([*worst, *tally.examples[:EXAMPLES]])
        if found["misrounded"] or not tally.caught  # without its test, the kernel here gives something else
    ]
    return {
        "entry": request.definition.name,
        "order": request.order,
        "dtype": request.dtype,
        "accuracy": request.accuracy,
        "arithmetic": build.level(request, build.program(request)),
        "method": method,
        "inputs": inputs,
        **found,
        "specials_wrong": wrong,
        "examples": shown,
        "seconds": round(seconds, 1),
        "source": source,
    }


def _single(kernel: Kernel, x: float) -> float:
    """The result at one input."""
    kind = {"float32": np.float32, "float64": np.float64, "float16": np.float16}.get(kernel.request.dtype)
    given = np.array([x], kind or np.float32)
    if kind is None:  # bfloat16
        given = (given.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    out = np.empty_like(given)
    calling(kernel)(given, out)
    return float(widened(out, "bfloat16")[0] if kind is None else out[0])


# -- the page -----------------------------------------------------------------------------------------------------------

HEAD = ("", "float32: max ulp", "at", "`correct`: misrounded", "float16", "bfloat16", "float64: max ulp", "NaN")


def page(results: Results) -> str:
    """docs/accuracy.md: what the table says, the table, and what is wrong where."""
    about = results.machine
    place = f"{about.get('cpu')} ({about.get('target')}), LLVM {about.get('llvm')}, {about.get('date')}"
    return "\n\n".join(
        [
            "# Accuracy of every kernel",
            "f and f' of every entry at default parameters. Of float32, float16 and bfloat16 every number was tried, of "
            "float64 a sample that gathers around its worst. A distance is in units of the last place of the true value, "
            "which ball arithmetic decides where float64 with a bound of its error leaves it open; an infinite result counts "
            "as 2^128.",
            'The first column of numbers is the largest error of `accuracy="fast"` in float32, the next where it is. Then '
            'how many results are not correctly rounded: of `accuracy="correct"` in float32 (no: it is refused, since correct '
            "rounding isn't shown), and of the 16-bit types. NaN: how many finite inputs, of any dtype, give NaN. A ? "
            "says that so many more inputs could not be decided.",
            f"Measured on {place}, by `make exhaustive`. Written by `python -m benchmarks.exhaustive --write` from "
            "`benchmarks/results/exhaustive.json`.",
            table(results),
            *_notes(results.rows),
        ]
    )


def table(results: Results, names: Collection[str] = ()) -> str:
    """A line for each entry and order, of all entries or of those that are named, in Markdown."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|" + "---:|" * (len(HEAD) - 1)]
    ordered = sorted(results.rows, key=lambda r: (r["entry"], r["order"]))
    for (name, order), group in itertools.groupby(ordered, key=lambda r: (r["entry"], r["order"])):
        if names and name not in names:
            continue
        found = {(r["dtype"], r["accuracy"]): r for r in group}
        fast, correct = found.get(("float32", "fast")), found.get(("float32", "correct"))
        cells = [
            f"`{name}`{chr(39) * order}",
            _error(fast),
            "" if fast is None or fast["at"] is None else f"{fast['at']:.6g}",
            "no" if [name, order] in results.refused else _misrounded(correct),
            *(_misrounded(found.get((dtype, "fast"))) for dtype in ("float16", "bfloat16")),
            _error(found.get(("float64", "fast"))),
            f"{sum(r['nan'] for r in found.values()):,}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _error(row: Row | None) -> str:
    if row is None:
        return ""
    error = row["max_ulp"]
    return (error if isinstance(error, str) else f"{error:.3f}" if error < 1000 else f"{error:.1e}") + _undecided(row)


def _misrounded(row: Row | None) -> str:
    return "" if row is None else f"{row['misrounded']:,}" + _undecided(row)


def _undecided(row: Row) -> str:
    return f" ?{row['not_decided']:,}" if row["not_decided"] else ""


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    """What the columns don't say."""
    early = [r for r in rows if r.get("overflow_early")]
    if early:
        yield "Infinite where the largest numbers would be right: " + _named(early, "overflow_early")
    special = [r for r in rows if r["specials_wrong"]]
    if special:
        yield (
            "A NaN that doesn't come out as NaN, or an infinity without its limit, of how many such inputs: "
            + _named(special, "specials_wrong")
        )


def _named(rows: Sequence[Row], count: str) -> str:
    ordered = sorted(rows, key=lambda r: (r["entry"], r["order"]))
    parts = []
    for (name, order), group in itertools.groupby(ordered, key=lambda r: (r["entry"], r["order"])):
        each = dict.fromkeys(f"{r['dtype']} {r[count]:,}" for r in group)
        parts.append(f"`{name}`{chr(39) * order} ({', '.join(each)})")
    return ", ".join(parts) + "."

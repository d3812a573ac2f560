"""What a benchmark measured: rows, printed as they come and kept as JSON, one row a line.

A row is a comparison of ours with peers, or a value held under a limit. A target belongs to the row that it is about,
so whoever reads the JSON needs no second list.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.text import Text

import actfn
from actfn.files import write_text
from benchmarks import machine
from benchmarks.timing import OURS, Spread, compare

RESULTS = Path(__file__).resolve().parent / "results"
QUESTIONS = ("forward", "training", "catalog", "sixteen", "own_formulas", "compiled", "memory", "startup")
"""In the order in which they are asked and told."""
DIGITS = 4
PER_ELEMENT = 1024
"""From this size on a time an element means something."""
REST = 0.01
"""Seconds between samples at two threads: the threads of GNU OpenMP, which PyTorch uses, spin for some milliseconds."""


@dataclass(frozen=True)
class Row:
    """One line of a benchmark.

    `times` are seconds a call and `ratios` how many times as long as ours a peer took; `targets` are the least such
    ratios. `value` is a measurement without a peer, in `unit`, at most `limit`. `case` says what was done to what.
    """

    label: str
    case: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, Spread] = field(default_factory=dict)
    ratios: Mapping[str, Spread] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    value: Spread | None = None
    unit: str = ""
    limit: float | None = None
    rounds: int = 0

    def reached(self) -> dict[str, bool]:
        """Target by target, by the peer's name ("" for the limit), whether the median reaches it."""
        found = {peer: self.ratios[peer].median >= least for peer, least in self.targets.items() if peer in self.ratios}
        if self.limit is not None and self.value is not None:
            found[""] = self.value.median <= self.limit
        return found

    def json(self) -> str:
        """The row as one line of JSON, without the fields that say nothing."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        return json.dumps({k: _rounded(v) for k, v in data.items() if v or v == 0.0}, allow_nan=False)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Row:
        """The row of a line of JSON."""
        spreads = {k: {peer: Spread(*v) for peer, v in data.get(k, {}).items()} for k in ("times", "ratios")}
        value = Spread(*data["value"]) if "value" in data else None
        return cls(**{**data, **spreads, "value": value})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return value


@dataclass
class Record:
    """The rows of one question at one number of threads, and the peers that were left out, with the reason."""

    question: str
    threads: int = 1
    quick: bool = False
    folder: Path | None = None
    console: Console = field(default_factory=lambda: Console(width=80, highlight=False))
    rows: list[Row] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def peer(self, name: str, module: str) -> ModuleType | None:
        """A peer's module; None, and a line that says so, where it isn't installed."""
        try:
            return importlib.import_module(module)
        except ImportError as error:
            return self.skip(name, str(error))

    def skip(self, name: str, reason: str) -> None:
        """Say, once, why a peer isn't there."""
        if name not in self.skipped:
            self.skipped[name] = reason
            self.console.print(Text(f"skipped: {name}: {reason}", "yellow"))

    def sizes(self, *sizes: int) -> tuple[int, ...]:
        """The sizes to go through; with `--quick`, those that cost nothing."""
        return tuple(n for n in sizes if n <= 4096) or (256,) if self.quick else sizes

    def compare(
        self,
        label: str,
        case: Mapping[str, Any],
        ours: Callable[[], Any],
        peers: Mapping[str, Callable[[], Any]],
        targets: Mapping[str, float] | None = None,
    ) -> Row:
        """Time a row, print it and keep it. A row with a target gets more time."""
        budget = 0.01 if self.quick else 1.0 if targets else 0.5
        rest = REST if self.threads > 1 else 0.0
        found = compare(ours, peers, budget, rest=rest, least=2 if self.quick else 6)
        case = {**case, "threads": self.threads}
        return self.add(Row(label, case, found.seconds, found.ratios, targets or {}, rounds=found.rounds))

    def add(self, row: Row) -> Row:
        """Print a row and keep it."""
        self.rows.append(row)
        self.console.print(shown(row), soft_wrap=False)
        return row

    def write(self) -> None:
        """Write the rows, with the facts of the machine, where results are wanted."""
        if self.folder is not None:
            head = {"question": self.question, "threads": self.threads, "quick": self.quick, "machine": machine.facts()}
            lines = json.dumps({**head, "skipped": self.skipped}, indent=1)[:-2]
            rows = ",\n".join(row.json() for row in self.rows)
            write_text(self.folder / f"{self.question}-{self.threads}.json", f'{lines},\n "rows": [\n{rows}\n]}}\n')


def read(folder: Path) -> list[tuple[dict[str, Any], list[Row]]]:
    """The files of a folder of results: what stands at the head of each, and its rows."""
    found = []
    for question in QUESTIONS:
        for path in sorted(folder.glob(f"{question}-*.json")):
            data = json.loads(path.read_text("utf-8"))
            found.append((data, [Row.read(row) for row in data.pop("rows")]))
    return found


def quantity(seconds: float) -> str:
    """Seconds with three digits, in a unit that suits."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def times_as_fast(ratio: float) -> str:
    """A ratio with as many digits as mean something."""
    return f"{ratio:.2f}x" if ratio < 9.995 else f"{ratio:.1f}x" if ratio < 99.95 else f"{ratio:.0f}x"


def shown(row: Row) -> Text:
    """A row as it is printed: the label and our time, then each peer, with target and verdict where there is one."""
    text = Text(row.label, "bold")
    if OURS in row.times:
        seconds = row.times[OURS].median
        size = row.case.get("size", 0)
        each = f"{seconds / size * 1e9:.3f} ns/el" if size >= PER_ELEMENT else ""
        text.append(f"{quantity(seconds):>{65 - len(row.label)}}{each:>15}".rstrip(), "cyan")
    reached = row.reached()
    parts = []
    if row.value is not None:
        parts.append(_verdict(f"{row.value.median:.3g} {row.unit}", "<=", row.limit, reached.get("")))
    for peer, ratio in row.ratios.items():
        quartiles = f" [{ratio.low:.3g}, {ratio.high:.3g}]" if peer in row.targets else ""
        parts.append(
            _verdict(f"{peer} {times_as_fast(ratio.median)}{quartiles}", ">=", row.targets.get(peer), reached.get(peer))
        )
    width = 0
    for part in parts:
        if not width or width + len(part) + 3 > 80:
            text.append("\n  ")
            width = 2
        else:
            text.append("   ")
            width += 3
        text.append_text(part)
        width += len(part)
    return text


def _verdict(text: str, sign: str, target: float | None, reached: bool | None) -> Text:
    if target is None:
        return Text(text, "dim")
    return Text(f"{text} ({sign} {target:g}: {'reached' if reached else 'short'})", "green" if reached else "red")


def main(question: str, measure: Callable[[Record], None], doc: str | None, threads: Iterable[int] = (1,)) -> None:
    """The command line of a question's script."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{question}", description=doc)
    parser.add_argument("--threads", type=int, choices=tuple(threads), default=1)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, a few rounds: shows that everything runs")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where the JSON goes; nowhere with --quick alone")
    given = parser.parse_args()
    limit_threads(given.threads)
    folder = given.results or (None if given.quick else RESULTS)
    record = Record(question, given.threads, given.quick, folder)
    record.console.rule(f"{question.replace('_', ' ')}, {given.threads} thread{'s' * (given.threads > 1)}")
    measure(record)
    record.write()


def limit_threads(count: int) -> None:
    """Hold every library to a number of threads. Goes before they are imported: XLA reads the environment only then."""
    os.environ.pop("OPENBLAS_CORETYPE", None)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NPROC"):  # NPROC: XLA's pool
        os.environ[name] = str(count)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    actfn.set_num_threads(count)
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(count)

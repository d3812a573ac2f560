"""The README's table, made from the committed results. `--write README.md` puts it between the marks there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from actfn.files import write_text
from benchmarks.report import RESULTS, Row, read, times_as_fast
from benchmarks.timing import OURS

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
SIZES = {4096: "4,096", 65_536: "65,536", 1 << 20: "1 M", 1 << 24: "16 M"}
COLUMNS = ("copyto", "torch", "torch.compile", "JAX", "ONNX Runtime", "numexpr", "NumPy")
PASSES = (
    ("forward", "out", "forward, `out=`"),
    ("forward", "fresh", "forward, fresh"),
    ("forward + backward", "fresh", "forward + backward"),
)
ODD = {"accuracy", "parameters"}
"""Only a row that isn't of the sweep has these in its case."""


def markdown(folder: Path = RESULTS) -> str:
    """The table: time an element of ELU against every peer, then every row that is held to a target."""
    found = read(folder)
    if not found:
        raise FileNotFoundError(f"no results in {folder}; `make bench` makes them")
    rows = [row for _, rows in found for row in rows]
    sweep = [row for head, rows in found for row in rows if head["question"] in ("forward", "training")]
    parts = [
        "ELU in float32 at one thread, nanoseconds an element:",
        "\n".join(_grid(["", "elements", OURS, *COLUMNS], _times(sweep))),
        "Held to, with the quartiles of the paired ratios:",
        "\n".join(_grid(["", "against", "measured", "wanted", ""], _targets(rows))),
        _about([head for head, _ in found]),
    ]
    return "\n\n".join(parts)


def _times(rows: Sequence[Row]) -> Iterator[list[str]]:
    for (name, output, what), size in product(PASSES, SIZES):
        wanted = {"pass": name, "output": output, "size": size, "dtype": "float32", "threads": 1}
        for row in rows:
            if wanted.items() <= row.case.items() and row.case.get("save") != "output" and not ODD & row.case.keys():
                each = {peer: f"{times.median / size * 1e9:.3g}" for peer, times in row.times.items()}
                yield [what, SIZES[size], f"**{each[OURS]}**", *(each.get(peer, "") for peer in COLUMNS)]


def _targets(rows: Sequence[Row]) -> Iterator[list[str]]:
    for row in rows:
        for peer, reached in row.reached().items():
            threads = ", two threads" if row.case.get("threads") == 2 else ""
            verdict = "reached" if reached else "**short**"
            if peer:
                low, median, high = row.ratios[peer]
                measured = f"{times_as_fast(median)} ({low:.3g} to {high:.3g})"
                yield [row.label.strip() + threads, peer, measured, f"{row.targets[peer]:g}x", verdict]
            elif row.value is not None:
                yield [row.label, "", f"{row.value.median:.3g} {row.unit}", f"at most {row.limit:g}", verdict]


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for line in lines:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"


def _about(heads: Sequence[dict[str, Any]]) -> str:
    machine = heads[0]["machine"]
    versions = ", ".join(
        f"{name} {v}" for name, v in machine["versions"].items() if v and name not in ("jaxlib", "onnx")
    )
    cores = f"{machine['cores']} core{'s' * (machine['cores'] != 1)}"
    text = (
        f"Normal(0, 1) inputs; medians, every peer in the same run. {machine['cpu']} ({machine['target']}, {cores}), "
        f"{machine['system']}, Python {machine['python']}, {versions}, LLVM {machine['llvm']}. "
        f"Commit {machine['commit']}, {machine['date']}. Every row is in `benchmarks/results/`; `make bench` measures again."
    )
    others = {(head["machine"]["cpu"], head["machine"]["commit"]) for head in heads[1:]}
    if others - {(machine["cpu"], machine["commit"])}:
        text += " Not all files there are of one machine and commit: each says its own."
    left_out = sorted({f"{name} ({reason})" for head in heads for name, reason in head["skipped"].items()})
    return text + (f" Left out: {'; '.join(left_out)}." if left_out else "")


def around(path: Path) -> tuple[str, str]:
    """What stands before and after the marks of a file. Raises `ValueError` where it hasn't exactly one pair of them."""
    before, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise ValueError(f"{path} needs one line {BEGIN} and, below it, one line {END}; the table goes between them")
    return before, after


def write(path: Path, text: str) -> None:
    """Put a text between the marks of a file. Raises `ValueError` where it hasn't exactly one pair of them."""
    before, after = around(path)
    write_text(path, f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__)
    parser.add_argument("--results", type=Path, metavar="DIR", default=RESULTS)
    parser.add_argument("--write", type=Path, metavar="FILE")
    given = parser.parse_args()
    try:
        text = markdown(given.results)
        if given.write:
            write(given.write, text)
        else:
            print(text)
    except (OSError, ValueError) as error:
        print(f"benchmarks.table: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every benchmark, each in a process of its own for each number of threads; then how many targets were reached.

A process of its own, because XLA and OpenMP are told the number of threads once, before they start. With results
written (not with `--quick`), the README's table is made again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from benchmarks import table
from benchmarks.report import RESULTS, read, shown

RUNS = (
    ("forward", 1),
    ("training", 1),
    ("forward", 2),
    ("training", 2),
    ("catalog", 1),
    ("sixteen", 1),
    ("own_formulas", 1),
    ("compiled", 1),
    ("memory", 1),
    ("startup", 1),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_all", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, a few rounds, nothing written")
    parser.add_argument("--results", type=Path, metavar="DIR", default=RESULTS, help="where the JSON goes")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="write the table into this file")
    given = parser.parse_args()
    if given.readme:
        try:
            table.around(given.readme)  # rather than at the end of ten minutes
        except (OSError, ValueError) as error:
            parser.error(str(error))
    console = Console(width=80, highlight=False)
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    start, failed = time.monotonic(), []
    for question, threads in RUNS:
        arguments = ["--quick"] if given.quick else ["--results", str(given.results)]
        command = [sys.executable, "-m", f"benchmarks.{question}", "--threads", str(threads), *arguments]
        if subprocess.run(command, env=environment).returncode:
            failed.append(f"{question}, {threads} thread{'s' * (threads > 1)}")
    console.rule(f"{(time.monotonic() - start) / 60:.1f} minutes")
    for name in failed:
        console.print(Text(f"failed: {name}", "red"))
    if not given.quick:
        rows = [row for _, found in read(given.results) for row in found if row.reached()]
        short = [row for row in rows if not all(row.reached().values())]
        console.print(f"{len(rows) - len(short)} of {len(rows)} rows with a target reach it; short of it:")
        for row in short:
            console.print(shown(row))
        if given.readme and not failed:
            table.write(given.readme, table.markdown(given.results))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Tries every float32, float16 and bfloat16 on the kernels of the catalog, f and f' at default parameters.

A run that is stopped goes on where it was, and a kernel whose code is as it was when it was tried isn't tried again.

Run:  python -m benchmarks.exhaustive [--entry elu ...] [--order 0 1] [--dtype float32 ...] [--accuracy fast correct]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn

from actfn import catalog, files
from actfn.definition import Definition
from actfn.formula.printers.target import UnprintableError
from actfn.kernels import build
from actfn.kernels.build import Request
from actfn.kernels.correct import NotShown, relative_error
from benchmarks.exhaustive import results as kept
from benchmarks.exhaustive.bounds import reference
from benchmarks.exhaustive.digest import digest
from benchmarks.exhaustive.judging import Tally
from benchmarks.exhaustive.others import sampled, sixteen
from benchmarks.exhaustive.results import Results, is_open, new_row
from benchmarks.exhaustive.running import settled
from benchmarks.exhaustive.scan import (
    ORDERS,
    Scanner,
    WrongProgram,
    calling,
    chunks,
    exhaust,
    reference_program,
    rounding_test,
    specials_wrong,
    without_test,
)
from benchmarks.exhaustive.truth import Truth

ACCURACIES = ("fast", "correct")
CHECKER = 2  # of an unfinished kernel, what another checker found isn't gone on with
SECONDS = 10.0
"""Between two saves of an unfinished kernel."""
QUICK = 1 << 12
SAMPLES = 2_000_000


class Run:
    """What the command was told, and where it shows and keeps what it finds."""

    def __init__(self, options: argparse.Namespace, results: Results, progress: Progress):
        self.options, self.results, self.progress = options, results, progress

    def is_done(self, request: Request, source: str) -> bool:
        """Whether a kernel needn't be tried: it was, and nothing is open that is to be settled now."""
        row = self.results.row(request, source)
        return row is not None and not self.options.again and not (self.options.undecided and is_open(row))

    def float32(self, definition: Definition, order: int) -> None:
        """The float32 kernels of one derivative, together, so that each reference value is computed once."""
        kernels, sources = {}, {}
        for accuracy in self.options.accuracy:
            try:
                kernel = build.kernel(Request(definition, order, accuracy=accuracy))
            except NotShown as error:
                self.progress.console.print(f"{_named(definition, order)} {accuracy}: {error}")
                self.results.refuse(definition.name, order, True)
                continue
            if accuracy == "correct":
                self.results.refuse(definition.name, order, False)
            source = digest(kernel)
            if not self.is_done(kernel.request, source):
                kernels[accuracy], sources[accuracy] = kernel, source
        if not kernels:
            return
        same = len(kernels) == 2 and len(set(sources.values())) == 1  # then "correct" is tried for both
        rows = dict(kernels)
        if same:
            del kernels["fast"]
        name = _named(definition, order)
        state = self.results.unfinished.get(name, {})
        if self.options.again or (state.get("sources"), state.get("checker")) != (sources, CHECKER):
            state = {"sources": sources, "checker": CHECKER, "done": 0, "seconds": 0.0, "tallies": {}}
        tallies = {a: Tally.from_json(state["tallies"].get(a, {"max_ulp": 0})) for a in kernels}
        scanner = _scanner(definition, order, kernels)
        began = time.perf_counter() - state["seconds"]

        saved = time.perf_counter()

        def save(done: int) -> None:
            nonlocal saved
            if time.perf_counter() - saved < SECONDS:  # the whole file takes as long as a chunk
                return
            saved = time.perf_counter()
            state["done"], state["seconds"] = done, time.perf_counter() - began
            state["tallies"] = {a: t.as_json() for a, t in tallies.items()}
            self.results.unfinished[name] = state
            self.results.save()

        exhaust(f"{name} float32", scanner, tallies, state["done"], save, self.progress)
        wrong = {a: specials_wrong(c, scanner.truth) for a, c in scanner.kernels.items()}
        seconds = time.perf_counter() - began
        self.results.unfinished.pop(name, None)
        for a, kernel in rows.items():
            found = "correct" if same else a
            row = new_row(kernel, sources[a], tallies[found], 1 << 32, seconds, "exhaustive", wrong[found])
            if a == "correct" and row["misrounded"] and relative_error(build.program(kernel.request)) is None:
                self.results.refuse(definition.name, order, True)  # it isn't listed, and so it can't be asked for
                self.results.drop(kernel.request)
            else:
                self.results.put(row)

    def other(self, request: Request) -> None:
        """A 16-bit kernel on every input, or a float64 one on a sample."""
        kernel = build.kernel(request)
        source = digest(kernel)
        if self.is_done(request, source):
            return
        definition, order, samples = request.definition, request.order, self.options.samples
        steps = max(1, samples // 10_000) + 5 if request.dtype == "float64" else None
        task = self.progress.add_task(f"{_named(definition, order)} {request.dtype}", total=steps)
        began = time.perf_counter()
        try:
            if request.dtype == "float64":
                tally = sampled(definition, order, calling(kernel), samples, lambda: self.progress.advance(task))
                inputs, method, wrong = samples, "sampled", 0
            else:
                tally, wrong = sixteen(definition, order, request.dtype, calling(kernel), _bounds_if_any(request))
                inputs, method = 1 << 16, "exhaustive"
        finally:
            self.progress.remove_task(task)
        self.results.put(new_row(kernel, source, tally, inputs, time.perf_counter() - began, method, wrong))

    def prune(self, definition: Definition, order: int, dtype: str) -> None:
        """Drops the rows of kernels whose code has changed since they were tried."""
        for accuracy in self.options.accuracy if dtype == "float32" else ["fast"]:
            request = Request(definition, order, accuracy=accuracy, dtype=dtype)
            if self.results.has(request) and self.results.row(request, digest(build.kernel(request))) is None:
                self.progress.console.print(f"{_named(definition, order)} {dtype} {accuracy}: dropped")
                self.results.drop(request)


def _named(definition: Definition, order: int) -> str:
    return definition.name + "'" * order


def _scanner(definition: Definition, order: int, kernels: dict[str, build.Kernel]) -> Scanner:
    truth = Truth(definition, order, "float32")
    program = reference_program(definition, order)
    tests = {a: rounding_test(k) for a, k in kernels.items() if a == "correct"}
    computed = {a: calling(k) for a, k in kernels.items()}
    values = settled(program, truth.symbols, truth.lines)
    return Scanner(reference(program, truth.symbols), computed, truth, tests, values)


def _bounds_if_any(request: Request) -> Any:
    try:
        return reference(build.program(request), Truth(request.definition, request.order, request.dtype).symbols)
    except UnprintableError:
        return None


def quick(definition: Definition, order: int, accuracies: Sequence[str]) -> dict[str, Tally]:
    """The first float32 of each chunk only."""
    without_test()
    kernels = {a: build.kernel(Request(definition, order, accuracy=a)) for a in accuracies}
    scanner, tallies = _scanner(definition, order, kernels), {a: Tally() for a in kernels}
    for start, _ in chunks():
        for accuracy, (tally, doubtful) in scanner.scan(start, QUICK).items():
            scanner.settle(accuracy, tally, doubtful)
            tallies[accuracy].add(tally)
    return tallies


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.exhaustive",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--entry", nargs="+", metavar="NAME", help="entries of the catalog; all if none is given")
    parser.add_argument("--order", nargs="+", type=int, choices=ORDERS, default=list(ORDERS))
    parser.add_argument(
        "--dtype", nargs="+", choices=build.DTYPES, default=["float32", "float16", "bfloat16", "float64"]
    )
    parser.add_argument("--accuracy", nargs="+", choices=ACCURACIES, default=list(ACCURACIES))
    parser.add_argument("--samples", type=int, default=SAMPLES, help="float64 inputs; default: %(default)s")
    parser.add_argument("--again", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--undecided", action="store_true", help="try again those of which earlier runs left some open")
    parser.add_argument("--resume", action="store_true", help="go on where a stopped run was; what happens anyway")
    parser.add_argument("--prune", action="store_true", help="only drop the rows of kernels whose code has changed")
    parser.add_argument("--quick", action="store_true", help="a few inputs of each chunk, float32 only; writes nothing")
    parser.add_argument("--table", action="store_true", help="print what was found, in Markdown, and run nothing")
    parser.add_argument(
        "--write", action="store_true", help=f"write that to {kept.PAGE.name} in docs/, and run nothing"
    )
    options = parser.parse_args(arguments)
    results = Results(kept.RESULTS)
    if options.table or options.write:
        if options.write:
            files.write_text(kept.PAGE, kept.page(results) + "\n")
        else:
            print(kept.page(results))
        return
    wanted = [catalog.find(n) for n in options.entry] if options.entry else list(catalog.entries().values())
    columns = [*Progress.get_default_columns()[:-1], TimeRemainingColumn(), TimeElapsedColumn()]
    # a cache of its own: the code that is tried is the code that is imported here
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=Console()) as progress:
        os.environ["ACTFN_CACHE_DIR"] = folder
        without_test()
        run = Run(options, results, progress)
        dtypes = ["float32"] if options.quick else options.dtype
        for dtype, definition, order in ((t, d, n) for t in dtypes for d in wanted for n in options.order):
            try:
                if options.quick:
                    for accuracy, tally in quick(definition, order, options.accuracy).items():
                        progress.console.print(f"{_named(definition, order)} {accuracy}: {tally.as_json()}")
                elif options.prune:
                    run.prune(definition, order, dtype)
                elif dtype == "float32":
                    run.float32(definition, order)
                else:
                    run.other(Request(definition, order, dtype=dtype))
            except (UnprintableError, NotShown, WrongProgram) as error:
                progress.console.print(f"{_named(definition, order)} {dtype}: not done, {error}")
            if not options.quick:
                files.write_json(kept.CORRECT, results.correct())
    if not options.quick:
        print(kept.table(results, {d.name for d in wanted}))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; the next run goes on from here")

"""Float32 patterns through kernels: blocks of inputs, the verdicts on them, and a pool that goes over all of them."""

from __future__ import annotations

import itertools
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.progress import Progress

from actfn import catalog
from actfn.definition import Definition
from actfn.kernels import build, loops, threads
from actfn.kernels.build import Kernel, Request
from actfn.kernels.lower import Program
from actfn.kernels.primitives.intrinsics import primitive
from actfn.kernels.printed import load
from benchmarks.exhaustive.judging import EXAMPLES, OVERFLOW, Compute, Tally, count, largest, njit, places, sift
from benchmarks.exhaustive.truth import Truth, quantum

ORDERS = (0, 1)
CHUNK = 1 << 24
BLOCK = 1 << 15
INFINITY_BITS = 0x7F800000  # of float32: finite patterns lie below, NaNs above, and so with the sign
SIGN = 0x80000000
SPOT_CHECKS = 64  # of so many blocks, one has an input at which the bounds are held against the oracle
DOUBTS = 20_000  # a chunk may leave so many to Arb; the others are reported as not decided


class WrongProgram(ValueError):
    """What was lowered from a formula isn't the formula."""


def _open(x: np.ndarray, values: np.ndarray) -> int:
    """In place of `running.settled`: nothing is settled."""
    values[:] = np.nan
    return 0


@njit(nogil=True)
def patterns(bits, first):
    """Fills with the patterns from the first on."""
    for i in range(bits.size):
        bits[i] = np.uint32(first + i)


@dataclass
class _Left:
    """Results of a kernel that `sift` left to the intervals, and the largest error so far."""

    x: list[np.ndarray] = field(default_factory=list)
    y: list[np.ndarray] = field(default_factory=list)
    count: int = 0
    limit: float = 0.0

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x.append(x)
        self.y.append(y)
        self.count += x.size


class Scanner:
    """Runs float32 patterns through kernels and judges what comes out.

    `fill` gives intervals (`bounds`), `settled` values that settle nearly every verdict (`running`); without it all are
    the intervals'. `tests` holds, for those kernels that have one, a function that says which inputs their rounding test
    catches.
    """

    def __init__(
        self,
        fill: Any,
        kernels: Mapping[str, Compute],
        truth: Truth,
        tests: Mapping[str, Callable[[np.ndarray], np.ndarray]] | None = None,
        settled: Any = None,
    ):
        self.fill, self.kernels, self.truth, self.tests = fill, kernels, truth, tests or {}
        self.settled = settled or _open
        self.local = threading.local()

    def scan(self, start: int, count: int) -> dict[str, tuple[Tally, list[tuple[float, float]]]]:
        """For each kernel what the finite patterns from `start` on give, and (x, got) of those in doubt."""
        found = {name: (Tally(), []) for name in self.kernels}
        left = {name: _Left() for name in self.kernels}
        x, y, values, mask = self._buffers("sifted", np.float32, np.float32, np.float64, np.bool_)
        for at in range(start, start + count, BLOCK):
            size = min(BLOCK, start + count - at)
            x, y, values, mask = x[:size], y[:size], values[:size], mask[:size]
            patterns(x.view(np.uint32), at)
            ties = self.settled(x, values)
            if (at - start) // BLOCK % SPOT_CHECKS == 0:
                self._spot_check(x, values, int(at * 7919 % size))
            for name, compute in self.kernels.items():
                compute(x, y)
                tally, rest = found[name][0], left[name]
                wanted = len(tally.examples) < EXAMPLES or name in self.tests
                misrounded, more = sift(y, values, rest.limit, wanted, mask)
                tally.misrounded += misrounded
                tally.settled_by_tangent += ties - (self.settled(x[mask], values[mask]) if ties and more else 0)
                if more:
                    rest.limit = max(rest.limit, largest(y[mask], values[mask]))
                    if rest.count + more > BLOCK:
                        self._judge_left(name, rest, *found[name])
                    rest.add(x[mask], y[mask])
        for name, rest in left.items():
            self._judge_left(name, rest, *found[name])
        return found

    def _spot_check(self, x: np.ndarray, values: np.ndarray, i: int) -> None:
        """The program that the bounds come from is the kernel's own: here and there it is held against the formula."""
        low, high = self._buffers("ends", np.float64, np.float64)
        self.fill(x[i : i + 1], low[:1], high[:1])
        true = self.truth.rounded(float(x[i]))
        with np.errstate(over="ignore"):
            if not (math.isnan(true) or np.float32(low[0]) <= true <= np.float32(high[0])):
                raise WrongProgram(f"the program's value at {float(x[i])!r} isn't the formula's, {true!r}")
            if not (np.isnan(values[i]) or np.float32(low[0]) <= np.float32(values[i]) <= np.float32(high[0])):
                raise WrongProgram(f"the value at {float(x[i])!r} doesn't lie in its interval: {values[i]!r}")

    def _buffers(self, what: str, *kinds: Any) -> tuple[np.ndarray, ...]:
        """Memory of this thread."""
        if not hasattr(self.local, what):
            setattr(self.local, what, tuple(np.empty(BLOCK, k) for k in kinds))
        return getattr(self.local, what)

    def _judge_left(self, name: str, left: _Left, tally: Tally, doubtful: list[tuple[float, float]]) -> None:
        """The intervals' verdict on what is left."""
        if not left.count:
            return
        x, y = np.concatenate(left.x), np.concatenate(left.y)
        low, high = (part[: x.size] for part in self._buffers("ends", np.float64, np.float64))
        self.fill(x, low, high)
        self._judge(name, x, y, low, high, tally, doubtful)
        left.x, left.y, left.count = [], [], 0

    def _judge(
        self, name: str, x: Any, y: Any, low: Any, high: Any, tally: Tally, doubtful: list[tuple[float, float]]
    ) -> None:
        misrounded, nans, doubts, earlies, worst = count(y, low, high)
        error = float(np.array([worst], np.int64).view(np.float64)[0])
        tally.misrounded += misrounded
        tally.nan += nans
        tally.overflow_early += earlies
        tested = misrounded and name in self.tests
        more = (misrounded or nans) and len(tally.examples) < EXAMPLES
        if not (doubts or error > tally.max_ulp or more or tested):
            return
        at, unsure, wrong, nan = places(y, low, high, worst)
        if at >= 0:
            tally.worst(error, float(x[at]))
        self._wrong(name, x[np.array(wrong, np.intp)], tally)
        tally.examples = (tally.examples + [float(x[i]) for i in nan])[:EXAMPLES]
        unsure = self._by_tangent(name, x, y, low, high, np.array(unsure, np.intp), tally)
        taken = unsure[: max(0, DOUBTS - len(doubtful))]
        tally.not_decided += len(unsure) - len(taken)
        doubtful += [(float(x[i]), float(y[i])) for i in taken]

    def _wrong(self, name: str, x: np.ndarray, tally: Tally, true: np.ndarray | None = None) -> None:
        """Takes note of misrounded inputs: examples, and how many a rounding test catches.

        What it catches is the oracle's, which far out takes for a tie what `true` says is beside one: where it does so at
        the first or the last of them, none counts as caught.
        """
        if x.size and name in self.tests:
            caught = self.tests[name](x)
            if true is not None and any(self.truth.rounded(float(x[i])) != true[i] for i in (0, -1)):
                caught[:] = False
            tally.caught += int(caught.sum())
            x = np.concatenate([x[~caught], x[caught]])
        tally.examples = (tally.examples + x[:EXAMPLES].tolist())[:EXAMPLES]

    def _by_tangent(
        self, name: str, x: Any, y: Any, low: Any, high: Any, unsure: np.ndarray, tally: Tally
    ) -> np.ndarray:
        """Settles what is nearly a tie because f is nearly a line, and returns the others."""
        if not unsure.size:
            return unsure
        tied, true = self.truth.nearly_tied(x[unsure].astype(np.float64), low[unsure], high[unsure])
        at = unsure[tied]
        got, true, low, high = y[at].astype(np.float64), true[tied], low[at], high[at]
        wrong = got != true
        tally.settled_by_tangent += int(tied.sum())
        tally.misrounded += int(wrong.sum())
        tally.overflow_early += int((np.isinf(got) & np.isfinite(true)).sum())
        self._wrong(name, x[at[wrong]], tally, true[wrong])
        if at.size:
            away = np.abs(np.clip(got, -OVERFLOW, OVERFLOW) - (low + high) / 2) / quantum(low, "float32")
            errors = np.where(wrong, away, np.where(np.isinf(true), 0.0, 0.5))
            tally.worst(float(errors.max()), float(x[at[errors.argmax()]]))
        return unsure[~tied]

    def settle(self, name: str, tally: Tally, doubtful: Sequence[tuple[float, float]]) -> None:
        """Arb's verdict on those in doubt."""
        for x, got in doubtful:
            wrong, error = self.truth.judged(x, got)
            tally.settled_by_arb += 1
            tally.worst(error, x)
            if wrong:
                tally.misrounded += 1
                tally.overflow_early += math.isinf(got) and not math.isinf(self.truth.rounded(x))
                self._wrong(name, np.array([x], np.float32), tally)


def rounding_test(kernel: Kernel) -> Callable[[np.ndarray], np.ndarray]:
    """Which inputs the rounding test of a "correct" kernel catches, at its default parameters."""
    request = kernel.request
    steps = build.program(request)
    source = build.source(request)
    scalar = load(
        source[: source.index("@contiguous")], "scalar", {"primitive": primitive, "__name__": "actfn.kernels.generated"}
    )
    error = build._error_to_test(request, steps)
    values = tuple(float(np.float32(v)) for v in request.definition.defaults.values())

    in_doubt = loops.doubtful

    @njit(error_model="numpy")
    def fill(x, found):
        for i in range(x.size):
            found[i] = in_doubt(scalar(np.float64(x[i]), *values), error)

    def caught(x: np.ndarray) -> np.ndarray:
        found = np.empty(x.size, np.bool_)
        fill(x, found)
        return found

    return caught


def specials_wrong(compute: Compute, truth: Truth) -> int:
    """How many of the infinities (where the formula has a limit) and of the NaNs give something else than they should."""
    wrong = 0
    x = np.array([-math.inf, math.inf], np.float32)
    y = np.empty_like(x)
    compute(x, y)
    for at, got in zip(x, y, strict=True):
        true = truth.rounded(float(at))
        wrong += not math.isnan(true) and float(got) != true
    for first in (INFINITY_BITS + 1, SIGN + INFINITY_BITS + 1):
        for start in range(first, first + (1 << 23) - 1, 1 << 20):
            bits = np.arange(start, min(start + (1 << 20), first + (1 << 23) - 1), dtype=np.uint64).astype(np.uint32)
            x = bits.view(np.float32)
            y = np.empty_like(x)
            compute(x, y)
            wrong += int(np.count_nonzero(y == y))
    return wrong


def chunks() -> list[tuple[int, int]]:
    """(first pattern, count) of every chunk of the finite float32."""
    return [(sign + at, min(CHUNK, INFINITY_BITS - at)) for sign in (0, SIGN) for at in range(0, INFINITY_BITS, CHUNK)]


def calling(kernel: Kernel) -> Compute:
    """A kernel at its default parameters as a function of arrays."""
    kind = np.float64 if kernel.request.parameter_dtype == "float64" else np.float32
    parameters = [np.array([v], kind) for v in kernel.request.definition.defaults.values()]

    def compute(x: np.ndarray, y: np.ndarray) -> None:
        threads.run(kernel, x.size, [x.ctypes.data], [p.ctypes.data for p in parameters], [y.ctypes.data])

    return compute


def without_test() -> None:
    """Makes kernels of this process that go without a rounding test at default parameters, as if shown correct.

    Whether they may is what is found out here.
    """
    every = frozenset(build.described(entry, order) for entry in catalog.entries().values() for order in ORDERS)
    build.tried_on_every_input = lambda: every  # type: ignore[assignment]


def reference_program(definition: Definition, order: int) -> Program:
    """The program that bounds are made from: without the polynomials that stand for a sum beside a root in float32."""
    return build.program(Request(definition, order, accuracy="correct"))


WORKERS = 2


def exhaust(
    name: str, scanner: Scanner, tallies: dict[str, Tally], done: int, save: Callable[[int], None], progress: Progress
) -> None:
    """Every finite float32 from chunk `done` on; `save(chunks done)` after each. Two threads work, this one settles."""
    every = chunks()
    task = progress.add_task(name, total=len(every), completed=done)
    threads.set_num_threads(1)  # of a kernel's own
    pool = ThreadPoolExecutor(WORKERS)
    waiting: deque[Future[Any]] = deque()
    left = iter(every[done:])
    try:
        while done < len(every):
            for chunk in itertools.islice(left, 4 - len(waiting)):
                waiting.append(pool.submit(scanner.scan, *chunk))
            for accuracy, (tally, doubtful) in waiting.popleft().result().items():
                scanner.settle(accuracy, tally, doubtful)
                tallies[accuracy].add(tally)
            done += 1
            save(done)
            progress.update(task, completed=done)
    finally:
        pool.shutdown(cancel_futures=True)
        progress.remove_task(task)

"""Two ways of computing the same, timed so that the machine's moods hit both.

Each round times ours and each peer one right after the other, the order changing from round to round; a ratio is taken
within such a pair. What slows the machine for a while slows both of a pair, so the median of the paired ratios holds
still where the times themselves do not.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

OURS = "actfn"
SAMPLE = 1e-3
"""Seconds that one sample takes at least: the call is repeated until then."""
LEAST = 6
"""Rounds at least, however long they take."""


class Spread(NamedTuple):
    """The quartiles."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Seconds a call, and how many times as long as ours each peer took."""

    seconds: dict[str, Spread]
    ratios: dict[str, Spread]
    rounds: int


def spread(values: Iterable[float]) -> Spread:
    """The quartiles of some values; of one value, that value."""
    values = list(values)
    if len(values) == 1:
        values *= 2
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def compare(
    ours: Callable[[], Any],
    peers: Mapping[str, Callable[[], Any]],
    budget: float,
    *,
    rest: float = 0.0,
    sample: float = SAMPLE,
    least: int = LEAST,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Comparison:
    """Rounds of pairs for `budget` seconds, after each call has been warmed up.

    With `rest`, each sample is preceded by so many seconds of sleep and a call that isn't timed: the threads of another
    library's pool go on spinning after its work is done, and would take a core from whoever comes next.
    """
    calls = {OURS: ours, **peers}
    counts = {name: _count(call, sample, clock) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    ratios: dict[str, list[float]] = {name: [] for name in peers}

    def timed(name: str) -> float:
        call = calls[name]
        if rest:
            sleep(rest)
            call()
        seconds = _seconds(call, counts[name], clock)
        times[name].append(seconds)
        return seconds

    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        end = clock() + budget
        rounds = 0
        while rounds < least or clock() < end:
            for place, peer in enumerate(peers):
                first, second = (OURS, peer) if (rounds + place) % 2 == 0 else (peer, OURS)
                found = {first: timed(first), second: timed(second)}
                ratios[peer].append(found[peer] / found[OURS])
            if not peers:
                timed(OURS)
            rounds += 1
    finally:
        if collecting:
            gc.enable()
    return Comparison(
        {name: spread(values) for name, values in times.items()},
        {name: spread(values) for name, values in ratios.items()},
        rounds,
    )


def _seconds(call: Callable[[], Any], count: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in repeat(None, count):
        call()
    return (clock() - start) / count


def _count(call: Callable[[], Any], sample: float, clock: Callable[[], float]) -> int:
    """How many calls last as long as a sample. Warms up on the way: the first call may compile."""
    call()
    count = 1
    while (seconds := _seconds(call, count, clock)) * count < sample:
        wanted = sample / seconds if seconds > 0 else count * 10
        count = int(min(count * 10, max(count + 1, wanted * 1.1)))
    return count

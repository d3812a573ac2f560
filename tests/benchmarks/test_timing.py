"""The timing of pairs, on a clock that the test moves."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from benchmarks.timing import compare, spread


class Machine:
    """A clock that calls move forward, on a machine that slows down as time goes by."""

    def __init__(self, drift: float = 0.0) -> None:
        self.now, self.drift = 0.0, drift
        self.log: list[str] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.log.append("rest")
        self.now += seconds

    def call(self, name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.log.append(name)
            self.now += seconds * (1 + self.drift * self.now)

        return run


def test_times_and_ratios() -> None:
    machine = Machine()
    calls = {"slow": machine.call("slow", 6e-3), "fast": machine.call("fast", 1e-6)}
    found = compare(machine.call("ours", 2e-3), calls, 0.5, clock=machine.clock)
    medians = {name: times.median for name, times in found.seconds.items()}
    assert medians == pytest.approx({"actfn": 2e-3, "slow": 6e-3, "fast": 1e-6})
    assert {name: ratio.median for name, ratio in found.ratios.items()} == pytest.approx({"slow": 3.0, "fast": 5e-4})


def test_a_ratio_is_of_a_pair() -> None:
    machine = Machine(drift=5.0)  # some ten times as slow at the end as at the beginning
    found = compare(machine.call("ours", 2e-3), {"peer": machine.call("peer", 6e-3)}, 0.5, clock=machine.clock)
    assert found.seconds["peer"].high > 1.5 * found.seconds["peer"].low
    low, median, high = found.ratios["peer"]
    assert median == pytest.approx(3.0, rel=0.05)
    assert high < 1.1 * low


def test_pairs_stand_side_by_side_and_change_order() -> None:
    machine = Machine()
    calls = {name: machine.call(name, 1e-2) for name in ("a", "b")}
    found = compare(machine.call("ours", 1e-2), calls, 0.0, least=4, clock=machine.clock)
    assert found.rounds == 4
    rounds = machine.log[-16:]  # before them: the warming up
    assert rounds[:4] == ["ours", "a", "b", "ours"]
    assert rounds[4:8] == ["a", "ours", "ours", "b"]
    assert rounds[8:] == rounds[:8]


def test_the_budget_ends_it_and_least_goes_on() -> None:
    for budget, least, rounds in ((1.0, 1, 5), (0.0, 3, 3)):
        machine = Machine()
        calls = {"peer": machine.call("peer", 0.1)}
        found = compare(machine.call("ours", 0.1), calls, budget - 0.001, least=least, clock=machine.clock)
        assert found.rounds == rounds


def test_a_short_call_is_repeated_for_a_sample() -> None:
    machine = Machine()
    compare(machine.call("ours", 1e-6), {}, 0.0, least=1, clock=machine.clock)
    assert machine.log[-1000:] == ["ours"] * 1000


def test_rest_and_a_call_that_is_not_timed() -> None:
    machine = Machine()
    calls = {"peer": machine.call("peer", 1.0)}
    found = compare(machine.call("ours", 1.0), calls, 0.0, rest=9.0, least=1, clock=machine.clock, sleep=machine.sleep)
    assert machine.log[-6:] == ["rest", "ours", "ours", "rest", "peer", "peer"]
    assert found.seconds["actfn"].median == 1.0


def test_collection_of_garbage_is_off_meanwhile_and_on_again_after_an_error() -> None:
    assert gc.isenabled()
    seen = []

    def call() -> None:
        seen.append(gc.isenabled())
        if len(seen) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(call, {}, 0.0, sample=0.0)
    assert seen[-1] is False
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("values", "expected"), [([3.0], (3, 3, 3)), ([1, 2, 3, 4, 5], (2, 3, 4)), ([4, 1], (1.75, 2.5, 3.25))]
)
def test_spread(values: list[float], expected: tuple[float, float, float]) -> None:
    assert spread(values) == expected

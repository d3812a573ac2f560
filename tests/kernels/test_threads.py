"""Threads change nothing but the time: any length, many callers, fork, and the workers of a DataLoader."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import actfn
from actfn import catalog
from actfn.kernels import threads
from actfn.kernels.build import Request, kernel
from actfn.kernels.threads import each_part, run

GRAIN = 512
ELU = Request(catalog.find("elu"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks small enough for short arrays to be shared out."""
    monkeypatch.setattr(threads, "GRAIN", GRAIN)


@pytest.fixture(autouse=True)
def _the_setting_stays():
    yield
    actfn.set_num_threads(0)


def elu(x: np.ndarray, count: int, alpha: float = 0.5, guard: int = 8) -> np.ndarray:
    """The kernel over x in `count` threads; what lies behind the output must stay as it is."""
    whole = np.full(x.size + guard, 77.0, np.float32)
    parameter = np.array([alpha], np.float32)
    run(kernel(ELU), x.size, [x.ctypes.data], [parameter.ctypes.data], [whole.ctypes.data], count)
    assert (whole[x.size :] == 77.0).all()
    return whole[: x.size]


def numbers(n: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, n).astype(np.float32)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "n",
    [
        0,
        1,
        63,
        GRAIN - 1,
        GRAIN,
        GRAIN + 1,
        2 * GRAIN - 1,
        2 * GRAIN,
        2 * GRAIN + 1,
        3 * GRAIN + 7,
        5000,
        16 * GRAIN - 3,
    ],
)
def test_any_number_of_threads_gives_the_same_bits(n):
    x = numbers(n)
    expected = np.where(x > 0, x, 0.5 * np.expm1(x.astype(float)))
    once = elu(x, 1)
    np.testing.assert_allclose(once, expected, rtol=3e-7)
    for count in (2, 3, 7):
        assert elu(x, count).tobytes() == once.tobytes()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [0, 1, GRAIN, 2 * GRAIN, 2 * GRAIN + 1, 3 * GRAIN - 1, 3 * GRAIN + 65, 9999])
def test_the_parts_make_up_the_whole(n, count):
    seen: list[tuple[int, int]] = []
    each_part(n, count, lambda a, b: seen.append((a, b)))
    ends = sorted(seen)
    assert ends[0][0] == 0
    assert ends[-1][1] == n
    assert all(left[1] == right[0] for left, right in itertools.pairwise(ends))
    assert len(ends) <= max(1, min(threads.PARTS * count, n // GRAIN))


@pytest.mark.usefixtures("small")
def test_parts_run_at_once():
    together = threading.Barrier(3, timeout=20)
    each_part(3 * GRAIN, 3, lambda a, b: together.wait())


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("own", [True, False], ids=["caller", "helper"])
def test_what_a_part_raises_is_raised_when_no_part_is_at_work(own):
    together, working = threading.Barrier(3, timeout=20), set()

    def work(start: int, stop: int) -> None:
        working.add(start)
        together.wait()
        if (threading.current_thread() is threading.main_thread()) == own:
            working.remove(start)
            raise IndexError(f"part of {own}")
        time.sleep(0.05)
        working.remove(start)

    with pytest.raises(IndexError, match=f"part of {own}"):
        each_part(3 * GRAIN, 3, work)
    assert not working  # else one still writes to memory that the caller may have given back
    done: list[int] = []
    each_part(3 * GRAIN, 3, lambda a, b: done.append(a))  # the helpers still work
    assert len(done) == 3


@pytest.mark.usefixtures("small")
def test_helpers_that_do_not_come_hold_nobody_up(monkeypatch):
    monkeypatch.setattr(threads, "_ask", lambda count, work: None)
    done: list[int] = []
    each_part(3 * GRAIN, 3, lambda a, b: done.append(a))
    assert done == [0, GRAIN, 2 * GRAIN]


@pytest.mark.usefixtures("small")
def test_many_callers_at_once():
    inputs = [numbers(4 * GRAIN + i, seed=i) for i in range(12)]
    expected = [elu(x, 1) for x in inputs]
    start, wrong = threading.Barrier(12), []

    def caller(i: int) -> None:
        start.wait()
        for repeat in range(20):
            if not np.array_equal(elu(inputs[i], 1 + (i + repeat) % 4), expected[i]):
                wrong.append(i)

    callers = [threading.Thread(target=caller, args=[i]) for i in range(12)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert wrong == []


def test_a_call_uses_as_many_threads_as_are_set():
    x = numbers(3 * threads.GRAIN + 5)
    f = actfn.get("elu")
    results = []
    for count in (1, 2, 3, 0):
        actfn.set_num_threads(count)
        assert actfn.get_num_threads() == (count or len(os.sched_getaffinity(0)))
        results.append(f(x, alpha=0.5).tobytes())
    assert set(results) == {results[0]}


@pytest.mark.parametrize("count", [-1, 1.0, "2", None, True, np.float64(2)])
def test_a_number_of_threads_is_a_whole_number(count):
    actfn.set_num_threads(2)
    with pytest.raises(ValueError, match="number of threads"):
        actfn.set_num_threads(count)
    assert actfn.get_num_threads() == 2


# -- processes ----------------------------------------------------------------------------------------------------------

SETUP = """
import os, sys, threading, time
import numpy as np
import actfn
from actfn.kernels import threads

actfn.set_num_threads(3)
x = np.linspace(-3, 3, 4*threads.GRAIN + 1, dtype=np.float32)
f = actfn.get("elu")
first = f(x)
assert threads._helpers
"""

FORK = """
child = os.fork()
again = f(x)
if child == 0:
    sys.exit(5 if np.array_equal(again, first) else 1)  # the ordinary way out, which joins threads
assert np.array_equal(again, first)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
"""

FORK_WHILE_CALLED = """
stop = False
def caller():
    while not stop:
        f(x)
callers = [threading.Thread(target=caller) for _ in range(3)]
for t in callers: t.start()
children = []
for _ in range(5):
    time.sleep(0.01)
    child = os.fork()
    if child == 0:
        os._exit(5 if np.array_equal(f(x), first) else 1)
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children]
stop = True
for t in callers: t.join()
assert codes == [5]*5, codes
"""

FORK_WHILE_BUILT = """
from actfn.kernels.build import Request, kernel
requests = [Request(actfn.define("x*%d*tanh(x)" % k).definition) for k in (3, 5)]
builder = threading.Thread(target=kernel, args=[requests[0]])
builder.start()
time.sleep(0.1)
child = os.fork()
if child == 0:
    kernel(requests[1])
    os._exit(5)
builder.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
"""

LOADER = """
import torch
from torch.utils.data import DataLoader, Dataset
import actfn.torch

class Activated(Dataset):
    def __len__(self):
        return 6
    def __getitem__(self, i):
        y = torch.from_numpy(f(x + np.float32(i)))
        z = f(torch.from_numpy(x + np.float32(i)))
        assert torch.equal(y, z) or torch.allclose(y, z, rtol=1e-6)
        return y

f(torch.from_numpy(x))
loader = DataLoader(Activated(), batch_size=2, num_workers=2, multiprocessing_context="fork")
rows = torch.cat(list(loader)).numpy()
for i, row in enumerate(rows):
    assert np.array_equal(row, f(x + np.float32(i))), i
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("code", [FORK, FORK_WHILE_CALLED, FORK_WHILE_BUILT], ids=["idle", "called", "built"])
def test_a_child_of_fork_makes_its_own_pool(code):
    kernel(ELU)
    python(SETUP + code)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_in_the_workers_of_a_dataloader():
    if importlib.util.find_spec("torch") is None:
        pytest.skip("no torch here")
    kernel(ELU)
    python(SETUP + LOADER)


def test_a_call_at_the_end_of_the_process():
    kernel(ELU)
    at_exit = "import atexit\natexit.register(lambda: print(np.array_equal(f(x), first)))"
    assert python(SETUP + at_exit) == "True\n"

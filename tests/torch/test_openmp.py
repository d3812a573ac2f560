"""Large tensors on the threads of PyTorch's own operators: the same bits, no threads of ours, and none in a child of fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import actfn.torch
from actfn import catalog, reference
from actfn.kernels import threads
from actfn.kernels.build import Request, kernel
from actfn.kernels.direct import shared
from actfn.torch import openmp

pytestmark = pytest.mark.skipif(not openmp.team, reason="this PyTorch has no OpenMP that can be asked")
LONG = 2 * threads.GRAIN


@pytest.fixture(autouse=True)
def _the_setting_stays() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def passes(x: torch.Tensor, count: int, kind: str) -> list[torch.Tensor]:
    torch.set_num_threads(count)
    x = x.clone().requires_grad_()
    alpha: float | torch.Tensor = 0.75
    if kind == "parameter":  # by `compute`, as the double backward is
        alpha = torch.tensor(0.75, dtype=x.dtype, requires_grad=True)
    y = actfn.torch.elu(x, alpha, save="output" if kind == "output" else "input")
    upstream = torch.linspace(-1, 1, x.numel(), dtype=x.dtype).requires_grad_()
    (slope,) = torch.autograd.grad(y, x, upstream, create_graph=True)
    found = [y.detach(), slope.detach()]
    if kind != "output":
        found += torch.autograd.grad(slope, (x, upstream), torch.ones_like(x))
    return found


@pytest.mark.parametrize("kind", ["input", "output", "parameter"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("n", [LONG - 1, LONG, LONG + 1, 5 * threads.GRAIN + 77])
def test_any_number_of_threads_gives_the_same_bits(n, dtype, kind):
    x = torch.linspace(-5, 3, n).to(dtype)
    once = passes(x, 1, kind)
    for count in (2, 3, 7):
        for a, b in zip(once, passes(x, count, kind), strict=True):
            assert torch.equal(a, b)


def test_nothing_is_written_behind_the_end():
    n = LONG + 13
    whole = torch.full((n + 64,), 7.0)
    x = torch.linspace(-3, 3, n)
    shared(kernel(Request(catalog.find("elu"))), (1.0,), openmp.team)(
        3, threads.part_of(n, 3), n, x.data_ptr(), whole.data_ptr()
    )
    assert torch.equal(whole[:n], actfn.torch.elu(x))
    assert (whole[n:] == 7).all()


def test_no_thread_of_ours_is_started(monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    monkeypatch.setattr(threads, "_ask", lambda count, work: asked.append(count))
    passes(torch.linspace(-5, 3, 4 * LONG), 2, "input")
    assert not asked
    monkeypatch.setattr(openmp, "team", 0)
    passes(torch.linspace(-5, 3, 4 * LONG), 2, "input")
    assert set(asked) == {1}


def test_correct_rounding_calls_python_from_a_thread_of_the_team(monkeypatch: pytest.MonkeyPatch):
    """1.5*x lies on a tie for some of these, which a function of Python's settles."""
    asked: list[str] = []

    def settle(*of: Any) -> float:
        asked.append(threading.current_thread().name)
        time.sleep(1e-3)  # so that the others get parts, too
        return settled(*of)

    settled = reference.rounded_to_float32
    monkeypatch.setattr(reference, "rounded_to_float32", settle)
    x = -torch.ones(2 * LONG)
    x[:: LONG // 64] = -(1 + 2.0**-23)
    torch.set_num_threads(4)
    rounded = actfn.torch.module("leaky_relu", negative_slope=1.5, accuracy="correct")(x)
    assert torch.equal(rounded, (1.5 * x.double()).float())
    assert len(asked) == 128
    assert len(set(asked)) > 1


def test_many_callers_at_once():
    torch.set_num_threads(3)
    inputs = [torch.linspace(-3, 3, LONG + 100 * i) for i in range(6)]
    expected = [actfn.torch.elu(x) for x in inputs]
    start, wrong = threading.Barrier(6), []

    def caller(i: int) -> None:
        torch.set_num_threads(1 + i % 3)
        start.wait()
        if not all(torch.equal(actfn.torch.elu(inputs[i]), expected[i]) for _ in range(30)):
            wrong.append(i)

    callers = [threading.Thread(target=caller, args=[i]) for i in range(6)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert wrong == []


IN_A_CHILD = """
import os, sys, torch, actfn.torch
from actfn.torch import openmp
torch.set_num_threads(3)
x = torch.linspace(-3, 3, 1 << 20)
first = actfn.torch.elu(x)
assert openmp.team
child = os.fork()
again = actfn.torch.elu(x)
same = first.numpy().tobytes() == again.numpy().tobytes()
if child == 0:
    os._exit(5 if same and not openmp.team else 1)
assert same and openmp.team
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_of_fork_does_without():
    done = subprocess.run([sys.executable, "-c", IN_A_CHILD], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

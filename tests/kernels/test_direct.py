"""A loop as a built-in function: the same bits as through ctypes, for any number of arrays and parameters."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from actfn import catalog
from actfn.definition import Definition
from actfn.kernels.build import Request, kernel
from actfn.kernels.direct import direct
from actfn.kernels.threads import run

ELU = catalog.find("elu")
REQUESTS = {
    "no parameter": Request(catalog.find("sigmoid")),
    "one": Request(ELU),
    "two": Request(catalog.find("selu")),
    "two arrays": Request(ELU, order=1, form="product"),
    "two results": Request(ELU, order=1, form="double"),
    "float64": Request(catalog.find("selu"), dtype="float64"),
    "correct": Request(ELU, accuracy="correct"),  # which calls Python from the loop
}


def numbers(definition: Definition) -> tuple[float, ...]:
    return tuple(value * 0.75 for value in definition.defaults.values())


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("n", [0, 1, 1000])
def test_it_is_what_ctypes_calls(name, n):
    request = REQUESTS[name]
    built, given = kernel(request), numbers(request.definition)
    rng = np.random.default_rng(3)
    arrays = [rng.normal(0, 3, n).astype(request.dtype) for _ in request.arrays]
    expected, found = ([np.full(n + 4, 7, request.dtype) for _ in range(request.outputs)] for _ in range(2))
    held, addresses = built.parameters_at(given)
    run(built, n, [a.ctypes.data for a in arrays], addresses, [y.ctypes.data for y in expected])
    assert direct(built, given)(n, *(a.ctypes.data for a in (*arrays, *found))) is None
    for y, z in zip(expected, found, strict=True):
        assert y.tobytes() == z.tobytes()
        assert (z[n:] == 7).all()
    del held


def test_the_lock_is_let_go():
    """A thread that counts goes on counting while a loop runs."""
    n = 1 << 20
    x, y = np.full(n, -1, np.float32), np.empty(n, np.float32)
    loop, count, stop = direct(kernel(REQUESTS["one"]), (1.0,)), [0], threading.Event()

    def counts() -> None:
        while not stop.is_set():
            count[0] += 1
            time.sleep(0)  # lets go of it too

    at = x.ctypes.data, y.ctypes.data
    interval = sys.getswitchinterval()
    sys.setswitchinterval(10.0)  # so that nobody is made to hand the lock over
    counter = threading.Thread(target=counts)
    try:
        counter.start()
        before = count[0]
        assert any(loop(n, *at) or count[0] > before for _ in range(1000))
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        counter.join()


def test_the_reference_to_none_is_given_back():
    x = np.ones(1, np.float32)
    loop, at = direct(kernel(REQUESTS["one"]), (1.0,)), x.ctypes.data
    before = sys.getrefcount(None)
    for _ in range(10_000):
        loop(1, at, at)
    assert abs(sys.getrefcount(None) - before) < 5000


AT_THE_END = """
import atexit
import numpy as np
from actfn import catalog
from actfn.kernels.build import Request, kernel
from actfn.kernels.direct import direct

x = np.ones(3, np.float32)
at = x.ctypes.data
loop = direct(kernel(Request(catalog.find("elu"))), (1.0,))
here = [loop]
here.append(here)  # freed by the collector, after the modules


class Late:
    def __del__(self):
        loop(3, at, at)


late = Late()
atexit.register(loop, 3, at, at)
"""


def test_it_outlives_the_interpreter():
    kernel(REQUESTS["one"])
    done = subprocess.run([sys.executable, "-c", AT_THE_END], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

"""The ufuncs and functions under libraries that build on NumPy: each keeps its type and labels, and NumPy's own numbers.

Dask's workers are real processes on loopback, and its array is larger than what one of them may hold.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import array_api_strict
import dask
import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from distributed import Client, LocalCluster

import actfn
import actfn.numpy

X = np.array([-3.5, -1.0, -1e-8, -0.0, 1e-8, 2.5])
FUNCTIONS = ["elu", "sigmoid", "softplus", "threshold"]  # with and without parameters
DTYPES = ["float16", "float32", "float64", "int8"]
MINE = actfn.define("where(x > 0, x, a*atan(x)*exp(x))", name="mine", a=1.5)


def same(found, expected):
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected), strict=True)


@pytest.fixture(params=[*FUNCTIONS, MINE], ids=str)
def f(request):
    return request.param if isinstance(request.param, actfn.Activation) else actfn.get(request.param)


# -- Dask ---------------------------------------------------------------------------------------------------------------

LIMIT = 400 * 2**20
CHUNK = 2**20


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Two worker processes on loopback, which end with the test."""
    folder = str(tmp_path_factory.mktemp("dask"))
    settings = {
        "distributed.admin.tick.limit": "60s",  # a busy machine isn't worth a warning
        "distributed.worker.memory.spill": False,  # what doesn't fit must stop the worker, not go to disk
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=LIMIT,
            local_directory=folder,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_larger_than_a_worker_is_streamed_through_two_processes(client, dtype):
    workers = client.run(os.getpid)
    assert len({*workers.values(), os.getpid()}) == 3
    chunks = 56 * 8 // np.dtype(dtype).itemsize
    x = dask.array.arange(chunks * CHUNK, chunks=CHUNK, dtype=dtype) % 1021 / 64 - 12
    assert x.nbytes > LIMIT
    y = actfn.numpy.elu(x, x.dtype.type(0.5))
    assert isinstance(y, dask.array.Array)
    assert y.dtype == dtype
    found = dask.array.stack([y.blocks[i].sum() for i in range(chunks)])
    found, high, low = client.compute([found, y.max(), y.min()], sync=True)
    ys = [actfn.numpy.elu(x.blocks[i].compute(scheduler="synchronous"), x.dtype.type(0.5)) for i in range(chunks)]
    same(found, np.array([part.sum() for part in ys]))
    assert (low, high) == (min(part.min() for part in ys), max(part.max() for part in ys))
    assert client.run(os.getpid) == workers  # none ran out of memory and began anew

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


@pytest.fixture(params=[*map(actfn.get, FUNCTIONS), MINE], ids=lambda f: f.name)
def f(request):
    return request.param


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
    found, low, high = client.compute([found, y.min(), y.max()], sync=True)
    ys = [actfn.numpy.elu(x.blocks[i].compute(scheduler="synchronous"), x.dtype.type(0.5)) for i in range(chunks)]
    same(found, np.array([part.sum() for part in ys]))
    assert (low, high) == (min(part.min() for part in ys), max(part.max() for part in ys))
    assert client.run(os.getpid) == workers  # none ran out of memory and began anew


@pytest.mark.parametrize("dtype", DTYPES)
def test_dask_gives_what_numpy_gives(f, dtype):
    x = X.astype(dtype)
    y = f(dask.array.from_array(x, chunks=4))
    assert isinstance(y, dask.array.Array)
    assert y.dtype == f(x).dtype
    same(y.compute(scheduler="synchronous"), f(x))


def test_a_formula_of_ones_own_runs_on_the_workers(client):
    x = dask.array.from_array(X, chunks=4)
    same(client.compute(MINE(x, a=0.5), sync=True), MINE(X, a=0.5))
    same(client.compute(MINE.ufunc(1, a=0.5)(x), sync=True), MINE.ufunc(1, a=0.5)(X))


@pytest.mark.parametrize(
    "made",
    [
        actfn.numpy.elu,
        actfn.get("elu").ufunc(1),
        actfn.get("elu").ufunc(alpha=0.5),
        actfn.get("elu").ufunc(accuracy="correct"),
        MINE.ufunc(),
        MINE.ufunc(2, a=0.5),
    ],
)
def test_a_ufunc_is_the_same_where_it_is_unpickled(made):
    hash(MINE.definition)  # which is another one in another process
    kept = pickle.dumps(made)
    assert pickle.loads(kept) is made
    values = [np.float32(v) for v in [-1.5, 1.5][: made.nin]]
    code = f"import pickle, numpy as np; k = {kept!r}; f = pickle.loads(k); assert pickle.loads(k) is f; "
    code += f"assert f(*map(np.float32, {[*map(float, values)]})) == {float(made(*values))!r}"
    subprocess.run([sys.executable, "-c", code], check=True)


# -- xarray -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_xarray_keeps_its_coordinates_and_attributes(f, dtype):
    x = xr.DataArray(
        X.astype(dtype).reshape(2, 3), dims=("t", "c"), coords={"c": list("abc")}, attrs={"unit": "mV"}, name="signal"
    )
    y = f(x)
    same(y.values, f(x.values))
    xr.testing.assert_identical(y, x.copy(data=f(x.values)))
    of_dask = f(x.chunk(c=2))
    assert isinstance(of_dask.data, dask.array.Array)
    xr.testing.assert_identical(of_dask.compute(scheduler="synchronous"), y)


def test_xarray_broadcasts_parameters_by_dimension_and_takes_datasets():
    x = xr.DataArray(X.reshape(2, 3), dims=("t", "c"))
    alpha = xr.DataArray([0.5, 1.0], dims="t")
    same(actfn.get("elu")(x, alpha=alpha).values, actfn.get("elu")(x.values, alpha=alpha.values[:, None]))
    table = xr.Dataset({"p": x, "q": x.astype("int8")}, attrs={"run": 3})
    result = actfn.get("elu")(table)
    assert result.attrs == table.attrs
    for name in table:
        same(result[name].values, actfn.get("elu")(table[name].values))


# -- pandas -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_pandas_keeps_its_kind_and_index(f, dtype):
    x = pd.Series(X, index=list("abcdef"), name="signal").astype(dtype)
    pd.testing.assert_series_equal(f(x), pd.Series(f(x.values), index=x.index, name="signal"), check_exact=True)
    if dtype != "float16":  # which an index can't hold
        pd.testing.assert_index_equal(f(pd.Index(x)), pd.Index(f(x.values), name="signal"), exact=True)
    table = pd.DataFrame({"a": x, "b": -x})
    expected = pd.DataFrame({"a": f(x.values), "b": f(-x.values)}, index=x.index)
    pd.testing.assert_frame_equal(f(table), expected, check_exact=True)


def test_pandas_aligns_parameters_and_keeps_missing_values():
    x = pd.Series([-1.0, -2.0], index=["a", "b"])
    y = actfn.get("elu")(x, alpha=pd.Series([2.0, 3.0], index=["b", "a"]))
    same(y[["a", "b"]].values, actfn.get("elu")(x.values, alpha=np.array([3.0, 2.0])))
    missing = pd.Series([1, None], dtype="Int8")
    pd.testing.assert_series_equal(
        actfn.get("sigmoid")(missing), pd.Series([actfn.get("sigmoid")(1.0), None], dtype="Float64"), check_exact=True
    )


def test_pandas_columns_of_several_dtypes_share_one_under_parameters():
    table = pd.DataFrame({"a": X.astype("float32"), "b": X.astype("int64")})
    result = actfn.get("elu")(table, alpha=0.1)
    for name in table:
        same(result[name].values, actfn.get("elu")(table[name].values.astype(float), alpha=0.1))


@pytest.mark.parametrize("x", [pd.Series(["a"]), pd.DataFrame({"a": ["b"]}), pd.Series([1]).astype("category")])
def test_pandas_columns_that_hold_no_numbers_are_refused(x):
    with pytest.raises(TypeError, match="elu takes real numbers, not"):
        actfn.get("elu")(x)


# -- memory maps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1000, 300_000])  # the second is worked on in parts
def test_memory_maps_are_read_and_written(tmp_path, size):
    x = np.memmap(tmp_path / "x", dtype="float32", mode="w+", shape=(size,))
    x[:] = np.linspace(-9, 3, size)
    y = np.memmap(tmp_path / "y", dtype="float32", mode="w+", shape=(size,))
    assert actfn.numpy.elu(x, np.float32(0.5), out=y) is y
    y.flush()
    expected = actfn.numpy.elu(np.array(x), np.float32(0.5))
    same(np.fromfile(tmp_path / "y", dtype="float32"), expected)
    result = actfn.get("elu")(x, alpha=0.5)
    assert type(result) is type(np.tanh(x)) is np.ndarray
    same(result, expected)


# -- the array API standard ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_an_array_of_the_standard_stays_one(f, dtype):
    x = array_api_strict.asarray(X.astype(dtype))
    y = f(x)
    assert type(y) is type(x)
    same(y, f(X.astype(dtype)))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (array_api_strict.asarray([1j]), "real numbers, not complex128"),
        (array_api_strict.asarray([1.0], device=array_api_strict.Device("device1")), "move x to the processor"),
    ],
    ids=["complex", "on a device"],
)
def test_an_array_of_the_standard_that_numpy_cant_serve_is_refused(x, message):
    with pytest.raises(TypeError, match=message):
        actfn.get("elu")(x)

"""ELU as each peer computes it: the same values from the same inputs, as a user of that library would write it.

A peer that isn't installed, or can't do what is asked, is left out with a line that says why. What a peer returns is
checked before it is timed: a benchmark of something else would be worth nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from benchmarks.report import Record

SEED = 7
Call = Callable[[], Any]


def normal(size: int, dtype: str = "float32", seed: int = SEED) -> np.ndarray:
    """Normal(0, 1) inputs: half of them negative, so that no function gets away without its exponential."""
    return np.random.default_rng(seed).standard_normal(size).astype(dtype)


def elu_into(record: Record, x: np.ndarray, out: np.ndarray) -> dict[str, Call]:
    """ELU into an array that is there already. NumPy's composite has no such form and makes fresh arrays."""
    calls: dict[str, Call] = {"copyto": lambda: np.copyto(out, x)}
    if record.peer("torch", "torch"):
        import torch
        import torch.nn.functional as F

        tx, tout = torch.from_numpy(x), torch.from_numpy(out)
        native = torch._C._nn.elu  # pyright: ignore[reportAttributeAccessIssue]
        calls["torch"] = lambda: native(tx, 1.0, 1.0, 1.0, out=tout)
        traced = compiled(record, lambda x, out: out.copy_(F.elu(x)))
        if traced:
            calls["torch.compile"] = lambda: traced(tx, tout)
    calls["NumPy"] = lambda: _composite(x)
    session = _session(record, x.dtype)
    if session:
        binding = session.io_binding()
        shape, kind = list(x.shape), x.dtype.type
        binding.bind_input("x", "cpu", 0, kind, shape, x.ctypes.data)
        binding.bind_output("y", "cpu", 0, kind, shape, out.ctypes.data)
        calls["ONNX Runtime"] = lambda: session.run_with_iobinding(binding)
    numexpr = _numexpr(record)
    if numexpr:
        calls["numexpr"] = lambda: numexpr.evaluate(_EXPRESSION, local_dict={"x": x}, out=out)
    checked(calls, _composite(x), out)
    return calls


def elu_fresh(record: Record, x: np.ndarray) -> dict[str, Call]:
    """ELU as a fresh array."""
    calls: dict[str, Call] = {}
    if record.peer("torch", "torch"):
        import torch
        import torch.nn.functional as F

        tx = torch.from_numpy(x)
        calls["torch"] = lambda: F.elu(tx)
        traced = compiled(record, lambda x: F.elu(x))
        if traced:
            calls["torch.compile"] = lambda: traced(tx)
    calls["NumPy"] = lambda: _composite(x)
    jax = _jax(record)
    if jax:
        function, jx = jax.jit(jax.nn.elu), jax.numpy.asarray(x)
        calls["JAX"] = lambda: function(jx).block_until_ready()
    session = _session(record, x.dtype)
    if session:
        calls["ONNX Runtime"] = lambda: session.run(None, {"x": x})[0]
    numexpr = _numexpr(record)
    if numexpr:
        calls["numexpr"] = lambda: numexpr.evaluate(_EXPRESSION, local_dict={"x": x})
    checked(calls, _composite(x))
    return calls


def elu_derivatives(record: Record, x: np.ndarray, *factors: np.ndarray) -> dict[str, Call]:
    """ELU and what follows it under JAX, as one compiled function.

    With one factor, the upstream gradient: the backward pass. With a second one, the gradient of that pass's result:
    the double backward, by x and by the upstream gradient.
    """
    jax = _jax(record)
    if jax is None:
        return {}

    def backward(x: Any, g: Any) -> Any:
        y, pull = jax.vjp(jax.nn.elu, x)
        return y, pull(g)[0]

    def double_backward(x: Any, g: Any, gg: Any) -> Any:
        _, pull, y = jax.vjp(lambda x, g: backward(x, g)[::-1], x, g, has_aux=True)
        return (y, *pull(gg))

    function = jax.jit(backward if len(factors) == 1 else double_backward)
    arrays = [jax.numpy.asarray(a) for a in (x, *factors)]
    return {"JAX": lambda: jax.block_until_ready(function(*arrays))}


def compiled(record: Record, function: Callable[..., Any]) -> Callable[..., Any] | None:
    """A function under `torch.compile`, for one shape; None, and a line that says so, where that can't be had."""
    name = "torch.compile"
    if record.quick:
        record.skip(name, "left out by --quick, as it takes a while")
        return None
    if not shutil.which("g++") and not shutil.which("clang++"):
        record.skip(name, "needs a C++ compiler")
        return None
    import torch

    torch._dynamo.reset()  # otherwise the ninth shape of a lambda would no longer be compiled
    return torch.compile(function, dynamic=False)


def checked(calls: dict[str, Call], expected: np.ndarray, out: np.ndarray | None = None) -> None:
    """Raises `ValueError` where a call gives, or leaves in `out`, anything but the expected values, to 1e-4."""
    for name, call in calls.items():
        if name == "copyto":
            continue
        if out is not None:
            out.fill(np.nan)
        result = call()
        got = np.asarray(result if out is None or name == "NumPy" else out)
        if got.dtype != expected.dtype or not np.allclose(got, expected, rtol=1e-4, atol=1e-4):
            raise ValueError(f"{name} computes something else, so its time would mean nothing")


_EXPRESSION = "where(x > 0, x, expm1(x))"


def _composite(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(x))


def _jax(record: Record) -> Any:
    jax = record.peer("JAX", "jax")
    if jax is not None:
        jax.config.update("jax_enable_x64", True)  # for float64 inputs; float32 ones stay as they are
    return jax


def _numexpr(record: Record) -> Any:
    numexpr = record.peer("numexpr", "numexpr")
    if numexpr is not None:
        numexpr.set_num_threads(record.threads)
    return numexpr


def _session(record: Record, dtype: np.dtype) -> Any:
    """An ONNX Runtime session for ELU."""
    if dtype != np.float32:
        return record.skip("ONNX Runtime (float64)", "has no Elu for it")
    there = record.peer("ONNX Runtime", "onnx") and record.peer("ONNX Runtime", "onnxruntime")
    return _elu_session(record.threads) if there else None


@lru_cache(maxsize=1)
def _elu_session(threads: int) -> Any:
    import onnxruntime
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Elu", ["x"], ["y"])], "elu", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it would take a core from the next peer
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

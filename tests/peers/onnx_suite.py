"""ONNX's own node tests of the operators that are elementwise functions, run against ours; they ship in its wheel.

Each case's inputs go through our ufunc, and through the model that `actfn.onnx` writes, under ONNX Runtime; the outputs are
compared with the case's own, within its own tolerances. `python -m tests.peers.onnx_suite` writes the table in
`docs/peers-onnx.md`.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
import onnxruntime
from ml_dtypes import bfloat16

import actfn.numpy
import actfn.onnx
from actfn import catalog
from actfn.definition import Definition, Parameter
from tests.peers.tally import failures, finish, raised, reasons, summary

EXPECTED: dict[str, str] = {}
"""Case and way -> why a failure is right, or not ours to mend. One that passes is reported."""


@dataclass(frozen=True)
class Ours:
    """What corresponds to an operator at some attributes: a definition, its numbers, and those that are inputs."""

    definition: Definition
    numbers: Mapping[str, float]
    inputs: Sequence[str] = ()

    def __str__(self) -> str:
        entry = catalog.entries().get(self.definition.name) == self.definition
        given = ", ".join([*self.inputs, *(f"{n}={v:.6g}" for n, v in self.numbers.items())])
        return (f"`{self.definition.name}`" if entry else f"the formula `{self.definition.formula}`") + (
            f", {given}" if given else ""
        )


def entry(name: str, *inputs: str, **numbers: float) -> Ours:
    return Ours(catalog.find(name), numbers, inputs)


def formula(text: str, **numbers: float) -> Ours:
    """What the catalog has no entry for at these attributes."""
    return Ours(Definition("f", text, tuple(map(Parameter, numbers, numbers.values()))), numbers)


def clip(given: Sequence[Any]) -> Ours:
    low, high = (None if bound is None else float(bound) for bound in (*given, None, None)[:2])
    match low, high:
        case None, None:
            return entry("identity")
        case 0.0, None:
            return entry("relu")
        case float(), float() if low <= 0 < high:
            return entry("hardtanh", min_val=low, max_val=high)
        case float(), float():
            return formula("min(max(x, low), high)", low=low, high=high)
        case None, float():
            return formula("min(x, high)", high=high)
    return formula("max(x, low)", low=low)


def shrink(lambd: float = 0.5, bias: float = 0.0) -> Ours:
    if bias == 0:
        return entry("hardshrink", lambd=lambd)
    assert bias == lambd
    return entry("softshrink", lambd=lambd)


def selu(**given: float) -> Ours:
    text = "gamma*where(x > 0, x, alpha*(exp(x) - 1))"
    return formula(text, **given) if given else entry("selu")


def hardsigmoid(**given: float) -> Ours:
    return formula("clip(alpha*x + beta, 0, 1)", **given) if given else entry("hardsigmoid_keras2")


def gelu(approximate: bytes = b"none") -> Ours:
    return entry("gelu_tanh" if approximate == b"tanh" else "gelu")


OURS: Mapping[str, Callable[..., Ours]] = {
    "Abs": lambda: entry("absolute"),
    "Acos": lambda: formula("acos(x)"),
    "Asin": lambda: formula("asin(x)"),
    "Asinh": lambda: entry("arcsinh"),
    "Atan": lambda: entry("arctan"),
    "Celu": lambda alpha=1.0: entry("celu", alpha=alpha),
    "Cos": lambda: entry("cosine"),
    "Cosh": lambda: formula("cosh(x)"),
    "Elu": lambda alpha=1.0: entry("elu", alpha=alpha),
    "Erf": lambda: entry("erf"),
    "Exp": lambda: entry("exponential"),
    "Gelu": gelu,
    "HardSigmoid": hardsigmoid,
    "HardSwish": lambda: entry("hardswish"),
    "Identity": lambda: entry("identity"),
    "LeakyRelu": lambda alpha=0.01: entry("leaky_relu", negative_slope=alpha),
    "Mish": lambda: entry("mish"),
    "PRelu": lambda: entry("prelu", "alpha"),
    "Relu": lambda: entry("relu"),
    "Selu": selu,
    "Shrink": shrink,
    "Sigmoid": lambda: entry("sigmoid"),
    "Sign": lambda: entry("sign"),
    "Sin": lambda: entry("sine"),
    "Sinh": lambda: formula("sinh(x)"),
    "Softplus": lambda: entry("softplus"),
    "Softsign": lambda: entry("softsign"),
    "Swish": lambda alpha=1.0: entry("swish", beta=alpha),
    "Tan": lambda: formula("tan(x)"),
    "Tanh": lambda: entry("tanh"),
    "ThresholdedRelu": lambda alpha=1.0: entry("threshold", threshold=alpha, value=0.0),
}
"""Operator -> what of ours it is, from its attributes by name. Clip, whose bounds are inputs, is `clip`."""
OPERATORS = (*OURS, "Clip", "SwiGLU")


def ours(case: Any) -> Ours:
    (node,) = case.model.graph.node
    if node.op_type == "Clip":
        bounds = dict(zip((n for n in node.input[1:] if n), case.data_sets[0][0][1:], strict=True))
        return clip([bounds.get(n) for n in node.input[1:]])
    return OURS[node.op_type](**{a.name: onnx.helper.get_attribute_value(a) for a in node.attribute})


def reason(case: Any, way: str, whole: Mapping[str, Any]) -> str:
    """Why a case isn't applicable to a way of ours; empty where it is."""
    written_out = re.sub(r"_expanded(_ver\d+)?$", "", case.name)
    if written_out != case.name:
        pairs = zip(tensors(case), tensors(whole[written_out]), strict=True)
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs), f"{case.name} says something new"
        return "the same inputs and outputs, of the operator written out in others"
    x = case.data_sets[0][0][0]
    if case.model.graph.node[0].op_type == "SwiGLU":
        return "a gated unit, and no function of one x"
    if not isinstance(x, np.ndarray):
        return "a list of tensors"
    if x.dtype.kind in "iu":
        return "whole numbers, of which ours make floating-point numbers"
    return "NumPy has no bfloat16" if x.dtype == bfloat16 and way == "ufunc" else ""


def tensors(case: Any) -> list[np.ndarray]:
    """Every input and output, float32 where NumPy has no dtype for it."""
    every = [t for given, expected in case.data_sets for t in (*given, *expected)]
    return [t.astype(np.float32) if t.dtype == bfloat16 else t for t in every]


def by_ufunc(its: Ours, x: np.ndarray, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    return actfn.numpy.function(its.definition)(x, **its.numbers, **inputs)


def by_model(its: Ours, x: np.ndarray, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    shapes = {n: v.shape for n, v in inputs.items()}
    made = actfn.onnx.model(its.definition, str(x.dtype), its.numbers, shapes, shape=x.shape)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    if x.dtype != bfloat16:
        return session.run(None, {"x": x, **inputs})[0]
    y, binding, kind = np.zeros(x.shape, np.uint16), session.io_binding(), onnx.TensorProto.BFLOAT16
    of = onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type
    given, out = of(x.view(np.uint16), kind), of(y, kind)
    binding.bind_ortvalue_input("x", given)
    binding.bind_ortvalue_output("y", out)
    session.run_with_iobinding(binding)
    return y.view(bfloat16)


def agrees(way: Callable[..., np.ndarray], case: Any) -> None:
    """As ONNX's own runner compares: dtype, shape, and the case's tolerances."""
    its = ours(case)
    for given, (expected,) in case.data_sets:
        x, *rest = given
        got = way(its, x, dict(zip(its.inputs, rest, strict=False)))
        assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
        got, expected = (v.astype(np.float32) if v.dtype == bfloat16 else v for v in (got, expected))
        np.testing.assert_allclose(got, expected, rtol=case.rtol, atol=case.atol)


WAYS = {"ufunc": by_ufunc, "model": by_model}


# -- the run ----------------------------------------------------------------------------------------------------------------


def collected() -> dict[str, Any]:
    """Name -> case, of the operators that are ours."""
    from onnx.backend.test.case.node import collect_testcases

    pattern = re.compile(rf"test_({'|'.join(OPERATORS)})(_|$)", re.IGNORECASE)
    return {case.name: case for case in sorted(collect_testcases(), key=lambda c: c.name) if pattern.match(case.name)}


HEAD = """\
# ONNX's own node tests, run against ours

Written by `python -m tests.peers.onnx_suite`, from the node tests that onnx {onnx} ships; CI runs it and checks that this page is
current. The inputs of each case go through our NumPy ufunc, and through the model that `actfn.onnx.model` writes, under ONNX
Runtime; outputs are compared with the case's own, within the case's own tolerances (relative {rtol:g}, absolute {atol:g}).
"""


def table(
    ran: Mapping[str, Mapping[str, str]], aside: Mapping[str, Mapping[str, str]], listed: Mapping[str, Any]
) -> str:
    (tolerances,) = {(case.rtol, case.atol) for case in listed.values()}
    lines = [HEAD.format(onnx=version("onnx"), rtol=tolerances[0], atol=tolerances[1]), *summary(ran, aside)]
    lines += ["", f"| case | ours | {' | '.join(ran)} |", "|---|---|---|---|"]
    for name in ran["model"]:
        cells = ["not applicable" if name in aside[way] else "failed" if ran[way][name] else "passed" for way in ran]
        lines.append(f"| {name} | {ours(listed[name])} | {' | '.join(cells)} |")
    lines += reasons("What fails, and why", EXPECTED)
    only = {f"{name} (ufunc)": why for name, why in aside["ufunc"].items() if name not in aside["model"]}
    lines += reasons("What is not applicable, and why", {**aside["model"], **only})
    return "\n".join(lines) + "\n"


def main() -> int:
    warnings.simplefilter("ignore")  # of what makes their cases
    listed = collected()
    ran, aside = {}, {}
    for way, call in WAYS.items():
        whys = {name: reason(case, way, listed) for name, case in listed.items()}
        aside[way] = {name: why for name, why in whys.items() if why}
        ran[way] = {name: raised(partial(agrees, call, listed[name])) for name, why in whys.items() if not why}
    return finish("onnx", table(ran, aside, listed), failures(ran), EXPECTED)


if __name__ == "__main__":
    sys.exit(main())

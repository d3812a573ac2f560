"""ONNX models under ONNX Runtime: every entry within 2 ulps of float32, and its derivative; dtypes, parameters, shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.formula.printers import UnprintableError
from actfn.reference import Oracle, ulps

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from actfn.onnx import STANDARD, model  # noqa: E402  (needs onnx)

ENTRIES = [*catalog.entries().values()]
ELU = catalog.find("elu")


def run(made, x, **inputs):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x, **inputs})
    return y


def worst(definition: Definition, order: int, x: np.ndarray, y: np.ndarray, given: Mapping[str, float] | None = None):
    """(the largest error in ulps of the dtype of y, where)."""
    oracle = Oracle(derivative(definition.expression, order, definition.conventions))
    exact = given or {n: float(np.float32(v)) for n, v in definition.defaults.items()}
    kind = str(y.dtype)
    errors = [(ulps(float(v), oracle.ball(float(u), exact), kind), float(u)) for u, v in zip(x, y, strict=True)]
    return max(errors, key=lambda e: math.inf if math.isnan(e[0]) else e[0])


POWERS = np.concatenate([2.0 ** np.arange(-40, 7, 3), 1.7 * 2.0 ** np.arange(-20, 5, 3), [0.55, 2.9, 6.1, 11.3]])
POINTS = np.concatenate([POWERS, -POWERS, [0.0]]).astype(np.float32)

CANCELLING = {"tanhshrink"}
"""x - tanh(x), about x^3/3, cancels in double precision too: float32 needs |x| > 1e-4 there."""


@pytest.mark.parametrize("order", [0, 1])
def test_every_entry_is_within_two_ulps(order):
    assert len(CANCELLING) < 0.02 * len(ENTRIES)
    for entry in ENTRIES:
        x = POINTS[abs(POINTS) > 1e-3] if entry.name in CANCELLING else POINTS
        y = run(model(entry, derivative=order), x)
        assert (y.dtype, y.shape) == (x.dtype, x.shape)
        error, at = worst(entry, order, x, y)
        assert error <= 2, (entry.name, error, at)


DEEP = ["elu", "celu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid", "rbf", "leaky_relu"]


@pytest.mark.parametrize("name", [n for n in DEEP if n in catalog.entries()])
def test_float32_is_rounded_once(name):
    """0.51 ulp at 2,000 x from every binade, through the smallest results to 0."""
    rng = np.random.default_rng(3)
    x = np.concatenate(
        [
            rng.normal(0, 3, 1000),
            rng.uniform(-110, 110, 500),
            rng.choice([-1, 1], 500) * 2.0 ** rng.uniform(-140, 8, 500),
        ]
    )
    entry, x = catalog.find(name), x.astype(np.float32)
    assert worst(entry, 0, x, run(model(entry), x))[0] <= 0.51


def test_what_the_runtimes_own_elu_loses():
    """The reason for the primitive operators: Elu gives 0 where the value is x."""
    x = np.array([-1e-8, -1e-4, -1.0, 2.0], np.float32)
    own = onnx.helper.make_node("Elu", ["x"], ["y"], alpha=1.0)
    ends = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["n"]) for n in "xy"]
    graph = onnx.helper.make_graph([own], "elu", ends[:1], ends[1:])
    theirs = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    assert worst(ELU, 0, x, run(theirs, x))[0] > 1000
    assert worst(ELU, 0, x, run(model(ELU), x))[0] <= 0.51


def test_the_standard_operator_stands_where_it_is_accurate():
    for name, (operator, attributes) in STANDARD.items():
        (node,) = model(catalog.find(name)).graph.node
        assert node.op_type == operator
        assert {a.name for a in node.attribute} == set(attributes)
    mine = Definition("relu", "where(x > 0, x, 0.5*x)")  # of the name alone
    assert "Relu" not in {n.op_type for n in model(mine).graph.node}
    x = np.array([-2.0, 3.0], np.float32)
    assert run(model(mine), x).tolist() == [-1.0, 3.0]
    slope = model(catalog.find("leaky_relu"), parameters={"negative_slope": 0.25})
    assert run(slope, x).tolist() == [-0.5, 3.0]


@pytest.mark.parametrize(("dtype", "bound"), [("float16", 0.51), ("float32", 0.51), ("float64", 10.0)])
def test_dtypes(dtype, bound):
    x = np.array([*POINTS[abs(POINTS) < 20], -17.0], dtype)
    x = x[(abs(x) > 1e-4) | (x == 0)]
    given = ELU.defaults | {"alpha": 0.3}
    y = run(model(ELU, dtype, given), x)
    assert y.dtype == x.dtype
    exact = {"alpha": 0.3 if dtype == "float64" else float(np.float32(0.3))}
    assert worst(ELU, 0, x, y, exact)[0] <= bound
    for formula in ("log(1 + exp(x))", "sinh(x)", "asinh(x)", "expm1(x)", "cbrt(x)", "tan(x)", "log(1 + x**2)"):
        definition = Definition("f", formula)
        assert worst(definition, 0, x, run(model(definition, dtype), x))[0] <= bound + 0.2, formula


def test_bfloat16():
    bits = np.array([0xBF80, 0x4000, 0xB22C], np.uint16)  # -1, 2, -1e-8: NumPy has no bfloat16
    made = model(ELU, "bfloat16")
    assert {v.type.tensor_type.elem_type for v in (*made.graph.input, *made.graph.output)} == {
        onnx.TensorProto.BFLOAT16
    }
    options = ort.SessionOptions()
    session = ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    x = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, onnx.TensorProto.BFLOAT16)
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", x)
    y = np.zeros(3, np.uint16)
    out = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(y, onnx.TensorProto.BFLOAT16)
    binding.bind_ortvalue_output("y", out)
    session.run_with_iobinding(binding)
    got = (np.array(y, np.uint32) << 16).view(np.float32)
    np.testing.assert_allclose(got, np.where(np.arange(3) == 1, 2, np.expm1([-1.0, 0.0, -1e-8])), rtol=2**-8)


FUNCTIONS = [
    "erf(x)",
    "erfc(x)",
    "atan(x)",
    "asin(x/130)",
    "acos(x/130)",
    "sinh(x/2)",
    "cosh(x/2)",
    "asinh(x)",
    "cbrt(x)",
]
FUNCTIONS += ["expm1(x)", "log1p(x + 129)", "softplus(-x)", "sigmoid(-x)", "max(x, 0.5)", "min(-x, 2)", "sign(x)*x**4"]
FUNCTIONS += [
    "where(x > -1 and x < 1 or x == 2, 1, x)",
    "where(not (x >= 0 and x != 1), 2, abs(x))",
    "abs(x)**0.3",
    "3",
]


@pytest.mark.parametrize("formula", FUNCTIONS)
def test_every_function_of_the_language(formula):
    definition = Definition("f", formula)
    x = np.concatenate([POINTS, [0.5, -0.5, 1.0, 2.0, np.float32(0.49999997)]]).astype(np.float32)
    assert worst(definition, 0, x, run(model(definition), x))[0] <= 0.51


def test_nan_and_infinity():
    x = np.array([math.nan, math.inf, -math.inf], np.float32)
    for name in ("elu", "selu", "relu", "sigmoid", "tanh", "softplus"):
        y = run(model(catalog.find(name)), x)
        assert math.isnan(y[0]), name
        assert y[1] in (math.inf, 1.0)
        assert math.isfinite(y[2])
    for formula in ("max(x, 0)", "min(x, 0)", "sign(x)", "atan(x)", "erf(x)", "cbrt(x)"):
        y = run(model(Definition("f", formula)), x)
        assert np.isnan(y).tolist() == [True, False, False]


def test_parameters_are_constants_or_inputs():
    x = np.array([[-1.0, 2.0, -3.0]] * 2, np.float32)
    fixed = model(ELU, parameters={"alpha": 0.3}, shape=("rows", 3))
    assert {p.key: float(p.value) for p in fixed.metadata_props} == {"alpha": float(np.float32(0.3))}
    np.testing.assert_allclose(run(fixed, x), np.where(x > 0, x, 0.3 * np.expm1(x)), rtol=1e-6)
    scalar = model(ELU, inputs=["alpha"], shape=("rows", "columns"))
    assert [i.name for i in scalar.graph.input] == ["x", "alpha"]
    np.testing.assert_array_equal(run(scalar, x, alpha=np.array(0.3, np.float32)), run(fixed, x))
    rows = model(ELU, inputs={"alpha": ("rows", 1)}, shape=("columns",))
    got = run(rows, x[0], alpha=np.array([[0.3], [1.0]], np.float32))
    np.testing.assert_allclose(got, np.where(x > 0, x, [[0.3], [1.0]] * np.expm1(x)), rtol=1e-6)
    output = rows.graph.output[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in output] == ["rows", "columns"]


def test_a_result_that_does_not_depend_on_x_has_its_shape():
    line = Definition("line", "a*x + b", [Parameter("a", 2.0), Parameter("b", 1.0)])
    x = np.zeros((2, 3), np.float32)
    for made, value in ((model(line, derivative=1, shape=(2, 3)), 2.0), (model(line, derivative=2, shape=(2, 3)), 0.0)):
        y = run(made, x)
        assert y.shape == x.shape
        assert (y == value).all()


def test_errors():
    with pytest.raises(ValueError, match="unknown dtype 'int8'; write one of float16, bfloat16, float32, float64"):
        model(ELU, "int8")
    with pytest.raises(ValueError, match="elu has no parameter 'beta'; its parameters: alpha"):
        model(ELU, inputs=["beta"])
    with pytest.raises(ValueError, match=r"celu: alpha = -1\.0 is outside its domain"):
        model(catalog.find("celu"), parameters={"alpha": -1.0})
    with pytest.raises(ValueError, match="the output is called y"):
        model(Definition("f", "x*y", [Parameter("y")]), inputs=["y"])
    with pytest.raises(UnprintableError, match="ONNX in float64 has no erf"):
        model(Definition("f", "erf(x)"), "float64")


def test_the_graph_reads_well():
    nodes = [n.op_type for n in model(catalog.find("sigmoid")).graph.node]
    assert nodes == ["Cast", "Abs", "Neg", "Exp", "Constant", "Less", "Constant", "Where", "Add", "Div", "Cast"]
    leaky = model(Definition("mine", "where(x > 0, x, 0.25*x)")).graph.node
    assert "Cast" not in {n.op_type for n in leaky}  # float32 does

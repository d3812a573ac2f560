"""ONNX models: `model(definition)` is a graph of standard operators that any runtime runs, and that keeps small x right.

ONNX has no expm1, and runtimes differ in their Elu, Softplus and Sigmoid, which lose small results. So the lowered program
is written out in primitive operators, in double precision inside of the graph where float32 would lose it, with a cast at
both ends. The standard operator stands where it was measured to be accurate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import sympy
from onnx import TensorProto, helper, numpy_helper
from sympy import Expr, Piecewise, Pow, S
from sympy.core.relational import Relational

from actfn import catalog
from actfn.definition import Definition
from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.constants import nearest, value
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.lower import Program, program

__all__ = ["model"]

OPSET, IR = 18, 8  # December 2022: what runtimes of the last years read
DTYPES = {
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
}
STANDARD: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": "negative_slope"}),
    "exponential": ("Exp", {}),
}
"""Catalog entries that are a standard operator, within an ulp in ONNX Runtime: its name, and attribute -> parameter. Elu, Selu,
Celu, Sigmoid, Softplus, Tanh, Mish and Gelu aren't here: they are off by 4 ulps to all of the value."""


def model(
    definition: Definition,
    dtype: str = "float32",
    parameters: Mapping[str, float] | None = None,
    inputs: Sequence[str] | Mapping[str, Sequence[int | str]] = (),
    derivative: int = 0,
    shape: Sequence[int | str] = ("n",),
) -> onnx.ModelProto:
    """A model with an input `x` and an output `y`; `derivative` is the order, 0 for f itself.

    Parameters are constants, at their defaults or as given by `parameters` and rounded to `dtype` (float32 for 16 bits),
    except those that `inputs` names: they are inputs, which are scalars, or of the shape that `inputs` maps them to, and
    broadcast with x. `shape` is that of x, with a name for a dimension of any length: ("batch", 128).
    `dtype` is "float16", "bfloat16", "float32" or "float64"; all but the last are computed in double precision, unless
    float32 rounds once at most.
    Raises `ValueError` for an unknown dtype, parameter or order, and `UnprintableError` (one too) for what float64 lacks.
    """
    if dtype not in DTYPES:
        raise ValueError(f"unknown dtype {dtype!r}; write one of {', '.join(DTYPES)}")
    given = definition.values(parameters or {})
    stray = next((n for n in inputs if n not in given), None)
    if stray is not None:
        raise ValueError(f"{definition.name} has no parameter {stray!r}; its parameters: {', '.join(given) or 'none'}")
    if "y" in inputs:
        raise ValueError("the output is called y; name the parameter otherwise, or fix it")
    fixed = {n: _rounded(v, dtype) for n, v in given.items() if n not in inputs}
    operator = None if derivative or inputs or dtype != "float32" else _standard(definition)
    if operator is not None:
        name, attributes = operator
        settings: dict[str, Any] = {a: fixed[p] for a, p in attributes.items()}
        nodes = [helper.make_node(name, ["x"], ["y"], **settings)]
    else:
        nodes = _nodes(program(definition, derivative), dtype, fixed, list(inputs))
    kind = DTYPES[dtype]
    shapes = inputs if isinstance(inputs, Mapping) else dict.fromkeys(inputs, ())
    values = [helper.make_tensor_value_info(n, kind, s) for n, s in {"x": shape, **shapes}.items()]
    graph = helper.make_graph(
        nodes,
        definition.name,
        values,
        [helper.make_tensor_value_info("y", kind, _broadcast(shape, *shapes.values()))],
        doc_string=f"{definition.title or definition.name}: {definition.formula}",
    )
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="actfn"
    )
    helper.set_model_props(made, {n: repr(v) for n, v in fixed.items()})
    onnx.checker.check_model(made, full_check=True)
    return made


def _broadcast(*shapes: Sequence[int | str]) -> list[int | str]:
    """The shape of a result; where two names meet, the first stands for both."""
    rank = max(map(len, shapes))
    columns = zip(*([1] * (rank - len(s)) + list(s) for s in shapes), strict=True)
    return [next((d for d in column if d != 1), 1) for column in columns]


def _rounded(number: float, dtype: str) -> float:
    return number if dtype == "float64" else float(np.float32(number))


def _standard(definition: Definition) -> tuple[str, Mapping[str, str]] | None:
    return STANDARD.get(definition.name) if catalog.entries().get(definition.name) == definition else None


def _nodes(steps: Program, dtype: str, fixed: Mapping[str, float], inputs: Sequence[str]) -> list[onnx.NodeProto]:
    work = "float32" if dtype == "float32" and _is_exact(steps) else "float64"
    graph = _Graph(work, approximates=dtype != "float64")
    cast = dtype != work
    for name in ("x", *inputs):
        graph.names[name] = graph.node("Cast", name, to=DTYPES[work]) if cast else name
    for name, number in fixed.items():
        graph.names[name] = graph.constant(number)
    for symbol, expression in steps.assignments:
        graph.names[symbol.name] = graph.visit(expression)
    y = graph.visit(steps.result)
    if not _varies(steps):
        y = graph.node("Expand", y, graph.node("Shape", "x"))
    graph.node("Cast" if cast else "Identity", y, out="y", **({"to": DTYPES[dtype]} if cast else {}))
    return graph.nodes


def _varies(steps: Program) -> bool:
    """Whether the result depends on x."""
    behind = {X}
    for symbol, expression in steps.assignments:
        if expression.free_symbols & behind:
            behind.add(symbol)
    return bool(steps.result.free_symbols & behind)


def _is_exact(steps: Program) -> bool:
    """Whether float32 arithmetic rounds once at most: choices of numbers, of symbols, and of a symbol times a number."""

    def plain(node: Any) -> bool:
        if isinstance(node, Piecewise):
            return all(plain(e) and _is_simple(c) for e, c in node.args)
        if isinstance(node, functions.maximum | functions.minimum | sympy.Abs | sympy.sign):
            return all(plain(a) and not a.is_Mul for a in node.args)
        if node.is_Mul:
            return len(node.args) == 2 and all(a.is_Symbol or a.is_number for a in node.args)
        return node.is_Symbol or node.is_number

    return all(plain(e) for e in (*(e for _, e in steps.assignments), steps.result))


def _is_simple(condition: Any) -> bool:
    """Whether a condition compares only numbers and symbols, or such with a minus."""
    return all((-side if side.could_extract_minus_sign() else side).is_Atom for side in _sides(condition))


def _sides(condition: Any) -> list[Expr]:
    return [side for relation in condition.atoms(Relational) for side in relation.args]


# log(erfc(z)*exp(z*z)/t) for z >= 0, with t = 2/(2 + z), as a polynomial in 2*t - 1: Chebyshev interpolation of degree 16,
# error below 1.1e-11. numpy.polynomial.chebyshev.chebfit on 64 Chebyshev points, by mpmath at 40 digits, makes it again.
_ERFC = (
    -0.671794084064, 0.672643223956, 0.0473433080195, -0.0468956094854, -0.00987272115324, 0.00882493328122,
    0.00175926491686, -0.00234582583601, -0.000147984658479, 0.000673960343271, -8.85831556134e-05, -0.000175587748219,
    6.23428004669e-05, 3.46923756782e-05, -2.07655033262e-05, -3.72514787009e-06, 3.16106200068e-06,
)  # fmt: skip


_BOUNDED = (sympy.exp, functions.sigmoid, sympy.tanh, sympy.erf, functions.erfc)


class _Graph:
    """Nodes in order; every expression is written once. Values are called 0, 1, ..., which no input can be."""

    def __init__(self, work: str, approximates: bool):
        self.work = work
        self.approximates = approximates
        self.nodes: list[onnx.NodeProto] = []
        self.names: dict[str, str] = {}
        self._made: dict[Any, str] = {}

    def node(self, operator: str, *operands: str, out: str = "", **attributes: Any) -> str:
        key = (operator, operands, out, tuple(attributes.items()))
        if key not in self._made:
            self._made[key] = out or f"{len(self.nodes)}"
            self.nodes.append(helper.make_node(operator, list(operands), [self._made[key]], **attributes))
        return self._made[key]

    def constant(self, number: float) -> str:
        key = ("Constant", repr(float(number)))
        if key not in self._made:
            self._made[key] = f"{len(self.nodes)}"
            tensor = numpy_helper.from_array(np.array(number, self.work))
            self.nodes.append(helper.make_node("Constant", [], [self._made[key]], value=tensor))
        return self._made[key]

    # -- expressions

    def visit(self, expression: Any) -> str:
        """The name of an expression's value. Raises `UnprintableError`."""
        if expression not in self._made:
            self._made[expression] = self._visited(expression)
        return self._made[expression]

    def _visited(self, e: Any) -> str:
        if e.is_Symbol:
            return self.names[e.name]
        if isinstance(e, Expr) and e.is_number:
            number = value(e)
            if number is None:
                raise UnprintableError(f"ONNX: the constant {e} is no real number, or is too large")
            return self.constant(float(number) if not number.is_Rational else nearest(number))
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        if isinstance(e, Pow):
            return self._power(e)
        if isinstance(e, Piecewise):
            *rest, (last, condition) = e.args
            branches, default = (rest, last) if condition is S.true else (e.args, S.NaN)
            y = self.visit(default)
            for branch, c in reversed(branches):
                y = self.node("Where", self.visit(c), self.visit(branch), y)
            return y
        if isinstance(e, Relational):
            return self._relation(e)
        if isinstance(e, sympy.And | sympy.Or):
            first, *rest = map(self.visit, e.args)
            for other in rest:
                first = self.node(type(e).__name__, first, other)
            return first
        if isinstance(e, sympy.Not):
            return self.node("Not", self.visit(e.args[0]))
        write = _FUNCTIONS.get(type(e))
        if write is None:
            raise UnprintableError(f"ONNX has no {type(e).__name__}")
        if write in _APPROXIMATE and not self.approximates:
            raise UnprintableError(f"ONNX in float64 has no {type(e).__name__}; write dtype='float32'")
        return write(self, *map(self.visit, e.args))

    def _sum(self, e: Expr) -> str:
        terms = sorted(e.as_ordered_terms(), key=lambda t: bool(t.is_number))
        y = self.visit(terms[0])
        for term in terms[1:]:
            minus = term.could_extract_minus_sign()
            y = self.node("Sub" if minus else "Add", y, self.visit(-term if minus else term))
        return y

    def _product(self, e: Expr) -> str:
        numbers = sympy.Mul(*(f for f in e.args if f.is_number))
        if numbers == -1:
            return self.node("Neg", self.visit(-e))
        factors = [f for f in e.as_ordered_factors() if not f.is_number]
        down = [f for f in factors if isinstance(f, Pow) and f.exp.is_Rational and f.exp.is_negative]
        # Bounded ones first, as exp(-x*x)*x*2 is 0 where x*2 overflows.
        up = sorted((f for f in factors if f not in down), key=lambda f: not isinstance(f, _BOUNDED))
        if down:
            bottom = sympy.Mul(*(Pow(f.base, -f.exp) for f in down))
            return self.node("Div", self.visit(sympy.Mul(numbers, *up)), self.visit(bottom))
        y = self.visit(up[0])
        for factor in up[1:]:
            y = self.node("Mul", y, self.visit(factor))
        return y if numbers == 1 else self.node("Mul", self.visit(numbers), y)

    def _power(self, e: Pow) -> str:
        base, exponent = e.args
        if exponent.is_Rational and exponent.is_negative:
            return self.node("Div", self.constant(1), self.visit(Pow(base, -exponent)))
        if exponent == S.Half:
            return self.node("Sqrt", self.visit(base))
        if exponent in (2, 3, 4):
            b = self.visit(base)
            square = self.node("Mul", b, b)
            return square if exponent == 2 else self.node("Mul", square, b if exponent == 3 else square)
        return self.node("Pow", self.visit(base), self.visit(exponent))

    def _relation(self, e: Relational) -> str:
        names = {">": "Greater", "<": "Less", ">=": "GreaterOrEqual", "<=": "LessOrEqual", "==": "Equal", "!=": "Equal"}
        y = self.node(names[e.rel_op], self.visit(e.lhs), self.visit(e.rhs))
        return self.node("Not", y) if e.rel_op == "!=" else y

    # -- functions

    def less(self, u: str, bound: float) -> str:
        return self.node("Less", u, self.constant(bound))

    def where(self, condition: str, a: str, b: str) -> str:
        return self.node("Where", condition, a, b)

    def shifted(self, u: str, by: float) -> str:
        return self.node("Add", u, self.constant(by))

    def times(self, u: str, by: float) -> str:
        return self.node("Mul", u, self.constant(by))

    def polynomial(self, u: str, coefficients: Sequence[float]) -> str:
        """The lowest coefficient first."""
        y = self.constant(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            y = self.shifted(self.node("Mul", y, u), c)
        return y

    def fading(self, u: str) -> str:
        """exp(-|u|)."""
        return self.node("Exp", self.node("Neg", self.node("Abs", u)))


def _expm1(g: _Graph, u: str) -> str:
    """2*t/(1 - t) with t = tanh(u/2), which doesn't cancel below 1; exp(u) - 1 above."""
    t = g.node("Tanh", g.times(u, 0.5))
    near = g.node("Div", g.times(t, 2), g.node("Sub", g.constant(1), t))
    return g.where(g.less(u, 1), near, g.shifted(g.node("Exp", u), -1))


def _log1p(g: _Graph, u: str) -> str:
    """log(w)*u/(w - 1) with w = 1 + u, whose rounding errors cancel (Kahan; Higham, section 1.14.1); u itself where w is 1."""
    w = g.shifted(u, 1)
    near = g.node("Div", g.node("Mul", g.node("Log", w), u), g.shifted(w, -1))
    near = g.where(g.node("Equal", w, g.constant(1)), u, near)
    return g.where(g.less(u, 1), near, g.node("Log", w))


def _sigmoid(g: _Graph, u: str) -> str:
    t = g.fading(u)
    return g.node("Div", g.where(g.less(u, 0), t, g.constant(1)), g.shifted(t, 1))


def _softplus(g: _Graph, u: str) -> str:
    return g.node("Add", g.where(g.less(u, 0), g.constant(0), u), _log1p(g, g.fading(u)))


def _erfc(g: _Graph, u: str) -> str:
    z = g.node("Abs", u)
    t = g.node("Div", g.constant(2), g.shifted(z, 2))
    p = g.polynomial(g.shifted(g.times(t, 2), -1), _ERFC)
    tail = g.node("Mul", t, g.node("Exp", g.node("Sub", p, g.node("Mul", z, z))))
    return g.where(g.less(u, 0), g.node("Sub", g.constant(2), tail), tail)


def _erf(g: _Graph, u: str) -> str:
    """u times the series of DLMF 7.6.1 below 1/2, 1 - erfc(|u|) above."""
    series = [2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(11)]
    near = g.node("Mul", u, g.polynomial(g.node("Mul", u, u), series))
    z = g.node("Abs", u)
    far = g.node("Mul", _sign(g, u), g.node("Sub", g.constant(1), _erfc(g, z)))
    return g.where(g.less(z, 0.5), near, far)


def _sign(g: _Graph, u: str) -> str:
    return g.where(g.node("Equal", u, u), g.node("Sign", u), u)


def _larger(g: _Graph, a: str, b: str) -> str:
    return g.where(g.node("Or", g.node("Greater", a, b), g.node("Not", g.node("Equal", a, a))), a, b)


def _smaller(g: _Graph, a: str, b: str) -> str:
    return g.where(g.node("Or", g.node("Less", a, b), g.node("Not", g.node("Equal", a, a))), a, b)


def _sinh(g: _Graph, u: str) -> str:
    return g.times(g.node("Sub", _expm1(g, u), _expm1(g, g.node("Neg", u))), 0.5)


def _cosh(g: _Graph, u: str) -> str:
    return g.times(g.node("Add", g.node("Exp", u), g.node("Exp", g.node("Neg", u))), 0.5)


def _tan(g: _Graph, u: str) -> str:
    return g.node("Div", g.node("Sin", u), g.node("Cos", u))


def _cbrt(g: _Graph, u: str) -> str:
    return g.node("Mul", _sign(g, u), g.node("Pow", g.node("Abs", u), g.constant(1 / 3)))


def _asinh(g: _Graph, u: str) -> str:
    """sign(u)*log1p(|u| + |u|*(|u|/(1 + sqrt(1 + u^2)))), in which nothing cancels."""
    z = g.node("Abs", u)
    root = g.shifted(g.node("Sqrt", g.shifted(g.node("Mul", z, z), 1)), 1)
    return g.node("Mul", _sign(g, u), _log1p(g, g.node("Add", z, g.node("Mul", z, g.node("Div", z, root)))))


def _atan(g: _Graph, u: str) -> str:
    """2*atan(w/(1 + sqrt(1 + w^2))) by its series, for w = |u| or 1/|u|, which is pi/2 away."""
    z = g.node("Abs", u)
    inner = g.node("LessOrEqual", z, g.constant(1))
    w = g.where(inner, z, g.node("Div", g.constant(1), z))
    v = g.node("Div", w, g.shifted(g.node("Sqrt", g.shifted(g.node("Mul", w, w), 1)), 1))
    series = [2 * (-1) ** n / (2 * n + 1) for n in range(14)]  # v <= 0.415: cut at 1e-11
    angle = g.node("Mul", v, g.polynomial(g.node("Mul", v, v), series))
    return g.node("Mul", _sign(g, u), g.where(inner, angle, g.node("Sub", g.constant(math.pi / 2), angle)))


def _asin(g: _Graph, u: str) -> str:
    one = g.constant(1)
    return _atan(g, g.node("Div", u, g.node("Sqrt", g.node("Mul", g.node("Sub", one, u), g.node("Add", one, u)))))


def _acos(g: _Graph, u: str) -> str:
    """2*atan(sqrt((1 - u)/(1 + u)))."""
    one = g.constant(1)
    ratio = g.node("Div", g.node("Sub", one, u), g.node("Add", one, u))
    return g.times(_atan(g, g.node("Sqrt", ratio)), 2)


def _operator(name: str) -> Callable[..., str]:
    return lambda g, u: g.node(name, u)


_FUNCTIONS: dict[Any, Callable[..., str]] = {
    **{getattr(sympy, n): _operator(n.title()) for n in ("exp", "log", "sin", "cos", "tanh")},
    sympy.Abs: _operator("Abs"),
    sympy.sign: _sign,
    sympy.tan: _tan,
    sympy.sinh: _sinh,
    sympy.cosh: _cosh,
    sympy.asinh: _asinh,
    sympy.atan: _atan,
    sympy.asin: _asin,
    sympy.acos: _acos,
    sympy.erf: _erf,
    sympy.erfc: _erfc,
    functions.erfc: _erfc,
    functions.expm1: _expm1,
    functions.log1p: _log1p,
    functions.sigmoid: _sigmoid,
    functions.softplus: _softplus,
    functions.cbrt: _cbrt,
    functions.maximum: _larger,
    functions.minimum: _smaller,
}
_APPROXIMATE = (_erf, _erfc, _atan, _asin, _acos)
"""What is within 1e-10, not within float64."""

"""Lowering keeps the value, finds the stable forms, and lets no branch see an x from outside its region."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from sympy import Rational, Symbol

from actfn import catalog
from actfn.definition import Definition, Parameter
from actfn.formula import X, parse
from actfn.formula.derivative import derivative
from actfn.formula.functions import erfc, expm1, log1p, maximum, minimum, sigmoid, softplus
from actfn.kernels import build
from actfn.kernels.lower import program, stable
from actfn.kernels.precision import float32_suffices
from actfn.kernels.ufunc import ufunc
from actfn.reference import Oracle

ALPHA, BETA = Symbol("alpha", real=True), Symbol("beta", positive=True)
SYMBOLS = {"alpha": ALPHA, "beta": BETA}

STABLE = [
    ("alpha*(exp(x) - 1)", ALPHA * expm1(X)),
    ("alpha*exp(x) - alpha", ALPHA * expm1(X)),
    ("2*exp(x/3) + x - 2", X + 2 * expm1(X / 3)),
    ("log(1 + x**2)", log1p(X**2)),
    ("log(1 + exp(beta*x))/beta", softplus(BETA * X) / BETA),
    ("1/(1 + exp(-x))", sigmoid(X)),
    ("x/(1 + exp(-beta*x))", X * sigmoid(BETA * X)),
    ("exp(x)/(1 + exp(x))", sigmoid(X)),
    ("exp(-x)/(1 + exp(-x))**2", sigmoid(X) * sigmoid(-X)),
    ("2/(1 + exp(-x)) - 1", sympy.tanh(X / 2)),
    ("(1 - exp(-x))/(1 + exp(-x))", sympy.tanh(X / 2)),
    ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", sympy.tanh(X)),
    ("1 - 1/(1 + exp(-x))", sigmoid(-X)),
    ("x*(1 + erf(x))/2", X * erfc(-X) / 2),
    ("1 - erf(x)", erfc(X)),
    ("0.5*x*(1 + tanh(x + x**3))", X * sigmoid(2 * X**3 + 2 * X)),
]


@pytest.mark.parametrize(("text", "expected"), STABLE, ids=[s[0] for s in STABLE])
def test_stable_forms(text: str, expected: sympy.Expr) -> None:
    assert sympy.expand(stable(parse(text, SYMBOLS)) - expected) == 0


@pytest.mark.parametrize(
    "text", ["exp(x) + 1", "exp(x)*sin(x) - x", "log(2 + x**2)", "1/(2 + x)", "erf(x)**2 - 1", "tanh(x)"]
)
def test_nothing_else_is_rewritten(text: str) -> None:
    assert stable(parse(text, SYMBOLS)) == parse(text, SYMBOLS)


FORMULAS = [
    *catalog.entries().values(),
    Definition("logs", "where(x > theta + 1, log(x - theta), (x - theta - 1)*x)", (Parameter("theta", 0.5),)),
    Definition("roots", "where(x > 1, sqrt(x - 1), where(x < -1, 1/x, x**3))"),
    Definition("nested", "where(x > 0, where(x < 2, exp(x), x + exp(2) - 2), exp(-x**2))"),
    Definition("soft", "where(abs(x) > t, x - t*sign(x), 0)", (Parameter("t", 0.5, "positive"),)),
    Definition("clip", "clip(x, low, high)", (Parameter("low", -1.0), Parameter("high", 1.0))),
]
POINTS = [0.0, -0.5, 0.25, 1.0, -1.0, 1.5, -1.5, 2.0, 3.25, -30.0, 30.0, 1e-9, -1e-9]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("definition", FORMULAS, ids=lambda d: d.name)
def test_a_program_has_the_formula_s_values(definition: Definition, order: int) -> None:
    """The steps, put together again, against the formula itself, by the oracle."""
    steps = program(definition, order)
    whole = steps.result
    for symbol, expression in reversed(steps.assignments):
        whole = whole.xreplace({symbol: expression}).replace(sympy.ITE, _without_ite)
    lowered, exact = Oracle(whole), Oracle(derivative(definition.expression, order, definition.conventions))
    for x in POINTS:
        expected = exact.rounded(x, definition.defaults)
        got = lowered.rounded(x, definition.defaults)
        assert got == expected or (math.isnan(got) and math.isnan(expected)), x


def _without_ite(condition, holds, fails):
    return sympy.Or(sympy.And(condition, holds), sympy.And(sympy.Not(condition), fails))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("definition", FORMULAS, ids=lambda d: d.name)
def test_branches_see_their_own_region_only(definition: Definition, order: int) -> None:
    """Every step is finite at every point, the branches that aren't chosen too, as autograd differentiates those as well."""
    steps = program(definition, order)
    for x in (-800.0, -3.0, -1.0, 0.0, 0.5, 1.0, 1.5, 3.0, 800.0):
        values: dict[sympy.Symbol, sympy.Expr] = {X: Rational(x)}
        values |= {definition.symbols[n]: Rational(v) for n, v in definition.defaults.items()}
        for symbol, expression in steps.assignments:
            values[symbol] = expression.xreplace(values).doit()
        for node in sympy.preorder_traversal(steps.result):
            if isinstance(node, sympy.Piecewise):
                for branch, _ in node.args:
                    number = branch.xreplace(values).evalf(20)
                    assert number.is_finite, (x, branch)
                    assert abs(number) < 1e300, (x, branch)


def test_nan_reaches_a_branch_that_depends_on_x() -> None:
    steps = program(catalog.find("relu"))
    (first, condition), (last, _) = steps.result.args if isinstance(steps.result, sympy.Piecewise) else ((0, 0), (X, 0))
    assert last == X, (first, condition)


def test_parameters_named_like_temporaries() -> None:
    definition = Definition("odd", "where(x > 0, x, t0*(exp(x0*x) - 1)*exp(x0*x))", (Parameter("t0"), Parameter("x0")))
    steps = program(definition)
    names = [s.name for s, _ in steps.assignments]
    assert len(set(names)) == len(names)
    assert not {"x", "t0", "x0"} & set(names)


@pytest.mark.parametrize(
    ("formula", "suffices"),
    [
        ("where(x > 0, x, exp(x) - 1)", True),
        ("x*sigmoid(x)", True),
        ("x*tanh(softplus(x))", True),
        ("x - tanh(x)", False),
        ("exp(-x**2)", True),  # its argument is given in two parts
        ("exp(1.7*x)", True),
        ("exp(x - x**2)", False),
        ("sigmoid(3*x)", True),  # so is this one's
        ("log(1 + exp(1.7*x))", True),
        ("x*erf(softplus(1.7*x))", True),
        ("sigmoid(tanh(x)*3)", False),
        ("exp(x**2)*exp(sigmoid(x)*x)", False),
        ("exp(x) + x**2", True),  # terms of one sign
        ("exp(x) - 2", False),
        ("exp(-abs(x)) + sigmoid(x)", True),
        ("1/(1 + x**2)", False),  # x^2 leaves the range before its inverse does
        ("x*tanh(exp(x))", False),  # tanh(exp(x)) may be subnormal where the product isn't
        ("50*tanh(x/50)", False),
        ("expm1(1.7*x)", False),
        ("x**2.5", False),
    ],
)
def test_where_float32_arithmetic_suffices(formula: str, suffices: bool) -> None:
    definition = Definition("mine", formula)
    assert float32_suffices(definition, build.program(build.Request(definition))) is suffices


@pytest.mark.parametrize(
    ("formula", "order", "left", "right"),
    [
        ("x*sigmoid(x)", 0, 0, math.inf),
        ("x*tanh(softplus(beta*x))", 0, 0, math.inf),
        ("x*exp(-x**2)", 0, 0, 0),
        ("x*sigmoid(-x)", 0, -math.inf, 0),
        ("x*sigmoid(x)", 1, 0, 1),
        ("exp(-beta*x**2)", 1, 0, 0),
        ("x*erfc(-x)/2", 0, 0, math.inf),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_limits_at_infinity(formula: str, order: int, left: float, right: float, dtype: str) -> None:
    """Where arithmetic has infinity times 0, the limit; the same in the vectorised part of a loop and in its rest."""
    parameters = (Parameter("beta", 1.5),) if "beta" in formula else ()
    made = ufunc(Definition("mine", formula, parameters), order)
    x = np.array([-math.inf, math.inf, math.nan] * 21, dtype)
    np.testing.assert_array_equal(made(x, *np.full(len(parameters), 1.5, dtype)), [left, right, math.nan] * 21)


def test_no_limit_is_invented() -> None:
    """Held at the largest number is only an x whose value there has come to rest."""
    for formula in ("sin(x)*x", "x - x*exp(-x)", "where(x > 0, x, exp(x) - 1)", "exp(-abs(x))"):
        steps = build.program(build.Request(Definition("mine", formula)))
        held = [
            n for _, e in steps.assignments for n in sympy.preorder_traversal(e) if isinstance(n, maximum | minimum)
        ]
        held += [n for n in sympy.preorder_traversal(steps.result) if isinstance(n, minimum)]
        assert not held, formula

"""Pieces and breakpoints: checked against the formula itself, evaluated at points on both sides of every breakpoint."""

from __future__ import annotations

import itertools

import pytest
import sympy
from sympy import Rational, S, Symbol

from actfn.formula import X, parse
from actfn.formula.functions import maximum, minimum
from actfn.formula.pieces import Undecided, cases, unfold

SYMBOLS = {name: Symbol(name, real=True) for name in ("alpha", "theta", "low", "high")} | {
    "beta": Symbol("beta", positive=True)
}

FORMULAS = [
    "where(x > 0, x, alpha*(exp(x) - 1))",
    "where(x > theta, x, 0)",
    "where(x >= theta, x, alpha)",
    "abs(x)",
    "sign(x)*x**2",
    "max(x, x**2)",
    "max(alpha*x, x)",
    "clip(x, low, high)",
    "where(abs(x) > theta, x - sign(x)*theta, 0)",
    "where(alpha*x > 1, x, 0)",
    "where(x**2 > alpha, 1, 0)",
    "where(x > 0, x, x*abs(x + alpha))",
    "where(exp(x) > beta, x, 0)",
    "where(x > 0, where(x < theta, x, theta), where(x > -theta, x/2, -theta/2))",
    "where(x > low and x < high, x, 0)",
    "where(not (x > 0 or x < -1), 1, x)",
    "where(x == 0, 1, x)",
    "where(x != 1, x, 7)",
    "relu(x) - relu(x - 1)",
    "min(max(x, 0), 6)/6*x",
    "where(beta > 1, x, abs(x))",
    "abs(abs(x) - 1)",
    "exp(-abs(x - theta))",
]
VALUES = {
    "alpha": (-2, 0, 1, 3),
    "theta": (-1, 0, 2),
    "low": (-1, 1),
    "high": (0, 1, 2),
    "beta": (Rational(1, 2), 1, 3),
}


@pytest.mark.parametrize("text", FORMULAS)
def test_pieces_are_the_formula(text: str) -> None:
    expression = parse(text, SYMBOLS)
    found = cases(expression)
    used = sorted((s for s in expression.free_symbols if s != X), key=str)
    for values in itertools.product(*(VALUES[s.name] for s in used)):
        rule = dict(zip(used, map(sympy.sympify, values), strict=True))
        holding = [c for c in found if c.condition.subs(rule) == S.true]
        assert len(holding) == 1, (rule, [c.condition for c in found])
        case = holding[0]
        ends = [
            e.subs(rule) for e in (case.pieces[0].left, *(b.location for b in case.breakpoints), case.pieces[-1].right)
        ]
        assert all(a < b for a, b in itertools.pairwise(ends))
        for piece, a, b in zip(case.pieces, ends, ends[1:], strict=False):
            for point in _inside(a, b):
                assert _value(expression, point, rule) == _value(piece.expression, point, rule), (rule, point)
        for breakpoint in case.breakpoints:
            at = breakpoint.location.subs(rule)
            assert sympy.simplify(_value(expression, at, rule) - _value(breakpoint.at, at, rule)) == 0


def _inside(a, b):
    if a == -sympy.oo and b == sympy.oo:
        return [S(-3), Rational(-1, 2), S.Zero, Rational(1, 3), S(4)]
    if a == -sympy.oo:
        return [b - 5, b - Rational(1, 1000)]
    if b == sympy.oo:
        return [a + Rational(1, 1000), a + 5]
    return [a + (b - a) * Rational(k, 1000) for k in (1, 500, 999)]


def _value(expression, point, rule):
    known = expression.replace(maximum, sympy.Max).replace(minimum, sympy.Min)
    return known.subs({**rule, X: point}).doit()


@pytest.mark.parametrize(
    ("text", "breakpoints"),
    [
        ("where(x > 0, x, alpha*(exp(x) - 1))", [0]),
        ("max(x, x**2)", [0, 1]),
        ("abs(x)**2", []),
        ("where(x > 1, x, x)", []),
        ("1/x", [0]),
        ("sqrt(x)", [0]),
        ("cbrt(x - 2)", [2]),
        ("log(x**2 - 1)", [-1, 1]),
        ("1/(exp(x) - 2)", [sympy.log(2)]),
        ("log(1 + exp(x))", []),
        ("sqrt(x**2 + 1)", []),
        ("1/(sqrt(x**2 + 1) - x)", []),  # the root is never equal to x
        ("log1p(sigmoid(x))", []),
        ("log1p(expm1(2)*sigmoid(x))", []),
        ("abs(abs(x) - 1)", [-1, 0, 1]),
    ],
)
def test_breakpoints(text: str, breakpoints: list) -> None:
    (case,) = cases(parse(text, SYMBOLS))
    assert [b.location for b in case.breakpoints] == breakpoints


def test_order_of_breakpoints_that_depends_on_parameters() -> None:
    conditions = {str(c.condition): len(c.breakpoints) for c in cases(parse("clip(x, low, high)", SYMBOLS))}
    assert conditions == {"high - low > 0": 2, "Eq(high, low)": 0, "high - low < 0": 0}


def test_a_case_that_no_parameter_meets_is_left_out() -> None:
    symbols = {"width": sympy.Symbol("width", nonnegative=True, finite=True)}
    found = {str(c.condition) for c in cases(parse("where(abs(x) > width, x, 0)", symbols))}
    assert found == {"width > 0", "Eq(width, 0)"}


@pytest.mark.parametrize(
    "text", ["where(sin(x) > 0, 1, 0)", "tan(1/x)", "max(x, exp(x) - x**3)", "1/(sqrt(x**2 + 1) - 2*x)"]
)
def test_what_cannot_be_solved_is_undecided(text: str) -> None:
    with pytest.raises(Undecided):
        cases(parse(text, SYMBOLS))


def test_unfolded_conditions_hold_no_piecewise() -> None:
    folded = unfold(parse("where(abs(x) > max(theta, 1), sign(x), min(x, 2))", SYMBOLS))
    for condition in (c for p in folded.atoms(sympy.Piecewise) for _, c in p.args):
        assert not condition.has(sympy.Piecewise)

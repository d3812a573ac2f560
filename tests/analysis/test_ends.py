"""Limits, asymptotes and saturation: known ones, the catalog's against balls far out, and what must stay unknown."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational

from actfn import catalog
from actfn.analysis import ends as rules
from actfn.analysis.asymptotic import Expander, T
from actfn.analysis.ends import asymptotes, ends, limits, saturating
from actfn.definition import Definition, Parameter
from actfn.formula import X, parse
from actfn.formula.functions import erfc, log1p, sigmoid, softplus
from actfn.formula.pieces import Signs
from actfn.reference import Oracle


def defined(formula: str, **domains: str) -> Definition:
    defaults = {"negative": -1.0}
    listed = [Parameter(name, defaults.get(domain, 1.0), domain) for name, domain in domains.items()]
    return Definition(name="mine", formula=formula, parameters=tuple(listed))


KNOWN = [  # formula, domains, (left, right) limits, (left, right) lines, (left, right) rates, (left, right) saturating
    ("where(x > 0, x, a*(exp(x) - 1))", {"a": "real"}, ("-a", "inf"), ("-a", "x"), ("a*exp(x)", "0"), (True, False)),
    ("1/(1 + exp(-x))", {}, (0.0, 1.0), ("0", "1"), ("exp(x)", "-exp(-x)"), (True, True)),
    ("x*sigmoid(b*x)", {"b": "real"}, (0.0, "inf"), ("0", "x"), ("x*exp(b*x)", "-x*exp(-b*x)"), (True, False)),
    ("max(x, 0)", {}, (0.0, "inf"), ("0", "x"), ("0", "0"), (True, False)),
    ("x/(1 + abs(x))", {}, (-1.0, 1.0), ("-1", "1"), ("-1/x", "-1/x"), (True, True)),
    ("(x + sqrt(x**2 + b))/2", {"b": "positive"}, (0.0, "inf"), ("0", "x"), ("-b/(4*x)", "b/(4*x)"), (True, False)),
    ("asinh(x)", {}, ("-inf", "inf"), (None, None), ("-log(-x)", "log(x)"), (False, False)),
    ("sqrt(x**2 + 1)", {}, ("inf", "inf"), ("-x", "x"), ("-1/(2*x)", "1/(2*x)"), (False, False)),
    ("x**2", {}, ("inf", "inf"), (None, None), ("x**2", "x**2"), (False, False)),
    ("sin(x)", {}, (None, None), (None, None), ("sin(x)", "sin(x)"), (False, False)),
    ("x + sin(a*x)**2/a", {"a": "nonzero"}, ("-inf", "inf"), (None, None), ("x", "x"), (False, False)),
    ("x*cos(x)", {}, (None, None), (None, None), ("x*cos(x)", "x*cos(x)"), (False, False)),
    ("exp(-exp(-x))", {}, (0.0, 1.0), ("0", "1"), ("exp(-exp(-x))", "-exp(-x)"), (True, True)),
    ("log(1 + log(1 + exp(x)))", {}, (0.0, "inf"), ("0", None), ("exp(x)", "log(x)"), (True, False)),
    ("tanh(x) + a", {"a": "real"}, ("a - 1", "a + 1"), ("a - 1", "a + 1"), ("2*exp(2*x)", "-2*exp(-2*x)"), (True, True)),
    ("sin(x**2)/(1 + x**2)", {}, (0.0, 0.0), ("0", "0"), ("sin(x**2)/x**2", "sin(x**2)/x**2"), (True, True)),
    ("sin(x**2)/sqrt(1 + x**2)", {}, (0.0, 0.0), ("0", "0"), ("-sin(x**2)/x", "sin(x**2)/x"), (False, False)),
    ("cbrt(x)", {}, ("-inf", "inf"), (None, None), (None, None), (False, False)),
]  # fmt: skip


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: row[0])
def test_known_ends(row) -> None:
    formula, domains, at, lines, rates, saturates = row
    definition = defined(formula, **domains)
    found = ends(definition)
    assert {name: claim.status for name, claim in found.items()} == dict.fromkeys(found, "proven")
    symbols = definition.symbols

    def same(a: object, b: object) -> bool:
        if isinstance(a, str) and isinstance(b, str) and "inf" not in a + b:
            return sympy.simplify(parse(a, symbols) - parse(b, symbols)) == 0
        return a == b

    assert all(same(found["limits"].value[s], v) for s, v in zip(("left", "right"), at, strict=True))
    assert all(same(found["asymptotes"].value[s], v) for s, v in zip(("left", "right"), lines, strict=True))
    for side, rate in zip(("left", "right"), rates, strict=True):
        assert rate is None or same(found["asymptotes"].value[f"{side}_rate"], rate)
    assert tuple(found["saturating"].value.values()) == saturates


@pytest.mark.parametrize("name", catalog.entries())
def test_the_catalog_against_balls(name: str) -> None:
    """At the defaults: the line's remainder is what its rate says; without a line, nothing settles down."""
    definition = catalog.find(name)
    rule = {p.symbol: Rational(repr(float(p.default))) for p in definition.parameters}
    f = definition.expression.xreplace(rule)
    claims = ends(definition)
    assert all(claim.status == "proven" and claim.certificate for claim in claims.values())
    for name, side in (("left", -1), ("right", 1)):
        value = claims["limits"].value[name]
        line, rate = claims["asymptotes"].value[name], claims["asymptotes"].value[f"{name}_rate"]
        if value in ("inf", "-inf"):
            first, second = (Oracle(f).ball(side * 2.0**k, None, 32) for k in (6, 9))
            assert (second > first) if value == "inf" else (second < first)
        if line is None:
            continue
        remainder = Oracle(f - parse(line, definition.symbols).xreplace(rule))
        if rate == "0":
            assert all(remainder.ball(side * 2.0**k).contains(0) for k in (8, 10))
            continue
        expected = parse(rate, definition.symbols).xreplace(rule)
        if not expected.has(sympy.sin, sympy.cos):
            quotients = [
                Oracle((f - parse(line, definition.symbols).xreplace(rule)) / expected).ball(side * 2.0**k, None, 24)
                for k in (2, 4, 6, 8)
            ]
            sharp = [q for q in quotients if q.is_finite() and q.rad() < 0.01]
            assert sharp, "the remainder could not be told from zero"
            assert abs(sharp[-1] - 1) < 0.25


def test_for_which_parameters() -> None:
    leaky = catalog.find("leaky_relu")
    assert limits(leaky).certificate[-1] == "where negative_slope > 0"
    assert asymptotes(leaky).certificate[-1] == "for every negative_slope"
    assert limits(leaky, negative_slope=-1).value == {"left": "inf", "right": "inf"}
    assert limits(leaky, negative_slope=0).value == {"left": 0.0, "right": "inf"}
    assert saturating(leaky, negative_slope=0).value == {"left": True, "right": False}
    assert limits(catalog.find("elu"), alpha=2).value == {"left": -2.0, "right": "inf"}
    softshrink = defined("where(x > b, x - b, where(x < -b, x + b, 0))", b="nonnegative")
    assert asymptotes(softshrink).certificate[-1] == "where b > 0"  # the text at b = 0 is another
    with pytest.raises(ValueError, match="no parameter 'beta'"):
        limits(catalog.find("elu"), beta=1)


@pytest.mark.parametrize(
    "formula", ["tan(x)", "log(x)", "sqrt(x)", "x**2*sin(x)**2", "sin(x) + sin(x**2)", "sin(exp(x))"]
)
def test_hard_ends_do_not_raise(formula: str) -> None:
    for claim in ends(defined(formula)).values():
        assert claim.status in ("proven", "unknown")
        assert claim.certificate


def test_no_value_has_no_limit() -> None:
    found = limits(defined("log(x)"))
    assert (found.value, found.status) == ({"left": None, "right": "inf"}, "proven")
    assert "no real value" in found.certificate[0]


def test_numbers_that_disagree_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    true = rules.expansion.__wrapped__

    def wrong(piece, sign, side, order):
        return Expander(sign).scaled(true(piece, sign, side, order), sympy.Integer(2))

    monkeypatch.setattr(rules, "expansion", wrong)
    found = limits(defined("1/(1 + exp(-x))"))
    assert found.status == "unknown"
    assert "disagree" in found.certificate[0]


EXPANDED = [
    (sympy.exp(T + 1 / T), sympy.exp(T)),
    (sympy.log(T**2 + T), 2 * sympy.log(T)),
    (sympy.sqrt(T**2 + T) - T, sympy.Rational(1, 2)),
    (erfc(T), sympy.exp(-(T**2)) / (T * sympy.sqrt(sympy.pi))),
    (erfc(T) * T * sympy.exp(T**2) * sympy.sqrt(sympy.pi) - 1, -1 / (2 * T**2)),
    (softplus(-T) - sympy.exp(-T), -sympy.exp(-2 * T) / 2),
    (log1p(1 / T) - 1 / T, -1 / (2 * T**2)),
    (sigmoid(T**2) - 1, -sympy.exp(-(T**2))),
    ((1 + 1 / T) ** T, sympy.E),
    (T ** (1 / T), sympy.Integer(1)),
    (sympy.cosh(T) - sympy.sinh(T), sympy.exp(-T)),
    (sympy.atan(T) - sympy.pi / 2, -1 / T),
]


@pytest.mark.parametrize(("expression", "leading"), EXPANDED, ids=str)
def test_leading_terms(expression: sympy.Expr, leading: sympy.Expr) -> None:
    order, coefficient = Expander(Signs({}, {})).of(expression).terms[0]
    assert sympy.simplify(coefficient * order.expression - leading) == 0
    value = Oracle((expression / leading).xreplace({T: X})).ball(2.0**7)
    assert abs(value - 1) < 0.05

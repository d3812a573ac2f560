from __future__ import annotations

import math

import pytest
import sympy

from actfn.definition import Definition, Parameter, Source

INF = math.inf


@pytest.mark.parametrize(
    ("domain", "bounds"),
    [
        ("real", (-INF, INF, False, False)),
        ("positive", (0, INF, False, False)),
        ("nonnegative", (0, INF, True, False)),
        ("negative", (-INF, 0, False, False)),
        ("nonpositive", (-INF, 0, False, True)),
        ("nonzero", (-INF, INF, False, False)),
        ("(0, 1]", (0, 1, False, True)),
        ("[-1, inf)", (-1, INF, True, False)),
        (" [ -2.5 ,1e3 ) ", (-2.5, 1000, True, False)),
    ],
)
def test_bounds(domain, bounds):
    low, high, *_ = bounds
    default = max(low, min(high, 0.5)) if math.isfinite(low) else -0.5
    assert Parameter("a", default, domain).bounds == bounds


@pytest.mark.parametrize(
    "domain", ["", "reals", "(0, 1", "0, 1", "(1, 0)", "(1, 1)", "[1, 1]", "(nan, 1)", "(0, one)", "(0, 1, 2)", "(,)"]
)
def test_an_unreadable_domain_is_refused(domain):
    with pytest.raises(ValueError, match=r"parameter a: unknown domain .*; write one of real, positive, .*'\(0, 1\]'"):
        Parameter("a", 0.5, domain)


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        ("real", [-1e308, -0.0, 5e-324], [INF, -INF, math.nan]),
        ("positive", [5e-324, 1], [0.0, -0.0, -1, INF, math.nan]),
        ("nonnegative", [0.0, -0.0, 2], [-5e-324, INF]),
        ("negative", [-5e-324], [0.0, 1, -INF]),
        ("nonpositive", [0.0, -1], [5e-324, -INF]),
        ("nonzero", [-1, 5e-324], [0.0, -0.0, 0, math.nan]),
        ("(0, 1]", [1, 0.5], [0, math.nextafter(1, 2)]),
        ("[-1, inf)", [-1, 1e308], [math.nextafter(-1, -2), INF]),
        ("[-1, inf]", [-1, 1e308], [INF]),
    ],
)
def test_contains(domain, inside, outside):
    parameter = Parameter("a", inside[0], domain)
    assert [value for value in inside if not parameter.contains(value)] == []
    assert [value for value in outside if parameter.contains(value)] == []


@pytest.mark.parametrize(("default", "domain"), [(0, "positive"), (1, "negative"), (0, "nonzero"), (2, "[0, 1]")])
def test_a_default_outside_its_domain_is_refused(default, domain):
    with pytest.raises(ValueError, match=f"parameter a: the default {default!r} is outside its domain"):
        Parameter("a", default, domain)


@pytest.mark.parametrize(
    ("domain", "default", "known"),
    [
        ("real", 1, {"is_real": True, "is_positive": None, "is_zero": None}),
        ("positive", 1, {"is_positive": True}),
        ("nonnegative", 1, {"is_nonnegative": True, "is_zero": None}),
        ("negative", -1, {"is_negative": True}),
        ("nonpositive", -1, {"is_nonpositive": True, "is_zero": None}),
        ("nonzero", 1, {"is_zero": False, "is_positive": None}),
        ("(0, 1]", 1, {"is_positive": True}),
        ("[0, 1]", 1, {"is_nonnegative": True, "is_zero": None}),
        ("[0.5, 2]", 1, {"is_positive": True}),
        ("[-2, -0.5]", -1, {"is_negative": True}),
        ("[-2, 0)", -1, {"is_negative": True}),
        ("[-2, 0]", -1, {"is_nonpositive": True, "is_zero": None}),
        ("[-1, 1]", 0, {"is_positive": None, "is_negative": None, "is_zero": None}),
    ],
)
def test_the_symbol_assumes_what_the_domain_says_and_no_more(domain, default, known):
    symbol = Parameter("alpha", default, domain).symbol
    assert symbol.name == "alpha"
    assert symbol.is_real is True
    assert symbol.is_finite is True
    assert {name: getattr(symbol, name) for name in known} == known


def example(**fields) -> Definition:
    parameters = [Parameter("alpha", 1.0, "positive"), Parameter("theta", 0.5)]
    return Definition(name="example", formula="where(x > theta, x, alpha*x)", parameters=parameters, **fields)


def test_the_expression_is_read_with_the_parameters_symbols():
    definition = example()
    x = sympy.Symbol("x", real=True)
    alpha, theta = definition.symbols["alpha"], definition.symbols["theta"]
    assert definition.expression == sympy.Piecewise((x, x > theta), (alpha * x, True))
    assert definition.expression is definition.expression
    assert list(definition.symbols) == ["alpha", "theta"]


def test_a_formula_that_cannot_be_read_is_refused_when_it_is_read():
    from actfn.formula import FormulaError

    definition = Definition(name="bad", formula="x +")
    with pytest.raises(FormulaError):
        definition.expression  # noqa: B018


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({}, {"alpha": 1.0, "theta": 0.5}),
        ({"theta": -2}, {"alpha": 1.0, "theta": -2.0}),
        ({"theta": 0, "alpha": 3}, {"alpha": 3.0, "theta": 0.0}),
    ],
)
def test_values(given, values):
    found = example().values(given)
    assert found == values
    assert list(found) == ["alpha", "theta"]
    assert all(type(value) is float for value in found.values())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"beta": 1}, r"example has no parameter 'beta'; its parameters: alpha, theta"),
        ({"alpha": 0}, r"example: alpha = 0\.0 is outside its domain, positive"),
        ({"alpha": math.nan}, r"example: alpha = nan is outside its domain, positive"),
        ({"theta": INF}, r"example: theta = inf is outside its domain, real"),
        ({"theta": "much"}, r"could not convert string to float"),
    ],
)
def test_values_that_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        example().values(given)


def test_values_without_parameters():
    with pytest.raises(ValueError, match="square has no parameter 'a'; its parameters: none"):
        Definition(name="square", formula="x**2").values({"a": 1})


def test_a_definition_is_data():
    definition = example(sources=[Source("Somebody", 2020, "A title", "arXiv:2001.00001")])
    assert definition.conventions == "left"
    assert definition.sources[0].year == 2020
    with pytest.raises(AttributeError):
        definition.name = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        definition.parameters[0].default = 2.0  # type: ignore[misc]

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from pathlib import Path

import mpmath
import pytest
import sympy

from actfn import catalog
from actfn.catalog import UnknownName
from actfn.definition import Definition
from actfn.formula.functions import X

FOLDER = Path(catalog.__file__).parent
FILES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")
ENTRIES = list(catalog.entries().values())
entry_by_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def test_the_functions_of_the_card_and_its_site_are_here():
    assert list(catalog.entries()) == [
        "bipolar_sigmoid", "celu", "elu", "leaky_relu", "rbf", "relu", "selu", "sigmoid", "silu", "softplus", "swish",
        "tanh",
    ]  # fmt: skip


@entry_by_entry
def test_an_entry_says_what_it_is_and_where_it_comes_from(entry):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", entry.name)
    assert entry.title == entry.title.strip() != ""
    assert entry.summary.endswith(".")
    assert "\n" not in entry.summary
    assert len(entry.summary) <= 120
    assert entry.tags
    assert len(set(entry.tags)) == len(entry.tags)
    assert entry.sources
    for source in entry.sources:
        assert source.authors
        assert source.title
        assert source.where
        assert 1900 < source.year <= 2030
        if "arXiv" in source.where:
            assert re.fullmatch(r"arXiv:\d{4}\.\d{4,5}", source.where)
            assert source.where[6:8] == str(source.year)[2:]


@entry_by_entry
def test_the_formula_is_read_and_uses_every_parameter(entry):
    assert entry.expression.free_symbols == {X, *entry.symbols.values()}
    assert entry.values({}) == entry.defaults


def test_no_name_and_no_alias_belongs_to_two_entries():
    written = Counter(
        spelling
        for entry in ENTRIES
        for spelling in {catalog._key(spelling) for spelling in catalog._written(entry)}
        if spelling
    )
    assert [spelling for spelling, count in written.items() if count > 1] == []


def test_every_family_is_listed():
    assert {Path(family.__file__ or "") for family in catalog._FAMILIES} == set(FILES)
    defined = [v for family in catalog._FAMILIES for v in vars(family).values() if isinstance(v, Definition)]
    assert len(defined) == len(ENTRIES)


def not_data(source: str) -> list[str]:
    """The statements of a module that aren't a docstring, an import or `NAME = Definition(... literals ...)`."""
    allowed = (
        ast.Call,
        ast.Constant,
        ast.Dict,
        ast.List,
        ast.keyword,
        ast.Name,
        ast.expr_context,
        ast.UnaryOp,
        ast.USub,
    )
    called = {"Definition", "Parameter", "Source"}
    bad = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ImportFrom) and statement.module in {"__future__", "actfn.definition"}:
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.Assign):
            nodes = list(ast.walk(statement.value))
            names = {node.id for node in nodes if isinstance(node, ast.Name)}
            if all(isinstance(node, allowed) for node in nodes) and names <= called:
                continue
        bad.append(ast.unparse(statement).splitlines()[0])
    return bad


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_family_is_data_only(file):
    assert not_data(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    ["def f(x): return x", "import math", "A = Definition(formula=f'{x}')", "A = lambda x: x", "for i in (): pass",
     "A = Definition(name=str(1))", "A = Definition(parameters=[p for p in ()])"],
)  # fmt: skip
def test_that_test_can_fail(source):
    assert not_data(source) != []


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("elu", "elu"),
        ("ELU", "elu"),
        ("torch.nn.ELU", "elu"),
        ("nn.ELU", "elu"),
        ("exponential linear unit", "elu"),
        ("LeakyReLU", "leaky_relu"),
        ("Leaky ReLU", "leaky_relu"),
        ("leaky-relu", "leaky_relu"),
        (" relu ", "relu"),
        ("Swish", "swish"),
        ("SiLU", "silu"),
        ("Gaussian", "rbf"),
        ("RBF", "rbf"),
        ("unipolar sigmoid", "sigmoid"),
        ("uni-polar sigmoid", "sigmoid"),
        ("logistic sigmoid", "sigmoid"),
        ("expit", "sigmoid"),
        ("BiPolar Sigmoid", "bipolar_sigmoid"),
        ("keras.activations.tanh", "tanh"),
    ],
)
def test_find(written, name):
    assert catalog.find(written) is catalog.entries()[name]


@pytest.mark.parametrize(
    ("written", "near"),
    [("eluu", "elu"), ("reul", "relu"), ("sigmod", "sigmoid"), ("softmax", "softplus"), ("gausian", "rbf"),
     ("leaky", "leaky_relu"), ("logistic", "sigmoid"), ("swich", "swish")],
)  # fmt: skip
def test_an_unknown_name_suggests_near_ones(written, near):
    with pytest.raises(UnknownName, match=f"no activation function is called '{written}'; did you mean ") as caught:
        catalog.find(written)
    assert near in caught.value.near
    assert near in str(caught.value)
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize("written", ["", "zzzzzz", "∂", "_", "x" * 1_000_000])
def test_a_name_like_nothing_is_refused_in_one_short_line(written):
    with pytest.raises(UnknownName, match="`actfn list` shows every name") as caught:
        catalog.find(written)
    assert caught.value.near == ()
    assert len(str(caught.value)) < 150


def test_the_entries_cannot_be_changed():
    with pytest.raises(TypeError):
        catalog.entries()["elu"] = ENTRIES[0]  # type: ignore[index]


# -- values ------------------------------------------------------------------------------------------------------------


def test_selu_has_the_constants_of_the_fixed_point():
    with mpmath.workdps(60):
        c = mpmath.erfc(1 / mpmath.sqrt(2)) * mpmath.sqrt(mpmath.e)
        alpha = -mpmath.sqrt(2 / mpmath.pi) / (c - 1)
        mean_of_square = mpmath.mpf(1) / 2 + alpha**2 * (
            mpmath.e**2 * mpmath.erfc(mpmath.sqrt(2)) / 2 - c + mpmath.mpf(1) / 2
        )
        scale = 1 / mpmath.sqrt(mean_of_square)
        written = re.findall(r"\d\.\d{20,}", catalog.find("selu").formula)
        assert written == [mpmath.nstr(scale, 32), mpmath.nstr(alpha, 32)]


TORCH = [entry for entry in ENTRIES if "torch" in entry.aliases]


@pytest.mark.parametrize("x", [-3.0, -0.5, 0.25, 4.0])
@pytest.mark.parametrize("entry", TORCH, ids=lambda entry: entry.name)
def test_the_torch_alias_is_the_same_function(entry, x):
    torch = pytest.importorskip("torch")
    module = getattr(torch.nn, entry.aliases["torch"].removeprefix("torch.nn."))()
    value = entry.expression.subs({symbol: entry.defaults[name] for name, symbol in entry.symbols.items()}).subs(X, x)
    expected = float(sympy.N(elementary(value)))
    assert math.isclose(module(torch.tensor(x, dtype=torch.float64)).item(), expected, rel_tol=1e-12)


def elementary(value: sympy.Expr) -> sympy.Expr:
    from actfn.formula.functions import elementary
    from actfn.formula.pieces import unfold

    return elementary(unfold(value))


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "celu", "selu"])
def test_the_convention_is_what_torch_does(name):
    """Each of these says "left": f'(0) is the slope of the negative piece, in torch's autograd too."""
    torch = pytest.importorskip("torch")
    entry = catalog.find(name)
    assert entry.conventions == "left"
    x = torch.zeros(2, dtype=torch.float64)
    x[1] = -1e-30
    x.requires_grad_()
    getattr(torch.nn, entry.aliases["torch"].removeprefix("torch.nn."))()(x).sum().backward()
    assert x.grad is not None
    assert x.grad[0].item() == pytest.approx(x.grad[1].item(), rel=1e-15)

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import mpmath
import pytest

from actfn import catalog
from actfn.analysis.smoothness import smoothness
from actfn.catalog import UnknownName
from actfn.definition import Definition, GatedUnit
from actfn.formula import parse
from actfn.formula.derivative import derivative
from actfn.formula.functions import X
from actfn.reference import Oracle

FOLDER = Path(catalog.__file__).parent
FILES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")
ENTRIES = list(catalog.entries().values())
entry_by_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


UNITS = list(catalog.gated_units().values())
TAGS = {
    "algebraic", "exponential", "gated", "hard", "learnable", "linear", "logarithmic", "periodic", "piecewise linear",
    "piecewise polynomial", "polynomial", "radial", "rectifier", "saturating", "saturating left", "saturating right",
    "self-normalizing", "shrinkage", "sigmoid", "step", "stochastic", "wavelet",
}  # fmt: skip


def test_there_are_at_least_a_hundred_entries():
    assert len(ENTRIES) >= 100
    assert list(catalog.entries()) == sorted(catalog.entries())


def test_the_functions_of_the_card_and_its_site_are_here():
    assert catalog.entries().keys() >= {
        "bipolar_sigmoid", "celu", "elu", "leaky_relu", "rbf", "relu", "selu", "sigmoid", "silu", "softplus", "swish",
        "tanh",
    }  # fmt: skip


def test_the_functions_of_the_frameworks_are_here():
    """Everything elementwise in torch.nn, jax.nn, keras.activations and timm, by the name there."""
    names = """
        relu relu6 leaky_relu prelu rrelu threshold elu selu celu gelu gelu_tanh quick_gelu silu swish mish hardswish
        hard_swish hard_silu hard_mish sigmoid hardsigmoid hard_sigmoid logsigmoid log_sigmoid tanh hardtanh hard_tanh
        softplus squareplus softsign soft_sign softshrink soft_shrink hardshrink hard_shrink tanhshrink tanh_shrink
        exponential linear identity sparse_plus sparse_sigmoid
    """
    assert {catalog.find(name).name for name in names.split()} <= set(catalog.entries())


def test_gated_units():
    assert list(catalog.gated_units()) == ["bilinear", "geglu", "glu", "reglu", "swiglu"]
    gates = {unit.name: unit.gate for unit in UNITS}
    assert gates == {
        "bilinear": "identity", "geglu": "gelu", "glu": "sigmoid", "reglu": "relu", "swiglu": "swish",
    }  # fmt: skip
    assert set(gates.values()) <= set(catalog.entries())
    assert not set(gates) & set(catalog.entries())


@pytest.mark.parametrize("entry", [*ENTRIES, *UNITS], ids=lambda entry: entry.name)
def test_an_entry_says_what_it_is_and_where_it_comes_from(entry):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", entry.name)
    assert entry.title == entry.title.strip() != ""
    for line in (entry.summary, entry.reason):
        assert line.endswith(".")
        assert "\n" not in line
        assert len(line) <= 120
    assert entry.sources
    for source in entry.sources:
        assert source.authors
        assert source.title
        assert source.where
        assert 1900 < source.year <= 2030
        if "arXiv" in source.where:
            assert re.fullmatch(r"arXiv:\d{4}\.\d{4,5}", source.where)
            assert source.where[6:8] == str(source.year)[2:]
        if "doi" in source.where:
            assert re.fullmatch(r"doi:10\.\d{4,5}/\S+", source.where)


@entry_by_entry
def test_an_entry_is_tagged_and_points_at_others(entry):
    assert entry.tags
    assert set(entry.tags) <= TAGS
    for names in (entry.tags, entry.see):
        assert len(set(names)) == len(names)
    assert set(entry.see) <= catalog.entries().keys() - {entry.name}


def test_where_a_name_has_two_definitions_each_points_at_the_other():
    pairs = [("hardsigmoid", "hardsigmoid_keras2"), ("hardsigmoid", "sparse_sigmoid"), ("gelu", "gelu_tanh"),
             ("gelu", "quick_gelu"), ("silu", "swish"), ("shifted_relu", "srelu"), ("softsign", "elliott"),
             ("laplace", "laplacian"), ("prelu", "leaky_relu"), ("rrelu", "leaky_relu")]  # fmt: skip
    for a, b in pairs:
        assert b in catalog.find(a).see
        assert a in catalog.find(b).see or (a, b) in [("prelu", "leaky_relu"), ("rrelu", "leaky_relu")]


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
    families = (*catalog._FAMILIES, catalog.units)
    assert {Path(family.__file__ or "") for family in families} == set(FILES)
    defined = [v for family in catalog._FAMILIES for v in vars(family).values() if isinstance(v, Definition)]
    assert len(defined) == len(ENTRIES)
    assert [v for v in vars(catalog.units).values() if isinstance(v, GatedUnit | Definition)] != []
    assert not any(isinstance(v, Definition) for v in vars(catalog.units).values())


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
    called = {"Definition", "GatedUnit", "Parameter", "Source"}
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
        ("linear", "identity"),
        ("hard_silu", "hardswish"),
        ("hard sigmoid", "hardsigmoid"),
        ("GELU", "gelu"),
        ("torch.nn.GELU", "gelu"),
        ("jax.nn.gelu(approximate=True)", "gelu_tanh"),
        ("TeLU", "tanhexp"),
        ("PFLU", "swim"),
        ("Gompertz", "loglog"),
        ("Mexican hat", "ricker"),
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


# The definition as its paper has it, where the entry's formula is another form of it, one that doesn't cancel or overflow.
PUBLISHED = {
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x: x if x > 0 else x * 0.01,
    "relu6": lambda x: min(max(x, 0), 6),
    "hardsigmoid": lambda x: min(max(x + 3, 0), 6) / 6,
    "hardswish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "hard_mish": lambda x: x * min(max(x + 2, 0), 2) / 2,
    "elu": lambda x: x if x > 0 else mpmath.exp(x) - 1,
    "slu": lambda x: x if x > 0 else 2 * mpmath.log((mpmath.exp(x) + 1) / 2),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "dsilu": lambda x: (1 + mpmath.exp(-x) * (1 + x)) / (1 + mpmath.exp(-x)) ** 2,
    "gelu": lambda x: x / 2 * (1 + mpmath.erf(x / mpmath.sqrt(2))),
    "gelu_tanh": lambda x: x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))),
    "mish": lambda x: x * mpmath.tanh(mpmath.log(1 + mpmath.exp(x))),
    "tanhexp": lambda x: x * mpmath.tanh(mpmath.exp(x)),
    "serf": lambda x: x * mpmath.erf(mpmath.log(1 + mpmath.exp(x))),
    "phish": lambda x: x * mpmath.tanh(x * mpmath.ncdf(x)),
    "gish": lambda x: x * mpmath.log(2 - mpmath.exp(-mpmath.exp(x))),
    "bsilu": lambda x: (x + 1.67) / (1 + mpmath.exp(-x)) - mpmath.mpf(1.67) / 2,
    "smu": lambda x: (1.25 * x + 0.75 * x * mpmath.erf(0.75 * x)) / 2,
    "acon_c": lambda x: 0.75 * x / (1 + mpmath.exp(-0.75 * x)) + 0.25 * x,
    "swim": lambda x: x / 2 * (1 + x / 2 / mpmath.sqrt(1 + x**2 / 4)),
    "atlu": lambda x: x * (mpmath.atan(x) / mpmath.pi + mpmath.mpf(1) / 2),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "shifted_softplus": lambda x: mpmath.log(mpmath.exp(x) / 2 + mpmath.mpf(1) / 2),
    "logsigmoid": lambda x: mpmath.log(1 / (1 + mpmath.exp(-x))),
    "squareplus": lambda x: (x + mpmath.sqrt(x**2 + 4)) / 2,
    "bent_identity": lambda x: (mpmath.sqrt(x**2 + 1) - 1) / 2 + x,
    "blu": lambda x: (mpmath.sqrt(x**2 + 1) - 1) / 2 + x,
    "softsign": lambda x: x / (1 + abs(x)),
    "elliott": lambda x: x / 2 / (1 + abs(x)) + mpmath.mpf(1) / 2,
    "cauchit": lambda x: mpmath.atan(x) / mpmath.pi + mpmath.mpf(1) / 2,
    "normal_cdf": mpmath.ncdf,
    "bipolar_sigmoid": lambda x: mpmath.tanh(x / 2),
    "cloglog": lambda x: 1 - mpmath.exp(-mpmath.exp(x)),
    "aranda_ordaz": lambda x: 1 - 1 / mpmath.sqrt(1 + 2 * mpmath.exp(x)),
    "soft_clipping": lambda x: mpmath.log((1 + mpmath.exp(50 * x)) / (1 + mpmath.exp(50 * (x - 1)))) / 50,
    "smooth_step": lambda x: 0 if x < -0.5 else 1 if x > 0.5 else -2 * x**3 + 3 * x / 2 + mpmath.mpf(1) / 2,
    "softmodulus_q": lambda x: x**2 * (2 - abs(x)) if abs(x) < 1 else abs(x),
    "rootsig": lambda x: mpmath.tan(mpmath.atan(x) / 2),
    "snake": lambda x: x + (1 - mpmath.cos(2 * x)) / 2,
    "tent": lambda x: max(0, 1 - abs(x)),
    "hat": lambda x: max(0, 1 - abs(x - 1)),
    "symlog": lambda x: mpmath.sign(x) * mpmath.log(1 + abs(x)),
    "softshrink": lambda x: mpmath.sign(x) * max(abs(x) - 0.5, 0),
    "tanhshrink": lambda x: x - mpmath.sinh(x) / mpmath.cosh(x),
}
POINTS = [-37.5, -5.5, -1.25, -0.375, -(2.0**-20), 2.0**-20, 0.4375, 0.75, 1.625, 4.125, 23.5]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_formula_has_the_published_values(name):
    entry = catalog.find(name)
    oracle = Oracle(entry.expression)
    with mpmath.workdps(1000):  # enough for what the published form loses: exp(-50*37) beside 1
        for x in POINTS:
            # a literal of the formula is the exact decimal, one here the nearest float: 15 digits then
            expected = mpmath.nstr(PUBLISHED[name](mpmath.mpf(x)), 25)
            assert float(oracle.rounded(x, entry.defaults)) == pytest.approx(float(expected), rel=2e-15, abs=0)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.antiderivative], ids=lambda entry: entry.name)
def test_the_antiderivative_has_the_function_for_its_derivative(entry):
    slope, oracle = Oracle(derivative(parse(entry.antiderivative, entry.symbols))), Oracle(entry.expression)
    for x in POINTS:
        assert slope.rounded(x, entry.defaults) == pytest.approx(oracle.rounded(x, entry.defaults), rel=1e-15)


@entry_by_entry
def test_values_and_slopes_are_finite_and_the_class_is_proven(entry):
    oracles = [Oracle(derivative(entry.expression, order, entry.conventions)) for order in range(3)]
    for x in (0.0, 1e-8, -1e-8, 1.0, -1.0, 50.0, -50.0, 1000.0, -1000.0):
        if (entry.name, x) != ("exponential", 1000.0):
            assert all(mpmath.isfinite(oracle.rounded(x, entry.defaults)) for oracle in oracles)
    assert smoothness(entry).claim.status == "proven"


# -- the same function in the frameworks -------------------------------------------------------------------------------

FRAMEWORKS = ("torch", "jax", "keras")
ALIASES = [(entry, place) for entry in ENTRIES for place in FRAMEWORKS if place in entry.aliases]
MADE_WITH = {"torch.nn.Threshold": (1.0, 0.0)}
"""What a class takes that has no defaults."""
OTHER_SLOPES = {
    ("absolute", "jax"): (0.0, 1.0),
    ("hardtanh", "jax"): (1.0, 1.0),
    ("leaky_relu", "jax"): (0.0, 1.0),
    ("sparse_sigmoid", "keras"): (1.0, 0.0),
}
"""(Entry, framework) -> a kink, and the slope that the framework takes there, other than the entry's."""
SINGLE_PRECISION_SLOPES = {("hardsigmoid", "torch"), ("hardsigmoid", "keras")}
"""Where a float64 gradient comes with a constant of float32."""


def called(entry: Definition, place: str):
    """The framework's function, with the arguments that the alias names."""
    alias = entry.aliases[place]
    name, _, arguments = alias.partition("(")
    found = pytest.importorskip(place)
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    given: dict[str, object] = {}
    if arguments:
        tree = ast.parse(alias, mode="eval").body
        assert isinstance(tree, ast.Call)
        given = {str(word.arg): ast.literal_eval(word.value) for word in tree.keywords}
    if isinstance(found, type):
        module = found(*MADE_WITH.get(name, ()), **given)
        return module.double().eval() if place == "torch" else module
    return lambda x: found(x, **given)


def value_and_slope(entry: Definition, place: str, xs: list[float]) -> tuple[list[float], list[float]]:
    """f and f' at each x as the framework has them, in float64."""
    if place == "jax":
        jax = pytest.importorskip("jax")
        pytest.importorskip("jax.scipy.special")
        with jax.enable_x64(True):
            f = called(entry, place)
            return [float(f(jax.numpy.float64(x))) for x in xs], [float(jax.grad(f)(jax.numpy.float64(x))) for x in xs]
    torch = pytest.importorskip("torch")
    x = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
    y = called(entry, place)(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return y.tolist(), slope.tolist()


@pytest.fixture(scope="module", autouse=True)
def keras_on_torch():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        yield


@pytest.mark.parametrize(("entry", "place"), ALIASES, ids=lambda value: getattr(value, "name", value))
def test_the_alias_is_the_same_function_and_has_the_same_slopes(entry, place):
    if place == "keras" and pytest.importorskip("keras").backend.backend() != "torch":
        pytest.skip("Keras runs on another backend in this process")
    kinks = [float(at.location) for at in smoothness(entry, **entry.defaults).breakpoints]
    xs = [*kinks, -2.71, -0.5, 0.25, 1.7, 4.0]
    values, slopes = value_and_slope(entry, place, xs)
    f, slope = (Oracle(derivative(entry.expression, order, entry.conventions)) for order in range(2))
    kink, other = OTHER_SLOPES.get((entry.name, place), (None, None))
    tolerance = 1e-7 if (entry.name, place) in SINGLE_PRECISION_SLOPES else 1e-12
    for x, y, yp in zip(xs, values, slopes, strict=True):
        assert y == pytest.approx(f.rounded(x, entry.defaults), rel=1e-13, abs=0)
        if kink is not None and abs(x) == kink:
            assert yp == other != slope.rounded(x, entry.defaults)
        else:
            assert yp == pytest.approx(slope.rounded(x, entry.defaults), rel=tolerance, abs=0)

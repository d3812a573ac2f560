"""C, compiled by gcc without a warning: printed functions against mpmath, and the catalog against the oracle."""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import flint
import pytest
from sympy import Symbol

from actfn.catalog import entries
from actfn.formula import X, parse
from actfn.formula.derivative import derivative
from actfn.formula.printers.c import CPrinter
from actfn.kernels.lower import program
from actfn.reference import Oracle, ulps

FLAGS = ["-Wall", "-Wextra", "-Werror", "-std=c11", "-O2", "-ffp-contract=off"]
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc on this machine")


def build(folder: Path, *sources: str) -> list[Callable[..., float]]:
    """Functions called `f` from C texts, each of which is complete; all are compiled by one gcc."""
    files = []
    for i, source in enumerate(sources):
        head = source[source.index(" f(") + 3 : source.index(") {", source.index(" f("))]
        names = [argument.split()[1] for argument in head.split(", ")]
        files.append(folder / f"f{i}.c")
        export = f"double f{i}({head});\ndouble f{i}({head}) {{ return f({', '.join(names)}); }}\n"
        files[-1].write_text(source + export)
    library = folder / "f.so"
    done = subprocess.run(
        ["gcc", *FLAGS, "-shared", "-fPIC", *map(str, files), "-o", str(library), "-lm"],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = []
    for i, source in enumerate(sources):
        f = getattr(ctypes.CDLL(str(library)), f"f{i}")
        head = source[source.index(" f(") : source.index(") {", source.index(" f("))]
        f.restype, f.argtypes = ctypes.c_double, [ctypes.c_double] * head.count("double ")
        found.append(f)
    return found


def printed(formula: str, *names: str) -> str:
    symbols = {n: Symbol(n, real=True) for n in names}
    return CPrinter().function("f", ["x", *names], [], parse(formula, symbols))


@pytest.fixture(scope="module")
def formulas(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Callable[..., float]]:
    """Every formula of conftest.py, from one run of gcc."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("shared", request.path.parent / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    shared = module_from_spec(spec)
    spec.loader.exec_module(shared)
    texts = [f.strip() for f in shared.FORMULAS.replace("\n", ";").split(";")]
    built = build(tmp_path_factory.mktemp("formulas"), *(printed(t, *shared.SYMBOLS) for t in texts))
    return dict(zip(texts, built, strict=True))


def test_values(formula, expression, truth, points, formulas):
    at, values = points
    wanted = truth(expression)
    assert any(map(math.isfinite, wanted))
    for x, value in zip(at, wanted, strict=True):
        if math.isfinite(value):
            assert formulas[formula](x, *values.values()) == pytest.approx(value, rel=2e-15, abs=2e-16)


# -- the catalog, against the oracle

POINTS = [
    s * m for m in [5e-324, 1e-310, 1e-200, 1e-8, 0.01, 0.3, 0.7, 1.0, 1.5, 2.9, 5.1, 9.3, 17.7, 36.9] for s in (1, -1)
]
POINTS += [s * m for m in [100.3, 372.1, 700.9, 708.9, 745.2, 1e3, 1e10, 1e155, 1e308] for s in (1, -1)] + [0.0]
OTHER = {"alpha": 0.7, "beta": 1.3, "negative_slope": 0.2}
"""Parameters that aren't 1, and no powers of two."""
ULPS = 8
"""The bound at any x, and per unit of the condition number, |x f'(x)/f(x)|: about what one rounding of x costs."""

INFINITE_TIMES_ZERO = {("silu", 0, -1), ("silu", 1, -1), ("silu", 1, 1), ("swish", 0, -1), ("swish", 1, -1)}
INFINITE_TIMES_ZERO |= {("swish", 1, 1), ("rbf", 1, -1), ("rbf", 1, 1)}
"""(entry, order, sign of the infinite x): where the printed product is infinity times 0, so NaN for the limit, 0 or 1."""

ENTRIES = [
    "bipolar_sigmoid",
    "celu",
    "elu",
    "leaky_relu",
    "rbf",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "swish",
    "tanh",
]
"""Entries in whose printed form no terms cancel; what another's error is, `actfn.export` measures and writes above the code."""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Callable[..., float]]:
    keys = [(name, order) for name in ENTRIES for order in (0, 1)]
    sources = []
    for name, order in keys:
        steps = program(entries()[name], order)
        sources.append(CPrinter().function("f", steps.arguments, steps.assignments, steps.result, doc=name))
    return dict(zip(keys, build(tmp_path_factory.mktemp("catalog"), *sources), strict=True))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("name", ENTRIES)
def test_the_catalog_is_accurate(name, order, catalog):
    definition = entries()[name]
    f = catalog[name, order]
    here, slope = (Oracle(derivative(definition.expression, k, definition.conventions)) for k in (order, order + 1))
    for given in {tuple(definition.defaults.items()), tuple((n, OTHER.get(n, 0.7)) for n in definition.defaults)}:
        parameters = dict(given)
        for x in POINTS:
            true = here.ball(x, parameters)
            bound = float(ULPS)
            if true != 0 and (condition := abs(flint.arb(x) * slope.ball(x, parameters) / true)).is_finite():
                bound += ULPS * min(float(condition.upper()), 1500.0)  # beyond that, the value is below 2^-1074
            assert ulps(f(x, *parameters.values()), true) <= bound, (x, parameters)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("name", ENTRIES)
def test_the_catalog_at_infinity_and_nan(name, order, catalog):
    definition = entries()[name]
    f = catalog[name, order]
    expression = derivative(definition.expression, order, definition.conventions)
    for sign in (1, -1):
        limit = Oracle(expression).rounded(sign * 1e300, definition.defaults)
        got = f(sign * math.inf, *definition.defaults.values())
        if (name, order, sign) in INFINITE_TIMES_ZERO:
            assert math.isnan(got)
        else:
            assert got == (limit if abs(limit) < 1e9 else math.copysign(math.inf, limit))
    got = f(math.nan, *definition.defaults.values())
    assert math.isnan(got) == expression.has(X)


# -- our own functions, and the language


def test_nothing_overflows_and_nan_stays(tmp_path):
    table = {"sigmoid(x)": (0, 1), "softplus(x)": (0, 1e4), "softplus(-x)": (1e4, 0), "max(x, 0)": (0, 1e4)}
    table |= {"max(0, x)": (0, 1e4), "min(x, 0)": (-1e4, 0), "min(0, x)": (-1e4, 0), "sign(x)": (-1, 1)}
    for f, ends in zip(build(tmp_path, *map(printed, table)), table.values(), strict=True):
        assert (f(-1e4), f(1e4)) == ends
        assert math.isnan(f(math.nan))


@pytest.mark.parametrize("function", ["sigmoid", "softplus"])
def test_our_functions_are_accurate(function, tmp_path):
    """4 ulps, from the subnormal numbers at -745 up."""
    (f,) = build(tmp_path, printed(f"{function}(x)"))
    oracle = Oracle(parse(f"{function}(x)", {}))
    at = [-745 + 790 * k / 2000 for k in range(2001)] + [s * 10.0**-k for k in range(20) for s in (1, -1)]
    assert max(ulps(f(x), oracle.ball(x)) for x in at) <= 4


@pytest.mark.parametrize("formula", ["exp(-x**2)", "exp(-a*x**2)", "exp(a*x**2)", "x*exp(-0.5*x**2)"])
def test_the_exponential_of_a_square_keeps_its_tail(formula, tmp_path):
    """2 ulps, where exp of the rounded square would lose 340 (0.5 is exact); and the ends stay what they were."""
    (f,) = build(tmp_path, printed(formula, "a"))
    oracle = Oracle(parse(formula, {"a": Symbol("a", real=True)}))
    at = [s * k / 97 for k in range(2540) for s in (1, -1)]
    known = [x for x in at if 2.0**-1000 < abs(float(oracle.ball(x, {"a": 0.7}).mid())) < math.inf]
    assert max(ulps(f(x, 0.7), oracle.ball(x, {"a": 0.7})) for x in known) <= 2
    far = 0.0 if "-" in formula else math.inf
    assert [abs(f(x, 0.7)) for x in (1e3, -1e200, 1e308)] == [far] * 3
    assert math.isnan(f(math.nan, 0.7))


def test_no_division_is_one_of_integers(tmp_path):
    texts = ["x/3", "2*x/3", "1/3 + x", "x**(1/3)", "x**-2", "2**x", "1e300*x", "5 + x*7/9", "pi + x", "x**e", "x*1e-7"]
    for formula, f in zip(texts, build(tmp_path, *map(printed, texts)), strict=True):
        assert f(2.0) == pytest.approx(float(parse(formula, {}).subs(X, 2)), rel=1e-15)


def test_powers(tmp_path):
    a = Symbol("a", real=True)
    expressions = [
        -(X**2),
        (-X) ** 3,
        X**-2,
        1 / (a * X**2),
        2**X,
        X ** (a + 1),
        (X**2) ** a,
        -X * a**2,
        (X**2) ** 2 / X**3,
    ]
    expressions += [X**2 / a**3, (X + 1) ** 2, X**2 - a**2, 2 ** (X**2), a ** -(X**3), X**4]
    built = build(tmp_path, *(CPrinter().function("f", ["x", "a"], [], e) for e in expressions))
    assert [f(3, 2) for f in built] == pytest.approx([float(e.subs({X: 3, a: 2})) for e in expressions], rel=1e-15)


def test_words_of_the_language_can_be_names(tmp_path):
    names = [
        "int",
        "double",
        "exp",
        "tanh",
        "y0",
        "gamma",
        "NAN",
        "INFINITY",
        "main",
        "actfn_sigmoid",
        "inline",
        "linux",
        "expf",
    ]
    total = sum((Symbol(n, real=True) for n in names), start=parse("exp(x)*sigmoid(x)", {}))
    (f,) = build(tmp_path, CPrinter().function("f", ["x", *names], [(Symbol("erf"), X + 1)], total + Symbol("erf")))
    assert f(0.0, *(1.0 for _ in names)) == 1.5 + len(names)
    for word in [*names, "abs", "index", "j1", "conj", "lgamma"]:
        source = CPrinter().function(word, ["x"], [], X)
        file = tmp_path / "name.c"
        file.write_text(source)
        for standard in ("-std=c11", "-std=gnu11"):
            command = ["gcc", *FLAGS, standard, "-fsyntax-only", str(file)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert done.returncode == 0, done.stderr


def test_a_text_cannot_leave_its_comment(tmp_path):
    source = CPrinter().function("f", ["x", "unused"], [], X, doc="one\\\n*/ two /* ??/\nthree \\  \n\u2028return 0;")
    (f,) = build(tmp_path, source)
    assert f(2.5, 0.0) == 2.5


def test_functions_share_one_preamble(tmp_path):
    parts = [parse("sigmoid(x)", {}), parse("x*sigmoid(x)", {})]
    texts = [CPrinter().function(n, ["x"], [], e, preamble=False) for n, e in zip("gf", parts, strict=True)]
    (f,) = build(tmp_path, CPrinter().preamble(parts) + "\n".join(texts))
    assert f(0.0) == 0.0


def test_the_code_reads_well():
    steps = program(entries()["elu"])
    source = CPrinter().function("elu", steps.arguments, steps.assignments, steps.result, doc="ELU")
    assert source == (
        "#include <math.h>\n\n// ELU\nstatic inline double elu(double x, double alpha) {\n"
        "    const double x0 = (x > 0.0 ? 0.0 : x);\n    return (x > 0.0 ? x : alpha*expm1(x0));\n}\n"
    )

"""The public face: what `get` and `define` give, what they refuse, and that `elu.json` and printed code are exact."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
import torch

import actfn
import actfn.numpy
import actfn.torch.printed
from actfn import catalog, cli
from actfn.card import write_card
from actfn.formula import X
from tests.entries import NAMES

ELU = "where(x > 0, x, alpha*(exp(x) - 1))"


# -- get and names ------------------------------------------------------------------------------------------------------


def test_names_are_those_of_the_catalog():
    names = actfn.names()
    assert names == tuple(sorted(catalog.entries()))
    assert {"elu", "relu", "leaky_relu", "celu", "selu", "sigmoid", "tanh", "softplus", "silu", "swish", "rbf"} <= {
        *names
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_an_activation(name):
    activation = actfn.get(name)
    assert activation.name == name
    assert activation.sources
    assert activation.sources[0].year > 1900
    assert activation.tags
    assert activation.summary.endswith(".")
    free = activation.formula.free_symbols
    assert free <= {X, *activation.definition.symbols.values()}
    assert repr(activation).startswith(f"Activation({name}: ")


def test_what_elu_says_of_itself():
    elu = actfn.get("elu")
    alpha = elu.definition.symbols["alpha"]
    assert elu.formula == sympy.Piecewise((X, X > 0), (alpha * (sympy.exp(X) - 1), True))
    assert {name: (p.default, p.domain) for name, p in elu.parameters.items()} == {"alpha": (1.0, "real")}
    assert elu.derivative(0) == elu.formula
    assert elu.derivative().subs(X, -1) == alpha * sympy.exp(-1)
    assert elu.derivative(1).subs(X, 0) == alpha  # the convention: the left side
    assert elu.derivative(2).subs(X, 2) == 0
    assert elu.sources[0].where == "arXiv:1511.07289"
    assert "exponential" in elu.tags
    assert repr(elu) == f"Activation(elu: {ELU!r}, alpha=1.0)"


@pytest.mark.parametrize(("wrong", "near"), [("elv", "elu"), ("sigmiod", "sigmoid"), ("Leaky ReLUs", "leaky_relu")])
def test_an_unknown_name_suggests_near_ones(wrong, near):
    with pytest.raises(LookupError, match=near):
        actfn.get(wrong)


def test_activations_of_one_definition_are_equal():
    assert actfn.get("elu") == actfn.get("ELU")
    assert len({actfn.get("elu"), actfn.get("nn.ELU"), actfn.get("celu")}) == 2
    assert actfn.define("a*x", a=1.0) != actfn.define("a*x", a=2.0)
    assert actfn.get("elu") != "elu"


@pytest.mark.parametrize(
    ("name", "given", "order"),
    [
        ("elu", {}, 0),
        ("elu", {"alpha": 1.0}, 1),
        ("elu", {"alpha": 2.0}, 0),
        ("relu", {}, 0),
        ("leaky_relu", {}, 0),
        ("leaky_relu", {"negative_slope": 1.0}, math.inf),
        ("celu", {}, 1),
        ("softplus", {}, math.inf),
        ("silu", {}, math.inf),
    ],
)
def test_smoothness(name, given, order):
    proof = actfn.get(name).smoothness(**given)
    assert proof.order == order
    assert proof.claim.status == "proven"
    assert proof.claim.certificate


def test_smoothness_of_a_users_own_formula_and_its_bad_parameters():
    mine = actfn.define("where(x > theta, x - theta, beta*(x - theta))", theta=0.5, beta=0.1)
    assert mine.smoothness().order == 0
    assert mine.smoothness(beta=1.0).order == math.inf
    with pytest.raises(ValueError, match="no parameter 'alpha'"):
        mine.smoothness(alpha=1.0)
    with pytest.raises(ValueError, match="outside its domain"):
        actfn.get("celu").smoothness(alpha=-1.0)


# -- values -------------------------------------------------------------------------------------------------------------


def test_what_goes_in_comes_out():
    elu = actfn.get("elu")
    x = np.linspace(-2, 2, 9)
    expected = np.where(x > 0, x, 0.5 * np.expm1(x))
    assert isinstance(elu(x), np.ndarray)
    np.testing.assert_allclose(elu(x, alpha=0.5), expected, rtol=1e-15)
    np.testing.assert_allclose(elu(x.tolist(), alpha=0.5), expected, rtol=1e-15)
    assert elu([-1, 1]).dtype == np.float64
    assert isinstance(elu(-1.0), float)
    assert elu(-1.0) == pytest.approx(math.expm1(-1.0), rel=1e-15)
    assert elu(3) == 3.0
    tensor = torch.tensor(x, requires_grad=True)
    y = elu(tensor, alpha=0.5)
    assert isinstance(y, torch.Tensor)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-15)
    y.sum().backward()
    np.testing.assert_allclose(np.asarray(tensor.grad), np.where(x > 0, 1, 0.5 * np.exp(x)), rtol=1e-15)


@pytest.mark.parametrize("x", [np.array([-1.0]), torch.tensor([-1.0])], ids=["numpy", "torch"])
def test_a_call_refuses_other_parameters(x):
    with pytest.raises(TypeError, match=r"elu.*'beta'"):
        actfn.get("elu")(x, beta=1.0)
    with pytest.raises(TypeError, match=r"relu.*'alpha'"):
        actfn.get("relu")(x, alpha=1.0)
    with pytest.raises(ValueError, match=r"alpha = -1\.0 is outside its domain, positive"):
        actfn.get("isru")(x, alpha=-1.0)


def test_a_users_own_formula_is_evaluated():
    mine = actfn.define("where(x > theta, x, a*tanh(x))", name="mine", a=2.0, theta=0.0)
    assert mine.name == "mine"
    assert mine(-1.0) == pytest.approx(2 * math.tanh(-1), rel=1e-15)
    assert mine(-1.0, theta=-3.0) == -1.0
    assert float(mine(torch.tensor(-1.0), a=0.5)) == pytest.approx(0.5 * math.tanh(-1), rel=1e-6)


@pytest.mark.parametrize(
    ("convention", "slope"), [("left", 0.25), ("right", 1.0), ("mean", 0.625), (0.5, 0.5), ({"0": "right"}, 1.0)]
)
def test_conventions_decide_the_slope_at_a_kink(convention, slope):
    mine = actfn.define("where(x > 0, x, a*x)", a=0.25, conventions=convention)
    x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    mine(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.25, slope, 1.0]
    assert mine.sample(-1, 1, 3)["yp"] == [0.25, slope, 1.0]


def test_sample_is_evenly_spaced_and_takes_parameters():
    sample = actfn.get("elu").sample(-1, 1, 5, alpha=0.5)
    assert list(sample) == ["x", "y", "yp"]
    assert sample["x"] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert sample["y"] == [0.5 * math.expm1(-1), 0.5 * math.expm1(-0.5), 0.0, 0.5, 1.0]
    assert sample["yp"][2:] == [0.5, 1.0, 1.0]
    assert len(actfn.get("elu").sample()["x"]) == 1000


@pytest.mark.parametrize(
    "given",
    [
        {"low": 1, "high": -1},
        {"low": math.nan},
        {"high": math.inf},
        {"low": 1, "high": 1},
        {"points": 0},
        {"points": -5},
        {"points": 10_000_000},
        {"points": 2.5},
        {"beta": 1.0},
        {"alpha": math.nan},
    ],
    ids=str,
)
def test_sample_refuses_what_makes_no_range(given):
    with pytest.raises(ValueError, match=r".") as refusal:
        actfn.get("elu").sample(**given)
    assert "\n" not in str(refusal.value)


# -- elu.json and printed code are exact --------------------------------------------------------------------------------

POINTS = np.linspace(-2, 2, 1000).tolist()
ALPHAS = [1.0, 0.5, 2.0, -1.0, 0.1]


def exactly(value: mpmath.mpf) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent


def true_elu(x: float, alpha: float, order: int) -> tuple[Fraction, Fraction]:
    """ELU, or its slope with the left side's value at 0, as ends of an interval: from mpmath at 60 digits."""
    if x > 0:
        value = Fraction(x) if order == 0 else Fraction(1)
        return value, value
    with mpmath.workdps(60):
        tail = mpmath.expm1(mpmath.mpf(x)) if order == 0 else mpmath.exp(mpmath.mpf(x))
    value = exactly(tail) * Fraction(alpha)
    error = abs(value) * Fraction(1, 10**57)
    return value - error, value + error


def rounded_once(ends: Sequence[Fraction]) -> float:
    """Python rounds the quotient of two integers once, half to even."""
    low, high = (end.numerator / end.denominator for end in ends)
    assert low == high, "60 digits don't decide this rounding"
    return low


def test_the_exact_computation_rounds_as_it_says():
    assert rounded_once(true_elu(-1.0, 1.0, 0)) == -0.6321205588285577  # -0.63212055882855767840...
    assert rounded_once(true_elu(-1e-20, 1.0, 0)) == -1e-20
    assert rounded_once(2 * [Fraction(1) + Fraction(1, 2**53)]) == 1.0  # a tie goes to even
    assert rounded_once(2 * [Fraction(1) + Fraction(3, 2**53)]) == 1.0 + 2**-51
    with pytest.raises(AssertionError, match="60 digits"):
        rounded_once((Fraction(1), Fraction(1) + Fraction(1, 2**52)))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_elu_json_is_the_exact_value_rounded_once(alpha, tmp_path):
    with pytest.raises(SystemExit) as done:
        cli.main(["data", "elu", "--set", f"alpha={alpha}", "--out", str(tmp_path / "elu.json")])
    assert done.value.code == 0
    data = json.loads((tmp_path / "elu.json").read_text())
    assert data["x"] == POINTS
    assert data["parameters"]["alpha"]["value"] == alpha
    for key, order in (("y", 0), ("yp", 1)):
        assert data[key] == [rounded_once(true_elu(x, alpha, order)) for x in POINTS]


def test_the_card_writes_the_same_json(tmp_path):
    elu = actfn.get("elu")
    data, written = write_card(elu.definition, {}, tmp_path, points=11)
    assert [path.name for path in written] == ["elu.json", "elu.svg", "elu.png", "elu.html"]
    kept = json.loads(written[0].read_text())
    assert kept == data
    assert kept["y"] == [rounded_once(true_elu(x, 1.0, 0)) for x in kept["x"]] == elu.sample(points=11)["y"]
    assert kept["yp"] == [rounded_once(true_elu(x, 1.0, 1)) for x in kept["x"]]


def numpy_code(order: int, alpha: float) -> list[float]:
    return actfn.numpy.printed(catalog.find("elu"), order)(np.array(POINTS), np.float64(alpha)).tolist()


def torch_code(order: int, alpha: float) -> list[float]:
    return actfn.torch.printed.printed(catalog.find("elu"), order)(
        torch.tensor(POINTS, dtype=torch.float64), alpha
    ).tolist()


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("code", [numpy_code, torch_code])
def test_printed_code_is_within_2_ulp(code, order, alpha):
    worst = Fraction(0)
    for x, y in zip(POINTS, code(order, alpha), strict=True):
        low, high = true_elu(x, alpha, order)
        worst = max(worst, max(abs(Fraction(y) - low), abs(Fraction(y) - high)) / Fraction(math.ulp(float(low))))
    assert worst <= 2, float(worst)


def test_printed_source_is_what_runs():
    elu = catalog.find("elu")
    for source, library in ((actfn.numpy.source(elu, 1), "np"), (actfn.torch.printed.source(elu, 1), "torch")):
        assert "def elu(x, alpha):" in source
        assert f"{library}.exp(" in source
    assert "torch.expm1(" in actfn.torch.printed.source(elu)


# -- what define refuses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "given", "says"),
    [
        ("x", {"name": "my elu"}, "a name is a Python identifier"),
        ("x", {"name": ""}, "a name is a Python identifier"),
        ("x", {"name": "é"}, "ASCII"),
        ("x", {"name": "a" * 41}, "at most 40"),
        ("x", {"name": 3}, "a name is a Python identifier"),
        ("x", {"name": "../x"}, "a name is a Python identifier"),
        ("a*x", {"a": -1.0, "domains": {"a": "positive"}}, "default -1.0 is outside its domain, positive"),
        ("a*x", {"a": 0.0, "domains": {"a": "(0, 1]"}}, "outside its domain"),
        ("a*x", {"a": math.inf}, "default inf is outside its domain"),
        ("a*x", {"a": math.nan}, "default nan is outside its domain"),
        ("a*x", {"a": 10**400}, "outside its domain"),
        ("a*x", {"a": 1.0, "domains": {"b": "positive"}}, "a domain for 'b', which is not a parameter"),
        ("a*x", {"a": 1.0, "domains": {"a": "big"}}, "unknown domain 'big'; write one of real"),
        ("abs(x)", {"conventions": "up"}, "unknown convention 'up'; write 'left', 'right', 'mean' or a number"),
        ("abs(x)", {"conventions": {"0": "up"}}, "unknown convention 'up'"),
        ("abs(x)", {"conventions": math.nan}, "unknown convention nan"),
        ("abs(x)", {"conventions": None}, "unknown convention None"),
        ("a*x", {"a": "1"}, "the default is a number, as in a=1.0, not '1'"),
        ("a*x", {"a": True}, "the default is a number, as in a=1.0, not True"),
        ("a*x", {"a": None}, "the default is a number"),
        ("a*x", {"a": 1j}, "the default is a number"),
        ("a*x", {}, "to make it a parameter, give it a value, as in a=1.0"),
        ("x*x", {"x": 1.0}, "can't be named 'x'"),
        ("exp(x)", {"exp": 1.0}, "can't be named 'exp'"),
        ("x", {"lambda": 1.0}, "can't be named 'lambda'"),
        ("x^2", {}, r"\*\*"),
        ("x if x > 0 else 0", {}, "where"),
        ("", {}, "empty"),
    ],
)
def test_define_refuses(formula, given, says):
    with pytest.raises(ValueError, match=says):
        actfn.define(formula, **given)


@pytest.mark.parametrize("formula", [3, None, ["x"], b"x"], ids=repr)
def test_a_formula_is_text(formula):
    with pytest.raises(TypeError, match="a formula is text"):
        actfn.define(formula)


@pytest.mark.parametrize("default", [np.float64(2), np.float32(2), np.int64(2), Fraction(2), 2], ids=repr)
def test_any_real_number_is_a_default(default):
    assert actfn.define("a*x", a=default).parameters["a"].default == 2.0


def test_a_formula_error_shows_the_place():
    with pytest.raises(actfn.FormulaError) as refusal:
        actfn.define("x*sigmiod(x)")
    assert isinstance(refusal.value, ValueError)
    reason, text, caret, hint = str(refusal.value).splitlines()
    assert text == "  x*sigmiod(x)"
    assert caret == "    ^^^^^^^"
    assert "sigmoid" in hint
    assert "sigmiod" in reason


@pytest.mark.parametrize("name", ["class", "np", "torch", "x", "alpha", "scalar"])
def test_no_name_gets_in_the_way_of_its_code(name):
    mine = actfn.define("alpha*(exp(x) - 1)", name=name, alpha=2.0)
    assert mine(1.0) == pytest.approx(2 * math.expm1(1), rel=1e-15)
    assert float(mine(torch.tensor(1.0))) == pytest.approx(2 * math.expm1(1), rel=1e-6)
    assert actfn.numpy.printed(mine.definition)(np.array(1.0), 2.0) == pytest.approx(2 * math.expm1(1), rel=1e-15)


# -- hostile and hard formulas ------------------------------------------------------------------------------------------

HOSTILE = {
    "import": "__import__('os')",
    "call of a call": "(lambda: 1)()",
    "attribute": "x.__class__",
    "tower of numbers": "9**9**9**9",
    "huge power": "x**10**8",
    "long number": "9" * 1999,
    "nested brackets": "(" * 10_000 + "x" + ")" * 10_000,
    "nested brackets, short": "(" * 990 + "x" + ")" * 990,
    "nested minus": "-" * 1900 + "x",
    "nested powers": "x" + "**x" * 600,
    "nested calls": "exp(" * 390 + "x" + ")" * 390,
    "expanding product": "*".join(["(x + 1)**99"] * 150),
    "powers of powers": "((((x + a)**99)**99)**99)**99",
    "1 MB of sums": "x+" * 500_000 + "x",
    "1 MB of spaces": " " * 1_000_000 + "x",
    "full-width letters": "\N{FULLWIDTH LATIN SMALL LETTER E}xp(x)",
    "full-width digits": "x + \N{FULLWIDTH DIGIT ONE}",
    "null byte": "x\0",
    "line breaks": "\n" * 1900,
}

CHILD = textwrap.dedent(
    """
    import json, resource, signal, sys, time
    import actfn
    from actfn.formula import FormulaError

    actfn.define("where(x > 0, x, a*(exp(x) - 1))", a=1.0)  # imports what there is to import
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + (256 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def late(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    report = {}
    for name, text in json.load(sys.stdin).items():
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        signal.alarm(20)
        try:
            actfn.define(text, a=1.0)
            outcome = "accepted"
        except Exception as error:
            outcome = type(error).__name__
            message = str(error)
        signal.alarm(0)
        seconds = time.process_time() - began
        growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        report[name] = [outcome, message if outcome != "accepted" else "", seconds, growth]
    json.dump(report, sys.stdout)
    """
)


@pytest.fixture(scope="module")
def refusals():
    """What a process with 256 MB to spare says of each hostile text: [error, message, seconds, kilobytes grown]."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc, to limit the memory of a process")
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps(HOSTILE),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_formula_is_refused_at_once(refusals, case):
    outcome, message, seconds, kilobytes = refusals[case]
    assert outcome == "FormulaError", message
    assert seconds < 1.0
    assert kilobytes < 50_000
    assert max(map(len, message.splitlines())) < 120
    assert len(message.splitlines()) <= 5


STATED_SECONDS = 30
"""A proof has 20 seconds; the rest is a second or two."""


@pytest.mark.parametrize(
    ("formula", "order", "status", "expected"),
    [
        ("x**x**x", -1, "proven", {-2.0: math.nan, 0.5: 0.6125473265360659, 2.0: 16.0}),
        ("tan(1/x)", None, "unknown", {-2.0: math.tan(-0.5), 0.5: math.tan(2.0), 2.0: math.tan(0.5)}),
        ("exp(exp(exp(x)))", math.inf, "proven", {-2.0: math.exp(math.exp(math.exp(-2))), 2.0: math.inf}),
    ],
)
def test_a_hard_formula_ends_in_time(formula, order, status, expected):
    began = time.monotonic()
    hard = actfn.define(formula)
    proof = hard.smoothness()
    sample = hard.sample(-2.0, 2.0, 1001)
    assert time.monotonic() - began < STATED_SECONDS
    assert proof.claim.status in (status, "unknown")
    assert proof.order == (order if proof.claim.status == "proven" else None)
    assert proof.claim.certificate
    y = dict(zip(sample["x"], sample["y"], strict=True))
    for x, value in expected.items():
        assert y[x] == pytest.approx(value, rel=1e-14, nan_ok=True)


def test_what_a_hard_formula_says_where_it_has_no_value():
    sample = actfn.define("x**x**x").sample(-0.5, 2.5, 3)
    assert sample["x"] == [-0.5, 1.0, 2.5]
    assert math.isnan(sample["y"][0])
    assert math.isnan(sample["yp"][0])
    assert sample["y"][1] == sample["yp"][1] == 1.0
    assert math.isnan(actfn.define("tan(1/x)").sample(-1.0, 1.0, 3)["y"][1])


def test_a_jax_array_gives_a_jax_array():
    jax = pytest.importorskip("jax")
    jnp = pytest.importorskip("jax.numpy")
    elu = actfn.get("elu")
    for y in (elu(jnp.array([-1.0, 2.0]), alpha=0.5), elu(np.array([-1.0, 2.0], np.float32), alpha=jnp.asarray(0.5))):
        assert isinstance(y, jax.Array)
        assert y.dtype == jnp.float32
    assert float(jax.jit(jax.grad(elu))(-20.0)) == pytest.approx(math.exp(-20), rel=1e-6)
    assert float(jax.grad(lambda a: elu(-1.0, alpha=a))(2.0)) == pytest.approx(math.expm1(-1), rel=1e-6)

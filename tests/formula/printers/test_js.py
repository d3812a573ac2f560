"""JavaScript, run by node: values of printed functions, and the accuracy of our own erf, erfc, sigmoid and softplus."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from typing import Any

import mpmath
import pytest
from sympy import Symbol

from actfn.formula import X, parse
from actfn.formula.printers.js import JavaScriptPrinter
from actfn.reference import Oracle, ulps

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")


def run(code: str) -> Any:
    """The value of an expression after statements, as strict-mode JavaScript; infinities and NaN come as text."""
    script = f"'use strict';\n{code}"
    shown = "process.stdout.write(JSON.stringify(out, (k, v) => typeof v === 'number' && !isFinite(v) ? `${v}` : v))"
    done = subprocess.run(["node", "-"], input=f"{script}\n{shown}", capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def table(every_formula: list[str], read: Any, points: Any) -> dict[str, list[Any]]:
    """Every formula's values, from one run of node."""
    at, values = points
    code = ["const out = {};", f"const at = {json.dumps(at)};"]
    for formula in every_formula:
        source = JavaScriptPrinter().function("f", ["x", *values], [], read(formula))
        given = ", ".join(map(repr, values.values()))
        code.append(f"{{ {source} out[{json.dumps(formula)}] = at.map((x) => f(x, {given})); }}")
    return run("\n".join(code))


@needs_node
def test_values(formula, expression, truth, table):
    wanted = truth(expression)
    assert any(map(math.isfinite, wanted))
    for got, value in zip(table[formula], wanted, strict=True):
        if math.isfinite(value):
            assert got == pytest.approx(value, rel=4e-15, abs=4e-16)


@needs_node
@pytest.mark.parametrize(("name", "bound"), [("erf", 2.0), ("erfc", 3.0), ("sigmoid", 2.0), ("softplus", 2.0)])
def test_our_functions_are_accurate(name, bound):
    """In ulps: for erfc through the change of method at 0.5, and in the tail to 2^-1022 at 26.54."""
    count = 3000
    at = [-6 + 32.5 * k / count for k in range(count + 1)] + [0.5, -0.5, math.nextafter(0.5, 1), 26.54, 1e-8, 1e-300]
    at += [0.3 + 0.7 * k / 1000 for k in range(1000)]
    source = JavaScriptPrinter().function("f", ["x"], [], parse(f"{name}(x)", {}))
    got = run(f"{source}\nconst out = {json.dumps(at)}.map(f);")
    oracle = Oracle(parse(f"{name}(x)", {}))
    worst = max((ulps(y, oracle.ball(x)), x) for x, y in zip(at, got, strict=True))
    assert worst[0] < bound, worst


@needs_node
@pytest.mark.parametrize("formula", ["exp(-x**2)", "exp(-a*x**2)", "exp(a*x**2)", "x*exp(-0.5*x**2)"])
def test_the_exponential_of_a_square_keeps_its_tail(formula):
    """2 ulps, where exp of the rounded square would lose 340 (0.5 is exact); and the ends stay what they were."""
    expression = parse(formula, {"a": Symbol("a", real=True)})
    oracle = Oracle(expression)
    at = [s * k / 97 for k in range(2540) for s in (1, -1)]
    known = [x for x in at if 2.0**-1000 < abs(float(oracle.ball(x, {"a": 0.7}).mid())) < math.inf]
    source = JavaScriptPrinter().function("f", ["x", "a"], [], expression)
    ends = "[1e3, -1e200, 1e308, NaN].map((x) => Math.abs(f(x, 0.7)))"
    got, far = run(f"{source} const out = [{json.dumps(known)}.map((x) => f(x, 0.7)), {ends}];")
    assert max(ulps(y, oracle.ball(x, {"a": 0.7})) for x, y in zip(known, got, strict=True)) <= 2
    assert far == ([0, 0, 0, "NaN"] if "-" in formula else ["Infinity"] * 3 + ["NaN"])


@needs_node
def test_erf_at_its_ends():
    source = JavaScriptPrinter().preamble([parse("erf(x)", {}), parse("erfc(x)", {})])
    got = run(
        f"{source} const out = [0, 30, -30, Infinity, -Infinity, NaN, 26.9, 27.5].map((x) => [_erf(x), _erfc(x)]);"
    )
    assert got[:6] == [[0, 1], [1, 0], [-1, 2], [1, 0], [-1, 2], ["NaN", "NaN"]]
    signs = run(f"{source} const out = [Object.is(_erf(-0), -0), Object.is(_erf(0), 0)];")
    assert signs == [True, True]
    assert got[6][1] == pytest.approx(float(mpmath.erfc(26.9)), rel=1e-6)  # among the subnormal numbers
    assert got[7][1] == 0


@needs_node
def test_nothing_overflows_and_nan_stays():
    formulas = ["sigmoid(x)", "softplus(x)", "softplus(-x)", "max(x, 0)", "min(x, 0)", "sign(x)", "cbrt(x)"]
    code = ["const out = [];"]
    for formula in formulas:
        source = JavaScriptPrinter().function("f", ["x"], [], parse(formula, {}))
        code.append(f"{{ {source} out.push([-1e4, 1e4, NaN].map(f)); }}")
    got = run("\n".join(code))
    assert got[:3] == [[0, 1, "NaN"], [0, 1e4, "NaN"], [1e4, 0, "NaN"]]
    assert [row[2] for row in got] == ["NaN"] * len(formulas)


@needs_node
def test_keywords_and_names_of_helpers_can_be_parameters():
    names = ["let", "function", "Math", "eval", "arguments", "_sigmoid", "class", "NaN", "Infinity", "yield"]
    symbols = {n: Symbol(n, real=True) for n in names}
    total = sum(symbols.values(), start=parse("sigmoid(x)", {}))
    source = JavaScriptPrinter().function("delete", ["x", *names], [], total, doc="one\n*/ two")
    assert run(f"{source}\nconst out = delete_(0, {', '.join('1' for _ in names)});") == 0.5 + len(names)


@needs_node
def test_powers():
    a = Symbol("a", real=True)
    expressions = [-(X**2), (-X) ** 3, X**-2, (X + 1) ** -1, 2**X, X ** (a + 1), (X**2) ** a, -X * a**2]
    code = ["const out = [];"]
    for expression in expressions:
        code.append(f"{{ {JavaScriptPrinter().function('f', ['x', 'a'], [], expression)} out.push(f(3, 2)); }}")
    assert run("\n".join(code)) == pytest.approx([float(e.subs({X: 3, a: 2})) for e in expressions], rel=1e-15)


def test_the_code_reads_well():
    source = JavaScriptPrinter().function(
        "elu", ["x", "a"], [], parse("where(x > 0, x, a*x)", {"a": Symbol("a")}), doc="ELU"
    )
    assert source == "// ELU\nfunction elu(x, a) {\n  return (x > 0 ? x : a*x);\n}\n"

"""Text: what is printed parses to the same expression."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Symbol

from actfn.formula import X, parse
from actfn.formula.printers import UnprintableError, printer
from actfn.formula.printers.text import TextPrinter

ALPHA = Symbol("alpha", real=True)


def test_what_is_printed_parses_to_the_same(read, expression):
    assert read(TextPrinter().expression(expression)) == expression


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("where(x>0,x,alpha*(exp(x)-1))", "where(x > 0, x, alpha*(exp(x) - 1))"),
        ("-1 + 2/(1 + exp(-x))", "2/(exp(-x) + 1) - 1"),
        ("x/4 + 0.2*x**2", "0.2*x**2 + x/4"),
        ("(-x)**2*3", "3*x**2"),
        ("max(x,0)**2", "max(x, 0)**2"),
        ("where(x > 0 and x < 1, 1, 0)", "where(x > 0 and x < 1, 1, 0)"),
    ],
)
def test_it_reads_as_typed(formula, text):
    assert TextPrinter().expression(parse(formula, {"alpha": ALPHA})) == text


def test_a_negative_base_is_bracketed():
    assert TextPrinter().expression(sympy.Pow(-2, X)) == "(-2)**x"
    assert printer("torch").expression(sympy.Pow(-2, X)) == "(-2)**x"


LEAVES = st.sampled_from(["x", "alpha", "1", "2", "0.5", "3.7", "pi"])


def _grown(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.builds(lambda f, u: f"{f}({u})", st.sampled_from(["exp", "tanh", "sigmoid", "abs", "expm1", "cos"]), inner),
        st.builds(lambda o, p: f"({p[0]}){o}({p[1]})", st.sampled_from(["+", "-", "*"]), pair),
        st.builds(lambda f, p: f"{f}({p[0]}, {p[1]})", st.sampled_from(["max", "min"]), pair),
        st.builds(lambda u, n: f"({u})**{n}", inner, st.integers(2, 3)),
        st.builds(lambda u, p: f"where(x > {u}, {p[0]}, {p[1]})", st.integers(-2, 2), pair),
        st.builds(lambda u: f"-({u})", inner),
        st.builds(lambda u: f"({u})/(1 + x**2)", inner),
    )


@settings(max_examples=60)
@given(st.recursive(LEAVES, _grown, max_leaves=5))
def test_random_formulas_survive_a_round_trip(formula):
    expression = parse(formula, {"alpha": ALPHA})
    again = parse(TextPrinter().expression(expression), {"alpha": ALPHA})
    if again != expression:  # SymPy may order or expand what it's given twice; the value is what counts
        for x, alpha in ((-1.3, 0.7), (0.4, -0.6), (2.6, 1.9)):
            a, b = (complex(e.subs({X: x, ALPHA: alpha}).evalf(30)) for e in (expression, again))
            assert a == pytest.approx(b, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("target", ["js", "latex", "numpy", "text", "torch"])
@pytest.mark.parametrize(
    ("unknown", "name"),
    [
        (sympy.Function("mystery")(X), "mystery"),
        (sympy.Derivative(sympy.Function("g")(X), X), "Derivative"),
        (1 + sympy.Integral(sympy.exp(X**2), (X, 0, X)), "Integral"),
    ],
)
def test_a_printer_refuses_by_name_what_it_does_not_know(target, unknown, name):
    with pytest.raises(UnprintableError, match=name):
        printer(target).expression(unknown)


@pytest.mark.parametrize("target", ["js", "numpy", "text", "torch"])
@pytest.mark.parametrize("function", [sympy.gamma, sympy.zeta, sympy.LambertW])
def test_code_refuses_functions_outside_its_table(target, function):
    with pytest.raises(UnprintableError, match=function.__name__):
        printer(target).expression(function(X))


@pytest.mark.parametrize("target", ["js", "numpy", "torch"])
def test_code_refuses_a_name_that_is_not_one(target):
    with pytest.raises(ValueError, match="can't be a name"):
        printer(target).function("f", ["x", "a; import os"], [], X)


def test_an_unknown_target_is_a_key_error():
    with pytest.raises(KeyError):
        printer("cobol")

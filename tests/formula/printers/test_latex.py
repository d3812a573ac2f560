"""LaTeX: what it says, and that the pages and matplotlib can read it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import sympy
from matplotlib.mathtext import MathTextParser
from sympy import Symbol

from actfn.formula import X
from actfn.formula.printers.latex import LatexPrinter
from actfn.page.formula import mathml


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        ("max(x, 0)**2", r"\max^{2}\left(x, 0\right)"),
        ("min(x, 1)**alpha", r"\min^{\alpha}\left(x, 1\right)"),
        ("cbrt(x)**2", r"\sqrt[3]{x}^{2}"),
        ("1/cbrt(x)**2", r"\frac{1}{\sqrt[3]{x}^{2}}"),
        ("expm1(x)**2", r"\left(e^{x} - 1\right)^{2}"),
        ("alpha*expm1(x)", r"\alpha \left(e^{x} - 1\right)"),
        ("x - 2*expm1(x)", r"x - 2 \left(e^{x} - 1\right)"),
        ("log1p(x)**2", r"\log{\left(x + 1\right)}^{2}"),
        ("softplus(x)**3", r"\log{\left(e^{x} + 1\right)}^{3}"),
        ("sigmoid(x)**2", r"\sigma^{2}\left(x\right)"),
        ("erfc(x)**2", r"\operatorname{erfc}^{2}\left(x\right)"),
        ("negative_slope*x", r"\text{negative\_slope}\, x"),
        ("alpha*negative_slope**2*x", r"\alpha\, \text{negative\_slope}^{2}\, x"),
        ("x/negative_slope", r"\frac{x}{\text{negative\_slope}}"),
        ("2/(1 + exp(-x)) - 1", r"\frac{2}{1 + e^{- x}} - 1"),
        ("-1.702*x", "- 1.702 x"),
        ("x/3", r"\frac{x}{3}"),
        (
            "where(x > 0, x, alpha*(exp(x) - 1))",
            r"\begin{cases} x & \text{if } x > 0 \\ \alpha \left(e^{x} - 1\right) & \text{otherwise} \end{cases}",
        ),
        (
            "where(x > 0 and x < 1, x, 0)",
            r"\begin{cases} x & \text{if } x > 0 \text{ and } x < 1 \\ 0 & \text{otherwise} \end{cases}",
        ),
    ],
)
def test_it_reads_as_in_a_book(read, formula, latex):
    assert LatexPrinter().expression(read(formula)) == latex


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("alpha", r"\alpha"),
        ("beta_1", r"\beta_{1}"),
        ("k2", "k_{2}"),
        ("slope", r"\text{slope}"),
        ("xbar", r"\text{xbar}"),
        ("a_b_c", r"\text{a\_b\_c}"),
    ],
)
def test_names(name, latex):
    assert LatexPrinter().expression(Symbol(name)) == latex


def test_pages_and_figures_can_read_it(expression):
    for shown in (expression, expression**2, 1 - 2 * expression, X**expression):
        latex = LatexPrinter().expression(shown)
        text = str(mathml(latex))
        assert text.startswith("<math"), latex  # else it is shown as the LaTeX text
        assert "\\" not in "".join(ElementTree.fromstring(text).itertext()), latex
        if r"\begin" not in latex:  # which mathtext lacks; figures write such a formula in one line
            MathTextParser("path").parse(f"${latex}$")


def test_no_brackets_are_lost(read):
    """expm1 and its like are one name in the expression and a sum on paper."""
    for formula in ("x/expm1(x)", "expm1(x)*x", "x**expm1(x)", "expm1(x)**x"):
        latex = LatexPrinter().expression(read(formula))
        assert r"\left(e^{x} - 1\right)" in latex or "{e^{x} - 1}" in latex


def test_it_writes_functions_that_a_proof_may_hold():
    assert LatexPrinter().expression(sympy.LambertW(X)) == r"W\left(x\right)"

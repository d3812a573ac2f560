"""LaTeX to MathML: well formed, nothing lost, nothing let through."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from actfn.page.formula import mathml

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def words(latex: str) -> str:
    return "".join(ElementTree.fromstring(str(mathml(latex))).itertext())


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\begin{cases} x & \text{if } x > 0 \\ \alpha & \text{otherwise} \end{cases}", "{xif\xa0x>0αotherwise"),  # noqa: RUF001
        (r"f'(x) = 1", "f′(x)=1"),  # noqa: RUF001
        (r"\text{negative\_slope} = 1", "negative_slope=1"),
        (r"\operatorname{erf}{\left(x \right)}", "erf(x)"),
        (r"\lim_{x \to 0^{-}} f(x) = \alpha", "limx→0−f(x)=α"),  # noqa: RUF001
    ],
)
def test_the_formula_is_there(latex, expected):
    assert words(latex).replace(" ", "") == expected.replace(" ", "")


def test_a_prime_is_not_raised_twice():
    root = ElementTree.fromstring(str(mathml("f''(x)")))
    assert root.find(f".//{NAMESPACE}msup") is None
    assert "″" in "".join(root.itertext())


@pytest.mark.parametrize("latex", [r"\begin{cases} x", r"\frac{1", "}", r"\left("])
def test_what_cannot_be_set_is_shown_as_text(latex):
    ElementTree.fromstring(str(mathml(latex)))


@pytest.mark.parametrize("latex", [r"\text{<script>alert(1)</script>}", "<img src=x>", r"\begin{cases} <b> "])
def test_markup_in_a_formula_is_harmless(latex):
    assert "<script" not in mathml(latex)
    assert "<img" not in mathml(latex)
    assert "<b>" not in mathml(latex)

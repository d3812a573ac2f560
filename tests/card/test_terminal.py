"""The card in a terminal: everything on it, in 80 columns, with and without colour, in UTF-8 and in ASCII."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from actfn.card.terminal import print_card, print_chart
from tests.entries import NAMES


class Ascii(io.StringIO):
    encoding = "ascii"


def printed(data, colour=False, file=None, width=80, written=()):
    file = file or io.StringIO()
    system = "truecolor" if colour else None
    console = Console(file=file, width=width, force_terminal=colour, color_system=system, legacy_windows=False)
    print_card(data, console, written)
    return file.getvalue()


def test_the_card_has_it_all(card):
    text = printed(card("elu", alpha=0.5), written=[Path("data/activations/elu.json")])
    for words in (
        "ELU  Exponential linear unit",
        "where(x > 0, x, alpha*(exp(x) - 1))",
        "C^0 for every alpha; C^1 if and only if alpha = 1  (proven)",
        "C^0 at alpha = 0.5",
        "f' = 0.5 from the left, 1 from the right, taken as 0.5",
        "Leaky ReLU",
        "wrote data/activations/elu.json",
    ):
        assert words in text


@pytest.mark.parametrize("name", [*NAMES, "inverse", "step", "shrink", "root"])
@pytest.mark.parametrize("width", [80, 60])
def test_it_fits_the_width(card, name, width):
    assert max(map(len, printed(card(name), width=width).splitlines())) <= width


def test_no_colour_means_no_escape_codes(card):
    assert "\x1b" not in printed(card("elu"))
    assert "\x1b[" in printed(card("elu"), colour=True)


@pytest.mark.parametrize("name", [*NAMES, "inverse", "hostile"])
def test_an_ascii_terminal_gets_ascii(card, name):
    printed(card(name), file=Ascii()).encode("ascii")


def test_both_curves_can_be_told_apart_without_colour(card):
    text = printed(card("elu"), file=Ascii())
    chart = text[text.index("+--") : text.index("its derivative")]
    assert chart.count("*") > 60
    assert chart.count(".") > 60


def test_a_users_text_is_not_markup(card):
    assert "[bold]" in printed(card("hostile"))


def test_nothing_undefined_is_shown(card):
    text = printed(card("inverse")) + printed(card("root"))
    assert "nan" not in text.lower()
    assert "None" not in text


def test_the_chart_alone(card):
    file = io.StringIO()
    print_chart(card("tanh"), Console(file=file, width=80))
    assert "its derivative" in file.getvalue()
    assert "wrote" not in file.getvalue()

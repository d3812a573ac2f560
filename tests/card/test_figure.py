"""The figure of a card: formats, determinism, no state left behind, nothing drawn across a jump."""

from __future__ import annotations

import itertools
import math
import sys

import matplotlib as mpl
import numpy as np
import pytest

from actfn.card.figure import figure, write_figure
from tests.entries import NAMES

SIGNATURES = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.mark.parametrize("kind", SIGNATURES)
def test_the_same_data_give_the_same_bytes(card, tmp_path, kind):
    paths = [tmp_path / f"{n}.{kind}" for n in "ab"]
    for path in paths:
        write_figure(card("elu", alpha=0.5), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes().startswith(SIGNATURES[kind])


@pytest.mark.parametrize("name", ["elu.gif", "elu", "elu.svg.txt"])
def test_another_format_is_refused_and_nothing_written(card, tmp_path, name):
    with pytest.raises(ValueError, match=r"\.svg, \.png or \.pdf"):
        write_figure(card("elu"), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*NAMES, "inverse", "step", "shrink", "root", "hostile"])
def test_every_card_can_be_drawn(card, tmp_path, name):
    write_figure(card(name), tmp_path / "f.png")


def test_neither_pyplot_nor_settings_are_touched(card, tmp_path, monkeypatch):
    before = dict(mpl.rcParams)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it raises ImportError
    write_figure(card("elu"), tmp_path / "elu.svg")
    assert dict(mpl.rcParams) == before


def test_the_derivative_is_drawn_in_two_pieces_with_an_open_and_a_closed_dot(card):
    axes = figure(card("elu", alpha=0.5)).axes[1]
    assert axes.get_title() == "Derivative of ELU"
    lines = []
    for line in axes.get_lines():
        x, y = (np.asarray(values).tolist() for values in line.get_data())
        lines.append((line, x, y))
    ((_, xs, ys),) = [entry for entry in lines if len(entry[1]) > 2]
    pairs = list(itertools.pairwise(zip(xs, ys, strict=True)))
    assert not [1 for (a, p), (b, q) in pairs if a < 0 < b or (a == b == 0 and {p, q} == {0.5, 1.0})]
    assert any(math.isnan(y) for y in ys)
    found = [(x, y, line.get_markerfacecolor() == "white") for line, x, y in lines if line.get_marker() == "o"]
    assert found == [([0.0], [1.0], True), ([0.0], [0.5], False)]


def test_the_heading_has_the_formula_and_the_parameters(card):
    heading = figure(card("elu", alpha=0.5)).get_suptitle()
    assert r"\alpha = 0.5" in heading
    assert "e^{x}" in heading
    assert "begin" not in heading

"""Writing a card: four files, whole or absent, and bad input refused before anything is written."""

from __future__ import annotations

import json
import os
import re

import pytest

import actfn.card.page
from actfn import catalog
from actfn.card import write_card

ELU = catalog.find("elu")


def test_four_files_in_order_with_plotly_beside_them(tmp_path):
    out = tmp_path / "data" / "activations"
    data, paths = write_card(ELU, {"alpha": 0.5}, out, points=50)
    assert [p.name for p in paths] == ["elu.json", "elu.svg", "elu.png", "elu.html"]
    assert sorted(p.name for p in out.iterdir()) == sorted(["plotly.min.js", *(p.name for p in paths)])
    assert json.loads(paths[0].read_text()) == data
    assert '<script src="plotly.min.js" defer>' in paths[3].read_text()


def test_a_single_file_needs_nothing_beside_it(tmp_path):
    _, paths = write_card(ELU, {}, tmp_path, points=50, single_file=True)
    assert not (tmp_path / "plotly.min.js").exists()
    page = paths[3].read_text()
    assert "plotly.js v" in page
    assert 'src="plotly' not in page


def test_the_same_card_twice_is_the_same_bytes(tmp_path):
    written = [write_card(ELU, {}, tmp_path / n, points=50)[1] for n in "ab"]
    for first, second in zip(*written, strict=True):
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ({"alpha": float("nan")}, {}, "domain"),
        ({"beta": 1.0}, {}, "no parameter"),
        ({}, {"low": 1.0, "high": -1.0}, "lower to the higher"),
        ({}, {"points": 10_000_000}, "whole number"),
    ],
)
def test_bad_input_writes_nothing(tmp_path, values, options, words):
    with pytest.raises(ValueError, match=words):
        write_card(ELU, values, tmp_path / "new", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be(tmp_path, monkeypatch):
    place = tmp_path / "taken"
    place.write_text("here first")
    monkeypatch.setattr("actfn.card.data.card_data", lambda *a, **k: pytest.fail("computed before looking"))
    with pytest.raises(OSError, match="taken"):
        write_card(ELU, {}, place)
    assert place.read_text() == "here first"


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *a, **k: False)  # root may write where permissions say no
    with pytest.raises(PermissionError, match=re.escape(str(tmp_path))):
        write_card(ELU, {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_fails_leaves_no_files(tmp_path, monkeypatch):
    def fail(*a, **k):
        raise RuntimeError

    monkeypatch.setattr(actfn.card.page, "card_page", fail)
    with pytest.raises(RuntimeError):
        write_card(ELU, {}, tmp_path, points=5)
    assert list(tmp_path.iterdir()) == []

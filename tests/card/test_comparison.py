"""Functions side by side, and the nearest of the catalog."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from actfn import catalog
from actfn.analysis.claims import Claim
from actfn.analysis.properties import MEANINGS
from actfn.card.comparison import compared, comparison_data, figure, print_comparison, write_comparison
from actfn.card.similar import distance, similar
from actfn.card.wording import HEADINGS, wording
from actfn.definition import Definition
from actfn.files import dumps
from tests.entries import EVERY

THREE = [compared(catalog.find(name)) for name in ("elu", "relu", "gelu")]


def printed(functions, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_comparison(functions, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_table_has_a_row_for_each_claim_and_fits_80_columns() -> None:
    text = printed(THREE)
    assert max(map(len, text.splitlines())) <= 80
    assert all(any(line.startswith(heading) for line in text.splitlines()) for heading in HEADINGS.values())
    (row,) = (line for line in text.splitlines() if line.startswith("Lipschitz"))
    assert row.split()[2:] == ["1", "1", "1.1289"]


def test_every_claim_of_every_entry_has_words() -> None:
    assert list(HEADINGS) == list(MEANINGS)
    for entry in EVERY:
        for name, claim in compared(entry).claims.items():
            assert wording(name, claim).strip(), (entry.name, name)
            assert "{" not in wording(name, claim), (entry.name, name)


def test_what_is_not_proven_is_marked() -> None:
    assert wording("gain", Claim(1.5, "sampled")) == "~ 1.5"
    assert wording("gain", Claim(None, "unknown")) == "unknown"


def test_the_data_are_json() -> None:
    data = json.loads(dumps(comparison_data(THREE)))
    assert list(data) == ["elu", "relu", "gelu"]
    assert data["relu"]["lipschitz"]["value"] == 1.0


def test_the_figure_shows_each_function_twice(tmp_path) -> None:
    made = figure(THREE, -4, 4)
    assert [len(axes.lines) - 2 for axes in made.axes] == [3, 3]
    (legend,) = made.legends
    assert [text.get_text() for text in legend.get_texts()] == ["ELU", "ReLU", "GELU"]
    step = np.asarray(made.axes[1].lines[3].get_ydata())
    assert np.isnan(step).sum() == 1  # no line across the jump of ReLU'
    for kind in ("png", "svg", "pdf"):
        write_comparison(THREE, tmp_path / f"out.{kind}")
        assert (tmp_path / f"out.{kind}").stat().st_size > 5000
    with pytest.raises(ValueError, match=r"\.svg, \.png or \.pdf"):
        write_comparison(THREE, tmp_path / "out.gif")
    with pytest.raises(ValueError, match="at most 8"):
        write_comparison(THREE * 3, tmp_path / "out.png")
    assert not (tmp_path / "out.gif").exists()


# -- neighbours ---------------------------------------------------------------------------------------------------------


def test_distances_against_closed_forms() -> None:
    zero, identity = Definition("zero", "0*x"), catalog.find("identity")
    assert distance(identity, zero) == pytest.approx(1.0, rel=1e-9)
    assert distance(catalog.find("relu"), zero) == pytest.approx(math.sqrt(0.5), rel=1e-5)
    assert distance(catalog.find("elu"), zero) == pytest.approx(math.sqrt(0.64494541749292386), rel=1e-5)
    assert distance(catalog.find("relu"), identity) == distance(identity, catalog.find("relu"))
    assert distance(Definition("pole", "1/x"), zero) == math.inf


def test_neighbours_are_in_order_and_without_itself() -> None:
    found = similar(catalog.find("silu"), count=5)
    distances = [n.distance for n in found]
    assert distances == sorted(distances)
    names = [n.definition.name for n in found]
    assert "silu" not in names
    assert names[0] == "swish"
    assert distances[0] == 0
    assert len(similar(Definition("mine", "x*sigmoid(2*x)"), count=3)) == 3
    with pytest.raises(ValueError, match="from 1"):
        similar(catalog.find("silu"), count=0)

"""The page of a card, as text: complete without script, harmless whatever a user typed, citable."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from actfn.card.page import bibtex, card_page
from tests.entries import NAMES


class Page(HTMLParser):
    """Counts elements, collects ids and text outside scripts and styles."""

    def __init__(self, text: str):
        super().__init__()
        self.text, self.tags, self.ids, self._inside = "", [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self._inside = tag if tag in ("script", "style") else self._inside
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data):
        self.text += "" if self._inside else data


@pytest.fixture
def page(card):
    def made(name, compare=("relu", "leaky_relu"), **values):
        return card_page(card(name, **values), [card(other) for other in compare if other != name])

    return made


@pytest.mark.parametrize("name", [*NAMES, "inverse", "step", "shrink", "root", "hostile"])
def test_a_page_for_every_card(page, name):
    text = page(name)
    read = Page(text)
    assert len(read.ids) == len(set(read.ids))
    assert read.tags.count("h1") == 1
    assert read.tags.count("math") > 2
    visible = re.sub(r"\s+", " ", read.text)
    assert not re.search(r"\b(nan|NaN|None|undefined|Infinity)\b", visible)
    (config,) = re.findall(r'<script type="application/json" id="card">(.*?)</script>', text, re.DOTALL)
    json.loads(config)


def test_the_page_has_both_charts_the_proof_and_the_sources_without_script(page):
    text = page("elu", alpha=0.5)
    read = Page(text)
    words = re.sub(r"\s+", " ", read.text)
    for expected in (
        "Derivative of ELU",
        "if and only if",
        "proven",
        "has left limit",
        "Clevert, Unterthiner, Hochreiter (2015)",
        "@misc{clevert2015elu",
        "from actfn.torch import ELU",
        "torch.nn.ELU",
        "Leaky ReLU",
    ):
        assert expected in words
    assert text.count('class="curve value"') >= 1
    assert '<a href="elu.json">' in text


def test_hostile_text_stays_text(page):
    text = page("hostile")
    assert "<script>alert" not in text
    assert "alert(1)" in Page(text).text
    assert Page(text).tags.count("script") == 3  # the data, Plotly, ours


def test_an_unprintable_function_still_has_a_page(card):
    text = card_page({**card("elu"), "javascript": None}, [card("relu")])
    assert "<script" not in text
    assert text.count("<figure") == 2


def test_a_claim_that_is_unknown_says_so(card):
    data = card("elu")
    smooth = {
        **data["smoothness"],
        "order": None,
        "order_text": "unknown",
        "status": "unknown",
        "conditions": [],
        "certificate": ["why"],
    }
    words = Page(card_page({**data, "smoothness": smooth, "properties": {}})).text
    assert "nothing is claimed" in words
    assert "for every" not in words


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {"authors": "A, B", "year": 2015, "title": "T & U", "where": "arXiv:1511.07289"},
            "@misc{a2015f,\n  author = {A and B},\n  title = {{T \\& U}},\n  year = {2015},\n"
            "  eprint = {1511.07289},\n  archivePrefix = {arXiv}\n}",
        ),
        (
            {"authors": "A", "year": 1969, "title": "T", "where": "doi:10.1/a_b"},
            "@misc{a1969f,\n  author = {A},\n  title = {{T}},\n  year = {1969},\n  doi = {10.1/a_b}\n}",
        ),
        (
            {"authors": "A", "year": 1969, "title": "T", "where": ""},
            "@misc{a1969f,\n  author = {A},\n  title = {{T}},\n  year = {1969}\n}",
        ),
    ],
)
def test_bibtex(source, expected):
    assert bibtex("f", source) == expected

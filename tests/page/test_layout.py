"""Pages from templates: escaping, strict JSON in scripts, Plotly's script beside the pages."""

from __future__ import annotations

import json

import pytest
from jinja2 import UndefinedError

from actfn.page.layout import PLOTLY, plotly_script, render, script_code, script_json, write_plotly

HOSTILE = "</script><script>alert(1)</script><!-- \u2028 & ' \""


@pytest.fixture
def templates(tmp_path):
    (tmp_path / "page.html").write_text(
        '{% extends "layout.html" %}{% block title %}{{ name }}{% endblock %}'
        "{% block content %}<p>{{ name }}</p>{% endblock %}"
    )
    return tmp_path


def test_a_page_escapes_its_values(templates):
    page = render(templates, "page.html", name=HOSTILE, version="1")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_missing_value_is_an_error(templates):
    with pytest.raises(UndefinedError):
        render(templates, "page.html", version="1")


def test_json_in_a_script_cannot_end_it_and_says_the_same():
    text = script_json({"name": HOSTILE, "numbers": [1.5, None]})
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == {"name": HOSTILE, "numbers": [1.5, None]}


def test_json_in_a_script_is_strict():
    with pytest.raises(ValueError, match="JSON"):
        script_json([float("nan")])


@pytest.mark.parametrize("code", ["return x</script>;", "x <!--y"])
def test_code_that_could_end_a_script_is_refused(code):
    with pytest.raises(ValueError, match="JavaScript"):
        script_code(code)


def test_plotly_is_written_once_and_again_when_damaged(tmp_path):
    write_plotly(tmp_path)
    place = tmp_path / PLOTLY
    whole = place.read_bytes()
    assert whole.decode() == str(plotly_script())
    before = place.stat().st_mtime_ns
    write_plotly(tmp_path)
    assert place.stat().st_mtime_ns == before
    place.write_bytes(whole[:1000])
    write_plotly(tmp_path)
    assert place.read_bytes() == whole


def test_plotly_can_stand_in_a_script_element():
    assert "</script" not in plotly_script()

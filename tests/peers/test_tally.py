"""What the suites lean on: failures, strays, cases that are set aside, and a page that is out of date are all told."""

from __future__ import annotations

import json
import sys
import unittest

import pytest

from tests.peers import tally


class Theirs(unittest.TestCase):
    __test__ = False  # pytest is not to run it

    def test_good(self) -> None: ...

    def test_bad(self) -> None:
        raise AssertionError("these\nare not equal")

    def test_skipped(self) -> None:
        self.skipTest("no GPU")


def test_outcomes_of_cases() -> None:
    listed = dict(tally.cases(unittest.defaultTestLoader.loadTestsFromTestCase(Theirs)))
    assert list(listed) == ["Theirs.test_bad", "Theirs.test_good", "Theirs.test_skipped"]
    bad, good, skipped = map(tally.outcome, listed.values())
    assert (bad, good, skipped) == ("AssertionError: these are not equal", "", "skipped: no GPU")
    assert tally.raised(lambda: 1 / 0) == "ZeroDivisionError: division by zero"


def test_only_what_is_named_is_set_aside() -> None:
    runs = {"a1": lambda: "", "a2": lambda: "no", "b": lambda: ""}
    found = tally.run_applicable(runs, {"a.*": "why"})
    assert found == {"ran": {"b": ""}, "aside": {"a1": "why", "a2": "why"}}
    with pytest.raises(ValueError, match="theirs have no case c"):
        tally.run_applicable(runs, {"c": "why"})


@pytest.mark.parametrize(
    ("failed", "expected", "code"),
    [({}, {}, 0), ({"a": "no"}, {}, 1), ({"a": "no"}, {"a": "why"}, 0), ({}, {"a": "why"}, 1)],
)
def test_an_expected_failure_is_strict(failed, expected, code, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["suite", "--check"])
    assert tally.finish("none", "text", failed, expected) == code
    said = json.loads(capsys.readouterr().out)
    assert bool(said["failures"] or said["strays"]) == bool(code)


def test_a_page_that_is_out_of_date(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tally, "page", lambda name: tmp_path / name)
    monkeypatch.setattr(tally, "said_by", lambda *_, **__: {"failures": {}, "strays": [], "page": "new"})
    (tmp_path / "none").write_text("new")
    tally.assert_suite_passes("none")
    (tmp_path / "none").write_text("old")
    with pytest.raises(AssertionError, match="none_suite"):
        tally.assert_suite_passes("none")

from __future__ import annotations

import errno
import io
import json
import math
import os
import stat
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actfn import files


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def failing_write(monkeypatch):
    """Make the next file written fail halfway, with the exception asked for."""

    def arm(error: BaseException) -> None:
        class Halfway(io.FileIO):
            def write(self, data):
                super().write(data[: len(data) // 2])
                raise error

        monkeypatch.setattr("builtins.open", lambda path, mode: Halfway(path, mode.replace("b", "")))

    return arm


@pytest.mark.parametrize("kind", [str, Path])
def test_write_makes_folders_and_replaces(tmp_path, kind):
    place = tmp_path / "a" / "b" / "café.txt"
    files.write_text(kind(place), "first, longer\n")
    files.write_text(kind(place), "second ∂\n")
    assert place.read_bytes() == "second ∂\n".encode()
    assert names(place.parent) == ["café.txt"]


def test_write_bytes_is_verbatim(tmp_path):
    files.write_bytes(tmp_path / "x", b"\r\n\x00\xff")
    assert (tmp_path / "x").read_bytes() == b"\r\n\x00\xff"


def test_permissions_are_those_of_any_new_file(tmp_path):
    files.write_text(tmp_path / "ours", "")
    (tmp_path / "plain").write_text("")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_symbolic_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device"), MemoryError()])
@pytest.mark.parametrize("before", [None, "the old text"])
def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path, failing_write, error, before):
    place = tmp_path / "elu.json"
    if before is not None:
        place.write_text(before)
    failing_write(error)
    with pytest.raises(type(error)):
        files.write_text(place, "new text")
    assert names(tmp_path) == ([] if before is None else ["elu.json"])
    assert before is None or place.read_text() == before


def test_a_failure_to_rename_leaves_what_was_there(tmp_path, monkeypatch):
    def refuse(*_):
        raise KeyboardInterrupt

    (tmp_path / "elu.json").write_text("old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(KeyboardInterrupt):
        files.write_text(tmp_path / "elu.json", "new")
    assert names(tmp_path) == ["elu.json"]
    assert (tmp_path / "elu.json").read_text() == "old"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("a file/elu.json", "Not a directory"),
        ("a file/deeper/elu.json", "Not a directory"),
        ("a folder", "Is a directory"),
        ("n" * 300, "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(tmp_path, place, reason):
    (tmp_path / "a file").write_text("kept")
    (tmp_path / "a folder").mkdir()
    with pytest.raises(OSError, match=reason) as caught:
        files.write_text(tmp_path / place, "text")
    assert caught.value.filename == str(tmp_path / place)
    assert caught.value.strerror == reason
    assert names(tmp_path) == ["a file", "a folder"]
    assert (tmp_path / "a file").read_text() == "kept"


def test_a_closed_folder_is_refused_in_the_name_of_the_file(tmp_path, monkeypatch):
    def refuse(path, mode):  # root may write anywhere, so the refusal is played
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PermissionError) as caught:
        files.write_text(tmp_path / "elu.json", "text")
    assert caught.value.filename == str(tmp_path / "elu.json")


def test_text_that_has_no_utf8_writes_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        files.write_text(tmp_path / "x", "\ud800")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (np.float64("nan"), None),
        (np.float32(0.1), 0.10000000149011612),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1.0, np.nan, -0.0]), [1.0, None, -0.0]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(2.5), 2.5),
        ([], []),
        ((), []),
        ({}, {}),
        (OrderedDict(), {}),
        ([[], {}], [[], {}]),
        ([True, None, 1, 2.5], [True, None, 1, 2.5]),
        (["∂", 'say "no"', 1], ["∂", 'say "no"', 1]),
        ({"nested": {"deep": [math.inf, {"x": math.nan}]}}, {"nested": {"deep": [None, {"x": None}]}}),
    ],
)
def test_dumps(value, expected):
    text = files.dumps(value)
    assert text.endswith("\n")
    assert repr(json.loads(text)) == repr(expected)  # repr tells 1 from 1.0 and from True, and 0.0 from -0.0


def test_layout():
    data = {"x": [0.5 * i for i in range(8)], "name": "elu", "tags": ["exponential", "smooth"]}
    assert files.dumps(data) == (
        "{\n"
        '    "x": [\n'
        "        0.0, 0.5, 1.0, 1.5, 2.0, 2.5,\n"
        "        3.0, 3.5\n"
        "    ],\n"
        '    "name": "elu",\n'
        '    "tags": [\n'
        '        "exponential",\n'
        '        "smooth"\n'
        "    ]\n"
        "}\n"
    )


@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, object(), {1, 2}, [1.0, object()], 1j, b"bytes"])
def test_dumps_refuses_what_json_has_no_word_for(value):
    with pytest.raises(TypeError):
        files.dumps(value)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_dumps_round_trips(data):
    text = files.dumps(data)
    assert repr(json.loads(text, parse_constant=pytest.fail)) == repr(data)


def test_write_json(tmp_path):
    files.write_json(tmp_path / "a" / "elu.json", {"y": [1.0, math.nan]})
    assert json.loads((tmp_path / "a" / "elu.json").read_text()) == {"y": [1.0, None]}


def test_write_json_checks_before_it_writes(tmp_path):
    (tmp_path / "elu.json").write_text("old")
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "elu.json", {"y": object()})
    assert (tmp_path / "elu.json").read_text() == "old"

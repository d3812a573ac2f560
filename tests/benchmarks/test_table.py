"""Rows as JSON and as the README's table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import machine, table
from benchmarks.report import Record, Row, read, shown
from benchmarks.timing import Spread

CASE = {"pass": "forward", "function": "elu", "dtype": "float32", "size": 65_536, "output": "out", "threads": 1}
TIMES = {"actfn": Spread(8e-6, 9e-6, 1e-5), "torch": Spread(5e-5, 5.4e-5, 6e-5), "copyto": Spread(2e-6, 3e-6, 4e-6)}
FORWARD = Row(
    "forward, float32, out=, 65,536",
    CASE,
    TIMES,
    {"torch": Spread(5.9, 6.0, 6.1), "copyto": Spread(0.3, 1 / 3, 0.4)},
    {"torch": 6.0},
    rounds=20,
)
ROWS = [
    FORWARD,
    Row(
        "correct",
        {**CASE, "accuracy": "correct"},
        {"actfn": Spread(1, 1, 1)},
        {"torch": Spread(1, 1.5, 2)},
        {"torch": 2},
    ),
    Row("float64", {**CASE, "dtype": "float64"}, {"actfn": Spread(1, 1, 1)}),
    Row("import", value=Spread(0.1, 0.25, 0.3), unit="s", limit=0.1),
]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    record = Record("forward", folder=tmp_path / "results", console=Console(quiet=True))
    record.skip("JAX", "No module named 'jax'")
    for row in ROWS:
        record.add(row)
    record.write()
    return tmp_path / "results"


def test_what_is_written_is_read(results: Path) -> None:
    ((head, rows),) = read(results)
    assert rows[0].case == CASE
    assert rows[0].ratios["copyto"] == Spread(0.3, 0.3333, 0.4)  # four digits
    assert [row.reached() for row in rows] == [{"torch": True}, {"torch": False}, {}, {"": False}]
    assert rows[3] == ROWS[3]
    assert head["skipped"] == {"JAX": "No module named 'jax'"}
    assert head["machine"].keys() >= {"cpu", "features", "cores", "versions", "date", "commit", "llvm"}
    lines = (results / "forward-1.json").read_text().splitlines()
    assert sum(line.startswith('{"label"') for line in lines) == len(ROWS)


def test_table(results: Path) -> None:
    lines = table.markdown(results).splitlines()
    grid = [line for line in lines if line.startswith("|")]
    assert grid[2] == "| forward, `out=` | 65,536 | **0.137** | 0.0458 | 0.824 |  |  |  |  |  |"
    assert grid[5:] == [
        "| forward, float32, out=, 65,536 | torch | 6.00x (5.9 to 6.1) | 6x | reached |",
        "| correct | torch | 1.50x (1 to 2) | 2x | **short** |",
        "| import |  | 0.25 s | at most 0.1 | **short** |",
    ]
    assert "JAX (No module named 'jax')" in lines[-1]
    assert machine.facts()["python"] in lines[-1]
    assert "says its own" not in lines[-1]


def test_results_of_two_machines_are_told(results: Path) -> None:
    data = json.loads((results / "forward-1.json").read_text())
    data["machine"]["cpu"] = "another"
    (results / "training-1.json").write_text(json.dumps(data))
    assert "says its own" in table.markdown(results)


def test_write_between_the_marks(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n")
    for text in ("new", "newer"):
        table.write(readme, text)
        assert readme.read_text() == f"before\n<!-- benchmarks -->\n{text}\n<!-- /benchmarks -->\nafter\n"


@pytest.mark.parametrize(
    "text",
    [
        "no marks",
        "<!-- benchmarks -->",
        "<!-- /benchmarks -->\n<!-- benchmarks -->",
        "<!-- benchmarks --><!-- benchmarks --><!-- /benchmarks -->",
        "<!-- benchmarks --><!-- /benchmarks --><!-- /benchmarks -->",
    ],
)
def test_a_file_without_the_marks_is_left_alone(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(ValueError, match="needs one line"):
        table.write(readme, "new")
    assert readme.read_text() == text


def test_no_results(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make bench"):
        table.markdown(tmp_path)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (FORWARD, ["9 µs", "0.137 ns/el", "torch 6.00x [5.9, 6.1] (>= 6: reached)", "copyto 0.33x"]),
        (ROWS[1], ["torch 1.50x [1, 2] (>= 2: short)"]),
        (ROWS[3], ["0.25 s (<= 0.1: short)"]),
    ],
)
def test_a_row_as_it_is_printed(row: Row, expected: list[str]) -> None:
    text = shown(row).plain
    assert all(part in text for part in expected), text
    assert max(map(len, text.splitlines())) <= 80

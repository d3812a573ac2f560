"""Where frameworks disagree: the finder finds what is planted, the page is made from the JSON, and known rows are in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from actfn import catalog
from benchmarks import disagreements
from benchmarks.disagreements import JSON, PAGE, Row, compared, markdown, numbers, resolved, told

DATA: dict[str, Any] = json.loads(JSON.read_text("utf-8"))
ROWS = [Row(**row) for row in DATA["rows"]]

# (entry, framework, dtype, what, at about which x, theirs, the truth begins with)
KNOWN = [
    ("leaky_relu", "jax", "float32", "f' at a kink", 0.0, "1", "0.01 from the left, 1 from the right"),
    ("leaky_relu", "keras", "float32", "f' at a kink", 0.0, "1", "0.01 from the left, 1 from the right"),
    ("hardtanh", "jax", "float32", "f' at a kink", -1.0, "1", "0 from the left, 1 from the right"),
    ("hardtanh", "jax", "float32", "f' at a kink", 1.0, "1", "1 from the left, 0 from the right"),
    ("elu", "torch", "float32", "f'' at a kink", 0.0, "0", "1 from the left, 0 from the right"),
    ("celu", "jax", "float32", "f'' at a kink", 0.0, "0.25", "1 from the left, 0 from the right"),
    ("gelu", "torch", "float32", "value 0", -5.5, "-0", "-1.0"),
    ("gelu", "torch", "float64", "value 0", -8.4, "-0", "-2."),
    ("elu", "jax", "float32", "gradient 0", -17.4, "0", "2.8"),
    ("sigmoid", "torch", "float32", "gradient 0", 16.7, "0", "5.7"),
    ("sigmoid", "torch", "bfloat16", "gradient 0", 6.25, "0", "0.0019"),
    ("gelu", "torch", "float32", "value", -5.5, "", ""),
    ("tanhshrink", "torch", "float32", "value", 0.0, "", ""),
    ("tanh", "torch", "", "gain", None, "1.66667", "1.592"),
    ("sigmoid", "torch", "", "gain", None, "1", "1.846"),
    ("selu", "torch", "", "gain", None, "0.75", "1"),
]


@pytest.mark.parametrize(("entry", "framework", "dtype", "what", "at", "theirs", "truth"), KNOWN)
def test_known_rows_are_there(entry, framework, dtype, what, at, theirs, truth) -> None:
    chosen = [row for row in ROWS if (row.entry, row.dtype, row.what) == (entry, dtype, what)]
    chosen = [row for row in chosen if row.framework.startswith(framework)]
    assert any(
        (at is None or row.at == pytest.approx(at, abs=0.2))
        and theirs in ("", row.theirs)
        and row.truth.startswith(truth)
        for row in chosen
    ), chosen


def test_no_row_for_what_agrees() -> None:
    assert not [row for row in ROWS if row.entry in ("identity", "relu", "relu6", "softshrink", "sign", "threshold")]
    assert not [row for row in ROWS if row.what == "gain" and row.entry in ("identity", "relu", "leaky_relu")]
    assert not [row for row in ROWS if row.entry == "elu" and row.what.startswith("value")]


def test_the_page_is_made_from_the_json() -> None:
    assert PAGE.read_text("utf-8") == markdown(DATA)
    assert all(f"| {row.entry} |" in markdown(DATA) for row in ROWS)
    assert set(DATA["compared"]) == {row.framework for row in ROWS}


def test_every_alias_of_a_framework_is_compared_or_left_out_with_a_reason() -> None:
    for name in ("torch", "jax", "keras"):
        count = sum(name in entry.aliases for entry in catalog.entries().values())
        compared_ = sum(n for label, n in DATA["compared"].items() if label.startswith(name))
        assert compared_ + sum(alias.startswith(f"{name}.") for alias in DATA["skipped"]) == count, name


# -- the finder ---------------------------------------------------------------------------------------------------------


def planted(name: str, dtype: str, *functions) -> list[Row]:
    def theirs(x: np.ndarray, order: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            y = functions[order](x.astype(dtype)) if order < len(functions) else np.zeros_like(x)
        return np.asarray(y).astype(np.float64)

    return list(compared(catalog.find(name), "planted", dtype, theirs))


@pytest.mark.parametrize(
    ("name", "dtype", "functions", "expected"),
    [
        ("relu", "float32", [lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0], []),
        ("relu", "float32", [lambda x: np.maximum(x, 0), lambda x: (x >= 0) * 1.0], [("f' at a kink", 0, 0)]),
        ("elu", "float32", [lambda x: np.where(x > 0, x, np.exp(x) - 1)], [("value 0", -6e-8, 6e-8), ("value", -1, 0)]),
        ("tanh", "float64", [np.tanh, lambda x: 1 - np.tanh(x) ** 2], [("gradient 0", 19, 20), ("gradient", -19, 19)]),
        ("rbf", "float64", [lambda x: np.where(np.abs(x) < 30, np.exp(-x * x), np.nan)], []),  # nothing is left there
        ("softplus", "float32", [lambda x: np.log1p(np.exp(x))], [("value not finite", 88, 1.1e30)]),
    ],
)
def test_what_is_planted_is_found(name, dtype, functions, expected) -> None:
    rows = planted(name, dtype, *functions)
    order = 1 if len(functions) > 1 else 0
    mine = [row for row in rows if row.what.startswith(("f' ", "gradient") if order else "value")]
    assert {row.what for row in mine} == {what for what, _, _ in expected}
    for what, low, high in expected:
        assert any(low <= row.at <= high for row in mine if row.what == what and row.at is not None), (what, mine)


def test_a_torch_function_is_compared_without_a_row_where_it_agrees() -> None:
    torch = pytest.importorskip("torch")
    for alias in ("torch.nn.ReLU", "torch.nn.LeakyReLU"):
        entry = catalog.find(alias)
        function = resolved(entry.aliases["torch"], entry)
        assert isinstance(function, torch.nn.Module)
        for dtype in ("float32", "bfloat16"):
            assert list(compared(entry, "torch", dtype, disagreements.with_torch(function, dtype))) == []


def test_gains_are_torch_s_against_ours() -> None:
    pytest.importorskip("torch")
    assert {row.entry for row in disagreements.gains("torch")} == {"tanh", "sigmoid", "selu"}


def test_an_alias_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    framework = disagreements.Framework("torch", f"torch {torch.__version__}", disagreements.with_torch, ("float32",))
    monkeypatch.setattr(disagreements, "frameworks", lambda: ([framework], {"jax": "No module named 'jax'"}))
    entry = replace(catalog.find("relu"), aliases={"torch": "torch.nn.NoSuchThing"})
    data = disagreements.measured([entry], Console(quiet=True))
    assert data["compared"] == {}
    assert set(data["skipped"]) == {"jax", "torch.nn.NoSuchThing"}
    assert "Not compared: jax (No module named 'jax')." in markdown(data)


def test_numbers_and_digits() -> None:
    every = numbers(np.array([0.5]), "bfloat16")
    assert {0.0, 1.0, 0.5, -(2.0**-126)} <= set(every.tolist())
    assert np.all(every.astype(np.float32).view(np.uint32) & 0xFFFF == 0)
    assert numbers(np.array([1e-320, 0.1]), "float64").tolist() == [0.1]
    assert numbers(np.array([0.1]), "float32").tolist() == [float(np.float32(0.1))]
    assert told(1.0, 1.0 + 2.0**-40) == ("1", "1.000000000001")
    assert told(2.0, 3.0) == ("2", "3")

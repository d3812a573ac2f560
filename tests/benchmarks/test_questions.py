"""Every benchmark runs, measures what it says, and says which peers it leaves out."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from actfn.catalog import find
from actfn.definition import Definition
from benchmarks import catalog, memory, peers
from benchmarks.report import QUESTIONS, Record, read
from benchmarks.run_all import RUNS
from benchmarks.timing import Spread

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(("question", "threads"), {**dict(RUNS), "forward": 1}.items())
def test_runs_in_quick_mode(question: str, threads: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"benchmarks.{question}", "--quick", "--threads", str(threads)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [*command, "--results", str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ((head, rows),) = read(tmp_path)
    assert (head["question"], head["threads"], head["quick"]) == (question, threads, True)
    assert rows
    for row in rows:
        assert row.label in done.stdout.replace("\n", " ")
        assert all(0 < spread.low <= spread.median <= spread.high for spread in row.times.values())
    for name, reason in head["skipped"].items():
        assert f"skipped: {name}: {reason}" in re.sub(r"\s+", " ", done.stdout)


def test_every_question_is_run() -> None:
    assert {question for question, _ in RUNS} == set(QUESTIONS)


def test_peers_that_are_not_installed_are_skipped_visibly(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("jax", "onnxruntime", "numexpr"):
        monkeypatch.setitem(sys.modules, module, None)
    record = Record("forward", quick=True, console=Console(record=True, width=80, file=io.StringIO()))
    x = peers.normal(100)
    assert set(peers.elu_fresh(record, x)) == {"torch", "NumPy"}
    assert set(peers.elu_into(record, x, np.empty_like(x))) == {"copyto", "torch", "NumPy"}
    assert peers.elu_derivatives(record, x, x) == {}
    lines = record.console.export_text().splitlines()
    assert sorted(line.split(":")[1].strip() for line in lines) == ["JAX", "ONNX Runtime", "numexpr", "torch.compile"]


def test_normal_inputs_are_the_same_each_time_and_half_negative() -> None:
    x = peers.normal(10_000, "float64")
    assert (x == peers.normal(10_000, "float64")).all()
    assert abs((x < 0).mean() - 0.5) < 0.02


def test_what_computes_something_else_is_not_timed() -> None:
    x = peers.normal(100)
    expected, out = np.tanh(x), np.empty_like(x)
    peers.checked({"fresh": lambda: np.tanh(x)}, expected)
    peers.checked({"into": lambda: np.tanh(x, out)}, expected, out)
    for call, into in ((lambda: x, None), (lambda: np.tanh(x), out), (lambda: np.tanh(x.astype("float64")), None)):
        with pytest.raises(ValueError, match="something else"):
            peers.checked({"odd": call}, expected, into)


@pytest.mark.parametrize(
    ("formula", "cheap"),
    [
        ("max(x, 0)", True),
        ("x*min(max(x + 3, 0), 6)/6", True),
        ("where(abs(x) > 1, x, 0)", True),
        ("x/(1 + abs(x))", False),
        ("where(x > 0, x, exp(x) - 1)", False),
        ("exp(-max(x, 0))", False),
        ("where(x > 0, where(x > 1, x, tanh(x)), 0)", False),
    ],
)
def test_cheap_selects(formula: str, cheap: bool) -> None:
    assert catalog.is_cheap(Definition("f", formula)) is cheap


def test_native_functions() -> None:
    x = torch.linspace(-3, 3, 50)
    for name, has_out in (("elu", True), ("sigmoid", True), ("relu", False), ("selu", False)):
        native = catalog.native_module(find(name))
        assert native is not None
        assert (catalog.native_into(name, x, native(x)) is not None) is has_out
    assert catalog.native_into("elu", x, x) is None  # other values: other defaults


def test_groups() -> None:
    ratios = [Spread(1, 2, 4), Spread(4, 8, 16)]
    assert catalog.geometric_mean(ratios) == pytest.approx((2, 4, 8))
    assert catalog.slowest(ratios) == ratios[0]


def test_saved_bytes() -> None:
    layer = 64 * 256 * 4
    assert memory.saved_bytes(torch.nn.functional.elu, 64, 256) == 8 * layer  # each layer's and each activation's input
    assert (
        memory.saved_bytes(torch.relu, 64, 256) == 5 * layer
    )  # the first input, and each output, which the next keeps

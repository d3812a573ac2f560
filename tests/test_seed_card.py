"""The script of the card that actfn grew out of, with its class and its function imported instead of defined."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import actfn.torch
from actfn import catalog
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps
from tests.entries import NAMES

SCRIPT = """
import matplotlib.pyplot as plt
import torch
from actfn.torch import ELU, visualize_activation

if __name__ == "__main__":
    elu = ELU()
    print(elu)
    save_path = "data/activations/elu.json"
    x = torch.linspace(-2, 2, 1000)
    data = visualize_activation(x, elu, save_path=save_path)
    fig, ax = plt.subplots()
    ax.plot(data["x"], data["y"])
    ax.plot(data["x"], data["yp"])
    ax.set_title("ELU")
    plt.show()
"""
SEED = Path(__file__).parents[2] / "shared" / "seed-elu-card.txt"


def _run(script: str, folder: Path) -> str:
    source = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": source, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _check(folder: Path, printed: str) -> None:
    assert printed.strip() == "Activation Function: ELU()"
    data = json.loads((folder / "data/activations/elu.json").read_text())
    assert list(data) == ["x", "y", "yp"]
    x = torch.linspace(-2, 2, 1000)
    assert data["x"] == x.tolist()
    assert data["y"] == pytest.approx(torch.where(x > 0, x, torch.expm1(x)).tolist(), rel=2e-7)
    assert data["yp"] == pytest.approx(torch.where(x > 0, 1.0, torch.exp(x)).tolist(), rel=2e-7)


def test_the_script(tmp_path: Path) -> None:
    _check(tmp_path, _run(SCRIPT, tmp_path))


def test_the_card_itself(tmp_path: Path) -> None:
    if not SEED.exists():
        pytest.skip("the card lies beside a development checkout only")
    text = SEED.read_text()
    code = text[text.index("from torch import nn") : text.index("Published:")]
    code = re.sub(r"def visualize_activation\(.*?return activation_dict\n", "", code, flags=re.DOTALL)
    code = re.sub(r"class ELU\(nn\.Module\):.*?(?=if __name__)", "", code, flags=re.DOTALL)
    assert "class" not in code
    assert "def " not in code
    _check(tmp_path, _run("from actfn.torch import ELU, visualize_activation\n" + code, tmp_path))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("native", [True, False])
def test_gradients_where_the_card_s_code_fails(dtype: torch.dtype, native: bool) -> None:
    actfn.torch.set_native(native)
    try:
        x = torch.tensor([100, -100, 1000, 0.0, -0.0, math.inf, -math.inf], dtype=dtype, requires_grad=True)
        actfn.torch.ELU()(x).sum().backward()
    finally:
        actfn.torch.set_native(True)
    assert x.grad is not None
    expected = [1.0, math.exp(-100), 1.0, 1.0, 1.0, 1.0, 0.0]
    near = torch.tensor(expected, dtype=dtype)
    smallest = 2.0**-149 if dtype == torch.float32 else 0.0
    assert ((x.grad - near).abs() <= near.abs() * 4e-16 + smallest).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_no_gradient_is_nan_for_a_finite_input(name: str, dtype: str) -> None:
    info = np.finfo(dtype)
    powers = 2.0 ** np.arange(info.minexp - info.nmant, info.maxexp, dtype=np.float64)
    points = np.concatenate([powers, -powers, [0.0, -0.0, 89, -89, 710, -710, 3.5, -3.5]]).astype(dtype)
    x = torch.tensor(points, requires_grad=True)
    (slope,) = torch.autograd.grad(getattr(actfn.torch, name)(x).sum(), x)
    assert not slope.isnan().any()
    entry = catalog.find(name)
    oracle = Oracle(derivative(entry.expression, 1, entry.conventions))
    values = {n: float(np.dtype(dtype).type(v)) for n, v in entry.defaults.items()}
    balls = [oracle.ball(p, values) for p in points.tolist()]
    floor = (
        4 * float(info.eps) if name == "snake" else 0.0
    )  # f' touches 0 once a period: there an error counts beside 1
    found = zip(points.tolist(), slope.tolist(), balls, strict=True)
    worst = max((ulps(g, ball, dtype), p) for p, g, ball in found if not 0 < abs(g - float(ball.mid())) <= floor)
    assert worst[0] < 4, worst

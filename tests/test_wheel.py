"""The wheel, installed alone into an empty environment, shows the ELU card."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _run(*command: str, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_wheel_alone_shows_the_card(tmp_path: Path) -> None:
    _run(sys.executable, "-m", "build", "--outdir", str(tmp_path / "dist"), str(ROOT), cwd=ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("src/actfn/py.typed") for name in names)
    assert any(name.endswith("README.md") for name in names)
    _run(sys.executable, "-m", "venv", str(tmp_path / "empty"), cwd=tmp_path)
    python = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin") / "python"
    _run(str(python), "-m", "pip", "install", "--quiet", str(wheel), cwd=tmp_path)
    shown = _run(str(python.with_name("actfn")), "card", "elu", cwd=tmp_path)
    assert "C^1 if and only if alpha = 1" in shown
    written = {p.name for p in (tmp_path / "data" / "activations").iterdir()}
    assert written == {"elu.json", "elu.svg", "elu.png", "elu.html", "plotly.min.js"}
    absent = "import importlib.util as u; print([m for m in ('torch', 'jax') if u.find_spec(m)])"
    assert _run(str(python), "-c", absent, cwd=tmp_path).strip() == "[]"

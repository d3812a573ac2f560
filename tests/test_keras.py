"""Keras 3 on each backend, which a process chooses once: the tests of keras_on_backend.py, in a process for each."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(find_spec("keras") is None, reason="needs Keras")
CHECKS = Path(__file__).parent / "keras_on_backend.py"


def run(backend: str, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    if find_spec(backend) is None:
        pytest.skip(f"no {backend} on this machine")
    environment = os.environ | {"KERAS_BACKEND": backend, "ACTFN_KERAS_FOLDER": str(folder)}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=110, cwd=CHECKS.parents[1]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a model goes from one process to the next."""
    return tmp_path_factory.mktemp("keras")


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_on_backend(backend, folder):
    done = run(backend, ["-m", "pytest", str(CHECKS), "-q", "-p", "no:cacheprovider"], folder)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_another_backend_is_refused_by_name(folder):
    code = "import actfn.keras; actfn.keras.elu([1.0])"
    done = run("numpy", ["-c", code], folder)
    assert "actfn.keras runs on Keras' torch and jax backends, not on numpy; set KERAS_BACKEND=jax" in done.stderr

"""PyTorch's OpInfo and ModuleInfo against ours: all applicable checks pass, and the committed table says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_pytorchs_own_tests_pass() -> None:
    pytest.importorskip("expecttest")  # PyTorch's test code imports it
    command = [sys.executable, "-W", "ignore", "-m", "tests.peers.torch_suite", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=380, check=False)
    assert done.stdout, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["failures"] == {}
    assert said["strays"] == []
    assert done.returncode == 0, done.stderr
    assert (ROOT / "docs" / "peers-torch.md").read_text() == said["page"], "run `python -m tests.peers.torch_suite`"

"""DTensor and FSDP2 over two real processes on the loopback interface: the numbers of one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("distributed_worker.py")
SECONDS = 90


@pytest.mark.parametrize("job", ["dtensor", "fsdp"])
def test_two_processes_agree_with_one(job: str, tmp_path: Path) -> None:
    # A file as the meeting place: no port that another process could hold.
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", str(WORKER), job, str(rank), str(tmp_path / "meeting")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=SECONDS)[0] for process in started]
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
    for rank, (process, text) in enumerate(zip(started, said, strict=True)):
        assert process.returncode == 0, text
        assert text.strip().endswith(f"rank {rank}: {job} agrees"), text

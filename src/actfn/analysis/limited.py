"""Proofs with a time limit: the work runs in a process of its own, which is stopped when its time is over.

Only symbolic work needs this (a user's formula can be hard to prove anything of), and only its result crosses back.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping

from actfn.analysis.smoothness import Smoothness, smoothness, unknown
from actfn.definition import Definition

SECONDS = 20.0
"""How long a proof of a user's formula may take."""

_WORK = "from actfn.analysis.limited import _work; _work()"


def smoothness_within(definition: Definition, parameters: Mapping[str, float], seconds: float = SECONDS) -> Smoothness:
    """`analysis.smoothness.smoothness`, or an unknown one where it takes longer than `seconds` or more memory than there is."""
    definition.values(parameters)
    request = pickle.dumps((definition, dict(parameters)))
    try:
        done = subprocess.run(
            [sys.executable, "-c", _WORK], input=request, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return unknown(f"not decided within {seconds:g} seconds")
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return unknown(f"not decided: the proof ended with {lines[-1] if lines else done.returncode}")
    return pickle.loads(done.stdout)


def _work() -> None:
    """The process's side: a definition in, its smoothness out."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    except (ImportError, ValueError, OSError):
        pass  # not every system can limit memory; the time limit holds everywhere
    definition, parameters = pickle.load(sys.stdin.buffer)
    result = smoothness(definition, **parameters)
    sys.stdout.buffer.write(pickle.dumps(result))

"""How long does a new process wait? For `import actfn`, for its first kernel ever, and for one that was built before.

Whole processes are timed, the interpreter's own start included except where it is subtracted; they take turns, so that
what slows the machine slows all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Record, Row, main
from benchmarks.timing import spread

ROUNDS = 7
KERNEL = """
import actfn, numpy as np
y = actfn.get("elu").ufunc(alpha=1.0)(np.linspace(-2, 2, 1000, dtype="float32"))
assert y.dtype == "float32" and abs(y[0] + 0.86466) < 1e-4
"""


def measure(record: Record) -> None:
    """One row a kind of start."""
    imported, fresh, cached = [], [], []
    seconds("import actfn")  # writes the byte code
    for _ in range(1 if record.quick else ROUNDS):
        bare = seconds("pass")
        imported.append(seconds("import actfn") - bare)
        with tempfile.TemporaryDirectory() as folder:
            fresh.append(seconds(KERNEL, Path(folder)))
            cached.append(seconds(KERNEL, Path(folder)))
    rows = [
        ("import actfn, over bare Python", imported, 0.1),
        ("a process up to its first kernel, fresh cache", fresh, 1.5),
        ("a process up to its first kernel, from the cache", cached, 0.7),
    ]
    for label, found, limit in rows:
        record.add(Row(label, value=spread(found), unit="s", limit=limit, rounds=len(found)))


def seconds(code: str, cache: Path | None = None) -> float:
    """How long a fresh interpreter takes over some code."""
    environment = dict(os.environ)
    if cache is not None:
        environment["ACTFN_CACHE_DIR"] = str(cache)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main("startup", measure, __doc__)

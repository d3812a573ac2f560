"""What a measurement depends on: the machine, the versions, the commit."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "numba", "llvmlite", "torch", "jax", "jaxlib", "onnx", "onnxruntime", "keras", "numexpr")


def facts() -> dict[str, Any]:
    """The machine, versions (None: not installed), date and commit."""
    import llvmlite.binding as llvm

    vectors = ("avx", "fma", "neon", "sve", "amx")
    features = [name for name, on in sorted(llvm.get_host_cpu_features().items()) if on and name.startswith(vectors)]
    return {
        "cpu": _cpu() or llvm.get_host_cpu_name(),
        "target": llvm.get_host_cpu_name(),
        "features": features,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "huge_pages": _huge_pages(),
        "python": platform.python_version(),
        "llvm": ".".join(map(str, llvm.llvm_version_info)),
        "versions": {name: _version(name) for name in PACKAGES},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _huge_pages() -> str | None:
    """The kernel's rule for transparent huge pages: "always", "madvise" or "never"."""
    try:
        text = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:
        return None
    return text.partition("[")[2].partition("]")[0] or None


def _commit() -> str | None:
    """The commit that was measured, with a "+" where the code under measurement differs from it."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--", "src", "benchmarks/*.py") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()

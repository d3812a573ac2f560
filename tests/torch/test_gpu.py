"""Generated Triton kernels: the tests of on_interpreter.py, in a process where Triton interprets, and what needs none."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from actfn import catalog  # noqa: E402
from actfn.torch import gpu  # noqa: E402
from actfn.torch.printed import Spec  # noqa: E402

CHECKS = Path(__file__).parent / "on_interpreter.py"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="needs Triton")
def test_under_tritons_interpreter():
    command = [sys.executable, "-m", "pytest", str(CHECKS), "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=110, cwd=CHECKS.parents[2], check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="needs Triton")
@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp64"])
@pytest.mark.parametrize("name", ["elu", "gelu", "mish", "hardswish"])
def test_triton_compiles_the_double_backward_to_machine_code(name, dtype, tmp_path, monkeypatch):
    """For the H100, without one: types and libdevice's functions are the compiler's to judge."""
    import triton
    import triton.language as tl
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    wide, definition = dtype == "fp64", catalog.find(name)
    kernel = gpu._kernel(definition, 1, (), "double", "float64" if wide else "float32")
    parameters = [f"_at_{name}" for name in definition.defaults]
    known = {"n": "i32", "BLOCK": "constexpr", "ARITHMETIC": "constexpr"}
    known |= dict.fromkeys(parameters, "*fp64" if wide else "*fp32")
    signature = {name: known.get(name, f"*{dtype}") for name in kernel.arg_names}
    constants = {"BLOCK": gpu.BLOCK, "ARITHMETIC": tl.float64 if wide else tl.float32}
    built = triton.compile(ASTSource(kernel, signature, constexprs=constants), target=GPUTarget("cuda", 90, 32))
    assert f".entry {name}_kernel(" in built.asm["ptx"]
    assert built.asm["cubin"]


def test_tensors_in_memory_are_left_to_others():
    assert gpu.apply(Spec(catalog.find("elu")), torch.ones(3), (1.0,)) is None


def test_without_triton_everything_is_left_to_others(monkeypatch):
    monkeypatch.setattr(gpu, "DEVICES", ("cpu",))
    monkeypatch.setattr(gpu, "available", lambda: False)
    assert gpu.apply(Spec(catalog.find("elu")), torch.ones(3), (1.0,)) is None


@pytest.mark.parametrize("form", ["value", "product", "double"])
def test_the_source_of_every_entry_is_python(form):
    for entry in catalog.entries().values():
        compile(gpu.source(entry, form=form), entry.name, "exec")

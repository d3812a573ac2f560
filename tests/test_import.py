"""What `import actfn` costs, and that the package's rooms stand on each other and not on its face."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import actfn

ROOT = Path(actfn.__file__).parent
HEAVY = {"flint", "jax", "jinja2", "keras", "matplotlib", "numba", "numpy", "onnx", "plotly", "sympy", "torch"}


def loaded(code: str) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after running `code`."""
    report = f"import sys\n{code}\nprint(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import actfn", "import actfn; dir(actfn)", "import actfn.catalog, actfn.files"])
def test_importing_loads_nothing_heavy(code):
    assert loaded(code) == set()


def test_that_test_can_fail():
    assert "sympy" in loaded("import sympy\nimport actfn")
    assert "sympy" in loaded("import actfn\nactfn.FormulaError")


@pytest.mark.parametrize("name", actfn.__all__)
def test_every_public_name_is_there(name):
    assert getattr(actfn, name) is getattr(actfn, name)
    assert name in dir(actfn)


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'actfn' has no attribute 'sigmiod'"):
        actfn.sigmiod  # type: ignore[attr-defined]  # noqa: B018


def imports_of_the_root(source: str, package: tuple[str, ...]) -> list[int]:
    """Lines that reach for a name of the root: `import actfn`, `from actfn import get`, `from .. import get`.

    `package` is the package of the module whose source it is; a room's own module (`from actfn import files`) may
    be imported that way. `import actfn.files` without `as` binds the root, so it counts.
    """
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [a for a in node.names if a.name == "actfn" or (a.name.startswith("actfn.") and a.asname is None)]
            lines += [node.lineno] * len(names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            if (*above, *(node.module or "").split(".")) in {("actfn",), ("actfn", "")}:
                lines += [node.lineno for a in node.names if not is_room(a.name)]
    return lines


def is_room(name: str) -> bool:
    return (ROOT / name / "__init__.py").exists() or (ROOT / f"{name}.py").exists()


ROOMS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_the_root(room):
    package = ("actfn", *Path(room).parts[:-1])
    assert imports_of_the_root((ROOT / room).read_text(encoding="utf-8"), package) == []


@pytest.mark.parametrize(
    ("line", "package", "reaches"),
    [
        ("import actfn", ("actfn",), True),
        ("import actfn as root", ("actfn",), True),
        ("import actfn.files", ("actfn",), True),
        ("import actfn.files as files", ("actfn",), False),
        ("from actfn import get", ("actfn",), True),
        ("from actfn import __version__", ("actfn",), True),
        ("from actfn import files", ("actfn",), False),
        ("from actfn.files import dumps", ("actfn",), False),
        ("from . import get", ("actfn",), True),
        ("from . import get", ("actfn", "catalog"), False),
        ("from .. import get", ("actfn", "catalog"), True),
        ("from .. import files", ("actfn", "catalog"), False),
        ("from ..files import dumps", ("actfn", "catalog"), False),
        ("def f():\n    from actfn import get", ("actfn",), True),
        ("import numpy, torch.nn", ("actfn",), False),
    ],
)
def test_that_test_sees_every_way(line, package, reaches):
    assert bool(imports_of_the_root(line, package)) is reaches

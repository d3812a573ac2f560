"""C and JavaScript files: every entry's compiles and runs, deep ones agree with the oracle, and the comment is true."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from actfn import catalog, export
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps

ENTRIES = [*catalog.entries().values()]
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc on this machine")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")

STRICT = ["gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic"]
POINTS = [-100.3, -37.1, -5.3, -1.0, -0.77, -1e-9, 0.0, 1e-9, 0.31, 1.0, 2.9, 6.4, 31.0, 100.3]


def names(source: str) -> list[str]:
    """The functions that a file offers, as it writes them."""
    exported = re.search(r"export \{ (.*) \};", source)
    if exported:
        return exported[1].split(", ")
    return [n for n in re.findall(r"static inline double (\w+)\(double x\b", source) if not n.startswith("actfn_")]


def in_c(folder: Path, sources: dict[Definition, str], at: list[float]) -> dict[tuple[Definition, int], list[float]]:
    """f and f' of every file at each x and default parameters: all of them are included twice, in one program."""
    for d, source in sources.items():
        (folder / f"{d.name}.h").write_text(source, encoding="utf-8")
    includes = "".join(f'#include "{d.name}.h"\n' for d in sources) * 2
    calls = "".join(
        f'    for (int i = 0; i < {len(at)}; i++) printf("%a\\n", {n}(at[i]{"".join(f", {v!r}" for v in d.defaults.values())}));\n'
        for d, source in sources.items()
        for n in names(source)
    )
    main = f"#include <stdio.h>\n{includes}static const double at[] = {{{', '.join(map(float.hex, at))}}};\n"
    (folder / "main.c").write_text(f"{main}int main(void) {{\n{calls}    return 0;\n}}\n", encoding="utf-8")
    made = subprocess.run(
        [*STRICT, "main.c", "-o", "main", "-lm"], cwd=folder, capture_output=True, text=True, timeout=100
    )
    assert made.returncode == 0, made.stderr
    lines = subprocess.run([folder / "main"], capture_output=True, text=True, timeout=30, check=True).stdout.split()
    values = iter([math.nan if "nan" in line else float.fromhex(line) for line in lines])
    return {(d, order): [next(values) for _ in at] for d in sources for order in (0, 1)}


def in_node(folder: Path, sources: dict[Definition, str], at: list[float]) -> dict[tuple[Definition, int], list[float]]:
    """The same for modules, imported by one; parameters have their defaults."""
    code = f"const at = {json.dumps(at)}, out = [];\n"
    for i, (d, source) in enumerate(sources.items()):
        (folder / f"{d.name}.mjs").write_text(source, encoding="utf-8")
        parts = ", ".join(f"{n} as f{i}_{k}" for k, n in enumerate(names(source)))
        code = f"import {{ {parts} }} from './{d.name}.mjs';\n{code}"
        code += "".join(f"out.push(at.map((x) => `${{f{i}_{k}(x)}}`));\n" for k in (0, 1))
    (folder / "main.mjs").write_text(f"{code}process.stdout.write(JSON.stringify(out));\n", encoding="utf-8")
    done = subprocess.run(["node", "main.mjs"], cwd=folder, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    rows = iter([[float(v.replace("Infinity", "inf")) for v in row] for row in json.loads(done.stdout)])
    return {(d, order): next(rows) for d in sources for order in (0, 1)}


LANGUAGES = [
    pytest.param(export.c_source, in_c, marks=needs_gcc, id="c"),
    pytest.param(export.js_source, in_node, marks=needs_node, id="js"),
]


@pytest.mark.parametrize(("write", "run"), LANGUAGES)
def test_every_entry_runs_and_agrees_with_the_oracle(write, run, tmp_path):
    """Within 64 roundings of x, of the value, or of a number near 1 that cancels. Nothing warns, and no two files clash."""
    sources = {d: write(d, measure=False) for d in ENTRIES}
    for (d, order), got in run(tmp_path, sources, POINTS).items():
        f, slope = (Oracle(derivative(d.expression, order + k, d.conventions)) for k in (0, 1))
        for x, y in zip(POINTS, got, strict=True):
            true = f.rounded(x, d.defaults)
            if not math.isfinite(true):
                assert not math.isfinite(y)
                continue
            steep = abs(x * slope.rounded(x, d.defaults))
            scale = max(abs(true), steep if math.isfinite(steep) else 0.0, 1.0)
            assert abs(y - true) <= 64 * 2.0**-52 * scale, (d.name, order, x, y, true)


DEEP = {"elu": 1.0, "celu": 1.0, "selu": 1.6, "sigmoid": 3.0, "tanh": 3.0, "softplus": 2.0, "rbf": 1.6, "relu": 0.0}
"""Entry -> bound in ulps, for f and f'."""


@pytest.mark.parametrize(("write", "run"), LANGUAGES)
def test_the_comment_says_how_accurate_the_code_is(write, run, tmp_path):
    """The bound that it states is at most ours, and holds at the points that it names, for what another process computed."""
    sources = {catalog.find(n): write(catalog.find(n)) for n in DEEP}
    at = export.points()
    for (d, order), got in run(tmp_path, sources, at).items():
        name = names(sources[d])[order]
        line = next(line for line in sources[d].splitlines() if line.startswith(f"//   {name}: "))
        stated = 0.0 if line.endswith("0, exact") else float(line.split("at most ")[1].split()[0])
        assert stated <= DEEP[d.name], line
        oracle = Oracle(derivative(d.expression, order, d.conventions))
        for x, y in zip(at, got, strict=True):
            ball = oracle.ball(x, d.defaults)
            if ball == 0 or abs(float(ball.mid())) >= 2.0**-1022:
                assert ulps(y, ball) <= stated, (name, x)


USER = Definition(
    "mine",
    "where(x > b, x - b, a*erf(x - b))",
    [Parameter("a", 0.5), Parameter("b", -0.25)],
    conventions="right",
    title="Mine \\",
)


@pytest.mark.parametrize(("write", "run"), LANGUAGES)
def test_a_formula_of_ones_own_with_its_convention(write, run, tmp_path):
    at = [-3.0, -0.25, 0.0, 2.0]
    got = run(tmp_path, {USER: write(USER, measure=False)}, at)
    assert got[USER, 0] == pytest.approx([0.5 * math.erf(-2.75), 0.0, 0.25, 2.25], rel=1e-15)
    assert got[USER, 1] == pytest.approx([math.exp(-(2.75**2)) / math.sqrt(math.pi), 1.0, 1.0, 1.0], rel=1e-14)


@needs_gcc
@needs_node
def test_parameters_are_arguments(tmp_path):
    d = catalog.find("elu")
    (tmp_path / "elu.h").write_text(export.c_source(d, measure=False))
    call = 'printf("%.17g %.17g", elu(-1.0, 0.5), elu_derivative(-1.0, 0.5));'
    (tmp_path / "main.c").write_text(f'#include <stdio.h>\n#include "elu.h"\nint main(void) {{ {call} }}\n')
    subprocess.run([*STRICT, "main.c", "-o", "main", "-lm"], cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True, timeout=30)
    wanted = [0.5 * math.expm1(-1), 0.5 * math.exp(-1)]
    assert [*map(float, done.stdout.split())] == pytest.approx(wanted, rel=1e-15)
    (tmp_path / "elu.mjs").write_text(export.js_source(d, measure=False))
    script = "import { elu, elu_derivative } from './elu.mjs'; console.log(elu(-1, 0.5), elu_derivative(-1, 0.5));"
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
    assert [*map(float, done.stdout.split())] == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize(("write", "tool"), [(export.c_source, "gcc"), (export.js_source, "node")])
def test_without_the_tool_the_comment_claims_nothing(write, tool, monkeypatch):
    monkeypatch.setattr(export.shutil, "which", lambda name: None)
    source = write(catalog.find("elu"))
    assert f"// Accuracy: not measured, as there was no {tool} where this was written." in source
    assert "at most" not in source


def test_the_file_reads_well():
    assert export.c_source(catalog.find("relu"), measure=False) == (
        "// Rectified linear unit, and its derivative by x.\n"
        "// f(x) = max(x, 0)\n"
        "// Fukushima, 1969: Visual feature extraction by a multilayered network of analog threshold elements"
        " (doi:10.1109/TSSC.1969.300225)\n"
        "// Nair, Hinton, 2010: Rectified linear units improve restricted Boltzmann machines (ICML 2010)\n"
        "//\n"
        "// Accuracy: not measured.\n"
        "\n#ifndef ACTFN_RELU_H\n#define ACTFN_RELU_H\n\n#include <math.h>\n\n"
        "#ifndef ACTFN_MAXIMUM\n#define ACTFN_MAXIMUM\n"
        "static inline double actfn_maximum(double a, double b) {\n    return (a > b || a != a) ? a : b;\n}\n#endif\n\n"
        "static inline double relu(double x) {\n    return actfn_maximum(x, 0.0);\n}\n\n"
        "static inline double relu_derivative(double x) {\n    return (x > 0.0 ? 1.0 : (x <= 0.0 ? 0.0 : x));\n}\n\n#endif\n"
    )
    text = export.js_source(catalog.find("elu"), measure=False)
    assert "function elu(x, alpha = 1.0) {" in text
    assert text.endswith("export { elu, elu_derivative };\n")

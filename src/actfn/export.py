"""Source files for other programs: `c_source` and `js_source` give f and f' of a definition as one small file.

The printed code of both, with nothing to link but the C library's or JavaScript's own functions. How accurate it is, its
opening comment says: the code is compiled and run where it is written, and compared with the oracle.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from actfn.definition import Definition
from actfn.formula.derivative import derivative
from actfn.formula.printers.c import CPrinter
from actfn.formula.printers.js import JavaScriptPrinter
from actfn.formula.printers.target import CodePrinter
from actfn.kernels.lower import program
from actfn.reference import Oracle, ulps

C_FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra")
_SECONDS = 60


def c_source(definition: Definition, measure: bool = True) -> str:
    """A C11 header with `double NAME(double x, parameters...)` and `NAME_derivative`; link with -lm.

    With `measure`, and gcc at hand, the comment says how many ulps of float64 both are off at default parameters.
    Raises `UnprintableError` (a `ValueError`) for what C can't write.
    """
    code = _Code(definition, CPrinter())
    guard = f"ACTFN_{code.names[0].upper()}_H"
    helpers = "".join(
        f"#ifndef {name.upper()}\n#define {name.upper()}\n{text}\n#endif\n\n" for name, text in code.helpers().items()
    )
    body = f"#include <math.h>\n\n{helpers}{code.functions()}"
    about = [*_about(definition), "", *_accuracy(definition, code.names, body, _run_c if measure else _unmeasured)]
    return f"{_comment(about)}\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"


def js_source(definition: Definition, measure: bool = True) -> str:
    """An ECMAScript module that exports `NAME(x, parameters...)`, with their defaults, and `NAME_derivative`.

    With `measure`, and node at hand, the comment says how many ulps both are off at default parameters.
    Raises `UnprintableError` (a `ValueError`) for what JavaScript can't write.
    """
    code = _Code(definition, _Module(definition))
    helpers = "".join(f"{text}\n" for text in code.helpers().values())
    body = f"{helpers}{code.functions()}\nexport {{ {', '.join(code.names)} }};\n"
    about = [*_about(definition), "", *_accuracy(definition, code.names, body, _run_js if measure else _unmeasured)]
    return f"{_comment(about)}\n{body}"


class _Module(JavaScriptPrinter):
    """JavaScript whose functions have the parameters' defaults."""

    def __init__(self, definition: Definition):
        super().__init__()
        self.given = {self.identifier(n): v for n, v in definition.defaults.items()}

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        listed = [f"{a} = {self.given[a]!r}" if a in self.given else a for a in arguments]
        return super().definition(name, listed, lines, result, doc)


class _Code:
    """f and f' in one language."""

    def __init__(self, definition: Definition, printer: CodePrinter):
        self.printer = printer
        self.programs = [program(definition, order) for order in (0, 1)]
        self.given = (definition.name, f"{definition.name}_derivative")
        self.names = tuple(map(printer.identifier, self.given))

    def functions(self) -> str:
        printed = [
            self.printer.function(name, p.arguments, p.assignments, p.result, preamble=False)
            for name, p in zip(self.given, self.programs, strict=True)
        ]
        return "\n".join(printed)

    def helpers(self) -> dict[str, str]:
        """What the functions call that the language lacks: name -> source."""
        needed = self.printer.preamble([e for p in self.programs for e in (*(e for _, e in p.assignments), p.result)])
        return {name: text for name, text in self.printer.helpers.items() if text in needed}


# -- comments


def _about(definition: Definition) -> list[str]:
    lines = [f"{definition.title or definition.name}, and its derivative by x.", f"f(x) = {definition.formula}"]
    lines += [f"{p.name}: {p.domain}, {p.default!r} by default" for p in definition.parameters]
    for s in definition.sources:
        lines.append(f"{s.authors}, {s.year}: {s.title}" + f" ({s.where})" * bool(s.where))
    return [" ".join(line.split()) for line in lines]


def _comment(lines: Sequence[str]) -> str:
    """`//` before each line; a backslash or its trigraph at the end would carry the comment on into C code."""
    return "".join(f"// {line}{' .' * line.endswith((chr(92), '??/'))}".rstrip() + "\n" for line in lines)


class _Run(NamedTuple):
    """Values of f and f', and what computed them; or, without values, why there are none."""

    by: str
    values: list[list[float]] | None = None


def _accuracy(definition: Definition, names: Sequence[str], body: str, run: Callable[..., _Run]) -> list[str]:
    """What the comment says of accuracy: the largest error found, in ulps, of f and of f'."""
    given = definition.defaults
    at = points()
    ran = run(body, names, at, list(given.values()))
    if ran.values is None:
        return [f"Accuracy: {ran.by}."]
    setting = "".join(f", {n} = {v!r}" for n, v in given.items())
    lines = [f"Accuracy, in ulps of float64, run by {ran.by},"]
    lines += [f"at {len(at)} x from {min(at):g} to {max(at):g}{setting}, against ball arithmetic:"]
    for order, (name, got) in enumerate(zip(names, ran.values, strict=True)):
        errors = sorted(_errors(definition, order, at, got))
        if not errors:
            lines.append(f"  {name}: no normal float64 is its value there")
            continue
        most, where = errors[-1]
        usual = errors[len(errors) * 95 // 100][0]
        rest = f", 95 % of them at most {_rounded_up(usual)}" if usual < most / 2 else ""
        lines.append(f"  {name}: at most {_rounded_up(most)} (x = {where!r}){rest}" if most else f"  {name}: 0, exact")
    lines.append("Values below the smallest normal float64 are left out. More where terms cancel, as near a zero.")
    return lines


def points() -> list[float]:
    """Where accuracy is measured: 0, an even grid over [-40, 40], powers of two and what lies between them."""
    grid = [k / 8 for k in range(-320, 321)]
    powers = [m * 2.0**k for k in range(-40, 10) for m in (1.0, 1.3, 1.7)]
    return sorted({*grid, *powers, *(-p for p in powers)})


def _errors(definition: Definition, order: int, at: Sequence[float], got: Sequence[float]) -> list[tuple[float, float]]:
    """(error in ulps, x) wherever the true value is a normal float64 or 0."""
    oracle = _oracle(definition, order)
    found = []
    for x, y in zip(at, got, strict=True):
        ball = oracle.ball(x, definition.defaults)
        size = abs(float(ball.mid()))
        if ball.is_finite() and (ball == 0 or 2.0**-1022 <= size < math.inf):
            found.append((ulps(y, ball), x))
    return found


@lru_cache(maxsize=64)
def _oracle(definition: Definition, order: int) -> Oracle:
    return Oracle(derivative(definition.expression, order, definition.conventions))


def _rounded_up(error: float) -> str:
    return f"{math.ceil(error * 10) / 10:g}" if error < 1000 else f"{error:.1e}"


# -- running


def _unmeasured(*_: Any) -> _Run:
    return _Run("not measured")


def _run_c(body: str, names: Sequence[str], at: Sequence[float], given: Sequence[float]) -> _Run:
    """The functions, compiled by gcc, at each x."""
    gcc = shutil.which("gcc")
    if gcc is None:
        return _Run("not measured, as there was no gcc where this was written")
    numbers = ", ".join(map(float.hex, at))
    rest = "".join(f", {v.hex()}" for v in map(float, given))
    loops = "".join(
        f'    for (int i = 0; i < {len(at)}; i++) printf("%a\\n", {name}(at[i]{rest}));\n' for name in names
    )
    main = (
        f"#include <stdio.h>\nstatic const double at[] = {{{numbers}}};\nint main(void) {{\n{loops}    return 0;\n}}\n"
    )
    with tempfile.TemporaryDirectory(prefix="actfn-") as folder:
        source, binary = Path(folder) / "f.c", Path(folder) / "f"
        source.write_text(body + main, encoding="utf-8")
        done = _done([gcc, *C_FLAGS, str(source), "-o", str(binary), "-lm"])
        done = _done([str(binary)]) if done is not None else None
    if done is None:
        return _Run("not measured, as gcc failed where this was written")
    values = [math.nan if "nan" in line else float.fromhex(line) for line in done.split()]
    version = (_done([gcc, "-dumpfullversion"]) or "").strip()
    return _Run(f"gcc {version} -O2 with its own libm", [values[: len(at)], values[len(at) :]])


def _run_js(body: str, names: Sequence[str], at: Sequence[float], given: Sequence[float]) -> _Run:
    """The functions, run by node, at each x."""
    node = shutil.which("node")
    if node is None:
        return _Run("not measured, as there was no node where this was written")
    rest = "".join(f", {v!r}" for v in map(float, given))
    calls = ", ".join(f"at.map((x) => `${{{name}(x{rest})}}`)" for name in names)
    script = f"{body}const at = {json.dumps(list(at))};\nprocess.stdout.write(JSON.stringify([{calls}]));\n"
    done = _done([node, "--input-type=module", "-"], script)
    if done is None:
        return _Run("not measured, as node failed where this was written")
    values = [[float(v.replace("Infinity", "inf")) for v in row] for row in json.loads(done)]
    version = (_done([node, "--version"]) or "").strip()
    return _Run(f"node {version}", values)


def _done(command: list[str], given: str | None = None) -> str | None:
    """What a command prints; None if it fails."""
    try:
        options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": _SECONDS, "check": True}
        return subprocess.run(command, input=given, **options).stdout
    except (OSError, subprocess.SubprocessError):
        return None

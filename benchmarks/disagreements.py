"""Where do frameworks disagree with the formula? Each entry that torch, JAX or Keras has, by its aliases, against the oracle.

Values and gradients at 10^5 points are screened against float64 code; what stands out is judged by ball arithmetic.
Nothing in the table is written by hand: a kink, a lost tail or a wrong value is found here or isn't there.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from actfn import catalog
from actfn.analysis.attack.sampled import Sampled, worst
from actfn.analysis.moments import gain
from actfn.definition import Definition
from actfn.files import write_text
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps
from benchmarks import machine
from benchmarks.report import RESULTS, limit_threads

JSON = RESULTS / "disagreements.json"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "where-frameworks-disagree.md"
SCHEMA = "actfn/disagreements/1"
POINTS = 100_000
LIMITS = {"float32": 10.0, "float64": 10.0, "bfloat16": 4.0}
"""Ulps beyond which a value counts as wrong: more than what is usual for their elementary functions."""
GAINS: dict[Any, str] = {
    **{name: name for name in ("sigmoid", "tanh", "relu", "leaky_relu", "selu")},
    "linear": "identity",
}
_FORMATS = {"float32": (24, -126, 128), "float64": (53, -1022, 1024), "bfloat16": (8, -126, 128)}

KINKS = ("f' at a kink", "f'' at a kink")
LOST = ("value 0", "gradient 0")
INFINITE = ("value not finite", "gradient not finite")
WRONG = ("value", "gradient")

Calls = Callable[[np.ndarray, int], np.ndarray]
"""f (0), f' (1) or f'' (2) of theirs, as float64, at float64 numbers that are numbers of the dtype."""


@dataclass(frozen=True)
class Row:
    """One disagreement: at `at`, the worst place, and for x from `low` to `high`."""

    entry: str
    framework: str
    dtype: str
    what: str
    at: float | None
    low: float | None
    high: float | None
    theirs: str
    truth: str
    ulps: float | None = None


# -- one function -------------------------------------------------------------------------------------------------------


def compared(entry: Definition, framework: str, dtype: str, theirs: Calls, seed: int = 0) -> Iterator[Row]:
    """Where theirs isn't the entry."""
    sampled = _sampled(entry, seed)
    x = numbers(sampled.points, dtype)
    kinks = np.intersect1d(x, list(sampled.exact_breakpoints))
    for order in (0, 1):
        found = _screened(sampled, x[~np.isin(x, kinks)] if order else x, dtype, order, theirs)
        yield from _judged(found, partial(Row, entry.name, framework, dtype), sampled.oracle(order), dtype, order)
    for order in (1, 2):
        if len(kinks):
            yield from _at_kinks(
                entry, sampled, kinks, dtype, order, theirs, partial(Row, entry.name, framework, dtype)
            )


_KEPT: dict[str, Sampled] = {}


def _sampled(entry: Definition, seed: int) -> Sampled:
    if entry.name not in _KEPT:
        _KEPT.clear()
        _KEPT[entry.name] = Sampled(entry, entry.defaults, (), POINTS, seed)
    return _KEPT[entry.name]


def numbers(points: np.ndarray, dtype: str) -> np.ndarray:
    """The normal numbers of a dtype nearest to some points, and 0; every number of bfloat16 below 1e5."""
    if dtype == "bfloat16":
        singles = (np.arange(1 << 16, dtype=np.uint32) << 16).view(np.float32)
        points = singles[np.abs(singles) < 1e5].astype(np.float64)
    else:
        points = points.astype(dtype).astype(np.float64)
    low = 2.0 ** _FORMATS[dtype][1]
    return np.unique(points[(points == 0) | (np.abs(points) >= low)])


@dataclass(frozen=True)
class _Found:
    x: np.ndarray
    theirs: np.ndarray
    truth: np.ndarray
    off: np.ndarray
    """In ulps, as far as float64 tells."""


def _screened(sampled: Sampled, x: np.ndarray, dtype: str, order: int, theirs: Calls) -> _Found:
    """Both values at the points where the true one is a normal number of the dtype, or 0."""
    bits, low, high = _FORMATS[dtype]
    got, truth = theirs(x, order), sampled.code(sampled.definition, order)(x)
    size = np.abs(truth)
    fits = (size < 2.0 ** (high - 1)) & ((size >= 2.0**low) | (truth == 0))
    x, got, truth = x[fits], got[fits], truth[fits]
    ulp = np.exp2(np.maximum(np.frexp(truth)[1] - 1, low) - (bits - 1.0))
    with np.errstate(all="ignore"):
        return _Found(x, got, truth, np.abs(got - truth) / ulp)


def _judged(found: _Found, row: Callable[..., Row], oracle: Oracle, dtype: str, order: int) -> Iterator[Row]:
    infinite = ~np.isfinite(found.theirs)
    lost = (found.theirs == 0) & (found.truth != 0) & (found.off > LIMITS[dtype])
    for what, where in ((INFINITE[order], infinite), (LOST[order], lost)):
        for side in (found.x < 0, found.x >= 0):
            chosen = np.flatnonzero(where & side)
            if len(chosen):  # the largest that is lost
                i = chosen[np.argmax(np.abs(found.truth[chosen]))]
                true = float(oracle.ball(float(found.x[i])).mid())
                if math.isfinite(true) and abs(true) >= 2.0 ** _FORMATS[dtype][1]:
                    span = found.x[chosen]
                    yield row(what, *_place(float(found.x[i]), span), *told(float(found.theirs[i]), true))
    off = np.where(infinite | lost, 0, found.off)
    far = [(_ulps(found, i, oracle, dtype), i) for i in worst(np.where(off > LIMITS[dtype] / 2, off, 0))]
    most, i = max(far, default=(0.0, 0))
    if most > LIMITS[dtype]:
        span = found.x[off > LIMITS[dtype]]
        true = float(oracle.ball(float(found.x[i])).mid())
        place = _place(found.x[i], span if len(span) else found.x[i : i + 1])
        yield row(WRONG[order], *place, *told(found.theirs[i], true), float(f"{most:.3g}") if true else None)


def _ulps(found: _Found, i: int, oracle: Oracle, dtype: str) -> float:
    """From the oracle; 0 where the true value is 0 and theirs is subnormal."""
    off = ulps(float(found.theirs[i]), oracle.ball(float(found.x[i])), dtype)
    return off if found.truth[i] or abs(found.theirs[i]) >= 2.0 ** _FORMATS[dtype][1] else 0.0


def _place(at: float, span: np.ndarray) -> tuple[float, float, float]:
    return float(at), float(span.min()), float(span.max())


def _at_kinks(
    entry: Definition,
    sampled: Sampled,
    kinks: np.ndarray,
    dtype: str,
    order: int,
    theirs: Calls,
    row: Callable[..., Row],
) -> Iterator[Row]:
    sides = [Oracle(derivative(sampled.expression, order, side)) for side in ("left", "right")]
    try:
        values = theirs(kinks, order).tolist()
    except (NotImplementedError, RuntimeError):
        yield row(KINKS[order - 1], *_place(kinks[0], kinks), "not implemented", "")
        return
    for x, got in zip(kinks.tolist(), values, strict=True):
        ours, left, right = (o.rounded(x, None, dtype) for o in (sampled.oracle(order), *sides))
        if not (math.isclose(got, ours, rel_tol=2.0 ** (3 - _FORMATS[dtype][0]), abs_tol=1e-30)):
            which = "the left one" if ours == left else "the right one" if ours == right else number(ours)
            truth = f"{number(left)} from the left, {number(right)} from the right; here {which}"
            yield row(KINKS[order - 1], x, x, x, number(got), truth)


def number(value: float, digits: int = 6) -> str:
    """Few digits, for people."""
    return f"{value:.{digits}g}"


def told(theirs: float, truth: float) -> tuple[str, str]:
    """Both with as many digits as it takes to tell them apart."""
    digits = next((d for d in range(6, 17) if number(theirs, d) != number(truth, d)), 17)
    return number(theirs, digits), number(truth, digits)


# -- frameworks ---------------------------------------------------------------------------------------------------------

_ALIAS = re.compile(r"([\w.]+)\.(\w+)(\(.*\))?")


def resolved(alias: str, entry: Definition) -> Callable[[Any], Any]:
    """The function of an alias, such as `jax.nn.gelu(approximate=False)`; a layer class of torch at the entry's defaults."""
    match = _ALIAS.fullmatch(alias)
    if match is None:
        raise ValueError(f"{entry.name}: the alias {alias!r} isn't a dotted name, with or without arguments")
    given: dict[str, Any] = {}
    if match[3]:
        call = ast.parse(f"f{match[3]}", mode="eval").body
        assert isinstance(call, ast.Call)
        given = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    found = getattr(importlib.import_module(match[1]), match[2])
    if not isinstance(found, type):
        return partial(found, **given) if given else found
    try:
        layer = found(**given)
    except TypeError:  # torch.nn.Threshold has no defaults
        layer = found(*entry.defaults.values())
    return layer.eval()  # RReLU at its mean slope


def with_torch(function: Callable[[Any], Any], dtype: str) -> Calls:
    """Eager torch, with autograd."""
    import torch

    kind = getattr(torch, dtype)
    if isinstance(function, torch.nn.Module):
        function = function.to(kind)

    def call(x: np.ndarray, order: int) -> np.ndarray:
        t = torch.tensor(x, dtype=kind, requires_grad=order > 0)
        y = function(t)
        for k in range(order):
            if not y.requires_grad:
                y = torch.zeros_like(t)  # a constant
                break
            (y,) = torch.autograd.grad(y.sum(), t, create_graph=k + 1 < order)
        return y.detach().double().numpy(force=True)  # a gradient of zeros has no memory of its own

    return call


def with_jax(function: Callable[[Any], Any], dtype: str) -> Calls:
    """JAX, compiled."""
    import jax
    import jax.numpy as jnp

    def derived(order: int) -> Callable[[Any], Any]:
        if order == 0:
            return function
        lower = derived(order - 1)
        return lambda x: jax.vjp(lower, x)[1](jnp.ones_like(x))[0]

    compiled = [jax.jit(derived(order)) for order in range(3)]

    def call(x: np.ndarray, order: int) -> np.ndarray:
        return np.asarray(compiled[order](jnp.asarray(x, dtype=dtype))).astype(np.float64)

    return call


@dataclass(frozen=True)
class Framework:
    """A framework under test: its name in the aliases, and how its functions are called."""

    name: str
    label: str
    calls: Callable[[Callable[[Any], Any], str], Calls]
    dtypes: tuple[str, ...]


def frameworks() -> tuple[list[Framework], dict[str, str]]:
    """Those that are installed, and why others aren't there."""
    found, missing = [], {}
    os.environ.setdefault("KERAS_BACKEND", "jax" if importlib.util.find_spec("jax") else "torch")
    for name in ("torch", "jax", "keras", "timm"):
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            missing[name] = str(error)
            continue
        calls, backend, dtypes = with_jax if name == "jax" else with_torch, "", ("float32",)
        if name == "keras":
            backend = module.config.backend()
            if backend not in ("jax", "torch"):
                missing[name] = f"runs on {backend}; set KERAS_BACKEND=jax or torch"
                continue
            calls, backend = (with_jax if backend == "jax" else with_torch), f" on {backend}"
        if name == "torch":
            dtypes = ("float32", "float64", "bfloat16")
        found.append(Framework(name, f"{name} {module.__version__}{backend}", calls, dtypes))
    return found, missing


# -- everything ---------------------------------------------------------------------------------------------------------


def measured(entries: Sequence[Definition], console: Console) -> dict[str, Any]:
    """Every row, the versions, and what could not be compared, with the reason."""
    installed, skipped = frameworks()
    rows: list[Row] = []
    compared_: dict[str, int] = {}
    for entry in entries:
        for framework in installed:
            alias = entry.aliases.get(framework.name)
            if alias is None:
                continue
            try:
                function = resolved(alias, entry)
                for dtype in framework.dtypes:
                    rows += compared(entry, framework.label, dtype, framework.calls(function, dtype))
            except (AttributeError, ImportError, NotImplementedError, RuntimeError) as reason:
                skipped[alias] = f"{type(reason).__name__}: {' '.join(str(reason).split())[:120]}"
                console.print(f"skipped: {alias}: {skipped[alias]}", style="yellow", markup=False)
                continue
            compared_[framework.label] = compared_.get(framework.label, 0) + 1
        console.print(f"{entry.name}: {sum(row.entry == entry.name for row in rows)}", highlight=False)
    if any(framework.name == "torch" for framework in installed):
        rows += gains(next(framework.label for framework in installed if framework.name == "torch"))
    return {
        "schema": SCHEMA,
        "machine": machine.facts(),
        "limits": LIMITS,
        "compared": compared_,
        "skipped": skipped,
        "rows": [asdict(row) for row in rows],
    }


def gains(label: str) -> Iterator[Row]:
    """torch's recommended gains against 1/sqrt(E[f^2]) for a standard normal x."""
    import torch

    for theirs, name in GAINS.items():
        got, claim = torch.nn.init.calculate_gain(theirs), gain(catalog.find(name))
        if not math.isclose(got, claim.value, rel_tol=1e-12):
            yield Row(name, label, "", "gain", None, None, None, number(got), f"{claim.value:.10g}")


# -- as a page ----------------------------------------------------------------------------------------------------------

_SECTIONS = (
    ("The derivative at a kink", KINKS, "Conventions, each of them. An entry states its own, and takes torch's f' where it can."),
    ("Zero where there is a number", LOST, "Theirs is exactly 0, and the true value a normal number of the dtype."),
    ("NaN or infinite", INFINITE, "The true value is a number that the dtype has."),
    ("Wrong digits", WRONG, "The largest error that was found, in ulps of the dtype; x runs over where it is beyond the limit."),
    ("Gains", ("gain",), "`torch.nn.init.calculate_gain` against 1/sqrt(E[f(z)^2]), z standard normal, a certified ball."),
)  # fmt: skip


def markdown(data: dict[str, Any]) -> str:
    """The page, from the JSON alone."""
    limits = ", ".join(f"{limit:g} ulps in {dtype}" for dtype, limit in data["limits"].items())
    counted = ", ".join(f"{count} functions of {label}" for label, count in data["compared"].items())
    rows = [Row(**row) for row in data["rows"]]
    parts = [
        "# Where frameworks disagree",
        "Values and gradients that frameworks compute, against the formula's own: at 100,000 points, more of them beside "
        "breakpoints, in the tails and near 0 (all numbers of bfloat16 below 1e5), judged by ball arithmetic. Written by "
        "`python -m benchmarks.disagreements --write`.",
        f"Compared: {counted}, on a {data['machine']['cpu']}. A value is wrong here beyond {limits}.",
        *(f"Not compared: {name} ({reason})." for name, reason in data["skipped"].items()),
    ]
    for title, kinds, about in _SECTIONS:
        chosen = _merged([row for row in rows if row.what in kinds])
        if chosen:
            parts += [f"## {title}", about, "\n".join(_table(chosen))]
    return "\n\n".join(parts) + "\n"


def _merged(rows: list[Row]) -> list[Row]:
    """Rows that say the same of several dtypes, and then of several frameworks, as one."""
    for what in ("dtype", "framework"):
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(json.dumps({**asdict(row), what: ""}), []).append(row)
        rows = [Row(**{**asdict(g[0]), what: ", ".join(getattr(row, what) for row in g)}) for g in groups.values()]
    return sorted(rows, key=lambda row: (row.entry, row.what, row.framework, row.dtype, row.at or 0))


def _table(rows: list[Row]) -> Iterator[str]:
    off = any(row.ulps is not None for row in rows)
    placed = any(row.at is not None for row in rows)
    heads = [
        "entry",
        "framework",
        *(["dtype", "what", "x"] if placed else []),
        "theirs",
        "the truth",
        *(["ulps"] if off else []),
    ]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        where = [row.dtype, row.what, _where(row)] if placed else []
        more = [f"{row.ulps:,.6g}"] if row.ulps is not None else []
        yield "| " + " | ".join([row.entry, row.framework, *where, row.theirs, row.truth, *more]) + " |"


def _where(row: Row) -> str:
    if row.at is None or row.low is None or row.high is None:
        return ""
    shortest = np.float64 if row.dtype == "float64" else np.float32
    return str(shortest(row.at)) + (f" ({number(row.low)} to {number(row.high)})" if row.low < row.high else "")


def main() -> None:
    """Compares, prints the rows and, with --write, keeps them as JSON and as a page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disagreements", description=__doc__)
    parser.add_argument("entries", nargs="*", help="names of entries; all without")
    parser.add_argument("--write", action="store_true", help=f"write {JSON.name} and {PAGE.name}")
    given = parser.parse_args()
    if given.write and given.entries:
        parser.error("--write keeps the rows of all entries; leave out their names")
    limit_threads(1)
    console = Console()
    data = measured([catalog.find(n) for n in given.entries] or list(catalog.entries().values()), console)
    page = markdown(data)
    if given.write:
        head = json.dumps({**data, "rows": []}, indent=1, ensure_ascii=False)[:-3]
        rows = ",\n".join(json.dumps(row, allow_nan=False, ensure_ascii=False) for row in data["rows"])
        write_text(JSON, f"{head}\n{rows}\n]}}\n")
        write_text(PAGE, page)
    else:
        console.print(page, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()

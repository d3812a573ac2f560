"""Several activations side by side: a table of what is proven of each, and a figure of their curves.

Leans on `analysis.proofs` for claims and on the oracle for curves, as a card does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actfn.analysis.claims import Claim
from actfn.analysis.proofs import proven
from actfn.analysis.properties import properties
from actfn.card.data import label, sample
from actfn.card.figure import write_drawn
from actfn.card.wording import HEADINGS, wording
from actfn.definition import Definition

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

MOST = 8
"""So many functions are told apart in one figure."""
_COLOURS = ("#1a5a9e", "#ad3f0c", "#2c7a3f", "#7a3d8f", "#8a6d00", "#00788a", "#a8325e", "#555b66")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))


@dataclass(frozen=True)
class Compared:
    """A definition, the parameters that were given, and its claims."""

    definition: Definition
    given: Mapping[str, float]
    claims: Mapping[str, Claim]

    @property
    def heading(self) -> str:
        """Its name, with the parameters that were given."""
        given = ", ".join(f"{n}={v:g}" for n, v in self.given.items())
        return f"{self.definition.name} {given}".strip()


def compared(definition: Definition, given: Mapping[str, float] | None = None) -> Compared:
    """A definition made ready for a comparison; parameters that aren't given have their defaults."""
    given = dict(given or {})
    return Compared(definition, given, properties(definition, given) if given else proven(definition))


def print_comparison(functions: Sequence[Compared], console: Console) -> None:
    """Prints a table of the claims, one column a function; what isn't proven is marked."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", style="dim", no_wrap=True)
    for function in functions:
        table.add_column(Text(function.heading), overflow="fold")
    digits = 6 if len(functions) < 4 else 4
    for name, heading in HEADINGS.items():
        table.add_row(Text(heading), *(Text(wording(name, f.claims[name], digits)) for f in functions))
    console.print(table)
    if any(f.definition.parameters for f in functions):
        console.print("Where a function has parameters that weren't given, they have their defaults.", style="dim")


def comparison_data(functions: Sequence[Compared]) -> dict[str, Any]:
    """The comparison as JSON: name -> claims."""
    from actfn.analysis.proofs import data_of

    return {f.heading: {name: data_of(claim) for name, claim in f.claims.items()} for f in functions}


def write_comparison(functions: Sequence[Compared], path: Path, low: float = -4.0, high: float = 4.0) -> None:
    """Draws the functions and their derivatives into a .svg, .png or .pdf file, whole or not at all.

    Raises `ValueError` for another suffix, for more than `MOST` functions, or for a range that isn't one.
    """
    write_drawn(path, lambda: figure(functions, low, high))


def figure(functions: Sequence[Compared], low: float, high: float) -> Figure:
    """The figure as a matplotlib object: f on the left, f' on the right. Raises `ValueError` for more than `MOST`."""
    if len(functions) > MOST:
        raise ValueError(f"a figure tells at most {MOST} functions apart; got {len(functions)}")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from actfn.page.chart import window

    made = Figure(figsize=(8.4, 3.6), layout="constrained")
    FigureCanvasAgg(made)
    sampled = [sample(f.definition, f.definition.values(f.given), low, high, 801) for f in functions]
    for axes, key, title in zip(made.subplots(1, 2), ("y", "yp"), ("$f\\,(x)$", "$f\\,'(x)$"), strict=True):
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("$x$")
        axes.spines[["top", "right"]].set_visible(False)
        axes.axhline(0, color="#c9c9c9", linewidth=0.7, zorder=0)
        axes.axvline(0, color="#c9c9c9", linewidth=0.7, zorder=0)
        axes.set_xlim(low, high)
        axes.set_ylim(*window([v for data in sampled for v in data[key] if v == v and abs(v) != float("inf")]))
        for data, colour, dashes in zip(sampled, _COLOURS, _DASHES, strict=False):
            axes.plot(data["x"], _with_gaps(data["x"], data[key]), color=colour, linestyle=dashes, linewidth=1.6)
    names = [label(f.definition) + _given(f.given) for f in functions]
    made.legend(made.axes[0].lines[2:], names, loc="outside lower center", ncols=min(4, len(names)), frameon=False)
    return made


def _given(given: Mapping[str, float]) -> str:
    return f" ({', '.join(f'{name} = {value:g}' for name, value in given.items())})" if given else ""


def _with_gaps(x: Sequence[float], y: Sequence[float]) -> list[float]:
    """The values, with a gap where the curve jumps between neighbouring points."""
    finite = [v for v in y if v == v and abs(v) != float("inf")]
    height = (max(finite) - min(finite)) if finite else 1.0
    found = list(y)
    for i in range(2, len(y) - 1):
        step, around = abs(y[i] - y[i - 1]), max(abs(y[i - 1] - y[i - 2]), abs(y[i + 1] - y[i]))
        if step > 0.02 * height and step > 20 * around:
            found[i] = float("nan")
    return found

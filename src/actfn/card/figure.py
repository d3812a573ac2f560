"""The figure of a card, for a paper: the function and its derivative side by side, as SVG, PDF or PNG.

Leans on matplotlib's object interface, never on pyplot: no display, no global figure. The same data give the same
bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actfn.card.charts import card_charts
from actfn.files import write_bytes
from actfn.page.chart import Chart, dots, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
_COLOURS = {"value": "#1a5a9e", "slope": "#ad3f0c"}  # as on the page in light
_GREY = "#6b6d73"
_LOOK: Any = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 10,
    "axes.unicode_minus": True,
    "svg.fonttype": "path",  # the same on every machine, whatever fonts it has
    "svg.hashsalt": "actfn",
    "path.simplify": False,
}
_NO_DATES: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


def write_figure(data: Mapping[str, Any], path: Path) -> None:
    """Draws the card's figure to a file; see `write_drawn`."""
    write_drawn(path, lambda: figure(data))


def write_drawn(path: Path, draw: Callable[[], Figure]) -> None:
    """Draws a figure in the look of a card's to a file, whole or not at all; the suffix is .svg, .png or .pdf.

    Raises `ValueError` for another suffix, before anything is drawn.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"a figure is written as .svg, .png or .pdf, not {path.name!r}")
    from matplotlib import rc_context

    with rc_context(_LOOK):
        buffer = io.BytesIO()
        draw().savefig(buffer, format=kind, dpi=200, metadata=_NO_DATES[kind])
    write_bytes(path, buffer.getvalue())


def figure(data: Mapping[str, Any]) -> Figure:
    """The figure as a matplotlib object, on a canvas of its own."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(7.2, 3.35), layout="constrained")
    FigureCanvasAgg(made)
    made.get_layout_engine().set(w_pad=0.08, h_pad=0.06, wspace=0.06)  # pyright: ignore[reportOptionalMemberAccess, reportCallIssue]
    made.suptitle(_heading(data), fontsize=11, x=0.5)
    for chart, axes in zip(card_charts(data), made.subplots(1, 2), strict=True):
        _draw(chart, axes)
    return made


def _draw(chart: Chart, axes: Axes) -> None:
    colour = _COLOURS[chart.key]
    axes.set_title(_plain(chart.title), fontsize=11, pad=8)
    axes.set_xlim(*chart.span)
    axes.set_ylim(*chart.view)
    axes.set_xlabel("$x$")
    axes.set_ylabel("$f\\,(x)$" if chart.key == "value" else "$f\\,'(x)$")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GREY)
    axes.tick_params(color=_GREY, labelsize=9)
    axes.axhline(0, color="#c9c9c9", linewidth=0.7, zorder=0)
    axes.axvline(0, color="#c9c9c9", linewidth=0.7, zorder=0)
    low, high = chart.span
    for x, _ in chart.marks:
        if low < x < high:
            axes.axvline(x, color=_GREY, linewidth=0.8, linestyle=(0, (1, 2.5)), zorder=1)
            axes.annotate(
                f"$x = {shown(x)}$",
                (x, 0),
                (4, 4),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                fontsize=8.5,
                color=_GREY,
            )
    x, y = chart.drawn(chart.curves[0])
    axes.plot(x, [float("nan") if v is None else v for v in y], color=colour, linewidth=1.8, solid_capstyle="round")
    for at, value, closed in dots(chart.curves[0].jumps):
        if low <= at <= high:
            axes.plot(
                at,
                value,
                "o",
                markersize=4.8,
                markeredgewidth=1.4,
                markeredgecolor=colour,
                markerfacecolor=colour if closed else "white",
                zorder=3,
            )


# -- the heading -------------------------------------------------------------------------------------------------------


def _heading(data: Mapping[str, Any]) -> str:
    """The formula and the parameters in one line of mathtext; as text where mathtext can't set it."""
    given = ", ".join(f"${p['latex']} = {shown(p['value'])}$" for p in data["parameters"].values())
    for formula in (_one_line(data["formula_latex"]), _plain(f"f(x) = {data['formula']}")):
        heading = f"{formula}    ({given})" if given else formula
        if len(heading) < 240 and _readable(heading):
            return heading
    return given if _readable(given) else _plain(data["label"])


def _one_line(latex: str) -> str:
    """`\\begin{cases}`, which mathtext lacks, as "a if c, b otherwise"."""
    before, begin, rest = latex.partition(r"\begin{cases}")
    body, _, after = rest.partition(r"\end{cases}")
    if not begin:
        return f"$f(x) = {latex}$"
    if before.strip() or after.strip() or r"\begin" in body:
        return ""
    rows = []
    for row in re.split(r"\\\\", body):
        value, _, condition = row.partition("&")
        words = re.sub(r"\\text\{\s*(for|if|otherwise)\s*\}", r"\\mathrm{\1}\\;\\,", condition)
        rows.append(f"${value.strip()}$  ${words.strip()}$" if condition.strip() else f"${value.strip()}$")
    return "$f(x) =$ " + ",   ".join(rows)


def _plain(text: str) -> str:
    """Text that stands as it is: mathtext takes a dollar sign for its own."""
    return text.replace("$", r"\$")


def _readable(text: str) -> bool:
    from matplotlib.mathtext import MathTextParser

    if not text:
        return False
    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return False
    return True

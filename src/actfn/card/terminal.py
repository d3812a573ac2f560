"""A card in the terminal: formula, properties, a chart, what was written where.

Leans on Rich for text and tables and on plotext for the chart. Fits 80 columns; without colour the two curves still
differ by their marks, and a terminal that knows ASCII only gets ASCII.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actfn.card.charts import card_charts
from actfn.page.chart import shown, ticks, window

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH, _HEIGHT = 80, 17
_SHOWN = ("range", "monotone", "convex", "lipschitz", "gain")
"""The claims that a card in the terminal shows beside the smoothness; `actfn prove` shows all."""
_ASCII = str.maketrans("┌┐└┘├┤┬┴┼─│·", "+++++++++-|.")


def print_card(data: Mapping[str, Any], console: Console, written: Sequence[Path]) -> None:
    """Prints the card of this data to a Rich console, and where its files are."""
    from rich.table import Table
    from rich.text import Text

    def line(*parts: str | tuple[str, str]) -> None:
        console.print(
            Text.assemble(
                *((_plain(p, console) if isinstance(p, str) else (_plain(p[0], console), p[1])) for p in parts)
            )
        )

    title = data["title"] if data["title"] != data["label"] else ""
    line((data["label"], "bold"), f"  {title}" if title else "")
    if data["summary"]:
        line((data["summary"], "dim"))
    console.print()
    formulas = Table.grid(padding=(0, 1))
    formulas.add_column(no_wrap=True)
    formulas.add_column(overflow="fold")
    formulas.add_row("f(x)  =", Text(_plain(data["formula"], console), "bold"))
    formulas.add_row("f'(x) =", Text(_plain(data["derivative"]["text"], console)))
    console.print(formulas)
    console.print()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, overflow="crop")
    table.add_column(overflow="fold")
    for heading, text in _properties(data):
        table.add_row(Text(_plain(heading, console)), Text(_plain(text, console)))
    console.print(table)
    console.print()
    print_chart(data, console)
    if data["compared"]:
        console.print()
        _print_comparison(data, console)
    if written:
        console.print()
        for path in written:
            console.print(Text.assemble(("wrote ", "dim"), _plain(str(path), console)), soft_wrap=True)


def print_chart(data: Mapping[str, Any], console: Console) -> None:
    """Prints the curves of f and f' over the same axes."""
    from rich.text import Text

    width = min(console.width, _WIDTH)
    ascii_only = _ascii_only(console)
    marks = ("*", ".") if ascii_only else ("hd", "·")
    keys = ("*", ".") if ascii_only else ("▄", "·")
    drawn = _drawn(data, width, marks, coloured=console.color_system is not None)
    console.print(Text.from_ansi(_plain(drawn, console)), no_wrap=True, overflow="crop")
    low, high = map(_number, data["range"])
    given = "".join(f", {name} = {_number(p['value'])}" for name, p in data["parameters"].items())
    key = Text.assemble(
        (keys[0], "blue"), f" {data['label']}   ", (keys[1], "red"), f" its derivative   x from {low} to {high}{given}"
    )
    console.print(Text(" " * 6) + (Text(_plain(key.plain, console)) if ascii_only else key))


def _drawn(data: Mapping[str, Any], width: int, marks: tuple[str, str], coloured: bool) -> str:
    """The chart as lines of text, with colours as ANSI codes."""
    import plotext

    charts = card_charts(data)
    view = window([v for chart in charts for v in chart.view])
    figure = plotext.figure
    figure.clear()  # plotext has one figure a process; it is left as clean as it was found
    plotext.terminal.limit(False, False)
    figure.theme("colorless")
    figure.plot_size(width, _HEIGHT)
    (x0, x1), (y0, y1) = charts[0].span, view
    for axis, low, high, count in (("x", x0, x1, 6), ("y", y0, y1, 5)):
        places = ticks(low, high, count)
        figure.ruler(axis).lim(low, high)
        figure.ruler(axis).ticks(places, [_number(v) for v in places])
    for chart, mark, colour in reversed(list(zip(charts, marks, ("blue", "red"), strict=True))):
        for run in _runs(*chart.drawn(chart.curves[0]), view):
            marker = plotext.marker(mark, colour) if coloured else mark
            figure.draw(figure.signal(*run, marker=marker).lines())
    text = figure.build().string(colorless=not coloured)
    figure.clear()
    plotext.terminal.limit()
    return text


def _runs(
    x: Sequence[float], y: Sequence[float | None], view: tuple[float, float]
) -> Iterator[tuple[list[float], list[float]]]:
    """The stretches of a curve between its gaps, kept to the view."""
    low, high = view
    xs: list[float] = []
    ys: list[float] = []
    for at, value in zip([*x, x[-1]], [*y, None], strict=True):
        if value is not None and low <= value <= high:
            xs.append(at)
            ys.append(value)
        elif xs:
            yield xs, ys
            xs, ys = [], []


def _properties(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    smooth = data["smoothness"]
    scope = " for every " + ", ".join(data["parameters"]) if data["parameters"] and smooth["order"] is not None else ""
    joint = "if" if len(smooth["conditions"]) > 1 else "if and only if"
    higher = "".join(f"; {c['order_text']} {joint} {c['condition']}" for c in smooth["conditions"])
    yield "smoothness", f"{smooth['order_text']}{scope}{higher}  ({smooth['status']})"
    given = ", ".join(f"{name} = {_number(p['value'])}" for name, p in data["parameters"].items())
    if smooth["conditions"]:
        yield "here", f"{smooth['at_parameters']['order_text']} at {given}"
    for b in smooth["breakpoints"]:
        left, at, right = (_number(b["yp"][side]) for side in ("left", "at", "right"))
        slopes = (
            f"f' = {at}" if left == at == right else f"f' = {left} from the left, {right} from the right, taken as {at}"
        )
        yield f"at x = {_number(b['value'])}", f"f = {_number(b['y']['at'])}, {slopes}"
    for side, sign in (("left", "-inf"), ("right", "inf")):
        tail = {k: "not known" if v is None else _number(v) for k, v in data["tails"][side].items()}
        yield f"as x -> {sign}", f"f -> {tail['y']}, f' -> {tail['yp']}"
    for name in (n for n in _SHOWN if n in data["properties"]):
        claim = data["properties"][name]
        yield claim["heading"], claim["text"]
    for name, p in data["parameters"].items():
        yield name, f"{_number(p['value'])} (default {_number(p['default'])}, {p['domain']})"


def _print_comparison(data: Mapping[str, Any], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in ("", "class", "f'(0-)", "f'(0+)", "f at -inf", "f' at -inf"):
        table.add_column(heading, overflow="fold")
    for row in ({**data, **data["smoothness"]["at_parameters"]}, *data["compared"]):
        slopes, tail = row["origin"]["yp"], row["tails"]["left"]
        cells = map(_number, (slopes["left"], slopes["right"], tail["y"], tail["yp"]))
        table.add_row(*(Text(_plain(text, console)) for text in (row["label"], row["order_text"], *cells)))
    console.print(table)


def _number(value: float | str | None) -> str:
    """A number as it can be pasted: with a hyphen for a minus, and infinity as a word."""
    return shown(value).replace("\N{MINUS SIGN}", "-").replace("\N{INFINITY}", "inf") if value is not None else "none"


def _ascii_only(console: Console) -> bool:
    return console.options.ascii_only


def _plain(text: str, console: Console) -> str:
    """The text as this console can show it."""
    return text.translate(_ASCII).encode("ascii", "replace").decode() if _ascii_only(console) else text

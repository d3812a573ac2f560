"""The two charts of a card, as the page and the figure draw them.

Leans on `page.chart` and on the card's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actfn.page.chart import Chart, Curve, Jump, shown

_DASHES = ("7 4", "2 3", "10 3 2 3")


def card_charts(data: Mapping[str, Any], compare: Sequence[Mapping[str, Any]] = ()) -> tuple[Chart, Chart]:
    """The two charts of a card: the function, titled by its name, and its derivative."""
    marks = [(b["value"], f"x = {shown(b['value'])}") for b in data["smoothness"]["breakpoints"]]

    def chart(key: str, values: str, title: str, y_label: str) -> Chart:
        curves = [Curve(data["label"], data["x"], data[values], key, jumps(data, values))]
        for number, other in enumerate(compare):
            number %= len(_DASHES)
            style, dash = f"other-{number + 1}", _DASHES[number]
            curves.append(Curve(other["label"], other["x"], other[values], style, jumps(other, values), dash))
        return Chart(key, title, "x", y_label, curves, marks)

    return chart("value", "y", data["label"], "f(x)"), chart(
        "slope", "yp", f"Derivative of {data['label']}", "f\N{PRIME}(x)"
    )


def jumps(data: Mapping[str, Any], values: str) -> list[Jump]:
    """The breakpoints of a card as a chart of `values` ("y" or "yp") draws them."""
    found = []
    for b in data["smoothness"]["breakpoints"]:
        left, at, right = (
            v if isinstance(v, float | int) else None for v in (b[values][side] for side in ("left", "at", "right"))
        )
        found.append(Jump(b["value"], left, at, right))
    return found

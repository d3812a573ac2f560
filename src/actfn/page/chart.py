"""Charts as data, with two renderings: inline SVG for a page without script, and a Plotly figure for one with.

Pure Python on lists of numbers; None is a gap. Colours are CSS variables in both, so a chart follows the page's light
or dark theme (`charts.js` resolves them for Plotly). The one rule of drawing: no line crosses a jump or a pole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

Values = Sequence[float | None]

WIDTH, HEIGHT = 480, 330
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 40
_POINTS = 500  # of a curve on a page: more can't be seen at this size


@dataclass(frozen=True)
class Jump:
    """The limits of a curve on both sides of a breakpoint, and the value between them; None is undefined."""

    x: float
    left: float | None
    at: float | None
    right: float | None

    @property
    def broken(self) -> bool:
        """Whether the curve has to be drawn in two pieces here."""
        values = [v for v in (self.left, self.at, self.right) if v is not None]
        return len(values) < 3 or max(values) - min(values) > 1e-9 * max(1.0, *map(abs, values))


@dataclass(frozen=True)
class Curve:
    """One line. `style` names its CSS variable and class: "value", "slope", "other-1", "other-2", ..."""

    label: str
    x: Sequence[float]
    y: Values
    style: str
    jumps: Sequence[Jump] = ()
    dash: str = ""
    """As SVG's stroke-dasharray, such as "6 4"; empty is a solid line."""


@dataclass(frozen=True)
class Chart:
    """Curves over one x axis; the first is the one that it is about.

    `marks` are breakpoints: (x, text). At each jump of the first curve, the limits are open dots and the value a
    closed one.
    """

    key: str
    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    marks: Sequence[tuple[float, str]] = field(default=())

    @property
    def span(self) -> tuple[float, float]:
        """The x axis, from end to end."""
        x = self.curves[0].x
        return x[0], x[-1]

    @property
    def view(self) -> tuple[float, float]:
        """The y axis: what all the curves need, with some air."""
        return window([v for curve in self.curves for v in (*curve.y, *_limits(curve.jumps))])

    def drawn(self, curve: Curve) -> tuple[list[float], list[float | None]]:
        """The points of a curve as a page draws them: thinned, with its jumps put in and its gaps left open."""
        step = max(1, math.ceil(len(curve.x) / _POINTS))
        x, y = list(curve.x[::step]), list(curve.y[::step])
        if x[-1] != curve.x[-1]:
            x.append(curve.x[-1])
            y.append(curve.y[-1])
        return split(x, y, curve.jumps, self.view)

    def svg(self) -> Markup:
        """An `<svg>` element that names itself to screen readers; its classes are in `page.css`."""
        (x0, x1), (y0, y1) = self.span, self.view
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT

        def across(x: float) -> float:
            return LEFT + (x - x0) / (x1 - x0) * (right - LEFT)

        def up(y: float) -> float:
            y = min(max(y, 2 * y0 - y1), 2 * y1 - y0)  # far outside the view, numbers would overflow the renderer
            return bottom - (y - y0) / (y1 - y0) * (bottom - TOP)

        def label(x: float, y: float, text: str, anchor: str, style: str = "tick") -> str:
            return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'

        def upright(x: float, style: str) -> str:
            return f'<path class="{style}" d="M{x:.1f} {TOP}V{bottom}"/>'

        parts: list[str] = []
        for value in ticks(x0, x1, 5):
            parts += [upright(across(value), "grid" if value else "axis")]
            parts += [label(across(value), bottom + 16, shown(value), "middle")]
        for value in ticks(y0, y1, 7):
            parts += [f'<path class="{"grid" if value else "axis"}" d="M{LEFT} {up(value):.1f}H{right}"/>']
            parts += [label(LEFT - 6, up(value) + 4, shown(value), "end")]
        for value, text in self.marks:
            if x0 < value < x1:
                parts += [
                    upright(across(value), "mark"),
                    label(across(value) + 5, bottom - 6, text, "start", "mark-text"),
                ]
        parts += [label((LEFT + right) / 2, HEIGHT - 6, self.x_label, "middle")]
        frame = f"M{LEFT} {TOP}H{right}V{bottom}H{LEFT}Z"
        parts += [f'<clipPath id="clip-{self.key}"><path d="{frame}"/></clipPath><g clip-path="url(#clip-{self.key})">']
        for curve in reversed(self.curves):
            points = [
                None if y is None else f"{across(x):.1f} {up(y):.1f}" for x, y in zip(*self.drawn(curve), strict=True)
            ]
            pairs = zip([None, *points], points, strict=False)
            path = "".join(f"{'L' if before else 'M'}{point}" for before, point in pairs if point)
            dash = f' stroke-dasharray="{curve.dash}"' if curve.dash else ""
            title = f"<title>{escape(curve.label)}</title>"
            parts += [f'<path class="curve {curve.style}" d="{path}"{dash}>{title}</path>']
        for x, y, closed in dots(self.curves[0].jumps):
            if x0 <= x <= x1:
                style = f"dot {'closed' if closed else 'open'} {self.curves[0].style}"
                parts += [f'<circle class="{style}" cx="{across(x):.1f}" cy="{up(y):.1f}" r="4"/>']
        name = f"{self.title}: {self.y_label} for {self.x_label} from {shown(x0)} to {shown(x1)}"
        return Markup(
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name)}">{"".join(parts)}</g></svg>'
        )

    def figure(self) -> dict[str, Any]:
        """A Plotly figure, as JSON. `var(--name)` stands for a colour of the page until `charts.js` resolves it."""
        data: list[dict[str, Any]] = []
        for curve in self.curves:
            x, y = self.drawn(curve)
            width = 2.5 if curve is self.curves[0] else 1.75
            dash = ",".join(f"{length}px" for length in curve.dash.split()) or "solid"
            line = {"color": f"var(--{curve.style})", "width": width, "dash": dash, "simplify": False}
            trace = {"type": "scatter", "mode": "lines", "name": curve.label, "x": x, "y": y, "line": line}
            data.append(trace | {"zorder": -len(data)})  # the first is on top
        axis = {
            "color": "var(--muted)",
            "gridcolor": "var(--grid)",
            "zerolinecolor": "var(--axis)",
            "zerolinewidth": 1,
            "ticklabelstandoff": 5,
        }
        layout = {
            "margin": {"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "inherit", "size": 12, "color": "var(--muted)"},
            "showlegend": False,
            "hovermode": False,
            "xaxis": {**axis, "range": list(self.span), "title": {"text": self.x_label, "standoff": 8}},
            "yaxis": {**axis, "range": list(self.view), "fixedrange": True},
        }
        return {"data": data, "layout": layout}


def dots(jumps: Sequence[Jump]) -> list[tuple[float, float, bool]]:
    """(x, y, closed) of the dots at jumps: closed for the value, open for each limit that differs from it."""
    found = []
    for jump in jumps:
        if jump.broken:
            limits = dict.fromkeys(v for v in (jump.left, jump.right) if v is not None and v != jump.at)
            found += [(jump.x, v, False) for v in limits] + [(jump.x, jump.at, True)] * (jump.at is not None)
    return found


def split(
    x: Sequence[float], y: Values, jumps: Sequence[Jump], view: tuple[float, float]
) -> tuple[list[float], list[float | None]]:
    """The points with each jump's limits put in, and a gap at each jump and at each pole.

    A pole is where the curve leaves the view on one side and comes back from the other between two points.
    """
    low, high = view
    points: list[tuple[float, float | None]] = list(zip(x, y, strict=True))
    inside = [jump for jump in jumps if x[0] <= jump.x <= x[-1]]
    placed = {jump.x for jump in inside}
    points = [p for p in points if p[0] not in placed]
    for jump in inside:
        between = [(jump.x, None)] if jump.broken else []
        points += [(jump.x, jump.left), *between, (jump.x, jump.right)] if between else [(jump.x, jump.at)]
    points.sort(key=lambda p: p[0])
    xs: list[float] = []
    ys: list[float | None] = []
    for at, value in points:
        before = ys[-1] if ys else None
        if (
            before is not None
            and value is not None
            and ((before > high and value < low) or (before < low and value > high))
        ):
            xs.append((xs[-1] + at) / 2)
            ys.append(None)
        xs.append(at)
        ys.append(value)
    return xs, ys


def window(values: Values) -> tuple[float, float]:
    """The y axis for these values: all of them with 6 % of air, or the bulk of them where a few are far out (poles)."""
    known = sorted(v for v in values if v is not None and abs(v) < 1e300)
    if not known:
        return -1.0, 1.0
    low, high = known[0], known[-1]
    bulk_low, bulk_high = known[len(known) // 20], known[-1 - len(known) // 20]
    # A curve that fills a view steadily has 90 % of its values on 90 % of it; a pole has them on next to nothing.
    if high - low > 12 * (bulk_high - bulk_low) > 0:
        low, high = max(low, 2 * bulk_low - bulk_high), min(high, 2 * bulk_high - bulk_low)
    air = 0.06 * (high - low) or 0.5 * max(abs(high), 1.0)
    return low - air, high + air


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from low to high, about `count` of them."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def shown(value: float | str | None) -> str:
    """A number for reading: six significant digits, a true minus sign, a dash where there is none.

    "infinity" and "-infinity", as JSON has to spell them, come as signs.
    """
    if value is None:
        return "\N{EN DASH}"
    text = value.replace("infinity", "\N{INFINITY}") if isinstance(value, str) else f"{value:.6g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _limits(jumps: Sequence[Jump]) -> list[float | None]:
    return [v for jump in jumps for v in (jump.left, jump.at, jump.right)]

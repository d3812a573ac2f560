"""A plain table of text, 80 columns wide, for reports on models."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 80


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int = WIDTH) -> str:
    """The rows under their heads. What doesn't fit is cut, the widest column first, and ends in three dots."""
    cells = [[" ".join(str(cell).split()) for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    lines = ["  ".join(_fit(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(lines)


def _fit(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 3] + "..."

"""One activation shown: its data, its figure, its page, its lines in a terminal.

Everything shown is read from the data (`card.data`), which is the JSON file too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actfn.analysis.smoothness import Smoothness
    from actfn.definition import Definition

_COMPARED_POINTS = 1000


def write_card(
    definition: Definition,
    parameters: Mapping[str, float],
    out: Path,
    low: float = -2.0,
    high: float = 2.0,
    points: int = 1000,
    *,
    single_file: bool = False,
    compare: Sequence[Definition] | None = None,
    smoothness: Smoothness | None = None,
) -> tuple[dict[str, Any], list[Path]]:
    """Writes NAME.json, NAME.svg, NAME.png and NAME.html into a folder; returns the data and the paths in this order.

    Plotly's script is written beside the page unless it is there, or into it with `single_file`. `compare` are the
    functions drawn behind on the page, ReLU and Leaky ReLU unless given. Each file is whole or absent. Raises
    `OSError`, before anything is computed, for a folder that can't be written, and `ValueError` as
    `card.data.card_data` does.
    """
    from actfn import catalog
    from actfn.card.data import COMPARED, card_data, evenly_spaced
    from actfn.card.figure import write_figure
    from actfn.card.page import card_page
    from actfn.files import write_json, write_text
    from actfn.page.layout import write_plotly

    definition.values(parameters)
    evenly_spaced(low, high, points)
    _writable(out)
    data = card_data(definition, parameters, low, high, points, smoothness=smoothness)
    if compare is None:
        compare = [catalog.find(name) for name in COMPARED if name != definition.name]
    behind = [card_data(other, {}, low, high, min(points, _COMPARED_POINTS)) for other in compare]
    page = card_page(data, behind, single_file=single_file)
    paths = [out / f"{definition.name}.{kind}" for kind in ("json", "svg", "png", "html")]
    write_json(paths[0], data)
    write_figure(data, paths[1])
    write_figure(data, paths[2])
    if not single_file:
        write_plotly(out)
    write_text(paths[3], page)
    return data, paths


def _writable(folder: Path) -> None:
    """Raises `OSError` for a folder that can't be made or written into."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

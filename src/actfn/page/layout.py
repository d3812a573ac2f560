"""Pages from templates: the frame that every page stands in, its styles and scripts, and Plotly's script beside it.

Leans on Jinja2 with escaping always on. A page opens from disk and asks nothing of a network: styles and our own
scripts are put into it, Plotly's 5 MB stand beside it in `plotly.min.js` unless a single file is asked for.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from actfn.files import write_text
from actfn.page.formula import mathml

PLOTLY = "plotly.min.js"

_HERE = Path(__file__).parent
_SCRIPT_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(folder: Path, template: str, /, **values: Any) -> str:
    """The text of a page from a template in `folder` (a room's own), which may extend `layout.html`.

    `single_file=True` among the values puts Plotly's script into the page. A name that a template uses and nobody
    gave is an error.
    """
    return _environment(folder).get_template(template).render(single_file=values.pop("single_file", False), **values)


def script_json(data: Any) -> Markup:
    """Strict JSON that is safe inside a `<script>` element, whatever text it holds."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return Markup("".join(_SCRIPT_UNSAFE.get(character, character) for character in text))


def script_code(code: str) -> Markup:
    """Printed JavaScript for a `<script>` element. Raises `ValueError` for what could end the element."""
    if "</" in code or "<!--" in code:
        raise ValueError("this JavaScript can't stand in a page: it contains '</' or '<!--'")
    return Markup(code)


def static(name: str) -> Markup:
    """One of the page's own style sheets or scripts."""
    return Markup((_HERE / "static" / name).read_text(encoding="utf-8"))


def write_plotly(folder: Path) -> None:
    """Plotly's script beside the pages of a folder, unless it stands there already."""
    script = plotly_script()
    place = folder / PLOTLY
    if not place.is_file() or place.stat().st_size != len(script.encode()):
        write_text(place, script)


@cache
def plotly_script() -> Markup:
    """Plotly's script, as the installed package has it, safe inside a `<script>` element."""
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs().replace("</script", "<\\/script").replace("<!--", "\\x3C!--"))


@cache
def _environment(folder: Path) -> Environment:
    loader = FileSystemLoader([folder, _HERE / "templates"])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(static=static, plotly_script=plotly_script, plotly_file=PLOTLY)
    environment.filters.update(mathml=mathml, script_json=script_json, script_code=script_code)
    return environment

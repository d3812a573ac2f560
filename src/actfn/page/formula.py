"""Formulas as MathML, made when the page is built: no script and no network is needed to read them.

Leans on latex2mathml. What it can't read is shown as the LaTeX text itself, never left out.
"""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree

from markupsafe import Markup

_PRIME = re.compile(r"<msup><mi>f</mi><mi>([\u2032-\u2034])</mi></msup>")
_NAME = re.compile(r"<mo>([a-z]{2,}\d?)</mo>")


def mathml(latex: str, display: str = "block") -> Markup:
    """A `<math>` element for LaTeX; `display` is "block" or "inline"."""
    from latex2mathml.converter import convert_to_element

    try:
        root = convert_to_element(latex, display=display)
    except Exception:  # the converter has no exception class of its own; a formula it can't set is still shown
        return Markup("<code>{}</code>").format(latex)
    # The converter holds signs as entities and undoes the escaping of everything to write them, of `\text{<b>}` too.
    for element in root.iter():
        element.text = unescape(element.text).replace(r"\_", "_") if element.text else element.text
    text = ElementTree.tostring(root, encoding="unicode")
    # A prime is raised by its glyph already; as an exponent it would be raised twice.
    text = _PRIME.sub(r'<mi>f</mi><mo lspace="0" rspace="0">\1</mo>', text)
    # A function's name as <mi> stands upright, closed up to its argument; as <mo> it gets the space of an operator.
    return Markup(_NAME.sub(r"<mi>\1</mi>", text))

"""Formulas as MathML, made when the page is built: no script and no network is needed to read them.

Leans on latex2mathml. What it can't read is shown as the LaTeX text itself, never left out.
"""

from __future__ import annotations

import re

from markupsafe import Markup


def mathml(latex: str, display: str = "block") -> Markup:
    """A `<math>` element for LaTeX; `display` is "block" or "inline"."""
    from latex2mathml.converter import convert

    try:
        element = convert(latex, display=display)
    except Exception:  # the converter has no exception class of its own; a formula it can't set is still shown
        return Markup("<code>{}</code>").format(latex)
    # A prime is raised by its glyph already; as an exponent it would be raised twice.
    element = re.sub(
        r"<msup><mi>f</mi><mi>(&#x0203[2-4];)</mi></msup>", r'<mi>f</mi><mo lspace="0" rspace="0">\1</mo>', element
    )
    # A function's name as <mi> stands upright, closed up to its argument; as <mo> it gets the space of an operator.
    return Markup(re.sub(r"<mo>([a-z]{2,}\d?)</mo>", r"<mi>\1</mi>", element))

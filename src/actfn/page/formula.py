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
    # A function's name as <mi> stands upright, closed up to its argument; as <mo> it gets the space of an operator.
    return Markup(re.sub(r"<mo>([a-z]{2,}\d?)</mo>", r"<mi>\1</mi>", element))

"""The page of a card: HTML that shows everything in the card's data, and explores it where script runs.

Leans on the shared parts in `page` and on the data alone: the functions that the sliders move are the JavaScript in the
data, printed from the formula. Without script the page still holds the charts, the formula and the proof.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from actfn.card.charts import card_charts
from actfn.catalog import class_name
from actfn.definition import Parameter
from actfn.page.chart import Chart, shown
from actfn.page.formula import mathml
from actfn.page.layout import render

_TEMPLATES = Path(__file__).parent / "templates"
_SAMPLES = 1200  # of each curve that the page's script draws, over three widths of the view
_SUPERSCRIPTS = {"infinity": "∞"}
_GREEK = {
    name: unicodedata.lookup(f"GREEK SMALL LETTER {name}")
    for name in ("alpha", "beta", "gamma", "delta", "epsilon", "theta", "kappa", "lamda", "mu", "sigma", "tau", "omega")
}


def card_page(data: Mapping[str, Any], compare: Sequence[Mapping[str, Any]] = (), single_file: bool = False) -> str:
    """The HTML of a card from its data; `compare` are the data of functions drawn behind it.

    With `single_file` Plotly's script is inside, else the page loads `plotly.min.js` from beside it.
    """
    charts = card_charts(data, compare)
    live = data["javascript"] is not None and all(other["javascript"] is not None for other in compare)
    parameters = data["parameters"]
    values = Markup(", ").join(
        Markup("{} = {}").format(
            mathml(p["latex"], "inline"), Markup('<span data-parameter="{}">{}</span>').format(name, shown(p["value"]))
        )
        for name, p in parameters.items()
    )
    symbols = Markup(", ").join(mathml(p["latex"], "inline") for p in parameters.values())
    return render(
        _TEMPLATES,
        "card.html",
        card=data,
        version=data["version"],
        live=live,
        charts=charts,
        compare=compare,
        rows=[data, *compare],
        curves=charts[0].curves,
        values=values,
        symbols=symbols,
        defaults=Markup(", ").join(
            Markup("{} = {}").format(mathml(p["latex"], "inline"), shown(p["default"])) for p in parameters.values()
        ),
        dials=[_labelled(name, p) for name, p in parameters.items()] if live else [],
        config=_config(data, charts) if live else {},
        scripts=[_script(d) for d in (data, *compare)] if live else [],
        proof=[_well_set(line) for line in data["smoothness"]["certificate"]],
        convention=_convention(data["conventions"]),
        code=_code(data),
        bibtex=[bibtex(data["name"], source) for source in data["sources"]],
        bibtex_actfn=bibtex_actfn(data["version"]),
        single_file=single_file,
        shown=shown,
        classy=classy,
        prime=_prime,
    )


# -- words and numbers -------------------------------------------------------------------------------------------------


def classy(text: str) -> Markup:
    """C^1 as C with a raised 1."""
    if not text.startswith("C^"):
        return escape(text)
    return Markup("<i>C</i><sup>{}</sup>").format(_SUPERSCRIPTS.get(text[2:], text[2:]))


def _prime(order: int) -> str:
    """f, f', f'' ... in LaTeX."""
    return "f" + "'" * order if order < 4 else f"f^{{({order})}}"


def _well_set(line: str) -> Markup:
    """A line of a certificate with its classes and primes as they are printed in books."""
    text = str(escape(line)).replace("&#39;", "'")
    text = re.sub(r"\bC\^(\w+)", lambda m: classy(m[0]), text)
    text = re.sub(r"\bf('+)", lambda m: '<i class="f">f</i>' + "\N{PRIME}" * len(m[1]), text)
    text = re.sub(r"\bf(?= has\b)", "<i>f</i>", text)
    text = re.sub(rf"\b({'|'.join(_GREEK)})\b", lambda m: f"<i>{_GREEK[m[1]]}</i>", text)
    return Markup(re.sub(r"(?<![\w(])-(?=[\w ])|(?<= )-(?= )|(?<=\()-", "\N{MINUS SIGN}", text))


def _convention(conventions: Any) -> str:
    if isinstance(conventions, Mapping):
        return "; ".join(f"at x = {place}: {_convention(rule)}" for place, rule in conventions.items())
    sides = {
        "left": "the derivative from the left",
        "right": "the derivative from the right",
        "mean": "the mean of both sides",
    }
    return f"f\N{PRIME} is {sides.get(conventions) or shown(float(conventions))}"


def _code(data: Mapping[str, Any]) -> dict[str, str]:
    """How to get this function: text to paste."""
    name = data["name"]
    given = "".join(f", {n}={p['value']!r}" for n, p in data["parameters"].items())
    options = "".join(f" --set {n}={p['value']!r}" for n, p in data["parameters"].items() if p["value"] != p["default"])
    if not data["in_catalog"]:
        return {
            "NumPy": f"import actfn\n\n{name} = actfn.define({data['formula']!r}{given})\n{name}(x)",
            "PyTorch": f"from actfn.torch import module\n\nlayer = module({data['formula']!r}{given})",
        }
    module = class_name(name, data["aliases"])
    return {
        "NumPy": f'import actfn\n\n{name} = actfn.get("{name}")\n{name}(x{given})',
        "PyTorch": f"from actfn.torch import {module}\n\nlayer = {module}({given[2:]})",
        "Terminal": f"actfn card {name}{options}",
    }


def bibtex(name: str, source: Mapping[str, Any]) -> str:
    """A BibTeX entry for a source of a function."""
    kind, _, identifier = source["where"].partition(":")
    fields = {
        "author": " and ".join(source["authors"].split(", ")),
        "title": source["title"],
        "year": str(source["year"]),
    }
    if kind.casefold() == "arxiv":
        fields |= {"eprint": identifier.strip(), "archivePrefix": "arXiv"}
    elif kind.casefold() == "doi":
        fields |= {"doi": identifier.strip()}
    elif source["where"]:
        fields |= {"howpublished": source["where"]}
    first = re.sub(r"\W", "", fields["author"].split(" and ")[0]).lower()
    return _entry("misc", f"{first}{source['year']}{name}", fields)


def bibtex_actfn(version: str) -> str:
    """A BibTeX entry for this library."""
    title = "actfn: activation functions from their formulas, derived, proven and measured"
    return _entry("software", "actfn", {"author": "{actfn contributors}", "title": title, "version": version})


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    def field(name: str, value: str) -> str:
        text = re.sub(r"(?<!\\)([&%#_$])", r"\\\1", value) if name in ("title", "author", "howpublished") else value
        return f"  {name} = {{{{{text}}}}}" if name == "title" else f"  {name} = {{{text}}}"

    return f"@{kind}{{{key},\n" + ",\n".join(field(*item) for item in fields.items()) + "\n}"


# -- what the page's script gets ---------------------------------------------------------------------------------------


def _config(data: Mapping[str, Any], charts: Sequence[Chart]) -> dict[str, Any]:
    low, high = data["range"]
    return {
        "name": data["name"],
        "parameters": [_bounds(name, p) | _dial(name, p) for name, p in data["parameters"].items()],
        "range": [low, high],
        "probe": _probe(low, high),
        "classText": data["smoothness"]["order_text"],
        "figures": {chart.key: _without_points(chart.figure()) for chart in charts},
        "samples": _SAMPLES,
    }


def _without_points(figure: dict[str, Any]) -> dict[str, Any]:
    """The figure's looks; its points are the script's to compute."""
    return figure | {"data": [{**trace, "x": [], "y": []} for trace in figure["data"]]}


def _script(data: Mapping[str, Any]) -> dict[str, Any]:
    return data["javascript"] | {"values": [p["value"] for p in data["parameters"].values()]}


def _probe(low: float, high: float) -> float:
    """Where the probe stands at first: a round number in the left part, where activations bend."""
    x = low + 0.375 * (high - low)
    digits = 1 - math.floor(math.log10(high - low))
    return min(max(round(x, digits), low), high)


def _bounds(name: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    low, high, closed_low, closed_high = Parameter(name, parameter["default"], parameter["domain"]).bounds
    return {
        "name": name,
        "value": parameter["value"],
        "domain": parameter["domain"],
        "low": low if math.isfinite(low) else None,
        "high": high if math.isfinite(high) else None,
        "closedLow": closed_low,
        "closedHigh": closed_high,
    }


def _labelled(name: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    """A slider with its symbol; beside a Greek letter stands the name that code knows it by."""
    words = name if parameter["latex"].startswith("\\") else ""
    return _dial(name, parameter) | {"symbol": mathml(parameter["latex"], "inline"), "words": words}


def _dial(name: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    """A slider's ends and step: two units around the default in its order of magnitude, inside the domain."""
    value, default = parameter["value"], parameter["default"]
    low, high, closed_low, closed_high = Parameter(name, default, parameter["domain"]).bounds
    size = 10.0 ** math.floor(math.log10(abs(default))) if default else 1.0
    unit = max(size, 1.0)
    step = min(unit / 100, size / 10)
    start, end = (math.floor(default / unit) - 2) * unit, (math.floor(default / unit) + 2) * unit
    if high - low <= 20 * unit:
        start, end, step = low, high, (high - low) / 200
    start = max(start, low if closed_low else low + step)
    end = min(end, high if closed_high else high - step)
    start, end = min(start, value), max(end, value)
    return {
        "name": name,
        "value": value,
        "sliderLow": start,
        "sliderHigh": end,
        "step": step,
        "hint": f"{parameter['domain']}; default {shown(default)}",
    }

"""Cards that several tests show."""

from __future__ import annotations

from functools import cache

import pytest

from actfn import catalog
from actfn.card.data import card_data
from actfn.definition import Definition, Parameter

HOSTILE_TEXT = "</script><script>alert(1)</script>\"'&[bold]"

DEFINITIONS = {
    "hostile": Definition(
        name="hostile",
        formula="where(x < a, x, a)",
        parameters=[Parameter("a", 1.0)],
        title=HOSTILE_TEXT,
        summary=HOSTILE_TEXT,
        tags=[HOSTILE_TEXT],
        aliases={HOSTILE_TEXT: HOSTILE_TEXT},
    ),
    "inverse": Definition(name="inverse", formula="1/x"),
    "step": Definition(name="step", formula="where(x > 0, 1, 0)"),
    "shrink": Definition(
        name="shrink",
        formula="where(x > lambd, x - lambd, where(x < -lambd, x + lambd, 0))",
        parameters=[Parameter("lambd", 0.5, "positive")],
    ),
    "root": Definition(name="root", formula="sqrt(x)"),
}


@cache
def _card(name: str, values: tuple[tuple[str, float], ...], points: int):
    definition = DEFINITIONS.get(name) or catalog.find(name)
    return card_data(definition, dict(values), -2.0, 2.0, points)


@pytest.fixture(scope="session")
def card():
    """`card("elu", alpha=0.5)`: the data of a catalog entry's or of one of these definitions' card, on 101 points."""
    return lambda name, points=101, **values: _card(name, tuple(values.items()), points)

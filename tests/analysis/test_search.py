"""Questions about claims: what they find, what they leave open, what they refuse."""

from __future__ import annotations

import pytest

from actfn.analysis.claims import Claim
from actfn.analysis.properties import MEANINGS
from actfn.analysis.search import Query, QueryError

KNOWN = {
    "smoothness": 0,
    "range": {"low": -1.0, "high": "inf", "low_attained": False, "high_attained": False},
    "bounded": False,
    "limits": {"left": -1.0, "right": "inf"},
    "asymptotes": {"left": "-1", "right": "x", "left_rate": "exp(x)", "right_rate": "0"},
    "saturating": {"left": True, "right": False},
    "monotone": "strictly increasing",
    "lipschitz": 1.0,
    "zeros": [0.0],
    "extremes": [],
    "parity": False,
    "gain": 1.245,
}
CLAIMS = {name: Claim(KNOWN.get(name), "proven" if name in KNOWN else "unknown") for name in MEANINGS}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("smoothness >= 0", True),
        ("smoothness >= 1", False),
        ("monotone", True),
        ("monotone == 'increasing'", True),
        ("monotone == 'strictly increasing'", True),
        ("monotone != 'increasing'", False),
        ("monotone == 'decreasing'", False),
        ("bounded", False),
        ("not bounded and saturating_left and not saturating_right", True),
        ("-1 <= low < 0 and high == inf", True),
        ("low == -inf", False),
        ("high > 1e300", True),
        ("limit_left == -1", True),
        ("lipschitz <= 1 and gain > 1.2", True),
        ("parity == 'odd'", False),
        ("parity != 'odd'", True),
        ("zeros and not extremes", True),
        ("tag('gated')", False),
        ("tag('exponential') or bounded", True),
        ("monotone > 3", False),  # a text and a number
        # what isn't known
        ("convex", None),
        ("not convex", None),
        ("convex == 'convex'", None),
        ("convex and monotone", None),
        ("convex and bounded", False),
        ("convex or monotone", True),
        ("convex or bounded", None),
    ],
)
def test_answers(question: str, answer: bool | None) -> None:
    assert Query(question)(CLAIMS, ("exponential",)) is answer


def test_what_is_only_sampled_is_not_known() -> None:
    assert Query("bounded")({**CLAIMS, "bounded": Claim(True, "sampled")}) is None


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("smoothnes >= 1", "did you mean smoothness"),
        ("smoothness >=", "can't be read"),
        ("", "can't be read"),
        ("lipschitz + 1 > 2", "not part of a question"),
        ("__import__('os').system('true')", "not part of a question"),
        ("[x for x in range]", "not part of a question"),
        ("smoothness.real", "not part of a question"),
        ("tag(monotone)", "not part of a question"),
        ("monotone is True", "one of < <="),
        ("-'a' == 1", "not part of a question"),
        ("not " * 60 + "bounded", "nested too deeply"),
        ("bounded and " * 60 + "bounded", "at most 500"),
    ],
)
def test_refused(question: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        Query(question)

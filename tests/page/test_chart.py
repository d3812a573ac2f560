"""Charts as data: gaps, dots, the y axis, ticks, and the two renderings."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actfn.page.chart import Chart, Curve, Jump, dots, shown, split, ticks, window

X = [-2 + 4 * i / 10 for i in range(11)]
STEP = Jump(0.0, left=0.0, at=0.0, right=1.0)


def chart(y, jumps=(), **options):
    return Chart("value", "f", "x", "f(x)", [Curve("f", X, y, "value", jumps)], **options)


@pytest.mark.parametrize(
    ("jump", "broken", "expected"),
    [
        (Jump(0.0, 1.0, 1.0, 1.0), False, []),
        (Jump(0.0, 1.0, 1.0, 1.0 + 1e-13), False, []),
        (STEP, True, [(0.0, 1.0, False), (0.0, 0.0, True)]),
        (Jump(0.0, -1.0, 0.0, 1.0), True, [(0.0, -1.0, False), (0.0, 1.0, False), (0.0, 0.0, True)]),
        (Jump(0.0, 1.0, 2.0, 1.0), True, [(0.0, 1.0, False), (0.0, 2.0, True)]),
        (Jump(0.0, None, None, None), True, []),
        (Jump(0.0, 1.0, None, 1.0), True, [(0.0, 1.0, False)]),
    ],
)
def test_dots_show_the_limits_open_and_the_value_closed(jump, broken, expected):
    assert jump.broken is broken
    assert dots([jump]) == expected


def test_no_line_crosses_a_jump_and_both_limits_are_drawn():
    x, y = split([-1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [STEP], (-1.0, 2.0))
    assert list(zip(x, y, strict=True)) == [(-1.0, 0.0), (0.0, 0.0), (0.0, None), (0.0, 1.0), (1.0, 1.0)]


def test_a_kink_between_two_points_becomes_a_point():
    x, y = split([-1.0, 1.0], [0.0, 1.0], [Jump(0.0, 0.0, 0.0, 0.0)], (-1.0, 2.0))
    assert (x, y) == ([-1.0, 0.0, 1.0], [0.0, 0.0, 1.0])


def test_no_line_crosses_a_pole():
    x = [-1 + 2 * i / 200 + 0.001 for i in range(201)]
    y = [1 / v for v in x]
    _, drawn = split(x, y, [], window(y))
    crossing = [(a, b) for a, b in pairwise(drawn) if a is not None and b is not None and a * b < 0]
    assert crossing == []
    assert None in drawn


def test_a_jump_outside_the_range_is_left_out():
    assert split([-1.0, 1.0], [0.0, 1.0], [Jump(5.0, 0.0, 0.0, 1.0)], (-1.0, 2.0)) == ([-1.0, 1.0], [0.0, 1.0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 1.0], (-0.06, 1.06)),
        ([None, None], (-1.0, 1.0)),
        ([], (-1.0, 1.0)),
        ([3.0, 3.0], (1.5, 4.5)),
        ([0.0], (-0.5, 0.5)),
        ([0.0, 1.0, 1e308], (-0.06, 1.06)),
    ],
)
def test_window(values, expected):
    assert window(values) == pytest.approx(expected)


def test_a_pole_does_not_flatten_the_rest():
    low, high = window([1 / (v / 100) for v in range(-200, 201) if v])
    assert -60 < low < -5
    assert 5 < high < 60


@given(st.lists(st.one_of(st.none(), st.floats(-1e290, 1e290)), max_size=40))
def test_a_window_is_a_proper_interval(values):
    low, high = window(values)
    assert low < high


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 9))
def test_ticks_are_round_ordered_and_inside(low, width, count):
    high = low + width
    found = ticks(low, high, count)
    assert 1 <= len(found) <= 2 * count + 2
    assert found == sorted(found)
    assert all(low - 1e-6 * width <= t <= high + 1e-6 * width for t in found)


def test_ticks():
    assert ticks(-2, 2, 5) == [-2, -1, 0, 1, 2]


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.5, "−0.5"), (1.0, "1"), (None, "–"), ("infinity", "∞"), ("-infinity", "−∞"), (1 / 3, "0.333333")],  # noqa: RUF001
)
def test_numbers_for_reading(value, text):
    assert shown(value) == text


def test_svg_is_well_formed_breaks_at_the_jump_and_shows_no_nan():
    drawn = chart([0.0] * 5 + [None] + [1.0] * 5, [STEP], marks=[(0.0, "x = 0")]).svg()
    root = ElementTree.fromstring(str(drawn))
    curve = next(e for e in root.iter("path") if "curve" in (e.get("class") or ""))
    assert (curve.get("d") or "").count("M") == 2
    assert len(list(root.iter("circle"))) == 2
    assert not re.search(r"nan|inf|None", drawn, re.IGNORECASE)


def test_svg_escapes_what_a_user_typed():
    hostile = "</svg><script>alert(1)</script>\"'&"
    made = Chart("value", hostile, "x", hostile, [Curve(hostile, X, X, "value")], [(0.0, hostile)])
    assert "<script" not in made.svg()
    ElementTree.fromstring(str(made.svg()))


def test_huge_numbers_stay_inside_what_a_renderer_takes():
    y = [math.copysign(1e300, v) if abs(v) > 1 else v for v in X]
    places = [abs(float(n)) for n in re.findall(r"[ML]-?[\d.]+ (-?[\d.]+)", chart(y).svg())]
    assert max(places) < 5000


def test_many_points_are_thinned_with_both_ends_kept():
    x = [i / 100_000 for i in range(100_001)]
    made = Chart("value", "f", "x", "f(x)", [Curve("f", x, x, "value")])
    drawn, _ = made.drawn(made.curves[0])
    assert len(drawn) <= 510
    assert (drawn[0], drawn[-1]) == (0.0, 1.0)


def test_the_figure_has_the_same_points_as_the_svg():
    made = chart([max(v, 0.0) for v in X], [Jump(0.0, 0.0, 0.0, 0.0)])
    (trace,) = made.figure()["data"]
    assert (trace["x"], trace["y"]) == made.drawn(made.curves[0])
    assert trace["line"]["color"] == "var(--value)"

"""The data of a card: the seed card's keys, the oracle's numbers, strict JSON, and what is proven."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from actfn import catalog
from actfn.card.data import MAX_POINTS, card_data, evenly_spaced, label
from actfn.definition import Definition, Parameter
from actfn.files import dumps
from tests.entries import NAMES


def rounded(value: mpmath.mpf) -> float:
    """A number of many digits, rounded once to float64."""
    sign, mantissa, exponent, _ = value._mpf_
    return float((-1) ** sign * Fraction(mantissa) * Fraction(2) ** exponent)


@pytest.mark.parametrize("alpha", [1.0, 0.5, 2.0, -1.0])
def test_elu_is_the_exact_value_rounded_once(card, alpha):
    data = card("elu", points=1000, alpha=alpha)
    assert data["x"] == np.linspace(-2, 2, 1000).tolist()
    with mpmath.workprec(300):
        for x, y, yp in zip(data["x"], data["y"], data["yp"], strict=True):
            assert y == (x if x > 0 else rounded(alpha * mpmath.expm1(x)))
            assert yp == (1.0 if x > 0 else rounded(alpha * mpmath.exp(x)))


def test_the_keys_of_the_seed_card_come_first(card):
    assert list(card("elu"))[:4] == ["x", "y", "yp", "schema"]


@pytest.mark.parametrize("name", [*NAMES, "inverse", "step", "shrink", "root", "hostile"])
def test_json_is_strict_and_reads_back_the_same(card, name):
    data = card(name)
    assert json.loads(dumps(data), parse_constant=pytest.fail) == data


@pytest.mark.parametrize(
    ("name", "order", "conditions", "here"),
    [
        ("elu", 0, [("alpha = 1", 1)], 1),
        ("relu", 0, [], 0),
        ("celu", 1, [], 1),
        ("softplus", "infinity", [], "infinity"),
        ("step", -1, [], -1),
        ("shrink", 0, [], 0),
    ],
)
def test_smoothness(card, name, order, conditions, here):
    smooth = card(name)["smoothness"]
    assert smooth["order"] == order
    assert [(c["condition"], c["order"]) for c in smooth["conditions"]] == conditions
    assert smooth["at_parameters"]["order"] == here
    assert smooth["status"] == "proven"
    assert smooth["certificate"]


def test_the_class_here_follows_the_parameters(card):
    assert card("elu", alpha=0.5)["smoothness"]["at_parameters"] == {"order": 0, "order_text": "C^0"}


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("elu", {"alpha": 0.5}, [(0.0, (0.0, 0.0, 0.0), (0.5, 0.5, 1.0))]),
        ("relu", {}, [(0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))]),
        ("step", {}, [(0.0, (0.0, 0.0, 1.0), (0.0, 0.0, 0.0))]),
        ("shrink", {"lambd": 0.75}, [(-0.75, (0.0,) * 3, (1.0, 1.0, 0.0)), (0.75, (0.0,) * 3, (0.0, 0.0, 1.0))]),
    ],
)
def test_breakpoints_have_their_limits(card, name, values, expected):
    found = card(name, **values)["smoothness"]["breakpoints"]
    sides = ("left", "at", "right")
    assert [(b["value"], tuple(b["y"][s] for s in sides), tuple(b["yp"][s] for s in sides)) for b in found] == expected


def test_undefined_values_are_null(card):
    data = card("inverse")
    (pole,) = data["smoothness"]["breakpoints"]
    assert data["y"][data["x"].index(0.0)] is None
    assert pole["value"] == 0.0
    assert (pole["y"]["at"], pole["yp"]["at"]) == (None, None)
    assert card("root")["y"][0] is None


@pytest.mark.parametrize(
    ("name", "values", "left", "right"),
    [
        ("elu", {"alpha": 2.0}, (-2.0, 0.0), ("infinity", 1.0)),
        ("relu", {}, (0.0, 0.0), ("infinity", 1.0)),
        ("leaky_relu", {}, ("-infinity", 0.01), ("infinity", 1.0)),
        ("silu", {}, (0.0, 0.0), ("infinity", 1.0)),
        ("tanh", {}, (-1.0, 0.0), (1.0, 0.0)),
    ],
)
def test_tails(card, name, values, left, right):
    tails = card(name, **values)["tails"]
    assert (tails["left"]["y"], tails["left"]["yp"]) == left
    assert (tails["right"]["y"], tails["right"]["yp"]) == right


def test_the_comparison_that_the_seed_card_makes(card):
    compared = {row["label"]: row for row in card("elu")["compared"]}
    assert set(compared) == {"ReLU", "Leaky ReLU"}
    assert compared["ReLU"]["origin"]["yp"] == {"left": 0.0, "at": 0.0, "right": 1.0}
    assert [row["order"] for row in compared.values()] == [0, 0]
    assert [row["name"] for row in card("relu")["compared"]] == ["leaky_relu"]


@pytest.mark.parametrize(
    ("low", "high", "points", "words"),
    [
        (2.0, -2.0, 10, "lower to the higher"),
        (1.0, 1.0, 10, "lower to the higher"),
        (math.nan, 1.0, 10, "from one number to another"),
        (0.0, math.inf, 10, "from one number to another"),
        (-1.0, 1.0, 0, "whole number from 2"),
        (-1.0, 1.0, 1, "whole number from 2"),
        (-1.0, 1.0, MAX_POINTS + 1, "whole number from 2"),
        (-1.0, 1.0, True, "whole number from 2"),
        (-1.5e308, 1.5e308, 10, "evenly spaced"),
        (1.0, math.nextafter(1.0, 2.0), 10, "evenly spaced"),
    ],
)
def test_bad_ranges_are_refused_in_one_line(low, high, points, words):
    with pytest.raises(ValueError, match=words) as caught:
        card_data(catalog.find("elu"), {}, low, high, points)
    assert "\n" not in str(caught.value)


def test_x_is_evenly_spaced_as_numpy_has_it():
    assert evenly_spaced(-3.0, 1.7, 997) == np.linspace(-3.0, 1.7, 997).tolist()


def test_bad_parameters_are_refused():
    with pytest.raises(ValueError, match="domain"):
        card_data(catalog.find("celu"), {"alpha": -1.0})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("elu", "ELU"),
        ("relu", "ReLU"),
        ("leaky_relu", "Leaky ReLU"),
        ("silu", "SiLU"),
        ("softplus", "Softplus"),
        ("rbf", "Gaussian"),
        ("swish", "Swish"),
        ("bipolar_sigmoid", "Bipolar sigmoid"),
    ],
)
def test_labels(name, expected):
    assert label(catalog.find(name)) == expected


def test_the_label_of_a_users_own_is_its_name():
    assert label(Definition(name="mine", formula="x")) == "mine"


def test_the_page_names_the_module_that_there_is():
    pytest.importorskip("torch")
    from actfn.torch import class_names

    for name, entry in catalog.entries().items():
        assert class_names()[catalog.class_name(name, entry.aliases)] == name


@pytest.mark.parametrize("name", ["var", "function", "new", "class_", "x0", "value", "location"])
def test_a_parameter_may_have_any_name(name):
    data = card_data(Definition(name="f", formula=f"{name}*x", parameters=[Parameter(name, 2.0)]), {}, points=3)
    assert data["y"] == [-4.0, 0.0, 4.0]

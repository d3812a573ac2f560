"""16-bit results beside ties that float64 can't see, at every input of some entries of each kind."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sympy import Piecewise, S

from actfn import catalog
from actfn.definition import Definition
from actfn.formula.functions import X
from actfn.kernels import build
from actfn.kernels.ties import beside_ties
from actfn.reference import Oracle
from tests.kernels.test_build import called, read, stored


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("silu", [2.0**-133, 3 * 2.0**-133, -(2.0**-133), -1.0]),
        ("e_swish", [3.563217250930059e-38, 130 * 2.0**9, 3.0]),
        ("bent_identity", [5664683906301952.0, 129 * 2.0**50, 3.75, 0.75]),
        ("tanhshrink", [258.0, -262.0, 482.0, 3.3651303965598345e-10]),
        ("siren", [3.03057137321371e-39, 33 * 2.0**-133]),
        ("lisht", [17 * 2.0**-60, 19 * 2.0**-50]),
        ("squ", [1.1821949021847552e16, 3.75, 4.25, -4.75]),  # of which the last three are ties
        ("hardswish", [2.0**-133, 1.1846779004380866e-38, 1.5]),
    ],
)
def test_the_side_of_a_tie(name: str, inputs: list[float]) -> None:
    entry = catalog.find(name)
    request = build.Request(entry, dtype="bfloat16")
    bits = stored(np.array(inputs), "bfloat16")
    x, got = read(bits, "bfloat16"), read(called(request, [bits])[0], "bfloat16").tolist()
    known = {n: float(np.float32(v)) for n, v in entry.defaults.items()}
    assert got == Oracle(entry.expression).sample(x.tolist(), known, "bfloat16")


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "lelelu", "hardtanh", "sigmoid", "tanh"])
def test_nothing_is_added_where_no_tie_is_near(name: str) -> None:
    for dtype in ("float16", "bfloat16"):
        assert beside_ties(catalog.find(name), 0, dtype) == 1


def test_both_ends_have_a_hair_of_their_own() -> None:
    found = beside_ties(Definition("mine", "5*x*sigmoid(x)/4"), 0, "bfloat16")
    assert isinstance(found, Piecewise)
    sides = [found.subs(X, v) - 1 for v in (-1e-20, 1e-20, 1.0, 30.0, 50.0, -50.0)]
    assert [int(math.copysign(1, s)) if s else 0 for s in sides] == [-1, 1, 0, 0, -1, 0]
    assert beside_ties(Definition("mine", "x*sigmoid(x)"), 0, "float16") == S.One

"""What the exhaustive check proves of millions of near-ties at once is what the oracle says of each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb

from actfn import catalog
from actfn.definition import Definition
from actfn.reference import working_precision
from benchmarks.exhaustive import bounds
from benchmarks.exhaustive.judging import distance
from benchmarks.exhaustive.scan import Scanner, reference_program
from benchmarks.exhaustive.truth import Truth


@pytest.mark.parametrize(
    ("name", "order", "starts"),
    [
        ("silu", 0, (1, 0x80000001, 0x00FFFE00, 0x80FFFE00)),  # subnormal results, up to where half of x is normal
        ("gelu", 0, (1, 0x80000001)),
        ("hardswish", 0, (1,)),
        ("bipolar_sigmoid", 0, (1, 0x80000001)),
        ("e_swish", 0, (0x20000000, 0xA0000000)),  # 5/8 x
        ("bsilu", 1, (0x20000000, 0xA0000000)),  # f'(0) is halfway between two float32
    ],
)
def test_near_ties_are_settled_by_a_line(name: str, order: int, starts: tuple[int, ...]):
    definition = catalog.find(name)
    truth = Truth(definition, order, "float32")
    fill = bounds.reference(reference_program(definition, order), truth.symbols)

    def right(x: np.ndarray, y: np.ndarray) -> None:
        y[:] = [truth.rounded(a) for a in x.tolist()]

    def wrong(x: np.ndarray, y: np.ndarray) -> None:
        right(x, y)
        y[1] = np.nextafter(y[1], np.float32(np.inf))

    scanner = Scanner(fill, {"right": right, "wrong": wrong}, truth)
    for start in starts:
        found = scanner.scan(start, 60)
        tally, doubtful = found["right"]
        assert tally.settled_by_tangent >= 15
        assert (tally.misrounded, tally.max_ulp, doubtful) == (0, 0.5, [])
        assert found["wrong"][0].misrounded == 1


@pytest.mark.parametrize(
    ("name", "start", "slope", "offset", "sign"),
    [
        ("e_swish", 0x60000000, 1.25, 0.0, -1),
        ("bent_identity", 0x70000000, 1.5, 0.0, -1),
        ("tanhshrink", 0x4B800100, 1.0, -1.0, 1),
        ("tanhshrink", 0xCB800100, 1.0, 1.0, -1),
    ],
)
def test_near_ties_far_out_are_settled_by_a_line(name: str, start: int, slope: float, offset: float, sign: int):
    """There the oracle can't tell exp(-x) from 0, and takes the true value for the tie."""
    definition = catalog.find(name)
    truth = Truth(definition, 0, "float32")
    fill = bounds.reference(reference_program(definition, 0), truth.symbols)

    def right(x: np.ndarray, y: np.ndarray) -> None:
        line = slope * x.astype(np.float64) + offset
        y[:] = np.nextafter(line, sign * np.inf).astype(np.float32)

    def to_even(x: np.ndarray, y: np.ndarray) -> None:
        y[:] = (slope * x.astype(np.float64) + offset).astype(np.float32)

    found = Scanner(fill, {"right": right, "to even": to_even}, truth).scan(start, 64)
    assert found["right"][0].settled_by_tangent >= 8
    assert (found["right"][0].misrounded, found["right"][1]) == (0, [])
    assert found["to even"][0].misrounded >= 3


@pytest.mark.parametrize(
    "formula",
    [
        "sin(x)",  # its slope is 1 at 0, and nothing farther out
        "where(x > 1/2, x/2 + 1, x*sigmoid(x))",  # a line that ends at a breakpoint
        "abs(x)*x + x/2",
    ],
)
def test_a_line_holds_where_it_is_claimed(formula: str):
    truth = Truth(Definition(name="mine", formula=formula), 0, "float32")
    assert truth.lines
    for line in truth.lines:
        edges = sorted(abs(e) for e in (line.low, line.high))
        between = np.geomspace(*edges, 100)[1:-1]
        for x in np.copysign(between, line.low + line.high).astype(np.float32).tolist():
            with working_precision(1024):
                rest = truth.oracle.ball(x, {}, 900) - arb(line.slope) * x - line.offset
                assert rest * line.sign > 0, (line, x)


def test_no_line_is_claimed_where_the_sign_changes():
    """Around 0 this is x/2 and x^3 - 1e-20 x^2, whose sign changes at a tiny x."""
    lines = Truth(Definition(name="mine", formula="x/2 + x**3 - x**2/10**20"), 0, "float32").lines
    assert all(line.high < 1.1e-20 or line.low > 0.9e-20 or line.high < 0 for line in lines)


@pytest.mark.parametrize(
    ("got", "true", "dtype", "wanted"),
    [
        (math.inf, 2.0**128 - 2.0**104, "float32", 1.0),
        (math.inf, 2.0**128, "float32", 0.0),
        (-math.inf, -(2.0**127), "float32", 2.0**23),
        (math.inf, 65504.0, "float16", 1.0),
        (2.0, 1.0, "float32", 2.0**23),
    ],
)
def test_infinity_stands_for_the_end_of_the_exponents(got: float, true: float, dtype: str, wanted: float):
    assert distance(got, arb(true), dtype) == pytest.approx(wanted)

"""Self-normalising constants: SELU's to 30 digits against their closed form, other families, and honest failures."""

from __future__ import annotations

import pytest
from flint import arb
from mpmath import e, erfc, mp, mpf, pi, sqrt

from actfn.analysis import selfnormal
from actfn.analysis.moments import moments
from actfn.analysis.selfnormal import NoSolution, self_normalizing
from actfn.definition import Definition, Parameter

SELU = "scale*where(x > 0, x, alpha*(exp(x) - 1))"


def klambauer() -> dict[str, mpf]:
    """Equation 14 of arXiv:1706.02515."""
    c = erfc(1 / sqrt(mpf(2)))
    alpha = -sqrt(2 / pi) / (sqrt(e) * c - 1)
    root = 2 * erfc(sqrt(mpf(2))) * e**2 + pi * c**2 * e - 2 * (2 + pi) * c * sqrt(e) + pi + 2
    return {"alpha": alpha, "scale": (1 - sqrt(e) * c) * sqrt(2 * pi) / sqrt(root)}


def test_the_constants_of_selu_to_30_digits() -> None:
    found = self_normalizing(SELU)
    assert found.claim.status == "proven"
    with mp.workdps(60):
        for name, value in klambauer().items():
            middle, radius = map(mpf, found.constants[name])
            assert abs(middle - value) <= radius < mpf(10) ** -30
            assert not abs(middle - value - mpf(10) ** -29) <= radius
    assert found.claim.value == {"scale": 1.0507009873554805, "alpha": 1.6732632423543772}


def test_the_fixed_point_of_selu_attracts() -> None:
    found = self_normalizing(SELU)  # arXiv:1706.02515, below theorem 1: 0.088834 and 0.782648, norm 0.7877
    assert [float(b[0]) for b in found.jacobian] == pytest.approx([0.088834, 0.782648], abs=1e-6)
    assert found.contraction.value == pytest.approx(0.7877, abs=1e-4)
    assert found.contraction.status == "proven"
    assert "attracts" in found.contraction.certificate[1]


@pytest.mark.parametrize(
    ("formula", "constants"),
    [
        ("scale*(x*sigmoid(x) + alpha)", ("scale", "alpha")),
        ("a*(0.5*x*erfc(-x/sqrt(2)) - b)", ("a", "b")),
        ("scale*(max(x, 0) + alpha)", ("scale", "alpha")),
        ("where(x > 0, a*x, b*tanh(x))", ("a", "b")),
        ("a*where(x > 0.5, x - 0.5, b*(exp(x - 0.5) - 1))", ("a", "b")),
    ],
)
def test_other_families(formula, constants) -> None:
    """At the constants found, as floats, the moments are 0 and 1."""
    found = self_normalizing(formula, constants)
    assert found.claim.status == "proven"
    names = tuple(found.claim.value)
    family = Definition(name="family", formula=formula, parameters=tuple(Parameter(n, 1.0) for n in names))
    at = moments(Definition(**found.definition(family)))
    assert abs(at["mean"].value) < 1e-15
    assert at["second_moment"].value == pytest.approx(1, rel=1e-15)


def test_other_parameters_are_held() -> None:
    formula = "scale*where(x > 0, x, alpha*(exp(x/width) - 1))"
    family = Definition(
        name="wide", formula=formula, parameters=[Parameter(n, 1.0) for n in ("scale", "alpha", "width")]
    )
    narrow, wide = self_normalizing(family), self_normalizing(family, width=2.0)
    assert narrow.claim.value == self_normalizing(SELU).claim.value
    assert wide.claim.value != narrow.claim.value


def test_a_family_without_a_solution(monkeypatch) -> None:
    monkeypatch.setattr(selfnormal, "STARTS", (1.0, -1.0))
    with pytest.raises(NoSolution, match="from 4 starts"):
        self_normalizing("scale*max(x, alpha)")  # a mean of 0 needs scale = 0
    with pytest.raises(NoSolution, match="jumps"):
        self_normalizing("scale*where(x > alpha, x, -1)")


def test_the_constants_must_be_two_of_the_parameters() -> None:
    for constants in (("scale",), ("scale", "beta"), ("scale", "scale")):
        with pytest.raises(ValueError, match="two constants"):
            self_normalizing(SELU, constants)


def test_a_box_beside_the_solution_proves_nothing() -> None:
    family = Definition(name="selu", formula=SELU, parameters=[Parameter("scale", 1.0), Parameter("alpha", 1.0)])
    equations = selfnormal._Family(family, [family.symbols["scale"], family.symbols["alpha"]], {})
    with selfnormal.working_precision(192):
        assert selfnormal._proven(equations, [arb(1.0507009), arb(1.6732632)]) is not None
        assert selfnormal._proven(equations, [arb(1.0507), arb(1.674)]) is None

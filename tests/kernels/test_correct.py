"""Correct rounding: the oracle's float32 at hard points, at any parameters; refused by name where it isn't shown."""

from __future__ import annotations

import numpy as np
import pytest

from actfn import catalog, reference
from actfn.definition import Definition, Parameter
from actfn.formula.derivative import derivative
from actfn.kernels.correct import _BOUNDS, NotShown, relative_error
from actfn.kernels.lower import program
from actfn.kernels.primitives.table import PRIMITIVES
from actfn.kernels.ufunc import ufunc
from actfn.reference import Oracle

SHOWN = ["elu", "celu", "selu", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "silu", "swish", "rbf"]


def points() -> np.ndarray:
    rng = np.random.default_rng(3)
    hard = np.array([0xB675CBFC, 0xBB7B3B6C], np.uint32).view(np.float32)  # within 4 float64 ulps of a tie of expm1
    normal = rng.normal(0, 4, 3000)
    powers = 2.0 ** np.arange(-149, 128)
    return np.concatenate([hard, *(np.float32(v) for v in (normal, powers, -powers, [0.0, -0.0]))]).astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 0.7, 1.3])
@pytest.mark.parametrize("name", SHOWN)
def test_correctly_rounded_at_any_parameters(name: str, scale: float) -> None:
    definition = catalog.find(name)
    x = points()
    values = [np.float32(v * scale) for v in definition.defaults.values()]
    parameters = dict(zip(definition.defaults, map(float, values), strict=True))
    expected = np.array(Oracle(definition.expression).sample(x.tolist(), parameters, "float32"), np.float32)
    correct = ufunc(definition, 0, "correct")
    for got in (correct(x, *values), correct(x[::-1], *values)[::-1], correct(x.copy(), *values, out=x.copy())):
        np.testing.assert_array_equal(got, expected)


def test_elements_in_doubt_are_settled_by_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    """slope*x lies on a tie for these: every element is in doubt, and each is asked for once."""
    asked = []

    def settle(definition, order, by, x, parameters):
        asked.append(x)
        return Oracle(derivative(definition.expression, order)).rounded(x, parameters, "float32")

    monkeypatch.setattr(reference, "rounded_to_float32", settle)
    slope = np.float32(1.5)  # times an odd significand: halfway between two float32
    x = -np.float32(1 + np.arange(1, 2**12, 2) * 2.0**-23)
    tied = ufunc(catalog.find("leaky_relu"), 0, "correct")(np.float32(x * 2**11), np.float32(slope))
    expected = (x.astype(float) * 2**11 * float(slope)).astype(np.float32)
    np.testing.assert_array_equal(tied, expected)
    assert set(asked) <= set((x * 2**11).tolist())
    assert len(asked) > 100
    hard = np.float32([-1.0, -3.0, 2.0])
    assert (ufunc(catalog.find("leaky_relu"), 0, "correct")(hard, np.float32(0.5)) == [-0.5, -1.5, 2.0]).all()


@pytest.mark.parametrize("formula", ["x - tanh(x)", "exp(x - x**2)", "log(2 + x**2)", "x*sigmoid(a*x) + x"])
def test_refused_where_it_is_not_shown(formula: str) -> None:
    definition = Definition("mine", formula, (Parameter("a"),) if "a*x" in formula else ())
    assert relative_error(program(definition)) is None
    with pytest.raises(NotShown, match="mine: it isn't shown"):
        ufunc(definition, 0, "correct")


def test_what_was_tried_on_every_input_needs_no_bound() -> None:
    x = points()
    for name in ("arctan", "arcsinh"):
        entry = catalog.find(name)
        assert relative_error(program(entry, 1)) is None, name
        expected = Oracle(derivative(entry.expression, 1)).sample(x[::7].tolist(), {}, "float32")
        for step in (7, -7):
            got = ufunc(entry, 1, "correct")(x[::7] if step > 0 else x[::7][::-1])
            assert (got if step > 0 else got[::-1]).tolist() == expected
    with pytest.raises(NotShown):
        ufunc(Definition("mine", "atan(x)"), 1, "correct")


def test_a_tie_that_is_not_reached_is_rounded_towards_the_value() -> None:
    x = np.float32([102405.0, 2.0**24 + 12, 3.3e38, 2.0**20 + 0.125])
    got = ufunc(catalog.find("e_swish"), 0, "correct")(x, np.float32(1.25))
    assert got[:2].tolist() == [128006.25, 1.25 * 2.0**24 + 14]
    ties = 1.25 * x.astype(np.float64)
    assert (got <= ties).all() or np.isinf(got[2])


def test_bounds_are_the_stated_ones() -> None:
    names = {kind.__name__: bound for kind, bound in _BOUNDS.items()}
    for name, bound in names.items():
        for primitive in (name, f"times_{name}"):
            if (primitive, "wide") in PRIMITIVES and primitive != "times_expm1":
                assert PRIMITIVES[primitive, "wide"].bound <= 2.0**bound, primitive


def test_the_error_bound_holds() -> None:
    """The float64 value of a kernel lies within the bound of the true one: through float64 loops over wide primitives."""
    for name in SHOWN:
        error = relative_error(program(catalog.find(name)))
        assert error is not None
        assert error < 2.0**-40

"""f' from the output: the slope that the input has, and a refusal where the output doesn't tell it."""

from __future__ import annotations

import pytest
import sympy

from actfn.definition import Definition, Parameter
from actfn.formula import X
from actfn.formula.derivative import derivative
from actfn.kernels.inverse import NoInverse, Y, from_output

LEVEL = [
    Definition("clipped", "clip(x, 0, 6)"),
    Definition("step_up", "where(x < 0, x, where(x < 1, 0, x - 1))"),
    Definition("scaled", "where(x > 0, alpha*x, x)", (Parameter("alpha", 1.0, "nonnegative"),)),
]
KNOWN = [
    Definition("relu", "max(x, 0)"),
    Definition("leaky", "where(x > 0, x, alpha*x)", (Parameter("alpha", 0.25),)),
    Definition("both", "where(x > 0, alpha*x, alpha*x/100)", (Parameter("alpha", 0.5),)),
    Definition("elu", "where(x > 0, x, alpha*(exp(x) - 1))", (Parameter("alpha", 1.0),)),
    Definition("sigmoid", "1/(1 + exp(-x))"),
]


@pytest.mark.parametrize("definition", LEVEL, ids=lambda d: d.name)
def test_a_level_piece_right_of_a_breakpoint_is_refused(definition: Definition) -> None:
    """There f(b) is the output at b, whose slope is the left one, and at every x right of it."""
    with pytest.raises(NoInverse, match="level"):
        from_output(definition)


@pytest.mark.parametrize("definition", KNOWN, ids=lambda d: d.name)
@pytest.mark.parametrize("x", [-3, -1, 0, 2, 7])
def test_the_slope_of_the_output_is_that_of_the_input(definition: Definition, x: int) -> None:
    values = {definition.symbols[n]: sympy.Rational(v) for n, v in definition.defaults.items()} | {X: sympy.Integer(x)}
    exact = derivative(definition.expression, 1, definition.conventions).xreplace(values).evalf(30)
    y = definition.expression.xreplace(values).doit()
    slope = from_output(definition).slope.xreplace({**values, Y: y}).evalf(30)
    assert abs(slope - exact) < 1e-25

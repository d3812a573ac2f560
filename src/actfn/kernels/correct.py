"""What correct rounding rests on: a bound of the error in float64 arithmetic, and a list of kernels tried on every input.

A float32 result that comes from float64 arithmetic is correctly rounded if no rounding boundary lies within the error
bound of the float64 value. A kernel tests that for each element where it isn't known already (Ziv's strategy: Ziv,
Fast evaluation of elementary mathematical functions with correctly rounded last bit, ACM TOMS 17, 1991), and what fails
the test is settled in ball arithmetic. At the default parameters, kernels that were tried on all 2^32 inputs skip it.
"""

from __future__ import annotations

import sympy
from sympy import Expr, Mul, Piecewise, Pow, Symbol

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.constants import value
from actfn.formula.printers.factors import argument_parts
from actfn.kernels.lower import Program

_UNIT = 2.0**-53
_BOUNDS = {
    sympy.exp: -49.5,
    functions.expm1: -48.5,
    functions.sigmoid: -49.0,
    sympy.tanh: -48.0,
    functions.softplus: -48.0,
    sympy.erf: -50.0,
    functions.erfc: -48.0,
    sympy.erfc: -48.0,
    sympy.atan: -49.0,
}
"""log2 of the relative error of the primitives at the level "wide": `primitives.table` states them, tests compare."""
_AMPLIFIES = {
    sympy.exp: 128.0,
    functions.sigmoid: 128.0,
    functions.softplus: 128.0,
    sympy.tanh: 1.0,
    sympy.erf: 1.2,
    sympy.atan: 1.0,
}
"""How much of an argument's relative error reaches the result, where that isn't 0 or infinite in float32."""


class NotShown(ValueError):
    """Correct rounding isn't shown for a function. The text names it."""


def relative_error(steps: Program) -> float | None:
    """A bound of the relative error of a program's result in "wide" arithmetic; None where there is none of this kind.

    It holds for every float32 x and every parameter: there is no sum in which terms could cancel, and no function gets
    an argument whose rounding it could amplify without limit.
    """
    known: dict[Expr, float | None] = {X: 0.0}
    for symbol, expression in steps.assignments:
        known[symbol] = _error(expression, known)
    error = _error(steps.result, known)
    return None if error is None else 1.01 * error + _UNIT


def _error(node: Expr, known: dict[Expr, float | None]) -> float | None:
    if isinstance(node, Symbol):
        return known.get(node, 0.0)  # a parameter is exact
    if node.is_number:
        exact = value(node)
        return 0.0 if exact is not None and exact.is_Rational and exact == sympy.Rational(float(exact)) else _UNIT
    if isinstance(node, Piecewise):
        if not all(_exact_condition(c, known) for _, c in node.args):
            return None
        return _largest([_error(e, known) for e, _ in node.args])
    if isinstance(node, functions.maximum | functions.minimum | sympy.Abs):
        errors = [_error(a, known) for a in node.args]
        return 0.0 if all(e == 0.0 for e in errors) else None
    if isinstance(node, Mul):
        errors = [_error(a, known) for a in node.args]
        if None in errors:
            return None
        return sum(e for e in errors if e is not None) + len(errors) * _UNIT
    if isinstance(node, Pow) and not isinstance(node, sympy.exp):
        inner = _error(node.base, known)
        if inner is None or not node.exp.is_Integer:
            return None
        return abs(int(node.exp)) * (inner + _UNIT)
    if type(node) in _BOUNDS:
        argument = node.args[0]
        own = 2.0 ** _BOUNDS[type(node)]
        inner = _error(argument, known)
        if inner == 0.0 or (isinstance(node, sympy.exp | functions.erfc | sympy.erfc) and argument_parts(argument)[0]):
            return own
        if isinstance(node, functions.expm1) and argument.is_nonpositive:
            return None if inner is None else own + inner
        factor = _AMPLIFIES.get(type(node))
        return None if inner is None or factor is None else own + factor * inner
    return None


def _exact_condition(condition: Expr, known: dict[Expr, float | None]) -> bool:
    """Whether a condition is decided without rounding: it compares x or a parameter with a number or with each other."""
    sides = [a for r in condition.atoms(sympy.core.relational.Relational) for a in r.args]
    return all(s.is_number or (isinstance(s, Symbol) and known.get(s, 0.0) == 0.0) for s in sides)


def _largest(errors: list[float | None]) -> float | None:
    return None if None in errors else max(e for e in errors if e is not None)

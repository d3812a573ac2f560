"""What a kernel does at huge arguments, at infinity and at NaN: where a formula's steps overflow, underflow or forget a NaN.

Leans on the formula language and on NumPy's float64, in which a formula is tried there. The idea: far out an algebraic
expression is its leading term, one power of x times a constant; other functions have reached their limits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping
from typing import Any

import sympy
from sympy import Abs, Add, Expr, Mul, Piecewise, Pow, Rational, S, Symbol
from sympy.core.relational import Relational

from actfn.formula.functions import X, cbrt, erfc, expm1, log1p, maximum, minimum, sigmoid, softplus
from actfn.kernels.rewrites import is_algebraic, without_overflowing_squares

# -- leading terms ------------------------------------------------------------------------------------------------------

TAIL = 2**160
"""From here an algebraic expression is its leading term, unless parameters are as large; its powers up to six are finite."""
_TRIED = (*(2.0**k for k in range(162, 1024, 12)), 1.7976931348623157e308)


def with_tails(expression: Expr, defaults: Mapping[Symbol, Expr], ends: Collection[int] = (-1, 1)) -> Expr:
    """Each algebraic part by its leading term beyond `TAIL` where float64 arithmetic, tried at the defaults, fails there.

    `ends` are the signs of the infinities that x may come near to.
    """
    if not expression.has(X) or not expression.args:
        return expression
    if _has_leading(expression):
        return _with_tails(expression, defaults, ends)
    if isinstance(expression, Piecewise):
        return _in_branches(expression, defaults, ends)
    if isinstance(expression, Add | Mul):
        algebraic = [a for a in expression.args if _has_leading(a)]
        if len(algebraic) > 1:
            part = _with_tails(expression.func(*algebraic), defaults, ends)
            others = [with_tails(a, defaults, ends) for a in expression.args if a not in algebraic]
            return expression.func(part, *others)
    args = [with_tails(a, defaults, ends) for a in expression.args]
    return expression.func(*args) if tuple(args) != expression.args else expression


def _in_branches(expression: Piecewise, defaults: Mapping[Symbol, Expr], ends: Collection[int]) -> Expr:
    branches, left = [], set(ends)
    for branch, condition in expression.args:
        here = {e for e in left if _holds_at(condition, e, defaults)}
        left -= here
        branches.append((with_tails(branch, defaults, here), condition))
    return Piecewise(*branches)


def _has_leading(node: Any) -> bool:
    """Whether an expression is made of algebraic ones and of the arctangent, so that it may have a leading term."""
    if isinstance(node, Piecewise):
        return all(_has_leading(e) for e, _ in node.args)
    if isinstance(node, Add | Mul | sympy.atan) and not is_algebraic(node):
        return all(map(_has_leading, node.args))
    return node.is_number or is_algebraic(node)


def _with_tails(expression: Expr, defaults: Mapping[Symbol, Expr], ends: Collection[int]) -> Expr:
    rule = {s: float(v) for s, v in defaults.items()}
    tails: list[tuple[Expr, Any]] = []
    for end in sorted(ends):
        found = _leading(expression, end, defaults)
        if found is None:
            return without_overflowing_squares(_inside(expression, defaults, ends))
        tail = _term(*found, end)
        if any(_differ(*(in_floats(e, {**rule, X: end * x}) for e in (expression, tail))) for x in _TRIED):
            tails.append((tail, X > TAIL if end > 0 else X < -TAIL))
    return Piecewise(*tails, (expression, True)) if tails else expression


def _inside(expression: Expr, defaults: Mapping[Symbol, Expr], ends: Collection[int]) -> Expr:
    """The expression with tails in its branches and in its terms, where it has none itself."""
    if isinstance(expression, Piecewise):
        return _in_branches(expression, defaults, ends)
    if not isinstance(expression, Add | Mul | sympy.atan) or is_algebraic(expression):
        return expression
    return expression.func(*(with_tails(a, defaults, ends) for a in expression.args))


def _differ(a: float, b: float) -> bool:
    return not (a == b or abs(a - b) <= 1e-14 * abs(b))


def _holds_at(condition: Any, end: int, defaults: Mapping[Symbol, Expr]) -> bool:
    """Whether a condition holds at an infinity, at the defaults."""
    return condition.xreplace({**defaults, X: sympy.Integer(end * TAIL)}) == S.true


def _leading(node: Any, end: int, defaults: Mapping[Symbol, Expr]) -> tuple[Expr, Rational] | None:
    """(c, p): far out the node is c*|x|^p; None where the leading terms cancel, or aren't known."""
    if not node.has(X):
        return node, S.Zero
    if node == X:
        return sympy.Integer(end), S.One
    if isinstance(node, Piecewise):
        return next((_leading(e, end, defaults) for e, c in node.args if _holds_at(c, end, defaults)), None)
    parts = [_leading(a, end, defaults) for a in (node.args[:1] if isinstance(node, Pow) else node.args)]
    if any(p is None for p in parts):
        return None
    found: list[tuple[Any, Any]] = [p for p in parts if p is not None]
    if isinstance(node, sympy.atan):
        c, p = found[0]
        return (c, p) if p < 0 else (sympy.atan(c), S.Zero) if p == 0 else (sympy.pi / 2 * sympy.sign(c), S.Zero)
    if isinstance(node, Abs):
        return Abs(found[0][0]), found[0][1]
    if isinstance(node, Pow):
        c, p = found[0]
        return (c**node.exp, p * node.exp) if node.exp.is_Integer or c.is_positive else None
    if isinstance(node, Mul):
        return Mul(*(c for c, _ in found)), sum((p for _, p in found), S.Zero)
    top = max(p for _, p in found)
    c = sympy.simplify(Add(*(c for c, p in found if p == top)))
    return None if c.is_zero else (c, top)


def _term(c: Expr, p: Rational, end: int) -> Expr:
    """c*|x|^p."""
    if p.is_Integer:
        return c * end ** int(p) * X**p
    return c * Abs(X) ** p


# -- infinite ends ------------------------------------------------------------------------------------------------------


def far_ends(expression: Expr, largest: float, defaults: Mapping[Symbol, Expr]) -> set[int]:
    """The signs of the infinities from which `finite_ends` doesn't hold x far away."""
    near = finite_ends(expression, largest, defaults).atoms(sympy.Integer)
    return {end for end in (-1, 1) if sympy.Integer(end * _FAR) not in near}


def finite_ends(expression: Expr, largest: float, defaults: Mapping[Symbol, Expr]) -> Expr:
    """The expression with x held above -largest, below largest or both, where its value at infinity would be NaN.

    That is done where the values at large x say that there is a limit, at the default parameters: x*exp(-x^2) is
    infinity times 0 in arithmetic, and 0 in truth. Of x + sin(x) the sine alone is held.
    """
    if not expression.has(X):
        return expression
    rule = {s: float(v) for s, v in defaults.items()}
    held: Expr = X
    turning: Expr = X  # what sines and cosines see
    swings = expression.has(sympy.sin, sympy.cos)
    for sign, hold in ((-1, maximum), (1, minimum)):
        at_end, *values = (
            in_floats(expression, {**rule, X: sign * v})
            for v in (math.inf, largest / 1e3, largest, _FAR, 2 * _FAR, BEYOND_FLOAT32)
        )
        near, far, early, later, beyond = values
        if not math.isnan(at_end):
            continue
        settled = _same(early, later, largest)
        if not defaults and settled and (math.isnan(far) or _same(far, early, largest)):
            held = hold(held, sign * sympy.Integer(_FAR))
        elif settled and math.isnan(far) and _same(beyond, later, largest):
            held = hold(held, sign * sympy.Integer(min(BEYOND_FLOAT32, int(largest))))
        elif swings and _settles(expression, {**rule, X: sign * math.inf}):
            bound = int(largest) if not defaults else BEYOND_FLOAT32 if largest > BEYOND_FLOAT32 else _BEYOND_ADDING
            turning = hold(turning, sign * sympy.Integer(bound))  # omega*x may be infinite
        elif swings and not _settles(expression, {**rule, X: sign * largest}):
            continue
        elif abs(far) < 1e6 and abs(far - near) <= 1e-6 * max(1.0, abs(far)):
            moved = {s: 4 * v for s, v in rule.items()}
            last, before = (
                in_floats(expression, {**moved, X: sign * v}) for v in (largest, min(largest, BEYOND_FLOAT32))
            )
            overflows = near == beyond and math.isfinite(last) and last != before  # alpha*x may be infinite
            held = hold(held, sign * sympy.Integer(BEYOND_FLOAT32 if overflows else int(largest)))
        elif (
            abs(beyond) > BEYOND_FLOAT32 / 2**100
            if largest < BEYOND_FLOAT32
            else math.isnan(far) and near == beyond  # 4*x may be infinite beside a 0
        ):
            held = hold(held, sign * sympy.Integer(BEYOND_FLOAT32))
    if turning != X:
        expression = expression.replace(_is_circular, lambda n: n.xreplace({X: turning}))
    return expression.xreplace({X: held}) if held != X else expression


def _same(a: float, b: float, largest: float) -> bool:
    """Whether two values are the same number of a dtype, given the largest."""
    return a == b or (largest < BEYOND_FLOAT32 and max(abs(a), abs(b)) < _NOTHING)


def _is_circular(node: Any) -> bool:
    return isinstance(node, sympy.sin | sympy.cos)


def _settles(expression: Expr, end: Mapping[Symbol, float]) -> bool:
    """Whether a value far out is the same whatever sines and cosines are there: of x + sin(x), but not of x*sin(x)."""
    values = {
        in_floats(expression.replace(_is_circular, lambda n, swing=swing: swing[isinstance(n, sympy.cos)]), end)
        for swing in _SWINGS
    }
    return len(values) == 1 and not math.isnan(*values)


_SWINGS = ((Rational(1, 4), Rational(-3, 4)), (Rational(-1, 2), Rational(1, 8)))
_BEYOND_ADDING = 2**100
"""Beside it, and far beyond, a sine is nothing."""
_NOTHING = 2.0**-151
"""Below, a number is 0 in float32."""
_FAR = 176
"""So far out, and twice as far, exp(x) and its products with powers of x are below float64's largest number. With a
parameter beside x it says nothing: exp(0.001*x) has hardly begun."""
BEYOND_FLOAT32 = 2**500
"""Infinite in float32, and its square isn't in float64."""


def in_floats(expression: Expr, values: Mapping[Symbol, float]) -> float:
    """The value in float64 arithmetic, infinities and NaN included; NaN for a function that isn't among `_IN_FLOATS`."""
    import numpy as np

    def holds(condition: Any) -> bool:
        inside = condition.xreplace(
            {r: _TRUE_OR_FALSE[bool(_COMPARES[r.rel_op](of(r.lhs), of(r.rhs)))] for r in condition.atoms(Relational)}
        )
        return bool(inside)

    def of(node: Any) -> Any:
        if node in values:
            return np.float64(values[node])
        if node.is_number:
            return np.float64(node)
        if isinstance(node, Piecewise):
            return next((of(e) for e, condition in node.args if holds(condition)), np.float64(math.nan))
        if isinstance(node, Pow) and not isinstance(node, sympy.exp):
            base, exponent = map(of, node.args)
            return np.power(base, exponent)
        arguments = [of(a) for a in node.args]
        if isinstance(node, Add):
            return sum(arguments, np.float64(0))
        if isinstance(node, Mul):
            return np.prod(arguments)
        found = _IN_FLOATS.get(node.func)
        return found(np, *arguments) if found else np.float64(math.nan)

    with np.errstate(all="ignore"):
        return float(of(expression))


# -- NaN ----------------------------------------------------------------------------------------------------------------


def with_nan(expression: Expr, names: Mapping[Symbol, Expr]) -> Expr:
    """The expression where a NaN of x reaches the result; else with one more choice that lets it: 1 for x > 0, 0 for x <= 0, x.

    `names` are those of x as branches see it, with their meanings, the outer ones first.
    """
    carrying = {X}
    for symbol, meaning in names.items():
        if _carries_nan(meaning, carrying):
            carrying.add(symbol)
    if _carries_nan(expression, carrying):
        return expression
    if isinstance(expression, Piecewise) and len(expression.args) == 2:
        (first, condition), (second, _) = expression.args
        if isinstance(condition, sympy.Gt | sympy.Ge | sympy.Lt | sympy.Le):
            return Piecewise((first, condition), (Piecewise((second, condition.negated), (X, True)), True))
    return Piecewise((expression, X <= 0), (Piecewise((expression, X > 0), (X, True)), True))


def _carries_nan(node: Any, carrying: Collection[Symbol]) -> bool:
    """Whether a value is NaN where the names in `carrying` are."""
    if not isinstance(node, Piecewise):
        return node in carrying or any(_carries_nan(a, carrying) for a in node.args)
    for branch, condition in node.args:
        holds = _with_nan_inside(condition, carrying)
        if holds != S.false and not _carries_nan(branch, carrying):
            return False
        if holds == S.true:
            break
    return True


def _with_nan_inside(condition: Any, carrying: Collection[Symbol]) -> Any:
    """A condition with what a comparison is where one side is NaN: false, and true for !=."""
    compared = [r for r in condition.atoms(Relational) if any(_carries_nan(a, carrying) for a in r.args)]
    return condition.xreplace({r: _TRUE_OR_FALSE[isinstance(r, sympy.Ne)] for r in compared})


_TRUE_OR_FALSE = (S.false, S.true)
_COMPARES: Mapping[str, Any] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_IN_FLOATS: Mapping[Any, Any] = {
    sympy.exp: lambda np, u: np.exp(u),
    expm1: lambda np, u: np.expm1(u),
    sympy.tanh: lambda np, u: np.tanh(u),
    sigmoid: lambda np, u: 1 / (1 + np.exp(-u)),
    softplus: lambda np, u: np.logaddexp(0, u),
    sympy.log: lambda np, u: np.log(u),
    log1p: lambda np, u: np.log1p(u),
    sympy.erf: lambda np, u: math.erf(u),
    erfc: lambda np, u: math.erfc(u),
    sympy.atan: lambda np, u: np.arctan(u),
    sympy.asinh: lambda np, u: np.arcsinh(u),
    sympy.sinh: lambda np, u: np.sinh(u),
    sympy.cosh: lambda np, u: np.cosh(u),
    cbrt: lambda np, u: np.cbrt(u),
    sympy.sin: lambda np, u: np.sin(u),
    sympy.cos: lambda np, u: np.cos(u),
    sympy.Abs: lambda np, u: np.abs(u),
    sympy.sign: lambda np, u: np.sign(u),
    maximum: lambda np, u, v: np.maximum(u, v),
    minimum: lambda np, u, v: np.minimum(u, v),
}

"""Rewriting that a derivative needs beyond stable forms: one fraction, one exponential, x - tanh(x) near 0, huge squares.

Leans on nothing but the formula language. The idea: each pass looks for one pattern whose terms cancel, overflow or
meet as 0 times infinity, replaces it by the same function in another form, and leaves everything else as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import sympy
from sympy import Add, Dummy, Expr, Ge, Gt, Mul, Piecewise, Pow, Rational, S

from actfn.formula.functions import X, sigmoid

# -- one fraction -------------------------------------------------------------------------------------------------------

_LARGEST_FRACTION = 150
"""Operations of what is brought to one fraction; beyond, factoring takes too long."""


def one_fraction(expression: Expr) -> Expr:
    """Algebraic terms that are subtracted, such as 1/(1 + x) - x/(1 + x)^2, as one fraction where that is shorter."""
    if not expression.has(X) or not expression.args:
        return expression
    if isinstance(expression, Add | Mul) and _subtracts(expression):
        kind = type(expression)
        algebraic = [a for a in expression.args if _is_algebraic(a)]
        whole = kind(*algebraic)
        found = _fraction(whole)
        if found is not None:
            return kind(found, *(one_fraction(a) for a in expression.args if not _is_algebraic(a)))
    args = [one_fraction(a) if isinstance(a, Expr) else _in_branch(a) for a in expression.args]
    return expression.func(*args) if tuple(args) != expression.args else expression


def _in_branch(node: Any) -> Any:
    is_branch = isinstance(node, sympy.functions.elementary.piecewise.ExprCondPair)
    return (one_fraction(node.expr), node.cond) if is_branch else node


def _subtracts(expression: Expr) -> bool:
    """Whether a sum somewhere in it has a term with a minus, or one that a choice of signs may give a minus."""
    return any(
        isinstance(node, Add)
        and any(a.has(X) and (a.could_extract_minus_sign() or a.has(Piecewise)) for a in node.args)
        for node in sympy.preorder_traversal(expression)
    )


def _is_algebraic(node: Expr) -> bool:
    """Whether nothing but x, parameters, arithmetic, square roots, |x| and its slope are in it."""
    if node.is_Symbol or node.is_Rational or _sign_condition(node) is not None:
        return True
    if isinstance(node, Pow) and not isinstance(node, sympy.exp):
        return bool(node.exp.is_Rational) and node.exp.q <= 2 and _is_algebraic(node.base)
    return isinstance(node, Add | Mul) and all(map(_is_algebraic, node.args))


def _sign_condition(node: Expr) -> Any:
    """The condition c of where(c, 1, -1) and where(c, x, -x) for c: x > 0 or x >= 0; None for anything else."""
    if not isinstance(node, Piecewise) or len(node.args) != 2:
        return None
    (first, condition), (second, _) = node.args
    is_sign = first in (S.One, X) and second == -first and condition in (Gt(X, 0), Ge(X, 0))
    return condition if is_sign else None


def _fraction(whole: Expr) -> Expr | None:
    """The fraction, if it is shorter."""
    size = sympy.count_ops(whole)
    if size > _LARGEST_FRACTION or not any(_is_below(n) for n in sympy.preorder_traversal(whole)):
        return None
    letters: dict[Expr, Dummy] = {}
    squares: list[tuple[Dummy, Expr]] = []

    def letter(meaning: Expr, square: Expr) -> Dummy:
        if meaning not in letters:
            letters[meaning] = Dummy(real=True)
            squares.append((letters[meaning], square))
        return letters[meaning]

    def rational(node: Expr) -> Expr:
        condition = _sign_condition(node)
        if condition is not None:
            sign = letter(Piecewise((1, condition), (-1, True)), S.One)
            return sign * X if node.has(-X) else sign
        if isinstance(node, Pow) and node.exp.q == 2:
            return letter(sympy.sqrt(node.base), rational(node.base)) ** int(2 * node.exp)
        return node.func(*map(rational, node.args)) if node.args else node

    numerator, denominator = sympy.fraction(sympy.together(rational(whole)))
    found = min(_quotients(numerator, denominator, squares), key=sympy.count_ops)
    meanings = {dummy: meaning for meaning, dummy in letters.items()}
    signs = {dummy for dummy, meaning in meanings.items() if isinstance(meaning, Piecewise)}

    def absolute(node: Mul) -> Expr:
        (sign,) = signs.intersection(node.args)
        return node / (sign * X) * sympy.Abs(X)

    found = found.replace(
        lambda n: isinstance(n, Mul) and X in n.args and len(signs.intersection(n.args)) == 1, absolute
    ).xreplace(meanings)
    return found if sympy.count_ops(found) < size else None


def _quotients(numerator: Expr, denominator: Expr, squares: Sequence[tuple[Dummy, Expr]]) -> Iterator[Expr]:
    """The factored fraction with the squares of roots written out, and with x^2 written in the only root's square."""
    for root, square in reversed(squares):
        numerator = sympy.rem(sympy.expand(numerator), root**2 - square, root)
    yield sympy.factor(numerator / denominator)
    if len(squares) == 1 and sympy.degree(squares[0][1], X) == 2:
        root, square = squares[0]
        reduced = [sympy.rem(sympy.expand(e), square - root**2, X) for e in (numerator, denominator)]
        yield sympy.factor(reduced[0] / reduced[1])


def _is_below(node: Any) -> bool:
    return isinstance(node, Pow) and bool(node.exp.is_negative) and node.has(X)


# -- one exponential ----------------------------------------------------------------------------------------------------


def one_exponential(expression: Expr) -> Expr:
    """exp(x)*exp(-exp(x)), where infinity meets 0, as exp(x - exp(x)); sigmoid(-c*exp(x)) beside an exp takes part."""
    return expression.replace(lambda n: isinstance(n, Mul), _joined)


def _joined(node: Mul) -> Expr:
    exponents = [f.args[0] for f in node.args if isinstance(f, sympy.exp)]
    others = [f for f in node.args if not isinstance(f, sympy.exp)]
    if not exponents:
        return node
    rest: list[Expr] = []
    for factor in others:
        base, power = factor.as_base_exp()
        u = base.args[0] if isinstance(base, sigmoid) else S.Zero
        if u.has(sympy.exp) and u.could_extract_minus_sign() and power.is_positive:
            exponents.append(power * u)
            rest.append(sigmoid(-u) ** power)
        else:
            rest.append(factor)
    joins = len(exponents) > 1 and any(e.has(sympy.exp) for e in exponents)
    return Mul(*rest, sympy.exp(Add(*exponents))) if joins else node


def without_asinh(expression: Expr) -> Expr:
    """exp(asinh(u)) as u + sqrt(u^2 + 1), on the left as its inverse's inverse, and exp(v)/(1 + exp(2*v)) by that root."""

    def gate(node: Mul) -> Expr:
        for v in [f.args[0] for f in node.args if isinstance(f, sympy.exp) and isinstance(f.args[0], sympy.asinh)]:
            if sigmoid(-2 * v) in node.args:
                return node / (sympy.exp(v) * sigmoid(-2 * v)) / (2 * sympy.sqrt(v.args[0] ** 2 + 1))
        return node

    def power(v: Expr) -> Expr:
        if not isinstance(v, sympy.asinh):
            return sympy.exp(v)
        (u,) = v.args
        root = sympy.sqrt(u**2 + 1)
        return Piecewise((u + root, u > 0), (1 / (root - u), True))

    if not expression.has(sympy.asinh):
        return expression
    return expression.replace(lambda n: isinstance(n, Mul), gate).replace(sympy.exp, power)


# -- x - tanh(x) --------------------------------------------------------------------------------------------------------

_NEAR = Rational(5, 4)
"""Where x - tanh(x) is evaluated as it is: there its difference is less than two binary digits shorter than x."""
_TERMS = 10
"""Of both series; what is left out is below 2^-61 of the value up to _NEAR."""


def without_cancelling_tanh(expression: Expr) -> Expr:
    """u - tanh(u) as (u*cosh(u) - sinh(u))/cosh(u) near 0, over the series of both: all their terms are positive."""
    return expression.replace(lambda n: isinstance(n, Add), _shrunk)


def _shrunk(node: Add) -> Expr:
    for term in node.args:
        factors = Mul.make_args(term)
        found = [f for f in factors if isinstance(f, sympy.tanh)]
        if len(found) != 1:
            continue
        u = found[0].args[0]
        rest = Mul(*(f for f in factors if f is not found[0]))
        if -rest * u in node.args:
            others = [a for a in node.args if a not in (term, -rest * u)]
            square = u**2
            top = _series([Rational(2 * k, math.factorial(2 * k + 1)) for k in range(1, _TERMS + 1)], square)
            bottom = _series([Rational(1, math.factorial(2 * k)) for k in range(_TERMS + 1)], square)
            near = -rest * u**3 * top / bottom
            return Add(*others, Piecewise((near, sympy.Abs(u) < _NEAR), (Add(-rest * u, term), True)))
    return node


def _series(coefficients: Sequence[Rational], square: Expr) -> Expr:
    """By Horner's rule."""
    total: Expr = S.Zero
    for coefficient in reversed(coefficients):
        total = coefficient + square * total
    return total


# -- squares that overflow ----------------------------------------------------------------------------------------------

_HUGE = 2**500
"""Its square is a float64, and beside it what else is under a root is nothing."""


def without_overflowing_squares(expression: Expr) -> Expr:
    """sqrt(b + c*x^2) as sqrt(c)*|x| for an x whose square may be infinite in float64."""

    def guarded(node: Expr) -> Expr:
        root = sympy.sqrt(node.base)
        slope = node.base.coeff(X, 2)
        return Piecewise((sympy.sqrt(slope) * sympy.Abs(X), sympy.Abs(X) > _HUGE), (root, True)) ** int(2 * node.exp)

    return expression.replace(_is_root_of_a_square, guarded)


def _is_root_of_a_square(node: Any) -> bool:
    if not (isinstance(node, Pow) and abs(node.exp) == Rational(1, 2) and isinstance(node.base, Add)):
        return False
    slope = node.base.coeff(X, 2)
    return bool(slope.is_positive) and not (node.base - slope * X**2).has(X)

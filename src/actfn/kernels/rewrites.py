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

from actfn.formula.functions import X, erfc, sigmoid, softplus

# -- one fraction -------------------------------------------------------------------------------------------------------

_LARGEST_FRACTION = 150
"""Operations of what is brought to one fraction; beyond, factoring takes too long."""


def one_fraction(expression: Expr) -> Expr:
    """Algebraic terms that are subtracted, such as 1/(1 + x) - x/(1 + x)^2, as one fraction where that is shorter."""
    if not expression.has(X) or not expression.args:
        return expression
    if isinstance(expression, Add | Mul) and _subtracts(expression):
        kind = type(expression)
        algebraic = [a for a in expression.args if is_algebraic(a)]
        whole = kind(*algebraic)
        found = _fraction(whole)
        if found is not None:
            return kind(found, *(one_fraction(a) for a in expression.args if not is_algebraic(a)))
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


def is_algebraic(node: Expr) -> bool:
    """Whether nothing but x, parameters, arithmetic, square roots, |x| and its slope are in it."""
    if node.is_Symbol or node.is_Rational or sign_condition(node) is not None:
        return True
    if isinstance(node, Pow) and not isinstance(node, sympy.exp):
        return bool(node.exp.is_Rational) and node.exp.q <= 2 and is_algebraic(node.base)
    return isinstance(node, Add | Mul) and all(map(is_algebraic, node.args))


def sign_condition(node: Expr) -> Any:
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
        condition = sign_condition(node)
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


# -- one tail -----------------------------------------------------------------------------------------------------------


def common_tails(expression: Expr) -> Expr:
    """s + x*s*t as s*(1 + x*t) for a function s with a tail: alone it may be a subnormal number where x*s isn't.

    A power of a sigmoid becomes an exponential, whose argument loses nothing.
    """
    expression = expression.replace(
        lambda n: isinstance(n, Pow) and isinstance(n.base, sigmoid) and not n.exp.is_Integer,
        lambda n: sympy.exp(-n.exp * softplus(-n.base.args[0])),
    )
    return expression.replace(lambda n: isinstance(n, Add) and n.has(X), _common)


def _common(node: Add) -> Expr:
    parts = [Mul.make_args(t) for t in node.args]
    shared: list[Expr] = []
    for factor in parts[0]:
        base, power = (factor, 1) if isinstance(factor, sympy.exp) else factor.as_base_exp()
        if power == 1 and base.has(X) and isinstance(base, sigmoid | erfc | sympy.exp | sympy.erfc):
            shared += [base] * all(any(_is_power_of(base, f) for f in part) for part in parts)
    return Mul(*shared, Add(*(t / Mul(*shared) for t in node.args))) if shared else node


def _is_power_of(base: Expr, factor: Expr) -> bool:
    return factor == base or (factor.is_Pow and factor.base == base and bool(factor.exp.is_Integer) and factor.exp > 1)


def factored(expression: Expr) -> Expr:
    """(1 - x) - (1 + x) - x*(1 - x)*(1 + x) as x*(x^2 - 3), if that is shorter: a polynomial by its roots."""
    return expression.replace(lambda n: isinstance(n, Add) and n.free_symbols == {X}, _factored)


def _factored(node: Add) -> Expr:
    subtracts = any(a.could_extract_minus_sign() for a in node.args)  # a series of positive terms is best as it is
    if not subtracts or not any(a.has(Add) for a in node.args) or not node.is_polynomial(X):
        return node
    found = sympy.factor(node)
    return found if sympy.count_ops(found) < sympy.count_ops(node) else node


# -- x - tanh(x) --------------------------------------------------------------------------------------------------------

_NEAR = Rational(5, 4)
"""Where x - tanh(x) is evaluated as it is: there its difference is less than two binary digits shorter than x."""
_TERMS = 10
"""Of both series; what is left out is below 2^-61 of the value up to _NEAR."""
_NEARER = Rational(1, 8)
"""From here on float64 keeps 2^-41 of the difference, which is enough for a float32."""
_FEW = tuple(Rational(p, q) for p, q in ((1, 3), (-2, 15), (17, 315), (-62, 2835), (1382, 155925), (-21844, 6081075)))
"""Of x - tanh(x) over x^3; what is left out is below 2^-43 of the value up to _NEARER."""


def without_cancelling_tanh(expression: Expr, wide: bool = False) -> Expr:
    """u - tanh(u) as (u*cosh(u) - sinh(u))/cosh(u) near 0, over the series of both: all their terms are positive.

    With `wide`, for float64 arithmetic whose result is rounded to float32 or less, a short series does.
    """
    return expression.replace(lambda n: isinstance(n, Add), lambda n: _shrunk(n, wide))


def _shrunk(node: Add, wide: bool) -> Expr:
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
            if wide:
                near, end = _series(_FEW, square), _NEARER
            else:
                top = _series([Rational(2 * k, math.factorial(2 * k + 1)) for k in range(1, _TERMS + 1)], square)
                bottom = _series([Rational(1, math.factorial(2 * k)) for k in range(_TERMS + 1)], square)
                near, end = top / bottom, _NEAR
            return Add(*others, Piecewise((-rest * u**3 * near, sympy.Abs(u) < end), (Add(-rest * u, term), True)))
    return node


def _series(coefficients: Sequence[Rational], square: Expr) -> Expr:
    """By Horner's rule."""
    total: Expr = S.Zero
    for coefficient in reversed(coefficients):
        total = coefficient + square * total
    return total


# -- atan(t) - t/(1 + t^2) ---------------------------------------------------------------------------------------------

_LEFT = Rational(-5, 4)
"""From here to the left the difference is less than a quarter of its terms."""
_ATAN_TERMS = 40
"""Of Euler's series; what is left out is below 2^-56 of the value to the left of _LEFT."""


def without_cancelling_atan(expression: Expr) -> Expr:
    """2*atan(exp(asinh(u))) + u/(1 + u^2) on the left, where it is the rest of Euler's series after the first term.

    With t = -1/u it is atan(t) - t/(1 + t^2), and with y = 1/(1 + u^2) that is -u*y^2*(2/3 + 2/3*4/5*y + ...).
    """
    return expression.replace(lambda n: isinstance(n, Add) and n.has(sympy.atan), _rest_of_series)


def _rest_of_series(node: Add) -> Expr:
    for term in node.args:
        found = [f for f in Mul.make_args(term) if isinstance(f, sympy.atan)]
        if len(found) != 1 or not isinstance(found[0].args[0], sympy.exp):
            continue
        v, c = found[0].args[0].args[0], term / found[0]
        if not isinstance(v, sympy.asinh):
            continue
        (u,) = v.args
        for other in node.args:
            if other != term and sympy.cancel(without_asinh(other) - c / 2 * u / (1 + u**2)) == 0:
                y = 1 / (1 + u**2)
                coefficients = [Rational(2, 3)]
                for k in range(2, _ATAN_TERMS + 1):
                    coefficients.append(coefficients[-1] * Rational(2 * k, 2 * k + 1))
                left = -c / 2 * u * y**2 * _series(coefficients, y)
                rest = [a for a in node.args if a not in (term, other)]
                return Add(*rest, Piecewise((left, u < _LEFT), (term + other, True)))
    return node


# -- 1 + cos(u) ---------------------------------------------------------------------------------------------------------


def without_double_zeros(expression: Expr) -> Expr:
    """1 + cos(u) as 2*cos(u/2)^2, 1 - cos(u) as 2*sin(u/2)^2, 1 + 2*sin(u)*cos(u) as (sin(u) + cos(u))^2."""
    return expression.replace(lambda n: isinstance(n, Add) and n.has(sympy.sin, sympy.cos), _square)


def _square(node: Add) -> Expr:
    for term in node.args:
        circular = [f for f in Mul.make_args(term) if isinstance(f, sympy.cos | sympy.sin)]
        c = term / Mul(*circular)
        u = circular[0].args[0] if circular else X
        if len(circular) == 1 and circular[0].func is sympy.cos:
            pairs = [(c, 2 * c * sympy.cos(u / 2) ** 2), (-c, -2 * c * sympy.sin(u / 2) ** 2)]
        elif {f.func for f in circular} == {sympy.cos, sympy.sin} and circular[1].args[0] == u:
            pairs = [(c / 2, c / 2 * (sympy.sin(u) + sympy.cos(u)) ** 2)]
        else:
            continue
        for constant, square in pairs:
            if constant in node.args:
                return Add(*(a for a in node.args if a not in (term, constant)), square)
    return node


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

"""f' as a function of f(x): what a backward pass needs when the output was kept and the input was not.

Each piece is solved for x; where f never falls, the output alone tells which piece it came from. For ELU this gives
f' = y + alpha below 0, as Rota Bulo, Porzi and Kontschieder use it (In-place activated batch norm, arXiv:1712.02616).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Expr, Piecewise, S, Symbol

from actfn.definition import Definition
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X, elementary
from actfn.formula.pieces import Case, Piece, Undecided, cases
from actfn.kernels.lower import stable

Y = Symbol("_y", real=True)  # no parameter begins with _


class NoInverse(ValueError):
    """f' isn't known as a function of f(x). The text says why."""


@dataclass(frozen=True)
class FromOutput:
    """`slope` is f' over `Y` and the parameters; it holds where each of `nonnegative` is at least 0."""

    slope: Expr
    nonnegative: tuple[Expr, ...]


@lru_cache(maxsize=512)
def from_output(definition: Definition) -> FromOutput:
    """f' as a function of f(x), and for which parameters. Raises `NoInverse`."""
    try:
        (case,) = cases(definition.expression)
    except (Undecided, ValueError):
        raise NoInverse(f"{definition.name}: its pieces depend on the parameters") from None
    if case.breakpoints and definition.conventions != "left":
        raise NoInverse(f"{definition.name}: its convention at kinks isn't 'left'")
    if any(p.undefined for p in case.pieces) or any(b.at is None or b.singular for b in case.breakpoints):
        raise NoInverse(f"{definition.name} isn't a continuous function on the whole line")
    demands: list[Expr] = []
    slopes = [_slope(definition, piece, demands) for piece in case.pieces]
    for before, after, breakpoint in zip(case.pieces, case.pieces[1:], case.breakpoints, strict=False):
        gap = sympy.simplify((after.expression - before.expression).subs(X, breakpoint.location))
        if not gap.is_zero:
            raise NoInverse(f"{definition.name} jumps at {breakpoint.location}")
        if not _rises_if(before, after):  # y is f(b) at b, whose slope is the left one, and at every x right of it
            raise NoInverse(
                f"{definition.name}: it may be level where it is {after.expression}, with one y for two slopes"
            )
    branches: list[tuple[Expr, object]] = []
    for i in range(len(slopes) - 1, 0, -1):  # y above f(b) came from the right of b
        branches.append((slopes[i], sympy.Gt(Y, _value_at(case, i - 1))))
    branches.append((slopes[0], S.true))
    return FromOutput(Piecewise(*branches), tuple(dict.fromkeys(demands)))


def _value_at(case: Case, i: int) -> Expr:
    return sympy.simplify(case.pieces[i].expression.subs(X, case.breakpoints[i].location))


def _slope(definition: Definition, piece: Piece, demands: list[Expr]) -> Expr:
    """The piece's f' over Y; adds to `demands` what must not be negative for f to rise."""
    slope = smooth_derivative(piece.expression, 1)
    if not slope.has(X):
        if not slope.is_nonnegative:
            demands.append(slope)
        return slope
    factor, rest = stable(slope).as_independent(X, as_Add=False)
    if not elementary(rest).is_positive and not rest.is_positive:
        raise NoInverse(f"{definition.name}: it isn't shown that {piece.expression} rises everywhere")
    if not factor.is_nonnegative:
        demands.append(factor)
    try:
        solutions = sympy.solve(_in_exponentials(piece.expression) - Y, X)
    except NotImplementedError:
        solutions = []
    solutions = [s for s in solutions if _inverts(s, piece)]
    if len(solutions) != 1:
        raise NoInverse(f"{definition.name}: {piece.expression} = y has no single solution that is known")
    found = stable(sympy.simplify(_in_exponentials(slope).subs(X, solutions[0])))
    return sympy.factor(found) if found.is_polynomial(Y) and sympy.degree(found, Y) > 1 else found


def _rises_if(before: Piece, after: Piece) -> bool:
    """Whether a piece, at the parameters at which none falls, rises or is as level as the one left of it."""
    left, right = (
        stable(smooth_derivative(p.expression, 1)).as_independent(X, as_Add=False)[0] for p in (before, after)
    )
    return bool(right.is_positive) or bool(right.is_nonzero is None and sympy.cancel(left / right).is_number)


def _inverts(solution: Expr, piece: Piece) -> bool:
    """Whether a solution, put to the test at two points of the piece, gives back x."""
    numbers = {s: S(3) / 2 for s in piece.expression.free_symbols - {X}}
    left, right = piece.left.xreplace(numbers), piece.right.xreplace(numbers)
    low = left if left.is_finite else (right if right.is_finite else S.Zero) - 2
    high = right if right.is_finite else low + 2
    for part in (S(1) / 3, S(3) / 4):
        point = low + (high - low) * part
        value = piece.expression.xreplace(numbers).subs(X, point)
        back = solution.xreplace(numbers).subs(Y, value).evalf(30)
        if not (back.is_real and abs(back - point) < S(10) ** -15):
            return False
    return True


def _in_exponentials(expression: Expr) -> Expr:
    return elementary(expression).replace(sympy.tanh, lambda u: 2 / (1 + sympy.exp(-2 * u)) - 1)

"""The derivative of any order of a formula, exactly, with the value at each kink that its convention asks for.

Between its breakpoints a formula is differentiated branch by branch and the branches keep their conditions. What a
convention changes is only which side a condition counts a breakpoint to: "left" turns `x >= 0` into `x > 0`, so that
the left branch answers at 0. No breakpoint has to be solved for, so the rule holds for every formula that parses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy import Eq, Expr, Ge, Gt, Le, Lt, Ne, Piecewise, Rational, S
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Or

from actfn.formula.functions import X, sigmoid
from actfn.formula.parse import parse
from actfn.formula.pieces import unfold

MAX_ORDER = 8

Conventions = str | float | Mapping[str, str | float]


class _tanh(sympy.Function):
    """tanh while a derivative is taken: sech^2 as a product of sigmoids, where SymPy's 1 - tanh^2 cancels in the tails."""

    nargs = 1

    def fdiff(self, argindex=1):
        u = self.args[0]
        return 4 * sigmoid(2 * u) * sigmoid(-2 * u)


def derivative(
    expression: Expr, order: int = 1, conventions: Conventions = "left", by: Sequence[sympy.Symbol] = ()
) -> Expr:
    """The derivative d^n/dx^n of a formula as an expression in x and the parameters, and by parameters too if given.

    `order` is from 0 (the formula itself) to 8. `conventions` is as in `actfn.definition.Definition`: a side applies at
    every order; a number is the value of f' (higher orders take the mean of both sides there).
    Raises `ValueError` for another order or an unknown convention.
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= MAX_ORDER:
        raise ValueError(f"the order of a derivative is a whole number from 0 to {MAX_ORDER}, not {order!r}")
    symbols = {s.name: s for s in expression.free_symbols if s != X}  # of which some may vanish
    for symbol in by:
        expression = _plain_derivative(unfold(expression), symbol)
    if order == 0:
        return expression
    result = smooth_derivative(unfold(expression), order)
    relations = sorted((r for r in result.atoms(Relational) if r.has(X)), key=sympy.default_sort_key)
    if not relations:
        return result
    rules = {relation: _convention(relation, conventions, symbols) for relation in relations}
    left = result.xreplace({r: one_sided(r, "right" if rule == "right" else "left") for r, rule in rules.items()})
    averaged = [r for r, rule in rules.items() if rule not in ("left", "right")]
    if not averaged:
        return left
    right = result.xreplace({r: one_sided(r, "left" if rule == "left" else "right") for r, rule in rules.items()})
    if left == right:
        return left
    branches: list[tuple[Expr, Boolean]] = []
    for rule in dict.fromkeys(rules[r] for r in averaged):
        at = Or(*(Eq(r.lhs, r.rhs) for r in averaged if rules[r] == rule))
        number = None if rule == "mean" or order > 1 else sympy.sympify(Rational(str(rule)))
        branches.append(((left + right) / 2 if number is None else number, at))
    return Piecewise(*branches, (left, True))


def smooth_derivative(expression: Expr, order: int) -> Expr:
    """The derivative of each branch; conditions stay as they are."""
    for _ in range(order):
        expression = _plain_derivative(expression, X)
    return expression


def _plain_derivative(expression: Expr, symbol: sympy.Symbol) -> Expr:
    return sympy.diff(expression.replace(sympy.tanh, _tanh), symbol).replace(_tanh, sympy.tanh)


def one_sided(relation: Relational, side: str) -> Boolean:
    """A condition that agrees with `relation` near its breakpoint and, at the breakpoint, with its value on one side."""
    if isinstance(relation, Eq):
        return S.false
    if isinstance(relation, Ne):
        return S.true
    above = isinstance(relation, Gt | Ge)
    slope = sympy.diff(relation.lhs - relation.rhs, X)
    rising, falling = slope.is_positive, slope.is_negative
    strict, loose = (Gt, Ge) if above else (Lt, Le)
    if rising or falling:
        holds_right = above == bool(rising)
        return (loose if holds_right == (side == "right") else strict)(relation.lhs, relation.rhs)
    turns_on = Gt(slope, 0) if above == (side == "right") else Lt(slope, 0)
    return Or(strict(relation.lhs, relation.rhs), And(Eq(relation.lhs, relation.rhs), turns_on))


def _convention(relation: Relational, conventions: Conventions, symbols: Mapping[str, sympy.Symbol]) -> str | float:
    if not isinstance(conventions, Mapping):
        return _checked(conventions)
    for place, rule in conventions.items():
        at = parse(place, symbols)
        if sympy.simplify((relation.lhs - relation.rhs).subs(X, at)) == 0:
            return _checked(rule)
    return "left"


def _checked(rule: str | float) -> str | float:
    if rule in ("left", "right", "mean") or (isinstance(rule, int | float) and not isinstance(rule, bool)):
        return rule
    raise ValueError(f"unknown convention {rule!r}; write 'left', 'right', 'mean' or a number")

"""Guards: no branch of a choice sees an x outside its region, so neither its value nor its gradient is NaN there.

Leans on nothing but the formula language. The idea: where another branch answers, a harmless point stands in for x, found
by trying the region's edges and the points between and beside them. A NaN still reaches a branch that depends on x.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import sympy
from sympy import Expr, Ge, Gt, Le, Lt, Ne, Piecewise, Pow, Rational, S, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from actfn.formula.functions import X, erfc, maximum, minimum, sigmoid, softplus
from actfn.formula.pieces import unfold


class Guards:
    """Every branch sees its own region only: where another branch answers, a harmless point stands in for x.

    `assignments` names x as the branches may see it, outer branches first. `defaults` are values of the parameters
    at which a stand-in is tried, `taken` the names that may not be used.
    """

    def __init__(self, defaults: Mapping[Symbol, Expr], taken: Iterable[str]):
        self.defaults = defaults
        self.taken = set(taken)
        self.assignments: list[tuple[Symbol, Expr]] = []

    def visit(self, node: Expr, x: Symbol) -> Expr:
        """`node`, in X, rewritten over `x`, which equals X wherever the node's value counts."""
        if not node.args:
            return x if node == X else node
        if isinstance(node, Boolean):
            return node.xreplace({X: x})
        if not isinstance(node, Piecewise):
            return node.func(*(self.visit(a, x) for a in node.args))
        branches = []
        before: list[Boolean] = []
        for branch, condition in node.args:
            seen = x
            if _risky(branch):
                inside = And(*(Not(c) for c in before), condition)
                outside = Or(*before) if condition == S.true else Not(inside)
                point = _stand_in(branch, inside, self.defaults)
                if point is not None:
                    seen = self.named(Piecewise((point, outside), (X, True)).xreplace({X: x}))
            branches.append((self.visit(branch, seen), condition.xreplace({X: x})))
            before.append(condition)
        return Piecewise(*branches)

    def named(self, expression: Expr) -> Symbol:
        for symbol, other in self.assignments:
            if other == expression:
                return symbol
        symbol = fresh("x", self.taken, _sign_of_stand_in(expression))
        self.assignments.append((symbol, expression))
        return symbol


def _sign_of_stand_in(expression: Expr) -> dict[str, bool]:
    """What is known of x where 0 stands in for its positive, or its negative, values."""
    (point, outside), (x, _) = expression.args
    if point.is_zero and isinstance(outside, Relational) and {outside.lhs, outside.rhs} == {x, S.Zero}:
        above = isinstance(outside, Gt | Ge) == (outside.lhs == x)
        return {"nonpositive": True} if above else {"nonnegative": True}
    return {"real": True}


def fresh(stem: str, taken: set[str], assumptions: Mapping[str, bool] | None = None) -> Symbol:
    name = next(n for i in itertools.count() if (n := f"{stem}{i}") not in taken)
    taken.add(name)
    return Symbol(name, **(assumptions or {"real": True}))


_ENTIRE_BOUNDED = (sigmoid, softplus, sympy.tanh, sympy.atan, sympy.sin, sympy.cos, sympy.erf, erfc, sympy.asinh)
_SELECTS = (Piecewise, maximum, minimum, sympy.Abs, sympy.sign)


def _risky(expression: Expr) -> bool:
    """Whether a value or a gradient could overflow or be undefined somewhere."""
    for node in sympy.preorder_traversal(expression):
        if isinstance(node, Pow) and node.has(X):
            return True
        if isinstance(node, sympy.Function) and node.has(X) and not isinstance(node, (*_ENTIRE_BOUNDED, *_SELECTS)):
            return True
    return False


def _stand_in(branch: Expr, inside: Boolean, defaults: Mapping[Symbol, Expr]) -> Expr | None:
    """A point in the branch's region, or at its edge, where the branch and its slope are finite."""
    edges = []
    for relation in inside.atoms(Relational):
        g = relation.lhs - relation.rhs
        if g.is_polynomial(X) and sympy.degree(g, X) == 1:
            a, b = sympy.Poly(g, X).all_coeffs()
            edges.append(sympy.cancel(-b / a))
    edges = sorted(set(edges), key=lambda e: (bool(e.free_symbols), sympy.default_sort_key(e)))
    middles = [(p + q) / 2 for i, p in enumerate(edges) for q in edges[i + 1 :]]
    candidates = [S.Zero, *edges, *middles, *(e + s for e in edges for s in (1, -1)), S.One, S.NegativeOne]
    slope = sympy.diff(unfold(branch), X)
    for candidate in dict.fromkeys(candidates):
        if all(_harmless(candidate, branch, slope, inside, rule) for rule in _trials(defaults)):
            return candidate
    return None


def _trials(defaults: Mapping[Symbol, Expr]) -> list[dict[Symbol, Expr]]:
    moved = [{s: v * k for s, v in defaults.items()} for k in (Rational(3, 2), Rational(1, 3))]
    return [dict(defaults), *moved] if defaults else [{}]


def _harmless(point: Expr, branch: Expr, slope: Expr, inside: Boolean, rule: Mapping[Symbol, Expr]) -> bool:
    at = {X: point.xreplace(dict(rule))}
    relaxed = inside.replace(Gt, Ge).replace(Lt, Le).replace(lambda n: isinstance(n, Ne), lambda n: S.true)
    if relaxed.xreplace(dict(rule)).subs(at) != S.true:
        return False
    for value in (branch, slope):
        number = value.xreplace(dict(rule)).subs(at).evalf(20)
        if not (number.is_number and number.is_real and number.is_finite):
            return False
    return True


def keep_nan(expression: Expr) -> Expr:
    """NaN in, NaN out: a NaN, for which every comparison fails, must reach a branch that depends on x."""
    return expression.replace(lambda n: isinstance(n, Piecewise), _nan_last)


def _nan_last(node: Piecewise) -> Expr:
    (first, condition), *rest = node.args
    if len(rest) == 1 and rest[0][1] == S.true and first.has(X) and not rest[0][0].has(X):
        return Piecewise((rest[0][0], Not(condition)), (first, True))
    return node

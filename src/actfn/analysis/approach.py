"""A formula as x comes to an end of an interval: its sign near there and its limit, both proven.

The end is moved to infinity (x = y, -y, a + 1/y or a - 1/y) and the formula becomes an expansion of `analysis.tails`, of
more terms or from further out until it tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from flint import fmpq
from sympy import Expr

from actfn.analysis.scale import FIRST, ONE, Loose, Y, exact
from actfn.analysis.tails import Tail, Vague
from actfn.formula.functions import X
from actfn.formula.pieces import Undecided

ATTEMPTS = ((16, 4), (16, 8), (32, 8), (64, 8), (256, 8), (1024, 8), (1024, 9), (1 << 14, 8))
"""(T, terms): tried in turn."""


@dataclass(frozen=True)
class End:
    """An end of the line or one side of a point: `place` is -oo, oo or a constant, `side` "+" where x comes from above."""

    place: Expr
    side: str

    def expansion(self, expression: Expr, start: int, length: int, near: int = 1) -> Tail:
        """The expression for y >= start, where x = y/near, -y/near, place + 1/y or place - 1/y."""
        y = Tail(((ONE, Y),), start, length)
        if self.place.is_infinite:
            x = y.scaled(fmpq(1 if self.place is sympy.oo else -1, near))
        else:
            x = y.constant(exact(self.place)) + y.inverse().scaled(ONE if self.side == "+" else fmpq(-1))
        return _expanded(expression, x)

    def sign(self, expression: Expr, least: int = FIRST, most: int = 1 << 40, near: int = 1) -> tuple[int, int]:
        """(sign, T): the sign of an expression for all y >= T, with T between `least` and `most`. Raises `Undecided`."""
        return self._tried(expression, Tail.sign, least, most, near)

    def limit(self, expression: Expr) -> Expr:
        """The limit of an expression, exactly. Raises `Undecided`."""
        return self._tried(expression, Tail.limit)[0]

    def _tried(self, expression: Expr, read: Callable, least: int = FIRST, most: int = 1 << 40, near: int = 1):
        reason: Undecided | None = None
        skip = (0, 0)
        for start, length in ATTEMPTS:
            start = max(start, least)
            if start > most or length <= skip[1] or start <= skip[0]:
                continue
            try:
                return read(self.expansion(expression, start, length, near)), start
            except Vague as failed:  # a longer expansion may help, a later start doesn't
                reason, skip = failed, (0, length)
            except Loose as failed:
                reason, skip = failed, (start, 0)
        raise Undecided(f"{reason} ({self})")

    def __str__(self) -> str:
        if self.place.is_infinite:
            return "as x -> infinity" if self.place is sympy.oo else "as x -> -infinity"
        return f"as x -> {str(self.place)[:40]}{self.side}"


def _expanded(expression: Expr, x: Tail) -> Tail:
    found: dict[Expr, Tail] = {}

    def of(node: Expr) -> Tail:
        if node not in found:
            found[node] = expand(node)
        return found[node]

    def expand(node: Expr) -> Tail:
        if node == X:
            return x
        if not node.has(X):
            return x.constant(exact(node))
        if isinstance(node, sympy.Add):
            constants, rest = node.as_independent(X)
            total = x.constant(exact(constants))
            for term in sympy.Add.make_args(rest):
                total = total + of(term)
            return total
        if isinstance(node, sympy.Mul):
            factor, rest = node.as_independent(X)
            factors = [of(f) for f in sympy.Mul.make_args(rest)]
            total = factors[0]
            for f in factors[1:]:
                total = total * f
            return total.scaled(exact(factor))
        if isinstance(node, sympy.Pow):
            if not node.exp.has(X):
                return of(node.base).power(exact(node.exp))
            log = x.constant(exact(sympy.log(node.base))) if not node.base.has(X) else of(node.base).log()
            return (log * of(node.exp)).exp()
        if len(node.args) != 1:
            raise Undecided(f"{node.func.__name__} in a tail")
        return of(node.args[0]).of(node.func)

    return of(expression)

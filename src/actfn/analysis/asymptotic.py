"""What an expression does as x grows: its expansion in falling orders x^p log(x)^q exp(e), each e an expansion itself.

Every rule is an identity or a series that converges for small arguments (or, for erfc, a classical asymptotic one),
cut off with the order of what is left out; so the leading terms are proven. Signs and zeros of coefficients come from
`formula.pieces.Signs`: what they can't tell raises `Undecided`. Terms that oscillate keep sin and cos in their
coefficients, which are bounded and are never taken for a sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce

import sympy
from sympy import Expr, Pow, Rational, S, Symbol

from actfn.formula.functions import cbrt, elementary, erfc, expm1, log1p, sigmoid, softplus
from actfn.formula.pieces import Signs, Undecided

T = Symbol("_t", positive=True)
"""Goes to infinity. No parameter begins with _."""

TERMS = 5
"""How many powers of a small quantity a series keeps."""

MOST = 40
"""More terms than this in a sum are cut off."""


@dataclass(frozen=True)
class Order:
    """T**power * log(T)**logs * exp(sum of coefficient*order in `exponent`), those growing faster than log(T)."""

    exponent: tuple[tuple[Order, Expr], ...] = ()
    power: Expr = S.Zero
    logs: Expr = S.Zero

    @property
    def expression(self) -> Expr:
        inner = sympy.Add(*(c * o.expression for o, c in self.exponent))
        return T**self.power * sympy.log(T) ** self.logs * sympy.exp(inner)


ONE = Order()


@dataclass(frozen=True)
class Expansion:
    """Terms from the largest order down, plus O(`rest`); exact where `rest` is None."""

    terms: tuple[tuple[Order, Expr], ...]
    rest: Order | None = None

    @property
    def is_zero(self) -> bool:
        return not self.terms and self.rest is None


def constant(value: Expr) -> Expansion:
    return Expansion(((ONE, value),)) if value != 0 else Expansion(())


def oscillates(coefficient: Expr) -> bool:
    """Whether a coefficient is a bounded function of T and no number."""
    return coefficient.has(T)


class Expander:
    """Expansions of expressions in `T`, under the signs that are known of their parameters."""

    def __init__(self, sign: Signs):
        self.signs = sign
        self._known: dict[Expr, Expansion] = {}

    # -- orders

    def sign(self, coefficient: Expr) -> int:
        """The sign of a coefficient. Raises `Undecided`."""
        s = None if oscillates(coefficient) else self.signs.known(coefficient)
        if s is None:
            raise Undecided(f"the sign of {coefficient}")
        return s

    def compare(self, a: Order, b: Order) -> int:
        """1 where a grows faster than b, 0 where they are the same, -1 where it is slower."""
        if a == b:
            return 0
        if a.exponent != b.exponent:
            difference = self._merged([*a.exponent, *((o, -c) for o, c in b.exponent)])
            if difference:
                return self.sign(difference[0][1])
        for x, y in ((a.power, b.power), (a.logs, b.logs)):
            if x != y and (s := self.sign(sympy.expand(x - y))):
                return s
        return 0

    def _merged(self, terms: Iterable[tuple[Order, Expr]]) -> list[tuple[Order, Expr]]:
        """Terms in falling order, with those of one order added up and zeros left out."""
        ordered: list[tuple[Order, Expr]] = []
        for order, coefficient in terms:
            for i, (other, own) in enumerate(ordered):
                s = self.compare(order, other)
                if s == 0:
                    ordered[i] = (other, own + coefficient)
                    break
                if s > 0:
                    ordered.insert(i, (order, coefficient))
                    break
            else:
                ordered.append((order, coefficient))
        tidied = ((o, _tidy(c)) for o, c in ordered)
        return [(o, c) for o, c in tidied if c != 0 and (oscillates(c) or self.signs.known(c) != 0)]

    def _larger(self, a: Order | None, b: Order | None) -> Order | None:
        if a is None or b is None:
            return a or b
        return a if self.compare(a, b) >= 0 else b

    # -- arithmetic

    def cut(self, terms: Iterable[tuple[Order, Expr]], rest: Order | None) -> Expansion:
        merged = self._merged(terms)
        if rest is not None:
            merged = [(o, c) for o, c in merged if self.compare(o, rest) > 0]
        if len(merged) > MOST:
            rest, merged = merged[MOST][0], merged[:MOST]
        return Expansion(tuple(merged), rest)

    def add(self, *parts: Expansion) -> Expansion:
        rest = reduce(self._larger, (p.rest for p in parts), None)
        return self.cut((t for p in parts for t in p.terms), rest)

    def multiply(self, a: Expansion, b: Expansion) -> Expansion:
        rests = []
        if a.rest is not None and not b.is_zero:
            rests.append(self.times(a.rest, b.terms[0][0] if b.terms else b.rest))
        if b.rest is not None and not a.is_zero:
            rests.append(self.times(b.rest, a.terms[0][0] if a.terms else a.rest))
        terms = [(self.times(p, q), c * d) for p, c in a.terms for q, d in b.terms]
        return self.cut(terms, reduce(self._larger, rests, None))

    def times(self, a: Order, b: Order | None) -> Order:
        if b is None or b == ONE:
            return a
        exponent = (
            tuple(self._merged([*a.exponent, *b.exponent])) if a.exponent and b.exponent else a.exponent or b.exponent
        )
        return Order(exponent, sympy.expand(a.power + b.power), sympy.expand(a.logs + b.logs))

    def scaled(self, a: Expansion, factor: Expr) -> Expansion:
        return self.multiply(a, constant(factor))

    def lead(self, a: Expansion) -> tuple[Order, Expr]:
        """The leading term, its coefficient known to be no zero. Raises `Undecided`."""
        if not a.terms:
            raise Undecided("the leading term of an expansion that is cut off")
        if self.sign(a.terms[0][1]) == 0:
            raise Undecided(f"a coefficient that is zero: {a.terms[0][1]}")
        return a.terms[0]

    def split(self, a: Expansion) -> tuple[list[tuple[Order, Expr]], Expr, Expansion]:
        """(terms that grow, the constant, what goes to zero)."""
        if a.rest is not None and self.compare(a.rest, ONE) >= 0:
            raise Undecided("an expansion that is cut off before its constant")
        growing = [(o, c) for o, c in a.terms if self.compare(o, ONE) > 0]
        inner = [c for o, c in a.terms if self.compare(o, ONE) == 0]
        small = [(o, c) for o, c in a.terms if self.compare(o, ONE) < 0]
        return growing, inner[0] if inner else S.Zero, Expansion(tuple(small), a.rest)

    def composed(self, coefficients: Callable[[int], Expr], small: Expansion) -> Expansion:
        """The sum of coefficients(k)*small**k, a series that converges for small arguments."""
        total, power = constant(coefficients(0)), constant(S.One)
        if small.is_zero:
            return total
        for k in range(1, TERMS + 1):
            power = self.multiply(power, small)
            total = self.add(total, self.scaled(power, coefficients(k)))
        rest = self.multiply(power, small)
        order = rest.terms[0][0] if rest.terms else rest.rest
        return self.add(total, Expansion((), order))

    def power(self, a: Expansion, exponent: Expr) -> Expansion:
        if exponent.is_Integer and 0 <= exponent <= 8:
            return reduce(self.multiply, [a] * int(exponent), constant(S.One))
        order, coefficient = self.lead(a)
        if not exponent.is_integer and self.sign(coefficient) < 0:
            raise Undecided("a power of what is negative")
        raised = Order(
            tuple((o, _tidy(c * exponent)) for o, c in order.exponent),
            sympy.expand(order.power * exponent),
            sympy.expand(order.logs * exponent),
        )
        series = self.composed(lambda k: sympy.binomial(exponent, k).expand(func=True), self._relative(a))
        return self.multiply(Expansion(((raised, coefficient**exponent),)), series)

    def _relative(self, a: Expansion) -> Expansion:
        """a over its leading term, minus 1."""
        order, coefficient = a.terms[0]
        inverse = Order(tuple((o, -c) for o, c in order.exponent), -order.power, -order.logs)
        tail = Expansion(a.terms[1:], a.rest)
        return self.multiply(tail, Expansion(((inverse, 1 / coefficient),)))

    def exp(self, a: Expansion) -> Expansion:
        growing, inner, small = self.split(a)
        power, exponent = S.Zero, []
        for order, coefficient in growing:
            if oscillates(coefficient):
                raise Undecided("an exponential of what oscillates and grows")
            if order == Order(logs=S.One):
                power += coefficient
            elif self.compare(order, Order(logs=S.One)) > 0:
                exponent.append((order, coefficient))
            else:
                raise Undecided("an exponential of what grows slower than a logarithm")
        series = self.composed(lambda k: 1 / sympy.factorial(k), small)
        return self.multiply(Expansion(((Order(tuple(exponent), power), sympy.exp(inner)),)), series)

    def log(self, a: Expansion) -> Expansion:
        order, coefficient = self.lead(a)
        if self.sign(coefficient) < 0 or order.logs != 0:
            raise Undecided("a logarithm of what is negative or a logarithm")
        series = self.composed(lambda k: S.Zero if k == 0 else (-1) ** (k + 1) / Rational(k), self._relative(a))
        return self.add(
            Expansion(order.exponent),
            Expansion(((Order(logs=S.One), order.power),)) if order.power != 0 else Expansion(()),
            constant(sympy.log(coefficient)),
            series,
        )

    # -- functions

    def of(self, expression: Expr) -> Expansion:
        """The expansion of an expression in T. Raises `Undecided`."""
        found = self._known.get(expression)
        if found is None:
            found = self._known[expression] = self._of(expression)
        return found

    def _of(self, e: Expr) -> Expansion:
        if not e.has(T):
            return constant(e)
        if e == T:
            return Expansion(((Order(power=S.One), S.One),))
        if isinstance(e, sympy.Add):
            return self.add(*(self.of(a) for a in e.args))
        if isinstance(e, sympy.Mul):
            return reduce(self.multiply, (self.of(a) for a in e.args))
        if isinstance(e, sympy.exp):
            return self.exp(self.of(e.args[0]))
        if isinstance(e, Pow):
            if e.exp.has(T):
                return self.exp(self.multiply(self.of(e.exp), self.log(self.of(e.base))))
            return self.power(self.of(e.base), e.exp)
        u = self.of(e.args[0])
        if isinstance(e, sympy.log):
            return self.log(u)
        if isinstance(e, log1p):
            return self.log(self.add(constant(S.One), u))
        if isinstance(e, cbrt):
            s = self.sign(self.lead(u)[1])
            return self.scaled(self.power(self.scaled(u, S(s)), Rational(1, 3)), S(s))
        if isinstance(e, expm1):
            return self._expm1(u)
        if self._grows(u):
            return self._far(e, u)
        return self._near(e, u)

    def _expm1(self, u: Expansion) -> Expansion:
        growing, inner, small = self.split(u)
        if growing or inner != 0:
            return self.add(self.exp(u), constant(S.NegativeOne))
        return self.composed(lambda k: S.Zero if k == 0 else 1 / sympy.factorial(k), small)

    def _grows(self, u: Expansion) -> bool:
        return bool(u.terms) and self.compare(u.terms[0][0], ONE) > 0

    def _near(self, e: Expr, u: Expansion) -> Expansion:
        """A function by its Taylor series at the limit of its argument."""
        _, at, small = self.split(u)
        if oscillates(at):
            raise Undecided(f"{e.func.__name__} of what oscillates")
        if isinstance(e, sympy.asin | sympy.acos) and self.sign(1 - at**2) <= 0:
            raise Undecided(f"{e.func.__name__} at the end of its domain")
        if isinstance(e, sympy.tan) and self.signs.known(sympy.cos(at)) in (0, None):
            raise Undecided("tan at a pole")
        z = sympy.Dummy("z", real=True)
        function = elementary(e.func(z))
        slopes = [function]
        for _ in range(TERMS):
            slopes.append(sympy.diff(slopes[-1], z))
        return self.composed(lambda k: _tidy(sympy.simplify(slopes[k].subs(z, at)) / sympy.factorial(k)), small)

    def _far(self, e: Expr, u: Expansion) -> Expansion:
        """A function whose argument goes to plus or minus infinity."""
        if isinstance(e, sympy.sin | sympy.cos):
            if not _is_regular(e.args[0]):
                raise Undecided(f"{e.func.__name__} of {e.args[0]}")
            return Expansion(((ONE, e),))
        s = self.sign(self.lead(u)[1])
        away = self.scaled(u, S(s))  # goes to plus infinity
        one, decay = constant(S.One), self.exp(self.scaled(away, S.NegativeOne))
        if isinstance(e, sympy.sinh | sympy.cosh):
            grown = self.exp(away)
            if isinstance(e, sympy.cosh):
                return self.scaled(self.add(grown, decay), S.Half)
            return self.scaled(self.add(grown, self.scaled(decay, S.NegativeOne)), Rational(s, 2))
        if isinstance(e, sigmoid):
            return self.multiply(one if s > 0 else decay, self.power(self.add(one, decay), S.NegativeOne))
        if isinstance(e, softplus):
            grown = self.composed(lambda k: S.Zero if k == 0 else (-1) ** (k + 1) / Rational(k), decay)
            return self.add(away, grown) if s > 0 else grown
        if isinstance(e, sympy.tanh):
            twice = self.power(decay, S(2))
            falling = self.multiply(self.scaled(twice, S(-2)), self.power(self.add(one, twice), S.NegativeOne))
            return self.scaled(self.add(one, falling), S(s))
        if isinstance(e, sympy.atan):
            odd = self.composed(
                lambda k: S.Zero if k % 2 == 0 else Rational((-1) ** (k // 2), k), self.power(away, S.NegativeOne)
            )
            return self.scaled(self.add(constant(sympy.pi / 2), self.scaled(odd, S.NegativeOne)), S(s))
        if isinstance(e, sympy.asinh):
            root = self.power(self.add(self.power(away, S(2)), one), S.Half)
            return self.scaled(self.log(self.add(away, root)), S(s))
        if isinstance(e, sympy.erf | sympy.erfc | erfc):
            tail = self._erfc(away)
            if isinstance(e, sympy.erf):
                return self.scaled(self.add(one, self.scaled(tail, S.NegativeOne)), S(s))
            return tail if s > 0 else self.add(constant(S(2)), self.scaled(tail, S.NegativeOne))
        raise Undecided(f"{e.func.__name__} of what grows")

    def _erfc(self, u: Expansion) -> Expansion:
        """exp(-u^2)/(u sqrt(pi)) * (1 - 1/(2u^2) + 3/(4u^4) - ...), whose error is below the first term left out."""
        square = self.power(u, S(2))
        series = self.composed(
            lambda k: (-1) ** k * sympy.factorial2(2 * k - 1) / S(2) ** k, self.power(square, S.NegativeOne)
        )
        front = self.multiply(self.exp(self.scaled(square, S.NegativeOne)), self.power(u, S.NegativeOne))
        return self.multiply(self.scaled(front, 1 / sympy.sqrt(sympy.pi)), series)


def _is_regular(u: Expr) -> bool:
    return u.is_polynomial(T)


def _tidy(coefficient: Expr) -> Expr:
    """A coefficient with like terms collected."""
    return coefficient if coefficient.is_Rational else sympy.expand(coefficient)


def without(a: Expansion, orders: Iterable[Order]) -> Expansion:
    """The expansion less its terms of some orders."""
    dropped = set(orders)
    return replace(a, terms=tuple(t for t in a.terms if t[0] not in dropped))

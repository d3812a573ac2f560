"""Expansions at infinity with a proven remainder: c1*m1 + c2*m2 + ... + [-R, R]*m for all y >= T, and their arithmetic.

The mi are monomials of `analysis.scale` and the ci exact, so that what cancels cancels exactly. The sign on all of the
tail and the limit are read off the leading term. `analysis.approach` makes them from a formula. The scale is that of
Gruntz ("On computing limits in a symbolic manipulation system", 1996); the bounds are carried along.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import sympy
from flint import arb, arb_series, fmpq
from sympy import Expr, S, Symbol

from actfn.analysis.enclosure import OPERATIONS
from actfn.analysis.scale import (
    ONE,
    UNIT,
    ZERO,
    Exact,
    Loose,
    Monomial,
    added,
    ball,
    exact,
    largest,
    monomial,
    raised,
    sign,
    symbolic,
    times,
)
from actfn.formula.functions import cbrt, erfc, expm1, log1p, sigmoid, softplus
from actfn.formula.pieces import Undecided


class Vague(Undecided):
    """Everything that was kept cancels: more terms may tell."""


@dataclass(frozen=True)
class Tail:
    """The terms, the fastest first, and the remainder: at most `radius` times `beyond` in size, for y >= `start`."""

    terms: tuple[tuple[Exact, Monomial], ...]
    start: int
    length: int
    """How many terms are kept."""
    radius: arb = field(default_factory=arb)
    beyond: Monomial | None = None

    # -- arithmetic --

    def __add__(self, other: Tail) -> Tail:
        total = {m: c for c, m in self.terms}
        for c, m in other.terms:
            total[m] = added(total[m], c) if m in total else c
        return self._made(total, [(t.radius, t.beyond) for t in (self, other) if t.beyond is not None])

    def __mul__(self, other: Tail) -> Tail:
        total: dict[Monomial, Exact] = {}
        errors = []
        for c, m in self.terms:
            for d, n in other.terms:
                product = m * n
                e = times(c, d)
                total[product] = added(total[product], e) if product in total else e
        for a, b in ((self, other), (other, self)):
            if b.beyond is not None:
                errors += [(abs(ball(c)) * b.radius, m * b.beyond) for c, m in a.terms]
        if self.beyond is not None and other.beyond is not None:
            errors.append((self.radius * other.radius, self.beyond * other.beyond))
        return self._made(total, errors)

    def scaled(self, factor: Exact, by: Monomial = UNIT) -> Tail:
        if not sign(factor):
            return Tail((), self.start, self.length)
        terms = tuple((times(c, factor), m * by) for c, m in self.terms)
        beyond = None if self.beyond is None else self.beyond * by
        return Tail(terms, self.start, self.length, (self.radius * abs(ball(factor))).upper(), beyond)

    def __neg__(self) -> Tail:
        return self.scaled(fmpq(-1))

    def __sub__(self, other: Tail) -> Tail:
        return self + -other

    def constant(self, value: Exact) -> Tail:
        return Tail(((value, UNIT),) if sign(value) else (), self.start, self.length)

    def _made(self, total: dict[Monomial, Exact], errors: list[tuple[arb, Monomial]]) -> Tail:
        """The longest terms, with the others and the errors gathered in one remainder."""
        terms = _ordered([(c, m) for m, c in total.items() if sign(c)])
        beyond = None
        for _, m in errors:
            beyond = m if beyond is None or (m / beyond).trend > 0 else beyond
        kept = terms[: self.length]
        if beyond is not None:
            kept = [(c, m) for c, m in kept if (m / beyond).trend >= 0]
        rest = terms[len(kept) :]
        if rest and (beyond is None or (rest[0][1] / beyond).trend > 0):
            beyond = rest[0][1]
        radius = arb(0)
        if beyond is not None:
            for c, m in [*((abs(ball(c)), m) for c, m in rest), *errors]:
                radius = radius + c * largest(m / beyond, self.start)
        return Tail(tuple(kept), self.start, self.length, radius.upper(), beyond)

    # -- what is read off --

    def leading(self) -> tuple[Exact, Monomial]:
        """The first term. Raises `Vague` where only a remainder is known."""
        if not self.terms:
            raise Vague("the leading term")
        return self.terms[0]

    @property
    def vanishes(self) -> bool:
        """Whether this is 0, without a remainder."""
        return not self.terms and self.beyond is None

    def size(self) -> tuple[arb, Monomial]:
        """(k, m): at most k*m in size."""
        m = self.terms[0][1] if self.terms else self.beyond
        if m is None:
            return arb(0), UNIT
        k = arb(0)
        for c, n in self.terms:
            k = k + abs(ball(c)) * largest(n / m, self.start)
        if self.beyond is not None:
            k = k + self.radius * largest(self.beyond / m, self.start)
        return k.upper(), m

    def sign(self) -> int:
        """The sign on all of the tail. Raises `Loose` where the leading term doesn't yet outweigh the rest."""
        if self.vanishes:
            return 0
        c, m = self.leading()
        k, n = Tail(self.terms[1:], self.start, self.length, self.radius, self.beyond).size()
        if not (k.is_zero() or k * largest(n / m, self.start) < abs(ball(c))):
            raise Loose("the sign in the tail")
        return sign(c)

    def limit(self) -> Expr:
        """The limit, exactly. Raises `Vague` where the remainder doesn't vanish."""
        outweighed = bool(self.terms) and self.beyond is not None and (self.terms[0][1] / self.beyond).trend > 0
        if self.beyond is not None and self.beyond.trend >= 0 and not outweighed:
            raise Vague("the limit")
        if not self.terms or self.terms[0][1].trend < 0:
            return S.Zero
        c, m = self.terms[0]
        return symbolic(c) if m.trend == 0 else sympy.oo * sign(c)

    def split(self) -> tuple[Tail, Exact, Tail]:
        """What grows, the limit of the rest, and what vanishes."""
        if self.beyond is not None and self.beyond.trend >= 0:
            raise Vague("what doesn't vanish")
        grows = tuple((c, m) for c, m in self.terms if m.trend > 0)
        middle = [c for c, m in self.terms if m.trend == 0]
        small = tuple((c, m) for c, m in self.terms if m.trend < 0)
        return (
            Tail(grows, self.start, self.length),
            middle[0] if middle else ZERO,
            Tail(small, self.start, self.length, self.radius, self.beyond),
        )

    # -- functions --

    def series(self, coefficients: list[Exact], bound: Callable[[arb], arb]) -> Tail:
        """sum of a_k u**k for a u that vanishes, the remainder being at most bound([-d, d]) |u|**n where |u| <= d."""
        k, m = self.size()
        total = self.constant(coefficients[-1])
        for a in reversed(coefficients[:-1]):
            total = total * self + self.constant(a)
        if k.is_zero():
            return total
        n = len(coefficients)
        within = (k * largest(m, self.start)).upper()
        factor = abs(bound(arb(0, within)))
        if not factor.is_finite():
            raise Loose("a series in the tail")
        rest = Tail((), self.start, self.length, (factor * k**n).upper(), m.power(fmpq(n)))
        return total + rest

    def normal(self) -> tuple[Exact, Monomial, Tail]:
        """(c, m, u): this is c*m*(1 + u), where u vanishes."""
        c, m = self.leading()
        rest = Tail(self.terms[1:], self.start, self.length, self.radius, self.beyond)
        return c, m, rest.scaled(raised(c, fmpq(-1)), m.power(fmpq(-1)))

    def exp(self) -> Tail:
        if self.beyond is UNIT:  # a factor that is only bounded, of an exact monomial
            k = self.radius
            for c, m in self.terms:
                k = k + abs(ball(c)) if m is UNIT else k
            m = monomial({m: c for c, m in self.terms if m is not UNIT})
            return Tail((), self.start, self.length, k.exp().upper(), m)
        grows, middle, small = self.split()
        factor = exact(sympy.exp(symbolic(middle)))
        m = monomial({m: c for c, m in grows.terms})
        terms = [fmpq(1, math.factorial(k)) for k in range(self.length)]
        return small.series(terms, lambda u: u.exp() / math.factorial(self.length)).scaled(factor, m)

    def log1p(self) -> Tail:
        """log(1 + u) for a u that vanishes."""
        n = self.length
        terms = [ZERO, *(fmpq((-1) ** (k + 1), k) for k in range(1, n))]
        return self.series(terms, lambda u: 1 / (_above_zero(1 + u) ** n * n))

    def log(self) -> Tail:
        c, m, small = self.normal()
        if sign(c) < 0:
            raise Undecided("the logarithm of a negative number")
        total = self.constant(exact(sympy.log(symbolic(c))))
        for basis, coefficient in m.exponents:
            if basis is None:
                raise Undecided("the logarithm of a logarithm")
            total = total + Tail(((coefficient, basis),), self.start, self.length)
        return total + small.log1p()

    def power(self, p: Exact) -> Tail:
        if isinstance(p, fmpq) and p.q == 1 and 0 <= p <= 4:
            total = self.constant(ONE)
            for _ in range(int(p.p)):
                total = total * self
            return total
        c, m, small = self.normal()
        whole = isinstance(p, fmpq) and p.q == 1
        if sign(c) < 0 and not whole:
            raise Undecided("a root of a negative number")
        binomials = [ONE]
        for k in range(self.length):
            binomials.append(times(binomials[-1], times(added(p, fmpq(-k)), fmpq(1, k + 1))))
        *terms, last = binomials
        scale = raised(c, p) if isinstance(p, fmpq) else exact(symbolic(c) ** symbolic(p))
        exponent = ball(added(p, fmpq(-self.length)))
        series = small.series(
            terms, lambda u: abs(ball(last)) * (_above_zero(1 + u) ** exponent).union((1 + u).upper() ** exponent)
        )
        return series.scaled(scale, m.power(p))

    def inverse(self) -> Tail:
        return self.power(fmpq(-1))

    def cbrt(self) -> Tail:
        if self.vanishes:
            return self
        return self.power(fmpq(1, 3)) if sign(self.leading()[0]) > 0 else -(-self).power(fmpq(1, 3))

    def sigmoid(self) -> Tail:
        if self._direction() < 0:
            e = self.exp()
            return e * (self.constant(ONE) + e).inverse()
        return (self.constant(ONE) + (-self).exp()).inverse()

    def tanh(self) -> Tail:
        if self._direction() < 0:
            return -(-self).tanh()
        return self.constant(ONE) - (self.constant(ONE) + self.scaled(fmpq(2)).exp()).inverse().scaled(fmpq(2))

    def softplus(self) -> Tail:
        if self._direction() < 0:
            return self.exp().log1p()
        return self + (-self).exp().log1p()

    def atan(self) -> Tail:
        half_turn = self.constant(exact(sympy.pi / 2 * self._direction()))
        return half_turn - self.inverse().analytic(sympy.atan)

    def erfc(self) -> Tail:
        """DLMF 7.12.1; the remainder is at most the first term left out (7.12(ii))."""
        if self._direction() < 0:
            return self.constant(fmpq(2)) - (-self).erfc()
        n = self.length
        odd = [ONE]
        for k in range(n):
            odd.append(odd[-1] * fmpq(-(2 * k + 1), 2))
        series = (self * self).inverse().series(odd[:n], lambda u: arb(odd[n]))
        return (-(self * self)).exp() * self.inverse() * series.scaled(exact(1 / sympy.sqrt(sympy.pi)))

    def waves(self) -> Tail:
        """A sine or cosine: only that it stays within [-1, 1]."""
        return Tail((), self.start, self.length, arb(1), UNIT)

    def analytic(self, kind: type) -> Tail:
        """A function at its finite limit, by its Taylor series there and a bound on the next derivative."""
        grows, middle, small = self.split()
        if grows.terms:
            raise Undecided(f"{kind.__name__} of what grows")

        def bound(u: arb) -> arb:
            found = _of_series(kind, arb_series([ball(middle) + u, 1], self.length + 1))
            if found.prec <= self.length:  # cut at flint's own limit, where the next coefficient reads as 0
                raise Undecided(f"more than {found.prec} terms")
            return found[self.length]

        return small.series(_taylor(kind, symbolic(middle), self.length), bound)

    def _direction(self) -> int:
        return sign(self.leading()[0])

    def of(self, kind: type) -> Tail:
        """A function of one argument."""
        grows = bool(self.terms) and self.terms[0][1].trend > 0
        if kind is sympy.exp:
            return self.exp()
        if self.vanishes:
            return self.constant(_taylor(kind, S.Zero, 1)[0])
        if kind is expm1 and grows:
            return self.exp() - self.constant(ONE)
        if kind is cbrt:
            return self.cbrt()
        if kind in (sympy.log, log1p):
            return (self + self.constant(ONE) if kind is log1p else self).log()
        if not grows:
            if kind in (sympy.sin, sympy.cos) and self.beyond is not None and self.beyond.trend >= 0:
                return self.waves()
            return self.analytic(kind)
        if kind is sympy.erf:
            return self.constant(ONE) - self.erfc()
        if kind in (sympy.sinh, sympy.cosh):
            up, down = self.exp(), (-self).exp()
            return (up - down if kind is sympy.sinh else up + down).scaled(fmpq(1, 2))
        if kind is sympy.asinh:
            if self._direction() < 0:
                return -(-self).of(kind)
            return (self + (self * self + self.constant(ONE)).power(fmpq(1, 2))).log()
        method = _METHODS.get(kind)
        if method is None:
            raise Undecided(f"{kind.__name__} of what grows")
        return method(self)


_METHODS: dict[type, Callable[[Tail], Tail]] = {
    sigmoid: Tail.sigmoid,
    softplus: Tail.softplus,
    sympy.tanh: Tail.tanh,
    sympy.atan: Tail.atan,
    erfc: Tail.erfc,
    sympy.erfc: Tail.erfc,
    sympy.sin: Tail.waves,
    sympy.cos: Tail.waves,
}


def _ordered(terms: list[tuple[Exact, Monomial]]) -> list[tuple[Exact, Monomial]]:
    ordered: list[tuple[Exact, Monomial]] = []
    for term in terms:
        i = len(ordered)
        while i and (term[1] / ordered[i - 1][1]).trend > 0:
            i -= 1
        ordered.insert(i, term)
    return ordered


def _above_zero(u: arb) -> arb:
    if not u > 0:
        raise Loose("a series in the tail")
    return u.lower()


def _of_series(kind: type, s: arb_series) -> arb_series:
    try:
        return OPERATIONS[kind](s)
    except (ValueError, ZeroDivisionError):
        raise Loose("a series in the tail") from None


@lru_cache(maxsize=512)
def _taylor(kind: type, at: Expr, length: int) -> list[Exact]:
    t = Symbol("t", real=True)
    function = kind(t)
    function = function.elementary() if hasattr(function, "elementary") else function
    found = []
    for k in range(length):
        found.append(exact(sympy.expand(function.subs(t, at) / math.factorial(k))))
        function = sympy.diff(function, t)
    return found

"""Exact constants, and the scale of growth at infinity: products of powers of y, of log y, and of exponentials of those.

A monomial is exp(c1*M1 + c2*M2 + ...), where each Mi is a monomial that grows, or log log y: y**2*exp(-3*y) is
exp(-3*y + 2*log(y)). Any two can be compared, and the largest value of a monomial that doesn't grow has a bound on
all of y >= T. That bound is what makes an expansion at infinity (`analysis.tails`) a proof and not only a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cmp_to_key, lru_cache

import sympy
from flint import arb, ctx, fmpq
from sympy import Expr, Rational

from actfn.analysis.enclosure import constant
from actfn.formula.functions import elementary
from actfn.formula.pieces import Undecided

Exact = fmpq | Expr
"""A constant without rounding: a rational, or an expression where it isn't one."""

FIRST = 16
"""Where the first tail begins; log(log y)/log(y) falls from y = e**e on, which is below."""

FURTHEST = 1 << 20
"""Where the search for a bound ends."""

LONGEST = 48
"""Terms of an exact constant, beyond which it isn't worked with."""

ZERO, ONE = fmpq(0), fmpq(1)


class Loose(Undecided):
    """A bound that fails at this T; it may hold further out."""


# -- exact constants ----------------------------------------------------------------------------------------------------


def exact(value: Expr) -> Exact:
    """A SymPy constant."""
    return _kept(value if isinstance(value, Rational) else sympy.expand(elementary(value)))


def _kept(value: Expr) -> Exact:
    if isinstance(value, Rational):
        return fmpq(int(value.p), int(value.q))
    if len(sympy.Add.make_args(value)) > LONGEST:
        raise Undecided("exact constants grow too long")
    return value


def symbolic(value: Exact) -> Expr:
    """The constant as SymPy has it."""
    return Rational(int(value.p), int(value.q)) if isinstance(value, fmpq) else value


def added(a: Exact, b: Exact) -> Exact:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return a + b
    return _kept(symbolic(a) + symbolic(b))


def times(a: Exact, b: Exact) -> Exact:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return a * b
    return _product_of_sums(symbolic(a), symbolic(b))


@lru_cache(maxsize=4096)
def _product_of_sums(a: Expr, b: Expr) -> Exact:
    """Multiplied out by hand: both are already, and `expand` looks through every part again."""
    first, second = sympy.Add.make_args(a), sympy.Add.make_args(b)
    if len(first) * len(second) > 4 * LONGEST:
        raise Undecided("exact constants grow too long")
    return _kept(sympy.Add(*(x * y for x in first for y in second)))


@lru_cache(maxsize=4096)
def _raised(base: Expr, exponent: Expr) -> Exact:
    value = base**exponent
    return _kept(sympy.expand(sympy.radsimp(value)) if base.is_algebraic else value)


def raised(base: Exact, exponent: fmpq) -> Exact:
    """A positive constant, or any constant and a whole exponent."""
    if isinstance(base, fmpq) and exponent.q == 1:
        return base ** int(exponent.p)
    return _raised(symbolic(base), symbolic(exponent))


def ball(value: Exact) -> arb:
    """An enclosure at the precision that is set."""
    return arb(value) if isinstance(value, fmpq) else _ball(value, ctx.prec)


@lru_cache(maxsize=4096)
def _ball(value: Expr, bits: int) -> arb:
    return constant(value)


def sign(value: Exact) -> int:
    """-1, 0 or 1. Raises `Undecided` for a number that neither balls nor algebra tell from 0."""
    enclosure = ball(value)
    if enclosure > 0:
        return 1
    if enclosure < 0:
        return -1
    if isinstance(value, fmpq):
        return 0
    return _zero_or_undecided(value)


@lru_cache(maxsize=1024)
def _zero_or_undecided(value: Expr) -> int:
    if value.is_zero or sympy.simplify(value).is_zero:
        return 0
    raise Undecided(f"the sign of {str(value)[:60]}")


# -- monomials ----------------------------------------------------------------------------------------------------------


class Monomial:
    """exp of a sum of growing monomials (None for log log y) with exact coefficients, the fastest first."""

    __slots__ = ("exponents", "trend")

    def __init__(self, exponents: tuple[tuple[Monomial | None, Exact], ...]):
        self.exponents = exponents
        self.trend = sign(exponents[0][1]) if exponents else 0
        """1 where it grows without bound, -1 where it falls to 0, 0 for the constant 1."""

    def __mul__(self, other: Monomial) -> Monomial:
        return _product(self, other)

    def __truediv__(self, other: Monomial) -> Monomial:
        return _quotient(self, other)

    def power(self, exponent: Exact) -> Monomial:
        return monomial({m: times(c, exponent) for m, c in self.exponents})

    def __repr__(self) -> str:
        return "*".join(f"exp({symbolic(c)}*{m or 'loglog'})" for m, c in self.exponents) or "1"


_monomials: dict[tuple, Monomial] = {}


def monomial(exponents: Mapping[Monomial | None, Exact]) -> Monomial:
    """The one object for a sum of exponents."""
    kept = [(m, c) for m, c in exponents.items() if sign(c)]
    kept.sort(key=cmp_to_key(lambda a, b: _faster(b[0], a[0])))
    key = tuple(kept)
    if key not in _monomials:
        _monomials[key] = Monomial(key)
    return _monomials[key]


@lru_cache(maxsize=65536)
def _product(a: Monomial, b: Monomial) -> Monomial:
    total = dict(a.exponents)
    for m, c in b.exponents:
        total[m] = added(total[m], c) if m in total else c
    return monomial(total)


@lru_cache(maxsize=65536)
def _quotient(a: Monomial, b: Monomial) -> Monomial:
    return UNIT if a is b else _product(a, b.power(fmpq(-1)))


def _faster(a: Monomial | None, b: Monomial | None) -> int:
    if a is b:
        return 0
    if a is None or b is None:
        return -1 if a is None else 1
    return (a / b).trend


UNIT = monomial({})
LOG = monomial({None: ONE})
"""log y"""
Y = monomial({LOG: ONE})
_known: dict[tuple[Monomial, int, int], arb] = {}


def largest(m: Monomial, start: int) -> arb:
    """A bound on a monomial that doesn't grow, for all y >= start (at least `FIRST`). Raises `Loose` where none is found.

    In exp(c*M + c1*M1 + ...) with c < 0, each Mi is at most M times the largest value of Mi/M, a simpler monomial;
    what remains is exp(k*M) with M at least its least value, where k < 0. Where it isn't yet, the bound further out
    does, with one on what lies between.
    """
    key = (m, start, ctx.prec)
    if key not in _known:
        if len(_known) > 50000:
            _known.clear()
        _known[key] = _largest(m, start)
    return _known[key]


def _largest(m: Monomial, start: int) -> arb:
    if m.trend == 0:
        return arb(1)
    if m.trend > 0:
        raise Undecided("a bound on something that grows")
    (leader, coefficient), *others = m.exponents
    if leader is None:
        return (arb(start).log() ** ball(coefficient)).upper()
    rate = ball(coefficient)
    for other, c in others:
        weight = ball(c)
        if weight > 0:
            rate = rate + weight * (_log_log_over(leader, start) if other is None else largest(other / leader, start))
    if not rate < 0:
        if start >= FURTHEST:
            raise Loose("a bound in the tail")
        between = [_value(m, (arb(start) * fmpq(8 + i, 8)).union(arb(start) * fmpq(9 + i, 8))) for i in range(8)]
        return max([largest(m, 2 * start), *(b.upper() for b in between)])
    return (rate.upper() / largest(leader.power(fmpq(-1)), start)).exp().upper()


def _value(m: Monomial, y: arb) -> arb:
    total = arb(0)
    for basis, c in m.exponents:
        total = total + ball(c) * (y.log().log() if basis is None else _value(basis, y))
    return total.exp()


def _log_log_over(leader: Monomial, start: int) -> arb:
    ratio = arb(start).log().log() / arb(start).log()
    return ratio if leader is LOG else ratio * largest(LOG / leader, start)

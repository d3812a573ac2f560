"""How fast a smooth piece can grow: bounds that hold for all x beyond a point, from the structure of its expression.

For |x| = t >= T each node gets polynomials in t below and above it, where there are any, and a polynomial of degree at
most 2 above log|node|. So |f| <= exp(a + b t + d t^2) on a whole end of the line, which a Gaussian weight outruns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import sympy
from flint import arb, arb_poly, fmpq
from sympy import Expr, Symbol

from actfn.analysis.analytic import number
from actfn.formula.functions import X, cbrt, erfc, expm1, log1p, sigmoid, softplus

MAX_POWER = 64

_ZERO = arb_poly([0])


@dataclass(frozen=True)
class Bound:
    """For t >= T: low(t) <= u <= high(t), and |u| <= exp(log(t)); None where there is no such polynomial."""

    low: arb_poly | None = None
    high: arb_poly | None = None
    log: arb_poly | None = None


class Growth:
    """Bounds on one side of the line, for x = side*t with t >= start (at least 1)."""

    def __init__(self, side: int, start: arb, given: Mapping[Symbol, arb]):
        self.side, self.start, self.given = side, start, given
        self._known: dict[Expr, Bound] = {}

    def __call__(self, expression: Expr) -> Bound:
        if expression not in self._known:
            self._known[expression] = self._bound(expression)
        return self._known[expression]

    def _bound(self, node: Expr) -> Bound:
        if not node.has(X):
            value = arb_poly([number(node, self.given)])
            return self._closed(value, value)
        if node == X:
            line = arb_poly([0, self.side])
            return self._closed(line, line)
        if isinstance(node, sympy.exp):
            return self._exp(self(node.args[0]))
        if isinstance(node, sympy.Add):
            return reduce(self._add, map(self, node.args))
        if isinstance(node, sympy.Mul):
            return reduce(self._multiply, map(self, node.args))
        if isinstance(node, sympy.log) and isinstance(node.args[0], sympy.Pow | sigmoid):
            inner = node.args[0]  # may come near 0, where no bound from below helps the logarithm
            plain = -softplus(-inner.args[0]) if isinstance(inner, sigmoid) else inner.exp * sympy.log(inner.base)
            return self(plain)
        if isinstance(node, sympy.Pow):
            return self._power(self(node.base), node.exp)
        rule = _FUNCTIONS.get(node.func)
        return rule(self, self(node.args[0])) if rule else Bound()

    # -- polynomials on [start, inf) --

    def least(self, p: arb_poly | None) -> arb | None:
        """A lower bound of p on [start, inf), None where p may go below every number or isn't seen not to."""
        if p is None:
            return None
        shifted = p(arb_poly([self.start, 1]))
        return shifted[0].lower() if all(c >= 0 for c in shifted.coeffs()[1:]) else None

    def most(self, p: arb_poly | None) -> arb | None:
        """An upper bound of p on [start, inf), or None."""
        least = None if p is None else self.least(-p)
        return None if least is None else -least

    def quadratic(self, p: arb_poly | None) -> arb_poly | None:
        """A polynomial of degree at most 2 above p; the higher terms of p must not be positive."""
        if p is None or any(not c <= 0 for c in p.coeffs()[3:]):
            return None
        top = p[2] + sum((c * self.start**k for k, c in enumerate(p.coeffs()[3:], 1)), arb(0))
        return arb_poly([p[0], p[1], top])

    def _closed(self, low: arb_poly | None, high: arb_poly | None, log: arb_poly | None = None) -> Bound:
        """A bound with what each half says of the other filled in."""
        if log is not None and (low is None or high is None):
            most = self.most(log)
            if most is not None:
                size = arb_poly([most.exp().upper()])
                low, high = -size if low is None else low, size if high is None else high
        if low is not None and high is not None:
            from_range = self._log_of(_size(low, high))
            far = 2 * self.start
            log = from_range if log is None or from_range(far) < log(far) else log
        return Bound(low, high, log)

    def _log_of(self, size: arb_poly) -> arb_poly:
        """Above the logarithm of a polynomial with no negative coefficient: t^k <= t^n T^(k - n), log t <= log T - 1 + t/T."""
        n, start = max(size.degree(), 0), self.start
        total = arb((1, -16384)) + sum((c * start ** (k - n) for k, c in enumerate(size.coeffs())), arb(0))
        return arb_poly([total.log() + n * (start.log() - 1), n / start])

    def _positive(self, u: Bound) -> arb | None:
        """A lower bound of u that is at least 0, if there is one."""
        least = self.least(u.low)
        return least if least is not None and least >= 0 else None

    # -- operations --

    def _add(self, u: Bound, v: Bound) -> Bound:
        low = None if u.low is None or v.low is None else u.low + v.low
        high = None if u.high is None or v.high is None else u.high + v.high
        log = None if u.log is None or v.log is None else _above(u.log, v.log) + arb(2).log()
        return self._closed(low, high, log)

    def _multiply(self, u: Bound, v: Bound) -> Bound:
        for a, b in ((u, v), (v, u)):
            if self._positive(a) is None and self._positive(_negative(a)) is not None:
                return _negative(self._multiply(_negative(a), b))
        log = None if u.log is None or v.log is None else u.log + v.log
        if u.low is not None and v.low is not None and None not in (self._positive(u), self._positive(v)):
            high = None if u.high is None or v.high is None else u.high * v.high
            return self._closed(u.low * v.low, high, log)
        for a, b in ((u, v), (v, u)):
            if a.low is not None and a.low is a.high and self._positive(a) is not None:  # exact
                low = None if b.low is None else a.low * b.low
                return self._closed(low, None if b.high is None else a.low * b.high, log)
        if u.low is None or u.high is None or v.low is None or v.high is None:
            return self._closed(None, None, log)
        size = _size(u.low, u.high) * _size(v.low, v.high)
        return self._closed(-size, size, log)

    def _power(self, u: Bound, exponent: Expr) -> Bound:
        if exponent.is_Integer and 0 < int(exponent) <= MAX_POWER:
            n = int(exponent)
            result = reduce(self._multiply, [u] * n)
            if n % 2 == 0 and (result.low is None or self._positive(result) is None):
                result = self._closed(_ZERO, result.high, result.log)
            return result
        if exponent.is_Integer and int(exponent) > 0:
            return self._closed(None, None, None if u.log is None else int(exponent) * u.log)
        if exponent.has(X):  # u > 0: exp(exponent*log(u))
            return self._exp(self._multiply(self(exponent), self._logarithm(u)))
        p = number(exponent, self.given)
        if p < 0:
            least = self._positive(u)
            if least is None and exponent.is_Integer:
                least = self._positive(_negative(u))
                sign = (-1) ** int(exponent)
            else:
                sign = 1
            if least is None or not least > 0:
                return Bound()
            top = arb_poly([(least**p).upper()])
            inverse = self._closed(_ZERO, top, arb_poly([p * least.log()]))
            return inverse if sign > 0 else _negative(inverse)
        if not p >= 0:
            return Bound()
        log = None if u.log is None else p * u.log
        whole = int(p.upper().ceil().unique_fmpz() or 0)
        high = None if u.high is None or not 0 < whole <= MAX_POWER else 1 + _size(_ZERO, u.high) ** whole
        return self._closed(_ZERO, high, log)

    def _exp(self, u: Bound) -> Bound:
        most = self.most(u.high)
        least = self.least(u.low)
        low = arb_poly([0 if least is None else least.exp().lower()])
        high = None if most is None else arb_poly([most.exp().upper()])
        return self._closed(low, high, self.quadratic(u.high))

    def _logarithm(self, u: Bound) -> Bound:
        least = self._positive(u)
        low = None if least is None or not least > 0 else arb_poly([least.log()])
        return self._closed(low, u.log)

    def _log1p(self, u: Bound) -> Bound:
        return self._logarithm(self._add(u, self(sympy.S.One)))

    def _expm1(self, u: Bound) -> Bound:
        return self._add(self._exp(u), self(sympy.S.NegativeOne))

    def _softplus(self, u: Bound) -> Bound:
        high = None if u.high is None else _size(_ZERO, u.high) + arb(2).log()
        return self._closed(_ZERO, high, None if u.log is None else _above(u.log, _ZERO) + arb(2).log())

    def _cosh(self, u: Bound) -> Bound:
        half = self._multiply(self._add(self._exp(u), self._exp(_negative(u))), self(sympy.S.Half))
        least = self._positive(half)
        return half if least is not None and least >= 1 else Bound(arb_poly([1]), half.high, half.log)

    def _sinh(self, u: Bound) -> Bound:
        double = self._add(self._exp(u), _negative(self._exp(_negative(u))))
        return self._multiply(double, self(sympy.S.Half))

    def _shrunk(self, u: Bound) -> Bound:
        """A function with |value| <= |u|, asinh."""
        if u.low is None or u.high is None:
            return self._closed(None, None, u.log)
        size = _size(u.low, u.high)
        return self._closed(-size, size, u.log)

    def _cbrt(self, u: Bound) -> Bound:
        size = None if u.low is None or u.high is None else 1 + _size(u.low, u.high)
        return self._closed(None if size is None else -size, size, None if u.log is None else u.log * arb(fmpq(1, 3)))


def _within(low: Callable[[], arb], high: Callable[[], arb]) -> Callable[[Growth, Bound], Bound]:
    return lambda growth, _: growth._closed(arb_poly([low().lower()]), arb_poly([high().upper()]))


def _one() -> arb:
    return arb(1)


def _half_turn() -> arb:
    return arb.pi() / 2


_SIGNED_UNIT = _within(lambda: arb(-1), _one)
_FUNCTIONS: dict[type, Callable[[Growth, Bound], Bound]] = {
    sympy.sin: _SIGNED_UNIT,
    sympy.cos: _SIGNED_UNIT,
    sympy.tanh: _SIGNED_UNIT,
    sympy.erf: _SIGNED_UNIT,
    sympy.erfc: _within(lambda: arb(0), lambda: arb(2)),
    erfc: _within(lambda: arb(0), lambda: arb(2)),
    sigmoid: _within(lambda: arb(0), _one),
    sympy.atan: _within(lambda: -_half_turn(), _half_turn),
    sympy.asin: _within(lambda: -_half_turn(), _half_turn),
    sympy.acos: _within(lambda: arb(0), arb.pi),
    sympy.log: Growth._logarithm,
    log1p: Growth._log1p,
    expm1: Growth._expm1,
    softplus: Growth._softplus,
    sympy.cosh: Growth._cosh,
    sympy.sinh: Growth._sinh,
    sympy.asinh: Growth._shrunk,
    cbrt: Growth._cbrt,
}


def _negative(u: Bound) -> Bound:
    return Bound(None if u.high is None else -u.high, None if u.low is None else -u.low, u.log)


def _above(p: arb_poly, q: arb_poly) -> arb_poly:
    """A polynomial above both, for t > 0."""
    n = max(p.degree(), q.degree(), 0) + 1
    return arb_poly([arb(p[k].upper()).max(arb(q[k].upper())) for k in range(n)])


def _size(low: arb_poly, high: arb_poly) -> arb_poly:
    """A polynomial with no negative coefficient, above |u| wherever low <= u <= high and t > 0."""
    n = max(low.degree(), high.degree(), 0) + 1
    return arb_poly(_largest((-low[k], high[k], arb(0)) for k in range(n)))


def _largest(triples: Iterable[tuple[arb, arb, arb]]) -> list[arb]:
    return [a.upper().max(b.upper()).max(c) for a, b, c in triples]

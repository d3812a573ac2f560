"""Rigorous Taylor coefficients of a formula: f, f', f''/2, ... at a point or over an interval, as balls.

An expression in x alone is compiled into a list of steps on truncated power series of balls (python-flint's
`arb_series`). A monotone function of a wide ball is taken at both ends, and a function whose derivative is known is the
integral of it, so that a coefficient is as accurate as a product of sigmoids and not as 1 - tanh**2.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from flint import arb, arb_series, ctx, fmpq
from sympy import Expr, S

from actfn.formula.functions import X, cbrt, erfc, expm1, log1p, sigmoid, softplus
from actfn.formula.pieces import Undecided

NARROW = arb((1, -40))


class Curve:
    """An expression in x, to be evaluated with its derivatives. Raises `Undecided` for a node that it doesn't know."""

    def __init__(self, expression: Expr, length: int):
        self.length = length
        self.steps: list[tuple[Callable[..., arb_series], tuple[int, ...]]] = []
        self._slots: dict[Expr, int] = {}
        self._constants: dict[int, list[arb_series | None]] = {}
        self._fixed: list[Expr | None] = []
        self._result = self._slot(expression)

    def __call__(self, x: arb, length: int | None = None) -> list[arb]:
        """The Taylor coefficients on a ball: f, f', f''/2, ...; NaN where the expression isn't analytic on all of it."""
        length = length or self.length
        known = self._known(length)
        values: list[arb_series] = []
        argument = arb_series([x, 1], length)
        try:
            for i, (operation, operands) in enumerate(self.steps):
                fixed = known[i]
                if fixed is not None:
                    values.append(fixed)
                else:
                    values.append(operation(*[values[j] for j in operands]) if operands else argument)
        except (ValueError, ZeroDivisionError):
            return [arb.nan()] * length
        result = values[self._result]
        if result.prec < length:  # cut at flint's own limit, where the next coefficient reads as 0
            return [arb.nan()] * length
        return [result[k] for k in range(length)]

    def _known(self, length: int) -> list[arb_series | None]:
        key = ctx.prec * 64 + length
        if key not in self._constants:
            self._constants[key] = [
                None if node is None else arb_series([constant(node)], length) for node in self._fixed
            ]
        return self._constants[key]

    def _slot(self, node: Expr) -> int:
        if node not in self._slots:
            self._slots[node] = self._compiled(node)
        return self._slots[node]

    def _compiled(self, node: Expr) -> int:
        if not node.has(X):
            return self._step(_never, (), node)
        if node == X:
            return self._step(_never, ())
        if isinstance(node, sympy.Pow):
            if node.exp.has(X):
                return self._step(_power, (self._slot(node.base), self._slot(node.exp)))
            return self._step(_raised(node.exp), (self._slot(node.base),))
        if node.func not in OPERATIONS:
            raise Undecided(f"{node.func.__name__} in a piece")
        return self._step(OPERATIONS[node.func], tuple(self._slot(a) for a in node.args))

    def _step(self, operation: Callable, operands: tuple[int, ...], fixed: Expr | None = None) -> int:
        self.steps.append((operation, operands))
        self._fixed.append(fixed)
        return len(self.steps) - 1


def constant(expression: Expr) -> arb:
    """An enclosure of a constant at the precision that is set."""
    if isinstance(expression, sympy.Rational):
        return arb(fmpq(int(expression.p), int(expression.q)))
    if expression is S.Pi:
        return arb.pi()
    if expression is S.Exp1:
        return arb.const_e()
    parts = [arb_series([constant(a)], 1) for a in expression.args]
    try:
        if isinstance(expression, sympy.Pow):
            return _raised(expression.exp)(parts[0])[0]
        if expression.func in OPERATIONS:
            return OPERATIONS[expression.func](*parts)[0]
    except (ValueError, ZeroDivisionError):
        pass
    return arb.nan()


def factorials(coefficients: list[arb]) -> list[arb]:
    """Derivatives from Taylor coefficients."""
    found, factor = [], 1
    for k, c in enumerate(coefficients):
        factor *= max(k, 1)
        found.append(c * factor)
    return found


# -- operations on series -----------------------------------------------------------------------------------------------


def _never(*_: arb_series) -> arb_series:
    raise AssertionError("a constant or x is not computed")


def _ends(function: Callable[[arb], arb], u: arb) -> arb:
    """An increasing function of a ball, or a falling one."""
    if u.is_exact() or u.rel_accuracy_bits() > 40:
        return function(u)
    return function(u.lower()).union(function(u.upper()))


def _with_value(s: arb_series, value: arb) -> arb_series:
    return arb_series([value, *[s[k] for k in range(1, s.prec)]], s.prec)


def _integrated(
    value: Callable[[arb], arb], slope: Callable[[arb_series], arb_series]
) -> Callable[[arb_series], arb_series]:
    """F(s) as F at the constant term, and the integral of F'(s) s'."""

    def of(s: arb_series) -> arb_series:
        at = _ends(value, s[0])
        if s.prec == 1:
            return arb_series([at], 1)
        return arb_series([at], s.prec) + (slope(s) * s.derivative()).integral()

    return of


def _sum(*terms: arb_series) -> arb_series:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _product(*factors: arb_series) -> arb_series:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def _sigmoid_value(u: arb) -> arb:
    if u < 0:
        decay = u.exp()
        return decay / (1 + decay)
    return 1 / (1 + (-u).exp())


def _sigmoid(s: arb_series) -> arb_series:
    if s[0].mid() < 0:
        decay = _exp(s)
        found = decay / (1 + decay)
    else:
        found = 1 / (1 + _exp(-s))
    return _with_value(found, _ends(_sigmoid_value, s[0]))


def _sech_squared(s: arb_series) -> arb_series:
    return 4 * _sigmoid(2 * s) * _sigmoid(-2 * s)


def _softplus_value(u: arb) -> arb:
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def _exp(s: arb_series) -> arb_series:
    if s[0].rad() < NARROW:
        return s.exp()
    scale = _ends(arb.exp, s[0])
    return _with_value(s, arb(0)).exp() * scale


def _gauss(s: arb_series) -> arb_series:
    return _exp(-_whole_power(s, 2)) * (2 / arb.pi().sqrt())


def _whole_power(s: arb_series, n: int) -> arb_series:
    if n < 0:
        return 1 / _whole_power(s, -n)
    result, square, k = None, s, n
    while k:
        if k & 1:
            result = square if result is None else result * square
        k >>= 1
        if k:
            square = square * square
    if result is None:
        return arb_series([1], s.prec)
    if n % 2 == 0 and s[0].contains(0):
        u = s[0]
        result = _with_value(result, arb(0).union(u.abs_upper() ** n))
    return result


def _raised(exponent: Expr) -> Callable[[arb_series], arb_series]:
    if exponent.is_Integer:
        n = int(exponent)
        return lambda s: _whole_power(s, n)
    if exponent == sympy.Rational(1, 2):
        return lambda s: _checked(s).sqrt()
    if exponent == sympy.Rational(-1, 2):
        return lambda s: _checked(s).rsqrt()
    return lambda s: _exp(_checked(s).log() * constant(exponent))


def _power(base: arb_series, exponent: arb_series) -> arb_series:
    return _exp(_checked(base).log() * exponent)


def _checked(s: arb_series) -> arb_series:
    """A series with a positive constant term."""
    if not s[0] > 0:
        raise ValueError("not positive")
    return s


def _cbrt(s: arb_series) -> arb_series:
    u = s[0]
    if u.is_zero() and s.prec == 1:
        return s
    if u > 0:
        return _exp(s.log() / 3)
    if u < 0:
        return -_cbrt(-s)
    raise ValueError("not smooth at 0")


def _log(s: arb_series) -> arb_series:
    return _checked(s).log()


def _log1p(s: arb_series) -> arb_series:
    inner = _checked(1 + s)
    return _integrated(arb.log1p, lambda _: 1 / inner)(s)


OPERATIONS: dict[type, Callable[..., arb_series]] = {
    sympy.Add: _sum,
    sympy.Mul: _product,
    sympy.exp: _exp,
    sympy.log: _log,
    sympy.sin: arb_series.sin,
    sympy.cos: arb_series.cos,
    sympy.tan: arb_series.tan,
    sympy.asin: arb_series.asin,
    sympy.acos: arb_series.acos,
    sympy.atan: _integrated(arb.atan, lambda s: 1 / (1 + _whole_power(s, 2))),
    sympy.sinh: lambda s: (_exp(s) - _exp(-s)) / 2,
    sympy.cosh: lambda s: (_exp(s) + _exp(-s)) / 2,
    sympy.tanh: _integrated(arb.tanh, _sech_squared),
    sympy.asinh: _integrated(arb.asinh, lambda s: (1 + _whole_power(s, 2)).rsqrt()),
    sympy.erf: _integrated(arb.erf, _gauss),
    sympy.erfc: _integrated(arb.erfc, lambda s: -_gauss(s)),
    erfc: _integrated(arb.erfc, lambda s: -_gauss(s)),
    expm1: _integrated(arb.expm1, _exp),
    log1p: _log1p,
    sigmoid: _sigmoid,
    softplus: _integrated(_softplus_value, _sigmoid),
    cbrt: _cbrt,
}
"""SymPy function -> what it does to power series of balls."""

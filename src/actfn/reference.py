"""The oracle: the value of a formula at a float, to any accuracy and with a proven bound; distances from it in ulps.

A SymPy expression is compiled once into a flat list of steps, which run on exact rationals (`fmpq`) for as long as
every operand is a rational of reasonable size, and on Arb balls (python-flint) from there on. Whatever the radius
leaves open (accuracy, the side of a condition, a rounding) is settled by running again at twice the precision: a ball
never lies, so an answer that is reached is proven, and one that isn't is a NaN ball.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache, lru_cache
from itertools import permutations
from threading import RLock
from typing import Any

import sympy
from flint import arb, ctx, fmpq
from sympy import Expr, S

from actfn.definition import Definition
from actfn.formula import lines
from actfn.formula.derivative import derivative
from actfn.formula.functions import cbrt, erfc, expm1, log1p, maximum, minimum, sigmoid, softplus

Value = fmpq | arb

_GUARD = 32  # bits beyond the accuracy asked for, so that the first run is nearly always enough
_TOP = 20480  # bits; where raising the precision ends; Arb knows exp(u) for |u| up to 2**(2 * bits)
_RATIONAL_BITS = 20000  # a numerator or denominator beyond this makes a rational a ball

_ZERO, _ONE = fmpq(0), fmpq(1)
_NAN, _INF = arb.nan(), arb("inf")
_BLUR = arb(0, arb((1, -(1 << 16384))))  # narrower than any value that a formula reaches is far from 0

FORMATS = {  # dtype -> bits of the significand, exponent of the smallest subnormal, first exponent that overflows
    "float16": (11, -24, 16),
    "bfloat16": (8, -133, 128),
    "float32": (24, -149, 128),
    "float64": (53, -1074, 1024),
}

_lock = RLock()


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Ball arithmetic at `bits` bits inside the block, for this thread alone.

    `flint.ctx.prec` is one number for the whole process: this holds a lock that the oracle takes too, and puts the
    precision back.
    """
    with _lock:
        before = ctx.prec
        ctx.prec = bits
        try:
            yield
        finally:
            ctx.prec = before


class Oracle:
    """The value of an expression in `x` and parameters, as balls and as floats rounded once.

    Inputs and parameters are exact floats, and a literal of the formula the exact decimal. An oracle may be used from
    several threads. Raises `ValueError` for an expression with a node that no formula contains.
    """

    def __init__(self, expression: Expr):
        compiler = _Compiler()
        result = compiler.slot(expression)
        # x-independent steps first: they run once for each precision and set of parameters.
        fixed = [i for i, depends in enumerate(compiler.depends) if not depends]
        moving = [i for i, depends in enumerate(compiler.depends) if depends]
        place = {old: new for new, old in enumerate(fixed + moving)}  # x comes first of those that depend on it
        steps = [(operation, tuple(place[j] for j in operands)) for operation, operands in compiler.steps]
        self._fixed = [steps[i] for i in fixed]
        self._moving = [steps[i] for i in moving[1:]]
        self._names = {name: place[i] for name, i in compiler.names.items() if name != "x"}
        self._result = place[result]
        self._prelude: dict[tuple[int, tuple[float, ...]], list[Any]] = {}

    def ball(self, x: float, parameters: Mapping[str, float] | None = None, precision: int = 128) -> arb:
        """A ball that contains the value at x, of relative radius below 2**-precision, or exact.

        - A NaN ball: undefined (log of a negative number), or undetermined after all precision is spent.
        - An infinite ball: log(0), or an infinite limit.
        - A value within a hair of 0 that can't be told from 0 comes as the small ball that it is.
        - At an infinite x the limit, where arithmetic with infinities proves one: 0 for exp(-x) at inf, but NaN for
          x*exp(-x), where that is 0 times infinity.

        Arithmetic on a ball rounds to `flint.ctx.prec`: see `working_precision`.
        """
        x, known = float(x), self._known(parameters)
        value: Value = _NAN
        for bits in _precisions(precision + _GUARD):
            with working_precision(bits):
                value = self._value(x, known, bits)
                if isinstance(value, fmpq):
                    return _exact_ball(value)
                if _is_infinite(value):
                    return value.mid()
                if value.is_finite() and value.rel_accuracy_bits() >= precision + 2:
                    return value
        return value if value.is_finite() else _NAN

    def rounded(self, x: float, parameters: Mapping[str, float] | None = None, dtype: str = "float64") -> float:
        """The value at x rounded once to dtype, half to even, with gradual underflow and overflow to infinity.

        NaN where `ball` is NaN, and where the side of a tie on which the value lies doesn't show: neither by precision nor
        as the sign of what it has beside a rational part (see `formula.lines`). An exact zero is +0.0; a negative value that
        underflows is -0.0.
        """
        return self._rounded(float(x), self._known(parameters), _format(dtype))

    def sample(
        self, xs: Sequence[float], parameters: Mapping[str, float] | None = None, dtype: str = "float64"
    ) -> list[float]:
        """`rounded` at each of xs."""
        known, form = self._known(parameters), _format(dtype)
        return [self._rounded(float(x), known, form) for x in xs]

    def _known(self, parameters: Mapping[str, float] | None) -> tuple[float, ...]:
        """The values of the parameters that the expression uses, in the order of `_names`."""
        for name in self._names:
            if parameters is None or name not in parameters:
                raise ValueError(f"the expression needs a value for its parameter {name!r}")
        known = tuple(float(parameters[name]) for name in self._names) if parameters else ()
        if not all(map(math.isfinite, known)):
            raise ValueError(f"parameters must be finite numbers, got {dict(zip(self._names, known, strict=True))}")
        return known

    def _rounded(self, x: float, known: tuple[float, ...], form: tuple[int, int, int]) -> float:
        low = high = math.nan
        for bits in _precisions(form[0] + 2 * _GUARD):
            with working_precision(bits):
                value = self._value(x, known, bits)
                if isinstance(value, fmpq):
                    return _round(int(value.p), int(value.q), 0, form)
                if value.is_finite():
                    low, high = _round_ball(value, form)
                elif _is_infinite(value):
                    return float(value.mid())
                else:
                    low, high = -math.inf, math.inf
                if low == high and math.copysign(1, low) == math.copysign(1, high):
                    return low
                if low != high and math.isfinite(x) and (tie := _tie(low, high, form)) is not None:
                    side = lines.side(self._beside(x, known), tie)
                    if side is not None:
                        return high if side > 0 else low if side < 0 else _round(int(tie.p), int(tie.q), 0, form)
        return 0.0 if low == high else math.nan  # a zero of unknown sign; a tie, or a hair beside it

    def beside(self, x: float, parameters: Mapping[str, float] | None = None) -> tuple[fmpq, arb]:
        """The value at a finite x as a rational and a rest, which is small where the value is nearly a line's."""
        with working_precision(128):
            return lines.parts(self._beside(float(x), self._known(parameters)))

    def _beside(self, x: float, known: tuple[float, ...]) -> lines.Value:
        given = dict(zip(self._names.values(), known, strict=True))
        values: list[Any] = []
        for i, step in enumerate(self._fixed):
            if i in given:
                values.append(fmpq(*given[i].as_integer_ratio()))
            else:
                lines.run([step], values, _BESIDE)
        values.append(fmpq(*x.as_integer_ratio()))
        lines.run(self._moving, values, _BESIDE)
        return values[self._result]

    def _value(self, x: float, known: tuple[float, ...], bits: int) -> Value:
        """One run at the precision that is set, `bits`."""
        if math.isnan(x):
            return _NAN
        if not math.isinf(x):
            return self._run(fmpq(*x.as_integer_ratio()), known, bits)
        # Every function here is continuous where it is defined, so that arithmetic with infinities gives the limit as
        # long as no condition, domain or product hangs on a value that is only approached. A run with each value
        # blurred finds out: what depends on the blur doesn't come out sharp.
        blurred = self._run(arb(x), known, bits, blur=True)
        if isinstance(blurred, fmpq) or not blurred.is_finite():
            return blurred
        sharp = blurred.rel_accuracy_bits() > bits // 2 or blurred.rad() < arb((1, -bits))
        return self._run(arb(x), known, bits) if sharp else _NAN

    def _run(self, x: Value, known: tuple[float, ...], bits: int, blur: bool = False) -> Value:
        values = self._prelude.get((bits, known))
        if values is None:
            given = dict(zip(self._names.values(), known, strict=True))
            values = []
            for i, (operation, operands) in enumerate(self._fixed):
                ratio = given[i].as_integer_ratio() if i in given else None
                values.append(fmpq(*ratio) if ratio else operation(*[values[j] for j in operands]))
            if len(self._prelude) > 64:
                self._prelude.clear()
            self._prelude[bits, known] = values
        values = [*values, x]
        for operation, operands in self._moving:
            value = operation(*[values[i] for i in operands])
            if blur and isinstance(value, arb) and value.is_finite():
                value = value + _BLUR
            values.append(value)
        return values[self._result]


def ulp(value: float, dtype: str = "float64") -> float:
    """The distance between neighbouring numbers of dtype in the binade of a value: of the largest binade beyond it, of
    the subnormals at the bottom. Infinity for an infinite value, NaN for NaN."""
    if not math.isfinite(value):
        return abs(value)
    return math.ldexp(1.0, _quantum(math.frexp(value)[1] - 1, _format(dtype)) if value else _format(dtype)[1])


def ulps(got: float, ball: arb, dtype: str = "float64") -> float:
    """How far a float is from the true value, in ulps of dtype in the true value's binade.

    An upper bound by no more than the ball's radius: 0 for an exact match, at most 0.5 for a correct rounding. Where
    the true value overflows, infinity is right. Where it is NaN or infinite, 0 if got is the same, else infinity.
    """
    form = _format(dtype)
    if not ball.is_finite():
        same = got == float(ball.mid()) if _is_infinite(ball) else math.isnan(got)
        return 0.0 if same else math.inf
    if not math.isfinite(got):
        with working_precision(256):
            return 0.0 if _round_ball(ball, form) == (got, got) else math.inf
    with working_precision(256):
        low = ball.abs_lower()
        mantissa, exponent = low.man_exp() if not low.is_zero() else (1, form[1])
        binade = int(exponent) + int(mantissa).bit_length() - 1
        return float((arb(got) - ball).abs_upper() * arb((1, -_quantum(binade, form))))


# --- floats ---


def _format(dtype: str) -> tuple[int, int, int]:
    try:
        return FORMATS[dtype]
    except KeyError:
        raise ValueError(f"unknown dtype {dtype!r}; write one of {', '.join(FORMATS)}") from None


def _quantum(binade: int, form: tuple[int, int, int]) -> int:
    """The exponent of the last bit of a number in [2**binade, 2**(binade + 1))."""
    significand, bottom, top = form
    return max(min(binade, top - 1) + 1 - significand, bottom)


def _round(numerator: int, denominator: int, exponent: int, form: tuple[int, int, int]) -> float:
    """numerator/denominator * 2**exponent, rounded half to even."""
    if not numerator:
        return 0.0
    sign = 1.0 if numerator > 0 else -1.0
    numerator = abs(numerator)
    bottom, top = form[1:]
    shift = numerator.bit_length() - denominator.bit_length()
    binade = shift + exponent  # or one less; settled below, once nothing that is shifted can be long
    if binade > top:
        return sign * math.inf
    if binade < bottom - 1:
        return sign * 0.0
    if (numerator << max(-shift, 0)) < (denominator << max(shift, 0)):
        binade -= 1
    quantum = max(binade + 1 - form[0], bottom)
    numerator <<= max(exponent - quantum, 0)
    denominator <<= max(quantum - exponent, 0)
    units, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and units & 1):
        units += 1
    if units.bit_length() + quantum > top:
        return sign * math.inf
    return sign * math.ldexp(units, quantum)


def _round_ball(ball: arb, form: tuple[int, int, int]) -> tuple[float, float]:
    """Both ends of a finite ball, rounded."""
    low, high = ball.lower().man_exp(), ball.upper().man_exp()
    return _round(int(low[0]), 1, int(low[1]), form), _round(int(high[0]), 1, int(high[1]), form)


def _tie(low: float, high: float, form: tuple[int, int, int]) -> fmpq | None:
    """Halfway between two neighbours, of which one may be infinite; None if they aren't neighbours."""
    ends = [Fraction(v) if math.isfinite(v) else Fraction(2) ** form[2] * (1 if v > 0 else -1) for v in (low, high)]
    middle = (ends[0] + ends[1]) / 2
    beside = (middle + (end - middle) / 4 for end in ends)
    if low == high or [_round(b.numerator, b.denominator, 0, form) for b in beside] != [low, high]:
        return None
    return fmpq(middle.numerator, middle.denominator)


def _exact_ball(value: fmpq) -> arb:
    numerator, denominator = int(value.p), int(value.q)
    if denominator & (denominator - 1):
        return arb(value)
    return arb((numerator, 1 - denominator.bit_length()))


def _precisions(first: int) -> list[int]:
    """Working precisions to try in turn."""
    bits = [first]
    while bits[-1] < _TOP or len(bits) < 4:
        bits.append(2 * bits[-1])
    return bits


# --- arithmetic on rationals and balls ---


def _is_infinite(value: arb) -> bool:
    """Whether a ball is plus or minus infinity, not the whole line."""
    return not value.is_finite() and not value.mid().is_finite() and not value.is_nan() and value.rad().is_finite()


def _small(value: fmpq) -> Value:
    return value if value.height_bits() <= _RATIONAL_BITS else arb(value)


def _add(*terms: Value) -> Value:
    exact, ball = _ZERO, None
    for term in terms:
        if isinstance(term, fmpq):
            exact = exact + term
        else:
            ball = term if ball is None else ball + term
    if ball is None:
        return _small(exact)
    return ball + exact if exact else ball


def _multiply(*factors: Value) -> Value:
    exact, ball = _ONE, None
    for factor in factors:
        if isinstance(factor, fmpq):
            exact = exact * factor
        else:
            ball = factor if ball is None else ball * factor
    if ball is None:
        return _small(exact)
    if not exact:
        return _ZERO if ball.is_finite() else _NAN
    return ball * exact


def _power(base: Value, exponent: Value) -> Value:
    """base**exponent: 0**0 is 1, a negative base has integer exponents only, 0 has no negative ones."""
    if isinstance(exponent, fmpq) and exponent.q == 1:
        return _integer_power(base, int(exponent.p))
    if base < 0:
        return _NAN
    if base == 0:
        return _ZERO if exponent > 0 else _NAN
    if isinstance(base, fmpq):
        if base == 1:
            return _ONE
        if isinstance(exponent, fmpq) and (root := _exact_root(base, int(exponent.q))) is not None:
            return _integer_power(root, int(exponent.p))
    if isinstance(exponent, fmpq):
        return arb(base) ** exponent
    return (_log(arb(base)) * exponent).exp()


def _integer_power(base: Value, exponent: int) -> Value:
    if exponent == 0:
        return _ONE
    if isinstance(base, fmpq):
        if not base and exponent < 0:
            return _NAN
        if base.height_bits() * abs(exponent) <= _RATIONAL_BITS:
            return base**exponent
        base = arb(base)
    elif _is_infinite(base):
        infinite = base if exponent % 2 else abs(base)
        return infinite if exponent > 0 else 1 / infinite
    return base**exponent


def _exact_root(value: fmpq, degree: int) -> fmpq | None:
    """The root of a positive rational, where it is rational."""
    if degree > 64:
        return None
    numerator, denominator = value.p.root(degree), value.q.root(degree)
    return fmpq(numerator, denominator) if numerator**degree == value.p and denominator**degree == value.q else None


def _compare(a: Value, b: Value) -> int | None:
    """-1, 0 or 1, or None where the balls overlap (or one is NaN)."""
    if a < b:
        return -1
    if a > b:
        return 1
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return 0
    return 0 if a == b and arb(a).is_finite() else None


def _maximum(a: Value, b: Value) -> Value:
    order = _compare(a, b)
    return arb(a).max(arb(b)) if order is None else a if order >= 0 else b


def _minimum(a: Value, b: Value) -> Value:
    order = _compare(a, b)
    return arb(a).min(arb(b)) if order is None else a if order <= 0 else b


def _sign(u: Value) -> Value:
    order = _compare(u, _ZERO)
    return (_NAN if arb(u).is_nan() else arb(0, 1)) if order is None else fmpq(order)


def _choose(*pairs: bool | Value | None) -> Value:
    """A Piecewise: condition, value, condition, value ...; where a condition is undecided, the hull of what may be."""
    possible = []
    for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
        if condition is not False:
            possible.append(value)
        if condition is True:
            break
    else:
        possible.append(_NAN)
    if len(possible) == 1:
        return possible[0]
    hull, *rest = map(arb, possible)
    for value in rest:
        hull = hull.union(value) if hull.overlaps(value) else _NAN
    return hull


def _and(*conditions: bool | None) -> bool | None:
    return False if False in conditions else None if None in conditions else True


def _or(*conditions: bool | None) -> bool | None:
    return True if True in conditions else None if None in conditions else False


def _not(condition: bool | None) -> bool | None:
    return None if condition is None else not condition


def _relation(holds: Callable[[int], bool]) -> Callable[[Value, Value], bool | None]:
    def decided(a: Value, b: Value) -> bool | None:
        order = _compare(a, b)
        return None if order is None else holds(order)

    return decided


# --- functions of one number ---


@cache
def _on_balls(function: Callable[[arb], arb]) -> Callable[[Value], Value]:
    """The function for a ball or a rational, rational where a rational argument gives an exact value (exp(0))."""

    def value(u: Value) -> Value:
        if isinstance(u, arb):
            return function(u)
        ball = function(arb(u))
        if not (ball.is_exact() and ball.is_finite()):
            return ball
        mantissa, exponent = map(int, ball.man_exp())
        return fmpq(mantissa << max(exponent, 0), 1 << max(-exponent, 0)) if abs(exponent) < _RATIONAL_BITS else ball

    return value


def _accurate_at_zero(function: Callable[[arb], arb]) -> Callable[[arb], arb]:
    """expm1, sinh or tanh: u (1 + t u) with |t| < 1 near 0, where Arb's own keep 28 bits below 2**-(2**62)."""

    def value(u: arb) -> arb:
        value = function(u)
        if value.rel_accuracy_bits() < 32 and abs(u) < arb((1, -2 * _TOP)):
            return u * (1 + arb(0, 1) * u)
        return value

    return value


_expm1 = _accurate_at_zero(arb.expm1)


def _sech_squared(u: arb) -> arb:
    decay = (-2 * abs(u)).exp()
    return 4 * decay / (1 + decay) ** 2


def _log(u: arb) -> arb:
    return -_INF if u.is_zero() else u.log()


def _log1p(u: arb) -> arb:
    return -_INF if u == -1 else u.log1p()


def _sigmoid(u: arb) -> arb:
    if u < 0:
        decay = u.exp()
        return decay / (1 + decay)
    return 1 / (1 + (-u).exp())


def _softplus(u: arb) -> arb:
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def _erf(u: arb) -> arb:
    return arb(1 if u > 0 else -1) if _is_infinite(u) else u.erf()


def _erfc(u: arb) -> arb:
    if _is_infinite(u):
        return arb(0 if u > 0 else 2)
    value = u.erfc()
    if value.rel_accuracy_bits() < 32 and u > 1:  # Arb bounds the effect of the radius of u too coarsely from 2**21 on
        return u.lower().erfc().union(u.upper().erfc())
    return value


def _cbrt(u: Value) -> Value:
    if u == 0:
        return _ZERO
    if u < 0:
        return -_cbrt(-u)
    if u > 0:
        return _power(u, fmpq(1, 3))
    return arb(0, arb(u).abs_upper().root(3).abs_upper())


_OPERATIONS: dict[type, Callable] = {
    sympy.Add: _add,
    sympy.Mul: _multiply,
    sympy.Pow: _power,
    sympy.exp: _on_balls(arb.exp),
    sympy.log: _on_balls(_log),
    sympy.sin: _on_balls(arb.sin),
    sympy.cos: _on_balls(arb.cos),
    sympy.tan: _on_balls(arb.tan),
    sympy.asin: _on_balls(arb.asin),
    sympy.acos: _on_balls(arb.acos),
    sympy.atan: _on_balls(arb.atan),
    sympy.sinh: _on_balls(_accurate_at_zero(arb.sinh)),
    sympy.cosh: _on_balls(arb.cosh),
    sympy.tanh: _on_balls(_accurate_at_zero(arb.tanh)),
    sympy.asinh: _on_balls(arb.asinh),
    sympy.erf: _on_balls(_erf),
    sympy.erfc: _on_balls(_erfc),
    erfc: _on_balls(_erfc),
    sympy.Abs: abs,
    sympy.sign: _sign,
    expm1: _on_balls(_expm1),
    log1p: _on_balls(_log1p),
    sigmoid: _on_balls(_sigmoid),
    softplus: _on_balls(_softplus),
    cbrt: _cbrt,
    maximum: _maximum,
    minimum: _minimum,
    sympy.And: _and,
    sympy.Or: _or,
    sympy.Not: _not,
    sympy.Eq: _relation(lambda order: order == 0),
    sympy.Ne: _relation(lambda order: order != 0),
    sympy.Lt: _relation(lambda order: order < 0),
    sympy.Le: _relation(lambda order: order <= 0),
    sympy.Gt: _relation(lambda order: order > 0),
    sympy.Ge: _relation(lambda order: order >= 0),
}

_BESIDE: dict[Callable, Callable] = {_OPERATIONS[kind]: beside for kind, beside in lines.OPERATIONS.items()}
_BESIDE |= {_choose: lines.choice, _on_balls(_log1p): lines.OPERATIONS[log1p]}

_CONSTANTS: dict[object, Callable] = {
    S.Pi: arb.pi,
    S.Exp1: arb.const_e,
    S.true: lambda: True,
    S.false: lambda: False,
    S.NaN: lambda: _NAN,
    S.ComplexInfinity: lambda: _NAN,
    S.Infinity: lambda: _INF,
    S.NegativeInfinity: lambda: -_INF,
}


def _given_at_each_run() -> None:
    """The step of x and of a parameter."""


class _Compiler:
    """An expression as steps, each an operation and the slots of its operands; a shared subexpression is one slot."""

    def __init__(self):
        self.steps: list[tuple[Callable, tuple[int, ...]]] = []
        self.depends: list[bool] = []  # on x
        self.names: dict[str, int] = {}
        self._slots: dict[Any, int] = {}

    def slot(self, node: Any) -> int:
        if node not in self._slots:
            self._slots[node] = self._compiled(node)
        return self._slots[node]

    def _compiled(self, node: Any) -> int:
        if node in _CONSTANTS:
            return self._step(_CONSTANTS[node], ())
        if isinstance(node, sympy.Rational):
            value = fmpq(node.p, node.q)
            return self._step(lambda: value, ())
        if isinstance(node, sympy.Symbol):
            if node.name not in self.names:
                self.names[node.name] = self._step(_given_at_each_run, (), depends=node.name == "x")
            return self.names[node.name]
        if isinstance(node, sympy.Piecewise):
            parts = [part for value, condition in node.args for part in (condition, value)]
            return self._step(_choose, [self.slot(part) for part in parts])
        if isinstance(node, sympy.Add) and (steadied := self._steadied_sum(node.args)) is not None:
            return steadied
        if isinstance(node, sympy.log) and isinstance(node.args[0], sympy.Add) and S.One in node.args[0].args:
            rest = list(node.args[0].args)
            rest.remove(S.One)
            return self._step(_on_balls(_log1p), [self.slot(sympy.Add(*rest))])
        if node.func not in _OPERATIONS:
            raise ValueError(f"the oracle can't evaluate {node.func.__name__}: {str(node)[:80]}")
        return self._step(_OPERATIONS[node.func], [self.slot(argument) for argument in node.args])

    def _step(self, operation: Callable, operands: Sequence[int], depends: bool = False) -> int:
        self.steps.append((operation, tuple(operands)))
        self.depends.append(depends or any(self.depends[i] for i in operands))
        return len(self.steps) - 1

    def _steadied_sum(self, terms: Sequence[Expr]) -> int | None:
        """A sum in which a number cancels against a function near its limit (exp(u) - 1, 1 + erf(u)), without that.

        Only saves precision: any sum comes out right by raising it.
        """
        for i, j in permutations(range(len(terms)), 2):
            if isinstance(terms[i], sympy.Rational) and (steady := _steadied(terms[i], terms[j])) is not None:
                factor, operation, argument = steady
                function = self._step(_on_balls(operation), [self.slot(argument)])
                product = self._step(_multiply, [self.slot(factor), function])
                rest = [self.slot(term) for k, term in enumerate(terms) if k not in (i, j)]
                return self._step(_add, [product, *rest]) if rest else product
        return None


def _steadied(number: sympy.Rational, term: Any) -> tuple[Any, Callable, Any] | None:
    """number + term as (factor, operation, argument)."""
    factor, function = term.as_coeff_Mul()
    if not function.args:
        return None
    ratio, u = number / factor, function.args[0]
    if isinstance(function, sympy.exp) and ratio == -1:
        return factor, _expm1, u
    if isinstance(function, sigmoid) and ratio == -1:
        return number, _sigmoid, -u
    if isinstance(function, sympy.Pow) and isinstance(u, sympy.tanh) and function.exp == 2 and ratio == -1:
        return number, _sech_squared, u.args[0]
    if isinstance(function, sympy.tanh) and abs(ratio) == 1:
        return 2 * number, _sigmoid, 2 * ratio * u
    if isinstance(function, sympy.erf) and abs(ratio) == 1:
        return number, _erfc, -ratio * u
    if isinstance(function, sympy.erfc | erfc) and ratio in (-1, -2):
        return (number, _erf, u) if ratio == -1 else (-factor, _erfc, -u)
    return None


def rounded_to_float32(
    definition: Definition, order: int, by: tuple[str, ...], x: float, parameters: Mapping[str, float]
) -> float:
    """f at x, or its derivative of an order (differentiated by parameters too), correctly rounded to float32."""
    return _oracle_of(definition, order, by).rounded(x, parameters, "float32")


@lru_cache(maxsize=256)
def _oracle_of(definition: Definition, order: int, by: tuple[str, ...]) -> Oracle:
    symbols = [definition.symbols[name] for name in by]
    return Oracle(derivative(definition.expression, order, definition.conventions, symbols))

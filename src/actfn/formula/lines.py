"""Values as a rational and a rest, for the side of a tie on which a formula lies where it is nearly a line.

Leans on python-flint. Far out sigmoid(u) is 1 - sigmoid(-u) and near 0 it is 1/2 + tanh(u/2)/2: the rational parts of
1.25*x*sigmoid(x) cancel a tie exactly, and the sign of what is left shows however small it is. A rest is a ball at the
precision that is set; a function that isn't known here, or not at its argument, is a ball as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import Any, NamedTuple

import sympy
from flint import arb, fmpq

from actfn.formula.functions import erfc, expm1, log1p, maximum, minimum, sigmoid, softplus

_BITS = 20000  # of a numerator or denominator; beyond, a value is a ball
_ZERO, _ONE, _HALF = fmpq(0), fmpq(1), fmpq(1, 2)
_NEAR = fmpq(1, 2)  # from 0, where the first terms of a series bound the others
_UNIT = arb(0, 1)


class Sum(NamedTuple):
    """near + rest."""

    near: fmpq
    rest: arb


Value = fmpq | arb | Sum


def whole(value: Any) -> Any:
    """A value as one number; what a condition is stays."""
    return value.rest + value.near if isinstance(value, Sum) else value


def side(value: Value, tie: fmpq) -> int | None:
    """The sign of a value minus a rational; None where it isn't known."""
    near, rest = parts(value)
    difference = near - tie
    if not difference:
        return 1 if rest > 0 else -1 if rest < 0 else 0 if rest == 0 else None
    away = rest + difference
    return 1 if away > 0 else -1 if away < 0 else None


def parts(value: Value) -> tuple[fmpq, arb]:
    """A value as a rational and a rest."""
    if isinstance(value, Sum):
        return value
    return (value, arb(0)) if isinstance(value, fmpq) else (_ZERO, value)


def _sum(near: fmpq, rest: arb) -> Value:
    return Sum(near, rest) if near.height_bits() <= _BITS else rest + near


# -- arithmetic ---------------------------------------------------------------------------------------------------------


def _add(*terms: Value) -> Value:
    near, rest = _ZERO, arb(0)
    for term in terms:
        n, r = parts(term)
        near, rest = near + n, rest + r
    return _sum(near, rest)


def _multiply(*factors: Value) -> Value:
    product: Value = Sum(_ONE, arb(0))
    for factor in factors:
        (a, r), (b, s) = parts(product), parts(factor)
        product = _sum(a * b, r * b + s * a + r * s)
    return product


def _power(base: Value, exponent: Value) -> Value | None:
    if not isinstance(exponent, fmpq):
        return None
    p, q = int(exponent.p), int(exponent.q)
    if q == 2:
        root = _root(base)
        return None if root is None else _power(root, fmpq(p))
    if q != 1 or not 0 < abs(p) <= 16:
        return None
    result = _multiply(*[base] * abs(p))
    return result if p > 0 else _inverse(result)


def _inverse(value: Value) -> Value | None:
    near, rest = parts(value)
    return _sum(1 / near, -rest / (near * (rest + near))) if near else None


def _root(value: Value) -> Value | None:
    """sqrt(1 + x^2) is |x| and a rest far out, 1 and a rest near 0."""
    near, rest = parts(value)
    numerator, denominator = int(near.p), int(near.q)
    if numerator <= 0:
        return None
    shift = (denominator.bit_length() - 1) & 1  # a power of two that is no square is halved
    root = fmpq(isqrt(numerator << shift), isqrt(denominator << shift))
    if not root:
        return None
    rest = rest + (near - root * root)
    return _sum(root, rest / ((rest + root * root).sqrt() + root))


# -- functions ----------------------------------------------------------------------------------------------------------


def _of_number(function: Callable[[Any, arb], Value | None]) -> Callable[[Value], Value | None]:
    """A function of (u, u as a ball) as one of a value; a sum with a rational part far larger is no small number."""

    def value(u: Value) -> Value | None:
        return function(u, arb(whole(u)))

    return value


def _series(cubic: fmpq) -> Callable[[Value], Value | None]:
    """u + c*u^3*(1 + t*u^2) with |t| < 1, near 0."""

    def value(u: Any, ball: arb) -> Value | None:
        if not abs(ball) < _NEAR:
            return None
        near, rest = parts(u)
        return _sum(near, rest + ball**3 * cubic * (1 + _UNIT * ball**2))

    return _of_number(value)


def _tanh_of(u: Any, ball: arb) -> Value | None:
    if abs(ball) > 1:
        one = _ONE if ball > 0 else -_ONE
        return Sum(one, -2 * one * _decay(2 * abs(ball)))
    return _tanh_near_zero(u)


_tanh_near_zero = _series(fmpq(-1, 3))


def _decay(ball: arb) -> arb:
    """sigmoid(-u) for a positive u."""
    small = (-ball).exp()
    return small / (1 + small)


def _sigmoid_of(u: Any, ball: arb) -> Value | None:
    if ball > 1:
        return Sum(_ONE, -_decay(ball))
    return Sum(_HALF, (ball / 2).tanh() / 2) if abs(ball) < 2 else None


def _softplus_of(u: Any, ball: arb) -> Value | None:
    if not ball > 1:
        return None
    near, rest = parts(u)
    return _sum(near, rest + (-ball).exp().log1p())


def _erf_of(u: Any, ball: arb) -> Value | None:
    one = _ONE if ball > 0 else -_ONE
    return Sum(one, -one * abs(ball).erfc()) if abs(ball) > 1 else None


def _erfc_of(u: Any, ball: arb) -> Value | None:
    if ball < -1:
        return Sum(fmpq(2), -(-ball).erfc())
    return Sum(_ONE, -ball.erf()) if abs(ball) < 1 else None


def _expm1_of(u: Any, ball: arb) -> Value | None:
    if ball < -1:
        return Sum(-_ONE, ball.exp())
    if not abs(ball) < _NEAR:
        return None
    near, rest = parts(u)
    return _sum(near, rest + ball**2 / 2 * (1 + _UNIT * ball))


def _exp_of(u: Any, ball: arb) -> Value | None:
    if not abs(ball) < _NEAR:
        return None
    near, rest = parts(u)
    return _sum(near + 1, rest + ball**2 / 2 * (1 + _UNIT * ball))


def _log1p_of(u: Any, ball: arb) -> Value | None:
    if not abs(ball) < _NEAR:
        return None
    near, rest = parts(u)
    return _sum(near, rest - ball**2 / 2 * (1 + 2 * _UNIT * ball))


# -- choices ------------------------------------------------------------------------------------------------------------


def _larger(sign: int) -> Callable[[Value, Value], Value | None]:
    def value(a: Value, b: Value) -> Value | None:
        above = side(_add(a, _multiply(fmpq(-1), b)), _ZERO)
        return None if above is None else a if above * sign >= 0 else b

    return value


def _absolute(u: Value) -> Value | None:
    above = side(u, _ZERO)
    return None if above is None else u if above >= 0 else _multiply(fmpq(-1), u)


def choice(*pairs: Any) -> Value | None:
    """The first value whose condition holds; None where one before it isn't decided."""
    for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
        if condition is not False:
            return value if condition is True else None
    return None


OPERATIONS: dict[Any, Callable[..., Value | None]] = {
    sympy.Add: _add,
    sympy.Mul: _multiply,
    sympy.Pow: _power,
    sympy.exp: _of_number(_exp_of),
    sympy.cos: _of_number(lambda u, ball: Sum(_ONE, -2 * (ball / 2).sin() ** 2) if abs(ball) < 1 else None),
    sympy.cosh: _of_number(lambda u, ball: Sum(_ONE, 2 * (ball / 2).sinh() ** 2) if abs(ball) < 1 else None),
    sympy.sin: _series(fmpq(-1, 6)),
    sympy.sinh: _series(fmpq(1, 6)),
    sympy.atan: _series(fmpq(-1, 3)),
    sympy.asinh: _series(fmpq(-1, 6)),
    sympy.tanh: _of_number(_tanh_of),
    sympy.erf: _of_number(_erf_of),
    sympy.erfc: _of_number(_erfc_of),
    erfc: _of_number(_erfc_of),
    sigmoid: _of_number(_sigmoid_of),
    softplus: _of_number(_softplus_of),
    expm1: _of_number(_expm1_of),
    log1p: _of_number(_log1p_of),
    maximum: _larger(1),
    minimum: _larger(-1),
    sympy.Abs: _absolute,
}
"""SymPy class -> the operation, which is None where it has no rational part."""


def run(steps: Sequence[tuple[Callable, tuple[int, ...]]], values: list[Any], known: dict[Callable, Callable]) -> None:
    """Appends the value of each step, by what is `known` of its operation, else by the operation itself."""
    for operation, operands in steps:
        arguments = [values[i] for i in operands]
        value = known[operation](*arguments) if operation in known else None
        values.append(operation(*map(whole, arguments)) if value is None else value)

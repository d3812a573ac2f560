"""The numbers of an expression as text: exact decimals where they are finite, else floats that are rounded once.

A part without symbols, such as `sqrt(2/pi)`, is evaluated here to 100 digits and rounded to float64 only then, so no
target loses accuracy to its own `sqrt`, and none needs `erfc` for a constant.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import sympy
from sympy import Abs, Expr, Float, Integer, Rational, S

from actfn.formula.functions import cbrt, expm1, log1p, maximum, minimum, sigmoid, softplus

DIGITS = 100
LARGEST = 10**9
"""No function but a slowly growing one is evaluated beyond this: `exp(exp(exp(20)))` would not end."""

_SLOW = (sympy.log, log1p, sympy.asinh, sympy.atan, Abs, sympy.sign, cbrt, maximum, minimum)


def decimal(number: Rational, digits: int = 40) -> str | None:
    """A rational as a finite decimal of at most so many digits; None if it isn't one."""
    p, q = int(number.p), int(number.q)
    twos, fives, rest = 0, 0, q
    while rest % 2 == 0:
        twos, rest = twos + 1, rest // 2
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    places = max(twos, fives)
    if rest != 1 or places > 400:
        return None
    scaled = abs(p) * 10**places // q
    text = str(scaled)
    if len(text) > digits:
        return None
    return str(Decimal((int(p < 0), tuple(map(int, text)), -places))).lower()


def nearest(number: Rational) -> float:
    """The float64 nearest to a rational; infinite beyond the largest."""
    try:
        return int(number.p) / int(number.q)  # Python divides integers of any size with one rounding
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def value(expression: Expr) -> Expr | None:
    """An expression without symbols as a rational (within 1e-90 of it, relatively), infinity or NaN.

    None where it is no real number or is too large to be worked out.
    """
    number = _evaluated(expression)
    if number is None or number is S.NaN or number in (S.Infinity, S.NegativeInfinity):
        return number
    if number.is_Rational:
        return number
    if not isinstance(number, Float):
        return None
    if Abs(number) > sympy.Float("1e400"):
        return S.Infinity if number > 0 else S.NegativeInfinity
    if Abs(number) < sympy.Float("1e-400"):
        return S.Zero
    return Rational(number)


def _evaluated(expression: Expr) -> Expr | None:
    if not expression.args:
        return expression if expression.is_Rational else expression.evalf(DIGITS)
    arguments = [_evaluated(a) if isinstance(a, Expr) else a for a in expression.args]
    if any(a is None for a in arguments):
        return None
    grows = not (expression.is_Add or expression.is_Mul or isinstance(expression, _SLOW))
    if grows and any(bool(getattr(a, "is_comparable", False)) and Abs(a) > LARGEST for a in arguments[-1:]):
        return None
    if isinstance(expression, expm1 | log1p | sigmoid | softplus | cbrt):
        return type(expression)(*arguments, evaluate=False).elementary().evalf(DIGITS)  # type: ignore[arg-type]
    if isinstance(expression, maximum | minimum):
        return (max if isinstance(expression, maximum) else min)(arguments)  # type: ignore[type-var]
    rebuilt = expression.func(*arguments)
    return rebuilt if rebuilt.is_Rational or isinstance(rebuilt, Float) else rebuilt.evalf(DIGITS)


def is_compound(expression: Any) -> bool:
    """Whether something is built from numbers alone, yet isn't one number."""
    return isinstance(expression, Expr) and bool(expression.args) and bool(expression.is_number)


def literal(number: Rational | Integer) -> str:
    """Source text, in any of the languages here, whose value is the float64 nearest to a finite rational."""
    if number.q == 1 and abs(number.p) <= 2**53:
        return str(number.p)
    rounded = nearest(number)
    if Rational(*Fraction(repr(rounded)).as_integer_ratio()) == number or max(abs(number.p), number.q) >= 10_000:
        return repr(rounded)
    return f"{number.p}/{number.q}"

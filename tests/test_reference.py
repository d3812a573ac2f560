"""The oracle against mpmath, Python's exact fractions and NumPy's casts."""

from __future__ import annotations

import itertools
import math
import struct
import sys
import threading
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
import sympy
from flint import arb
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from sympy import Piecewise, Rational, S

from actfn.formula import functions as f
from actfn.formula import lines
from actfn.formula.functions import X
from actfn.reference import Oracle, ulp, ulps, working_precision

INF, NAN = math.inf, math.nan
A, THETA = sympy.symbols("a theta", real=True)
DTYPES = {"float16": np.float16, "float32": np.float32, "float64": np.float64}

SIZES = [5e-324, 1e-310, 2.3e-308, 1e-300, 1e-100, 1e-17, 1e-8, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 8.0, 9.0, 36.5, 88.7]
HUGE = [709.8, 1e3, 2.0**53, 1e22, 1e100, 2.0**1023, 1e308]
POINTS = [0.0, -0.0, *(sign * size for size in SIZES + HUGE for sign in (1, -1))]


def real(function, domain=lambda x: True):
    return lambda x: function(x) if domain(x) else None


NODES = {
    "identity": (X, real(lambda x: x)),
    "exp": (sympy.exp(X), real(mp.exp)),
    "expm1": (f.expm1(X), real(mp.expm1)),
    "log": (sympy.log(X), real(mp.log, lambda x: x > 0)),
    "log1p": (f.log1p(X), real(mp.log1p, lambda x: x > -1)),
    "sqrt": (sympy.sqrt(X), real(mp.sqrt, lambda x: x >= 0)),
    "cbrt": (f.cbrt(X), real(lambda x: mp.sign(x) * mp.cbrt(abs(x)))),
    "sin": (sympy.sin(X), real(mp.sin)),
    "cos": (sympy.cos(X), real(mp.cos)),
    "tan": (sympy.tan(X), real(mp.tan)),
    "asin": (sympy.asin(X), real(mp.asin, lambda x: abs(x) <= 1)),
    "acos": (sympy.acos(X), real(mp.acos, lambda x: abs(x) <= 1)),
    "atan": (sympy.atan(X), real(mp.atan)),
    "sinh": (sympy.sinh(X), real(mp.sinh)),
    "cosh": (sympy.cosh(X), real(mp.cosh)),
    "tanh": (sympy.tanh(X), real(mp.tanh)),
    "asinh": (sympy.asinh(X), real(mp.asinh)),
    "erf": (sympy.erf(X), real(mp.erf)),
    "erfc": (f.erfc(X), real(mp.erfc, lambda x: x < 1e10)),  # mpmath doesn't end beyond
    "erfc of sympy": (sympy.erfc(X), real(mp.erfc, lambda x: x < 1e10)),
    "sigmoid": (f.sigmoid(X), real(lambda x: 1 / (1 + mp.exp(-x)))),
    "softplus": (f.softplus(X), real(lambda x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)))),
    "abs": (sympy.Abs(X), real(abs)),
    "sign": (sympy.sign(X), real(mp.sign)),
    "maximum": (f.maximum(X, Rational(1, 3)), real(lambda x: max(x, mpf(1) / 3))),
    "minimum": (f.minimum(X, sympy.sqrt(2)), real(lambda x: min(x, mp.sqrt(2)))),
    "add": (X + sympy.pi, real(lambda x: x + mp.pi)),
    "mul": (sympy.E * X / 3, real(lambda x: mp.e * x / 3)),
    "square": (X**2, real(lambda x: x**2)),
    "reciprocal": (1 / X, real(lambda x: 1 / x, lambda x: x != 0)),
    "power 2/3": (X ** Rational(2, 3), real(lambda x: x ** (mpf(2) / 3), lambda x: x >= 0)),
    "power -5/2": (X ** Rational(-5, 2), real(lambda x: x ** mpf(-2.5), lambda x: x > 0)),
    "power pi": (X**sympy.pi, real(lambda x: x**mp.pi, lambda x: x >= 0)),
    "2 to the x": (2**X, real(lambda x: mpf(2) ** x)),
    "x to the x": (X**X, real(lambda x: x**x, lambda x: x >= 0 or x == mp.floor(x))),
    "piecewise": (Piecewise((X, X > 0), (sympy.exp(X) - 1, True)), real(lambda x: x if x > 0 else mp.expm1(x))),
}


def ball_of(value: mpf, digits: int = 58) -> arb:
    sign, mantissa, exponent, _ = value._mpf_
    with working_precision(400):
        exact = arb((-int(mantissa) if sign else int(mantissa), exponent))
        return exact * (1 + arb(0, arb(10) ** -digits))


@pytest.mark.parametrize("name", NODES)
def test_every_node_agrees_with_mpmath_at_60_digits(name: str) -> None:
    expression, reference = NODES[name]
    oracle = Oracle(expression)
    for x in POINTS:
        ball = oracle.ball(x)
        # the argument's exponent costs digits in exp, sin and powers
        with mp.workdps(60 + 2 * abs(math.frexp(x)[1])):
            expected = reference(mpf(x))
        if expected is None:
            assert not ball.is_finite() or name.startswith("erfc"), x
            continue
        assert ball.is_finite(), x
        assert ball.overlaps(ball_of(expected)), (x, ball, expected)
        with working_precision(256):
            assert ball.rad() <= abs(ball.mid()) * arb((1, -128)), (x, ball)


def test_precision_is_what_was_asked_for() -> None:
    oracle = Oracle(sympy.exp(X) - 1 - X)
    for precision in (10, 128, 1000, 30_000):
        ball = oracle.ball(1e-10, precision=precision)
        with working_precision(64):
            assert 0 < ball.rad() <= abs(ball.mid()) * arb((1, -precision))


# --- exactness ---


@pytest.mark.parametrize(
    ("expression", "x", "value"),
    [
        (X / 3, 3.0, 1),
        (X / 3 + X * Rational(2, 3), 0.1, Fraction(0.1)),
        (sympy.exp(X), 0.0, 1),
        (sympy.exp(X) - 1, -0.0, 0),
        (sympy.log(X), 1.0, 0),
        (f.log1p(X), 0.0, 0),
        (sympy.sqrt(X), 2.25, Fraction(3, 2)),
        (3 * sympy.sqrt(X / 9), 4.0, 2),
        (sympy.sqrt(X), 0.0, 0),
        (X ** Rational(-3, 2), 4.0, Fraction(1, 8)),
        (f.cbrt(X), -3.375, Fraction(-3, 2)),
        (f.cbrt(X), 0.0, 0),
        (sympy.atan(X), 0.0, 0),
        (sympy.acos(X), 1.0, 0),
        (sympy.cos(X), 0.0, 1),
        (sympy.cosh(X), 0.0, 1),
        (sympy.erf(X), 0.0, 0),
        (sympy.erfc(X), 0.0, 1),
        (1 - sympy.tanh(X) ** 2, 0.0, 1),
        (f.sigmoid(X), 0.0, Fraction(1, 2)),
        (X**A, 5.0, 25),
        ((X / 3) * (X / 7 + 1) - X**2 / 21 - X / 3, 1e-300, 0),
        ((X - 3) ** A, 1.0, 4),
        (X ** (A - 2), 0.0, 1),
        (2**X, -1074.0, Fraction(1, 2**1074)),
        (0 * X + sympy.Mul(0, sympy.sin(X), evaluate=False), 1.0, 0),
        (f.maximum(X, 0) * sympy.exp(X), -1.0, 0),
    ],
)
def test_exact_values_come_out_exact(expression, x: float, value) -> None:
    ball = Oracle(expression).ball(x, {"a": 2.0})
    assert ball.is_exact()
    numerator, denominator = Fraction(value).as_integer_ratio()
    assert ball == arb((numerator, 1 - denominator.bit_length()))


@pytest.mark.parametrize(
    ("expression", "x", "parameters"),
    [
        (sympy.log(X), -1.0, {}),
        (f.log1p(X), -1.5, {}),
        (sympy.sqrt(X), -5e-324, {}),
        (X ** Rational(1, 3), -8.0, {}),
        (X**A, -2.0, {"a": 0.5}),
        (X**A, 0.0, {"a": -1.0}),
        (X**A, 0.0, {"a": -0.5}),
        (sympy.asin(X), 1.0000000000000002, {}),
        (1 / X, 0.0, {}),
        (X * sympy.log(X), 0.0, {}),
        (Piecewise((1, X > 0)), 0.0, {}),
        (X, NAN, {}),
        (S.Zero * A, NAN, {}),
        (sympy.exp(sympy.exp(X)), 1e308, {}),  # defined, but beyond any exponent
        (sympy.exp(sympy.exp(X)) + sympy.log(X - A), 1e308, {"a": 1e308}),
    ],
)
def test_undefined_is_nan(expression, x: float, parameters: dict[str, float]) -> None:
    oracle = Oracle(expression)
    assert oracle.ball(x, parameters).is_nan()
    assert math.isnan(oracle.rounded(x, parameters, "float32"))


def test_log_of_zero_is_minus_infinity() -> None:
    assert Oracle(sympy.log(X)).ball(0.0) == arb("-inf")
    assert Oracle(f.log1p(X)).rounded(-1.0) == -INF
    assert Oracle(sympy.exp(sympy.log(X))).rounded(0.0) == 0.0


# --- conditions ---


def test_conditions_on_rationals_are_decided_exactly() -> None:
    theta = 0.1
    below, above = math.nextafter(theta, 0), math.nextafter(theta, 1)
    for condition, expected in [
        (X > THETA, (0, 0, 1)),
        (X >= THETA, (0, 1, 1)),
        (X < THETA, (1, 0, 0)),
        (X <= THETA, (1, 1, 0)),
        (sympy.Eq(X, THETA), (0, 1, 0)),
        (sympy.Ne(X, THETA), (1, 0, 1)),
        (sympy.And(X >= THETA, X <= THETA), (0, 1, 0)),
        (sympy.Or(X < THETA, X > THETA), (1, 0, 1)),
        (sympy.Not(sympy.And(X > 0, sympy.Eq(X, THETA)), evaluate=False), (1, 0, 1)),
    ]:
        oracle = Oracle(Piecewise((1, condition), (0, True)))
        assert oracle.sample([below, theta, above], {"theta": theta}) == list(expected), condition


def test_an_exact_value_of_a_function_stays_a_rational() -> None:
    third = Oracle(Piecewise((1, sympy.Eq(sympy.exp(X) / 3 + X, Rational(1, 3))), (2, True)))
    assert third.sample([-5e-324, 0.0, 5e-324]) == [2, 1, 2]


def test_close_conditions_are_decided_by_raising_the_precision() -> None:
    tiny = Rational(1, 10**600)
    oracle = Oracle(Piecewise((1, sympy.exp(X) < sympy.exp(X) * (1 + tiny)), (2, True), evaluate=False))
    assert oracle.rounded(0.3) == 1
    nearest = float(mpmath.pi)
    assert Oracle(Piecewise((1, sympy.pi > X), (2, True))).sample([nearest, math.nextafter(nearest, 4)]) == [1, 2]


def test_an_undecidable_condition_gives_the_hull_where_the_branches_meet() -> None:
    one = sympy.sin(X) ** 2 + sympy.cos(X) ** 2
    meets = Oracle(Piecewise((X * one, one >= 1), (X, True)))
    assert meets.rounded(0.3) == 0.3
    assert meets.ball(0.3).contains(arb(0.3))
    assert Oracle(Piecewise((1, one >= 1), (2, True))).ball(0.3).is_nan()
    assert Oracle(Piecewise((1, sympy.And(X > 1, one >= 1)), (2, True))).rounded(0.3) == 2


# --- cancellation ---


def test_hard_cancellation() -> None:
    x = 1e-100
    terms = sympy.Add(sympy.Add(1, X, evaluate=False), -1, -X, X**3, evaluate=False)
    ball = Oracle(terms).ball(x)
    numerator, denominator = (Fraction(x) ** 3).as_integer_ratio()
    assert ball.is_exact()
    assert ball == arb((numerator, 1 - denominator.bit_length()))
    assert Oracle(terms).rounded(x) == float(Fraction(x) ** 3) == 1e-300

    for expression, reference in [
        (X - sympy.tanh(X), lambda x: x - mp.tanh(x)),
        (sympy.exp(X) - sympy.exp(-X) - 2 * sympy.sin(X), lambda x: mp.exp(x) - mp.exp(-x) - 2 * mp.sin(x)),
        (sympy.Add(1, 1, -sympy.exp(X), evaluate=False), lambda x: 2 - mp.exp(x)),
        (sympy.exp(X) - 1 - X - X**2 / 2, lambda x: mp.exp(x) - 1 - x - x**2 / 2),
    ]:
        with mp.workdps(1000):
            expected = reference(mpf(x))
        assert Oracle(expression).ball(x).overlaps(ball_of(expected)), expression


@pytest.mark.parametrize(
    ("expression", "reference"),
    [
        (A * (sympy.exp(X) - 1), lambda x: 2 * (mp.exp(x) - 1)),
        (3 - 3 * sympy.exp(X) + X, lambda x: 3 - 3 * mp.exp(x) + x),
        (X * (1 + sympy.erf(X / sympy.sqrt(2))) / 2, lambda x: x * (1 + mp.erf(x / mp.sqrt(2))) / 2),
        (2 - 2 * sympy.erf(X), lambda x: 2 - 2 * mp.erf(x)),
        (2 - sympy.erfc(X), lambda x: 2 - mp.erfc(x)),
        (1 - f.erfc(X), lambda x: 1 - mp.erfc(x)),
        (5 - 5 * sympy.tanh(X) ** 2, lambda x: 5 - 5 * mp.tanh(x) ** 2),
        (3 + 3 * sympy.tanh(X), lambda x: 3 + 3 * mp.tanh(x)),
        (1 - sympy.tanh(X), lambda x: 1 - mp.tanh(x)),
        (1 - f.sigmoid(X), lambda x: 1 - 1 / (1 + mp.exp(-x))),
        (sympy.log(1 + sympy.exp(X)), lambda x: mp.log(1 + mp.exp(x))),
    ],
)
def test_sums_that_cancel_are_accurate_in_both_tails(expression, reference) -> None:
    oracle = Oracle(expression)
    with mp.workdps(3000):
        for x in (-50.0, -20.0, -1.0, -1e-300, 1e-17, 0.3, 6.0, 30.0):
            ball = oracle.ball(x, {"a": 2.0})
            assert ball.overlaps(ball_of(reference(mpf(x)))), x
            assert ball.rel_accuracy_bits() >= 128


def test_what_stays_undecided_comes_as_a_small_ball_and_still_rounds() -> None:
    oracle = Oracle(sympy.sin(X) ** 2 + sympy.cos(X) ** 2 - 1)
    ball = oracle.ball(0.3)
    assert ball.contains(0)
    assert not ball.is_zero()
    with working_precision(64):
        assert ball.rad() < arb((1, -20000))
    for dtype in DTYPES:
        assert oracle.rounded(0.3, dtype=dtype) == 0.0
    assert Oracle(f.cbrt(sympy.sin(X) ** 2 + sympy.cos(X) ** 2 - 1)).rounded(0.3) == 0.0
    # a tie that nothing can tell from a hair beside it has no rounding
    tie = Oracle((sympy.sin(X) ** 2 + sympy.cos(X) ** 2) * (1 + A))
    assert math.isnan(tie.rounded(0.3, {"a": 2.0**-53}))
    assert math.isnan(tie.rounded(0.3, {"a": 3 * 2.0**-53}))
    assert tie.rounded(0.3, {"a": math.nextafter(2.0**-53, 1)}) == 1 + 2.0**-52


@pytest.mark.parametrize(
    ("expression", "x", "dtype", "expected"),
    [
        (Rational(5, 4) * X * f.sigmoid(X), 102405.0, "float32", 128006.25),  # the tie 128006.25 + 2^-8 is not reached
        (Rational(5, 4) * X * f.sigmoid(X), 2.0**24 + 12, "float32", 1.25 * 2.0**24 + 14),
        (Rational(5, 4) * X * f.sigmoid(X), 52416.0, "float16", 65504.0),
        (X * f.sigmoid(X), 2.0**-133, "bfloat16", 2.0**-133),
        (X * f.sigmoid(X), -(2.0**-133), "bfloat16", -0.0),
        (X * sympy.erfc(-X) / 2, 2.0**-149, "float32", 2.0**-149),
        (X - sympy.tanh(X), 482.0, "bfloat16", 482.0),
        (X - sympy.tanh(X), 185 * 2.0**-39, "bfloat16", 129 * 2.0**-103),  # no tie is near, but in a wide first ball
        (sympy.sin(30 * X), 33 * 2.0**-133, "bfloat16", 988 * 2.0**-133),
        (X * sympy.tanh(X), 19 * 2.0**-60, "bfloat16", 360 * 2.0**-120),
        (X + X**2 / (2 * (1 + sympy.sqrt(1 + X**2))), 161 * 2.0**45, "bfloat16", 241 * 2.0**45),
        (Rational(3, 2) * X * sympy.erf(-X), 2.0**23 + 1, "float32", -(1.5 * 2.0**23 + 1)),
    ],
)
def test_a_hair_beside_a_tie(expression, x: float, dtype: str, expected: float | None) -> None:
    got = Oracle(expression).rounded(x, dtype=dtype)
    assert not math.isnan(got)
    if expected is not None:
        assert got == expected
        assert math.copysign(1, got) == math.copysign(1, expected)


@pytest.mark.parametrize("kind", sorted(lines.OPERATIONS, key=str))
def test_a_rational_and_a_rest_are_the_value(kind) -> None:
    """Every operation, on both sides of where it changes its form."""
    if kind in (sympy.Add, sympy.Mul, sympy.Pow, f.maximum, f.minimum):
        expression = {sympy.Pow: sympy.sqrt(1 + X**2)}.get(kind, kind(X, f.sigmoid(X)))
    else:
        expression = kind(X)
    oracle = Oracle(expression)
    for x in (*(s * 2.0**k for k in range(-60, 7, 3) for s in (1, -1)), 0.75, -0.75, 1.5, -1.5):
        if kind is f.log1p and x <= -1:
            continue
        near, rest = oracle.beside(x)
        with working_precision(128):
            assert oracle.ball(x, precision=90).overlaps(rest + near), x
            assert rest.is_exact() or abs(rest).lower() > 0, x  # its sign is known


# --- rounding ---


def pattern(bits: int, dtype: str) -> float:
    """A non-negative number of a 16-bit dtype from its bits; what would be the first infinity is the next number."""
    mantissa, bottom = {"float16": (10, -24), "bfloat16": (7, -133)}[dtype]
    exponent, fraction = bits >> mantissa, bits & ((1 << mantissa) - 1)
    return math.ldexp(fraction + ((1 << mantissa) if exponent else 0), max(exponent - 1, 0) + bottom)


@pytest.mark.parametrize(("dtype", "last"), [("float16", 0x7BFF), ("bfloat16", 0x7F7F)])
def test_every_tie_of_a_16_bit_dtype(dtype: str, last: int) -> None:
    oracle = Oracle(X)
    for bits in range(last + 1):
        low, high = pattern(bits, dtype), pattern(bits + 1, dtype)
        rounded_up = INF if bits == last else high
        tie = (low + high) / 2
        even = low if bits % 2 == 0 else rounded_up
        got = oracle.sample([low, math.nextafter(tie, 0), tie, math.nextafter(tie, INF), -tie], dtype=dtype)
        assert got == [low, low, even, rounded_up, -even], bits
        assert math.copysign(1, got[-1]) == -1
        if dtype == "float16" and bits % 7 == 0:
            with np.errstate(over="ignore"):
                cast = [float(np.float16(v)) for v in (math.nextafter(tie, 0), tie, math.nextafter(tie, INF))]
            assert cast == got[1:4]


@given(st.floats(allow_nan=False))
def test_casting_is_numpys(x: float) -> None:
    oracle = Oracle(X)
    for dtype, cast in DTYPES.items():
        with np.errstate(all="ignore"):
            expected = float(cast(x))
        got = oracle.rounded(x, dtype=dtype)
        assert got == expected
        if x != 0:  # an exact zero is +0.0
            assert math.copysign(1, got) == math.copysign(1, expected)


@given(st.floats(allow_nan=False, allow_infinity=False), st.fractions(max_denominator=10**20))
def test_rationals_round_as_pythons_fractions_do(x: float, factor: Fraction) -> None:
    exact = Fraction(x) * factor
    try:
        expected = float(exact)
    except OverflowError:
        expected = INF if exact > 0 else -INF
    assert Oracle(A * X).rounded(x, {"a": 1.0}) == x
    assert Oracle(X * Rational(factor.numerator, factor.denominator)).rounded(x) == expected


@pytest.mark.parametrize("bits", [0xB675CBFC, 0xBB7B3B6C])
def test_near_ties_of_expm1_in_float32(bits: int) -> None:
    """The two float32 inputs whose expm1 lies within 4 float64 ulps of a tie."""
    x = struct.unpack("f", struct.pack("I", bits))[0]
    with mp.workdps(60):
        exact = mp.expm1(mpf(x))
        near = np.float32(float(exact))
        options = [np.nextafter(near, np.float32(-1)), near, np.nextafter(near, np.float32(1))]
        nearest = min(options, key=lambda option: abs(mpf(float(option)) - exact))
        distances = sorted(abs(mpf(float(option)) - exact) for option in options)
        assert distances[1] / distances[0] < 1 + 1e-6  # a near-tie it is
    for expression in (f.expm1(X), sympy.exp(X) - 1, Piecewise((X, X > 0), (A * (sympy.exp(X) - 1), True))):
        oracle = Oracle(expression)
        assert oracle.rounded(x, {"a": 1.0}, "float32") == float(nearest)
        assert 0.49999 < ulps(float(nearest), oracle.ball(x, {"a": 1.0}), "float32") <= 0.5


@pytest.mark.parametrize(
    ("expression", "x", "dtype", "expected"),
    [
        (sympy.exp(X), -1e308, "float64", 0.0),
        (-sympy.exp(X), -1e308, "float64", -0.0),
        (X * f.sigmoid(X), -800.0, "float64", -0.0),
        (X * (1 + sympy.erf(X)), -1e308, "float64", -0.0),
        (X / 2 + X * sympy.erf(X) / 2, -60.0, "float64", -0.0),  # known to be tiny before its sign is
        (-X / 2 - X * sympy.erf(X) / 2, -60.0, "float64", 0.0),
        (X * Rational(4, 3), 1.3e308, "float64", float(Fraction(1.3e308) * Fraction(4, 3))),
        (X * Rational(4, 3), 1.4e308, "float64", INF),
        (sympy.exp(X), -745.13, "float64", 5e-324),
        (sympy.exp(X), -745.14, "float64", 0.0),
        (sympy.exp(X), -17.3, "float16", 2.0**-24),
        (-sympy.exp(X), -17.4, "float16", -0.0),
        (sympy.exp(X), 11.0901, "float16", 65504.0),
        (sympy.exp(X), 11.0902, "float16", INF),
        (sympy.exp(X), 88.7228, "float32", None),
        (sympy.exp(X), 88.73, "float32", INF),
        (sympy.exp(X), 88.73, "bfloat16", INF),
        (-sympy.exp(X), 709.79, "float64", -INF),
        (-sympy.cosh(X), 1e308, "float64", -INF),
        (sympy.sinh(X), -1e308, "float32", -INF),
        (X, 0.1, "bfloat16", 0.10009765625),
    ],
)
def test_underflow_and_overflow(expression, x: float, dtype: str, expected: float | None) -> None:
    got = Oracle(expression).rounded(x, dtype=dtype)
    if expected is None:
        assert math.isfinite(got)
    else:
        assert (got, math.copysign(1, got)) == (expected, math.copysign(1, expected))


# --- huge arguments, infinities ---


def test_huge_arguments_keep_their_relative_accuracy() -> None:
    for expression, x in itertools.product(
        [
            X * f.sigmoid(X),
            X * sympy.tanh(f.softplus(X)),
            f.sigmoid(X) * f.sigmoid(-X),
            1 - sympy.tanh(X) ** 2,
            X * f.erfc(-X),
            X * (1 + sympy.erf(X / sympy.sqrt(2))) / 2,
            sympy.exp(X**2) * f.erfc(X),
            sympy.exp(X / 3),
            f.cbrt(sympy.exp(X)),
            sympy.sinh(sympy.exp(-abs(X))),
            f.expm1(sympy.exp(-abs(X))),
        ],
        [1e308, -1e308],
    ):
        assert Oracle(expression).ball(x).rel_accuracy_bits() >= 128, (expression, x)
    with working_precision(128):  # erfc(x) exp(x**2) -> 1/(x sqrt(pi))
        scaled = Oracle(sympy.exp(X**2) * f.erfc(X)).ball(1e308) * 1e308 * arb.pi().sqrt()
        assert abs(scaled - 1).abs_upper() < arb(1e-30)
    # exp(-exp(1e308)) has no ball of its own accuracy, yet it is 0 in every dtype
    assert Oracle(sympy.exp(-sympy.exp(-X))).rounded(-1e308) == 0.0
    assert Oracle(sympy.exp(-X) * sympy.exp(-sympy.exp(-X))).rounded(-1e308) == 0.0


@pytest.mark.parametrize(
    ("expression", "function"),
    [
        (sympy.exp(X), np.exp),
        (f.expm1(X), np.expm1),
        (f.log1p(X), np.log1p),
        (sympy.tanh(X), np.tanh),
        (sympy.atan(X), np.arctan),
        (sympy.asinh(X), np.arcsinh),
        (sympy.sinh(X), np.sinh),
        (sympy.cosh(X), np.cosh),
        (sympy.sqrt(X), np.sqrt),
        (f.cbrt(X), np.cbrt),
        (sympy.sin(X), np.sin),
        (sympy.cos(X), np.cos),
        (sympy.tan(X), np.tan),
        (sympy.log(X), np.log),
    ],
)
def test_numpy_is_within_a_few_ulps_at_powers_of_two(expression, function) -> None:
    oracle = Oracle(expression)
    for exponent in range(-1074, 1024, 5):
        for x in (math.ldexp(1, exponent), -math.ldexp(1, exponent)):
            with np.errstate(all="ignore"):
                got = float(function(np.float64(x)))
            assert ulps(got, oracle.ball(x)) < 5, x


@pytest.mark.parametrize(
    ("expression", "at_plus", "at_minus"),
    [
        (X, INF, -INF),
        (X**3, INF, -INF),
        (X**2, INF, INF),
        (1 / X, 0, 0),
        (sympy.exp(X), INF, 0),
        (f.expm1(X), INF, -1),
        (sympy.tanh(X), 1, -1),
        (sympy.atan(X), math.pi / 2, -math.pi / 2),
        (sympy.erf(X), 1, -1),
        (f.erfc(X), 0, 2),
        (f.sigmoid(X), 1, 0),
        (f.softplus(X), INF, 0),
        (f.cbrt(X), INF, -INF),
        (sympy.sqrt(X), INF, NAN),
        (sympy.log(X), INF, NAN),
        (f.maximum(X, 0), INF, 0),
        (f.minimum(X, A), 2, -INF),
        (sympy.sign(X), 1, -1),
        (sympy.Abs(X), INF, INF),
        (Piecewise((X, X > THETA), (A * (sympy.exp(X) - 1), True)), INF, -2),
        (X + sympy.sin(X), INF, -INF),
        (sympy.sin(X) / X, 0, 0),
        (2**X, INF, 0),
        # not decided by arithmetic with infinities, or no limit at all
        (sympy.sin(X), NAN, NAN),
        (sympy.tan(X), NAN, NAN),
        (X * sympy.exp(X), INF, NAN),
        (X - sympy.exp(X), NAN, -INF),
        ((1 + 1 / X) ** X, NAN, NAN),
        (X ** (1 / X), NAN, NAN),
        # a value only approached decides nothing
        (sympy.sign(1 - sympy.erf(X)), NAN, 1),
        (Piecewise((1, sympy.Ne(f.sigmoid(X), 1)), (2, True)), NAN, 1),
        (Piecewise((1, X >= X**3), (2, True)), NAN, NAN),
        (sympy.sqrt(1 / X), NAN, NAN),
        (sympy.log(sympy.exp(-X) - sympy.exp(-2 * X)), NAN, NAN),
    ],
)
def test_limits_at_infinity(expression, at_plus: float, at_minus: float) -> None:
    oracle, parameters = Oracle(expression), {"a": 2.0, "theta": 0.0}
    for x, expected in ((INF, at_plus), (-INF, at_minus)):
        got = oracle.rounded(x, parameters)
        assert got == expected or (math.isnan(got) and math.isnan(expected)), x
        ball = oracle.ball(x, parameters)
        if expected in (0, 1, -1, 2, -2):
            assert ball == arb(expected)
        assert ball.is_nan() == math.isnan(expected)
        assert ball.is_exact() or not math.isinf(expected)


# --- ulps ---


def test_ulp_is_the_spacing() -> None:
    for value in (0.0, 5e-324, 2.2250738585072014e-308, 0.1, -1.0, 1.5, 2.0, 1e300, 1.7976931348623157e308, INF):
        assert ulp(value) == math.ulp(value)
    assert math.isnan(ulp(NAN))
    for dtype in ("float16", "float32"):
        cast = DTYPES[dtype]
        for value in (0.0, 1e-6, 6e-5, 0.1, 1.0, 1000.0, 32000.0):
            assert ulp(float(cast(value)), dtype) == np.spacing(cast(value))
    assert ulp(1.0, "bfloat16") == 2.0**-7
    assert ulp(1e-45, "bfloat16") == 2.0**-133
    assert ulp(1e300, "float32") == 2.0**104


@pytest.mark.parametrize(
    ("got", "true", "dtype", "expected"),
    [
        (1.0, 1, "float64", 0),
        (-0.0, 0, "float64", 0),
        (1 + 2.0**-52, 1, "float64", 1),
        (1 - 2.0**-53, 1, "float64", 0.5),
        (2.0, 2 - Fraction(1, 2**53), "float64", 0.5),
        (0.5, Fraction(3, 4), "float16", 512),
        (5e-324, 0, "float64", 1),
        (0.0, Fraction(1, 2**1076), "float64", 0.25),
        (0.0, Fraction(-3, 2**134), "bfloat16", 1.5),
        (1.0, -1, "float32", 2**24),
        (65504.0, 65488, "float16", 0.5),
        (INF, 65519, "float16", INF),
        (INF, 65520, "float16", 0),
        (INF, 10**400, "float64", 0),
        (-INF, 10**400, "float64", INF),
        (65504.0, 65536, "float16", 1),
        (NAN, 1, "float64", INF),
    ],
)
def test_ulps_of_exact_values(got: float, true, dtype: str, expected: float) -> None:
    numerator, denominator = Fraction(true).as_integer_ratio()
    assert ulps(got, arb((numerator, 1 - denominator.bit_length())), dtype) == expected


def test_ulps_of_what_is_not_finite() -> None:
    assert ulps(NAN, arb.nan()) == 0
    assert ulps(1.0, arb.nan()) == INF
    assert ulps(INF, arb.nan()) == INF
    assert ulps(INF, arb("inf")) == 0
    assert ulps(-INF, arb("inf")) == INF
    assert ulps(NAN, arb("inf")) == INF
    assert ulps(1e308, arb("-inf")) == INF


@given(st.floats(-750, 720), st.sampled_from(["float16", "bfloat16", "float32", "float64"]))
def test_a_correct_rounding_is_within_half_an_ulp_and_its_neighbours_are_not(x: float, dtype: str) -> None:
    oracle = Oracle(sympy.exp(X) * sympy.sin(X))
    ball, got = oracle.ball(x), oracle.rounded(x, dtype=dtype)
    assert ulps(got, ball, dtype) <= 0.5
    if math.isfinite(got) and x != 0:
        for neighbour in (got - ulp(got, dtype), got + ulp(got, dtype)):
            if math.isfinite(neighbour):
                assert ulps(neighbour, ball, dtype) >= 0.5


# --- use ---


def test_precision_of_the_process_is_put_back_and_threads_do_not_disturb_each_other() -> None:
    before = flint.ctx.prec
    oracle = Oracle(A * sympy.exp(X) / 3)
    xs = [0.01 * i for i in range(100)]

    def balls(precision: int) -> list:
        found = [oracle.ball(x, {"a": 1.5}, precision) for x in xs]
        return [(ball.mid().man_exp(), ball.rad().man_exp()) for ball in found]

    alone = {precision: balls(precision) for precision in (64, 3000)}
    together: dict[int, list] = {}

    def evaluate(precision: int) -> None:
        together[precision] = [balls(precision) for _ in range(10)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=evaluate, args=[precision]) for precision in alone]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert together == {precision: [balls] * 10 for precision, balls in alone.items()}
    assert flint.ctx.prec == before


def test_parameters_are_the_exact_floats_and_literals_the_exact_decimals() -> None:
    assert Oracle(A * 10 - 1).ball(0.0, {"a": 0.1}) == arb((1, -54))
    assert Oracle(Rational("0.1") * 10 - 1).ball(0.0).is_zero()
    assert Oracle(A * X).rounded(3.0, {"a": float(np.float32(0.1))}) == 0.30000000447034836


def test_x_is_x_whatever_is_assumed_of_it() -> None:
    assert Oracle(X + sympy.Symbol("x") * sympy.Symbol("x", positive=True)).rounded(3.0) == 12


def test_sample_is_rounded_at_each_point() -> None:
    oracle = Oracle(sympy.tanh(A * X))
    xs = [-1.0, 0.25, 3.0]
    expected = [oracle.rounded(x, {"a": 0.5, "unused": 1.0}, "float32") for x in xs]
    assert oracle.sample(xs, {"a": 0.5}, "float32") == expected == [float(np.float32(v)) for v in expected]
    assert oracle.sample(xs, {"a": 2.0}, "float32") != expected


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="parameter 'a'"):
        Oracle(A * X).ball(1.0)
    with pytest.raises(ValueError, match="parameter 'theta'"):
        Oracle(A * X + THETA).rounded(1.0, {"a": 1.0})
    with pytest.raises(ValueError, match="finite"):
        Oracle(A * X).rounded(1.0, {"a": INF})
    with pytest.raises(ValueError, match="write one of float16, bfloat16"):
        Oracle(X).rounded(1.0, dtype="float8")
    with pytest.raises(ValueError, match="can't evaluate gamma"):
        Oracle(1 + sympy.gamma(X))

"""The rigorous engine under the shape claims: bounds at infinity, expansions against the oracle, balls, zeros of pieces."""

from __future__ import annotations

import math

import pytest
import sympy
from flint import arb, fmpq
from sympy import Rational, S, oo

from actfn.analysis.approach import End
from actfn.analysis.enclosure import Curve, constant, factorials
from actfn.analysis.roots import CURVATURE, EXCESS, SLOPE, F, Stretch, simplest
from actfn.analysis.scale import LOG, ONE, UNIT, Y, largest, monomial
from actfn.analysis.tails import Tail
from actfn.formula import X, parse
from actfn.formula.derivative import derivative, smooth_derivative
from actfn.formula.pieces import Piece, Undecided, cases
from actfn.reference import Oracle, working_precision

FORMULAS = [
    "x*tanh(softplus(x))",
    "0.5*x*erfc(-x/sqrt(2))",
    "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))",
    "x*sigmoid(x)",
    "x*erf(softplus(x))",
    "x*tanh(exp(x))",
    "x*exp(-exp(-x))",
    "x*log1p(sigmoid(x))",
    "asinh(x)",
    "x/sqrt(1 + x**2)",
    "x*atan(x)",
    "x - tanh(x)",
    "exp(-x**2)*(1 - x**2)",
    "sinh(x)/cosh(x)**2",
    "(1 + x**2)**0.3",
]


def stretch(text: str) -> Stretch:
    (case,) = cases(parse(text, {}))
    (piece,) = case.pieces
    return Stretch(piece)


# -- growth -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [16, 64])
@pytest.mark.parametrize(
    ("exponents", "f"),
    [
        ({Y: -1}, lambda y: -y),
        ({Y: -1, LOG: 20}, lambda y: -y + 20 * math.log(y)),
        ({LOG: -1, None: 3}, lambda y: -math.log(y) + 3 * math.log(math.log(y))),
        ({monomial({LOG: fmpq(2)}): fmpq(-1, 2), Y: 9}, lambda y: -(y**2) / 2 + 9 * y),
        ({monomial({Y: ONE}): -1, Y: 5}, lambda y: -math.exp(min(y, 600)) + 5 * y),
    ],
)
def test_the_largest_value_of_a_monomial(start, exponents, f) -> None:
    with working_precision(128):
        bound = largest(monomial({m: fmpq(c) for m, c in exponents.items()}), start)
        bound_log = float(bound.log().mid())
    found = max(f(start * 1.001**k) for k in range(8000))
    assert found <= bound_log + 1e-9
    assert bound_log < 0 or bound_log < 3 * found  # of use


def test_what_grows_has_no_largest_value() -> None:
    with pytest.raises(Undecided):
        largest(Y, 16)
    assert largest(UNIT, 16) == 1


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("end", [End(oo, "-"), End(-oo, "+"), End(S.Zero, "+"), End(Rational(1, 2), "-")], ids=str)
def test_expansions_contain_the_function(text: str, end: End) -> None:
    expression = parse(text, {})
    for order in (0, 2):
        g = smooth_derivative(expression, order)
        oracle = Oracle(derivative(expression, order))
        with working_precision(256):
            for start, length in ((16, 4), (16, 8), (64, 5)):
                try:
                    tail = end.expansion(g, start, length)
                except Undecided:
                    continue  # bounds may fail; what is claimed must hold
                for factor in (1, 1.25, 3, 40):
                    y = start * factor
                    x = {oo: y, -oo: -y}.get(end.place, float(end.place) + (1 / y if end.side == "+" else -1 / y))
                    near = arb(x) if end.place.is_infinite else 1 / (arb(x) - constant(end.place))
                    value = oracle.ball(x, precision=200)
                    assert _value(tail, abs(near)).overlaps(value), (order, start, y)


def _value(tail: Tail, y: arb) -> arb:
    total = arb(0)
    for c, m in tail.terms:
        total += constant(c if isinstance(c, sympy.Expr) else Rational(int(c.p), int(c.q))) * _at(m, y)
    return total if tail.beyond is None else total + arb(0, 1) * tail.radius * _at(tail.beyond, y)


def _at(m, y: arb) -> arb:
    total = arb(0)
    for basis, c in m.exponents:
        weight = constant(c) if isinstance(c, sympy.Expr) else arb(c)
        total += weight * (y.log().log() if basis is None else _at(basis, y))
    return total.exp()


def test_a_remainder_that_is_too_small_would_be_seen() -> None:
    """The check above can fail: half of the true remainder doesn't contain the function."""
    with working_precision(256):
        tail = End(oo, "-").expansion(parse("x/(1 + x)", {}), 16, 3)
        assert _value(tail, arb(16)).overlaps(arb(16) / 17)
        shrunk = Tail(tail.terms, tail.start, tail.length, tail.radius / 2, tail.beyond)
        assert not _value(shrunk, arb(16)).overlaps(arb(16) / 17)


@pytest.mark.parametrize(
    ("text", "end", "limit"),
    [
        ("x*sigmoid(x) - x", End(oo, "-"), 0),
        ("x - tanh(x) - x", End(-oo, "+"), 1),
        ("atan(x)", End(oo, "-"), sympy.pi / 2),
        ("(sqrt(x**2 + 4) + x)/2", End(-oo, "+"), 0),
        ("sqrt(x**2 + 4*x) - x", End(oo, "-"), 2),
        ("log(1 + exp(2*x))/x", End(oo, "-"), 2),
        ("(1 + 1/x)**x", End(oo, "-"), sympy.E),
        ("sin(x)/x", End(S.Zero, "+"), 1),
        ("x*log(x)", End(S.Zero, "+"), 0),
        ("exp(-1/x)/x**9", End(S.Zero, "+"), 0),
        ("x**2/exp(log(x)**2)", End(oo, "-"), 0),
        ("exp(exp(x + exp(-x)) - exp(x))", End(oo, "-"), sympy.E),
        ("sin(x)/x", End(oo, "-"), 0),
        ("1/sqrt(x)", End(S.Zero, "+"), oo),
    ],
)
def test_limits(text, end, limit) -> None:
    with working_precision(256):
        assert sympy.simplify(end.limit(parse(text, {})) - limit) == 0 or end.limit(parse(text, {})) == limit


@pytest.mark.parametrize("text", ["sin(x)", "x*cos(x)", "exp(sin(x))"])
def test_no_limit(text) -> None:
    with working_precision(256), pytest.raises(Undecided, match="as x -> infinity"):
        End(oo, "-").limit(parse(text, {}))


def test_more_terms_than_flint_keeps_are_refused() -> None:
    """Its power series are cut at `flint.ctx.cap`, beyond which a coefficient reads as 0: no bound for a remainder."""
    with working_precision(256), pytest.raises(Undecided, match="terms"):
        End(S.Zero, "+").expansion(parse("sin(x)", {}), 16, 12)
    assert Curve(parse("exp(x)", {}), 12)(arb(0))[0].is_nan()


# -- balls --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*FORMULAS, "expm1(x)", "log1p(x**2)", "cos(3*x)", "cbrt(x + 9)", "acos(x/9)", "2**x"])
def test_taylor_coefficients_contain_the_derivatives(text: str) -> None:
    expression = parse(text, {})
    curve = Curve(expression, 4)
    oracles = [Oracle(derivative(expression, k)) for k in range(4)]
    for low, high in ((-3.0, -2.75), (-0.125, 0.125), (0.5, 0.5), (2.0, 4.0)):
        with working_precision(128):
            whole = factorials(curve(arb(low).union(arb(high))))
        for x in (low, (low + high) / 2, high):
            for oracle, enclosure in zip(oracles, whole, strict=True):
                assert enclosure.overlaps(oracle.ball(x)), (text, x)


def test_what_is_not_analytic_is_nan() -> None:
    assert Curve(parse("1/x", {}), 2)(arb(0, 1))[0].is_nan()
    assert Curve(parse("sqrt(x)", {}), 2)(arb(0, 1))[0].is_nan()
    assert Curve(parse("log(x)", {}), 2)(arb(-1))[0].is_nan()


# -- zeros --------------------------------------------------------------------------------------------------------------

ZEROS = [
    ("0.5*x*erfc(-x/sqrt(2))", SLOPE, ["-0.751791524693564457457904947"], (-1, 1)),
    ("0.5*x*erfc(-x/sqrt(2))", CURVATURE, ["-1.41421356237309504880168872", "1.41421356237309504880168872"], (-1, 1, -1)),
    ("x*sigmoid(x)", SLOPE, ["-1.27846454276107379510935873"], (-1, 1)),
    ("cos(x)", EXCESS, ["0.739085133215160641655312088"], (1, -1)),
    ("x - tanh(x)", F, ["0"], (-1, 1)),
    ("x - tanh(x)", SLOPE, ["0"], (1, 1)),
    ("exp(x) - 1 - x", F, ["0"], (1, 1)),
    ("(x - 1)**3*(x + 2)**2", F, ["-2", "1"], (-1, -1, 1)),
    ("exp(x)", F, [], (1,)),
    ("1 - exp(-exp(x))", CURVATURE, ["0"], (1, -1)),
    ("x**3-3*x+1", F,
     ["-1.8793852415718167681082185", "0.347296355333860697703433253", "1.5320888862379560704047853"], (-1, 1, -1, 1)),
    ("exp(-0.01*x) - 0.5", F, ["69.3147180559945309417232121"], (1, -1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "roots", "signs"), ZEROS, ids=[f"{z[0]} {z[1]}" for z in ZEROS])
def test_zeros_and_signs(text, kind, roots, signs) -> None:
    found = stretch(text).signs(kind)
    assert found.signs == signs
    assert len(found.roots) == len(roots)
    with working_precision(128):
        for root, expected in zip(found.roots, roots, strict=True):
            assert root.ball.rad() < arb("1e-30")
            assert abs(root.ball - arb(expected)) < arb("1e-25")


def test_a_piece_that_is_zero() -> None:
    assert Stretch(Piece(S.Zero, oo, X)).signs(EXCESS).signs == (0,)


@pytest.mark.parametrize("text", ["sin(x)", "(x**2 - 2)**2", "sin(1000*x)*exp(-x**2)"])
def test_what_cannot_be_told_ends_with_a_reason(text) -> None:
    """Endless zeros, a double zero that is no fraction, more zeros than the budget."""
    with pytest.raises(Undecided, match="the sign of f"):
        stretch(text).signs(F)


def test_the_simplest_fraction_between() -> None:
    for low, high, expected in (("0.3", "0.4", "1/3"), ("-1.6", "-1.4", "-3/2"), ("-1", "2", "0"), ("2", "2.5", "2")):
        assert simplest(arb(low).union(arb(high))) == Rational(expected)

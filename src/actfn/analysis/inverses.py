"""Pieces undone: the sign of a slope on a piece, whether a case is continuous and monotone, and inverses in closed form.

A piece is solved for x by taking one function after another off it; where x stands in several places, as the root of a
polynomial of degree 1 or 2 in x or in an exponential, after a square root is squared away. Each step is an
equivalence and the branch of a root is proven, so that what comes out undoes the piece.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import sympy
from sympy import Expr, Poly, Pow, S, Symbol

from actfn.analysis.identity import MAX_POWER, in_exponentials, simplified, vanishes
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X, cbrt, expm1, log1p, sigmoid, softplus
from actfn.formula.pieces import Case, Piece, Signs, Undecided, zeros
from actfn.kernels.lower import stable

Y = Symbol("_y", real=True)
"""The value of a function. No parameter begins with _."""


# -- signs on a piece -----------------------------------------------------------------------------------------------------


def inside(piece: Piece) -> Expr:
    """A point of a piece."""
    if piece.left.is_infinite and piece.right.is_infinite:
        return S.Zero
    if piece.left.is_infinite:
        return piece.right - 1
    return piece.left + 1 if piece.right.is_infinite else (piece.left + piece.right) / 2


def constant_sign(expression: Expr, piece: Piece, sign: Signs) -> int:
    """The sign that an expression has everywhere inside a piece (0 where it is zero throughout). Raises `Undecided`."""
    if not expression.has(X):
        s = sign.known(expression)
        if s is None:
            raise Undecided(f"the sign of {expression}")
        return s
    for form in (lambda e: e, stable, simplified):
        known = _by_assumption(form(expression), piece, sign)
        if known is not None:
            return known
    numerator, denominator = sympy.fraction(sympy.together(simplified(expression)))
    return _without_zeros(numerator, piece, sign) * _without_zeros(denominator, piece, sign)


def on(piece: Piece, sign: Signs) -> Symbol:
    """x with the sign that it has on a piece."""
    if piece.left.is_infinite is not True and sign.known(piece.left) in (0, 1):
        return sympy.Dummy("x", positive=True)
    if piece.right.is_infinite is not True and sign.known(piece.right) in (0, -1):
        return sympy.Dummy("x", negative=True)
    return X


def _by_assumption(expression: Expr, piece: Piece, sign: Signs, weak: bool = False) -> int | None:
    """The sign, from what SymPy assumes of its parts; `weak` takes what is never negative for positive."""
    x = on(piece, sign)
    known = 1
    for factor in sympy.Mul.make_args(sympy.factor_terms(expression)):
        at = factor.xreplace({X: x})
        s = 0 if at.is_zero else 1 if at.is_positive else -1 if at.is_negative else None
        if s is None and weak:
            s = 1 if at.is_nonnegative else -1 if at.is_nonpositive else None
        if s is None and not factor.has(X):
            s = sign.known(factor)
        if s is None:
            return None
        known *= s
    return known


def _without_zeros(expression: Expr, piece: Piece, sign: Signs) -> int:
    """The sign of a polynomial in x and one root, or in an exponential, that has no zero in the piece."""
    norm, edges = expression, (piece.left, piece.right)
    if any(n.has(X) and not isinstance(n, sympy.exp) for n in expression.atoms(sympy.Function)):
        raise Undecided(f"the sign of {expression}")
    roots = {n for n in expression.atoms(Pow) if n.has(X) and not n.exp.is_Integer and not isinstance(n, sympy.exp)}
    bases = {n.base for n in roots}
    if len(bases) == 1 and all((2 * n.exp).is_Integer for n in roots):
        (base,) = bases
        s = sympy.Dummy("s", positive=True)
        inner = expression.xreplace({n: s ** int(2 * n.exp) for n in roots})
        reduced = sympy.rem(sympy.fraction(sympy.together(inner))[0], s**2 - base, s)
        p = Poly(reduced, s)
        norm = sympy.expand(p.coeff_monomial(1) ** 2 - base * p.coeff_monomial(s) ** 2)
    elif (found := exponential(expression)) is not None and not found[0].has(X):
        norm, t, unit = found
        norm = sympy.fraction(sympy.together(norm))[0].xreplace({t: X})
        if sign.known(sympy.diff(unit, X)) != 1:
            raise Undecided(f"the sign of {expression}")
        low, high = edges
        edges = (
            S.Zero if low.is_infinite else sympy.exp(unit.subs(X, low)),
            high if high.is_infinite else sympy.exp(unit.subs(X, high)),
        )
    if any(n.has(X) for n in norm.atoms(sympy.Function)):
        raise Undecided(f"the sign of {expression}")
    found_zeros, _ = zeros(norm, sign)
    for zero in found_zeros:
        before = edges[0].is_infinite is not True and sign.known(zero - edges[0]) in (0, -1)
        after = edges[1].is_infinite is not True and sign.known(zero - edges[1]) in (0, 1)
        if not (before or after):
            raise Undecided(f"the sign of {expression}, which may be zero at {zero}")
    s = sign.known(expression.subs(X, inside(piece)))
    if s in (None, 0):
        raise Undecided(f"the sign of {expression}")
    return int(s)


def exponential(expression: Expr) -> tuple[Expr, Symbol, Expr] | None:
    """(the expression over t, t, u) where t = exp(u) and every exponential in x is a power of it."""
    powers = [n for n in in_exponentials(expression).atoms(sympy.exp) if n.has(X)]
    if not powers:
        return None
    first = sympy.expand(powers[0].args[0])
    ratios = [sympy.cancel(sympy.expand(n.args[0]) / first) for n in powers]
    if not all(r.is_Rational for r in ratios):
        return None
    if any(max(abs(r.p), r.q) > MAX_POWER for r in ratios):
        return None
    unit = first / math.lcm(*(int(r.q) for r in ratios))
    if unit.could_extract_minus_sign():
        unit = -unit
    t = sympy.Dummy("t", positive=True)
    rule = {n: t ** sympy.cancel(sympy.expand(n.args[0]) / unit) for n in powers}
    return in_exponentials(expression).xreplace(rule), t, unit


# -- continuity and monotonicity ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Steps:
    """A case whose pieces rise, or fall, one after another.

    `values` are the limits of f at the breakpoints from the left, `starts` those of each piece at its left end (of the
    first piece at its right end).
    """

    direction: int
    constant: tuple[bool, ...]
    values: tuple[Expr, ...]
    starts: tuple[Expr, ...]

    @property
    def strict(self) -> bool:
        return not any(self.constant)


def jump(case: Case, i: int, sign: Signs) -> str:
    """Why f is not continuous at a breakpoint; "" where it is. Raises `Undecided`."""
    at, left, right = case.breakpoints[i], case.pieces[i], case.pieces[i + 1]
    if at.at is None or left.undefined or right.undefined:
        return f"f has no value at or beside x = {at.location}"
    ends = [e.subs(X, at.location) for e in (left.expression, right.expression, at.at)]
    for value in ends:
        if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            raise Undecided(f"the value at x = {at.location}")
    for other in ends[1:]:
        difference = other - ends[0]
        if not (vanishes(difference) or sign.known(difference) == 0):
            if sign.known(difference) is None:
                raise Undecided(f"whether f jumps at x = {at.location}")
            return f"f jumps at x = {at.location}"
    return ""


def continuous(case: Case, sign: Signs) -> bool:
    """Whether f is continuous on the whole line. Raises `Undecided`."""
    if any(p.undefined for p in case.pieces):
        return False
    return not any(jump(case, i, sign) for i in range(len(case.breakpoints)))


def steps(case: Case, sign: Signs) -> Steps:
    """The case as pieces that all rise or all fall (or are constant). Raises `Undecided`."""
    if any(p.undefined for p in case.pieces):
        raise Undecided("f isn't defined on the whole line")
    directions = [direction(piece, sign) for piece in case.pieces]
    moving = {d for d in directions if d}
    values = []
    for i, at in enumerate(case.breakpoints):
        value = case.pieces[i].expression.subs(X, at.location)
        if jump(case, i, sign):
            over = sign.known(case.pieces[i + 1].expression.subs(X, at.location) - value)
            if over is None:
                raise Undecided(f"which way f jumps at x = {at.location}")
            moving.add(over)
        values.append(sympy.simplify(value))
    if len(moving) > 1:
        raise Undecided("f neither rises nor falls throughout")
    places = [at.location for at in case.breakpoints]
    starts = [p.expression.subs(X, x) for p, x in zip(case.pieces, [*places[:1], *places], strict=bool(places))]
    return Steps(next(iter(moving), 0), tuple(d == 0 for d in directions), tuple(values), tuple(starts))


def direction(piece: Piece, sign: Signs) -> int:
    """1 where a piece rises strictly, -1 where it falls, 0 where it is constant. Raises `Undecided`."""
    slope = smooth_derivative(piece.expression, 1)
    if slope.is_zero or not piece.expression.has(X):
        return 0
    # A slope is analytic, so that it is zero at isolated points only.
    for form in (lambda e: e, simplified, _over_half_angle):
        if (s := _by_assumption(form(slope), piece, sign, weak=True)) is not None:
            return s
    try:
        return constant_sign(slope, piece, sign)
    except Undecided:
        undo(piece, sign)  # a piece that can be undone is one-to-one, and so strictly monotone
    at = inside(piece)
    other = (at + piece.right) / 2 if piece.right.is_infinite is not True else at + 1
    s = sign.known(piece.expression.subs(X, other) - piece.expression.subs(X, at))
    if s in (None, 0):
        raise Undecided(f"whether {piece.expression} rises or falls")
    return int(s)


def _over_half_angle(slope: Expr) -> Expr:
    """A rational function of sin(u) and cos(u), over t = tan(u/2), factored: it takes the same values."""
    slope = sympy.expand_trig(slope)
    arguments = {n.args[0] for n in slope.atoms(sympy.sin, sympy.cos)}
    if len(arguments) != 1:
        return slope
    (u,), t = arguments, sympy.Dummy("t", real=True)
    over = {sympy.sin(u): 2 * t / (1 + t**2), sympy.cos(u): (1 - t**2) / (1 + t**2)}
    return sympy.factor(slope.xreplace(over))


# -- solving for x ----------------------------------------------------------------------------------------------------------


def undo(piece: Piece, sign: Signs) -> Expr:
    """x over `Y`, for each x of a piece and its value Y. Raises `Undecided`."""
    return _Undo(piece, sign).of(piece.expression, Y)


class _Undo:
    def __init__(self, piece: Piece, sign: Signs):
        self.piece = piece
        self.sign = sign

    def of(self, e: Expr, y: Expr) -> Expr:
        """x, where the expression e in x is y."""
        if e == X:
            return y
        if isinstance(e, sympy.Add):
            free, rest = e.as_independent(X, as_Add=True)
            if free != 0:
                return self.of(rest, y - free)
        if isinstance(e, sympy.Mul):
            factor, rest = e.as_independent(X, as_Add=False)
            if factor != 1:
                if self.sign.known(factor) in (None, 0):
                    raise Undecided(f"whether {factor} is zero")
                return self.of(rest, y / factor)
        inner = self._function(e, y)
        if inner is not None:
            return self.of(e.args[0], inner)
        if isinstance(e, Pow) and not e.exp.has(X) and not isinstance(e, sympy.exp):
            return self._power(e, y)
        return self._algebraic(e, y)

    def _function(self, e: Expr, y: Expr) -> Expr | None:
        if isinstance(e, sympy.exp):
            return log(y)
        if isinstance(e, sympy.log):
            return sympy.exp(y)
        if isinstance(e, log1p):
            return sympy.exp(y) - 1
        if isinstance(e, expm1):
            return log(1 + y)
        if isinstance(e, sigmoid):
            return log(y / (1 - y))
        if isinstance(e, softplus):
            return log(sympy.exp(y) - 1)
        if isinstance(e, sympy.tanh):
            return log((1 + y) / (1 - y)) / 2
        if isinstance(e, sympy.atan):
            return sympy.tan(y)
        if isinstance(e, sympy.sinh):
            return sympy.asinh(y)
        if isinstance(e, sympy.asinh):
            return sympy.sinh(y)
        if isinstance(e, cbrt):
            return y**3
        return None

    def _power(self, e: Pow, y: Expr) -> Expr:
        base, exponent = e.base, e.exp
        if exponent == -1:
            return self.of(base, 1 / y)
        if exponent.is_Integer and exponent > 0 and exponent % 2:
            root = cbrt(y) if exponent == 3 else sympy.sign(y) * sympy.Abs(y) ** (1 / exponent)
            return self.of(base, root)
        s = constant_sign(base, self.piece, self.sign)
        if s == 0 or (s < 0 and not exponent.is_integer):
            raise Undecided(f"the sign of {base}")
        if s < 0 and exponent % 2:
            return self.of(base, -((-y) ** (1 / exponent)))
        return self.of(base, s * y ** (1 / exponent))

    def _algebraic(self, e: Expr, y: Expr) -> Expr:
        found = exponential(e)
        if found is not None:
            form, t, unit = found
            if form.has(X):
                raise Undecided(f"{e} = y solved for x")
            piece = Piece(S.Zero, S.Infinity, form.xreplace({t: X}))
            return self.of(unit, log(_Undo(piece, self.sign)._root(form.xreplace({t: X}), y)))
        return self._root(e, y)

    def _root(self, e: Expr, y: Expr) -> Expr:
        """A root of a polynomial of degree 1 or 2 in x that has the coefficients of e = y."""
        if any(n.has(X) for n in e.atoms(sympy.Function)):
            raise Undecided(f"{e} = y solved for x")
        z = sympy.Dummy("y", real=True)
        equation = sympy.fraction(sympy.together(e - z))[0]
        roots = {n for n in equation.atoms(Pow) if n.has(X) and not n.exp.is_Integer}
        bases = {n.base for n in roots}
        if len(bases) == 1 and all((2 * n.exp).is_Integer for n in roots):
            (base,) = bases
            s = sympy.Dummy("s", positive=True)
            inner = sympy.fraction(sympy.together(equation.xreplace({n: s ** int(2 * n.exp) for n in roots})))[0]
            p = Poly(sympy.rem(inner, s**2 - base, s), s)
            equation = sympy.expand(p.coeff_monomial(1) ** 2 - base * p.coeff_monomial(s) ** 2)
            equation = sympy.fraction(sympy.together(equation))[0]
        elif roots:
            raise Undecided(f"{e} = y solved for x")
        if not equation.is_polynomial(X):
            raise Undecided(f"{e} = y solved for x")
        _, factors = sympy.factor_list(equation, X)
        factors = [f for f, _ in factors if f.has(X) and f.has(z)]
        if len(factors) != 1 or sympy.degree(factors[0], X) not in (1, 2):
            raise Undecided(f"{e} = y solved for x")
        coefficients = Poly(factors[0], X).all_coeffs()
        if len(coefficients) == 2:
            return _cancelled(-coefficients[1] / coefficients[0]).xreplace({z: y})
        return self._quadratic(coefficients, e, z).xreplace({z: y})

    def _quadratic(self, coefficients: list[Expr], e: Expr, z: Symbol) -> Expr:
        """The root of a*x^2 + b*x + c that is x: 2*a*x + b keeps its sign on the piece and decides which."""
        a, b, c = coefficients
        if simplified(a.xreplace({z: e})).is_zero:
            raise Undecided(f"{e} = y solved for x")
        outer, rest = S.One, S.One
        content, factors = sympy.factor_list(sympy.expand(b**2 - 4 * a * c))
        for factor, n in factors:
            outer *= factor ** (n // 2)
            rest *= factor ** (n % 2)
        rest *= content
        w = (2 * a * X + b) / outer
        s = constant_sign(simplified(w.xreplace({z: e})), self.piece, self.sign)
        if s == 0:
            raise Undecided(f"{e} = y solved for x")
        return _cancelled((-b + s * outer * sympy.sqrt(rest)) / (2 * a))


def _cancelled(e: Expr) -> Expr:
    return simplified(e) if e.has(Pow) else sympy.cancel(e)


def log(u: Expr) -> Expr:
    """log(u), with u as one quotient whose denominator is no negative sum."""
    n, d = sympy.fraction(sympy.cancel(sympy.together(u)))
    at_zero = d.subs(Y, 0)
    if at_zero.is_negative or (at_zero.is_zero and d.could_extract_minus_sign()):
        n, d = -n, -d
    return sympy.log(n / d)


def shown(e: Expr) -> Expr:
    """An inverse in the form in which it is printed: -log(u/v) as log(v/u), log((1 + u)/(1 - v)) by log1p."""

    def product(node: Expr) -> Expr:
        c, rest = node.as_coeff_Mul()
        if c.is_negative and isinstance(rest, sympy.log) and sympy.fraction(rest.args[0])[1] != 1:
            return -c * log(1 / rest.args[0])
        return node

    def quotient(u: Expr) -> Expr:
        n, d = sympy.fraction(u)
        if d != 1 and not d.has(Y) and (rest := sympy.cancel(n / d - 1)).subs(Y, 0) == 0:
            return log1p(rest)
        if d != 1 and all(v.is_Add and v.as_coeff_Add()[0] == 1 for v in (n, d)):
            return log1p(n - 1) - log1p(d - 1)
        return sympy.log(u)

    e = sympy.powsimp(e, combine="exp").replace(lambda n: isinstance(n, sympy.Mul), product)
    return stable(e.replace(sympy.log, quotient))

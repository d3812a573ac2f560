"""Signals through a deep random network: lengths, correlations, and the edge of chaos, as certified balls.

In a wide layer with weights of variance sigma_w^2/n and biases of variance sigma_b^2 a signal of mean square q becomes
one of sigma_w^2 E[f(sqrt(q) z)^2] + sigma_b^2 (Poole et al., arXiv:1606.05340), and small differences grow by chi_1 =
sigma_w^2 E[f'(sqrt(q) z)^2] (Schoenholz et al., arXiv:1611.01232). Chaos begins where chi_1 = 1.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from flint import acb, arb, arb_poly
from sympy import Expr

from actfn.analysis.analytic import analytic, number
from actfn.analysis.claims import Claim
from actfn.analysis.gaussian import (
    BITS,
    SQUARE_LESS_ONE,
    Gaussian,
    Weight,
    ball,
    claim,
    enclosed,
    slope_squared,
    squared,
)
from actfn.analysis.moments import decided, infinite_slope
from actfn.analysis.roots import Stretch
from actfn.definition import Definition
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X
from actfn.formula.pieces import Piece, Undecided

TERMS = 64
"""Of the Hermite series of a formula in `correlation_map`."""

_CRAMER = 1.0864348112133080146
"""|He_n(z)| <= K sqrt(n!) exp(z^2/4) (Cramér's inequality)."""


def mean_field(definition: Definition, **parameters: float) -> dict[str, Claim]:
    """`chi_1`, `edge_of_chaos` and `length_fixed_point` at the parameters given and the defaults of the others.

    - chi_1: at sigma_w = gain, sigma_b = 0 and q = 1, where it is E[f'^2]/E[f^2]. Below 1 gradients vanish, above they
      explode.
    - edge_of_chaos: sigma_w with chi_1 = 1 at a fixed point q* of the length map, for sigma_b = 0; the certificate says
      which q*. False where there is none.
    - length_fixed_point: q* = 1 at sigma_w = gain, sigma_b = 0; the certificate says whether it attracts.
    """
    return {
        "chi_1": decided(_chi, definition, parameters),
        "edge_of_chaos": decided(lambda of: _edge(of, 0.0), definition, parameters),
        "length_fixed_point": decided(_fixed_point, definition, parameters),
    }


def length_map(
    definition: Definition, q: float, sigma_w: float = 1.0, sigma_b: float = 0.0, /, **parameters: float
) -> Claim:
    """sigma_w^2 E[f(sqrt(q) z)^2] + sigma_b^2, z ~ N(0, 1). Raises `ValueError` for a q that isn't positive."""
    _check(q, sigma_b)

    def work(of: Gaussian) -> Claim:
        return claim(_length(of, arb(q), arb(sigma_w), arb(sigma_b)), "sigma_w^2 E[f(sqrt(q) z)^2] + sigma_b^2")

    return decided(work, definition, parameters)


def correlation_map(
    definition: Definition, c: float, q: float = 1.0, sigma_w: float = 1.0, sigma_b: float = 0.0, /, **parameters: float
) -> Claim:
    """The correlation of two signals of mean square q and correlation c, one layer on.

    (sigma_w^2 E[f(u) f(v)] + sigma_b^2)/(sigma_w^2 E[f(u)^2] + sigma_b^2) by Mehler's formula: E[f(u) f(v)] is the sum
    of a_n^2 c^n with the Hermite coefficients a_n of f. Their squares add up to E[f^2], so what the first terms leave
    bounds the rest; the ball is wide where |c| is near 1 and f has kinks. Its value is the middle of the ball.
    """
    _check(q, sigma_b)
    if not -1 <= c <= 1:
        raise ValueError(f"a correlation lies in [-1, 1], not {c!r}")

    def work(of: Gaussian) -> Claim:
        square, bias = arb(sigma_w) ** 2, arb(sigma_b) ** 2
        whole = of.second(arb(q))
        both = _correlated(of, arb(c), arb(q), whole)
        value = (square * both + bias) / (square * whole + bias)
        if not value.is_finite():
            raise Undecided("E[f^2], or it is 0")
        return Claim(float(value.mid()), "proven", (f"it lies in {enclosed(value)}",), ball(value))

    return decided(work, definition, parameters)


def edge_of_chaos(definition: Definition, sigma_b: float = 0.0, /, **parameters: float) -> Claim:
    """sigma_w with chi_1 = 1 at a fixed point q* of the length map for a sigma_b; the certificate names q*."""
    _check(1.0, sigma_b)
    return decided(lambda of: _edge(of, sigma_b), definition, parameters)


def _check(q: float, sigma_b: float) -> None:
    if not 0 < q < float("inf"):
        raise ValueError(f"q is the mean square of a signal, a positive number, not {q!r}")
    if not 0 <= sigma_b < float("inf"):
        raise ValueError(f"sigma_b is a standard deviation, at least 0, not {sigma_b!r}")


# -- the maps ---------------------------------------------------------------------------------------------------------


def _length(of: Gaussian, q: arb, sigma_w: arb, sigma_b: arb) -> arb:
    return sigma_w**2 * of.second(q) + sigma_b**2


def _hermite(n: int) -> Weight:
    """He_n/sqrt(n!), which have E[h_m(z) h_n(z)] = 1 where m = n, else 0."""
    scale = 1 / (arb(n).fac() * arb(2) ** n).sqrt()
    root = arb(2).sqrt()
    return Weight(lambda z: (z / root).hermite_h(n) * scale, arb_poly([arb(_CRAMER).log(), 0, arb(0.25)]))


def _correlated(of: Gaussian, c: arb, q: arb, whole: arb) -> arb:
    if c == 1:
        return whole
    total, left = arb(0), whole
    for n in range(TERMS):
        square = of.once(f"f*h_{n}", _itself, q, _hermite(n)) ** 2
        total += square * c**n
        left -= square
        if not total.is_finite():
            return arb.nan()
    rest = (left.abs_upper() * abs(c) ** TERMS).upper()
    return total + (arb(0, rest) if c < 0 else arb(rest / 2, rest / 2))


def _itself(expression: Expr) -> Expr:
    return expression


# -- claims -----------------------------------------------------------------------------------------------------------


def _chi(of: Gaussian) -> Claim:
    line = "chi_1 = E[f'^2]/E[f^2], at sigma_w = gain, sigma_b = 0, q = 1"
    if of.second().is_zero():
        return Claim(False, "proven", ("f = 0: no sigma_w keeps the length of a signal",))
    infinite = infinite_slope(of)
    if infinite:
        return Claim("inf", "proven", (line, infinite))
    return claim(of.slope() / of.second(), line)


def _fixed_point(of: Gaussian) -> Claim:
    if of.second().is_zero():
        return Claim(False, "proven", ("f = 0: no sigma_w keeps the length of a signal",))
    if not of.second().is_finite():
        raise Undecided("E[f^2]")
    slope = _rate(of, squared, arb(1)) / of.second()
    if of.degree == 1:
        verdict = "f(c*x) = c*f(x) for c > 0: every q is a fixed point"
    elif abs(slope) < 1:
        verdict = f"it attracts: the slope of the length map there is {enclosed(slope)}"
    elif abs(slope) > 1:
        verdict = f"it repels: the slope of the length map there is {enclosed(slope)}"
    else:
        verdict = f"whether it attracts isn't decided: the slope of the length map there is {enclosed(slope)}"
    lines = ("q* = 1 at sigma_w = gain, sigma_b = 0: the length map takes q to E[f(sqrt(q) z)^2]/E[f(z)^2]", verdict)
    return Claim(1.0, "proven", lines, ("1", "0"))


# -- the edge of chaos ------------------------------------------------------------------------------------------------


def _edge(of: Gaussian, sigma_b: float) -> Claim:
    """chi_1 = 1 gives sigma_w^2 = 1/E[f'^2], and q* is where (q - sigma_b^2) E[f'^2] - E[f^2] = 0."""
    infinite = infinite_slope(of)
    if infinite:
        return Claim(False, "proven", ("chi_1 is infinite for every sigma_w > 0", infinite))
    if not (of.slope().is_finite() and of.second().is_finite()):
        raise Undecided("E[f'^2] or E[f^2]")
    if of.slope().is_zero():
        return Claim(False, "proven", ("f is constant: chi_1 = 0 for every sigma_w",))
    if sigma_b == 0:
        found = _edge_at_zero(of)
        if found is not None:
            return found
        if _edge_nowhere(of):
            line = "E[f^2] - q E[f'^2] = 2 q E[f'' r] + E[r^2], r = f - x f', and f'' r is nowhere negative"
            return Claim(False, "proven", ("no q* has chi_1 = 1 at sigma_b = 0: E[f^2] > q E[f'^2] for every q", line))
    excess = _Excess(of, arb(sigma_b) ** 2)
    bracket = excess.bracket()
    if bracket is None:
        raise Undecided(f"no fixed point with chi_1 = 1 was found for q from {_Q[0]:g} to {_Q[-1]:g}")
    q = excess.root(*bracket)
    name = "sigma_b = 0" if sigma_b == 0 else f"sigma_b = {sigma_b!r}"
    root = f"q* is the only root of (q - sigma_b^2) E[f'^2] - E[f^2] in {enclosed(q)}, by interval Newton"
    return claim(1 / of.slope(q).sqrt(), f"chi_1 = 1 at {name} and q* = {float(q.mid())!r}", root)


def _edge_at_zero(of: Gaussian) -> Claim | None:
    """At sigma_b = 0 and f(0) = 0, where no integral over q is needed; None where f(0) = 0 isn't seen.

    With f(0) = 0, q E[f'^2] - E[f^2] = q E[(f' - f/x)^2], by parts: E[x g] = q E[g'] with g = f^2/x.
    """
    if of.degree == 1:
        return claim(1 / of.slope().sqrt(), "chi_1 = 1 at sigma_b = 0 for every q", "f(c*x) = c*f(x) for c > 0")
    slopes = of.slopes_at_zero
    if slopes is None:
        return None
    sides = f"f(0) = 0, and f' there is {enclosed(slopes[0], 20)} from the left and {enclosed(slopes[1], 20)} from the right"
    alone = "no q* > 0 has chi_1 = 1, because q E[f'^2] - E[f^2] = q E[(f' - f/x)^2] > 0"
    square = (slopes[0] ** 2 + slopes[1] ** 2) / 2
    if square.is_zero():
        return Claim(False, "proven", ("at sigma_b = 0 and q* = 0, chi_1 = 0 for every sigma_w", sides, alone))
    return claim(1 / square.sqrt(), "chi_1 = 1 at sigma_b = 0 and q* = 0, as the limit for q -> 0", sides, alone)


def _edge_nowhere(of: Gaussian) -> bool:
    """Whether E[f^2] > q E[f'^2] for every q > 0, so that no q* has chi_1 = 1.

    By parts, E[f^2] - q E[f'^2] = 2 q E[f'' r] + E[r^2] with r = f - x f', the tangent's value at 0; a kink adds to
    f'' the jump of f' there, with the mean of r on both sides. It is positive where f'' r is never negative, r not 0.
    """
    tangents = [p.expression - X * smooth_derivative(p.expression, 1) for p in of.pieces]
    for piece, tangent in zip(of.pieces, tangents, strict=True):
        bend = smooth_derivative(piece.expression, 2) * tangent
        if not sympy.simplify(bend).is_zero and _somewhere_negative(Piece(piece.left, piece.right, bend)):
            return False
    for i, place in enumerate(of.places):
        rise = smooth_derivative(of.pieces[i + 1].expression - of.pieces[i].expression, 1)
        kink = sympy.simplify((rise * (tangents[i] + tangents[i + 1])).subs(X, place))
        if not kink.is_zero and not number(kink, {}) > 0:
            return False
    return bool(of.expectation(lambda f: (f - X * smooth_derivative(f, 1)) ** 2) > 0)


def _somewhere_negative(piece: Piece) -> bool:
    """Whether an expression is negative somewhere on a piece, or may be."""
    try:
        value = analytic(piece.expression, {})
        near = [arb(x) for x in _SAMPLES if _contains(piece, x)]
        if any(value(acb(x), False).real < 0 for x in near):  # often spares the proof
            return True
        return min(Stretch(piece).signs(0).signs) < 0
    except Undecided:
        return True


def _contains(piece: Piece, x: float) -> bool:
    return bool(piece.left < x) and bool(x < piece.right)


_SAMPLES = [k / 4 for k in range(-40, 41)]
_Q = [2.0**k for k in range(-10, 15)]
_SCAN_BITS = 40


class _Excess:
    """(q - sigma_b^2) E[f'^2] - E[f^2] as a function of q, and its derivative."""

    def __init__(self, of: Gaussian, bias: arb):
        self.of, self.bias = of, bias

    def __call__(self, q: arb, bits: int = BITS) -> arb:
        return (q - self.bias) * self.of.slope(q, bits) - self.of.second(q, bits)

    def derivative(self, q: arb, bits: int) -> arb:
        of, bias = self.of, self.bias
        rising = _rate(of, slope_squared, q, bits)
        return of.slope(q, bits) + (q - bias) * rising - _rate(of, squared, q, bits)

    def bracket(self) -> tuple[float, float] | None:
        """Two q with values of different sign, both certain."""
        last: tuple[float, bool] | None = None
        for q in _Q:
            value = self(arb(q), _SCAN_BITS)
            if value > 0 or value < 0:
                if last is not None and bool(value > 0) != last[1]:
                    return last[0], q
                last = q, bool(value > 0)
        return None

    def root(self, low: float, high: float) -> arb:
        """A ball around a root between two q, the only one in it. Raises `Undecided`."""
        near = self._near(low, high)
        box = arb(near, near * 2.0**-20)
        proven = False
        for _ in range(8):
            slope = self.derivative(box, min(64, box.rel_accuracy_bits() + 16))
            if slope.contains(0) or not slope.is_finite():
                break
            step = box.mid() - self(box.mid()) / slope
            if not proven and not box.contains_interior(step):
                break
            if proven and step.rad() > box.rad() / 2:
                return box
            proven, box = True, step
        if not proven:
            raise Undecided(f"whether there is one fixed point with chi_1 = 1 near q = {near!r}")
        return box

    def _near(self, low: float, high: float) -> float:
        """A root by the Illinois method, in floats: where the proof looks for it."""
        values = [float(self(arb(q), _SCAN_BITS).mid()) for q in (low, high)]
        kept = 0
        for _ in range(60):
            q = (low * values[1] - high * values[0]) / (values[1] - values[0])
            value = float(self(arb(q), _SCAN_BITS).mid())
            if abs(value) < 2.0**-30 * q or high - low < 2.0**-24 * q:
                return q
            if (value > 0) == (values[1] > 0):
                high, values[1] = q, value
                values[0] /= 2 if kept == 1 else 1
                kept = 1
            else:
                low, values[0] = q, value
                values[1] /= 2 if kept == -1 else 1
                kept = -1
        return q


def _rate(of: Gaussian, integrand: Callable[[Expr], Expr], q: arb, bits: int = BITS) -> arb:
    """The derivative of E[g(sqrt(q) z)] by q: E[g(sqrt(q) z) (z^2 - 1)]/(2 q), from that of the density."""
    return of.expectation(integrand, q, SQUARE_LESS_ONE, bits) / (2 * q)

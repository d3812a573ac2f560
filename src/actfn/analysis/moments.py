"""What a standard normal input comes out as: E[f], E[f^2], E[f'^2], and the gains that keep a signal's size.

A layer with weights of variance gain^2/n keeps the mean square of the signal, and with backward_gain^2/n that of the
gradient (He et al., arXiv:1502.01852, for ReLU). Each number is a certified ball; see `gaussian`.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from flint import arb
from sympy import Expr, S, Symbol

from actfn.analysis.claims import Claim
from actfn.analysis.gaussian import BITS, Gaussian, claim, enclosed, gaussian, unknown
from actfn.analysis.settings import text
from actfn.definition import Definition
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X, cbrt, elementary
from actfn.formula.pieces import Undecided
from actfn.reference import working_precision

INPUT = "x ~ N(0, 1)"


def moments(definition: Definition, **parameters: float) -> dict[str, Claim]:
    """`mean`, `second_moment`, `variance`, `derivative_second_moment`, `gain`, `backward_gain` at the parameters given
    and the defaults of the others.

    A number comes as the float nearest to the middle of its ball; an infinite one as "inf". Never raises for a formula
    that parses. Raises `ValueError` for a parameter that doesn't exist or lies outside its domain.
    """
    return {name: decided(work, definition, parameters) for name, work in _MOMENTS.items()}


def gain(definition: Definition, **parameters: float) -> Claim:
    """1/sqrt(E[f^2]) for x ~ N(0, 1): the factor on the weights that keeps the mean square of a signal; see `moments`."""
    return decided(_gain, definition, parameters)


def decided(work: Callable[[Gaussian], Claim], definition: Definition, parameters: dict[str, float]) -> Claim:
    """What `work` claims, with the parameters as the certificate's last line."""
    definition.values(parameters)
    try:
        of = gaussian(definition, parameters)
        with working_precision(BITS + 64):
            found = work(of)
    except Undecided as reason:
        return unknown(reason)
    except Exception as error:  # SymPy raises many kinds; none of them says anything of the function
        return unknown(f"{type(error).__name__}: {str(error)[:120]}")
    return Claim(found.value, found.status, (*found.certificate, *([of.note] if of.note else [])), found.ball)


# -- the moments ------------------------------------------------------------------------------------------------------


def _mean(of: Gaussian) -> Claim:
    value = of.mean()
    if value.is_zero():
        return claim(value, f"E[f] for {INPUT} is 0", "f(-x) = -f(x)")
    return claim(value, f"E[f] for {INPUT}", _how(of))


def _second(of: Gaussian) -> Claim:
    return claim(of.second(), f"E[f^2] for {INPUT}", _how(of))


def _variance(of: Gaussian) -> Claim:
    return claim(of.second() - of.mean() ** 2, f"E[f^2] - E[f]^2 for {INPUT}", _how(of))


def _derivative(of: Gaussian) -> Claim:
    infinite = infinite_slope(of)
    if infinite:
        return Claim("inf", "proven", (f"E[f'^2] for {INPUT} is infinite", infinite))
    return claim(of.slope(), f"E[f'^2] for {INPUT}", _how(of), *_kinks(of))


def _gain(of: Gaussian) -> Claim:
    return _inverse_root(of, of.second(), "E[f^2]")


def _backward_gain(of: Gaussian) -> Claim:
    infinite = infinite_slope(of)
    if infinite:
        return Claim(
            0.0, "proven", (f"E[f'^2] for {INPUT} is infinite: no factor is small enough", infinite), ("0", "0")
        )
    return _inverse_root(of, of.slope(), "E[f'^2]")


def _inverse_root(of: Gaussian, value: arb, name: str) -> Claim:
    if value.is_zero():
        return Claim("inf", "proven", (f"{name} for {INPUT} is 0: no factor is large enough",))
    return claim(1 / value.sqrt(), f"1/sqrt({name}) for {INPUT}", f"{name} lies in {enclosed(value)}", _how(of))


_MOMENTS: dict[str, Callable[[Gaussian], Claim]] = {
    "mean": _mean,
    "second_moment": _second,
    "variance": _variance,
    "derivative_second_moment": _derivative,
    "gain": _gain,
    "backward_gain": _backward_gain,
}


def _how(of: Gaussian) -> str:
    count = len(of.pieces)
    where = "the whole line" if count == 1 else f"{count} pieces, which meet at {', '.join(map(text, of.places))}"
    return f"ball integration over {where}; the tails from a bound exp(a + b|x| + d x^2) on the integrand"


def _kinks(of: Gaussian) -> list[str]:
    return ["f is continuous; the value of f' at a breakpoint has no weight"] if of.breakpoints else []


# -- where the slope's mean square is infinite --------------------------------------------------------------------------


def infinite_slope(of: Gaussian) -> str:
    """Why E[f'^2] is infinite, or "" where it isn't. Raises `Undecided` where it isn't known whether f jumps."""
    if of.jumps is None:
        raise Undecided("whether f jumps at a breakpoint")
    if of.jumps:
        return f"f jumps at x = {', '.join(map(text, of.jumps))}, where its slope is a point mass"
    if of.slope().is_finite():
        return ""
    for place, left, right in zip(of.places, of.pieces, of.pieces[1:], strict=False):
        for side, piece in ((-1, left), (1, right)):
            if _too_steep(smooth_derivative(piece.expression, 1), place, side):
                return f"f'^2 is at least c/|x - {text(place)}| beside x = {text(place)}, for some c > 0"
    return ""


def _too_steep(slope: Expr, place: Expr, side: int) -> bool:
    """Whether |slope| times the root of the distance from a place doesn't tend to 0."""
    s = Symbol("s", positive=True)
    moved = elementary(slope).replace(lambda n: isinstance(n, cbrt), lambda n: n.elementary()).subs(X, place + side * s)
    limit = sympy.limit(sympy.powsimp(moved) * sympy.sqrt(s), s, 0, "+")
    return limit is S.Infinity or limit is S.NegativeInfinity or (limit.is_number and limit.is_zero is False)

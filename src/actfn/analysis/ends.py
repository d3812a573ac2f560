"""What a function does at both ends of the line: its limits, the lines it approaches and how fast, where it saturates.

All of it is read off the first terms of the expansions of f and f' (`analysis.asymptotic`), for all parameters where
their signs allow it. Each result is held against balls far out: symbols and numbers that disagree prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Expr, Rational, S, oo

from actfn.analysis.asymptotic import ONE, Expander, Expansion, Order, T, oscillates
from actfn.analysis.claims import Claim
from actfn.analysis.settings import Setting, decided, number, text
from actfn.definition import Definition
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X
from actfn.formula.pieces import Case, Piece, Signs, Undecided
from actfn.kernels.lower import stable
from actfn.reference import working_precision

_SIDES = (("left", -1), ("right", 1))
_LINEAR = Order(power=S.One)


def ends(definition: Definition, **parameters: float) -> dict[str, Claim]:
    """The claims `limits`, `asymptotes` and `saturating`."""
    return {
        "limits": limits(definition, **parameters),
        "asymptotes": asymptotes(definition, **parameters),
        "saturating": saturating(definition, **parameters),
    }


def limits(definition: Definition, **parameters: float) -> Claim:
    """The limits at both ends: a number, "inf", "-inf", text where a parameter decides it, None where there is none."""

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        found, lines = {}, []
        for name, side in _SIDES:
            value, line = limit(setting, case, sign, side)
            found[name] = None if value is None else number(value)
            lines.append(line)
        return Claim(found, "proven", tuple(lines))

    return decided(definition, parameters, work)


def asymptotes(definition: Definition, **parameters: float) -> Claim:
    """The lines that f approaches at both ends, as text, and the leading term of what is left (of f where there is no line)."""

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        found: dict[str, str | None] = {}
        lines = []
        for name, side in _SIDES:
            line = _line(setting, case, sign, side)
            found[name] = None if line.line is None else text(line.line)
            found[f"{name}_rate"] = line.rate
            lines.append(f"as x -> {_end(side)}: {line.why}")
        order = ("left", "right", "left_rate", "right_rate")
        return Claim({key: found[key] for key in order}, "proven", tuple(lines))

    return decided(definition, parameters, work)


def saturating(definition: Definition, **parameters: float) -> Claim:
    """At which ends f has a finite limit and f' goes to 0."""

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        found, lines = {}, []
        for name, side in _SIDES:
            value, line = limit(setting, case, sign, side)
            found[name] = False
            if value is not None and not value.is_infinite:
                slope = expansion(_piece(case, side), sign, side, 1)
                found[name] = _vanishes(slope, Expander(sign))
                line += f"; f' = {_shown(slope, side)}"
            lines.append(line)
        return Claim(found, "proven", tuple(lines))

    return decided(definition, parameters, work)


# -- one end ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    line: Expr | None
    rate: str
    why: str


def _piece(case: Case, side: int) -> Piece:
    return case.pieces[-1 if side > 0 else 0]


@lru_cache(maxsize=256)
def expansion(piece: Piece, sign: Signs, side: int, order: int) -> Expansion:
    """f, or its derivative of an order, over T = |x|, at the end of a side (-1 or 1). Raises `Undecided`."""
    expression = stable(smooth_derivative(piece.expression, order))
    return Expander(sign).of(expression.subs(X, side * T))


def limit(setting: Setting, case: Case, sign: Signs, side: int) -> tuple[Expr | None, str]:
    """The limit at one end (side -1 or 1), None where there is none, and the line that shows it. Raises `Undecided`."""
    piece, where = _piece(case, side), f"as x -> {_end(side)}: "
    if piece.undefined:
        return None, where + piece.undefined
    found, expander = expansion(piece, sign, side, 0), Expander(sign)
    shown = f"{where}f = {_shown(found, side)}"
    if _vanishes(found, expander):
        _check(setting, piece.expression, found, side)
        return S.Zero, shown
    if not found.terms:
        raise Undecided(f"the first term of f {where}")
    order, coefficient = found.terms[0]
    grows = expander.compare(order, ONE) > 0
    if oscillates(coefficient):
        if grows and not _varies(setting, sign, coefficient, opposite=True):
            raise Undecided("whether what oscillates takes both signs")
        if not grows and not _varies(setting, sign, coefficient):
            raise Undecided("whether what oscillates is constant")
        return None, f"{shown}, which oscillates for ever"
    if not grows and found.rest is not None and expander.compare(found.rest, ONE) >= 0:
        raise Undecided("an expansion that is cut off before its constant")
    value = expander.sign(coefficient) * oo if grows else coefficient
    _check(setting, piece.expression, found, side)
    return value, shown


def _line(setting: Setting, case: Case, sign: Signs, side: int) -> _Line:
    piece = _piece(case, side)
    if piece.undefined:
        return _Line(None, "", piece.undefined)
    found, expander = expansion(piece, sign, side, 0), Expander(sign)
    shown = f"f = {_shown(found, side)}"
    if found.rest is not None and expander.compare(found.rest, ONE) >= 0:
        raise Undecided("an expansion that is cut off before its constant")
    line: Expr = S.Zero
    left: list[tuple[Order, Expr]] = []
    for order, coefficient in found.terms:
        linear, inner = expander.compare(order, _LINEAR) == 0, expander.compare(order, ONE) == 0
        if not (linear or inner):
            left.append((order, coefficient))
            if expander.compare(order, ONE) > 0:
                if oscillates(coefficient) and not _varies(setting, sign, coefficient):
                    raise Undecided("whether what oscillates is zero")
                if not oscillates(coefficient):
                    expander.sign(coefficient)
                return _Line(None, _in_x(order, coefficient, side), f"{shown}: no line")
            continue
        if oscillates(coefficient):
            if not _varies(setting, sign, coefficient):
                raise Undecided("whether what oscillates is constant")
            return _Line(None, _in_x(*found.terms[0], side), f"{shown}: what oscillates approaches no line")
        line += coefficient * (side * X if linear else 1)
    _check(setting, piece.expression, Expansion(tuple(found.terms), found.rest), side)
    if left and not oscillates(left[0][1]):
        rest = stable(piece.expression) - line
        _check(setting, rest, Expansion(tuple(left), found.rest), side)
    rate = _in_x(*left[0], side) if left else "0" if found.rest is None else f"O({_in_x(found.rest, S.One, side)})"
    return _Line(line, rate, shown)


def _vanishes(found: Expansion, expander: Expander) -> bool:
    """Whether what is expanded goes to zero. Raises `Undecided`."""
    if any(expander.compare(order, ONE) >= 0 for order, _ in found.terms):
        return False
    if found.rest is not None and expander.compare(found.rest, ONE) >= 0:
        raise Undecided("an expansion that is cut off before its constant")
    return True


# -- what oscillates ----------------------------------------------------------------------------------------------------


def _varies(setting: Setting, sign: Signs, coefficient: Expr, opposite: bool = False) -> bool:
    """Whether a coefficient comes (near) to two different values again and again; with `opposite`, to two of opposite signs.

    It is a function of sin and cos of one argument that grows without end, so each value returns; or of linear
    arguments, then it is almost periodic and each value is approached again and again (Bohr).
    """
    arguments = sorted({n.args[0] for n in coefficient.atoms(sympy.sin, sympy.cos)}, key=sympy.default_sort_key)
    if len(arguments) == 1:
        angles = [k * sympy.pi / 4 for k in range(8)]
        values = [coefficient.xreplace({f(arguments[0]): f(a) for f in (sympy.sin, sympy.cos)}) for a in angles]
        if opposite:
            return {-1, 1} <= {sign.known(v) for v in values}
        return any(sign.known(sympy.expand(v - values[0])) in (-1, 1) for v in values)
    if not setting.exact or any(sympy.degree(u, T) > 1 for u in arguments):
        return False
    balls = [setting.ball(coefficient.xreplace({T: X}), Rational(k, 4)) for k in range(1, 40)]
    with working_precision(256):
        if opposite:
            return any(b < 0 for b in balls) and any(b > 0 for b in balls)
        return any(b < balls[0] or b > balls[0] for b in balls)


# -- numbers against symbols ----------------------------------------------------------------------------------------------


def _check(setting: Setting, expression: Expr, found: Expansion, side: int) -> None:
    """Holds the leading term against balls far out. Raises `Undecided` where they disagree."""
    terms = found.terms
    if not terms:
        if found.rest is None and any(not setting.ball(expression, side * 2.0**k).contains(0) for k in (6, 20)):
            raise Undecided("symbols and numbers disagree")
        return
    order, coefficient = terms[0]
    if oscillates(coefficient):
        return
    expected = (coefficient * order.expression).xreplace({T: side * X})
    last = None
    for k in (4, 6, 8, 12, 20, 40):
        true, guess = (setting.ball(e, side * 2.0**k, 32) for e in (expression, expected))
        if not (true.is_finite() and guess.is_finite()) or guess.contains(0) or true.contains(0):
            continue
        with working_precision(64):
            last = abs(true / guess - 1)
    if last is not None and not last < 0.25:
        raise Undecided(f"whether f behaves as {text(expected)} {_end(side)}: symbols and numbers disagree")


# -- text ---------------------------------------------------------------------------------------------------------------


def _end(side: int) -> str:
    return "infinity" if side > 0 else "-infinity"


def _in_x(order: Order, coefficient: Expr, side: int) -> str:
    return text((coefficient * order.expression).xreplace({T: side * X}))


def _shown(found: Expansion, side: int, most: int = 3) -> str:
    """The first terms, as text."""
    parts = [_in_x(order, coefficient, side) for order, coefficient in found.terms[:most]]
    if len(found.terms) > most or found.rest is not None:
        parts.append("...")
    return " + ".join(parts).replace("+ -", "- ") or "0"

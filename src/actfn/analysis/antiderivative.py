"""An F with F' = f, continuous across the breakpoints: the definition's own text, or found piece by piece.

A piece is integrated term by term with rules that end (SymPy's `manualintegrate`, rational functions of an exponential,
integrals by parts of erf and asinh); each result counts only once its derivative is shown to be the piece.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr, Piecewise, Pow, S
from sympy.integrals.manualintegrate import manualintegrate
from sympy.integrals.risch import NonElementaryIntegral, risch_integrate

from actfn.analysis.claims import Claim
from actfn.analysis.identity import in_exponentials, vanishes
from actfn.analysis.inverses import constant_sign, continuous, exponential
from actfn.analysis.settings import Setting, decided, text
from actfn.definition import Definition
from actfn.formula import parse
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X, cbrt, elementary, erfc
from actfn.formula.pieces import Case, Piece, Signs, Undecided, cases, unfold
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.lower import stable

SECONDS = 1.0
"""Of this thread's processor time for one term."""

_SPECIAL = (sympy.erf, sympy.erfc, erfc, sympy.asinh)


def antiderivative(definition: Definition, **parameters: float) -> Claim:
    """An antiderivative as text in x, checked by differentiating it; None where there is no elementary one."""
    given = getattr(definition, "antiderivative", "")

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        if given:
            stated = parse(given, definition.symbols).xreplace(setting.rule)
            if _is_antiderivative(stated, setting):
                return Claim(text(stated), "proven", ("as the entry states it; its derivative is f on every piece",))
        if any(p.undefined for p in case.pieces):
            raise Undecided("f isn't defined on the whole line")
        parts = []
        for piece in case.pieces:
            try:
                parts.append(_of_piece(piece, sign))
            except Undecided:
                if setting.exact and _is_not_elementary(piece):
                    why = f"{text(piece.expression)} has no elementary antiderivative, by Risch's algorithm"
                    return Claim(None, "proven", (why,))
                raise
        lines = [
            f"for {text(p.left)} < x < {text(p.right)}: the derivative of {text(F)} is f"
            for p, F in zip(case.pieces, parts, strict=True)
        ]
        return Claim(_joined(parts, case, sign), "proven", tuple(lines))

    return decided(definition, parameters, work)


def _is_antiderivative(stated: Expr, setting: Setting) -> bool:
    """Whether the derivative of what is stated is f on every piece, and it has no jump. Raises `Undecided`."""
    gap = unfold(smooth_derivative(unfold(stated), 1) - setting.expression)
    if not all(vanishes(p.expression) for case in cases(gap, setting.bounds) for p in case.pieces):
        return False
    return all(continuous(case, Signs(case.signs, setting.bounds)) for case in cases(stated, setting.bounds))


def _of_piece(piece: Piece, sign: Signs) -> Expr:
    """An antiderivative of a piece, shown to be one. Raises `Undecided`."""
    f = elementary(piece.expression)
    for form in dict.fromkeys((f, sympy.expand(f), in_exponentials(f))):
        try:
            found = _real(_integral(form), piece, sign)
        except Undecided:
            continue
        if vanishes(sympy.diff(found, X) - piece.expression):
            return stable(found)
    raise Undecided(f"no elementary antiderivative of {text(piece.expression)} is known")


def _is_not_elementary(piece: Piece) -> bool:
    """Whether Risch's algorithm, a decision procedure for towers of exp and log, shows that there is none."""
    f = in_exponentials(piece.expression)
    if f.has(sympy.erf, sympy.sin, sympy.cos, sympy.tan, sympy.atan, cbrt):
        return False
    x = sympy.Symbol("x")  # the algorithm takes symbols without assumptions
    found = _limited(lambda: risch_integrate(f.xreplace({X: x}), x))
    return found is not None and found.has(NonElementaryIntegral)


def _joined(parts: list[Expr], case: Case, sign: Signs) -> str:
    """The pieces with constants that make them meet; the piece at 0 (from the right) keeps its own."""
    places = [b.location for b in case.breakpoints]
    anchor = sum(sign.known(place) in (-1, 0) for place in places)
    parts = list(parts)
    for i in range(anchor, len(places)):
        parts[i + 1] += _constant(parts[i] - parts[i + 1], places[i])
    for i in range(anchor - 1, -1, -1):
        parts[i] += _constant(parts[i + 1] - parts[i], places[i])
    joined = text(parts[0])
    for place, part in zip(places, parts[1:], strict=True):
        joined = f"where(x > {text(place)}, {text(part)}, {joined})" if text(part) != joined else joined
    return joined


def _constant(gap: Expr, place: Expr) -> Expr:
    value = stable(sympy.simplify(elementary(gap.subs(X, place))))
    if value.has(sympy.nan, sympy.zoo, sympy.oo):
        raise Undecided(f"an antiderivative across x = {text(place)}")
    return value


def _real(found: Expr, piece: Piece, sign: Signs) -> Expr:
    """log(u) as log(-u) where u is negative. Raises `Undecided` where the sign of u isn't known."""
    for node in found.atoms(sympy.log):
        if node.has(X) and constant_sign(node.args[0], piece, sign) < 0:
            found = found.xreplace({node: sympy.log(sympy.expand(-node.args[0]))})
    return found


# -- rules ------------------------------------------------------------------------------------------------------------------


def _integral(e: Expr) -> Expr:
    """An antiderivative in elementary functions and erf. Raises `Undecided`."""
    factor, rest = e.as_independent(X, as_Add=False)
    if not rest.has(X):
        return e * X
    if rest.is_Add:
        try:
            return factor * sympy.Add(*(_integral(term) for term in rest.args))
        except Undecided:
            if rest.is_polynomial(X):
                raise
    for rule in (_polynomial, _cube_root, _over_exponential, _gaussian, _by_parts, _manual):
        found = rule(rest)
        if found is not None:
            return factor * found
    raise Undecided(f"the integral of {rest}")


def _polynomial(e: Expr) -> Expr | None:
    return sympy.integrate(e, X) if e.is_polynomial(X) else None


def _cube_root(e: Expr) -> Expr | None:
    """A power of the cube root of a linear argument."""
    base, n = e.as_base_exp()
    if not isinstance(base, cbrt) or n == -3 or sympy.diff(base.args[0], X).has(X):
        return None
    return 3 * base.args[0] * e / ((n + 3) * sympy.diff(base.args[0], X))


def _over_exponential(e: Expr) -> Expr | None:
    """A rational function of t = exp(k*x + c): its integral is that of R(t)/(k*t)."""
    found = exponential(e)
    if found is None:
        return None
    form, t, unit = found
    slope = sympy.diff(unit, X)
    if form.has(X) or slope.has(X) or not form.is_rational_function(t):
        return None
    rational = sympy.apart(sympy.cancel(sympy.together(form / t)), t)
    total = S.Zero
    for term in sympy.Add.make_args(rational):
        inner = _limited(lambda term=term: manualintegrate(term, t))
        if inner is None or inner.has(sympy.Integral, Piecewise):
            return None
        total += inner
    return sympy.expand_log(total).xreplace({sympy.log(t): unit}).xreplace({t: sympy.exp(unit)}) / slope


def _gaussian(e: Expr) -> Expr | None:
    """A polynomial times exp(q) with q = -a*x**2 + b*x + c, a > 0, by lowering the degree."""
    exponentials = [f for f in sympy.Mul.make_args(e) if isinstance(f, sympy.exp)]
    if len(exponentials) != 1 or not exponentials[0].args[0].is_polynomial(X):
        return None
    q = sympy.Poly(exponentials[0].args[0], X)
    rest = e / exponentials[0]
    if q.degree() != 2 or not rest.is_polynomial(X):
        return None
    minus_a, b, c = q.all_coeffs()
    a = -minus_a
    if not a.is_positive:
        return None
    root = sympy.sqrt(a)
    value = (
        sympy.sqrt(sympy.pi)
        / (2 * root)
        * sympy.exp(sympy.cancel(c + b**2 / (4 * a)))
        * sympy.erf(root * X - b / (2 * root))
    )
    integrals = [value]
    coefficients = sympy.Poly(rest, X).all_coeffs()[::-1]
    for n in range(1, len(coefficients)):
        before = (n - 1) * integrals[n - 2] if n > 1 else S.Zero
        integrals.append((before + b * integrals[n - 1] - X ** (n - 1) * exponentials[0]) / (2 * a))
    return sympy.Add(*(k * value for k, value in zip(coefficients, integrals, strict=True)))


def _by_parts(e: Expr) -> Expr | None:
    """A polynomial times erf, erfc or asinh of a linear argument."""
    special = [f for f in sympy.Mul.make_args(e) if isinstance(f, _SPECIAL)]
    if len(special) != 1:
        return None
    rest = e / special[0]
    if not rest.is_polynomial(X) or sympy.diff(special[0].args[0], X).has(X):
        return None
    outer = sympy.integrate(rest, X)
    return outer * special[0] - _integral(sympy.expand(outer * sympy.diff(special[0], X)))


def _manual(e: Expr) -> Expr | None:
    """What SymPy's rules find, where they may find something: no function of a function, no exponential in a divisor."""
    inner = [n.args[0] for n in sympy.preorder_traversal(e) if isinstance(n, sympy.Function) and n.has(X)]
    divisor = sympy.fraction(sympy.together(e))[1]
    nested = (
        any(u.has(sympy.Function) for u in inner) or divisor.has(sympy.exp) or any(n.exp.has(X) for n in e.atoms(Pow))
    )
    if nested or e.has(*_SPECIAL):
        return None
    found = _limited(lambda: manualintegrate(e, X))
    known = found is not None and not found.has(sympy.Integral, Piecewise, sympy.I)
    return found if known and _is_printable(found) else None


def _is_printable(e: Expr) -> bool:
    try:
        text(e)
    except (UnprintableError, ValueError):
        return False
    return True


# -- a limit on time ----------------------------------------------------------------------------------------------------------


class _OutOfTime(BaseException):
    """Not an `Exception`: SymPy catches those."""


def _limited(work: Callable[[], Any]) -> Any:
    """What `work` returns; None where it raises or takes longer than `SECONDS` of this thread's time.

    A profile function looks at the clock, for SymPy has no limit of its own and a thread can't be stopped from outside.
    """
    end = time.thread_time() + SECONDS
    calls = 0

    def watch(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += 1
        if calls % 256 == 0 and time.thread_time() > end:
            raise _OutOfTime

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return work()
    except (_OutOfTime, Exception):  # SymPy raises many kinds; none of them says anything of the function
        return None
    finally:
        sys.setprofile(before)

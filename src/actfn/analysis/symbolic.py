"""What the formula itself says: odd or even, homogeneous, one-to-one, its inverse, and whether f' is a function of f.

Each is shown by identities (`analysis.identity`) between the pieces of a case, and refuted by the ends of the line for
all parameters at once, or by balls at a few points for the defaults.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import sympy
from sympy import Expr, Rational, S

from actfn.analysis.antiderivative import antiderivative
from actfn.analysis.asymptotic import Expander, Order, T, oscillates
from actfn.analysis.claims import Claim
from actfn.analysis.ends import expansion, limit
from actfn.analysis.identity import simplified, vanishes
from actfn.analysis.inverses import Steps, Y, constant_sign, continuous, jump, shown, steps, undo
from actfn.analysis.settings import Setting, below, decided, text
from actfn.definition import Definition
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X
from actfn.formula.pieces import Case, Piece, Signs, Undecided
from actfn.reference import working_precision

__all__ = [
    "antiderivative",
    "derivative_from_output",
    "homogeneous",
    "inverse",
    "invertible",
    "parity",
    "symbolic",
]

_POINTS = tuple(Rational(k, 8) for k in (1, 4, 6, 8, 11, 16, 24, 37, 64, 200))


def symbolic(definition: Definition, monotone: Claim | None = None, /, **parameters: float) -> dict[str, Claim]:
    """Every claim of this module; `monotone` is that claim, if it is known already."""
    return {
        "parity": parity(definition, **parameters),
        "homogeneous": homogeneous(definition, **parameters),
        "invertible": invertible(definition, monotone, **parameters),
        "inverse": inverse(definition, **parameters),
        "derivative_from_output": derivative_from_output(definition, **parameters),
        "antiderivative": antiderivative(definition, **parameters),
    }


# -- odd or even ----------------------------------------------------------------------------------------------------------


def parity(definition: Definition, **parameters: float) -> Claim:
    """ "odd", "even" or False."""

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        lines = []
        for name, s in (("even", 1), ("odd", -1)):
            against = _not_mirrored(setting, case, sign, s)
            if not against:
                if _mirrored(case, sign, s):
                    return Claim(name, "proven", (f"f(-x) = {'' if s > 0 else '-'}f(x), piece by piece",))
                raise Undecided(f"whether f is {name}")
            lines.append(f"not {name}: {against}")
        return Claim(False, "proven", tuple(lines))

    return decided(definition, parameters, work)


def _mirrored(case: Case, sign: Signs, s: int) -> bool:
    """Whether f(-x) = s*f(x) is shown on every piece and at every breakpoint."""
    pieces, places = case.pieces, case.breakpoints
    for here, there in zip(places, reversed(places), strict=True):
        if sign.known(here.location + there.location) != 0 or here.at is None or there.at is None:
            return False
        if not vanishes(here.at.subs(X, here.location) - s * there.at.subs(X, -here.location)):
            return False
    return all(
        not here.undefined and vanishes(here.expression.subs(X, -X) - s * there.expression)
        for here, there in zip(pieces, reversed(pieces), strict=True)
    )


def _not_mirrored(setting: Setting, case: Case, sign: Signs, s: int) -> str:
    """Why f(-x) = s*f(x) doesn't hold; "" if nothing is found against it."""
    if not any(p.undefined for p in (case.pieces[0], case.pieces[-1])):
        try:
            expander = Expander(sign)
            left, right = (expansion(case.pieces[i], sign, side, 0) for i, side in ((0, -1), (-1, 1)))
            difference = expander.add(right, expander.scaled(left, S(-s)))
            if difference.terms and not oscillates(difference.terms[0][1]):
                order, coefficient = expander.lead(difference)
                return f"f(t) {'-' if s > 0 else '+'} f(-t) behaves as {text_of(order, coefficient)} for large t"
        except Undecided:
            pass
    if setting.exact:
        edges = [b.location for b in case.breakpoints if b.location.is_Rational and _is_dyadic(b.location)]
        for x in (S.Zero, *_POINTS, *edges):
            there, here = setting.ball(setting.expression, -x), setting.ball(setting.expression, x)
            with working_precision(256):
                gap = here - s * there
                if gap > 0 or gap < 0:
                    return f"f({x}) = {here.str(6, radius=False)}, f({-x}) = {there.str(6, radius=False)}"
    return ""


def text_of(order: Order, coefficient: Expr) -> str:
    """A term of an expansion over t."""
    return text((coefficient * order.expression).xreplace({T: sympy.Symbol("t", positive=True)}))


def _is_dyadic(x: Rational) -> bool:
    return not x.q & (x.q - 1) and abs(x) < 2**40


# -- homogeneous ------------------------------------------------------------------------------------------------------------


def homogeneous(definition: Definition, **parameters: float) -> Claim:
    """The degree k for which f(c*x) = c**k * f(x) for every c > 0, or False."""

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        degree = _degree(case, sign)
        if degree is not None:
            value = int(degree) if degree.is_Integer else float(degree)
            return Claim(value, "proven", (f"f(c*x) = c**({degree}) * f(x) on both sides of 0 and at 0",))
        against = _not_homogeneous(setting, case, sign)
        if not against:
            raise Undecided("whether f is homogeneous")
        return Claim(False, "proven", (against,))

    return decided(definition, parameters, work)


def _degree(case: Case, sign: Signs) -> Expr | None:
    """The degree, where each piece is a multiple of one power of x and no piece ends but at 0."""
    if len(case.pieces) > 2 or any(sign.known(b.location) != 0 for b in case.breakpoints):
        return None
    degrees = set()
    for piece in case.pieces:
        if piece.undefined:
            return None
        if piece.expression.is_zero:
            continue
        k = simplified(X * sympy.diff(piece.expression, X) / piece.expression)
        if not k.is_Rational:
            return None
        degrees.add(k)
    if len(degrees) > 1:
        return None
    degree = next(iter(degrees), S.Zero)
    for at in case.breakpoints:
        if degree != 0 and (at.at is None or not vanishes(at.at.subs(X, 0))):
            return None
    return degree


def _not_homogeneous(setting: Setting, case: Case, sign: Signs) -> str:
    degrees = []
    for side, piece in ((-1, case.pieces[0]), (1, case.pieces[-1])):
        if piece.undefined:
            continue
        try:
            found, expander = expansion(piece, sign, side, 0), Expander(sign)
            if not found.terms or any(oscillates(c) for _, c in found.terms[:2]):
                continue
            terms = [(order, c) for order, c in found.terms[:2] if expander.sign(c)]
        except Undecided:
            continue
        name = "x" if side > 0 else "-x"
        if len(terms) > 1 or terms[0][0].exponent or terms[0][0].logs != 0:
            shown_terms = " + ".join(text_of(*term) for term in terms).replace("+ -", "- ")
            more = " + ..." if len(found.terms) > 2 else ""
            return f"for large t = {name}, f = {shown_terms}{more} is no multiple of a power of t"
        if found.rest is None:
            degrees.append(terms[0][0].power)
    if len(degrees) == 2 and sign.known(degrees[0] - degrees[1]) in (-1, 1):
        return f"f grows as |x|**{degrees[0]} on the left and as x**{degrees[1]} on the right"
    if setting.exact:
        for x in (s * p for p in _POINTS for s in (1, -1)):
            one, two, four = (setting.ball(setting.expression, k * x) for k in (1, 2, 4))
            with working_precision(256):
                gap = one * four - two * two
                if gap > 0 or gap < 0:
                    return f"f({x})*f({4 * x}) is not f({2 * x})**2"
    return ""


# -- one-to-one -------------------------------------------------------------------------------------------------------------


def invertible(definition: Definition, monotone: Claim | None = None, /, **parameters: float) -> Claim:
    """Whether f takes no value twice. `monotone` is what is known of that already."""
    if monotone is not None and monotone.status == "proven" and str(monotone.value).startswith("strictly"):
        return Claim(True, "proven", ("f is strictly monotone", *monotone.certificate[-1:]))

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        against = _takes_a_value_twice(setting, case, sign)
        if against:
            return Claim(False, "proven", (against,))
        way = "rises" if steps(case, sign).direction > 0 else "falls"
        return Claim(True, "proven", (f"f {way} strictly on every piece and across every breakpoint",))

    return decided(definition, parameters, work)


def _takes_a_value_twice(setting: Setting, case: Case, sign: Signs) -> str:
    """Why f is not one-to-one; "" if nothing is found against it."""
    for piece in case.pieces:
        if not piece.undefined and not piece.expression.has(X):
            return f"f is constant for {text(piece.left)} < x < {text(piece.right)}"
    return _turn(setting, case, sign)


def _turn(setting: Setting, case: Case, sign: Signs) -> str:
    """Why a continuous f is not monotone; "" if nothing is found."""
    if all(not p.expression.has(X) for p in case.pieces):
        return ""
    try:
        if continuous(case, sign):
            left, right = (limit(setting, case, sign, side)[0] for side in (-1, 1))
            if left is not None and left == right:
                return f"f is continuous and goes to {text(left)} at both ends"
    except Undecided:
        pass
    if _mirrored(case, sign, 1):
        return "f is even"
    return _turn_by_balls(setting, case, sign) if setting.exact else ""


def _turn_by_balls(setting: Setting, case: Case, sign: Signs) -> str:
    """Three points on a stretch where f is continuous, the middle one certainly above or below both others."""
    for (low, high), wide in itertools.product(_stretches(case, sign), (False, True)):
        points = [x for x in _grid(case, wide) if low < x < high]
        values = [setting.ball(setting.expression, x) for x in points]
        known = [(x, v) for x, v in zip(points, values, strict=True) if v.is_finite()]
        rises = [below(a[1], b[1]) for a, b in itertools.pairwise(known)]
        falls = [below(b[1], a[1]) for a, b in itertools.pairwise(known)]
        for first, second in ((rises, falls), (falls, rises)):
            if not (any(first) and any(second)):
                continue
            i, j = first.index(True), len(second) - 1 - second[::-1].index(True)
            if i >= j:
                continue
            inner = [known[i + 1], known[j]]
            middle = inner[0] if below(inner[1][1], inner[0][1]) == (first is rises) else inner[1]
            shown_values = ", ".join(f"f({x}) = {v.str(12)}" for x, v in (known[i], middle, known[j + 1]))
            return f"f is continuous between and turns: {shown_values}"
    return ""


def _stretches(case: Case, sign: Signs) -> Iterator[tuple[Expr, Expr]]:
    low: Expr = -S.Infinity
    for i, place in enumerate(case.breakpoints):
        if case.pieces[i].undefined:
            low = place.location
        elif jump(case, i, sign):
            yield low, place.location
            low = place.location
    if not case.pieces[-1].undefined:
        yield low, S.Infinity


def _grid(case: Case, wide: bool) -> list[Rational]:
    found = {Rational(k, 4) for k in range(-40, 41)}
    if wide:
        found |= {s * Rational(2) ** k for k in range(4, 10) for s in (1, -1)}
    for place in case.breakpoints:
        near = Rational(round(float(place.location) * 64), 64)
        found |= {near + Rational(k, 32) for k in (-16, -4, -1, 1, 4, 16)}
    return sorted(found)


# -- the inverse ------------------------------------------------------------------------------------------------------------


def inverse(definition: Definition, **parameters: float) -> Claim:
    """g with g(f(x)) = x for every x, as text in x; None where f takes a value twice."""

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        against = _takes_a_value_twice(setting, case, sign)
        if against:
            return Claim(None, "proven", (f"there is none: {against}",))
        found = steps(case, sign)
        if any(jump(case, i, sign) for i in range(len(case.breakpoints))):
            raise Undecided("an inverse across a jump")
        parts = [shown(undo(piece, sign)) for piece in case.pieces]
        _check(setting, case, parts, [X] * len(parts))
        return Claim(_joined(parts, found, "x"), "proven", tuple(_by_piece(case, "x", parts)))

    return decided(definition, parameters, work)


def _named(e: Expr, name: str) -> str:
    """An expression over Y as text, with Y called as it is named."""
    if name in {s.name for s in e.free_symbols}:
        raise Undecided(f"a parameter is called {name}")
    return text(e.xreplace({Y: sympy.Symbol(name, real=True)}))


def _by_piece(case: Case, what: str, parts: list[Expr]) -> list[str]:
    return [
        f"for {text(p.left)} < x < {text(p.right)}: {what} = {_named(e, 'y')}"
        for p, e in zip(case.pieces, parts, strict=True)
    ]


def _joined(parts: list[Expr], found: Steps, name: str) -> str:
    """One text over y from an expression for each piece: what f is tells which piece it came from."""
    ordered = list(range(len(parts)))[:: found.direction or 1]
    joined = _named(parts[ordered[0]], name)
    for lower, upper in itertools.pairwise(ordered):
        part = _named(parts[upper], name)
        if part != joined:
            relation = (
                f">= {text(found.starts[upper])}"
                if found.constant[upper]
                else f"> {text(found.values[min(lower, upper)])}"
            )
            joined = f"where({name} {relation}, {part}, {joined})"
    return joined


def _check(setting: Setting, case: Case, parts: list[Expr], expected: list[Expr]) -> None:
    """Holds an expression over Y = f(x) for each piece against what is expected of it, by balls. Raises `Undecided`."""
    for piece, part, right in zip(case.pieces, parts, expected, strict=True):
        if _disagrees(setting, piece, part, right):
            raise Undecided(f"{_named(part, 'y')}: symbols and numbers disagree")


def _disagrees(setting: Setting, piece: Piece, part: Expr, right: Expr) -> bool:
    low, high = (float(e.xreplace(dict(setting.defaults))) for e in (piece.left, piece.right))
    gap = part.xreplace({Y: piece.expression}) - right
    for x in (s * p for p in _POINTS for s in (1, -1)):
        if low < x < high:
            value = setting.ball(gap, x, 64)
            with working_precision(64):
                if not abs(value) < 1e-12 and (value.is_finite() or abs(x) < 4):
                    return True  # far out the precision may be spent before a value is known
    return False


# -- f' as a function of f --------------------------------------------------------------------------------------------------


def derivative_from_output(definition: Definition, **parameters: float) -> Claim:
    """g with f'(x) = g(f(x)) for every x but the kinks, as text in y; False where there is none."""

    def work(setting: Setting, case: Case, sign: Signs) -> Claim:
        if any(p.undefined for p in case.pieces):
            raise Undecided("f isn't defined on the whole line")
        against = _turn(setting, case, sign)
        if against:
            # Between two points on both sides of a turn f takes each value of an interval rising and falling, and
            # f' is not 0 throughout: some value comes with two slopes.
            return Claim(False, "proven", (against, "so f takes some value with two different slopes"))
        found = steps(case, sign)
        slopes = [smooth_derivative(piece.expression, 1) for piece in case.pieces]
        parts = [_over_output(setting, piece, slope, sign) for piece, slope in zip(case.pieces, slopes, strict=True)]
        return Claim(_joined(parts, found, "y"), "proven", tuple(_by_piece(case, "f'", parts)))

    return decided(definition, parameters, work)


def _over_output(setting: Setting, piece: Piece, slope: Expr, sign: Signs) -> Expr:
    """The slope of a piece over Y: at x, which Y gives back."""
    slope = slope if slope.has(X) else sympy.simplify(slope)
    if not slope.has(X):
        return slope
    try:
        s = constant_sign(piece.expression, piece, sign)
    except Undecided:
        s = 0
    y = sympy.Dummy("y", positive=True) if s > 0 else sympy.Dummy("y", negative=True) if s < 0 else Y
    plain = slope.xreplace({X: undo(piece, sign).xreplace({Y: y})})
    forms = [simplified(plain).xreplace({y: Y}), shown(plain.xreplace({y: Y}))]
    forms = [form for form in forms if not _disagrees(setting, piece, form, slope)]
    if not forms:
        raise Undecided(f"f' of {text(piece.expression)} over its output: symbols and numbers disagree")
    found = min(forms, key=sympy.count_ops)
    coefficient, factors = found.as_coeff_mul()
    for i, factor in enumerate(factors):  # (1 - y)*(1 + y) rather than -(y - 1)*(y + 1)
        if coefficient.is_negative and factor.is_Add and factor.subs(Y, 0).is_negative:
            return sympy.Mul(-coefficient, *factors[:i], -factor, *factors[i + 1 :])
    return found

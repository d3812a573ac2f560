"""The smoothness class of a formula, proven from one-sided limits at its breakpoints, with conditions on its parameters.

At each breakpoint the limits of f, f', f'', ... from both sides are taken symbolically until they differ. The first
difference bounds the class; where it vanishes for some parameters, those are solved for and the work goes on under
that condition. Between breakpoints a formula is analytic (`formula.pieces` cuts it where it isn't).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy
from sympy import And, Eq, Expr, Rational, S, Symbol, oo
from sympy.logic.boolalg import Boolean

from actfn.analysis.claims import Claim
from actfn.definition import Definition
from actfn.formula.derivative import smooth_derivative
from actfn.formula.functions import X, elementary
from actfn.formula.pieces import Bounds, Breakpoint, Case, Piece, Signs, Undecided, cases, may_equal, requirements
from actfn.formula.printers.text import TextPrinter

MAX_ORDER = 8
"""How many derivatives are compared at a breakpoint; pieces that agree further are reported as unknown."""

Order = int | float | None


@dataclass(frozen=True)
class Limits:
    """The one-sided limits of the derivative of one order at a breakpoint, and f itself there for order 0."""

    order: int
    left: Expr
    right: Expr
    value: Expr | None = None


@dataclass(frozen=True)
class BreakpointLimits:
    """What was found at one breakpoint: the pieces that meet there, their limits, and the class there."""

    location: Expr
    left: Piece
    right: Piece
    limits: tuple[Limits, ...]
    order: Order
    condition: Boolean = S.true
    singular: str = ""

    @property
    def jumps(self) -> dict[int, Expr]:
        """Order of the derivative -> right limit minus left limit, where they differ."""
        return {k.order: k.right - k.left for k in self.limits if k.right != k.left}


@dataclass(frozen=True)
class Smoothness:
    """The class C^order: -1 where f jumps or has no value, `math.inf` for C^infinity, None where unknown.

    `order` holds for every parameter in the domains (or at those given); `conditions` maps each condition under
    which the class is higher to the order there.
    """

    order: Order
    conditions: Mapping[Boolean, Order]
    breakpoints: tuple[BreakpointLimits, ...]
    claim: Claim


@dataclass
class _Finding:
    order: Order
    conditions: dict[Boolean, Order] = field(default_factory=dict)
    breakpoints: list[BreakpointLimits] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def smoothness(definition: Definition, **parameters: float) -> Smoothness:
    """The smoothness class of a formula for all its parameters, or at those given.

    Parameters count as the decimals they print as. Never raises for a formula that parses: what can't be decided has
    order None and status "unknown", and the certificate says where it stopped.
    Raises `ValueError` for a parameter that doesn't exist or lies outside its domain.
    """
    definition.values(parameters)
    fixed = {definition.symbols[name]: Rational(repr(float(value))) for name, value in parameters.items()}
    expression = definition.expression.xreplace(fixed)
    bounds = {
        definition.symbols[p.name]: p.bounds[:2]
        for p in definition.parameters
        if definition.symbols[p.name] not in fixed
    }
    defaults = {definition.symbols[p.name]: Rational(repr(float(p.default))) for p in definition.parameters}
    try:
        return _combined([(case, _of_case(case, bounds)) for case in cases(expression, bounds)], bounds, defaults)
    except Undecided as reason:
        return unknown(f"not decided: {reason}")


def unknown(reason: str) -> Smoothness:
    """A smoothness of which nothing is claimed, and why."""
    return Smoothness(None, {}, (), Claim(None, "unknown", (reason,)))


def class_name(order: Order) -> str:
    """`C^0`, `C^infinity`, `discontinuous` or `unknown`."""
    if order is None:
        return "unknown"
    return "discontinuous" if order == -1 else "C^infinity" if order == math.inf else f"C^{order}"


def condition_text(condition: Boolean) -> str:
    """A condition on the parameters, as `alpha = 1`."""
    if isinstance(condition, And):
        return " and ".join(sorted(condition_text(c) for c in condition.args))
    if isinstance(condition, Eq):
        return f"{_text(condition.lhs)} = {_text(condition.rhs)}"
    return _text(condition)


# -- one case -----------------------------------------------------------------------------------------------------------


def _of_case(case: Case, bounds: Bounds) -> _Finding:
    sign = Signs(case.signs, bounds)
    under = "" if case.condition == S.true else f"where {condition_text(case.condition)}: "
    finding = _Finding(math.inf)
    if len(case.pieces) == 1 and not case.pieces[0].undefined:
        return _Finding(
            math.inf, {}, [], [f"{under}{_text(case.pieces[0].expression)} is analytic on the whole line: C^infinity"]
        )
    undefined = next((p for p in case.pieces if p.undefined), None)
    if undefined:
        place = f"{_text(undefined.left)} < x < {_text(undefined.right)}"
        finding.lines.append(f"{under}for {place}: {undefined.undefined}; not a function on the whole line")
        finding.order = -1
    barriers: list[tuple[Order, list[Expr]]] = []
    for breakpoint, left, right in zip(case.breakpoints, case.pieces, case.pieces[1:], strict=False):
        at = _at(breakpoint, left, right, sign, case.condition)
        finding.breakpoints.append(at.found)
        finding.lines.extend(under + line for line in at.lines)
        barriers.append((at.found.order, at.vanishing))
    orders = [order for order, _ in barriers]
    if undefined:
        return finding
    if None in orders:
        least = min((o for o in orders if o is not None), default=None)
        finding.order = least if least == -1 else None
        return finding
    finding.order = min((o for o in orders if o is not None), default=math.inf)
    if finding.order != math.inf and all(v for o, v in barriers if o == finding.order):
        equations = [e for o, v in barriers if o == finding.order for e in v]
        for rule in _solutions(equations, bounds):
            inner = _substituted(case, rule, bounds)
            if inner is None:
                continue
            found = _of_case(inner, {k: v for k, v in bounds.items() if k not in rule})
            finding.lines.extend(found.lines)
            if found.order is None:
                raise Undecided(f"the class where {condition_text(inner.condition)}")
            if found.order > finding.order:
                finding.conditions[inner.condition] = found.order
                finding.conditions.update(found.conditions)
    return finding


@dataclass
class _At:
    found: BreakpointLimits
    vanishing: list[Expr]
    """What must vanish for the class to be higher; empty where it can't."""
    lines: list[str]


def _at(breakpoint: Breakpoint, left: Piece, right: Piece, sign: Signs, condition: Boolean) -> _At:
    place = breakpoint.location
    name = _text(place)
    lines = []
    limits: list[Limits] = []

    def ended(order: Order, vanishing: list[Expr]) -> _At:
        return _At(
            BreakpointLimits(place, left, right, tuple(limits), order, condition, breakpoint.singular), vanishing, lines
        )

    if breakpoint.at is None:
        lines.append(f"at x = {name}: {_text_of_singular(breakpoint)} has no value there: f is not continuous")
        return ended(-1, [])
    if left.undefined or right.undefined:
        lines.append(f"at x = {name}: {left.undefined or right.undefined} beside it")
        return ended(-1, [])
    value = breakpoint.at.subs(X, place)
    smooth = _analytic_at(left.expression, place, sign) and _analytic_at(right.expression, place, sign)
    if (
        smooth
        and _vanishes(left.expression - right.expression, sign)
        and _vanishes(left.expression.subs(X, place) - value, sign)
    ):
        return ended(math.inf, [])
    if breakpoint.singular:
        lines.append(f"at x = {name}: {_text_of_singular(breakpoint)} is not smooth")
    for k in range(MAX_ORDER + 1):
        a = _limit(left.expression, k, place, "-", sign)
        b = _limit(right.expression, k, place, "+", sign)
        limits.append(Limits(k, a, b, value if k == 0 else None))
        f = "f" + "'" * k if k < 4 else f"f^({k})"
        shown = f"at x = {name}: {f} has left limit {_text(a)}, right limit {_text(b)}"
        shown += f" and value {_text(value)}" if k == 0 else ""
        if not (_finite(a) and _finite(b)):
            lines.append(f"{shown}: not finite")
            return ended(k - 1, [])
        differences = [b - a, *([value - a] if k == 0 else [])]
        differences = [d for d in differences if not _vanishes(d, sign)]
        if not differences:
            lines.append(f"{shown}: equal")
            continue
        if any(_never_zero(d, sign) for d in differences):
            lines.append(f"{shown}: different")
            return ended(k - 1, [])
        equalities = " and ".join(f"{_text(sympy.factor(d))} = 0" for d in differences)
        lines.append(f"{shown}: equal if and only if {equalities}")
        return ended(k - 1, differences)
    lines.append(f"at x = {name}: the first {MAX_ORDER} derivatives agree; more were not compared")
    return ended(None, [])


def _text_of_singular(breakpoint: Breakpoint) -> str:
    return breakpoint.singular or "f"


def _analytic_at(expression: Expr, place: Expr, sign: Signs) -> bool:
    for _, u, strict in requirements(expression):
        s = sign.known(sympy.simplify(u.subs(X, place)))
        if s is None or s == 0 or (strict and s < 0):
            return False
    return True


def _limit(expression: Expr, order: int, place: Expr, side: str, sign: Signs) -> Expr:
    derivative = smooth_derivative(expression, order)
    if _analytic_at(expression, place, sign):
        return sympy.simplify(elementary(derivative.subs(X, place)))
    target = elementary(derivative).replace(
        lambda n: getattr(n, "elementary", None) is not None, lambda n: n.elementary()
    )
    target = target.subs({sympy.sign(X): 1 if side == "+" else -1}) if place.is_zero else target
    try:
        value = sympy.limit(target, X, place, side)
    except Exception as reason:  # SymPy raises many kinds; none of them says anything of the function
        raise Undecided(f"the limit of {_text(derivative)} at {_text(place)}{side} ({type(reason).__name__})") from None
    if value.has(sympy.Limit, sympy.AccumBounds, sympy.nan) or value.has(X):
        raise Undecided(f"the limit of {_text(derivative)} at {_text(place)}{side}")
    _check_limit(target, place, side, value)
    return value


def _check_limit(target: Expr, place: Expr, side: str, value: Expr) -> None:
    """Holds a symbolic limit against numbers near the place: a computer algebra system can be wrong."""
    symbols = sorted((target.free_symbols | place.free_symbols) - {X}, key=str)
    numbers = {s: Rational(3, 2) if not s.is_negative else Rational(-3, 2) for s in symbols}
    point = place.xreplace(numbers)
    step = Rational(1, 10**12) * (1 if side == "+" else -1)
    near = target.xreplace(numbers).subs(X, point + step).evalf(40)
    nearer = target.xreplace(numbers).subs(X, point + step / 10**6).evalf(40)
    expected = value.xreplace(numbers).evalf(40)
    if not (near.is_real and nearer.is_real):
        return
    if value.is_infinite:
        fits = abs(nearer) > abs(near)
    else:
        fits = abs(nearer - expected) <= Rational(1, 1000) * (1 + abs(expected)) or abs(nearer - expected) < abs(
            near - expected
        )
    if not fits:
        raise Undecided(f"the limit of {_text(target)} at {_text(place)}{side}: symbols and numbers disagree")


def _finite(value: Expr) -> bool:
    return not value.has(oo, -oo, sympy.zoo, sympy.nan)


def _vanishes(expression: Expr, sign: Signs) -> bool:
    expression = elementary(expression)
    return (
        expression.is_zero
        or sympy.simplify(expression).is_zero
        or (not expression.has(X) and sign.known(expression) == 0)
    )


def _never_zero(expression: Expr, sign: Signs) -> bool:
    numerator, _ = sympy.fraction(sympy.together(sympy.simplify(expression)))
    if numerator.is_zero is False:
        return True
    return sign.known(numerator) in (-1, 1)


# -- conditions ---------------------------------------------------------------------------------------------------------


def _solutions(equations: list[Expr], bounds: Bounds) -> list[dict[Symbol, Expr]]:
    """Every choice of parameters inside their domains that makes all the expressions vanish; `Undecided` if not sure of all."""
    numerators = [sympy.fraction(sympy.together(e))[0] for e in equations]
    symbols = sorted(set().union(*(n.free_symbols for n in numerators)), key=str)
    polynomial = all(n.is_polynomial(*symbols) for n in numerators)
    if polynomial:
        found = sympy.solve(numerators, symbols, dict=True)
    elif len(symbols) == 1:
        domain = sympy.Interval(*bounds.get(symbols[0], (-oo, oo)))
        each = [sympy.solveset(n, symbols[0], domain) for n in numerators]
        common = each[0].intersect(*each[1:]) if len(each) > 1 else each[0]
        if not isinstance(common, sympy.FiniteSet | type(S.EmptySet)):
            raise Undecided(f"for which {symbols[0]} {_text(numerators[0])} is zero")
        found = [{symbols[0]: v} for v in common]
    else:
        raise Undecided(f"for which parameters {_text(numerators[0])} is zero")
    return [rule for rule in found if all(may_equal(k, v, bounds) for k, v in rule.items())]


def _substituted(case: Case, rule: Mapping[Symbol, Expr], bounds: Bounds) -> Case | None:
    """The case with parameters put in, or None where its own conditions exclude them."""
    signs = {}
    for expression, s in case.signs.items():
        inner = expression.xreplace(rule)
        known = Signs({}, bounds).known(inner)
        if known is not None and known != s:
            return None
        if inner.free_symbols:
            signs[inner] = s
    pieces = tuple(
        Piece(p.left.xreplace(rule), p.right.xreplace(rule), p.expression.xreplace(rule), p.undefined)
        for p in case.pieces
    )
    places = tuple(
        Breakpoint(b.location.xreplace(rule), None if b.at is None else b.at.xreplace(rule), b.singular)
        for b in case.breakpoints
    )
    condition = And(case.condition.xreplace(rule), *(Eq(k, v) for k, v in rule.items()))
    if condition == S.false:
        return None
    return Case(condition, pieces, places, {**case.equal, **rule}, signs)


def _combined(found: list[tuple[Case, _Finding]], bounds: Bounds, defaults: Mapping[Symbol, Expr]) -> Smoothness:
    """One answer for all cases: the least order, and the conditions under which it is higher."""
    possible = []
    doubtful = []
    for case, finding in found:
        (possible if case.condition == S.true or _has_witness(case, bounds, defaults) else doubtful).append(
            (case, finding)
        )
    lines = tuple(dict.fromkeys(line for _, finding in possible + doubtful for line in finding.lines))
    places = tuple(b for _, finding in possible for b in finding.breakpoints)
    orders = [finding.order for _, finding in possible]
    known = [o for o in orders if o is not None]
    least = min(known, default=None)
    if least is None or (None in orders and least != -1):
        return Smoothness(None, {}, places, Claim(None, "unknown", lines))
    below = [c for c, f in doubtful if f.order is None or f.order < least]
    if below:
        note = f"it could not be decided whether {condition_text(below[0].condition)} is possible"
        return Smoothness(None, {}, places, Claim(None, "unknown", (*lines, note)))
    conditions: dict[Boolean, Order] = {}
    for case, finding in possible:
        if finding.order is not None and finding.order > least:
            conditions[case.condition] = finding.order
        conditions.update({c: o for c, o in finding.conditions.items() if o is not None and o > least})
    conditions = {c: o for c, o in conditions.items() if not _implied(c, o, conditions)}
    if len(possible) == 1 and not conditions:
        verdict = class_name(least)
    else:
        verdict = f"{class_name(least)} for every parameter"
        verdict += "".join(f"; {class_name(o)} if {condition_text(c)}" for c, o in conditions.items())
    return Smoothness(least, conditions, places, Claim(least, "proven", (*lines, verdict)))


def _implied(condition: Boolean, order: Order, conditions: Mapping[Boolean, Order]) -> bool:
    """Whether a weaker condition in the list says as much."""
    parts = set(And.make_args(condition))
    return any(
        set(And.make_args(c)) < parts and o is not None and order is not None and o >= order
        for c, o in conditions.items()
    )


_TRIALS = tuple(map(Rational, ("1", "0", "-1", "1/2", "2", "-1/2", "-2", "1/3", "3", "-3", "5", "1/10", "7/5", "-7/5")))


def _has_witness(case: Case, bounds: Bounds, defaults: Mapping[Symbol, Expr]) -> bool:
    """Whether some parameters satisfy the case's condition, found by trying."""
    symbols = sorted(case.condition.free_symbols, key=str)
    choices = [[defaults[s], *_TRIALS] if s in defaults else list(_TRIALS) for s in symbols]
    for values in itertools.islice(itertools.product(*choices), 4000):
        rule = dict(zip(symbols, values, strict=True))
        if all(may_equal(s, v, bounds) for s, v in rule.items()) and case.condition.subs(rule) == S.true:
            return True
    return False


def _text(expression: Expr | Boolean) -> str:
    return TextPrinter().expression(expression)

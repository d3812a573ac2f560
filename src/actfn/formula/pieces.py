"""Pieces and breakpoints: a formula with conditions as smooth expressions on intervals of the real line.

The ends of the intervals may depend on parameters, and so may their order. Where the sign of an expression in the
parameters decides and neither their domains nor what was assumed so far tell it, the work is split into three cases
(positive, zero, negative) and begun again in each; so every answer holds under a stated condition, and the cases
cover every parameter. What can't be decided raises `Undecided`: it is never guessed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sympy
from sympy import Abs, Eq, Expr, Ge, Gt, Le, Lt, Ne, Piecewise, Poly, Pow, Rational, S, Symbol, log, oo
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from actfn.formula.functions import X, cbrt, elementary, expm1, log1p, maximum, minimum

MAX_CASES = 48
MAX_BRANCHES = 64
MAX_DEGREE = 12

Bounds = Mapping[Symbol, tuple[float, float]]


class Undecided(Exception):
    """The pieces of a formula, or something of them, could not be decided. The text says what."""


@dataclass(frozen=True)
class Piece:
    """A smooth expression on the open interval (left, right); `undefined` says why it has no real value there, if so."""

    left: Expr
    right: Expr
    expression: Expr
    undefined: str = ""


@dataclass(frozen=True)
class Breakpoint:
    """Where two pieces meet, or where a piece isn't smooth.

    `at` is the expression that gives f there (`None` where f has no value); `singular` names what isn't smooth in a piece there.
    """

    location: Expr
    at: Expr | None
    singular: str = ""


@dataclass(frozen=True)
class Case:
    """The pieces under a condition on the parameters: n + 1 pieces and the n breakpoints between them, from left to right.

    `equal` holds the parameters that the condition fixes, already put into the pieces; `signs` what it says of others.
    """

    condition: Boolean
    pieces: tuple[Piece, ...]
    breakpoints: tuple[Breakpoint, ...]
    equal: Mapping[Symbol, Expr]
    signs: Mapping[Expr, int]


# -- conditions made explicit -------------------------------------------------------------------------------------------


def unfold(expression: Expr) -> Expr:
    """The expression with abs, sign, max and min as `Piecewise`, and no `Piecewise` inside a condition."""
    if not expression.args:
        return expression
    args = [unfold(a) for a in expression.args]
    if isinstance(expression, Relational):
        return _relation(expression.func, args[0], args[1])
    if isinstance(expression, Abs):
        return Piecewise((args[0], _relation(Ge, args[0], S.Zero)), (-args[0], True))
    if isinstance(expression, sympy.sign):
        positive, negative = _relation(Gt, args[0], S.Zero), _relation(Lt, args[0], S.Zero)
        return Piecewise((S.One, positive), (S.NegativeOne, negative), (S.Zero, True))
    if isinstance(expression, maximum):
        return Piecewise((args[0], _relation(Ge, args[0], args[1])), (args[1], True))
    if isinstance(expression, minimum):
        return Piecewise((args[0], _relation(Le, args[0], args[1])), (args[1], True))
    return expression.func(*args)


def _relation(kind: type, left: Expr, right: Expr) -> Boolean:
    if not (left.has(Piecewise) or right.has(Piecewise)):
        return kind(left, right)
    return Or(*(And(condition, kind(branch, 0)) for branch, condition in _branches(left - right)))


def _branches(expression: Expr) -> list[tuple[Expr, Boolean]]:
    """The expression's branches without `Piecewise`, each with the condition under which it holds."""
    found: list[tuple[Expr, Boolean]] = []
    pending: list[tuple[Expr, Boolean]] = [(expression, S.true)]
    while pending:
        current, known = pending.pop()
        inner = [p for p in current.atoms(Piecewise) if not any(q.has(Piecewise) for q, _ in p.args)]
        if not inner:
            found.append((current, known))
            continue
        before: Boolean = S.true
        for branch, condition in inner[0].args:
            holds = And(known, before, condition)
            before = And(before, Not(condition))
            if holds != S.false:
                pending.append((current.xreplace({inner[0]: branch}), holds))
        if len(found) + len(pending) > MAX_BRANCHES:
            raise Undecided(f"a condition has more than {MAX_BRANCHES} branches")
    return found


# -- signs of expressions in the parameters -----------------------------------------------------------------------------


class _Split(Exception):
    def __init__(self, expression: Expr):
        super().__init__(expression)
        self.expression = expression


class Signs:
    """The sign (-1, 0 or 1) of an expression in the parameters, from their domains and from what is assumed.

    Raises `_Split` where neither tells, which starts the work again with the expression's sign assumed.
    """

    def __init__(self, facts: Mapping[Expr, int], bounds: Bounds):
        self.facts = dict(facts)
        self.bounds = bounds

    def __call__(self, expression: Expr) -> int:
        known = self.known(expression)
        if known is None:
            raise _Split(self._undecided(sympy.factor(expression)))
        return known

    def _undecided(self, expression: Expr) -> Expr:
        """The part of a product or a power whose sign is missing, up to a positive factor."""
        if isinstance(expression, sympy.Mul):
            return self._undecided(next(a for a in expression.args if self.known(a) is None))
        if isinstance(expression, Pow) and self.known(expression.base) is None:
            return self._undecided(expression.base)
        return _normal(expression)[0]

    def known(self, expression: Expr) -> int | None:
        """The sign, or None."""
        if expression is oo or expression is -oo:
            return 1 if expression is oo else -1
        if expression.is_zero:
            return 0
        if expression.is_positive:
            return 1
        if expression.is_negative:
            return -1
        if not expression.free_symbols:
            return self._number(expression)
        expression = sympy.factor(expression)
        key, flip = _normal(expression)
        if key in self.facts:
            return flip * self.facts[key]
        if isinstance(expression, sympy.Mul):
            signs = [self.known(a) for a in expression.args]
            if 0 in signs:
                return 0
            if None in signs:
                return None
            return -1 if sum(s == -1 for s in signs) % 2 else 1
        if isinstance(expression, Pow) and expression.exp.is_integer:
            base = self.known(expression.base)
            return base if base is None or base >= 0 else (1 if expression.exp.is_even else -1)
        if isinstance(expression, Pow) and self.known(expression.base) == 1:
            return 1
        return self._by_bounds(expression)

    def _number(self, expression: Expr) -> int | None:
        value = expression.evalf(30, maxn=500)
        if not value.is_real or not value.is_comparable:
            zero = sympy.simplify(expression).is_zero
            return 0 if zero else None
        if abs(value) > sympy.Float("1e-20"):
            return 1 if value > 0 else -1
        return 0 if sympy.simplify(expression).is_zero else None

    def _by_bounds(self, expression: Expr) -> int | None:
        """A sum of bounded parameters, each at most linear, from the ends of their intervals."""
        low = high = S.Zero
        for term in sympy.Add.make_args(expression):
            coefficient, rest = term.as_coeff_Mul()
            if rest is S.One:
                low, high = low + coefficient, high + coefficient
                continue
            if rest not in self.bounds:
                return None
            ends = [coefficient * sympy.nsimplify(v) if abs(v) != float("inf") else coefficient * (oo if v > 0 else -oo)
                    for v in self.bounds[rest]]  # fmt: skip
            low, high = low + min(ends), high + max(ends)
        # an open end may be reached by a closed interval: only strict signs count
        return 1 if low.is_positive else -1 if high.is_negative else None


def _normal(expression: Expr) -> tuple[Expr, int]:
    """The expression up to a positive factor and its sign: (key, -1 where the sign was turned)."""
    _, primitive = expression.as_content_primitive()
    if primitive.could_extract_minus_sign():
        return -primitive, -1
    return primitive, 1


# -- zeros and signs along the line -------------------------------------------------------------------------------------


def zeros(g: Expr, sign: Signs) -> tuple[list[Expr], list[int]]:
    """The real zeros of g(x) in increasing order, and the sign of g on each of the intervals between them.

    Raises `Undecided` where they can't be found.
    """
    if not g.has(X):
        return [], [sign(g)]
    if g.is_extended_positive:
        return [], [1]
    if g.is_extended_negative:
        return [], [-1]
    g = sympy.factor_terms(elementary(g).replace(lambda n: isinstance(n, expm1 | log1p), lambda n: n.elementary()))
    if isinstance(g, sympy.Mul):
        return _product([zeros(a, sign) for a in g.args], sign)
    if isinstance(g, Pow) and g.exp.is_Integer and g.exp > 0:
        roots, signs = zeros(g.base, sign)
        return roots, [s ** int(g.exp) for s in signs]
    if g.is_polynomial(X):
        return _polynomial(Poly(g, X), sign)
    return _by_inverse(g, sign)


def _product(factors: Iterable[tuple[list[Expr], list[int]]], sign: Signs) -> tuple[list[Expr], list[int]]:
    factors = list(factors)
    roots = merged((r for f, _ in factors for r in f), sign)
    signs = []
    for i in range(len(roots) + 1):
        value = 1
        for f, s in factors:
            value *= s[_index(roots, i, f, sign)]
        signs.append(value)
    return roots, signs


def _index(roots: list[Expr], i: int, own: list[Expr], sign: Signs) -> int:
    """How many of `own` lie at or left of the left end of interval i of `roots`."""
    return 0 if i == 0 else sum(sign(r - roots[i - 1]) <= 0 for r in own)


def merged(roots: Iterable[Expr], sign: Signs) -> list[Expr]:
    """Distinct locations in increasing order."""
    ordered: list[Expr] = []
    for root in roots:
        for i, other in enumerate(ordered):
            order = sign(root - other)
            if order == 0:
                break
            if order < 0:
                ordered.insert(i, root)
                break
        else:
            ordered.append(root)
    return ordered


def _polynomial(p: Poly, sign: Signs) -> tuple[list[Expr], list[int]]:
    degree = p.degree()
    coefficients = p.all_coeffs()
    if degree == 1:
        a, b = coefficients
        s = sign(a)
        if s == 0:
            return zeros(b, sign)
        return [sympy.cancel(-b / a)], [-s, s]
    if all(c.is_Rational for c in coefficients):
        if degree > MAX_DEGREE:
            raise Undecided(f"the zeros of a polynomial of degree {degree}")
        roots = sorted(set(p.real_roots()), key=lambda r: r.evalf(30))
        points = _between(roots)
        return roots, [int(sympy.sign(p.eval(t))) for t in points]
    if degree == 2:
        a, b, c = coefficients
        s = sign(a)
        if s == 0:
            return zeros(b * X + c, sign)
        disc = sympy.factor(b**2 - 4 * a * c)
        d = sign(disc)
        if d < 0:
            return [], [s]
        if d == 0:
            return [sympy.cancel(-b / (2 * a))], [s, s]
        spread = sympy.sqrt(disc) / (2 * a)
        return [sympy.simplify(-b / (2 * a) - s * spread), sympy.simplify(-b / (2 * a) + s * spread)], [s, -s, s]
    raise Undecided(f"the zeros of {p.as_expr()}")


def _between(roots: list[Expr]) -> list[Rational]:
    """A rational point in each interval between real numbers."""
    if not roots:
        return [S.Zero]
    values = [Rational(str(r.evalf(40))) for r in roots]
    inner = [(a + b) / 2 for a, b in itertools.pairwise(values)]
    return [values[0] - 1, *inner, values[-1] + 1]


_ODD_INCREASING = (sympy.sinh, sympy.tanh, sympy.asinh, sympy.atan, sympy.erf, cbrt)


def _by_inverse(g: Expr, sign: Signs) -> tuple[list[Expr], list[int]]:
    """Zeros of a*F(u(x)) + b for an increasing F: those of u minus a constant."""
    constant, dependent = g.as_independent(X, as_Add=True)
    factor, outer = dependent.as_independent(X, as_Add=False)
    if isinstance(outer, sympy.exp):
        target = sympy.cancel(-constant / factor)
        s = sign(target)
        if s <= 0:
            return [], [sign(factor)]
        inner = outer.args[0] - log(target)
    elif isinstance(outer, sympy.log):
        inner = outer.args[0] - sympy.exp(-constant / factor)
    elif isinstance(outer, _ODD_INCREASING) and constant.is_zero:
        inner = outer.args[0]
    else:
        return _of_root(g, sign)
    roots, signs = zeros(inner, sign)
    s = sign(factor)
    return roots, [s * v for v in signs]


def _of_root(g: Expr, sign: Signs) -> tuple[list[Expr], list[int]]:
    """a*sqrt(p) + q for a positive p, where a^2*p and q^2 are never equal: no zeros, and the sign that it has at 0."""
    roots = [t for t in sympy.Add.make_args(g) if any(f.is_Pow and f.exp == S.Half for f in sympy.Mul.make_args(t))]
    if len(roots) == 1:
        p = next(f.base for f in sympy.Mul.make_args(roots[0]) if f.is_Pow and f.exp == S.Half)
        difference = sympy.expand(roots[0] ** 2 - (g - roots[0]) ** 2)
        if p.is_positive and difference.is_polynomial(X) and not zeros(difference, sign)[0]:
            return [], [sign(g.subs(X, 0))]
    raise Undecided(f"where {g} is zero")


# -- cases --------------------------------------------------------------------------------------------------------------


def cases(expression: Expr, bounds: Bounds | None = None) -> tuple[Case, ...]:
    """The pieces of a formula, case by case where the parameters decide; the cases exclude each other and cover all.

    `bounds` gives intervals of parameters beyond what their symbols assume. A case may be empty where the conditions
    contradict each other in a way that isn't seen here. Raises `Undecided`.
    """
    found: list[Case] = []
    pending: list[tuple[Expr, dict[Expr, int], dict[Symbol, Expr]]] = [(unfold(expression), {}, {})]
    while pending:
        current, facts, equal = pending.pop()
        try:
            case = _case(current, Signs(facts, bounds or {}), equal)
            if case.condition != S.false:
                found.append(case)
        except _Split as split:
            for s in (-1, 0, 1):
                pending.extend(_assuming(split.expression, s, current, facts, equal, bounds or {}))
        if len(found) + len(pending) > MAX_CASES:
            raise Undecided(f"the order of the breakpoints depends on the parameters in more than {MAX_CASES} ways")
    return tuple(found)


def _assuming(
    split: Expr, s: int, current: Expr, facts: dict[Expr, int], equal: dict[Symbol, Expr], bounds: Bounds
) -> Iterator[tuple[Expr, dict[Expr, int], dict[Symbol, Expr]]]:
    if s != 0:
        yield current, {**facts, split: s}, equal
        return
    for symbol in sorted(split.free_symbols, key=str):
        slope = sympy.diff(split, symbol)
        if slope.free_symbols or slope.is_zero:
            continue
        value = sympy.expand(symbol - split / slope)
        if not may_equal(symbol, value, bounds):
            return
        rule = {symbol: value}
        kept = {k.xreplace(rule): v for k, v in facts.items()}
        kept = {k: v for k, v in kept.items() if k.free_symbols}
        yield current.xreplace(rule), kept, {**{k: v.xreplace(rule) for k, v in equal.items()}, **rule}
        return
    yield current, {**facts, split: 0}, equal


def may_equal(symbol: Symbol, value: Expr, bounds: Bounds) -> bool:
    """Whether a parameter can take a value, by its symbol's assumptions and its bounds; True where that isn't known."""
    if (symbol.is_positive and value.is_nonpositive) or (symbol.is_negative and value.is_nonnegative):
        return False
    if (symbol.is_nonnegative and value.is_negative) or (symbol.is_nonpositive and value.is_positive):
        return False
    if (symbol.is_nonzero and value.is_zero) or value.is_real is False:
        return False
    low, high = bounds.get(symbol, (-float("inf"), float("inf")))
    return not (value.is_number and not low <= float(value) <= high)


def _case(expression: Expr, sign: Signs, equal: dict[Symbol, Expr]) -> Case:
    """The pieces, with every sign that is needed known; raises `_Split` for one that isn't."""
    fixed: dict[Relational, Boolean] = {}
    patterns: dict[Relational, tuple[list[Expr], list[int]]] = {}
    for relation in sorted(expression.atoms(Relational), key=sympy.default_sort_key):
        g = relation.lhs - relation.rhs
        if g.has(X):
            patterns[relation] = zeros(g, sign)
        else:
            fixed[relation] = _truth(relation, sign(g))
    expression = expression.xreplace(fixed)
    patterns = {r: p for r, p in patterns.items() if expression.has(r)}
    roots = merged((r for own, _ in patterns.values() for r in own), sign)
    ends = [-oo, *roots, oo]
    whole = []
    for i in range(len(roots) + 1):
        chosen = {r: _truth(r, s[_index(roots, i, own, sign)]) for r, (own, s) in patterns.items()}
        whole.append(_resolved(expression, chosen))
    at = []
    for i, root in enumerate(roots):
        chosen = {
            r: _truth(r, 0 if any(sign(o - root) == 0 for o in own) else s[_index(roots, i + 1, own, sign)])
            for r, (own, s) in patterns.items()
        }
        at.append(_resolved(expression, chosen))
    pieces: list[Piece] = []
    breakpoints: list[Breakpoint] = []
    for i, current in enumerate(whole):
        if i and not (whole[i - 1] == current and _same_at(current, at[i - 1], roots[i - 1])):
            breakpoints.append(Breakpoint(roots[i - 1], at[i - 1]))
            left = roots[i - 1]
        elif i:
            left = pieces.pop().left
        else:
            left = ends[0]
        pieces.append(Piece(left, ends[i + 1], current))
    return _with_singularities(pieces, breakpoints, sign, equal)


def _same_at(a: Expr, b: Expr, place: Expr) -> bool:
    return a == b or sympy.simplify((a - b).subs(X, place)).is_zero is True


def _resolved(expression: Expr, chosen: Mapping[Relational, Boolean]) -> Expr:
    result = expression.xreplace(chosen)
    if result.has(Piecewise):
        raise Undecided("a condition that doesn't resolve on an interval")
    return result


def _truth(relation: Relational, s: int) -> Boolean:
    """A relation's truth from the sign of its left side minus its right."""
    holds = {Gt: s > 0, Ge: s >= 0, Lt: s < 0, Le: s <= 0, Eq: s == 0, Ne: s != 0}[relation.func]
    return S.true if holds else S.false


# -- where a piece isn't smooth ----------------------------------------------------------------------------------------


def requirements(expression: Expr) -> list[tuple[Expr, Expr, bool]]:
    """What must hold for an expression to be analytic: (node, u, strict): u > 0 where strict, else u != 0."""
    found: dict[tuple[Expr, Expr], bool] = {}
    for node in sympy.postorder_traversal(expression):
        if isinstance(node, sympy.log):
            found[node, node.args[0]] = True
        elif isinstance(node, log1p):
            found[node, 1 + node.args[0]] = True
        elif isinstance(node, cbrt):
            found[node, node.args[0]] = False
        elif isinstance(node, sympy.tan):
            found[node, sympy.cos(node.args[0])] = False
        elif isinstance(node, sympy.asin | sympy.acos):
            found[node, 1 - node.args[0] ** 2] = True
        elif isinstance(node, Pow) and not isinstance(node, sympy.exp):
            if node.exp.is_integer and node.exp.is_negative:
                found[node, node.base] = False
            elif not (node.exp.is_integer and node.exp.is_nonnegative):
                found[node, node.base] = True
    return [(node, u, strict) for (node, u), strict in found.items() if u.has(X)] + [
        (node, u, strict) for (node, u), strict in found.items() if not u.has(X)
    ]


def _with_singularities(
    pieces: list[Piece], breakpoints: list[Breakpoint], sign: Signs, equal: dict[Symbol, Expr]
) -> Case:
    """Cuts each piece where something in it isn't smooth, and marks the parts where it has no real value."""
    cut: list[Piece] = []
    places: list[Breakpoint] = []
    for i, piece in enumerate(pieces):
        if i:
            places.append(breakpoints[i - 1])
        named: dict[Expr, str] = {}
        demands = []
        for node, u, strict in requirements(piece.expression):
            own, signs = _zeros_on(node, u, piece, sign)
            demands.append((node, own, signs, strict))
            for root in own:
                if _inside(root, piece, sign):
                    key = next((k for k in named if sign(k - root) == 0), root)
                    named[key] = named[key] + f", {node}" if key in named else f"{node}"
        inner = merged(named, sign)
        ends = [piece.left, *inner, piece.right]
        for j in range(len(inner) + 1):
            if j:
                root = inner[j - 1]
                undefined = any(
                    (not isinstance(node, cbrt)) and _is_pole_or_worse(node) and any(sign(o - root) == 0 for o in own)
                    for node, own, _, _ in demands
                )
                places.append(Breakpoint(root, None if undefined else piece.expression, named[root]))
            why = ""
            for node, own, signs, strict in demands:
                s = signs[sum(_left_of(o, ends[j], sign) for o in own)]
                if (strict and s <= 0) or (not isinstance(node, cbrt) and s == 0):
                    why = f"{node} has no real value"
            cut.append(Piece(ends[j], ends[j + 1], piece.expression, why))
    condition = And(*(Eq(k, v) for k, v in equal.items()), *(_as_relation(k, v) for k, v in sign.facts.items()))
    return Case(condition, tuple(cut), tuple(places), dict(equal), dict(sign.facts))


def _zeros_on(node: Expr, u: Expr, piece: Piece, sign: Signs) -> tuple[list[Expr], list[int]]:
    try:
        return zeros(u, sign)
    except Undecided:
        if isinstance(node, sympy.tan):
            return _a_pole_of_tan(node, u, piece, sign)
        raise


def _a_pole_of_tan(node: Expr, u: Expr, piece: Piece, sign: Signs) -> tuple[list[Expr], list[int]]:
    """One pole is enough to say that tan isn't continuous: the one nearest to zero where tan's argument is linear."""
    argument = node.args[0]
    if piece.left is -oo and piece.right is oo and argument.is_polynomial(X) and Poly(argument, X).degree() == 1:
        a, b = Poly(argument, X).all_coeffs()
        if sign(a) != 0:
            return [sympy.cancel((sympy.pi / 2 - b) / a)], [1, -1]
    raise Undecided(f"where {u} is zero")


def _is_pole_or_worse(node: Expr) -> bool:
    """Whether a node has no value where its requirement is exactly zero."""
    if isinstance(node, Pow):
        return not node.exp.is_positive
    return isinstance(node, sympy.log | log1p | sympy.tan)


def _inside(root: Expr, piece: Piece, sign: Signs) -> bool:
    left = piece.left is -oo or sign(root - piece.left) > 0
    return left and (piece.right is oo or sign(piece.right - root) > 0)


def _left_of(root: Expr, end: Expr, sign: Signs) -> bool:
    return end is not -oo and sign(root - end) <= 0


def _as_relation(expression: Expr, s: int) -> Boolean:
    return Gt(expression, 0) if s > 0 else Lt(expression, 0) if s < 0 else Eq(expression, 0)

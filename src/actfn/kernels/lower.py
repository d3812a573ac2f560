"""Lowering: a formula as a stable, guarded program of scalar steps, from which every target is printed.

Three passes, each of which keeps the mathematical value. `stable` finds the forms that don't cancel or overflow
(`expm1`, `log1p`, `sigmoid`, `softplus`, `tanh`, `erfc`); `guards.py` keeps a branch from ever seeing an x outside its
region, so that neither its value nor its gradient can turn into NaN there; `share` names subexpressions used twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Add, Expr, Mul, Piecewise, Pow, Rational, S, Symbol
from sympy.logic.boolalg import Boolean, BooleanAtom

from actfn.definition import Definition
from actfn.formula.derivative import derivative
from actfn.formula.functions import X, erfc, expm1, log1p, sigmoid, softplus
from actfn.kernels.guards import Guards, fresh, keep_nan
from actfn.kernels.rewrites import (
    common_tails,
    factored,
    one_exponential,
    one_fraction,
    without_asinh,
    without_cancelling_atan,
    without_cancelling_tanh,
    without_double_zeros,
)
from actfn.kernels.roots import with_roots
from actfn.kernels.tails import BEYOND_FLOAT32, far_ends, finite_ends, with_nan, with_tails


@dataclass(frozen=True)
class Program:
    """Steps in order, each a name for an expression over x, parameters and earlier names; then the results."""

    arguments: tuple[str, ...]
    assignments: tuple[tuple[Symbol, Expr], ...]
    results: tuple[Expr, ...]

    @property
    def result(self) -> Expr:
        """The only result."""
        (result,) = self.results
        return result


def program(definition: Definition, order: int = 0, by: Sequence[str] = ()) -> Program:
    """The program of a definition's derivative of an order (0: the function), with its conventions.

    `by` names parameters to differentiate by as well: `program(elu, 1, ("alpha",))` is d^2 f/(dx dalpha).
    """
    return combined(definition, order, by, (X.name,), [(S.One, 0)])


def combined(
    definition: Definition,
    order: int,
    by: Sequence[str],
    arrays: Sequence[str],
    factors: Sequence[tuple[Expr, int]],
    largest: float | None = None,
    beside_roots: bool = False,
    wide: bool = False,
) -> Program:
    """One program with a result for each (factor, k): the factor times the derivative of order `order + k`.

    `arrays` are the names that come before the parameters among the arguments: x, and what the factors hold. Given the
    `largest` number of a dtype, the program is for a kernel: it keeps tanh(softplus(u)), which a primitive computes, and
    takes the largest number for infinity where infinity times 0 would hide a limit. With `beside_roots`, it is one for
    float32 arithmetic; with `wide`, for float64 arithmetic whose results are rounded to float32 or less.
    """
    symbols = [definition.symbols[name] for name in by]
    defaults = {p.symbol: Rational(repr(float(p.default))) for p in definition.parameters}
    arguments = (*arrays, *definition.defaults)
    form = stable(definition.expression)
    guards = Guards(defaults, arguments)
    results = []
    for factor, k in factors:
        expression = derivative(form, order + k, definition.conventions, symbols)
        if order + k or symbols:
            expression = one_fraction(expression)
        expression = without_cancelling_tanh(one_exponential(stable(expression)), wide)
        expression = without_asinh(without_cancelling_atan(expression) if largest is not None else expression)
        if largest is None or not _only_gates(expression):
            expression = in_sigmoids(expression, both=largest is not None)
        if largest is not None:
            expression = factored(common_tails(without_double_zeros(expression)))
        if largest is not None and largest > BEYOND_FLOAT32:
            expression = with_tails(expression, defaults, far_ends(expression, largest, defaults))
        if largest is not None:
            expression = finite_ends(expression, largest, defaults)
        visited = guards.visit(keep_nan(expression), X)
        if largest is not None or visited.has(Piecewise):  # in a program to read, a constant is one
            visited = with_nan(visited, dict(guards.assignments))
        results.append(factor * (with_roots(visited) if beside_roots else visited))
    return share(arguments, results, guards.assignments)


def of_output(definition: Definition, slope: Expr, y: Symbol, factor: Expr) -> Program:
    """The program of `factor` times a slope that is given over the output y; the arguments are y, the factor, the parameters."""
    arguments = (y.name, str(factor), *definition.defaults)
    return share(arguments, [factor * slope])


# -- stable forms -------------------------------------------------------------------------------------------------------


def stable(expression: Expr) -> Expr:
    """The same function in forms that neither cancel nor overflow, as far as rewriting finds them."""
    for _ in range(8):
        rewritten = _rewrite(expression)
        if rewritten == expression:
            break
        expression = rewritten
    return expression


def in_sigmoids(expression: Expr, both: bool = False) -> Expr:
    """tanh and sigmoid of a softplus as quotients of sigmoids: one exponential in place of three, and nothing cancels.

    With s = sigmoid(u) and m = s*(2 - s), tanh(softplus(u)) = m/(2 - m); with q = sigmoid(-u), which kernels have for
    nothing (`both`), it is s*(1 + q)/(1 + q^2), sigmoid(2*softplus(u)) = 1/(1 + q^2) and
    sigmoid(-2*softplus(u)) = q^2/(1 + q^2).
    """

    def of_tanh(u: Expr) -> Expr:
        if not isinstance(u, softplus):
            return sympy.tanh(u)
        if both:
            q = sigmoid(-u.args[0])
            return sigmoid(u.args[0]) * (1 + q) / (1 + q**2)
        m = sigmoid(u.args[0]) * (2 - sigmoid(u.args[0]))
        return m / (2 - m)

    def of_sigmoid(u: Expr) -> Expr:
        coefficient, inner = u.as_coeff_Mul()
        if not isinstance(inner, softplus) or abs(coefficient) != 2:
            return sigmoid(u)
        q = sigmoid(-inner.args[0])
        return (1 if coefficient > 0 else q**2) / (1 + q**2)

    return expression.replace(sympy.tanh, of_tanh).replace(sigmoid, of_sigmoid)


def _only_gates(expression: Expr) -> bool:
    """Whether nothing beside tanh(softplus(u)) would share its exponential."""
    rest = expression.replace(lambda n: isinstance(n, sympy.tanh) and isinstance(n.args[0], softplus), lambda n: S.One)
    return not rest.has(sigmoid, softplus)


def _rewrite(expression: Expr) -> Expr:
    if not expression.args:
        return expression
    args = [_rewrite(a) for a in expression.args]
    node = expression.func(*args) if tuple(args) != expression.args else expression
    if isinstance(node, sympy.erfc):
        return erfc(node.args[0])
    if isinstance(node, Add):
        return _sum(node)
    if isinstance(node, Mul):
        return _product(node)
    if isinstance(node, Pow):
        return _power(node)
    if isinstance(node, sympy.log):
        return _logarithm(node)
    if isinstance(node, log1p) and isinstance(node.args[0], sympy.exp):
        return softplus(node.args[0].args[0])
    return node


def _sum(node: Add) -> Expr:
    """c*exp(u) - c -> c*expm1(u), and its like for sigmoid, tanh and erf, where a constant cancels a limit."""
    terms = list(node.args)
    for i, term in enumerate(terms):
        factor, function = _split(term)
        if function is None:
            continue
        u = function.args[0]
        for constant, result in _cancellations(function, factor, u):
            if constant in terms:
                rest = terms[:i] + terms[i + 1 :]
                rest.remove(constant)
                return Add(*rest, result)
        if isinstance(function, sympy.exp):  # exp(u) - exp(-u) and exp(u) + exp(-u)
            other = sympy.exp(-u)
            for sign, hyperbolic in ((-1, sympy.sinh), (1, sympy.cosh)):
                if sign * factor * other in terms and not u.could_extract_minus_sign():
                    rest = [t for t in terms if t not in (term, sign * factor * other)]
                    return Add(*rest, 2 * factor * hyperbolic(u))
    return _difference_of_sigmoids(terms) or _square_of_tanh(terms) or node


def _square_of_tanh(terms: Sequence[Expr]) -> Expr | None:
    """c - 4*c*sigmoid(u)*sigmoid(-u) -> c*tanh(u/2)^2."""
    for i, term in enumerate(terms):
        gates = [f for f in Mul.make_args(term) if isinstance(f, sigmoid)]
        if len(gates) == 2 and gates[0].args[0] == -gates[1].args[0]:
            c = -term / (4 * gates[0] * gates[1])
            u = max((g.args[0] for g in gates), key=lambda a: not a.could_extract_minus_sign())
            if c in terms:
                rest = [t for j, t in enumerate(terms) if j != i]
                rest.remove(c)
                return Add(*rest, c * sympy.tanh(u / 2) ** 2)
    return None


def _split(term: Expr) -> tuple[Expr, Expr | None]:
    """(factor, function) of a term that is a factor times one of the functions with a finite limit."""
    factors = Mul.make_args(term)
    functions = [f for f in factors if isinstance(f, sympy.exp | sigmoid | sympy.tanh | sympy.erf | erfc)]
    if len(functions) != 1:
        return term, None
    return Mul(*(f for f in factors if f is not functions[0])), functions[0]


def _cancellations(function: Expr, c: Expr, u: Expr) -> list[tuple[Expr, Expr]]:
    """(constant term, the sum of it and c*function(u)) pairs that have a stable form."""
    if isinstance(function, sympy.exp):
        return [(-c, c * expm1(u))]
    if isinstance(function, sigmoid):
        return [(-c, -c * sigmoid(-u)), (-c / 2, c / 2 * sympy.tanh(u / 2))]
    if isinstance(function, sympy.tanh):
        return [(c, 2 * c * sigmoid(2 * u)), (-c, -2 * c * sigmoid(-2 * u))]
    if isinstance(function, erfc):
        return [(-2 * c, -c * erfc(-u))]
    return [(c, c * erfc(-u)), (-c, -c * erfc(u))]


def _difference_of_sigmoids(terms: Sequence[Expr]) -> Expr | None:
    """p*sigmoid(u) - p*sigmoid(-u) -> p*tanh(u/2), the form of a second derivative that doesn't cancel at u = 0."""
    for i, p in enumerate(terms):
        for j, q in enumerate(terms):
            if i == j:
                continue
            ratio = p / q
            for s in ratio.atoms(sigmoid):
                u = s.args[0]
                if ratio == -s / sigmoid(-u):
                    rest = [t for k, t in enumerate(terms) if k not in (i, j)]
                    return Add(*rest, p / s * sympy.tanh(u / 2))
    return None


def _product(node: Mul) -> Expr:
    """exp(-u)*sigmoid(u) -> sigmoid(-u); expm1(u)*sigmoid(-u) -> tanh(u/2); sinh(u)/cosh(u) -> tanh(u).

    A number in front of a choice goes into its branches, where it meets other constants; one in all branches comes out to
    meet a parameter in front.
    """
    factors = list(node.args)
    choice = next((f for f in factors if isinstance(f, Piecewise)), None)
    if choice is not None and len(factors) > 1 and not Mul(*(f for f in factors if f is not choice)).has(X):
        common = {e.as_coeff_Mul()[0] for e, _ in choice.args} - {S.Zero}
        if len(common) == 1 and common != {S.One} and not all(f.is_number for f in factors if f is not choice):
            (number,) = common  # 2*scale is one number, 2*x may be infinite where scale*2*x isn't
            rest = Piecewise(*((e / number, c) for e, c in choice.args))
            return Mul(number, rest, *(f for f in factors if f is not choice))
    if len(factors) == 2 and factors[0].is_number and isinstance(factors[1], Piecewise):
        return Piecewise(*((_rewrite(sympy.expand_mul(factors[0] * e)), c) for e, c in factors[1].args))
    for i, a in enumerate(factors):
        for j, b in enumerate(factors):
            if i == j:
                continue
            rest = Mul(*(f for k, f in enumerate(factors) if k not in (i, j)))
            base, power = b.as_base_exp()
            if isinstance(base, sigmoid) and power.is_Integer and power >= 1:
                u = base.args[0]
                if isinstance(a, sympy.exp):
                    ratio = sympy.cancel(-a.args[0] / u)
                    if ratio.is_Integer and 1 <= ratio <= power:
                        return rest * sigmoid(-u) ** ratio * sigmoid(u) ** (power - ratio)
                if isinstance(a, expm1) and a.args[0] == -u:
                    return rest * sympy.tanh(-u / 2) * base ** (power - 1)
            if isinstance(a, sympy.sinh) and isinstance(base, sympy.cosh) and power == -1 and a.args == base.args:
                return rest * sympy.tanh(a.args[0])
    return node


def _power(node: Pow) -> Expr:
    """1/(1 + exp(u)) -> sigmoid(-u)."""
    if not (node.exp.is_Integer and node.exp < 0 and isinstance(node.base, Add)):
        return node
    terms = node.base.args
    if len(terms) == 2:
        for constant, other in (terms, terms[::-1]):
            ratio = other / constant
            if not constant.has(X) and isinstance(ratio, sympy.exp):
                return constant**node.exp * sigmoid(-ratio.args[0]) ** (-node.exp)
    return node


def _logarithm(node: sympy.log) -> Expr:
    """log(1 + exp(u)) -> softplus(u); log(1 + u) -> log1p(u)."""
    argument = node.args[0]
    if isinstance(argument, Add) and S.One in argument.args:
        rest = argument - 1
        return softplus(rest.args[0]) if isinstance(rest, sympy.exp) else log1p(rest)
    return node


# -- shared subexpressions ----------------------------------------------------------------------------------------------


def share(arguments: Sequence[str], results: Sequence[Expr], first: Sequence[tuple[Symbol, Expr]] = ()) -> Program:
    """Names each subexpression that is used more than once; `first` are assignments that the results rely on."""
    uses: dict[Expr, int] = {}
    seen: set[Expr] = set()
    taken = {*arguments, *(s.name for s, _ in first)}
    pending = [*results, *(e for _, e in first)]
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        for child in node.args:
            uses[child] = uses.get(child, 0) + 1
            pending.append(child)
    names: dict[Expr, Symbol] = {}
    assignments: list[tuple[Symbol, Expr]] = []

    def emit(node: Expr) -> Expr:
        if node in names:
            return names[node]
        if not node.args:
            return node
        args = [emit(a) for a in node.args]
        rebuilt = node.func(*args) if any(a is not b for a, b in zip(args, node.args, strict=True)) else node
        if uses.get(node, 0) > 1 and _worth_a_name(node):
            symbol = fresh("t", taken)
            assignments.append((symbol, rebuilt))
            names[node] = symbol
            return symbol
        return rebuilt

    for symbol, value in first:
        assignments.append((symbol, emit(value)))
    final = tuple(emit(r) for r in results)
    return Program(tuple(arguments), tuple(assignments), final)


def _worth_a_name(node: Expr) -> bool:
    """Whether evaluating a node twice costs something: a function, a root, a division, a choice. Products are cheap."""
    if (
        isinstance(node, Pow)
        and node.exp == -1
        and node.base.is_Symbol
        and node.base.name not in ("x", "_g", "_gg", "_y")
    ):
        return False  # dividing by a parameter rounds once
    if isinstance(node, Boolean | BooleanAtom | sympy.functions.elementary.piecewise.ExprCondPair) or node.is_number:
        return False
    return any(
        isinstance(n, sympy.Function) or (isinstance(n, Pow) and not (n.exp.is_Integer and n.exp > 0))
        for n in sympy.preorder_traversal(node)
    )

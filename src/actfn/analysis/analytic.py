"""A smooth piece of a formula as a function of a complex ball, as Arb's rigorous integration wants it.

The expression is laid out once as a list of steps; what doesn't depend on x is computed then. Each step keeps to the
branch that is real on the piece, and where the integration asks for an analytic value on a ball that reaches a branch
cut or point, the value is not finite, so that the integration goes on with smaller balls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy
from flint import acb, arb, fmpq
from sympy import CRootOf, Expr, Rational, S, Symbol

from actfn.formula.functions import X, cbrt, erfc, expm1, log1p, sigmoid, softplus
from actfn.formula.pieces import Undecided

Analytic = Callable[[acb, bool], acb]

_NAN = acb(arb.nan())


def analytic(expression: Expr, given: Mapping[Symbol, arb]) -> Analytic:
    """`value(x, analytic)` of an expression without conditions, for parameters inside balls.

    The working precision is the one at the time of the call, here and then. Raises `Undecided` for a node that has no
    analytic continuation here (a condition, abs, max).
    """
    known: dict[Expr, int] = {X: 0}
    constants: dict[int, acb] = {}
    steps: list[tuple[Callable[..., acb], tuple[int, ...]]] = []
    values: list[Any] = [None]

    def place(node: Expr) -> int:
        if node in known:
            return known[node]
        if isinstance(node, sympy.Pow) and isinstance(node.base, sigmoid) and not node.exp.is_Integer:
            known[node] = place(sympy.exp(-node.exp * softplus(-node.base.args[0])))  # the power's cut is out of reach
            return known[node]
        operands: tuple[int, ...] = ()
        constant = _constant(node, given)
        if constant is None:
            kind = sympy.exp if isinstance(node, sympy.exp) else node.func
            if kind not in _OPERATIONS:
                raise Undecided(f"{node} isn't analytic here")
            operands = tuple(place(a) for a in node.args)
            if all(i in constants for i in operands):
                constant = _OPERATIONS[kind](False, *(constants[i] for i in operands))
            else:
                steps.append((_OPERATIONS[kind], (len(values), *operands)))
        if constant is not None:
            constants[len(values)] = constant
        values.append(constant)
        known[node] = len(values) - 1
        return known[node]

    result = place(expression)

    def value(x: acb, analytic: bool) -> acb:
        run = values.copy()
        run[0] = x
        for operation, (target, *operands) in steps:
            run[target] = operation(analytic, *[run[i] for i in operands])
        return run[result]

    return value


def number(expression: Expr, given: Mapping[Symbol, arb]) -> arb:
    """The ball of an expression without x."""
    return analytic(expression, given)(acb(0), False).real


def _constant(node: Expr, given: Mapping[Symbol, arb]) -> acb | None:
    if isinstance(node, Symbol):
        return acb(given[node])
    if isinstance(node, Rational):
        return acb(fmpq(int(node.p), int(node.q)))
    if isinstance(node, CRootOf):
        near = node.eval_rational(Rational(1, 10**60))
        return acb(arb(fmpq(int(near.p), int(near.q)), arb((1, -199))))
    if node is S.Pi:
        return acb(arb.pi())
    return acb(arb.const_e()) if node is S.Exp1 else None


# -- operations: (whether the value must be analytic, operands) -------------------------------------------------------


def _sum(_: bool, *terms: acb) -> acb:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _product(_: bool, *factors: acb) -> acb:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def _power(strict: bool, base: acb, exponent: acb) -> acb:
    """base**exponent; where the exponent isn't whole, base is at least 0 on the piece."""
    whole = exponent.unique_fmpz() if exponent.is_exact() else None
    if whole is not None and exponent.imag.is_zero():
        return base**whole
    if not strict and base.real.contains(0) and exponent.real > 0:
        top = base.abs_upper()
        return acb(arb(0, (top**exponent.real).abs_upper())) if top > 0 else acb(0)
    if exponent.real == arb(0.5):
        return base.sqrt(analytic=strict)
    return base.pow(exponent, analytic=strict)


def _cbrt(strict: bool, u: acb) -> acb:
    third = acb(1) / 3
    if u.real > 0:
        return u.pow(third)
    if u.real < 0:
        return -((-u).pow(third))
    return _NAN if strict else acb(arb(0, u.abs_upper().root(3).abs_upper()))


def _off_the_left(u: acb) -> bool:
    """Whether a ball is clear of the negative half of the real line, and of 0."""
    return bool(u.real > 0) or not u.imag.contains(0)


def _off_the_ends(u: acb) -> bool:
    """Whether a ball is clear of the real line outside (-1, 1)."""
    return bool(abs(u.real) < 1) or not u.imag.contains(0)


def _log1p(strict: bool, u: acb) -> acb:
    return u.log1p() if not strict or _off_the_left(1 + u) else _NAN


def _sigmoid(_: bool, u: acb) -> acb:
    if u.real > 0:
        return 1 / (1 + (-u).exp())
    decay = u.exp()
    return decay / (1 + decay)


def _softplus(strict: bool, u: acb) -> acb:
    return u + _log1p(strict, (-u).exp()) if u.real > 0 else _log1p(strict, u.exp())


def _asinh(strict: bool, u: acb) -> acb:
    if not u.real.contains(0):  # Arb's own is wide on wide balls
        size = u if u.real > 0 else -u
        value = (size + (size * size + 1).sqrt(analytic=strict)).log(analytic=strict)
        return value if u.real > 0 else -value
    return u.asinh() if not strict or _off_the_ends(u * acb(0, 1)) else _NAN


def _cut(function: Callable[[acb], acb], clear: Callable[[acb], bool]) -> Callable[[bool, acb], acb]:
    return lambda strict, u: function(u) if not strict or clear(u) else _NAN


def _free(function: Callable[[acb], acb]) -> Callable[[bool, acb], acb]:
    """For a function without branch cuts: at a pole the value isn't finite by itself."""
    return lambda _, u: function(u)


_OPERATIONS: dict[Any, Callable[..., acb]] = {
    sympy.Add: _sum,
    sympy.Mul: _product,
    sympy.Pow: _power,
    sympy.exp: _free(acb.exp),
    sympy.log: lambda strict, u: u.log(analytic=strict),
    sympy.sin: _free(acb.sin),
    sympy.cos: _free(acb.cos),
    sympy.tan: _free(acb.tan),
    sympy.asin: _cut(acb.asin, _off_the_ends),
    sympy.acos: _cut(acb.acos, _off_the_ends),
    sympy.atan: _cut(acb.atan, lambda u: _off_the_ends(u * acb(0, 1))),
    sympy.sinh: _free(acb.sinh),
    sympy.cosh: _free(acb.cosh),
    sympy.tanh: _free(acb.tanh),
    sympy.asinh: _asinh,
    sympy.erf: _free(acb.erf),
    sympy.erfc: _free(acb.erfc),
    erfc: _free(acb.erfc),
    expm1: _free(acb.expm1),
    log1p: _log1p,
    sigmoid: _sigmoid,
    softplus: _softplus,
    cbrt: _cbrt,
}

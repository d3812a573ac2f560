"""Which arithmetic a program needs: whether float32 keeps a few ulps, at the default parameters.

Leans on what the Numba printer gives a primitive in two numbers (`argument_parts`) and on where sums cancel (`roots`). The
idea: each operation alone either keeps the relative error of what goes into it small, or the program takes float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Add, Expr, Mul, Piecewise, Pow, Rational, Symbol

from actfn.definition import Definition
from actfn.formula.functions import X, cbrt, erfc, expm1, log1p, maximum, minimum, sigmoid, softplus
from actfn.formula.printers.factors import TWO_PART, argument_parts, is_power_of_two
from actfn.kernels.lower import Program
from actfn.kernels.roots import cancels, exceeds_float32, is_beside_roots, is_line

_AMPLIFYING = (*TWO_PART, expm1, sympy.sinh, sympy.cosh, sympy.sin, sympy.cos, sympy.tan, sympy.log, log1p)
_KEEPING = (sympy.tanh, sympy.erf, sympy.atan, sympy.asinh, cbrt, sympy.Abs, sympy.sign, maximum, minimum)


@lru_cache(maxsize=64)  # `build` asks for the program, and again for its arithmetic
def float32_suffices(definition: Definition, steps: Program) -> bool:
    """Whether float32 arithmetic keeps a few ulps, at the default parameters; float64 is needed where errors grow.

    They grow where terms of a sum may cancel, and where a function that amplifies its argument's relative error (exp by
    |u|, erfc by 2u^2) gets an argument that was rounded. A product of x and a power of two is exact, and the rounding of
    some products is passed along to the primitive (`argument_parts`).
    """
    defaults = {p.symbol: Rational(repr(float(p.default))) for p in definition.parameters}
    depends, exact = {X}, {X}
    for symbol, expression in steps.assignments:
        if expression.free_symbols & depends:
            depends.add(symbol)
        if _is_exact(expression.xreplace(defaults), exact):
            exact.add(symbol)
    parameters = {p.symbol for p in definition.parameters}
    meanings: dict[Expr, Expr] = dict(defaults)
    for symbol, expression in steps.assignments:
        meanings[symbol] = expression.xreplace(meanings)
    nodes = (n for e in (*(e for _, e in steps.assignments), *steps.results) for n in _operations(e))
    return all(_keeps(n, depends, exact | parameters, defaults, meanings) for n in nodes)


def _operations(expression: Any) -> Iterator[Any]:
    """An expression and all its parts, but for a sum with polynomials beside its roots, and those."""
    yield expression
    parts = expression.args[-1][0].args if is_beside_roots(expression) else expression.args
    for part in parts:
        yield from _operations(part)


def _keeps(
    node: Any,
    depends: set[Symbol],
    exact: set[Symbol],
    defaults: Mapping[Symbol, Expr],
    meanings: Mapping[Expr, Expr],
) -> bool:
    """Whether one operation of a program keeps the relative error of what goes into it small."""
    inner = [a for a in node.args if isinstance(a, Expr) and a.free_symbols & depends]
    if not inner:
        return True
    if (
        isinstance(node, Mul)
        and any(isinstance(meanings.get(a, a), TWO_PART) for a in inner)
        and _growth([a.xreplace(meanings) for a in inner]) > 1
    ):
        return False  # one factor is fused with what may underflow, the next one isn't
    if isinstance(node, Mul) and any(_is_exact(a, exact & depends) for a in inner):
        return not any(map(_underflows, inner))
    if isinstance(node, Add):
        if len(inner) == 1 and _is_exact(inner[0].xreplace(defaults), exact):
            return True
        signs = {_sign(a.xreplace(defaults)) for a in node.args}
        return (len(signs) == 1 and 0 not in signs) or is_line(node) or not cancels(node, meanings)
    if isinstance(node, Pow) and not isinstance(node, sympy.exp):
        overflows = node.exp.is_negative and any(p.exp > 1 for p in node.base.atoms(Pow) if p.free_symbols & depends)
        overflows = overflows or (node.exp.is_negative and exceeds_float32(node.base**-node.exp, meanings))
        exponent = sympy.sympify(node.exp)
        return bool(exponent.is_Integer and -3 <= exponent <= 3) and not overflows
    if isinstance(node, expm1) and inner[0].is_nonpositive:
        return True
    if isinstance(node, sympy.tanh | sympy.erf | sympy.atan | sympy.asinh):  # x/50 loses what 50*tanh(x/50) needs
        factor = inner[0].xreplace(defaults).as_coeff_Mul()[0]
        return abs(factor) >= Rational(1, 4)
    if isinstance(node, _AMPLIFYING) and not _is_exact(inner[0].xreplace(defaults), exact):
        return isinstance(node, TWO_PART) and argument_parts(inner[0])[0] is not None and inner[0].free_symbols <= exact
    return not isinstance(node, sympy.Function) or isinstance(node, (*_AMPLIFYING, *_KEEPING, Piecewise))


def _is_exact(expression: Expr, exact: set[Symbol]) -> bool:
    """Whether an expression in x is evaluated without rounding: x, -x, |x|, x times a power of two, a choice of these."""
    if isinstance(expression, Piecewise):
        return all(e.is_number or _is_exact(e, exact) for e, _ in expression.args)
    if isinstance(expression, sympy.Abs):
        return _is_exact(expression.args[0], exact)
    if isinstance(expression, maximum | minimum):
        return all(a.is_number or _is_exact(a, exact) for a in expression.args)
    coefficient, rest = expression.as_coeff_Mul()
    if coefficient != 1 and coefficient.is_Rational and is_power_of_two(abs(coefficient)):
        return _is_exact(rest, exact)
    return expression in exact


def _growth(factors: Sequence[Expr]) -> int:
    """How many of the factors, with their powers, have no bound."""
    bounded = (*TWO_PART, sympy.tanh, sympy.erf, sympy.atan, sympy.sin, sympy.cos, sympy.sign)
    powers = (a.as_base_exp() for a in factors if not isinstance(a, bounded))
    return sum(
        int(e) if e.is_Integer and e > 0 else 1
        for base, e in powers
        if not (isinstance(base, bounded) or (e.is_negative and _stays_away_from_0(base)))
    )


def _stays_away_from_0(base: Expr) -> bool:
    """Whether a base is a positive number and more."""
    number, rest = base.as_coeff_Add()
    return bool(number.is_positive) and all(_sign(t) == 1 for t in Add.make_args(rest))


def _underflows(factor: Expr) -> bool:
    """Whether a factor may be a subnormal number at an x that makes the product a normal one, and isn't fused with x."""
    if not isinstance(factor, sympy.tanh | sympy.erf | expm1 | sympy.atan | log1p | sympy.asinh):
        return False
    (argument,) = factor.args
    return argument.has(*TWO_PART) and not (
        isinstance(factor, sympy.tanh | sympy.erf) and isinstance(argument, softplus)
    )


def _sign(expression: Expr) -> int:
    """1 where an expression is nowhere negative, -1 where it is nowhere positive, 0 where neither is seen."""
    if expression.is_nonnegative:
        return 1
    if expression.is_nonpositive:
        return -1
    if isinstance(expression, sigmoid | softplus | erfc | sympy.exp | sympy.erfc | sympy.cosh):
        return 1
    if isinstance(expression, expm1 | sympy.tanh | sympy.erf | sympy.atan | sympy.asinh | sympy.sinh | cbrt):
        return _sign(expression.args[0])
    if isinstance(expression, Mul):
        return math.prod(_sign(a) for a in expression.args)
    if isinstance(expression, Pow):
        even = bool(sympy.sympify(expression.exp).is_even)
        return 1 if even else _sign(expression.base)
    parts = [e for e, _ in expression.args] if isinstance(expression, Piecewise) else expression.args
    if isinstance(expression, Add | Piecewise):
        signs = {_sign(p) for p in parts}
        return signs.pop() if len(signs) == 1 else 0
    return 0

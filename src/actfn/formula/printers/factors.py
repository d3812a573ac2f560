"""What the Numba printers know of functions and factors: which have tails, which divide, which arguments are two numbers.

Leans on the formula language. The idea: all of it is asked of an expression alone, whatever the arithmetic.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Mul, Pow, Rational

from actfn.formula import functions
from actfn.formula.printers.constants import is_compound

BOUNDED = (sympy.exp, functions.sigmoid, sympy.tanh, functions.erfc, sympy.erf, sympy.sin, sympy.cos, sympy.atan)
TWO_PART = (sympy.exp, functions.sigmoid, functions.softplus, sympy.erfc, functions.erfc)
"""Functions that amplify their argument's error, and whose primitive with a factor takes it as a sum of two numbers."""
COMPOSED = {
    (sympy.tanh, functions.softplus): "tanh_softplus",
    (sympy.erf, functions.softplus): "erf_softplus",
}
"""The primitives of a function of a function."""


def kind_and_argument(function: Expr) -> tuple[Any, Expr]:
    """What computes a function, its class or a primitive of its own, and of which argument."""
    (argument,) = function.args
    if (function.func, argument.func) in COMPOSED:
        return COMPOSED[function.func, argument.func], argument.args[0]
    return function.func, argument


def linear(node: Expr) -> Expr | None:
    """What a function of functions with tails is near 0, over those functions; None where it has no such tail."""
    if isinstance(node, TWO_PART):
        return node
    if isinstance(node, sympy.tanh | sympy.atan | sympy.asinh | sympy.erf | functions.log1p | functions.expm1):
        inner = linear(node.args[0])
        slope = 2 / sympy.sqrt(sympy.pi) if isinstance(node, sympy.erf) else 1
        return None if inner is None else slope * inner
    if isinstance(node, Mul):
        found = [linear(f) for f in node.args]
        return (
            Mul(*(a or b for a, b in zip(found, node.args, strict=True)))
            if sum(f is not None for f in found) == 1
            else None
        )
    return None


def base_of(factor: Expr) -> Expr:
    return factor if isinstance(factor, sympy.exp) else factor.as_base_exp()[0]


def argument_parts(argument: Expr) -> tuple[str | None, tuple[Expr, ...]]:
    """How an argument is written as a sum of two numbers: the primitive's name and its arguments; None where it isn't.

    A symbol, and a power of two times a symbol, is one number already.
    """
    coefficient, rest = argument.as_coeff_Mul()
    numbers = [f for f in Mul.make_args(rest) if f.is_number]
    others = [f for f in Mul.make_args(rest) if not f.is_number]
    constant = Mul(coefficient, *numbers)
    if len(others) == 1 and others[0].is_Symbol:
        if constant.is_Rational and is_power_of_two(abs(constant)):
            return None, ()
        return "constant_parts", (constant, others[0])
    if not constant.is_Rational or not is_power_of_two(abs(constant)):
        return None, ()
    squares = [f for f in others if isinstance(f, Pow) and f.exp == 2 and f.base.is_Symbol]
    symbols = [f for f in others if f.is_Symbol]
    inverses = [f for f in others if isinstance(f, Pow) and f.exp == -1 and f.base.is_Symbol]
    if len(squares) == 1 and len(symbols) == len(others) - 1 <= 1:
        return "square_parts", (Mul(constant, *symbols), squares[0].base)
    if len(symbols) == 2 == len(others):
        return "product_parts", (constant * symbols[0], symbols[1])
    if len(symbols) == len(inverses) == 1 and len(others) == 2:
        return "quotient_parts", (constant * symbols[0], inverses[0].base)
    return None, ()


def is_power_of_two(number: Rational) -> bool:
    """Whether a positive rational is one."""
    p, q = int(number.p), int(number.q)
    return p & (p - 1) == 0 == q & (q - 1)


def is_small_power(factor: Expr) -> bool:
    whole = isinstance(factor, Pow) and bool(factor.exp.is_Integer)
    return whole and 1 < factor.exp <= 4 and (factor.base.is_Symbol or isinstance(factor.base, BOUNDED))


def divides(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.exp.is_Rational and bool(factor.exp.is_negative)


def two_factors(term: Expr) -> tuple[Expr, Expr] | None:
    """Two factors of a product without a division, or None."""
    if isinstance(term, Pow) and term.exp.is_Integer and term.exp >= 2:
        return term.base ** (term.exp // 2), term.base ** (term.exp - term.exp // 2)
    if not isinstance(term, Mul) or is_compound(term) or any(divides(f) for f in term.args):
        return None
    numbers = [f for f in term.args if f.is_number]
    others = [f for f in term.args if not f.is_number]
    if not others:
        return None
    coefficient = Mul(*numbers)
    if coefficient == 1 or (coefficient == -1 and len(others) > 1):
        return (coefficient * others[0], Mul(*others[1:])) if len(others) > 1 else None
    return coefficient, Mul(*others)

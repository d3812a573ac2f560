"""Functions of the formula language that SymPy lacks, or evaluates in a way that loses what was written.

Each is a plain SymPy `Function` with its derivative in the form that keeps its accuracy everywhere (a product of
sigmoids, never `1 - tanh**2`), so that whatever is derived from a stable formula is stable too. `elementary` turns
them into SymPy's own functions, for limits and simplification.
"""

from __future__ import annotations

import sympy
from sympy import Expr, Function, Rational, Symbol

X = Symbol("x", real=True)
"""The variable of every formula."""


class expm1(Function):
    """exp(u) - 1, accurate near u = 0."""

    nargs = 1

    def fdiff(self, argindex=1):
        return sympy.exp(self.args[0])

    def elementary(self) -> Expr:
        return sympy.exp(self.args[0]) - 1

    def _eval_is_positive(self):
        return self.args[0].is_positive

    _eval_is_extended_positive = _eval_is_positive


class log1p(Function):
    """log(1 + u), accurate near u = 0."""

    nargs = 1

    def fdiff(self, argindex=1):
        return 1 / (1 + self.args[0])

    def elementary(self) -> Expr:
        return sympy.log(1 + self.args[0])


class sigmoid(Function):
    """1/(1 + exp(-u)), without overflow on either side."""

    nargs = 1

    def fdiff(self, argindex=1):
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def elementary(self) -> Expr:
        return 1 / (1 + sympy.exp(-self.args[0]))


class softplus(Function):
    """log(1 + exp(u)), without overflow on either side."""

    nargs = 1

    def fdiff(self, argindex=1):
        return sigmoid(self.args[0])

    def elementary(self) -> Expr:
        return sympy.log(1 + sympy.exp(self.args[0]))


class erfc(Function):
    """1 - erf(u), accurate in the right tail; unlike SymPy's own it keeps erfc(-u), which is the stable form of 1 + erf(u)."""

    nargs = 1

    def fdiff(self, argindex=1):
        return -2 * sympy.exp(-(self.args[0] ** 2)) / sympy.sqrt(sympy.pi)

    def elementary(self) -> Expr:
        return sympy.erfc(self.args[0])


class cbrt(Function):
    """The real cube root, odd and defined for every real u."""

    nargs = 1

    @classmethod
    def eval(cls, u):
        return u if u.is_zero else None

    def fdiff(self, argindex=1):
        return Rational(1, 3) / cbrt(self.args[0]) ** 2

    def elementary(self) -> Expr:
        u = self.args[0]
        return sympy.sign(u) * sympy.Abs(u) ** Rational(1, 3)


class maximum(Function):
    """The larger of two numbers; kept as written, where SymPy's `Max` compares its arguments at construction."""

    nargs = 2

    @classmethod
    def eval(cls, a, b):
        if a.is_number and b.is_number:
            return a if (a >= b) == True else b  # noqa: E712  (a SymPy truth value)
        return None


class minimum(Function):
    """The smaller of two numbers; see `maximum`."""

    nargs = 2

    @classmethod
    def eval(cls, a, b):
        if a.is_number and b.is_number:
            return a if (a <= b) == True else b  # noqa: E712  (a SymPy truth value)
        return None


def _evalf(self, precision):
    return self.elementary().evalf(sympy.core.evalf.prec_to_dps(precision))


for _function in (sigmoid, softplus, log1p, expm1, erfc, cbrt):
    _function._eval_evalf = _evalf
for _function in (expm1, log1p, sigmoid, softplus, erfc, cbrt, maximum, minimum):
    _function.is_real = True  # every argument in a formula is real
    _function.is_extended_real = True
    _function.is_commutative = True
del _function
for _function in (sigmoid, softplus, erfc):
    _function.is_positive = _function.is_extended_positive = True
del _function


def elementary(expression: Expr) -> Expr:
    """The expression with `expm1`, `log1p`, `sigmoid`, `softplus`, `erfc` written in SymPy's own functions.

    `cbrt` stays where its argument may be negative; `maximum` and `minimum` stay (see `pieces.unfold`).
    """
    return expression.replace(
        lambda node: isinstance(node, expm1 | log1p | sigmoid | softplus | erfc), lambda node: node.elementary()
    )

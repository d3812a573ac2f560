"""Whether an expression is zero for every x, shown by a normal form.

Exponentials, logarithms and roots become generators of a field of rational functions, in which an expression that
cancels is zero. Sound for what it shows: generators that hide a relation only make a zero harder to see.
"""

from __future__ import annotations

import math

import sympy
from sympy import Expr, Pow, Rational, S, Symbol

from actfn.formula.functions import cbrt, elementary

MAX_SIZE = 400
"""Operations in an expression; a larger one is not brought to its normal form."""

MAX_POWER = 24
"""Exponentials whose exponents are further apart than this many times are taken for independent of each other."""


def vanishes(expression: Expr) -> bool:
    """Whether an expression is shown to be zero wherever it has a value."""
    if expression.is_zero:
        return True
    if expression.count_ops() > MAX_SIZE:
        return False
    form = _Field().of(in_exponentials(expression))
    return bool(form.is_zero)


def in_exponentials(expression: Expr) -> Expr:
    """The expression with hyperbolic functions and their like written in exponentials and logarithms."""
    expression = elementary(expression).replace(_is_rewritten, _rewritten)
    if expression.has(sympy.sin, sympy.cos):
        expression = sympy.expand_trig(expression)
    return expression


def _is_rewritten(node: Expr) -> bool:
    return isinstance(node, sympy.tanh | sympy.sinh | sympy.cosh | sympy.asinh | sympy.erfc)


def _rewritten(node: Expr) -> Expr:
    if isinstance(node, sympy.erfc):
        return 1 - sympy.erf(node.args[0])
    if isinstance(node, sympy.asinh):
        return sympy.log(node.args[0] + sympy.sqrt(node.args[0] ** 2 + 1))
    return node.rewrite(sympy.exp)


def simplified(expression: Expr) -> Expr:
    """The same function, cancelled and factored in the field of its generators."""
    if expression.count_ops() > MAX_SIZE:
        return expression
    for flips in (False, True):
        field = _Field(flips)
        found = field.back(sympy.factor(field.of(in_exponentials(expression))))
        if not found.has(sympy.I):
            return found
    return expression


class _Field:
    """Rational functions over generators; `of` brings an expression into it, `back` takes it out."""

    def __init__(self, flips: bool = False) -> None:
        self.flips = flips  # both signs of a quotient under a root
        self.generators: dict[Expr, Symbol] = {}
        self.roots: dict[Symbol, tuple[Expr, int]] = {}  # generator -> (what its power is, the power)
        self.units: dict[Expr, Rational] = {}

    def of(self, expression: Expr) -> Expr:
        self._exponents(expression)
        return self._reduced(self._of(expression))

    def back(self, form: Expr) -> Expr:
        rule = {symbol: expression for expression, symbol in self.generators.items()}
        for _ in range(len(rule) + 1):
            if not form.free_symbols & set(rule):
                break
            form = form.xreplace(rule)
        return form

    def _generator(self, expression: Expr, positive: bool = True) -> Symbol:
        if expression not in self.generators:
            self.generators[expression] = sympy.Dummy("g", positive=True) if positive else sympy.Dummy("g", real=True)
        return self.generators[expression]

    def _exponents(self, expression: Expr) -> None:
        """What all multiples of a monomial in exponents are multiples of: exp(x/2) and exp(3*x) share a generator."""
        multiples: dict[Expr, set[Rational]] = {}
        for node in expression.atoms(sympy.exp):
            for term in sympy.Add.make_args(sympy.expand(node.args[0])):
                c, rest = term.as_coeff_Mul()
                if c.is_Rational and rest is not S.One:
                    multiples.setdefault(rest, {self.units[rest]} if rest in self.units else set()).add(c)
        for rest, found in multiples.items():
            unit = Rational(math.gcd(*(int(c.p) for c in found)), math.lcm(*(int(c.q) for c in found)))
            if max(abs(c / unit) for c in found) <= MAX_POWER:
                self.units[rest] = unit

    def _of(self, e: Expr) -> Expr:
        if not e.args or e.is_Rational:
            return e
        if isinstance(e, sympy.exp):
            return self._exp(sympy.expand(e.args[0]))
        if isinstance(e, sympy.log):
            return self._log(e.args[0])
        if isinstance(e, Pow):
            return self._pow(e)
        if isinstance(e, sympy.Add | sympy.Mul):
            return e.func(*(self._of(a) for a in e.args))
        if isinstance(e, sympy.sin) or (isinstance(e, sympy.cos) and e.free_symbols):
            sine = self._generator(sympy.sin(e.args[0]), positive=False)
            if isinstance(e, sympy.sin):
                return sine
            cosine = self._generator(e, positive=False)
            self.roots.setdefault(cosine, (1 - sine**2, 2))
            return cosine
        if isinstance(e, cbrt):
            u = self.back(self._reduced(self._of(e.args[0])))
            side, u = (-1, -u) if u.could_extract_minus_sign() else (1, u)
            if isinstance(u, Pow) and u.exp == 3:
                return side * self._of(u.base)
            root = self._generator(cbrt(u), positive=False)
            self.roots.setdefault(root, (self._of(u), 3))
            return side * root
        inner = [self.back(self._reduced(self._of(a))) for a in e.args]
        value = e.func(*inner)
        coefficient, value = value.as_coeff_Mul()
        return coefficient * (self._generator(value, positive=False) if value.args else value)

    def _exp(self, u: Expr) -> Expr:
        factors = []
        for term in sympy.Add.make_args(u):
            c, rest = term.as_coeff_Mul()
            if isinstance(rest, sympy.log):  # exp(c*log(v)) is v**c
                factors.append(self._of(Pow(rest.args[0], c)))
            elif rest in self.units and (power := c / self.units[rest]).is_Integer:
                factors.append(self._generator(sympy.exp(self.units[rest] * rest)) ** power)
            else:
                size = -term if c.is_negative else term
                factors.append(self._generator(sympy.exp(size)) ** (-1 if c.is_negative else 1))
        return sympy.Mul(*factors)

    def _log(self, u: Expr) -> Expr:
        """The logarithm of |u| as a sum over the factors of u."""
        inner = sympy.together(self._reduced(self._of(u)))
        parts = []
        for part, side in zip(sympy.fraction(inner), (1, -1), strict=True):
            content, factors = sympy.factor_list(part)
            parts += [(abs(content), side), *((f, side * n) for f, n in factors)]
        total = S.Zero
        for factor, times in parts:
            value = self.back(factor)
            if isinstance(value, sympy.exp):
                total += times * self._of(value.args[0])
            elif value.is_Rational:
                total += times * sum(
                    (n * self._generator(sympy.log(p), False) for p, n in sympy.factorint(value).items()), S.Zero
                )
            elif value != 1:
                at_zero = value.subs(dict.fromkeys(value.free_symbols, 0))
                if at_zero.is_negative or (not at_zero.is_positive and value.could_extract_minus_sign()):
                    value = -value
                total += times * self._generator(sympy.log(value, evaluate=False), positive=False)
        return total

    def _pow(self, e: Pow) -> Expr:
        base, exponent = e.base, e.exp
        if exponent.is_Integer:
            return self._of(base) ** exponent
        if not exponent.is_Rational:
            return self._generator(Pow(self.back(self._of(base)), exponent))
        q = int(exponent.q)
        inner = self.back(sympy.cancel(self._reduced(self._of(base))))
        numerator, denominator = sympy.fraction(sympy.together(inner))
        if self.flips and numerator.could_extract_minus_sign():
            numerator, denominator = -numerator, -denominator
        result = S.One
        for part, side in ((numerator, 1), (denominator, -1)):
            part = sympy.factor(part)
            root = Pow(part, Rational(1, q))
            if not isinstance(root, Pow) or root.exp != Rational(1, q):  # a root that comes out, of numbers perhaps
                result *= (
                    self._of(root) ** (side * exponent.p) if root.args and root != e else root ** (side * exponent.p)
                )
                continue
            symbol = self._generator(root, positive=True)
            self.roots.setdefault(symbol, (self._of(part), q))
            result *= symbol ** (side * exponent.p)
        return result

    def _reduced(self, form: Expr) -> Expr:
        """Cancelled, with powers of each root below its degree."""
        form = sympy.cancel(sympy.together(form))
        for symbol, (power, q) in reversed(list(self.roots.items())):
            if not form.has(symbol):
                continue
            parts = []
            for part in sympy.fraction(sympy.together(form)):
                if part.is_polynomial(symbol):
                    n, d = sympy.fraction(sympy.together(symbol**q - power))
                    part = sympy.rem(part, sympy.expand(n) / d, symbol)
                parts.append(part)
            form = sympy.cancel(parts[0] / parts[1])
        return form

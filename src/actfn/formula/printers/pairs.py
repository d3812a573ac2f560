"""Numba code over sums of two float64, for what float64 arithmetic alone would lose more than an ulp or two of.

Leans on the Numba printer, which says how a symbol, a condition and a number are written. The idea: count the roundings of
an algebraic expression, without bound where terms may cancel; where there are too many, evaluate all of it in pairs
(`kernels.primitives.pairs`) and round once. The argument of a function that amplifies its error stays a pair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Abs, Add, Expr, Mul, Piecewise, Pow, Rational, Symbol

from actfn.formula import functions
from actfn.formula.printers.constants import nearest, value
from actfn.formula.printers.factors import divides

ENOUGH = 2.0
"""So many roundings keep an expression within about 1.5 ulps."""
MAX_POWER = 16
_LARGEST = 100
"""Operations of what is evaluated in pairs; longer are only series, whose later terms matter little."""
_EXACT = "-0.0"  # what adds nothing
_CHOICES = {functions.maximum: "larger_of_pairs", functions.minimum: "smaller_of_pairs"}


class Pairs:
    """Prints expressions in pairs, for one Numba printer."""

    def __init__(self, printer: Any):
        self.printer = printer
        self.counted: dict[Any, float] = {}

    def worth_it(self, node: Expr) -> bool:
        """Whether an algebraic expression loses too much unless it is evaluated in pairs."""
        return not self.is_long(node) and self.roundings(node) > ENOUGH

    @staticmethod
    def is_long(node: Expr) -> bool:
        """Whether an expression has too many operations for pairs."""
        return int(sympy.count_ops(node)) > _LARGEST

    def is_algebraic(self, node: Any) -> bool:
        """Whether nothing but arithmetic, square roots, choices and the names of numbers are in it."""
        if node.is_Symbol:
            return node in self.printer.exact
        if node.is_number:
            return bool(node.is_finite)
        if isinstance(node, Pow) and not isinstance(node, sympy.exp):
            exponent: Any = node.exp
            small = exponent.is_Rational and exponent.q <= 2 and abs(exponent) <= MAX_POWER
            return bool(small) and self.is_algebraic(node.base)
        if isinstance(node, Piecewise):
            return all(self.is_algebraic(e) for e, _ in node.args)
        return isinstance(node, Add | Mul | Abs | functions.maximum | functions.minimum) and all(
            map(self.is_algebraic, node.args)
        )

    def roundings(self, node: Any) -> float:
        """How many roundings an algebraic expression's relative error may come to, evaluated in float64."""
        if node not in self.counted:
            self.counted[node] = self._counted(node)
        return self.counted[node]

    def _counted(self, node: Any) -> float:
        if node.is_Symbol:
            return 0.0
        if node.is_number:
            return 0.0 if _is_exact(node) else 1.0
        if isinstance(node, Mul):
            up = [f for f in node.args if not divides(f) and not _is_power_of_two(f)]
            down = [1 / f for f in node.args if divides(f)]
            return sum(map(self.roundings, [*up, *down])) + max(0, len(up) - 1) + len(down)
        if isinstance(node, Pow):
            size: Any = abs(node.exp)
            whole, half = int(size), size.q == 2
            own = self.roundings(node.base)
            found = whole * own + max(0, whole - 1) + (own / 2 + 1 if half else 0) + (1 if half and whole else 0)
            return found + (1 if node.exp.is_negative else 0)
        if isinstance(node, Add):
            return self._of_sum(node)
        parts = [e for e, _ in node.args] if isinstance(node, Piecewise) else node.args
        return max(map(self.roundings, parts))

    def _of_sum(self, node: Add) -> float:
        exact = [t for t in node.args if self.roundings(t) == 0]
        products = [t for t in node.args if self.roundings(t) == 1 and len(Mul.make_args(t)) <= 3]
        if len(node.args) == 2 and (len(exact) == 2 or (len(exact) == 1 and self._is_exact_product(products))):
            return 1.0
        signs = {_sign(t) for t in node.args}
        if len(signs) > 1 or 0 in signs:
            return math.inf
        return max(map(self.roundings, node.args)) + len(node.args) - 1

    def _is_exact_product(self, products: Sequence[Expr]) -> bool:
        """Whether a sum's other term is a product of two exact factors, which one fma adds."""
        if not products:
            return False
        factors = [b for f in Mul.make_args(products[0]) for b in ([f.base] * 2 if f.is_Pow and f.exp == 2 else [f])]
        numbers = [f for f in factors if f.is_number]
        others = [f for f in factors if not f.is_number]
        if any(self.roundings(f) for f in factors):
            return False
        return len(others) + (0 if all(map(_is_power_of_two, numbers)) else 1) <= 2

    def text(self, node: Any) -> str:
        """The expression as a pair."""
        printer = self.printer
        if node.is_number:
            high = nearest(value(node))
            low = nearest(value(node) - Rational(*high.as_integer_ratio()))
            return f"({printer.number(high)}, {printer.number(low) if low else _EXACT})"
        if isinstance(node, Symbol) or (self.is_algebraic(node) and self.roundings(node) == 0):
            return f"({printer._print(node)}, {_EXACT})"
        if isinstance(node, Add):
            terms = sorted(node.args, key=lambda t: (bool(t.is_number), sympy.default_sort_key(t)))
            return self._folded("sum_of_like_pairs" if _sign(node) else "sum_of_pairs", terms)
        if isinstance(node, Mul) and node.could_extract_minus_sign() and node.args[0] == -1:
            return self._call("negative_pair", self.text(-node))
        if isinstance(node, Mul):
            number: Any = Mul(*(f for f in node.args if f.is_number))
            if number != 1 and _is_power_of_two(number):
                return self._call("scaled_pair", self.text(node / number), self.printer._print(number))
            factors = [f for f in node.as_ordered_factors() if not f.is_number]
            up = [f for f in factors if not divides(f)]
            fixed = [f for f in up if not f.free_symbols & self.printer.copies]
            if number != 1 or fixed:  # first what is no power of x, as that may be infinite where the product isn't
                rest = [f for f in up if f not in fixed]
                up = [
                    *fixed,
                    *(b for f in rest for b in ([f.base] * int(f.exp) if f.is_Pow and f.exp.is_Integer else [f])),
                ]
            return self._quotient([number, *up] if number != 1 else up, [1 / f for f in factors if divides(f)])
        if isinstance(node, Piecewise):
            *rest, (last, _) = node.args
            found = self.text(last)
            for branch, condition in reversed(rest):
                found = self._call("choice_of_pairs", printer._print(condition), self.text(branch), found)
            return found
        if isinstance(node, Pow) and not isinstance(node, sympy.exp):
            return self._power(node)
        if isinstance(node, Abs):
            return self._call("absolute_of_pair", self.text(node.args[0]))
        if node.func in _CHOICES:
            return self._call(_CHOICES[node.func], *map(self.text, node.args))
        names = {sympy.exp: "exp_of_pair", sympy.log: "log_of_pair", functions.softplus: "softplus_of_pair"}
        return self._call(names[node.func], self.text(node.args[0]))

    def reaches(self, node: Any) -> bool:
        """Whether `text` prints an expression: what is algebraic, and exp, log of parameters and softplus of it."""
        if self.is_algebraic(node):
            return True
        if isinstance(node, sympy.exp | functions.softplus):
            return self.reaches(node.args[0])
        if isinstance(node, sympy.log):
            return not node.free_symbols & self.printer.copies and self.reaches(node.args[0])
        return isinstance(node, Add | Mul) and all(map(self.reaches, node.args))

    def _power(self, node: Pow) -> str:
        exponent: Any = node.exp
        if exponent.is_negative:
            return self._quotient([], [1 / node])
        whole, half = int(exponent), exponent.q == 2
        factors = [self.text(node.base)] * whole
        if half:
            factors.append(self._call("root_of_pair", self.text(node.base)))
        found = factors[0]
        for other in factors[1:]:
            found = self._call("product_of_pairs", found, other)
        return found

    def _quotient(self, up: Sequence[Expr], down: Sequence[Expr]) -> str:
        """Divided by one factor after the other: their product could be infinite where the quotient isn't 0."""
        found = self._folded("product_of_pairs", up) if up else f"({self.printer.number(1.0)}, {_EXACT})"
        for factor in down:
            base, exponent = factor.as_base_exp()
            roots = [sympy.sqrt(base)] if exponent.q == 2 else []
            for part in [*[base] * int(exponent), *roots]:
                found = self._call("quotient_of_pairs", found, self.text(part))
        return found

    def _folded(self, name: str, parts: Sequence[Expr]) -> str:
        found, *rest = map(self.text, parts)
        for other in rest:
            found = self._call(name, found, other)
        return found

    def _call(self, name: str, *arguments: str) -> str:
        exact = [_exact_number(a) for a in arguments]
        if name in _OF_NUMBERS and any(exact):
            one, two = _OF_NUMBERS[name]
            if all(exact):
                name, arguments = two, tuple(map(str, exact))
            elif one:
                name, arguments = (
                    one,
                    tuple(sorted((e or a for e, a in zip(exact, arguments, strict=True)), key=exact.__contains__)),
                )
        self.printer.used_in_pairs.add(name)
        return f"{name}({', '.join(arguments)})"

    def rounded(self, node: Expr) -> str:
        return self._call("rounded_pair", self.text(node))

    def argument(self, node: Expr) -> str:
        """What a primitive takes in two parts."""
        return self._call("argument_of_pair", self.text(node))

    def of_product(self, function: str, node: Expr) -> str | None:
        """sin or cos of a product with x, the reduction in pairs; None for another argument, and for a power of two times x."""
        (x, *more) = [f for f in Mul.make_args(node) if f in self.printer.copies] or [None]
        factor = node / x if x is not None else None
        if more or factor is None or factor.has(x) or not self.is_algebraic(factor) or _is_power_of_two(factor):
            return None
        return self._call(f"{function}_of_product", self.text(factor), self.printer._print(x))


_OF_NUMBERS = {
    "product_of_pairs": ("product_with_number", "product_of_numbers"),
    "sum_of_pairs": ("sum_with_number", "sum_of_numbers"),
    "sum_of_like_pairs": ("like_sum_with_number", "sum_of_numbers"),
}
"""The cheaper forms where one operand, or both, are one number."""


def _exact_number(text: str) -> str | None:
    """The number in the text of a pair whose low part is nothing."""
    return text[1 : -len(_EXACT) - 3] if text.startswith("(") and text.endswith(f", {_EXACT})") else None


def _is_exact(number: Any) -> bool:
    exact: Any = value(number)
    return bool(exact.is_Rational) and Rational(*nearest(exact).as_integer_ratio()) == exact


def _is_power_of_two(number: Any) -> bool:
    if not number.is_Rational:
        return False
    p, q = abs(int(number.p)), int(number.q)
    return p > 0 and p & (p - 1) == 0 == q & (q - 1)


@lru_cache(maxsize=1024)
def _sign(node: Any) -> int:
    if node.is_nonnegative:
        return 1
    if node.is_nonpositive:
        return -1
    if isinstance(node, functions.maximum) and any(a.is_nonnegative for a in node.args):
        return 1
    if isinstance(node, Mul):
        return math.prod(map(_sign, node.args))
    if isinstance(node, Add):
        signs = set(map(_sign, node.args))
        return signs.pop() if len(signs) == 1 else 0
    return 0

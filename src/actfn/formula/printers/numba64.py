"""Scalar code for Numba in float64 arithmetic, for float64 results: no arithmetic is wider, so nothing may be lost.

Leans on `numba.py`, and on `pairs.py` for sums of two numbers. The idea: what float64 would round more than once or twice
is evaluated in pairs, in lines of their own, and rounded once; no function's tail is rounded before what it is times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr, Mul, Symbol
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean

from actfn.formula.functions import X
from actfn.formula.printers.factors import BOUNDED, TWO_PART, linear
from actfn.formula.printers.numba import PRIMITIVES, NumbaPrinter
from actfn.formula.printers.pairs import Pairs

_TINY = 2.0**-960
"""Below, tanh and its like are their argument, and 2^-960 times what else is in a product is a normal number."""


class NumbaFloat64Printer(NumbaPrinter):
    """float64 arithmetic."""

    arithmetic = "float64"
    chained = 1

    def __init__(self) -> None:
        super().__init__()
        self.exact: set[Expr] = {X}
        """The names of x and of parameters: of numbers that aren't rounded."""
        self.wholes: dict[Symbol, Expr] = {}
        """What the other names stand for, over those alone."""
        self.written_out = self.wholes
        self.pairs = Pairs(self)
        self.used_in_pairs: set[str] = set()
        """What the printed code so far calls of `primitives.pairs`."""
        self.in_pairs: dict[Expr, Symbol] = {}
        """The names of what was evaluated in pairs and rounded."""
        self.arguments_in_pairs: dict[str, str] = {}
        """The names of the arguments in pairs, by their text."""

    # -- products

    def product(self, factors: Sequence[Expr]) -> str:
        return self._in_its_tail(factors) or super().product(factors)

    def _in_its_tail(self, factors: Sequence[Expr]) -> str | None:
        """x*tanh(exp(x)) as x*exp(x) where the other function is nearly a subnormal number; None for other products."""
        for factor in factors:
            rest = [f for f in factors if f is not factor]
            whole = self._whole(factor)
            tail = None if isinstance(whole, TWO_PART) else linear(whole)
            if tail is not None and any(map(self._grows, rest)):
                self.used.add("fabs")
                alone, main = self._print(factor), self._fused(factors)
                near = self.product([*rest, *Mul.make_args(tail)])
                return f"({near} if fabs({alone}) < {self.number(_TINY)} else {main})"
        return None

    def _bears_a_constant(self, leading: Expr) -> bool:
        return isinstance(leading, BOUNDED)

    def _is_gated(self, term: Expr) -> bool:
        factors = [self._gate(f) for f in Mul.make_args(term)]
        return any(isinstance(f, TWO_PART) for f in factors) and any(map(self._grows, factors))

    def _whole(self, expr: Any) -> Any:
        return expr.xreplace(self.wholes)

    # -- arguments

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        if function in (sympy.sin, sympy.cos):
            turned = self.pairs.of_product(self.functions[function], self._whole(arguments[0]))
            if turned is not None:
                return turned
        return super().call(function, arguments)

    def _parts(self, argument: Expr) -> str | None:
        if argument.free_symbols & self.wholes.keys():
            return self._in_pairs(argument) or self._cubic(argument) or super()._parts(argument)
        return self._cubic(argument) or super()._parts(argument) or self._in_pairs(argument)

    def _in_pairs(self, argument: Expr) -> str | None:
        """The argument of a function that amplifies its error, in pairs, where it is rounded otherwise."""
        whole = self._whole(argument)
        if not whole.free_symbols & self.copies or not self.pairs.reaches(whole) or self._is_exact(whole):
            return None
        text = self.pairs.argument(whole)
        if text not in self.arguments_in_pairs:
            name = self.arguments_in_pairs[text] = f"_u{len(self.arguments_in_pairs)}"
            self.lines.append((name, text))
        name = self.arguments_in_pairs[text]
        return f"{name}[0], {name}[1]"

    def _is_exact(self, whole: Expr) -> bool:
        return self.pairs.is_algebraic(whole) and self.pairs.roundings(whole) == 0

    def _cubic(self, argument: Expr) -> str | None:
        """An argument a*x + c*x^3 with constants a and c as two numbers; None for others."""
        if not self.copies.intersection(argument.xreplace(self.meanings).free_symbols):
            return None
        whole = sympy.expand(argument.xreplace(self.meanings))
        if not isinstance(whole, sympy.Add) or len(whole.args) != 2 or len(whole.free_symbols) != 1:
            return None
        (x,) = whole.free_symbols
        a, c = whole.coeff(x, 1), whole.coeff(x, 3)
        if not (a.is_number and c.is_number and sympy.expand(a * x + c * x**3 - whole) == 0):
            return None
        self.used.add("cubic_parts")
        return f"*cubic_parts({self._two_numbers(a)}, {self._two_numbers(c)}, {self._print(x)})"

    # -- lines

    def _look_ahead(self, arguments: Sequence[str], expressions: Sequence[Expr]) -> None:
        self.exact |= {s for e in expressions for s in e.free_symbols if s.name in arguments and s.name[0] != "_"}

    def _remember(self, symbol: Symbol, expression: Expr) -> None:
        whole = self._whole(expression)
        if symbol in self.copies and self._is_exact(whole):
            self.exact.add(symbol)
        else:
            self.wholes[symbol] = whole

    def _prepared(self, node: Any) -> Any:
        """The expression with a name for each part that is better evaluated in pairs."""
        if not node.args or isinstance(node, Boolean):
            return node
        if isinstance(node, ExprCondPair):
            return (self._prepared(node.expr), node.cond)
        whole = self._whole(node)
        if whole.free_symbols and self.pairs.is_algebraic(whole):
            if self.pairs.is_long(whole):
                return node
            return self._named_in_pairs(whole) if self.pairs.worth_it(whole) else whole
        if isinstance(node, TWO_PART) and self.pairs.reaches(whole.args[0]):
            return node
        args: list[Any] = list(node.args)
        if isinstance(node, Mul | sympy.Add):
            algebraic = [a for a in args if self.pairs.is_algebraic(self._whole(a))]
            part = self._whole(node.func(*algebraic))
            if len(algebraic) > 1 and part.free_symbols and self.pairs.worth_it(part):
                args = [self._named_in_pairs(part), *(a for a in args if a not in algebraic)]
        args = [self._prepared(a) for a in args]
        return node.func(*args) if tuple(args) != node.args else node

    def _named_in_pairs(self, whole: Expr) -> Symbol:
        if whole not in self.in_pairs:
            known = {"nonpositive": True} if whole.is_nonpositive else {"real": True}
            name = self.in_pairs[whole] = Symbol(f"_q{len(self.in_pairs)}", **known)
            if whole.free_symbols & self.copies:
                self.copies.add(name)
            self.lines.append((name.name, self.pairs.rounded(whole)))
        return self.in_pairs[whole]

    def imports(self) -> str:
        pairs = sorted(self.used_in_pairs)
        return super().imports() + f"from {PRIMITIVES}.pairs import {', '.join(pairs)}\n" * bool(pairs)

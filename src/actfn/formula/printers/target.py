"""What the printers share: infix arithmetic with as few brackets as its meaning allows, and whole functions around it.

A target is a class with a table, `functions`, from a SymPy class to the name of what computes it there. What isn't in
the table is refused by name. Functions that a language lacks are our own `helpers` in that language, printed above the
code that calls them, so a printed function is complete and its size is linear in the formula's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, Float, Mul, Piecewise, Pow, Rational, S, Symbol
from sympy.core.relational import Relational
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.printer import Printer

from actfn.formula.printers.constants import decimal, is_compound, literal, value

ADD, MUL, POW, ATOM = (PRECEDENCE[k] for k in ("Add", "Mul", "Pow", "Atom"))
_HALF = Rational(1, 2)

ELEMENTARY = ("exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh")
"""Functions of SymPy that most languages call by the same name."""


class UnprintableError(ValueError):
    """A target has no way to write something. The text names both."""


class InfixPrinter(Printer):
    """Sums, products, powers, numbers and calls in infix syntax."""

    target: ClassVar[str] = ""
    functions: ClassVar[Mapping[Any, str]] = {}
    """SymPy class -> what to call. `sympy.sqrt` stands for powers of 1/2; `Pow` is optional, `**` is written without it."""
    constants: ClassVar[Mapping[Any, str]] = {}
    logic: ClassVar[tuple[str, str, str]] = (" and ", " or ", "not ")
    relations: ClassVar[Mapping[str, str]] = {}

    def expression(self, expr: Expr) -> str:
        """The expression as text. Raises `UnprintableError`."""
        # The order of a sum's terms is found by evaluating its constants, so those that would not end go first.
        for constant in _outermost_constants(expr):
            if value(constant) is None:
                raise UnprintableError(f"{self.target}: the constant {constant} is no real number, or is too large")
        return self._print(expr)

    def refuse(self, what: object) -> UnprintableError:
        return UnprintableError(f"{self.target} has no {what}")

    def folds(self, expr: Any) -> bool:
        """Whether an expression is printed as one number, which it is built from."""
        return False

    # -- brackets

    def level(self, expr: Any, text: str) -> int:
        """How tightly a printed expression holds together, in the numbers of `PRECEDENCE`."""
        if text.startswith("-"):
            return ADD
        if expr.is_Add and not self.folds(expr):
            return ADD
        if isinstance(expr, Rational | Float) or self.folds(expr):
            return MUL if "/" in text or "*" in text else ATOM
        if expr.is_Mul:
            return MUL
        if isinstance(expr, Pow):
            if expr.exp.is_Rational and expr.exp.is_negative:
                return MUL
            return ATOM if expr.exp == _HALF or Pow in self.functions else POW
        if isinstance(expr, Relational):
            return PRECEDENCE["Relational"]
        if isinstance(expr, sympy.Or | sympy.And | sympy.Not):
            return PRECEDENCE[type(expr).__name__]
        return ATOM

    def bracket(self, expr: Any, level: int) -> str:
        """An operand, in brackets unless it holds together more tightly than `level`."""
        text = self._print(expr)
        return text if self.level(expr, text) > level else self.enclose(text)

    def enclose(self, text: str) -> str:
        return f"({text})"

    # -- arithmetic

    def _print_Rational(self, expr: Rational) -> str:
        return decimal(expr) or f"{expr.p}/{expr.q}"

    def _print_Symbol(self, expr: Symbol) -> str:
        return self.identifier(expr.name)

    def identifier(self, name: str) -> str:
        """A name as it is printed. Refuses what isn't one: names reach source code that is run."""
        if not (name.isascii() and name.isidentifier()):
            raise ValueError(f"{name!r} can't be a name in {self.target}; write ASCII letters, digits and _")
        return name

    def _print_Add(self, expr: Expr) -> str:
        terms = sorted(self.terms(expr), key=lambda t: bool(t.is_number))  # exp(x) - 1, not -1 + exp(x)
        texts = [self.enclose(self._print(t)) if t.is_Add and not self.folds(t) else self._print(t) for t in terms]
        first = next((i for i, t in enumerate(texts) if not t.startswith("-")), 0)
        texts.insert(0, texts.pop(first))
        return texts[0] + "".join(f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in texts[1:])

    def terms(self, expr: Expr) -> Sequence[Expr]:
        return expr.as_ordered_terms()

    def _print_Mul(self, expr: Mul) -> str:
        coefficient, factors = self.coefficient(expr)
        up: list[Expr] = []
        down: list[Expr] = []
        size = abs(coefficient)
        if isinstance(size, Rational) and size.q != 1 and self.is_quotient(size):
            up += [sympy.Integer(size.p)] if size.p != 1 else []
            down.append(sympy.Integer(size.q))
        elif size != 1:
            up.append(size)
        for factor in factors:
            if isinstance(factor, Pow) and factor.exp.is_Rational and factor.exp.is_negative:
                down.append(factor.base if factor.exp == -1 else Pow(factor.base, -factor.exp, evaluate=False))
            else:
                up.append(factor)
        return ("-" if coefficient < 0 else "") + self.quotient(up, down)

    def is_quotient(self, number: Rational) -> bool:
        """Whether a fraction in front of a product is written as a division: x/3 and x/4, but 0.2*x."""
        return number.q <= 4 or "/" in self._print_Rational(number)

    def coefficient(self, expr: Mul) -> tuple[Any, list[Expr]]:
        """The number in front, a `Rational` or a `Float`, and the other factors in the order in which they are written."""
        numbers = [a for a in expr.args if a.is_Rational]
        return Mul(*numbers), [a for a in expr.as_ordered_factors() if not a.is_Rational]

    def quotient(self, up: Sequence[Expr], down: Sequence[Expr]) -> str:
        top = self.product(up)
        if not down:
            return top
        return f"{top}/{self.bracket(down[0], MUL) if len(down) == 1 else self.enclose(self.product(down))}"

    def product(self, factors: Sequence[Expr]) -> str:
        return "*".join(self.bracket(f, MUL) for f in factors) or "1"

    def _print_Pow(self, expr: Pow) -> str:
        base, exponent = expr.args
        if exponent == _HALF:
            return self.call(sympy.sqrt, [base])
        if exponent.is_Rational and exponent.is_negative:
            return self.quotient([], [base if exponent == -1 else Pow(base, -exponent, evaluate=False)])
        return self.power(base, exponent)

    def power(self, base: Expr, exponent: Expr) -> str:
        if Pow in self.functions:
            return self.call(Pow, [base, exponent])
        return f"{self.bracket(base, POW)}**{self.bracket(exponent, POW)}"

    # -- calls, conditions

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        if function not in self.functions:
            raise self.refuse(function.__name__)
        return f"{self.functions[function]}({', '.join(self._print(a) for a in arguments)})"

    def _print_Function(self, expr: sympy.Function) -> str:
        return self.call(expr.func, expr.args)

    def _print_Relational(self, expr: Relational) -> str:
        relation = self.relations.get(expr.rel_op, expr.rel_op)
        return f"{self._print(expr.lhs)} {relation} {self._print(expr.rhs)}"

    def _print_And(self, expr: sympy.And) -> str:
        return self.logic[0].join(self.bracket(a, self.level(expr, "")) for a in expr.args)

    def _print_Or(self, expr: sympy.Or) -> str:
        return self.logic[1].join(self.bracket(a, PRECEDENCE["And"]) for a in expr.args)

    def _print_Not(self, expr: sympy.Not) -> str:
        return f"{self.logic[2]}({self._print(expr.args[0])})"

    def _print_Piecewise(self, expr: Piecewise) -> str:
        branches, default = self.branches(expr)
        text = self.default(branches, default)
        for branch, condition in reversed(branches):
            text = self.where(self._print(condition), self._print(branch), text)
        return text

    def branches(self, expr: Piecewise) -> tuple[Sequence[tuple[Expr, Any]], Expr]:
        """The branches that have conditions, and what holds otherwise: NaN if nothing is said."""
        *rest, (last, condition) = expr.args
        return (rest, last) if condition is S.true else (expr.args, S.NaN)

    def default(self, branches: Sequence[tuple[Expr, Any]], default: Expr) -> str:
        return self._print(default)

    def where(self, condition: str, branch: str, otherwise: str) -> str:
        return f"{self.functions[Piecewise]}({condition}, {branch}, {otherwise})"

    def _print_constant(self, expr: Any) -> str:
        if expr not in self.constants:
            raise self.refuse(expr)
        return self.constants[expr]

    _print_Pi = _print_Exp1 = _print_NaN = _print_Infinity = _print_NegativeInfinity = _print_constant

    def emptyPrinter(self, expr: Any) -> str:
        raise self.refuse(type(expr).__name__)


class CodePrinter(InfixPrinter):
    """Source code: constants are folded and rounded once, and `function` prints a whole function."""

    modules: ClassVar[str] = ""
    """What the code imports, as it is written."""
    helpers: ClassVar[Mapping[str, str]] = {}
    """Name -> source. The names begin with `_`."""
    keywords: ClassVar[frozenset[str]] = frozenset()

    def identifier(self, name: str) -> str:
        """A name as it is printed: with `_` behind it if it, less any `_` behind it, means something else in the target."""
        taken = name.rstrip("_") in self.keywords or name.rstrip("_") in self.helpers
        return super().identifier(name) + "_" * taken

    def function(
        self,
        name: str,
        arguments: Sequence[str],
        assignments: Sequence[tuple[Symbol, Expr]],
        result: Expr,
        doc: str = "",
        preamble: bool = True,
    ) -> str:
        """A whole function: `preamble` (what it imports and the helpers it calls), then one line an assignment.

        Raises `UnprintableError`, and `ValueError` for a name that isn't one. The names appear as `identifier` gives them.
        """
        lines = [(self.identifier(symbol.name), self.expression(expr)) for symbol, expr in assignments]
        source = self.definition(
            self.identifier(name), [self.identifier(a) for a in arguments], lines, self.expression(result), doc.strip()
        )
        return self._preamble(source) + source if preamble else source

    def preamble(self, expressions: Iterable[Expr]) -> str:
        """What code that holds these expressions needs above it."""
        return self._preamble("\n".join(self.expression(e) for e in expressions))

    def _preamble(self, code: str) -> str:
        needed: dict[str, str] = {}
        pending = [code]
        while pending:
            for word in re.findall(r"\b_\w+", pending.pop()):
                if word in self.helpers and word not in needed:
                    needed[word] = self.helpers[word]
                    pending.append(needed[word])
        parts = [self.modules] * bool(self.modules) + [needed[k] for k in self.helpers if k in needed]
        return "".join(part + self.gap for part in parts)

    gap: ClassVar[str] = "\n\n\n"

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        raise NotImplementedError

    # -- numbers

    def folds(self, expr: Any) -> bool:
        return is_compound(expr)

    def _print(self, expr: Any, **kwargs: Any) -> str:
        if is_compound(expr):
            expr = value(expr)
        return super()._print(expr, **kwargs)

    def _print_Rational(self, expr: Rational) -> str:
        return literal(expr)

    def _print_number(self, expr: Any) -> str:
        return self._print_Rational(value(expr))

    _print_Pi = _print_Exp1 = _print_number

    def _print_NoneType(self, expr: None) -> str:
        raise self.refuse("number for a constant that isn't real")

    def coefficient(self, expr: Mul) -> tuple[Any, list[Expr]]:
        return _folded(expr, *super().coefficient(expr))


def _outermost_constants(expr: Any) -> Iterable[Expr]:
    """The largest parts of an expression that are built from numbers alone."""
    pending = [expr]
    while pending:
        node = pending.pop()
        if is_compound(node):
            yield node
        else:
            pending.extend(getattr(node, "args", ()))


def _folded(expr: Mul, coefficient: Any, factors: list[Expr]) -> tuple[Any, list[Expr]]:
    """The constant factors of a product, such as sqrt(2)/sqrt(pi), as one number in front of the others."""
    constants = [f for f in factors if f.is_number]
    if not constants:
        return coefficient, factors
    return value(Mul(coefficient, *constants)), [f for f in factors if not f.is_number]

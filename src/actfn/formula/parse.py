"""A formula's text made into a SymPy expression, or refused with the place in the text and what to write instead.

Leans on Python's `ast` for the grammar, and on nothing that could run what was typed. `scan` has been over the text
first, so that `ast.parse` only gets what it can read; each node of its tree is then built, from the leaves up, and held
to the `bounds`.
"""

from __future__ import annotations

import ast
import difflib
import re
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any, NoReturn

import sympy
from sympy import Expr, Piecewise, Rational, S, Symbol
from sympy.logic.boolalg import Boolean

from actfn.formula.bounds import Bounds, NotReal, Refused
from actfn.formula.functions import X, cbrt, erfc, expm1, log1p, maximum, minimum, sigmoid, softplus
from actfn.formula.scan import FUNCTIONS, KNOWN, FormulaError, Scan, check_parameter, other_name

MAX_NODES = 500
MAX_DEPTH = 100
MAX_SECONDS = 0.3
"""Of this thread's processor time, for each of two tries; a person's formula takes a tenth of it. One step of SymPy's,
which nothing can stop, may take as long as all before it."""


def parse(text: str, symbols: Mapping[str, Symbol]) -> Expr:
    """The expression that a formula stands for, in `x` and the symbols given by name.

    Nothing in the text is evaluated; a number is the exact decimal. Raises `FormulaError`, within a second.
    """
    for name in symbols:
        check_parameter(name)
    Scan(text)
    flat = re.sub(r"\s", " ", text)
    start = len(flat) - len(flat.lstrip())
    try:
        tree = ast.parse(flat.strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(text, start + max(0, (error.offset or 1) - 1), "this can't be read") from None
    except (ValueError, MemoryError, RecursionError):
        raise FormulaError(text, start, "the formula is nested too deeply") from None
    builder = _Builder(text, start, symbols)
    try:
        return builder.build(tree)
    except FormulaError:
        if not builder.out_of_time:
            raise
    return _Builder(text, start, symbols).build(tree)  # what was slow may have been the collector, or SymPy's first use


def parameter_names(text: str) -> tuple[str, ...]:
    """The names in a formula that are neither x nor a constant nor a function, in order of first use.

    Raises `FormulaError` as `parse` does.
    """
    names = [name for name in dict.fromkeys(Scan(text).values) if name not in KNOWN]
    parse(text, {name: Symbol(name, real=True) for name in names})
    return tuple(names)


def _tan(u: Expr) -> Expr:
    # SymPy turns tan(u + pi/2) into -cot(u), which no printer knows
    return sympy.tan(u).replace(sympy.cot, lambda v: sympy.cos(v) / sympy.sin(v))


_MAKERS: dict[str, Callable[..., Expr]] = {
    "abs": sympy.Abs,
    "sign": sympy.sign,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": _tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "asinh": sympy.asinh,
    "erf": sympy.erf,
    "erfc": erfc,
    "expm1": expm1,
    "log1p": log1p,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "where": lambda condition, a, b: Piecewise((a, condition), (b, True)),
}
_CONSTANTS: dict[str, Expr] = {"x": X, "pi": S.Pi, "e": S.Exp1}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}
_COMPARISONS = {  # what SymPy calls it, and the signs of left - right for which it holds
    ast.Lt: (sympy.Lt, (-1,)),
    ast.LtE: (sympy.Le, (-1, 0)),
    ast.Gt: (sympy.Gt, (1,)),
    ast.GtE: (sympy.Ge, (0, 1)),
    ast.Eq: (sympy.Eq, (0,)),
    ast.NotEq: (sympy.Ne, (-1, 1)),
}
_DOMAINS = {
    "sqrt": "sqrt takes a number of at least 0",
    "log": "log takes a number above 0",
    "log1p": "log1p takes a number above -1",
    "asin": "asin takes a number from -1 to 1",
    "acos": "acos takes a number from -1 to 1",
}


def _nearest(name: str, names: list[str], cutoff: float) -> str:
    """The name most like the one given, in any case; "" if none is."""
    return next(iter(difflib.get_close_matches(name.lower(), names, n=1, cutoff=cutoff)), "")


def _called(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


class _Builder:
    """Makes the nodes of one formula into expressions, from the leaves up."""

    def __init__(self, text: str, start: int, symbols: Mapping[str, Symbol]) -> None:
        self.text, self.start = text, start
        self.names = {**symbols, **_CONSTANTS}
        self.bounds = Bounds()
        self.makers = {
            **_MAKERS,
            "exp": self._exp,
            "cbrt": self._cbrt,
            "max": lambda *u: reduce(self._larger, u),
            "min": lambda *u: reduce(self._smaller, u),
            "clip": lambda u, low, high: self._smaller(self._larger(u, low), high),
            "relu": lambda u: self._larger(u, S.Zero),
        }
        self.deadline = time.thread_time() + MAX_SECONDS
        self.out_of_time = False

    def build(self, tree: ast.expr) -> Expr:
        self._check_size(tree)
        try:
            return self._number(tree)
        except (RecursionError, MemoryError):
            self._refuse(tree, "the formula is nested too deeply")

    def _check_size(self, tree: ast.expr) -> None:
        todo, count = [(tree, 1)], 0
        while todo:
            node, depth = todo.pop()
            count += 1
            if depth > MAX_DEPTH:
                self._refuse(node, "the formula is nested too deeply", f"at most {MAX_DEPTH} steps deep")
            if count > MAX_NODES:
                self._refuse(node, "the formula is too large", f"at most {MAX_NODES} numbers, names and operations")
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    chained = isinstance(node, ast.BinOp) and child is node.left and type(node.op) in _ARITHMETIC
                    todo.append((child, depth if chained else depth + 1))

    def _refuse(self, node: ast.expr, reason: str, hint: str = "") -> NoReturn:
        raise FormulaError(self.text, self.start + node.col_offset, reason, hint, len(self._source(node)))

    def _source(self, node: ast.expr) -> str:
        source = self.text[self.start + node.col_offset : self.start + (node.end_col_offset or 0)]
        return re.sub(r"\s", " ", source)

    def _make(self, node: ast.expr, make: Callable[..., Any], *parts: Expr | Boolean) -> Any:
        """What SymPy makes of the parts, in bounds."""
        try:
            if time.thread_time() > self.deadline:
                self.out_of_time = True
                raise Refused("the formula takes too long to read", "write it with fewer functions inside functions")
            made = make(*parts)
            self.bounds.check(made)
        except Refused as refused:
            domain = _DOMAINS.get(_called(node), "") if isinstance(refused, NotReal) else ""
            self._refuse(node, refused.reason, refused.hint or domain)
        except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError):
            self._refuse(node, "SymPy can't build this")  # it fails so on a few huge constants, as in asin(sin(1e300))
        return made

    def _number(self, node: ast.expr) -> Expr:
        match node:
            case ast.Constant():
                return self._make(node, lambda: Rational(Fraction(self._source(node))))
            case ast.Name():
                return self._named(node)
            case ast.UnaryOp(op=ast.USub()):
                return self._make(node, lambda u: -u, self._number(node.operand))
            case ast.UnaryOp(op=ast.UAdd()):
                return self._number(node.operand)
            case ast.BinOp(op=ast.Pow()):
                return self._make(node, self._power, self._number(node.left), self._number(node.right))
            case ast.BinOp():
                return self._chain(node)
            case ast.Call():
                return self._call(node)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
                hint = f"write where({self._source(node)}, 1, 0)"
                self._refuse(node, "a condition stands where a number should", hint)
        self._refuse(node, "this can't stand in a formula")

    def _named(self, node: ast.Name) -> Expr:
        if node.id in self.names:
            return self.names[node.id]
        if node.id in FUNCTIONS:
            self._refuse(node, f"{node.id!r} is a function", f"write {node.id}({FUNCTIONS[node.id]})")
        near = _nearest(node.id, [*self.names, *FUNCTIONS], 0.75)
        hint = f"did you mean {near!r}?" if near else f"to make it a parameter, give it a value, as in {node.id}=1.0"
        if node.id.lower() in ("inf", "infinity", "oo", "nan"):
            hint = "a formula holds finite numbers only"
        self._refuse(node, f"unknown name {node.id!r}", hint)

    def _chain(self, node: ast.BinOp) -> Expr:
        """a + b - c + ...: a loop down its left side, which may be long."""
        chain: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp) and type(first.op) in _ARITHMETIC:
            chain.append(first)
            first = first.left
        value = self._number(first)
        for step in reversed(chain):
            right = self._number(step.right)
            if isinstance(step.op, ast.Div) and right is S.Zero:
                self._refuse(step.right, "division by zero")
            value = self._make(step, _ARITHMETIC[type(step.op)], value, right)
        return value

    def _power(self, base: Expr, exponent: Expr) -> Expr:
        self.bounds.check_power(base, exponent)
        return base**exponent

    def _exp(self, u: Expr) -> Expr:
        self.bounds.check_exponential(u)
        return sympy.exp(u)

    def _cbrt(self, u: Expr) -> Expr:
        sign = self.bounds.sign(u)
        return cbrt(u) if sign is None else sign * self._power(sign * u, Rational(1, 3))

    def _larger(self, a: Expr, b: Expr) -> Expr:
        sign = self.bounds.sign(a - b)
        return maximum(a, b) if sign is None else a if sign >= 0 else b

    def _smaller(self, a: Expr, b: Expr) -> Expr:
        sign = self.bounds.sign(a - b)
        return minimum(a, b) if sign is None else a if sign <= 0 else b

    def _call(self, node: ast.Call) -> Expr:
        name = _called(node)
        if name not in FUNCTIONS:
            self._unknown_function(node.func, name)
        signature = FUNCTIONS[name]
        expected, given = signature.count(",") + 1, len(node.args)
        several = signature.endswith("...")
        if given != expected and not (several and given >= 2):
            takes = "2 or more arguments" if several else "1 argument" if expected == 1 else f"{expected} arguments"
            self._refuse(node, f"{name} takes {takes}, not {given}", f"write {name}({signature})")
        make = self.makers[name]
        if name == "where":
            return self._make(node, make, self._condition(node.args[0]), *map(self._number, node.args[1:]))
        return self._make(node, make, *map(self._number, node.args))

    def _unknown_function(self, node: ast.expr, name: str) -> NoReturn:
        if name in self.names:
            self._refuse(node, f"{name!r} is not a function", f"write {name}*(...)")
        hint = "the functions are " + ", ".join(sorted(FUNCTIONS))
        if other := other_name(name):
            hint = f"write {other}"
        elif near := _nearest(name, list(FUNCTIONS), 0.6):
            hint = f"did you mean {near!r}?"
        self._refuse(node, f"unknown function {name!r}", hint)

    def _condition(self, node: ast.expr) -> Boolean:
        match node:
            case ast.BoolOp():
                make = sympy.And if isinstance(node.op, ast.And) else sympy.Or
                return self._make(node, make, *map(self._condition, node.values))
            case ast.UnaryOp(op=ast.Not()):
                return self._make(node, sympy.Not, self._condition(node.operand))
            case ast.Compare():
                values = [self._number(value) for value in (node.left, *node.comparators)]
                pairs = [self._comparison(node, op, *pair) for op, pair in zip(node.ops, pairwise(values), strict=True)]
                return self._make(node, sympy.And, *pairs)
        hint = f"write {self._source(node)} > 0, or another comparison"
        self._refuse(node, "a number stands where a condition should", hint)

    def _comparison(self, node: ast.Compare, operator: ast.cmpop, left: Expr, right: Expr) -> Boolean:
        if left.has(Piecewise) or right.has(Piecewise):  # SymPy solves such a condition to build it, and may never end
            self._refuse(node, "a where can't stand inside a condition", "write the condition with 'and' and 'or'")
        compare, signs = _COMPARISONS[type(operator)]
        sign = self.bounds.sign(self._make(node, lambda: left - right))
        if sign is not None:
            return sympy.true if sign in signs else sympy.false
        return self._make(node, compare, left, right)

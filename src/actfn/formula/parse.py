"""A formula's text made into a SymPy expression, or refused with the place in the text and what to write instead.

Leans on Python's `ast` for the grammar, and on nothing that could run what was typed. A scan of the tokens comes first:
it bounds length, nesting and numbers, and finds nearly every mistake where a person sees it, so that `ast.parse` only
gets text that it can read; each node of its tree is then built and measured (see `bounds`), constants exactly.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple, NoReturn

import sympy
from sympy import Expr, Piecewise, Rational, S, Symbol

from actfn.formula.bounds import Bounds, Refused
from actfn.formula.functions import X, cbrt, expm1, log1p, maximum, minimum, sigmoid, softplus

MAX_LENGTH = 2000
MAX_BRACKETS = 50
MAX_DIGITS = 40
MAX_DECIMAL_EXPONENT = 400
MAX_NAME = 30
MAX_NODES = 500
MAX_DEPTH = 100
MAX_SECONDS = 0.6
"""Of this thread's processor time; a formula of a person's takes a hundredth of it."""
WIDTH = 70
"""Columns of a long text shown in an error."""


class FormulaError(ValueError):
    """A formula that can't be read: `text`, `position` (column from 0), `reason`, and the `hint` what to write instead."""

    def __init__(self, text: str, position: int, reason: str, hint: str = "", length: int = 1) -> None:
        super().__init__(text, position, reason, hint, length)  # as args, so that it can be pickled
        self.text, self.position, self.reason, self.hint, self.length = text, position, reason, hint, length

    def __str__(self) -> str:
        lines = [self.reason]
        if self.text:
            start = max(0, min(self.position - WIDTH // 3, len(self.text) - WIDTH))
            end = start + WIDTH
            shown = "".join(_printable(character) for character in self.text[start:end])
            before, after = "..." if start else "", "..." if end < len(self.text) else ""
            margin = _columns(before + shown[: self.position - start])
            carets = max(1, _columns(shown[self.position - start : self.position - start + self.length]))
            lines += [f"  {before}{shown}{after}", "  " + " " * margin + "^" * carets]
        return "\n".join([*lines, self.hint] if self.hint else lines)


def _printable(character: str) -> str:
    return " " if character.isspace() else character if character.isprintable() else "?"


def _columns(text: str) -> int:
    """The width of a text in a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def parse(text: str, symbols: Mapping[str, Symbol]) -> Expr:
    """The expression that a formula stands for, in `x` and the symbols given by name.

    Nothing in the text is evaluated. Numbers are read as exact decimals. Raises `FormulaError`, within a second.
    """
    for name in symbols:
        _check_parameter(name)
    names = _scan(text)
    code = re.sub(r"\s", " ", text)
    start = len(code) - len(code.lstrip())
    try:
        tree = ast.parse(code.strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(text, start + max(0, (error.offset or 1) - 1), "this can't be read") from None
    except (ValueError, MemoryError, RecursionError):
        raise FormulaError(text, start, "the formula is nested too deeply") from None
    _check_tree(text, start, tree)
    del names
    return _Builder(text, start, symbols).build(tree)


def parameter_names(text: str) -> tuple[str, ...]:
    """The names in a formula that are neither x nor a constant nor a function, in order of first use.

    Raises `FormulaError` as `parse` does.
    """
    names = tuple(dict.fromkeys(name for name in _scan(text) if name not in KNOWN))
    parse(text, {name: Symbol(name, real=True) for name in names})
    return names

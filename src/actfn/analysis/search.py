"""Searching by property: "smoothness >= 1 and monotone and bounded", read with Python's grammar and never evaluated as Python.

A name is that of a claim and stands for its value. The answer to a question about an unknown claim is neither yes nor
no, and `and`, `or` and `not` carry that on, so nothing is found on the ground of what isn't known.
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Mapping
from typing import Any

from actfn.analysis.claims import Claim
from actfn.analysis.properties import MEANINGS

PARTS = {
    "low": ("range", "low"),
    "high": ("range", "high"),
    "limit_left": ("limits", "left"),
    "limit_right": ("limits", "right"),
    "asymptote_left": ("asymptotes", "left"),
    "asymptote_right": ("asymptotes", "right"),
    "saturating_left": ("saturating", "left"),
    "saturating_right": ("saturating", "right"),
}
"""Names for parts of claims."""
MAX_LENGTH = 500
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,  # see `_compared`
}


class QueryError(ValueError):
    """A question that can't be read; the message shows where."""


class _Unknown:
    """The value of a claim that isn't proven."""


_UNKNOWN = _Unknown()


class Query:
    """A question about claims. Raises `QueryError` for one that can't be read.

    Comparisons, `and`, `or`, `not`, brackets, numbers, `inf`, texts in quotes, the names of `MEANINGS` and `PARTS`, and
    `tag("gated")`. A name by itself asks whether the claim holds: a number other than 0, a text, a list that isn't empty.
    """

    def __init__(self, text: str):
        self.text = text
        if len(text) > MAX_LENGTH:
            raise QueryError(f"a question has at most {MAX_LENGTH} characters")
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise self._error(getattr(error, "offset", 1) or 1, "this can't be read") from None
        self._check(self._tree, 0)

    def __call__(self, claims: Mapping[str, Claim], tags: tuple[str, ...] = ()) -> bool | None:
        """Whether it holds of these claims; None where that isn't known."""
        found = self._value(self._tree, claims, tags)
        return None if found is _UNKNOWN else _truth(found)

    def _error(self, column: int, reason: str, hint: str = "") -> QueryError:
        shown = self.text.strip().replace("\n", " ")
        return QueryError("\n".join(filter(None, [f"{reason}:", f"  {shown}", f"  {' ' * (column - 1)}^", hint])))

    def _check(self, node: ast.expr, depth: int) -> None:
        place = node.col_offset + 1
        if depth > 40:
            raise self._error(place, "this is nested too deeply")
        match node:
            case ast.BoolOp(values=parts):
                pass
            case ast.UnaryOp(op=ast.Not(), operand=part):
                parts = [part]
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) | ast.Name(id="inf")):
                parts = []
            case ast.Compare(left=left, ops=ops, comparators=right):
                if not all(type(op) in _COMPARISONS for op in ops):
                    raise self._error(place, "a comparison is one of < <= > >= == !=")
                parts = [left, *right]
            case ast.Call(func=ast.Name(id="tag"), args=[ast.Constant(value=str())], keywords=[]):
                parts = []
            case ast.Constant(value=bool() | int() | float() | str()):
                parts = []
            case ast.Name(id=name):
                if name not in {*MEANINGS, *PARTS, "inf"}:
                    near = difflib.get_close_matches(name, [*MEANINGS, *PARTS], n=3)
                    hint = f"did you mean {', '.join(near)}?" if near else f"the properties: {', '.join(MEANINGS)}"
                    raise self._error(place, f"there is no property {name!r}", hint)
                parts = []
            case _:
                raise self._error(
                    place, "this is not part of a question", "write such as: smoothness >= 1 and parity == 'odd'"
                )
        for part in parts:
            self._check(part, depth + 1)

    def _value(self, node: ast.expr, claims: Mapping[str, Claim], tags: tuple[str, ...]) -> Any:
        match node:
            case ast.BoolOp(op=op, values=parts):
                ends = isinstance(op, ast.Or)
                found = [self._value(part, claims, tags) for part in parts]
                if any(value is not _UNKNOWN and _truth(value) == ends for value in found):
                    return ends
                return _UNKNOWN if _UNKNOWN in found else not ends
            case ast.UnaryOp(op=op, operand=part):
                value = self._value(part, claims, tags)
                if value is _UNKNOWN:
                    return value
                return (not _truth(value)) if isinstance(op, ast.Not) else -value
            case ast.Compare(left=left, ops=ops, comparators=right):
                values = [self._value(part, claims, tags) for part in (left, *right)]
                if _UNKNOWN in values:
                    return _UNKNOWN
                return all(_compared(op, *pair) for op, *pair in zip(ops, values, values[1:], strict=False))
            case ast.Call(args=[ast.Constant(value=tag)]):
                return tag in tags
            case ast.Constant(value=value):
                return value
            case ast.Name(id="inf"):
                return float("inf")
            case ast.Name(id=name):
                claim, part = PARTS.get(name, (name, None))
                if claims[claim].status != "proven":
                    return _UNKNOWN
                value = claims[claim].value
                return _number(value[part] if part else value)
        raise AssertionError(node)


def _number(value: Any) -> Any:
    """A claim's value, with infinities as numbers."""
    return float(value) if value in ("inf", "-inf") else value


def _truth(value: Any) -> bool:
    """Whether a claim holds: not False, not 0, not empty."""
    return bool(value)


def _compared(op: ast.cmpop, a: Any, b: Any) -> bool:
    if isinstance(op, ast.NotEq):
        return not _compared(ast.Eq(), a, b)
    if isinstance(a, str) and isinstance(b, str) and isinstance(op, ast.Eq):
        return b in (a, a.removeprefix("strictly "))  # increasing includes strictly increasing
    try:
        return _COMPARISONS[type(op)](a, b)
    except TypeError:  # a text and a number, or no value at all
        return False

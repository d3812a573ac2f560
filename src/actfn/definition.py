"""What an activation function is before anything is derived from it: its formula as text, parameters, conventions, sources.

Data only. The one thing computed here is the expression that the text stands for, on first use, so that a catalog
of many entries costs nothing to import.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy

Convention = str | float
"""The value taken at a kink: "left", "right", "mean" (of f' on both sides), or a number that f' takes there."""

_INTERVAL = re.compile(r"\s*([\[(])\s*(\S+?)\s*,\s*(\S+?)\s*([\])])\s*")
_NAMED_DOMAINS = {
    "real": "(-inf, inf)",
    "positive": "(0, inf)",
    "nonnegative": "[0, inf)",
    "negative": "(-inf, 0)",
    "nonpositive": "(-inf, 0]",
    "nonzero": "(-inf, inf)",
}


@dataclass(frozen=True)
class Source:
    """Who proposed a function, and where."""

    authors: str
    year: int
    title: str
    where: str = ""
    """An identifier such as `arXiv:1511.07289`, a DOI or a publisher."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a formula: a real number with a default and a domain.

    `domain` is "real", "positive", "nonnegative", "negative", "nonpositive", "nonzero", or an interval such as
    "(0, 1]" or "[-1, inf)".
    """

    name: str
    default: float = 1.0
    domain: str = "real"

    def __post_init__(self) -> None:
        try:
            float(self.default)
        except OverflowError:
            raise ValueError(f"parameter {self.name}: the default is larger than any float64") from None
        self.bounds  # noqa: B018  (refuses a domain that can't be read)
        if not self.contains(self.default):
            raise ValueError(
                f"parameter {self.name}: the default {self.default!r} is outside its domain, {self.domain}"
            )

    @cached_property
    def bounds(self) -> tuple[float, float, bool, bool]:
        """(low, high, low is included, high is included)."""
        try:
            match = _INTERVAL.fullmatch(_NAMED_DOMAINS.get(self.domain, self.domain))
            if match is None:
                raise ValueError
            low, high = float(match[2]), float(match[3])
            if not low < high:
                raise ValueError
        except (TypeError, ValueError):
            known = ", ".join(_NAMED_DOMAINS)
            raise ValueError(
                f"parameter {self.name}: unknown domain {self.domain!r}; write one of {known}, or an interval such as '(0, 1]'"
            ) from None
        return low, high, match[1] == "[", match[4] == "]"

    def contains(self, value: float) -> bool:
        """Whether a finite number lies in the domain."""
        low, high, closed_low, closed_high = self.bounds
        if not math.isfinite(value) or (self.domain == "nonzero" and value == 0):
            return False
        return (low <= value if closed_low else low < value) and (value <= high if closed_high else value < high)

    @cached_property
    def symbol(self) -> sympy.Symbol:
        """The SymPy symbol, with the assumptions that the domain gives."""
        import sympy

        low, high, closed_low, closed_high = self.bounds
        assumptions: dict[str, bool] = {"real": True}
        if low > 0 or (low == 0 and not closed_low):
            assumptions = {"positive": True, "finite": True}
        elif low == 0:
            assumptions = {"nonnegative": True, "finite": True}
        elif high < 0 or (high == 0 and not closed_high):
            assumptions = {"negative": True, "finite": True}
        elif high == 0:
            assumptions = {"nonpositive": True, "finite": True}
        elif self.domain == "nonzero":
            assumptions = {"real": True, "nonzero": True}
        return sympy.Symbol(self.name, **assumptions)


@dataclass(frozen=True)
class Definition:
    """One activation function: its formula and what is known of it but can't be derived from it.

    `conventions` gives the value of a derivative where two pieces meet: "left" or "right" (the one-sided derivative, at
    every order), "mean" (of the two), or a number (that value for f'; higher orders take the mean). One for all
    breakpoints, or a mapping from a breakpoint (as text in the parameters, such as "0" or "theta") to one.

    An alias is the full name of the same function elsewhere, at the same defaults; where it takes arguments to be so,
    it is the call without its input, as in `jax.nn.gelu(approximate=False)`.
    """

    name: str
    formula: str
    parameters: Sequence[Parameter] = ()
    conventions: Convention | Mapping[str, Convention] = "left"
    title: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    summary: str = ""
    sources: Sequence[Source] = ()
    reason: str = ""
    """Why it was proposed, in one line."""
    see: Sequence[str] = ()
    """Names of entries that are related to it, or that go by the same name elsewhere."""
    antiderivative: str = ""
    """A formula whose derivative is f, in `x` and the parameters, where one is known."""

    def __post_init__(self) -> None:
        names = [p.name for p in self.parameters]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice:
            raise ValueError(f"{self.name}: two parameters are called {twice!r}")
        rules = self.conventions.values() if isinstance(self.conventions, Mapping) else [self.conventions]
        for rule in rules:
            number = isinstance(rule, int | float) and not isinstance(rule, bool) and math.isfinite(rule)
            if rule not in ("left", "right", "mean") and not number:
                raise ValueError(f"{self.name}: unknown convention {rule!r}; write 'left', 'right', 'mean' or a number")

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: the hash of a text is another one in another process."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.formula, tuple(self.parameters)))

    @cached_property
    def symbols(self) -> dict[str, sympy.Symbol]:
        """Parameter name -> SymPy symbol."""
        return {parameter.name: parameter.symbol for parameter in self.parameters}

    @cached_property
    def expression(self) -> sympy.Expr:
        """The formula as a SymPy expression in `x` and the parameters' symbols.

        Raises `FormulaError` where the text can't be read.
        """
        from actfn.formula import parse

        return parse(self.formula, self.symbols)

    @cached_property
    def defaults(self) -> dict[str, float]:
        """Parameter name -> default."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def values(self, given: Mapping[str, float]) -> dict[str, float]:
        """Every parameter's value: the default, or the one given.

        Raises `ValueError` for a name that isn't a parameter and for a value outside its domain.
        """
        unknown = sorted(set(given) - set(self.defaults))
        if unknown:
            known = ", ".join(self.defaults) or "none"
            raise ValueError(f"{self.name} has no parameter {unknown[0]!r}; its parameters: {known}")
        values = {}
        for parameter in self.parameters:
            value = float(given.get(parameter.name, parameter.default))
            if not parameter.contains(value):
                raise ValueError(f"{self.name}: {parameter.name} = {value!r} is outside its domain, {parameter.domain}")
            values[parameter.name] = value
        return values


@dataclass(frozen=True)
class GatedUnit:
    """A layer that multiplies one half of its input by a function of the other half: (a, b) -> a*f(b), or f(a)*b.

    `gate` names the catalog's entry f, and `gate_first` says whether f acts on the first half.
    """

    name: str
    gate: str
    title: str = ""
    gate_first: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    sources: Sequence[Source] = ()
    reason: str = ""

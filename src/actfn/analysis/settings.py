"""For which parameters a claim holds: tried for all of them first, then for those of the default's sign, then at the defaults.

Each setting is the formula with what it assumes of its parameters; a claim is proven in a setting when the same value
comes out in every case of `formula.pieces.cases`. What a setting can't decide goes on to the next, narrower one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import sympy
from flint import arb
from sympy import Expr, Rational, S, Symbol

from actfn.analysis.claims import STATUSES, Claim
from actfn.definition import Definition
from actfn.formula.functions import X
from actfn.formula.pieces import Bounds, Case, Signs, Undecided, cases
from actfn.formula.printers.constants import decimal
from actfn.formula.printers.text import TextPrinter
from actfn.reference import Oracle, working_precision

SECONDS = 2.5
"""Of this thread's processor time: once a claim has cost as much, only its last setting, the defaults, is tried."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A formula under assumptions on its parameters, which `rule` puts in; `defaults` are numbers for those left free."""

    expression: Expr
    bounds: Bounds
    rule: Mapping[Symbol, Expr]
    note: str
    defaults: Mapping[Symbol, Rational] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether no parameter is free, so that balls show something of the function and not of one of its family."""
        return not self.defaults

    @cached_property
    def cases(self) -> tuple[tuple[Case, Signs], ...]:
        """Each case with the signs that are known in it. Raises `Undecided`."""
        if any(n.has(X) for n in self.expression.atoms(sympy.tan)):
            raise Undecided("tan, whose poles are not counted")
        return tuple((case, Signs(case.signs, self.bounds)) for case in cases(self.expression, self.bounds))

    def ball(self, expression: Expr, x: Rational | float, bits: int = 128) -> arb:
        """The expression at x and at the defaults, as a ball; NaN where it has no value."""
        return ball(expression.xreplace(self.defaults), x, bits)


def ball(expression: Expr, x: Rational | float, bits: int = 128) -> arb:
    """The value of an expression in x alone at a dyadic rational, as a ball."""
    return _oracle(expression).ball(float(x), None, bits)


@lru_cache(maxsize=256)
def _oracle(expression: Expr) -> Oracle:
    return Oracle(expression)


def sign_at(expression: Expr, x: Rational | float) -> int | None:
    """The certified sign of an expression in x alone at a point, or None."""
    value = ball(expression, x, 64)
    return 1 if value > 0 else -1 if value < 0 else 0 if value == 0 else None


def below(a: arb, b: arb) -> bool:
    """Whether a < b for certain."""
    with working_precision(256):
        return bool(a < b)


@lru_cache(maxsize=32)
def _settings(definition: Definition, given: tuple[tuple[str, float], ...]) -> tuple[Setting, ...]:
    fixed = {definition.symbols[name]: Rational(repr(float(value))) for name, value in given}
    numbers = {p.name: Rational(repr(float(dict(given).get(p.name, p.default)))) for p in definition.parameters}
    free = [p for p in definition.parameters if p.symbol not in fixed]
    at = _at({s.name: v for s, v in fixed.items()})
    found = []
    if free:
        names = " and ".join(p.name for p in free)
        note = f"for every {names}{' (' + at + ')' if at else ''}"
        bounds = {p.symbol: p.bounds[:2] for p in free}
        defaults = {p.symbol: numbers[p.name] for p in free}
        found.append(Setting(definition.expression.xreplace(fixed), bounds, fixed, note, defaults))
        signed = {p.symbol: _of_sign(p.symbol, numbers[p.name]) for p in free}
        if any(s != n for s, n in signed.items()):
            left = [p for p in free if isinstance(signed[p.symbol], Symbol)]
            held = {p.name: numbers[p.name] for p in free if p not in left} | {s.name: v for s, v in fixed.items()}
            conditions = [f"{p.name} {'>' if numbers[p.name] > 0 else '<'} 0" for p in left]
            conditions += [f"{name} = {_number(value)}" for name, value in held.items()]
            found.append(
                Setting(
                    definition.expression.xreplace({**fixed, **signed}),
                    {signed[p.symbol]: p.bounds[:2] for p in left},
                    {**fixed, **signed},
                    "where " + " and ".join(conditions),
                    {signed[p.symbol]: numbers[p.name] for p in left},
                )
            )
    rule = {definition.symbols[name]: value for name, value in numbers.items()}
    last = Setting(definition.expression.xreplace(rule), {}, rule, _at(numbers))
    return (*(s for s in found if s.defaults), last)


def _of_sign(symbol: Symbol, value: Rational) -> Expr:
    """The symbol with the sign of its default assumed; the default itself where that is 0."""
    if symbol.is_positive or symbol.is_negative:
        return symbol
    if value.is_zero:
        return value
    return Symbol(symbol.name, positive=True) if value > 0 else Symbol(symbol.name, negative=True)


def _at(values: Mapping[str, Rational]) -> str:
    return "at " + ", ".join(f"{n} = {_number(v)}" for n, v in values.items()) if values else ""


def _number(value: Rational) -> str:
    return str(value) if value.is_Integer else repr(float(value))


def defaults(definition: Definition, parameters: Mapping[str, float]) -> Setting:
    """The setting with every parameter at its default or at the value given."""
    return settings(definition, parameters)[-1]


def settings(definition: Definition, parameters: Mapping[str, float]) -> tuple[Setting, ...]:
    """From the widest to the narrowest. Raises `ValueError` for a parameter that doesn't exist or is outside its domain."""
    definition.values(parameters)
    return _settings(definition, tuple(sorted((k, float(v)) for k, v in parameters.items())))


Work = Callable[[Setting, Case, Signs], Claim]


def decided(definition: Definition, parameters: Mapping[str, float], work: Work) -> Claim:
    """What `work` claims in each case of the widest setting in which that is proven; its last line says which setting.

    `work` raises `Undecided`, or returns a claim; SymPy's own failures count as undecided. Where no setting proves
    the claim, the best that was claimed stands, else an unknown with the reason.
    """
    best: Claim | None = None
    reasons: list[str] = []
    begun = time.thread_time()
    for setting in _in_time(settings(definition, parameters), begun):
        try:
            claims = [work(setting, case, sign) for case, sign in setting.cases]
        except Undecided as reason:
            reasons.append(f"not decided{_where(setting)}: {reason}")
            continue
        except Exception as error:  # SymPy raises many kinds; none of them says anything of the function
            reasons.append(f"not decided{_where(setting)}: {type(error).__name__}: {str(error)[:120]}")
            continue
        if any(c.value != claims[0].value for c in claims):
            reasons.append(f"not decided{_where(setting)}: it depends on the parameters")
            continue
        status = max((c.status for c in claims), key=STATUSES.index)
        lines = tuple(dict.fromkeys(line for c in claims for line in c.certificate))
        found = Claim(claims[0].value, status, (*lines, *([setting.note] if setting.note else [])), claims[0].ball)
        if status == "proven":
            return found
        if best is None or STATUSES.index(status) < STATUSES.index(best.status):
            best = found
    return best or Claim(None, "unknown", tuple(dict.fromkeys(reasons)) or ("not decided",))


def _where(setting: Setting) -> str:
    return f" {setting.note}" if setting.note else ""


def _in_time(found: tuple[Setting, ...], begun: float) -> Iterator[Setting]:
    for setting in found:
        if setting is found[-1] or time.thread_time() - begun < SECONDS:
            yield setting


_LONGEST = 100
"""Digits of a decimal that is printed as one."""


class _Exact(TextPrinter):
    """Formulas whose products of long decimals stay decimals."""

    def _print_Rational(self, expr: Rational) -> str:
        size, sign = abs(expr), "-" if expr < 0 else ""
        if (whole := _decimal(size)) is not None:
            return sign + whole
        if (inverse := _decimal(1 / size)) is not None:
            return f"{sign}1/{inverse}"
        return f"{sign}{_long(size.p)}/{_long(size.q)}" if size.q != 1 else sign + _long(size.p)

    def coefficient(self, expr: sympy.Mul) -> tuple[Any, list[Expr]]:
        number, factors = super().coefficient(expr)
        if abs(number.p) > 10**9 and _decimal(abs(number)) is None and _decimal(1 / abs(number)):
            return sympy.sign(number), [*factors, sympy.Pow(1 / abs(number), -1, evaluate=False)]
        return number, factors


def _decimal(number: Rational) -> str | None:
    """A number that isn't negative as a decimal, in two parts where it is longer than the 40 digits that the parser takes."""
    short, long = decimal(number), decimal(number, _LONGEST)
    if short or long is None or number > 10**30:
        return short
    _, digits, exponent = Decimal(long).as_tuple()
    first = Rational(str(Decimal((0, digits[:36], int(exponent) + len(digits) - 36))))
    rest = decimal(number - first, _LONGEST - 36)
    return f"({decimal(first)} + {rest})" if len(digits) <= 76 else None


def _long(number: int) -> str:
    """An integer in parts of at most 36 digits."""
    high, low = divmod(int(number), 10**36)
    return f"({_long(high)}*10**36 + {low})" if high else str(low)


def text(expression: Expr | sympy.logic.boolalg.Boolean) -> str:
    """An expression in the formula language."""
    return _Exact().expression(expression)


def number(expression: Expr) -> float | str:
    """An expression as JSON takes it: a float, "inf", "-inf", or its text where it depends on parameters."""
    if expression in (S.Infinity, S.NegativeInfinity):
        return "inf" if expression is S.Infinity else "-inf"
    return text(expression) if expression.free_symbols else float(expression)

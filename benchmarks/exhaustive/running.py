"""A kernel's program as a float64 value and a bound of its error, which settles nearly every float32 at a few operations.

Where `bounds` carries both ends of an interval through each step, here is one value, computed once, and beside it how far
it may be from the true one: the mean value form, without a branch, so that LLVM vectorises it. A step that has no good bound says
infinity or NaN, and what isn't settled so goes through the intervals. An infinite value with a finite error stands for
what is surely beyond 1e290.

Each error is a sum of terms that aren't negative; that it is rounded itself, and that a primitive's value stands for
the true one in it, is a share of 1e-10 at most, which `known` adds at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from sympy import Rational, Symbol

from actfn.formula import functions
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.lower import Program
from actfn.kernels.primitives import arithmetic
from actfn.kernels.primitives.intrinsics import primitive
from benchmarks.exhaustive.ends import PRIMITIVE_ULPS
from benchmarks.exhaustive.judging import njit, one_by_ulp
from benchmarks.exhaustive.truth import Line
from benchmarks.exhaustive.walking import LEFT_OUT, Two, Walk, compiled, only_scales

_OWN = repr(PRIMITIVE_ULPS * 2.0**-52)
_UNIT = repr(2.0**-53)
_FLOOR = "1e-300"  # more than what underflows, in a value or in an error
_WIDER = 1.0 + 1e-7
_SHARE = 2.0**-40  # what is settled is known to such a share of itself: 2^-16 of a float32 ulp


def _grows(v: str, e: str) -> str:
    """A change of v, at most by the factor exp(e), for e below 1."""
    return f"{v}*({e}*(1.0 + {e}))"


# What an error e of the argument makes of a function's value v = f(a), where e is so small that the text after it holds;
# and where it doesn't, other such rules.
_RULES: dict[Any, list[tuple[str, str]]] = {
    sympy.exp: [(_grows("{v}", "{e}"), "{e} < 1.0"), ("0.0", "{a} + {e} < -746.0")],
    functions.sigmoid: [
        ("1e-17", "{a} - {e} > 40.0"),
        (_grows("{v}", "{e}"), "{e} < 1.0"),
        ("0.0", "{a} + {e} < -746.0"),
    ],
    functions.softplus: [
        ("0.0", "{a} + {e} < -746.0"),
        (_grows("{v}", "{e}"), "({e} < 1.0) & ({v} < 0.25)"),
        ("{e}", "True"),
    ],
    functions.expm1: [("1e-17", "{a} + {e} < -40.0"), (_grows("(1.00000001 + {v})", "{e}"), "{e} < 1.0")],
    sympy.sinh: [(_grows("(1.0 + fabs({v}))", "{e}"), "{e} < 1.0")],
    sympy.cosh: [(_grows("{v}", "{e}"), "{e} < 1.0")],
    sympy.tanh: [("1e-17", "fabs({a}) - {e} > 20.0"), ("{e}", "True")],
    sympy.erf: [("1e-17", "fabs({a}) - {e} > 6.5"), ("1.13*{e}", "True")],
    # d log(erfc)/da lies between -(a + sqrt(a^2 + 2)) and 0, for a > 0, and nearer to 0 below
    functions.erfc: [
        ("1e-17", "{a} + {e} < -6.5"),
        (
            _grows("{v}", "({e}*(2.0*(at_least({a}, 0.0) + {e}) + 1.5))"),
            "{e}*(2.0*(at_least({a}, 0.0) + {e}) + 1.5) < 1.0",
        ),
        ("0.0", "{a} - {e} > 28.0"),
    ],
    sympy.atan: [("{e}/(1.0 + 0.25*{a}*{a})", "2.0*{e} < fabs({a})"), ("{e}", "True")],
    sympy.asinh: [("{e}", "True")],
    sympy.sin: [("{e}", "True")],
    sympy.cos: [("{e}", "True")],
    sympy.log: [("2.0*{e}/{a}", "2.0*{e} < {a}")],
    functions.log1p: [("2.0*{e}/(1.0 + {a})", "2.0*{e} < 1.0 + {a}")],
}
_OVERFLOWS = (sympy.exp, functions.expm1, sympy.sinh, sympy.cosh, functions.softplus)
"""What is infinite only for a true value beyond 1e290, or for such an argument."""
_POSITIVE = (sympy.exp, functions.sigmoid, functions.softplus, functions.erfc)


class RunningPrinter(Walk):
    """Prints a program as Numba code in float64 that returns (value, error), the error "0.0" for a value that is exact."""

    def __init__(self) -> None:
        super().__init__()
        self.used.add("fma")
        self.rounded: set[str] = set()
        """Names of errors that aren't 0: of what comes from a primitive or from a constant that was rounded."""
        self.positive: set[str] = set()
        """Names of values that are true ones' that nowhere are negative."""
        self.infinite: set[str] = set()
        """Names of values that may be infinite and have a finite error."""

    def exactly(self, name: str) -> Two:
        return name, "0.0"

    def is_exact(self, a: Two) -> bool:
        return a[1] == "0.0"

    def nearly(self, number: float) -> Two:
        error = repr(abs(number) * 2.0**-53)
        self.rounded.add(error)
        return repr(number), error

    def with_left_out(self, a: Two) -> Two:
        return a[0], self._error(f"{a[1]} + {LEFT_OUT}*fabs({a[0]})", a, rounded=True)

    def _error(self, text: str, *inputs: Two, rounded: bool = False) -> str:
        """The name of an error, of a value that is rounded if one of the inputs is."""
        name = self.step(text)
        if rounded or any(e in self.rounded for _, e in inputs):
            self.rounded.add(name)
        return name

    def sum(self, a: Two, b: Two) -> Two:
        v = self.step(f"{a[0]} + {b[0]}")
        if a[1] in self.rounded or b[1] in self.rounded:
            error = self._error(_joined(a[1], b[1], f"fabs({v})*{_UNIT}"), a, b)
            return v, self._still_finite(v, error, a[1]) if a[0] in self.infinite and _is_number(b[0]) else error
        t = self.step(f"{v} - {a[0]}")
        lost = f"fabs(({a[0]} - ({v} - {t})) + ({b[0]} - {t}))"  # Knuth's exact error
        return v, self._error(_joined(a[1], b[1], lost), a, b)

    def product(self, a: Two, b: Two) -> Two:
        v = self.step(f"{a[0]}*{b[0]}")
        if self.is_exact(b) and only_scales(b[0]):
            self.infinite |= {v} if a[0] in self.infinite else set()
            return v, "0.0" if self.is_exact(a) else self._error(f"{a[1]}*{b[0].lstrip('-')}", a)
        error = self._error_of_product(v, a, b)
        if a[0] in self.infinite and _is_number(b[0]) and abs(float(b[0])) > 1e-3:
            return v, self._still_finite(v, error, a[1])
        return v, error

    def _still_finite(self, v: str, error: str, inner: str) -> str:
        """The error of what may be infinite: 0 where what it was made of had a finite one, else NaN."""
        self.infinite.add(v)
        return self._error(f"{error} if fabs({v}) < 1e999 else {inner}*0.0", rounded=True)

    def _error_of_product(self, v: str, a: Two, b: Two) -> str:
        terms = [f"fabs({p})*{e}" for p, e in ((a[0], b[1]), (b[0], a[1])) if e != "0.0"]
        if len(terms) == 2:
            terms.append(f"{a[1]}*{b[1]}")
        if a[1] in self.rounded or b[1] in self.rounded:
            return self._error(_joined(*terms, f"fma(fabs({v}), {_UNIT}, {_FLOOR})"), a, b)
        terms.append(f"fabs(fma({a[0]}, {b[0]}, -{v}))")
        return self._error(_joined(*terms, *self._floor(v, a, b)), a, b)

    def _floor(self, v: str, a: Two, b: Two) -> list[str]:
        """What may have underflown, where the operands aren't so near to x that nothing has."""
        return [] if self.is_exact(a) and self.is_exact(b) else [f"(0.0 if fabs({v}) > 1e-250 else {_FLOOR})"]

    def quotient(self, a: Two, b: Two) -> Two:
        if self.is_exact(b) and b[0] == "1.0":
            return a
        v = self.step(f"{a[0]}/{b[0]}")
        terms = [a[1], f"fabs({v})*{b[1]}" if b[1] != "0.0" else "0.0", f"fabs(fma(-{v}, {b[0]}, {a[0]}))"]
        above = self.step(_joined(*terms))
        below = f"fabs({b[0]})" if self.is_exact(b) else self.step(f"fabs({b[0]}) - {b[1]}*{_WIDER}")
        if self.is_exact(b) and _is_number(b[0]):
            whole = f"{above}*{(1 + 1e-15) / abs(float(b[0]))!r}"
        else:
            whole = f"({above}/{below} if {below} > 0.0 else 1e999)"
        if a[1] in self.rounded or b[1] in self.rounded:
            return v, self._error(f"{whole} + {_FLOOR}", a, b)
        return v, self._error(_joined(whole, *self._floor(v, a, b)), a, b)

    def square(self, a: Two) -> Two:
        return self.product(a, a)

    def root(self, a: Two) -> Two:
        v = self.step(f"sqrt({a[0]})")
        error = f"(fabs(fma(-{v}, {v}, {a[0]})) + {a[1]})/{v}"
        near_zero = f"1.01*sqrt({a[0]} + {a[1]})" if a[0] in self.positive else "1e999"
        return v, self._error(f"{error} if {a[0]} > {a[1]} else {near_zero}", a)

    def extreme(self, a: Two, b: Two, sign: str) -> Two:
        v = self.step(f"{a[0]} if {a[0]} {sign} {b[0]} else {b[0]}")
        if self.is_exact(a) and self.is_exact(b):
            return v, "0.0"
        over = self.step(f"{a[0]} - {b[0]}" if sign == ">" else f"{b[0]} - {a[0]}")
        both = self.step(f"({a[1]} + {b[1]})*{_WIDER}")
        return v, self._error(f"{a[1]} if {over} > {both} else ({b[1]} if -{over} > {both} else {both})", a, b)

    def absolute(self, a: Two) -> Two:
        return self.step(f"fabs({a[0]})"), a[1]

    def sign(self, a: Two) -> Two:
        v = self.step(f"1.0 if {a[0]} > 0.0 else (-1.0 if {a[0]} < 0.0 else 0.0)")
        if self.is_exact(a):
            return v, "0.0"
        return v, self._error(f"0.0 if (fabs({a[0]}) > {a[1]}) | ({a[1]} == 0.0) else 1e999")

    def call(self, kind: Any, a: Two) -> Two:
        name, rules = kind.__name__, _RULES.get(kind)
        if rules is None:
            raise UnprintableError(f"no rule bounds the error of {name}")
        self.used |= {name, "at_least"}
        v = self.step(f"{name}({a[0]})")
        own = f"fma(fabs({v}), {_OWN}, {_FLOOR})"
        if not self.is_exact(a):
            moved = "1e999"
            for text, holds in reversed(rules):
                text, holds = (t.format(v=v, a=a[0], e=a[1]) for t in (text, holds))
                moved = text if holds == "True" else self.step(f"{text} if {holds} else {moved}")
            own = f"{moved} + {own}"
        error = self._error(own, rounded=True)
        self.positive |= {v} if kind in _POSITIVE else set()
        return v, self._still_finite(v, error, a[1]) if kind in _OVERFLOWS else error

    def chosen(self, surely: str, possibly: str, branch: Two, other: Two) -> Two:
        v = self.step(f"{branch[0]} if {surely} else {other[0]}")
        if surely == possibly:
            if branch[1] == other[1]:
                return v, branch[1]
            return v, self._error(f"{branch[1]} if {surely} else {other[1]}", branch, other)
        return v, self._error(f"{branch[1]} if {surely} else (1e999 if {possibly} else {other[1]})", branch, other)

    def below(self, a: Two, b: Two, sign: str) -> Two:
        away, both = self.step(f"{b[0]} - {a[0]}"), self._both(a, b)
        return f"({away} {sign.replace('<', '>')} {both})", f"(not ({away} {'<' if '=' in sign else '<='} -{both}))"

    def overlap(self, a: Two, b: Two) -> str:
        return f"(not (fabs({a[0]} - {b[0]}) > {self._both(a, b)}))"

    def _both(self, a: Two, b: Two) -> str:
        return self.step(f"({_joined(a[1], b[1])})*{_WIDER}")


def _joined(*terms: str) -> str:
    return " + ".join(t for t in terms if t != "0.0") or "0.0"


def _is_number(name: str) -> bool:
    return name.lstrip("-")[0].isdigit()


@primitive
def known(v, e):
    """v where it is as good as the true value, which surely rounds to the same float32; NaN where that is open."""
    v = 1e300 if v > 1e300 else v
    v = -1e300 if v < -1e300 else v
    w = arithmetic.fma(arithmetic.fabs(v), 2.3e-16, e * _WIDER) if e > 0.0 else e
    near = w <= arithmetic.fma(arithmetic.fabs(v), _SHARE, 2.0**-170)
    return v if near & (np.float32(v - w) == np.float32(v + w)) else np.nan


def printed(program: Program, parameters: Mapping[Symbol, Rational]) -> Callable[[float], tuple[float, float]]:
    """The compiled scalar function that gives (value, error)."""
    return compiled(RunningPrinter(), program, parameters, {})


@njit(nogil=True, error_model="numpy")
def _beside_ties(x, v, e, lines):
    """Puts in place of each v a number beside the tie that a line of `truth` has at x, on the side of the true value.

    It is NaN where there is no such line, or the value isn't surely so near. Returns how many are numbers.
    """
    found = 0
    for k in range(x.size):
        at, near, error, value = np.float64(x[k]), v[k], e[k] * _WIDER, np.nan
        for i in range(lines.shape[0]):
            slope, offset, first, last, sign = lines[i, 0], lines[i, 1], lines[i, 2], lines[i, 3], lines[i, 4]
            t = slope * at + offset
            per_ulp = one_by_ulp(abs(t))
            units = t * per_ulp
            tie = (t - slope * at == offset) & (units - np.floor(units) == 0.5)  # the product always is exact
            if tie & (first <= at) & (at <= last) & ((abs(near - t) + error) * per_ulp < 0.24):
                value = t + sign * abs(t) * 2.0**-52
        found += 1 if value == value else 0
        v[k] = value
    return found


def both(program: Program, parameters: Mapping[Symbol, Rational]) -> Any:
    """A compiled loop (x, values, errors)."""
    scalar = printed(program, parameters)

    @njit(nogil=True, error_model="numpy")
    def fill(x, values, errors):
        for i in range(x.size):
            values[i], errors[i] = scalar(np.float64(x[i]))

    return fill


def settled(program: Program, parameters: Mapping[Symbol, Rational], lines: Sequence[Line]) -> Any:
    """A function (x, values): fills from float32 x what `known` gives, and returns how many ties a line decided."""
    scalar, unsettled = printed(program, parameters), both(program, parameters)
    kept = np.array([(line.slope, line.offset, line.low, line.high, line.sign) for line in lines]).reshape(-1, 5)

    @njit(nogil=True, error_model="numpy")
    def loop(x, values):
        unknown = 0
        for i in range(x.size):
            v, e = scalar(np.float64(x[i]))
            values[i] = known(v, e)
            unknown += 1 if values[i] != values[i] else 0
        return unknown

    def fill(x: np.ndarray, values: np.ndarray) -> int:
        if not loop(x, values) or not lines:
            return 0
        at = np.flatnonzero(values != values)
        v, e = np.empty(at.size), np.empty(at.size)
        unsettled(x[at], v, e)
        ties = _beside_ties(x[at], v, e, kept)
        values[at] = v
        return ties

    return fill

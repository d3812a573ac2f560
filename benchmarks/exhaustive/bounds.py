"""A kernel's program as intervals: compiled code that gives for each float32 two float64 between which the true value lies.

Leans on the float64 primitives and on what they may be off at most. Each step is done for both ends and widened by
more than its rounding, so that what saturates, underflows or overflows stays as narrow as it is. Where a program holds x,
as its result is 0 in float32 farther out too, the ends may be less than 2^-151 beside the true value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import sympy
from sympy import Rational, Symbol

from actfn.formula import functions
from actfn.formula.printers.target import UnprintableError
from actfn.kernels.lower import Program
from benchmarks.exhaustive.ends import ENDS
from benchmarks.exhaustive.walking import LEFT_OUT, Two, Walk, compiled, only_scales

_INCREASING = {
    sympy.exp: "0.0",  # with what the function doesn't go below
    functions.expm1: "-1.0",
    functions.sigmoid: "0.0",
    functions.softplus: "0.0",
    sympy.tanh: "-1.0",
    sympy.sinh: "",
    sympy.asinh: "",
    sympy.erf: "-1.0",
    sympy.atan: "",
    sympy.log: "",
    functions.log1p: "",
}
_AT_MOST = {functions.sigmoid: "1.0", sympy.tanh: "1.0", sympy.erf: "1.0"}
_UNDEFINED_TO: Mapping[Any, str] = {sympy.log: "0.0", functions.log1p: "-1.0"}


class BoundsPrinter(Walk):
    """Prints a program as Numba code in float64 that returns (low, high), between which the true value lies.

    The same name twice stands for a value that is exact.
    """

    def exactly(self, name: str) -> Two:
        return name, name

    def is_exact(self, a: Two) -> bool:
        return a[0] == a[1]

    def nearly(self, number: float) -> Two:
        return repr(float(np.nextafter(number, -np.inf))), repr(float(np.nextafter(number, np.inf)))

    def with_left_out(self, a: Two) -> Two:
        return self._both(f"{a[0]} - {LEFT_OUT}*fabs({a[0]})", f"{a[1]} + {LEFT_OUT}*fabs({a[1]})")

    def _both(self, low: str, high: str) -> Two:
        return self.step(low), self.step(high)

    def extreme(self, a: Two, b: Two, sign: str) -> Two:
        low, high = (f"{p} if {p} {sign} {q} else {q}" for p, q in zip(a, b, strict=True))
        low = self.step(low)
        return low, low if self.is_exact(a) and self.is_exact(b) else self.step(high)

    def absolute(self, a: Two) -> Two:
        if self.is_exact(a):
            return self.exactly(self.step(f"fabs({a[0]})"))
        low = f"{a[0]} if {a[0]} > 0.0 else (-{a[1]} if {a[1]} < 0.0 else 0.0)"
        return self._both(low, f"{a[1]} if {a[1]} > -{a[0]} else -{a[0]}")

    def sign(self, a: Two) -> Two:
        low, high = (f"1.0 if {p} > 0.0 else (-1.0 if {p} < 0.0 else 0.0)" for p in a)
        low = self.step(low)
        return low, low if self.is_exact(a) else self.step(high)

    def sum(self, a: Two, b: Two) -> Two:
        return self._both(f"sum_below({a[0]}, {b[0]})", f"sum_above({a[1]}, {b[1]})")

    def product(self, a: Two, b: Two) -> Two:
        if self.is_exact(a) and self.is_exact(b) and only_scales(b[0]):
            return self.exactly(self.step(f"{a[0]}*{b[0]}"))
        return self._corners("product", a, b)

    def _corners(self, name: str, a: Two, b: Two) -> Two:
        ends = []
        for side, choose in (("below", "least"), ("above", "greatest")):
            first, *rest = [self.step(f"{name}_{side}({p}, {q})") for p in dict.fromkeys(a) for q in dict.fromkeys(b)]
            for other in rest:
                first = self.step(f"{choose}({first}, {other})")
            ends.append(first)
        return ends[0], ends[1]

    def quotient(self, a: Two, b: Two) -> Two:
        if self.is_exact(b) and b[0] == "1.0":
            return a
        low, high = self._corners("quotient", a, b)
        around_zero = f"{b[0]} <= 0.0 <= {b[1]}" if not self.is_exact(b) else f"{b[0]} == 0.0"
        return self._both(f"-1e999 if {around_zero} else {low}", f"1e999 if {around_zero} else {high}")

    def square(self, a: Two) -> Two:
        a = self.absolute(a)
        low = self.step(f"product_below({a[0]}, {a[0]})")
        return self.step(f"{low} if {low} > 0.0 else 0.0"), self.step(f"product_above({a[1]}, {a[1]})")

    def root(self, a: Two) -> Two:
        low, high = self._both(f"below(sqrt({a[0]} if {a[0]} > 0.0 else 0.0))", f"above(sqrt(fabs({a[1]})))")
        low = self.step(f"({low} if {low} > 0.0 else 0.0) if {a[0]} >= 0.0 else -1e999")
        return low, self.step(f"{high} if {a[0]} >= 0.0 else 1e999")

    def call(self, kind: Any, a: Two) -> Two:
        name = kind.__name__
        self.used.add(name)
        if kind in _INCREASING:
            low, high = self._primitive(name, *a)
            floor, ceiling = _INCREASING[kind], _AT_MOST.get(kind)
            low = self.step(f"{low} if {low} > {floor} else {floor}") if floor else low
            high = self.step(f"{high} if {high} < {ceiling} else {ceiling}") if ceiling else high
            if (edge := _UNDEFINED_TO.get(kind)) is not None:
                low = self.step(f"{low} if {a[0]} > {edge} else -1e999")
                high = self.step(f"{high} if {a[0]} > {edge} else 1e999")
            return low, high
        if kind is functions.erfc:
            low, high = self._primitive(name, a[1], a[0])
            return self.step(f"{low} if {low} > 0.0 else 0.0"), high
        if kind is sympy.cosh:
            return self._primitive(name, *self.absolute(a))
        if kind in (sympy.sin, sympy.cos):
            low, high = self._primitive(name, a[0], a[0])
            if not self.is_exact(a):
                low, high = self._both(f"{low} - 1.001*({a[1]} - {a[0]})", f"{high} + 1.001*({a[1]} - {a[0]})")
            return self._both(f"{low} if {low} > -1.0 else -1.0", f"{high} if {high} < 1.0 else 1.0")
        raise UnprintableError(f"no rule bounds the error of {name}")

    def _primitive(self, name: str, low: str, high: str) -> Two:
        low_value = self.step(f"{name}({low})")
        high_value = low_value if low == high else self.step(f"{name}({high})")
        return self._both(f"primitive_below({low_value})", f"primitive_above({high_value})")

    def chosen(self, surely: str, possibly: str, branch: Two, other: Two) -> Two:
        if surely == possibly and self.is_exact(branch) and self.is_exact(other):
            return self.exactly(self.step(f"{branch[0]} if {surely} else {other[0]}"))
        if surely == possibly:
            low, high = (f"{b} if {surely} else {e}" for b, e in zip(branch, other, strict=True))
            return self._both(low, high)
        hull = self._both(f"least({branch[0]}, {other[0]})", f"greatest({branch[1]}, {other[1]})")
        low, high = (
            f"{b} if {surely} else ({h} if {possibly} else {e})" for b, h, e in zip(branch, hull, other, strict=True)
        )
        return self._both(low, high)

    def below(self, a: Two, b: Two, sign: str) -> Two:
        return f"({a[1]} {sign} {b[0]})", f"({a[0]} {sign} {b[1]})"

    def overlap(self, a: Two, b: Two) -> str:
        return f"(({a[0]} <= {b[1]}) & ({b[0]} <= {a[1]}))"


def reference(program: Program, parameters: Mapping[Symbol, Rational]) -> Any:
    """A compiled loop (x, low, high): fills the ends from float32 x."""
    scalar = compiled(BoundsPrinter(), program, parameters, ENDS)
    njit: Any = numba.njit

    @njit(nogil=True, error_model="numpy")
    def fill(x, low, high):
        for i in range(x.size):
            low[i], high[i] = scalar(np.float64(x[i]))

    return fill

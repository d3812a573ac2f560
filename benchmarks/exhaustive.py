"""Every float32, float16 and bfloat16 through the kernels of the catalog, f and f' at default parameters.

A float32 result is judged by a float64 value that carries a bound of its own error, printed from the kernel's program.
Where a rounding boundary lies within the bound, Arb decides. float64 is sampled. A run that is stopped goes on where it
was, and a kernel whose code is as it was when it was tried isn't tried again.

Run:  python -m benchmarks.exhaustive [--entry elu ...] [--order 0 1] [--dtype float32 ...] [--accuracy fast correct]
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import os
import re
import sys
import tempfile
import threading
import time
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba
import numba.extending
import numpy as np
import sympy
from flint import arb
from llvmlite import ir
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn
from sympy import Expr, Mul, Piecewise, Pow, Rational, Symbol

from actfn import catalog, files
from actfn.definition import Definition
from actfn.formula import functions
from actfn.formula.derivative import derivative
from actfn.formula.functions import X
from actfn.formula.pieces import unfold
from actfn.formula.printers.constants import nearest, value
from actfn.formula.printers.numba import is_power_of_two
from actfn.formula.printers.target import UnprintableError
from actfn.kernels import build, threads
from actfn.kernels.build import Kernel, Request
from actfn.kernels.correct import NotShown
from actfn.kernels.lower import Program
from actfn.kernels.primitives import arithmetic, float64
from actfn.kernels.primitives.intrinsics import primitive
from actfn.kernels.primitives.table import PRIMITIVES
from actfn.kernels.printed import load
from actfn.reference import Oracle, ulps, working_precision
from benchmarks import machine

RESULTS = Path(__file__).parent / "results/exhaustive.json"
CORRECT = Path(build.__file__).with_name("correct.json")
ORDERS = (0, 1)
ACCURACIES = ("fast", "correct")
CHUNK = 1 << 24
BLOCK = 1 << 15
QUICK = 1 << 12
INFINITY_BITS = 0x7F800000  # of float32: finite patterns lie below, NaNs above, and so with the sign
SIGN = 0x80000000
DOUBTS = 20_000  # a chunk may leave so many to Arb; the others are reported as not decided
EXAMPLES = 5
KEPT = 5_000
SAMPLES = 2_000_000

njit: Any = numba.njit
intrinsic: Any = numba.extending.intrinsic

# -- a float64 value and a bound of its error ---------------------------------------------------------------------------

PRIMITIVE_ULPS = 16.0
"""What a float64 primitive may be off: a wide margin over the bounds stated in `table`, which `_refuse_loose` compares.
It costs nothing: 2^-24 of a float32 ulp."""
_ROUNDING = "2.220446049250313e-16"  # 2^-52, twice what one rounding loses: the rest is for the bound's own roundings
_UNDERFLOW = "1e-321"
_RELATIVE = repr(PRIMITIVE_ULPS * 2.0**-52)

_SLOPES: Mapping[Any, str] = {
    # a bound of |f'| between u - e and u + e, from v = f(u); for e < 2^-7
    sympy.exp: "1.02*v",
    functions.expm1: "1.02*(v + 1.0 if v > 0.0 else 1.0)",
    functions.sigmoid: "(1.02*v if v < 0.24 else 0.25)",
    functions.softplus: "(1.02*v if v < 0.97 else 1.0)",
    sympy.tanh: "1.0",
    sympy.sinh: "1.02*(fabs(v) + 1.0)",
    sympy.cosh: "1.02*v",
    sympy.asinh: "1.0",
    sympy.erf: "1.13",
    functions.erfc: "1.13 if u < 0.0 else 1.6*v*(2.0*u + 1.45)",
    sympy.atan: "1.0",
    sympy.sin: "1.0",
    sympy.cos: "1.0",
    sympy.log: "1.02/(u - e) if u > e else 1e999",
    functions.log1p: "1.02/(1.0 + u - e) if 1.0 + u > e else 1e999",
}
_FAR: Mapping[Any, str] = {
    # where e is not below 2^-7, or the slope says little: "bound if where"; elsewhere nothing is known
    sympy.exp: "1e-300 if u + e < -700.0",
    functions.expm1: "1e-16 if u + e < -40.0",
    functions.sigmoid: "1e-300 if u + e < -700.0 else 1e-16 if u - e > 40.0",
    functions.softplus: "1e-300 if u + e < -700.0 else e",
    sympy.tanh: "1e-16 if (u - e > 25.0) | (u + e < -25.0) else e",
    functions.erfc: "1e-300 if u - e > 27.0 else 1e-16 if u + e < -7.0",
    sympy.erf: "1e-16 if (u - e > 7.0) | (u + e < -7.0) else 1.13*e",
}


class BoundsPrinter:
    """Prints a program as Numba code in float64 that returns (v, e): the true value lies in [v - e, v + e].

    Each step is one line for its value and one for its bound. "0.0" as a bound says that the value is exact. Raises
    `UnprintableError` for a function that it has no rule for.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.known: dict[Expr, tuple[str, str]] = {X: ("x", "0.0")}
        self.narrow: set[Expr] = {X}
        """Names of values that are float32, whose squares float64 holds exactly."""
        self.used: set[str] = set()
        self.count = itertools.count()

    def function(self, program: Program, parameters: Mapping[Symbol, Rational]) -> str:
        """The source of `scalar(x)`."""
        for symbol, expression in program.assignments:
            self.known[symbol] = self.visit(expression.xreplace(dict(parameters)))
            if isinstance(expression, Piecewise) and all(e in self.narrow or e.is_Integer for e, _ in expression.args):
                self.narrow.add(symbol)
        v, e = self.visit(program.result.xreplace(dict(parameters)))
        body = "".join(f"    {line}\n" for line in self.lines)
        return f"@primitive\ndef scalar(x):\n{body}    return {v}, {e if e == '0.0' else f'1.001*{e}'}\n"

    def visit(self, node: Expr) -> tuple[str, str]:
        if node not in self.known:
            self.known[node] = self._new(node)
        return self.known[node]

    def _step(self, text: str) -> str:
        name = f"s{next(self.count)}"
        self.lines.append(f"{name} = {text}")
        return name

    def _new(self, node: Expr) -> tuple[str, str]:
        if node.is_number:
            number: Any = value(node)
            v = nearest(number)
            exact = number.is_Rational and Rational(*v.as_integer_ratio()) == number
            return repr(v), "0.0" if exact else repr(abs(v) * 2.0**-52)
        if node.is_Add:
            return self._folded(node.args, self._sum)
        if isinstance(node, Mul):
            up = [f for f in node.args if not _divides(f)]
            down = [1 / f for f in node.args if _divides(f)]
            top = self._folded(up, self._product) if up else ("1.0", "0.0")
            return self._quotient(top, self._folded(down, self._product)) if down else top
        if isinstance(node, Piecewise):
            return self._choice(node)
        if isinstance(node, Pow) and not isinstance(node, sympy.exp):
            return self._power(node)
        if isinstance(node, functions.maximum | functions.minimum):
            (a, ea), (b, eb) = map(self.visit, node.args)
            v = self._step(f"{a} if {a} {'>' if isinstance(node, functions.maximum) else '<'} {b} else {b}")
            return v, "0.0" if ea == eb == "0.0" else self._step(f"{ea} if {ea} > {eb} else {eb}")
        if isinstance(node, sympy.Abs):
            a, e = self.visit(node.args[0])
            self.used.add("fabs")
            return self._step(f"fabs({a})"), e
        if isinstance(node, sympy.sign):
            a, e = self.visit(node.args[0])
            v = self._step(f"1.0 if {a} > 0.0 else (-1.0 if {a} < 0.0 else 0.0)")
            return v, "0.0" if e == "0.0" else self._step(f"0.0 if ({a} > {e}) | ({a} < -{e}) else 1e999")
        return self._call(node)

    def _folded(self, terms: Sequence[Expr], join: Callable[..., tuple[str, str]]) -> tuple[str, str]:
        first, *rest = (self.visit(t) for t in sorted(terms, key=lambda t: bool(t.is_number)))
        for other in rest:
            first = join(first, other)
        return first

    def _sum(self, a: tuple[str, str], b: tuple[str, str]) -> tuple[str, str]:
        self.used.add("fabs")
        v = self._step(f"{a[0]} + {b[0]}")
        return v, self._step(f"{a[1]} + {b[1]} + fabs({v})*{_ROUNDING}")

    def _product(self, a: tuple[str, str], b: tuple[str, str]) -> tuple[str, str]:
        self.used.add("fabs")
        v = self._step(f"{a[0]}*{b[0]}")
        if "0.0" == a[1] == b[1] and _only_scales(b[0]):
            return v, "0.0"
        e = f"fabs({a[0]})*{b[1]} + fabs({b[0]})*{a[1]} + {a[1]}*{b[1]}"
        return v, self._step(f"{e} + fabs({v})*{_ROUNDING} + {_UNDERFLOW}")

    def _quotient(self, a: tuple[str, str], b: tuple[str, str]) -> tuple[str, str]:
        self.used.add("fabs")
        v = self._step(f"{a[0]}/{b[0]}")
        if "0.0" == a[1] == b[1] and b[0] == "1.0":
            return v, "0.0"
        least = self._step(f"fabs({b[0]}) - {b[1]}")
        e = self._step(f"({a[1]} + fabs({v})*{b[1]})/{least} if {least} > 0.0 else 1e999")
        return v, self._step(f"1.001*{e} + fabs({v})*{_ROUNDING} + {_UNDERFLOW}")

    def _power(self, node: Pow) -> tuple[str, str]:
        base, exponent = node.args
        if exponent.is_Integer and exponent < 0:
            return self._quotient(("1.0", "0.0"), self.visit(base**-exponent))
        if exponent == 2 and base in self.narrow:
            return self._step("{0}*{0}".format(*self.visit(base))), "0.0"
        if exponent == 2:
            return self._product(self.visit(base), self.visit(base))
        if exponent.is_Integer:
            half = base ** (exponent // 2)
            return self._product(self.visit(half), self.visit(base ** (exponent - exponent // 2)))
        if exponent == Rational(1, 2):
            a, e = self.visit(base)
            self.used.add("sqrt")
            v = self._step(f"sqrt({a})")
            slope = f"{e}/sqrt({a} - {e}) if {a} > {e} else sqrt(2.0*{e})"
            return v, self._step(f"({slope}) + {v}*{_ROUNDING}")
        raise UnprintableError(f"no rule bounds the error of {node}")

    def _call(self, node: Expr) -> tuple[str, str]:
        kind = functions.erfc if isinstance(node, sympy.erfc) else node.func
        if kind not in _SLOPES:
            raise UnprintableError(f"no rule bounds the error of {kind.__name__}")
        name = kind.__name__
        self.used |= {name, "fabs"}
        a, ea = self.visit(node.args[0])
        v = self._step(f"{name}({a})")
        own = f"fabs({v})*{_RELATIVE} + {_UNDERFLOW}"
        if ea == "0.0":
            return v, self._step(own)

        def filled(rule: str) -> str:
            return re.sub(r"\b[vue]\b", lambda m: {"v": v, "u": a, "e": ea}[m[0]], rule)

        slope = self._step(filled(_SLOPES[kind]))
        far = _FAR.get(kind, "")
        otherwise = self._step(filled(far + ("" if far.endswith("e") else " else 1e999" if far else "1e999")))
        return v, self._step(f"{own} + ({slope}*{ea} if {ea} < 0.0078125 else {otherwise})")

    def _choice(self, node: Piecewise) -> tuple[str, str]:
        tests = [(self._condition(c), self.visit(e)) for e, c in node.args]
        v, e = tests[-1][1]
        exact = all(t[1][1] == "0.0" for t in tests)
        for (condition, unsure), (branch, bound) in reversed(tests[:-1]):
            v = self._step(f"{branch} if {condition} else {v}")
            if not exact or unsure:
                e = self._step(f"{bound} if {condition} else {e}")
            if unsure:
                e = self._step(f"1e999 if {unsure} else {e}")
        return v, e

    def _condition(self, condition: Any) -> tuple[str, str]:
        """(condition, where it isn't sure: "" for nowhere)."""
        if condition in (sympy.true, sympy.false):
            return str(condition), ""
        if isinstance(condition, sympy.And | sympy.Or):
            parts = [self._condition(c) for c in condition.args]
            sign = " & " if isinstance(condition, sympy.And) else " | "
            return f"({sign.join(p[0] for p in parts)})", " | ".join(p[1] for p in parts if p[1])
        if isinstance(condition, sympy.Not):
            inner, unsure = self._condition(condition.args[0])
            return f"(not {inner})", unsure
        (a, ea), (b, eb) = self.visit(condition.lhs), self.visit(condition.rhs)
        text = f"({a} {condition.rel_op} {b})"
        if ea == eb == "0.0":
            return text, ""
        self.used.add("fabs")
        return text, f"(fabs({a} - {b}) <= 1.001*({ea} + {eb}))"


def _divides(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.exp.is_Integer and bool(factor.exp.is_negative)


def _only_scales(text: str) -> bool:
    """Whether a printed factor is a power of two, with a sign, by which a product with what is exact stays exact."""
    return text.lstrip("-") in ("0.125", "0.25", "0.5", "1.0", "2.0", "4.0", "8.0")


def _refuse_loose(names: set[str]) -> None:
    for name in names:
        known = PRIMITIVES.get((name, "float64"))
        if known is not None and not known.bound <= PRIMITIVE_ULPS:
            raise UnprintableError(f"{name} may be off by {known.bound} ulps, more than {PRIMITIVE_ULPS}")


def reference(program: Program, parameters: Mapping[Symbol, Rational]) -> Any:
    """A compiled loop (x, v, e): fills v and e from float32 x."""
    printer = BoundsPrinter()
    source = printer.function(program, parameters)
    _refuse_loose(printer.used)
    namespace = {n: getattr(arithmetic, n, None) or getattr(float64, n) for n in printer.used}
    scalar = load(source, "scalar", {"primitive": primitive, "__name__": "benchmarks.exhaustive", **namespace})

    @njit(nogil=True, error_model="numpy")
    def fill(x, v, e):
        for i in range(x.size):
            v[i], e[i] = scalar(np.float64(x[i]))

    return fill


# -- judging ------------------------------------------------------------------------------------------------------------


def _bits_of(typing_context, x):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return numba.types.int64(numba.types.float64), codegen


def _float_of(typing_context, bits):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return numba.types.float64(numba.types.int64), codegen


_bits, _float = intrinsic(_bits_of), intrinsic(_float_of)


@primitive
def _judge(got, v, e):
    """(misrounded, NaN, in doubt, error in ulps as bits) of one float32."""
    y = np.float64(got)
    low, high = np.float64(np.float32(v - e)), np.float64(np.float32(v + e))
    settled = low == high
    nan = y != y
    # the ulp of the smallest binade that the true value may lie in
    least = arithmetic.fabs(v) - e
    exponent = _bits(least if least > 0.0 else 0.0) >> 52
    exponent = exponent if exponent < 1023 + 127 else 1023 + 127
    exponent = exponent - 23 if exponent - 23 > 1023 - 149 else 1023 - 149
    per_ulp = _float((2046 - exponent) << 52)
    error = (arithmetic.fabs(y - v) + e) * per_ulp
    right = y == low
    error = 0.5 if right & settled & (error > 0.5) else error
    infinite = arithmetic.fabs(y) == np.inf
    error = (0.0 if right else np.inf) if infinite else error
    doubt = not (settled & (e * per_ulp < 0.01))
    error = 0.0 if nan | doubt else error
    return settled & (not right) & (not nan) & (not doubt), nan, doubt & (not nan), _bits(error)


@njit(nogil=True, error_model="numpy")
def _count(y, v, e):
    misrounded, nans, doubts, worst = 0, 0, 0, 0
    for i in range(y.size):
        wrong, nan, doubt, error = _judge(y[i], v[i], e[i])
        misrounded += 1 if wrong else 0
        nans += 1 if nan else 0
        doubts += 1 if doubt else 0
        worst = error if error > worst else worst
    return misrounded, nans, doubts, worst


@njit(nogil=True, error_model="numpy")
def _places(y, v, e, worst):
    """Where the first of the largest error is, what is in doubt, the first misrounded, the first NaN."""
    at, doubts, wrongs, nans = -1, [0 for _ in range(0)], [0 for _ in range(0)], [0 for _ in range(0)]
    for i in range(y.size):
        wrong, nan, doubt, error = _judge(y[i], v[i], e[i])
        if at < 0 and error == worst and not nan and not doubt:
            at = i
        if doubt:
            doubts.append(i)
        if wrong:
            wrongs.append(i)
        if nan and len(nans) < 5:
            nans.append(i)
    return at, doubts, wrongs, nans


@dataclass
class Tally:
    """What was found so far of one kernel; `at` and the examples are inputs."""

    misrounded: int = 0
    nan: int = 0
    not_decided: int = 0
    settled_by_arb: int = 0
    settled_by_tangent: int = 0
    max_ulp: float = 0.0
    at: float | None = None
    examples: list[float] = field(default_factory=list)
    keep: int = EXAMPLES

    def add(self, other: Tally) -> None:
        self.misrounded += other.misrounded
        self.nan += other.nan
        self.not_decided += other.not_decided
        self.settled_by_arb += other.settled_by_arb
        self.settled_by_tangent += other.settled_by_tangent
        if other.max_ulp > self.max_ulp:
            self.max_ulp, self.at = other.max_ulp, other.at
        self.examples = (self.examples + other.examples)[: self.keep]

    def as_json(self) -> dict[str, Any]:
        shown = "infinite" if math.isinf(self.max_ulp) else self.max_ulp
        return vars(self) | {"max_ulp": shown}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tally:
        known: dict[str, Any] = {k: v for k, v in data.items() if k in cls.__dataclass_fields__}
        known["max_ulp"] = float(str(known["max_ulp"]).replace("infinite", "inf"))
        return cls(**known)


Compute = Callable[[np.ndarray, np.ndarray], None]
"""Fills its second argument with the results of its first."""


class Truth:
    """The true values of one derivative of an entry, at its default parameters as `dtype` holds them."""

    def __init__(self, definition: Definition, order: int, dtype: str):
        kind = np.float64 if dtype == "float64" else np.float32
        self.parameters = {name: float(kind(v)) for name, v in definition.defaults.items()}
        self.dtype = dtype
        self.oracle_expression = derivative(definition.expression, order, definition.conventions)
        self.oracle = Oracle(self.oracle_expression)
        self.symbols = {p.symbol: Rational(*self.parameters[p.name].as_integer_ratio()) for p in definition.parameters}
        self.tangent = _tangent(self.oracle_expression.xreplace(self.symbols))

    def rounded(self, x: float, dtype: str = "") -> float:
        return self.oracle.rounded(x, self.parameters, dtype or self.dtype)

    def judged(self, x: float, got: float) -> tuple[bool, float]:
        """(whether it is misrounded, the error in ulps)."""
        error = ulps(got, self.oracle.ball(x, self.parameters), self.dtype)
        true = self.rounded(x)
        return got != true and not (math.isnan(got) and math.isnan(true)), error


def _tangent(expression: Expr) -> tuple[float, int, int] | None:
    """(c, k, s): where c*x is subnormal, f(x) - c*x is tiny beside x and has the sign of s*x^k. None: not proven.

    Where c is 1/2, every second such x is nearly a tie, millions in all. By Taylor's formula with the remainder at
    some point of the interval, where Arb gives the derivative of order k a sign, they are settled at once.
    """
    expression = unfold(expression)
    if expression.has(Piecewise) or expression.xreplace({X: sympy.S.Zero}).doit() != 0:
        return None
    slope = sympy.nsimplify(sympy.diff(expression, X).xreplace({X: sympy.S.Zero}).doit())
    if not (slope.is_Rational and slope != 0 and is_power_of_two(abs(slope))):
        return None
    around, term = arb(0, 2.0**-126 / float(abs(slope))), sympy.diff(expression, X)
    for k in range(2, 5):
        term = sympy.diff(term, X)
        with working_precision(128):
            ball = arb(Oracle(term)._run(around, (), 128))
            if ball.abs_upper() < 1000 and ball.abs_lower() > 0:
                return float(slope), k, 1 if ball > 0 else -1
        if term.xreplace({X: sympy.S.Zero}).doit() != 0:
            return None
    return None


class Scanner:
    """Runs float32 patterns through kernels and judges what comes out."""

    def __init__(self, fill: Any, kernels: Mapping[str, Compute], truth: Truth):
        self.fill, self.kernels, self.truth = fill, kernels, truth
        self.local = threading.local()

    def scan(self, start: int, count: int) -> dict[str, tuple[Tally, list[tuple[float, float]]]]:
        """For each kernel what the finite patterns from `start` on give, and (x, got) of those in doubt."""
        found = {name: (Tally(keep=_kept(name)), []) for name in self.kernels}
        for at in range(start, start + count, BLOCK):
            x, y, v, e = (part[: min(BLOCK, start + count - at)] for part in self._buffers())
            x.view(np.uint32)[:] = np.arange(at, at + x.size, dtype=np.uint64)
            self.fill(x, v, e)
            for name, compute in self.kernels.items():
                compute(x, y)
                self._judge(x, y, v, e, *found[name])
        return found

    def _buffers(self) -> tuple[np.ndarray, ...]:
        if not hasattr(self.local, "buffers"):
            self.local.buffers = tuple(np.empty(BLOCK, k) for k in (np.float32, np.float32, np.float64, np.float64))
        return self.local.buffers

    def _judge(self, x: Any, y: Any, v: Any, e: Any, tally: Tally, doubtful: list[tuple[float, float]]) -> None:
        misrounded, nans, doubts, worst = _count(y, v, e)
        error = float(np.array([worst], np.int64).view(np.float64)[0])
        tally.misrounded += misrounded
        tally.nan += nans
        more = (misrounded or nans) and len(tally.examples) < tally.keep
        if not (doubts or error > tally.max_ulp or more):
            return
        at, unsure, wrong, nan = _places(y, v, e, worst)
        if error > tally.max_ulp:
            tally.max_ulp, tally.at = error, float(x[at])
        tally.examples = (tally.examples + [float(x[i]) for i in [*wrong, *nan]])[: tally.keep]
        unsure = self._by_tangent(x, y, np.array(unsure, np.intp), tally)
        taken = unsure[: max(0, DOUBTS - len(doubtful))]
        tally.not_decided += len(unsure) - len(taken)
        doubtful += [(float(x[i]), float(y[i])) for i in taken]

    def _by_tangent(self, x: Any, y: Any, unsure: np.ndarray, tally: Tally) -> np.ndarray:
        """Settles the ties among subnormal results, see `_tangent`, and returns the others."""
        if self.truth.tangent is None or not unsure.size:
            return unsure
        slope, k, sign = self.truth.tangent
        at = x[unsure].astype(np.float64)
        units = slope * at * 2.0**149  # exact
        below = np.floor(units)
        tie = (np.abs(units) < 2.0**23) & (units - below == 0.5)
        true = below[tie] + (sign * np.sign(at[tie]) ** k > 0)
        got = y[unsure[tie]].astype(np.float64) * 2.0**149
        wrong = got != true
        tally.settled_by_tangent += int(tie.sum())
        tally.misrounded += int(wrong.sum())
        tally.examples = (tally.examples + at[tie][wrong][: tally.keep].tolist())[: tally.keep]
        worst = np.abs(got - units[tie])
        if worst.size and worst.max() > tally.max_ulp:
            tally.max_ulp, tally.at = float(worst.max()), float(at[tie][worst.argmax()])
        return unsure[~tie]

    def settle(self, tally: Tally, doubtful: Sequence[tuple[float, float]]) -> None:
        """Arb's verdict on those in doubt."""
        for x, got in doubtful:
            wrong, error = self.truth.judged(x, got)
            tally.settled_by_arb += 1
            tally.misrounded += wrong
            if error > tally.max_ulp:
                tally.max_ulp, tally.at = error, x
            if wrong and len(tally.examples) < tally.keep:
                tally.examples.append(x)


def _kept(accuracy: str) -> int:
    """How many misrounded inputs are kept: of "correct" all, within reason, as its rounding test is to catch them."""
    return KEPT if accuracy == "correct" else EXAMPLES


def specials_wrong(compute: Compute, truth: Truth) -> int:
    """How many of the infinities (where the formula has a limit) and of the NaNs give something else than they should."""
    wrong = 0
    x = np.array([-math.inf, math.inf], np.float32)
    y = np.empty_like(x)
    compute(x, y)
    for at, got in zip(x, y, strict=True):
        true = truth.rounded(float(at))
        wrong += not math.isnan(true) and float(got) != true
    for first in (INFINITY_BITS + 1, SIGN + INFINITY_BITS + 1):
        for start in range(first, first + (1 << 23) - 1, 1 << 20):
            bits = np.arange(start, min(start + (1 << 20), first + (1 << 23) - 1), dtype=np.uint64).astype(np.uint32)
            x = bits.view(np.float32)
            y = np.empty_like(x)
            compute(x, y)
            wrong += int(np.count_nonzero(y == y))
    return wrong


def chunks() -> list[tuple[int, int]]:
    """(first pattern, count) of every chunk of the finite float32."""
    return [(sign + at, min(CHUNK, INFINITY_BITS - at)) for sign in (0, SIGN) for at in range(0, INFINITY_BITS, CHUNK)]


def calling(kernel: Kernel) -> Compute:
    """A kernel at its default parameters as a function of arrays."""
    kind = np.float64 if kernel.request.parameter_dtype == "float64" else np.float32
    parameters = [np.array([v], kind) for v in kernel.request.definition.defaults.values()]

    def compute(x: np.ndarray, y: np.ndarray) -> None:
        threads.run(kernel, x.size, [x.ctypes.data], [p.ctypes.data for p in parameters], [y.ctypes.data])

    return compute


def without_test() -> None:
    """Makes kernels of this process that go without a rounding test at default parameters, as if shown correct.

    Whether they may is what is found out here.
    """
    every = frozenset((name, order) for name in catalog.entries() for order in ORDERS)
    build.tried_on_every_input = lambda: every  # type: ignore[assignment]


# -- what a kernel is made of -------------------------------------------------------------------------------------------


def digest(kernel: Kernel) -> str:
    """Changes with the kernel's scalar code and with any function or constant that it reaches; not with a comment."""
    plain = {"contiguous": lambda function: function, "__name__": "actfn.kernels.generated"}
    values = load(kernel.source.replace("@primitive\n", ""), "with_scalars", plain)
    hashed = hashlib.sha256()
    for part in _reached(values, {}):
        hashed.update(part.encode())
    return hashed.hexdigest()[:16]


def _reached(item: Any, seen: dict[int, Any]) -> Iterator[str]:
    item = getattr(item, "py_func", None) or getattr(item, "_defn", item)
    if id(item) in seen:
        return
    seen[id(item)] = item
    if not isinstance(item, types.FunctionType):
        if isinstance(item, int | float | str | tuple | np.generic):
            yield repr(item)
        return
    scope = item.__globals__
    for cell_name, cell in zip(item.__code__.co_freevars, item.__closure__ or (), strict=True):
        scope = {**scope, cell_name: cell.cell_contents}
    codes = [item.__code__]
    for code in codes:
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        yield code.co_code.hex()
        yield repr([c for c in code.co_consts if c != item.__doc__ and not isinstance(c, types.CodeType)])
        for name in (*code.co_names, *code.co_freevars):
            found = scope.get(name)
            if isinstance(found, types.ModuleType) and found.__name__.startswith("actfn."):
                for attribute in code.co_names:
                    if hasattr(found, attribute):
                        yield attribute
                        yield from _reached(getattr(found, attribute), seen)
            elif found is not None and not isinstance(found, types.ModuleType | type):
                yield name
                yield from _reached(found, seen)


# -- one kernel or two over every input -----------------------------------------------------------------------------------


def exhaust(
    name: str, scanner: Scanner, tallies: dict[str, Tally], done: int, save: Callable[[int], None], progress: Progress
) -> None:
    """Every finite float32 from chunk `done` on; `save(chunks done)` after each. Two threads work, this one settles."""
    every = chunks()
    task = progress.add_task(name, total=len(every), completed=done)
    pool = ThreadPoolExecutor(2)
    waiting: deque[Future[Any]] = deque()
    left = iter(every[done:])
    try:
        while done < len(every):
            for chunk in itertools.islice(left, 4 - len(waiting)):
                waiting.append(pool.submit(scanner.scan, *chunk))
            for accuracy, (tally, doubtful) in waiting.popleft().result().items():
                scanner.settle(tally, doubtful)
                tallies[accuracy].add(tally)
            done += 1
            save(done)
            progress.update(task, completed=done)
    finally:
        pool.shutdown(cancel_futures=True)
        progress.remove_task(task)


def sixteen(definition: Definition, order: int, dtype: str, compute: Compute) -> tuple[Tally, int]:
    """Every float16 or bfloat16 against the oracle: (tally, how many infinities and NaNs come out wrong)."""
    truth = Truth(definition, order, dtype)
    bits = np.arange(1 << 16, dtype=np.uint16)
    out = np.empty_like(bits)
    compute(bits, out)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        xs, ys = (_widened(part, dtype).astype(np.float64) for part in (bits, out))
    tally, wrong = Tally(), 0
    for x, got in zip(xs.tolist(), ys.tolist(), strict=True):
        if math.isnan(x):
            wrong += not math.isnan(got)
            continue
        true = truth.rounded(x)
        if math.isinf(x):
            wrong += not math.isnan(true) and got != true
            continue
        error = ulps(got, truth.oracle.ball(x, truth.parameters, 64), dtype)
        tally.nan += math.isnan(got)
        tally.misrounded += got != true and not math.isnan(got)
        if got != true and len(tally.examples) < EXAMPLES:
            tally.examples.append(x)
        if error > tally.max_ulp:
            tally.max_ulp, tally.at = error, x
    return tally, wrong


def _widened(bits: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "float16":
        return bits.view(np.float16)
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def sampled(definition: Definition, order: int, compute: Compute, count: int, tick: Callable[[], None]) -> Tally:
    """float64 at random inputs over all binades and near 0 and 1, then around the worst: hill climbing by neighbours."""
    truth = Truth(definition, order, "float64")
    random = np.random.default_rng(20)
    binades = random.integers(0, 2**64, count // 2, dtype=np.uint64).view(np.float64)
    near = np.concatenate([random.normal(0, 3, count // 4), random.normal(0, 40, count - count // 2 - count // 4)])
    kinks = np.array([s * 2.0**-k for k in range(60) for s in (1, -1)] + [0.0, -0.0, 1.0, -1.0])
    x = np.concatenate([binades[np.isfinite(binades)], near, kinks])
    tally = Tally()
    ranked: list[tuple[float, float]] = []

    def judge(xs: np.ndarray) -> None:
        ys = np.empty_like(xs)
        compute(xs, ys)
        for at, got in zip(xs.tolist(), ys.tolist(), strict=True):
            error = ulps(got, truth.oracle.ball(at, truth.parameters, 64), "float64")
            tally.nan += math.isnan(got)
            tally.misrounded += error > 0.5
            ranked.append((error, at))
            if error > tally.max_ulp:
                tally.max_ulp, tally.at = error, at

    for part in np.array_split(x, max(1, x.size // 10_000)):
        judge(np.ascontiguousarray(part))
        ranked[:] = sorted(ranked, reverse=True)[:32]
        tick()
    for spread in (1e-2, 1e-4, 1e-7, 1e-10, 1e-13):
        worst = np.array([at for _, at in ranked])
        judge(np.ravel(worst[:, None] * (1 + spread * random.normal(size=(1, count // 5000 + 2)))))
        ranked[:] = sorted(ranked, reverse=True)[:32]
        tick()
    return tally


# -- the table ------------------------------------------------------------------------------------------------------------


class Results:
    """The rows that were found, and how far an unfinished kernel got, in one file that is written whole."""

    def __init__(self, path: Path = RESULTS):
        self.path = path
        self.machine = machine.facts()
        data = json.loads(path.read_text()) if path.exists() else {}
        self.rows: list[dict[str, Any]] = data.get("kernels", [])
        self.unfinished: dict[str, Any] = data.get("unfinished", {})

    def row(self, request: Request, source: str) -> dict[str, Any] | None:
        key = _key(request)
        return next((r for r in self.rows if _row_key(r) == key and r["source"] == source), None)

    def put(self, row: dict[str, Any]) -> None:
        self.rows = sorted([*(r for r in self.rows if _row_key(r) != _row_key(row)), row], key=_row_key)
        self.save()

    def save(self) -> None:
        data = {"machine": self.machine, "kernels": self.rows, "unfinished": self.unfinished}
        files.write_json(self.path, data)

    def correct(self) -> list[list[Any]]:
        """[entry, order] of each float32 kernel whose accuracy "correct" was shown on every input."""
        counts = ("misrounded", "misrounded_without_test", "nan", "not_decided", "specials_wrong")
        found = [
            [r["entry"], r["order"]]
            for r in self.rows
            if (r["dtype"], r["arithmetic"], r["method"]) == ("float32", "wide", "exhaustive")
            and not any(r.get(c) for c in counts)
        ]
        return [pair for i, pair in enumerate(found) if pair not in found[:i]]  # "fast" may be the same code

    def table(self) -> str:
        """The rows in Markdown."""
        lines = [
            "| kernel | dtype | accuracy | arithmetic | inputs | max ulp | at | misrounded | NaN | not decided | s |"
        ]
        lines.append("|---|---|---|---|---|---|---|---|---|---|---|")
        for r in self.rows:
            name = r["entry"] + "'" * r["order"]
            inputs = f"{r['inputs']:,}" + (" sampled" if r["method"] == "sampled" else "")
            error = r["max_ulp"] if isinstance(r["max_ulp"], str) else f"{r['max_ulp']:.4f}"
            at = "" if r["at"] is None else f"{r['at']:.9g}"
            counts = f"{r['misrounded']:,} | {r['nan']:,} | {r['not_decided']:,}"
            lines.append(
                f"| {name} | {r['dtype']} | {r['accuracy']} | {r['arithmetic']} | {inputs} | {error} | {at} | {counts} | "
                f"{r['seconds']:.0f} |"
            )
        return "\n".join(lines)


def _key(request: Request) -> tuple[Any, ...]:
    return request.definition.name, request.order, request.dtype, request.accuracy


def _row_key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["entry"], row["order"], row["dtype"], row["accuracy"]


def _row(
    kernel: Kernel, source: str, tally: Tally, inputs: int, seconds: float, method: str, wrong: int
) -> dict[str, Any]:
    request = kernel.request
    found = tally.as_json()
    shown = []
    truth = Truth(request.definition, request.order, request.dtype)
    worst: list[float] = [] if tally.at is None else [tally.at]
    for x in dict.fromkeys([*worst, *tally.examples[:EXAMPLES]]):
        shown.append({"x": x, "got": str(_single(kernel, x)), "true": str(truth.rounded(x))})
    return {
        "entry": request.definition.name,
        "order": request.order,
        "dtype": request.dtype,
        "accuracy": request.accuracy,
        "arithmetic": build.level(request, build.program(request)),
        "method": method,
        "inputs": inputs,
        **{k: v for k, v in found.items() if k not in ("examples", "keep")},
        "specials_wrong": wrong,
        "examples": shown,
        "seconds": round(seconds, 1),
        "source": source,
    }


def _single(kernel: Kernel, x: float) -> float:
    """The result at one input."""
    kind = {"float32": np.float32, "float64": np.float64, "float16": np.float16}.get(kernel.request.dtype)
    given = np.array([x], kind or np.float32)
    if kind is None:  # bfloat16
        given = (given.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    out = np.empty_like(given)
    calling(kernel)(given, out)
    return float(_widened(out, "bfloat16")[0] if kind is None else out[0])


def check_float32(
    definition: Definition, order: int, accuracies: Sequence[str], results: Results, progress: Progress, again: bool
) -> None:
    """The float32 kernels of one derivative, together, so that each reference value is computed once."""
    kernels, sources = {}, {}
    for accuracy in accuracies:
        try:
            kernel = build.kernel(Request(definition, order, accuracy=accuracy))
        except NotShown as error:
            progress.console.print(f"{definition.name}{chr(39) * order} {accuracy}: {error}")
            continue
        source = digest(kernel)
        if again or results.row(kernel.request, source) is None:
            kernels[accuracy] = kernel
            sources[accuracy] = source
    truth = Truth(definition, order, "float32")
    if not kernels:
        return
    name = definition.name + "'" * order
    state = results.unfinished.get(name, {})
    if again or state.get("sources") != {a: sources[a] for a in kernels}:
        state = {"sources": {a: sources[a] for a in kernels}, "done": 0, "seconds": 0.0, "tallies": {}}
    tallies = {a: Tally.from_json(state["tallies"].get(a, {"max_ulp": 0, "keep": _kept(a)})) for a in kernels}
    fill = reference(build.program(next(iter(kernels.values())).request), truth.symbols)
    computes = {a: calling(k) for a, k in kernels.items()}
    began = time.perf_counter() - state["seconds"]

    def save(done: int) -> None:
        state["done"], state["seconds"] = done, time.perf_counter() - began
        state["tallies"] = {a: t.as_json() for a, t in tallies.items()}
        results.unfinished[name] = state
        results.save()

    exhaust(f"{name} float32", Scanner(fill, computes, truth), tallies, state["done"], save, progress)
    wrong = {a: specials_wrong(c, truth) for a, c in computes.items()}
    seconds = time.perf_counter() - began
    del results.unfinished[name]
    for accuracy, kernel in kernels.items():
        tally = tallies[accuracy]
        row = _row(kernel, sources[accuracy], tally, 1 << 32, seconds, "exhaustive", wrong[accuracy])
        results.put(row | (_with_test(kernel, tally) if accuracy == "correct" else {}))


def _with_test(kernel: Kernel, tally: Tally) -> dict[str, Any]:
    """What becomes of a kernel's misrounded results under its rounding test, as those who call it get it.

    The test can only change a result to Arb's, so where the arithmetic alone is right, so is the kernel: only the inputs
    that it misrounds have to be tried again.
    """
    alone = {"misrounded_without_test": tally.misrounded}
    if not tally.misrounded:
        return alone
    patched, build.tried_on_every_input = build.tried_on_every_input, lambda: frozenset()  # type: ignore[assignment]
    build._kernels.pop(kernel.request, None)
    try:
        compute = calling(build.kernel(kernel.request))
        x = np.array(tally.examples, np.float32)
        y = np.empty_like(x)
        compute(x, y)
    finally:
        build._kernels.pop(kernel.request, None)
        build.tried_on_every_input = patched
    truth = Truth(kernel.request.definition, kernel.request.order, "float32")
    wrong = [a for a, b in zip(x.tolist(), y.tolist(), strict=True) if truth.judged(a, b)[0]]
    left = tally.misrounded - len(tally.examples)  # more than were kept
    found = {"misrounded": len(wrong), "not_decided": tally.not_decided + left}
    return alone | found | ({} if wrong else {"max_ulp": min(tally.max_ulp, 0.5)})


def check_other(request: Request, results: Results, progress: Progress, again: bool, samples: int) -> None:
    """A 16-bit kernel on every input, or a float64 one on a sample."""
    kernel = build.kernel(request)
    source = digest(kernel)
    if not again and results.row(request, source) is not None:
        return
    name = f"{request.definition.name}{chr(39) * request.order} {request.dtype}"
    began = time.perf_counter()
    if request.dtype == "float64":
        task = progress.add_task(name, total=max(1, samples // 10_000) + 5)
        try:
            tally = sampled(request.definition, request.order, calling(kernel), samples, lambda: progress.advance(task))
        finally:
            progress.remove_task(task)
        inputs, method, wrong = samples, "sampled", 0
    else:
        task = progress.add_task(name, total=None)
        try:
            tally, wrong = sixteen(request.definition, request.order, request.dtype, calling(kernel))
        finally:
            progress.remove_task(task)
        inputs, method = 1 << 16, "exhaustive"
    results.put(_row(kernel, source, tally, inputs, time.perf_counter() - began, method, wrong))


def quick(definition: Definition, order: int, accuracies: Sequence[str]) -> dict[str, Tally]:
    """The first float32 of each chunk only."""
    truth = Truth(definition, order, "float32")
    without_test()
    kernels = {a: build.kernel(Request(definition, order, accuracy=a)) for a in accuracies}
    fill = reference(build.program(next(iter(kernels.values())).request), truth.symbols)
    scanner = Scanner(fill, {a: calling(k) for a, k in kernels.items()}, truth)
    tallies = {a: Tally() for a in kernels}
    for start, _ in chunks():
        for accuracy, (tally, doubtful) in scanner.scan(start, QUICK).items():
            scanner.settle(tally, doubtful)
            tallies[accuracy].add(tally)
    return tallies


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entry", nargs="+", metavar="NAME", help="entries of the catalog; all if none is given")
    parser.add_argument("--order", nargs="+", type=int, choices=ORDERS, default=list(ORDERS))
    parser.add_argument(
        "--dtype", nargs="+", choices=build.DTYPES, default=["float32", "float16", "bfloat16", "float64"]
    )
    parser.add_argument("--accuracy", nargs="+", choices=ACCURACIES, default=list(ACCURACIES))
    parser.add_argument("--samples", type=int, default=SAMPLES, help="float64 inputs; default: %(default)s")
    parser.add_argument("--again", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--resume", action="store_true", help="go on where a stopped run was; what happens anyway")
    parser.add_argument("--quick", action="store_true", help="a few inputs of each chunk, float32 only; writes nothing")
    parser.add_argument("--table", action="store_true", help="print what was found, in Markdown, and run nothing")
    options = parser.parse_args(arguments)
    console = Console()
    results = Results()
    if options.table:
        print(results.table())
        return
    # a cache of its own: the code that is tried is the code that is imported here
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(
            *Progress.get_default_columns()[:-1], TimeRemainingColumn(), TimeElapsedColumn(), console=console
        ) as progress,
    ):
        os.environ["ACTFN_CACHE_DIR"] = folder
        without_test()
        wanted = [catalog.find(n) for n in options.entry] if options.entry else list(catalog.entries().values())
        dtypes = ["float32"] if options.quick else options.dtype
        for dtype, definition, order in ((t, d, n) for t in dtypes for d in wanted for n in options.order):
            try:
                if options.quick:
                    for accuracy, tally in quick(definition, order, options.accuracy).items():
                        console.print(f"{definition.name}{chr(39) * order} {accuracy}: {tally.as_json()}")
                elif dtype == "float32":
                    check_float32(definition, order, options.accuracy, results, progress, options.again)
                else:
                    fast = Request(definition, order, dtype=dtype)
                    check_other(fast, results, progress, options.again, options.samples)
            except (UnprintableError, NotShown) as error:
                console.print(f"{definition.name}{chr(39) * order} {dtype}: not done, {error}")
            if not options.quick:
                files.write_json(CORRECT, results.correct())
    if not options.quick:
        print(results.table())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; the next run goes on from here")

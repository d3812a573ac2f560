"""The command that remakes the polynomial coefficients of the kernels' primitives.

Each polynomial is a weighted minimax fit (mpmath and a linear program); its coefficients are rounded to the target
precision one at a time, lowest power first, the others fitted again after each, and the error is measured again with
what was rounded. Needs mpmath and SciPy. Run:  python benchmarks/fit_primitives.py [NAME ...] [--check]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy.optimize import linprog

OUTPUT = Path(__file__).resolve().parents[1] / "src/actfn/kernels/primitives/coefficients.py"
Function = Callable[[mp.mpf], mp.mpf]
Number = mp.mpf | int

mp.mp.dps = 80
HALF = mp.mpf(1) / 2
TINY = mp.mpf(10) ** -25  # a removable singularity at 0 is looked at from here; 80 digits leave 30 after two divisions


@dataclass(frozen=True)
class Fit:
    """A polynomial of `terms` coefficients for `function` on [low, high], its error weighted by `weight`."""

    meaning: str
    function: Function
    weight: Function
    low: mp.mpf
    high: mp.mpf
    terms: int
    dtype: type[np.floating]
    split: bool = False  # whether the constant term is a sum of two floats

    @property
    def bits(self) -> int:
        return 24 if self.dtype is np.float32 else 53


def nonzero(u: mp.mpf) -> mp.mpf:
    return u if abs(u) > TINY else TINY


def horner(coefficients: list[mp.mpf], u: mp.mpf) -> mp.mpf:
    total = mp.mpf(0)
    for c in reversed(coefficients):
        total = total * u + c
    return total


class Minimax:
    """Minimax fits of one function whose lowest coefficients may be held.

    A polynomial through Chebyshev nodes, in mpmath, comes close; a linear program in float64 then minimises what is
    left of the weighted error, which is small enough for float64 to be plenty. (Exchange algorithms need a Haar
    system; powers without the lowest ones, on an interval around 0, are none.)
    """

    def __init__(self, fit: Fit) -> None:
        self.fit = fit
        middle, half = (fit.low + fit.high) / 2, (fit.high - fit.low) / 2

        def nodes(count: int) -> list[mp.mpf]:
            return [middle - half * mp.cos(mp.pi * (i + mp.mpf(1) / 2) / count) for i in range(count)]

        self.grid = [fit.low, *nodes(max(300, 30 * fit.terms)), fit.high]
        self.values = [fit.function(nonzero(u)) for u in self.grid]
        self.weights = [abs(fit.weight(nonzero(u))) for u in self.grid]
        points = nodes(fit.terms)
        powers = mp.matrix([[u**k for k in range(fit.terms)] for u in points])
        self.start = list(mp.lu_solve(powers, mp.matrix([fit.function(nonzero(u)) for u in points])))
        self.scale = max(abs(fit.low), abs(fit.high))
        relative = np.array([float(u / self.scale) for u in self.grid])
        self.columns = np.array([float(w) for w in self.weights])[:, None] * relative[:, None] ** np.arange(fit.terms)

    def errors(self, coefficients: list[mp.mpf]) -> list[mp.mpf]:
        rows = zip(self.grid, self.values, self.weights, strict=True)
        return [w * (v - horner(coefficients, u)) for u, v, w in rows]

    def largest(self, coefficients: list[mp.mpf]) -> mp.mpf:
        return max(abs(e) for e in self.errors(coefficients))

    def coefficients(self, held: list[mp.mpf]) -> list[mp.mpf]:
        first = len(held)
        whole = held + self.start[first:]
        for _ in range(2):
            errors = self.errors(whole)
            size = max(abs(e) for e in errors)
            right = np.array([float(e / size) for e in errors])
            columns = self.columns[:, first:]
            ones = np.ones((len(right), 1))
            free = columns.shape[1]
            result = linprog(
                np.r_[np.zeros(free), 1.0],
                A_ub=np.block([[-columns, -ones], [columns, -ones]]),
                b_ub=np.r_[-right, right],
                bounds=[(None, None)] * free + [(0, None)],
                method="highs",
            )
            if not result.success:
                raise ArithmeticError(f"{self.fit.meaning}: {result.message}")
            steps = [mp.mpf(float(c)) * size / self.scale ** (first + k) for k, c in enumerate(result.x[:-1])]
            whole = held + [c + d for c, d in zip(whole[first:], steps, strict=True)]
        return whole


def rounded(value: mp.mpf, bits: int) -> mp.mpf:
    with mp.workprec(bits):
        return +value


def fitted(fit: Fit) -> tuple[list[mp.mpf], mp.mpf, mp.mpf]:
    """Rounded coefficients, lowest power first, what the constant term has beside its float, and the largest error."""
    minimax = Minimax(fit)
    constant = minimax.coefficients([])[0]
    low = rounded(constant - rounded(constant, fit.bits), fit.bits) if fit.split else mp.mpf(0)
    held = [rounded(constant, fit.bits) + low]
    while len(held) < fit.terms:
        held.append(rounded(minimax.coefficients(held)[len(held)], fit.bits))
    return [held[0] - low, *held[1:]], low, minimax.largest(held)


def text(name: str, fit: Fit) -> str:
    """The constant as it stands in the file of coefficients."""
    coefficients, low, error = fitted(fit)

    def number(value: mp.mpf) -> str:
        digits = repr(float(str(fit.dtype(float(value)))))
        return f"np.float32({digits})" if fit.dtype is np.float32 else digits

    interval = f"{mp.nstr(fit.low, 5)} <= u <= {mp.nstr(fit.high, 5)}"
    measured = mp.nstr(mp.log(error, 2), 4)
    comment = [f"# {fit.meaning}.", f"# {interval}; degree {fit.terms - 1}; error 2^{measured}"]
    lines = [f"{name} = (", *(f"    {number(c)}," for c in reversed(coefficients)), ")"]
    if fit.split:
        comment.append(f"# {name}_LOW belongs to the constant term")
        lines.append(f"{name}_LOW = {number(low)}")
    comment.append(f"# Remake: python benchmarks/fit_primitives.py {name}")
    return "\n".join([*comment, *lines]) + "\n"


def fits() -> dict[str, Fit]:
    """Every polynomial of the primitives. u is the polynomial's variable."""
    table: dict[str, Fit] = {}

    def add(
        meaning: str, function: Function, weight: Function, low: Number, high: Number, split: bool = False, **terms: int
    ) -> None:
        for name, count in terms.items():
            dtype = np.float32 if name.endswith("_32") else np.float64
            table[name] = Fit(meaning, function, weight, mp.mpf(low), mp.mpf(high), count, dtype, split)

    def odd(root: Callable[[mp.mpf], mp.mpf]) -> tuple[Function, Function]:
        """(f(t)/t - 1)/u with u = t^2, and the weight that makes the error relative to f(t)."""
        return lambda u: (root(mp.sqrt(u)) / mp.sqrt(u) - 1) / u, lambda u: u * mp.sqrt(u) / root(mp.sqrt(u))

    half = mp.log(2) / 2 * mp.mpf("1.0005")
    add(
        "(expm1(u) - u)/u^2, relative to expm1(u)",
        lambda u: (mp.expm1(u) - u) / u**2,
        lambda u: u**2 / mp.expm1(u),
        -half,
        half,
        EXPM1_32=5,
        EXPM1_WIDE=9,
        EXPM1_64=11,
    )
    # log(1 + f) = 2 atanh(s), s = f/(2 + f), for 1 + f in [sqrt(1/2), sqrt(2)]
    square = (mp.sqrt(2) - 1) ** 4 * mp.mpf("1.0001")
    add(
        "(2 atanh(s)/s - 2)/u, u = s^2, relative to atanh(s)",
        lambda u: (2 * mp.atanh(mp.sqrt(u)) / mp.sqrt(u) - 2) / u,
        lambda u: u * mp.sqrt(u) / (2 * mp.atanh(mp.sqrt(u))),
        0,
        square,
        LOG_32=3,
        LOG_WIDE=6,
        LOG_64=7,
    )
    add(
        "(2 atanh(s)/s - 2 - 2u/3)/u^2, u = s^2, relative to atanh(s)",
        lambda u: (2 * mp.atanh(mp.sqrt(u)) / mp.sqrt(u) - 2 - 2 * u / 3) / u**2,
        lambda u: u**2 * mp.sqrt(u) / (2 * mp.atanh(mp.sqrt(u))),
        0,
        square,
        POW_64=7,
    )
    add(
        "log(cosh(a/2))/u, u = a^2, relative to softplus(-a)",
        lambda u: mp.log(mp.cosh(mp.sqrt(u) / 2)) / u,
        lambda u: u / mp.log1p(mp.exp(-mp.sqrt(u))),
        0,
        1,
        SOFTPLUS_NEAR_32=4,
        SOFTPLUS_NEAR_WIDE=8,
        SOFTPLUS_NEAR_64=10,
    )
    add(
        "(log1p(u) - u)/u^2, relative to log1p(u)",
        lambda u: (mp.log1p(u) - u) / u**2,
        lambda u: u**2 / mp.log1p(u),
        0,
        mp.exp(-1),
        SOFTPLUS_FAR_32=7,
        SOFTPLUS_FAR_WIDE=12,
        SOFTPLUS_FAR_64=14,
    )
    for end, terms in (
        ("0.8", {"ERF_32": 6}),
        ("1", {"ERF_WIDE": 11, "ERF_64": 12}),
        ("0.5", {"ERFC_NEAR_WIDE": 8, "ERFC_NEAR_64": 9}),
    ):
        add(
            "erf(x)/x - 1, u = x^2, relative to erf(x)",
            lambda u: mp.erf(mp.sqrt(u)) / mp.sqrt(u) - 1,
            lambda u: mp.sqrt(u) / mp.erf(mp.sqrt(u)),
            0,
            mp.mpf(end) ** 2,
            split=False,
            **terms,
        )
    add(
        "log(erfc(u))/u, relative to erf(u)",
        lambda u: mp.log(mp.erfc(u)) / u,
        lambda u: u * mp.erfc(u) / mp.erf(u),
        mp.mpf("0.8"),
        mp.mpf("3.95"),
        LOG_ERFC_32=6,
    )
    for name, count, d, start, end, root in (
        ("ERFC_32", 11, 4, "0", "12.45", 1),
        ("ERFC_ROOT_32", 10, 4, "0", "17.6", 2),
        ("ERFC_WIDE", 19, 3, "0.5", "36.6", 1),
        ("ERFC_64", 21, 4, "0.5", "36.6", 1),
    ):

        def flattened(u: mp.mpf, d: int = d, root: int = root) -> mp.mpf:
            x = d * (1 + u) / (1 - u)
            return (x + d) * mp.exp(x * x / root) * mp.erfc(x / mp.sqrt(root))

        over = f"/{root}" if root > 1 else ""
        add(
            f"(x + {d}) exp(x^2{over}) erfc({f'x/sqrt({root})' if over else 'x'}), u = (x - {d})/(x + {d}), relative",
            flattened,
            lambda u, flattened=flattened: 1 / flattened(u),
            (mp.mpf(start) - d) / (mp.mpf(start) + d),
            (mp.mpf(end) - d) / (mp.mpf(end) + d),
            split=name == "ERFC_64",
            **{name: count},
        )
    eighth = (mp.pi / 4) ** 2 * mp.mpf("1.001")
    add("(sin(r)/r - 1)/u, u = r^2, relative to sin(r)", *odd(mp.sin), 0, eighth, SIN_32=3, SIN_64=6)
    add(
        "(cos(r) - 1 + u/2)/u^2, u = r^2, relative to cos(r)",
        lambda u: (mp.cos(mp.sqrt(u)) - 1 + u / 2) / u**2,
        lambda u: u**2 / mp.cos(mp.sqrt(u)),
        0,
        eighth,
        COS_32=3,
        COS_64=6,
    )
    tangent = (mp.sqrt(2) - 1) ** 2 * mp.mpf("1.0001")
    add(
        "(atan(t)/t - 1)/u, u = t^2, relative to atan(t)", *odd(mp.atan), 0, tangent, ATAN_32=5, ATAN_WIDE=9, ATAN_64=11
    )
    add("(asin(t)/t - 1)/u, u = t^2, relative to asin(t)", *odd(mp.asin), 0, HALF**2, ASIN_64=13)
    add("cbrt(u), relative", mp.cbrt, lambda u: 1 / mp.cbrt(u), 1, 2, CBRT_64=5)
    return table


HEADER = '''"""Coefficients of the primitives' polynomials, highest power first.

Written by `python benchmarks/fit_primitives.py`, a minimax fit of ours; don't edit by hand. Each says what is fitted on
which interval, its degree, and the largest error measured with the rounded coefficients.
"""

from __future__ import annotations

import numpy as np

'''


def existing() -> dict[str, str]:
    """The blocks of the file as it stands, by name."""
    if not OUTPUT.exists():
        return {}
    blocks = OUTPUT.read_text().removeprefix(HEADER).split("\n\n")
    return {
        found[1]: block.strip("\n") + "\n" for block in blocks if (found := re.search(r"^(\w+) = \($", block, re.M))
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="constants to remake; all when none is given")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file differs")
    options = parser.parse_args()
    table, blocks = fits(), existing()
    unknown = set(options.names) - set(table)
    if unknown:
        parser.error(f"no fit is called {', '.join(sorted(unknown))}; there are {', '.join(table)}")
    stale = []
    for name in options.names or table:
        block = text(name, table[name])
        print(name, *block.split("\n")[:2], sep="\n", flush=True)
        if blocks.get(name) != block:
            stale.append(name)
            blocks[name] = block
    if options.check:
        print("differs:" if stale else "all as in the file", *stale)
        return 1 if stale else 0
    OUTPUT.write_text(HEADER + "\n".join(blocks[name] for name in table if name in blocks))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every float32 through the float32 primitives, against the float64 ones: the largest error of each, and where.

The float64 primitives are within 2 ulps of their own (tests hold them against Arb), 2^-28 ulps of a float32. A run that
is stopped goes on where it was.  Run:  python -m benchmarks.exhaustive_primitives [NAME ...] [--again]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from rich.progress import Progress

from actfn import files
from actfn.kernels.primitives import float32, float64
from actfn.kernels.primitives.intrinsics import at_least, exponent_and_mantissa, fabs, power_of_two, primitive
from actfn.kernels.primitives.table import PRIMITIVES
from benchmarks import machine

RESULTS = Path(__file__).parent / "results/exhaustive_primitives.json"
CHUNK, BLOCK = 1 << 26, 1 << 12


@primitive
def _ulps(got, true):
    """The distance in ulps of the float32 at the true value; infinite where only one of the two is NaN or infinite."""
    k, _ = exponent_and_mantissa(fabs(true), 1.0)
    exponent = at_least(k - 23.0, -149.0)
    distance = fabs(np.float64(got) - true) * power_of_two(1.5 * 2.0**52 + 1023.0 - exponent)
    rounded = np.float32(true)
    same = (rounded == got) | ((rounded != rounded) & (got != got))
    finite = (fabs(rounded) < np.float32(np.inf)) & (fabs(got) < np.float32(np.inf))
    return distance if finite else 0.0 if same else np.inf


def checker(fast: Any, reference: Any) -> Any:
    """A function from (first bits, count) to (largest error, its bits, how many aren't correctly rounded)."""

    @njit(error_model="numpy")
    def check(start, count):
        bits = np.empty(BLOCK, np.uint32)
        x = bits.view(np.float32)
        y, true, error = np.empty(BLOCK, np.float32), np.empty(BLOCK), np.empty(BLOCK)
        worst, at, misrounded = 0.0, np.uint32(0), 0
        for first in range(start, start + count, BLOCK):
            for i in range(BLOCK):
                bits[i] = first + i
            for i in range(BLOCK):  # three loops, so that each is vectorised
                y[i] = fast(x[i])
            for i in range(BLOCK):
                true[i] = reference(np.float64(x[i]))
            for i in range(BLOCK):
                error[i] = _ulps(y[i], true[i])
            for i in range(BLOCK):
                misrounded += (y[i] != np.float32(true[i])) & (true[i] == true[i])
                if error[i] > worst:
                    worst, at = error[i], bits[i]
        return worst, at, misrounded

    return check


def main() -> None:
    every = [
        name for name, level in PRIMITIVES if level == "float32" and not name.startswith("times_") and name != "pow"
    ]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", choices=[*every, []], help="primitives; all if none is given"
    )
    parser.add_argument("--again", action="store_true", help="forget what earlier runs found")
    options = parser.parse_args()
    about = machine.facts()
    found = json.loads(RESULTS.read_text())["primitives"] if RESULTS.exists() else {}
    for name in options.names or every:
        low, high = PRIMITIVES[name, "float32"].domain
        state = {} if options.again else found.get(name, {})
        state = {"checked": 0, "max_ulp": 0.0, "at": 0.0, "misrounded": 0} | state
        check = checker(getattr(float32, name), getattr(float64, name))
        with Progress() as progress:
            task = progress.add_task(name, total=1 << 32, completed=state["checked"])
            while state["checked"] < 1 << 32:
                start = state["checked"]
                first = np.array([start], np.uint32).view(np.float32)[0]
                inside = not (high <= 0 and first > 0) and not (low >= 0 and math.copysign(1, first) < 0)
                if inside:
                    worst, at, misrounded = check(start, min(CHUNK, (1 << 32) - start))
                    state["misrounded"] += int(misrounded)
                    if worst > state["max_ulp"]:
                        state |= {"max_ulp": worst, "at": float(np.array([at], np.uint32).view(np.float32)[0])}
                state["checked"] = min(start + CHUNK, 1 << 32)
                found[name] = state
                files.write_json(RESULTS, {"machine": about, "primitives": found})
                progress.update(task, completed=state["checked"])
        print(f"{name}: {state['max_ulp']:.4f} ulp at {state['at']!r}, {state['misrounded']:,} not correctly rounded")


if __name__ == "__main__":
    main()

"""The primitives by name and level, with the bound that each keeps and what remakes its coefficients.

A bound is on the distance from the true value of the exact argument: in ulps of the result for "float32" and "float64",
relative to the value for "wide" (whose results are rounded again, so a rounding test needs it). Below the normal range
it holds in ulps of the smallest subnormal. Tests hold the bounds against Arb, and every float32 was tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actfn.kernels.primitives import float32, float64, wide

INFINITY = float("inf")
LEVELS = {"float32": float32, "wide": wide, "float64": float64}


@dataclass(frozen=True)
class Primitive:
    """One primitive at one level.

    `function` is called by compiled code; `domain` is where `bound` holds (elsewhere it gives NaN, or what its docstring
    says). `coefficients` are the polynomials in `coefficients`, which state their interval, degree and error there.
    `cost` is the time per element over that of exp at the same level, on AVX-512.
    """

    name: str
    level: str
    function: Any
    bound: float
    coefficients: tuple[str, ...]
    cost: float
    domain: tuple[float, float] = (-INFINITY, INFINITY)

    @property
    def remake(self) -> str:
        """The command that remakes the coefficients."""
        return f"python benchmarks/fit_primitives.py {' '.join(self.coefficients)}" if self.coefficients else ""


_SUFFIX = {"float32": "32", "wide": "WIDE", "float64": "64"}
_SHARED = {  # name: polynomials, domain
    "exp": ("EXPM1",),
    "expm1": ("EXPM1",),
    "expm1_nonpositive": ("EXPM1",),
    "sigmoid": ("EXPM1",),
    "tanh": ("EXPM1",),
    "sinh": ("EXPM1",),
    "cosh": ("EXPM1",),
    "log": ("LOG",),
    "log1p": ("LOG",),
    "asinh": ("LOG",),
    "softplus": ("EXPM1", "SOFTPLUS_NEAR", "SOFTPLUS_FAR"),
    "erf": ("EXPM1", "ERF", "ERFC"),
    "erfc": ("EXPM1", "ERFC_NEAR", "ERFC"),
    "atan": ("ATAN",),
}
PRIMITIVES: dict[tuple[str, str], Primitive] = {(n,l): Primitive(n,l,getattr(m,n),9.0,(),1.0,(-INFINITY,0.0) if "nonp" in n else (-INFINITY,INFINITY)) for l,m in LEVELS.items() for n in [*_SHARED,"sin","cos","tan","asin","acos","cbrt"]}

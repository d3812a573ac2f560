"""The primitives by name and level, with the bound that each keeps and what remakes its coefficients.

A bound is on the distance from the true value at the exact argument: in ulps of the result for "float32" and "float64" (of
the smallest subnormal below the normal range), relative to the value for "wide" (give or take the smallest subnormal), whose
results are rounded again, so that a rounding test needs it. Tests hold the bounds against Arb;
`benchmarks/exhaustive_primitives.py` tries every float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actfn.kernels.primitives import coefficients, float32, float64, wide
from actfn.kernels.primitives.quadrants import LARGEST_NEAR

LEVELS = {"float32": float32, "wide": wide, "float64": float64}
EVERYWHERE = (-float("inf"), float("inf"))


@dataclass(frozen=True)
class Primitive:
    """One primitive at one level.

    `function` is called by compiled code. `bound` holds for every argument in `domain`; elsewhere the value is NaN or,
    where a docstring says so, means nothing. What `coefficients` names states interval, degree and error in its module.
    `cost` is the time per element over that of exp in float32, measured on AVX-512 with one thread.
    """

    name: str
    level: str
    function: Any
    bound: float
    cost: float
    coefficients: tuple[str, ...]
    domain: tuple[float, float] = EVERYWHERE

    @property
    def remake(self) -> str:
        """The command that remakes the coefficients."""
        return f"python benchmarks/fit_primitives.py {' '.join(self.coefficients)}"


# name: polynomials, bounds (float32 ulps, log2 of wide's relative error, float64 ulps; None where a level has no such
# primitive), costs in the same order
_ROWS: dict[str, tuple[str, tuple[float | None, ...], tuple[float, ...]]] = {
    "exp": ("EXPM1", (0.85, -50, 0.9), (1.0, 2.4, 2.8)),
    "exp_nonpositive": ("EXPM1", (1.1, -50, 1.1), (0.8, 2.0, 2.2)),
    "expm1": ("EXPM1", (0.999, -48.5, 1.15), (1.5, 3.4, 4.0)),
    "expm1_nonpositive": ("EXPM1", (0.95, -49, 1.25), (0.7, 1.9, 2.3)),
    "sigmoid": ("EXPM1", (0.999, -49.5, 1.05), (1.5, 2.8, 4.0)),
    "tanh": ("EXPM1", (0.87, -48.5, 1.2), (1.8, 2.9, 4.8)),
    "tanh_softplus": ("EXPM1", (3.1, -48, 1.0), (1.7, 3.0, 4.5)),
    "softplus": ("EXPM1 SOFTPLUS_NEAR SOFTPLUS_FAR", (0.98, -48.5, 1.25), (2.5, 6.8, 7.9)),
    "log": ("LOG", (0.85, -51, 0.9), (1.7, 3.8, 4.1)),
    "log1p": ("LOG", (0.87, -51, 0.9), (2.0, 4.5, 4.8)),
    "erf": ("EXPM1 ERF ERFC", (1.35, -50, 1.05), (1.6, 8.3, 12.0)),
    "erf_softplus": ("EXPM1 SOFTPLUS_NEAR SOFTPLUS_FAR ERF ERFC", (2.4, -47.5, 2.3), (4.5, 15.0, 20.0)),
    "erfc": ("EXPM1 ERFC_NEAR ERFC", (3.2, -48.5, 1.9), (2.7, 8.3, 12.0)),
    "sin": ("SIN COS", (1.6, -52, 0.8), (5.3, 15.0, 15.0)),
    "cos": ("SIN COS", (1.6, -52, 0.8), (5.1, 15.0, 15.0)),
    "sin_near": ("SIN COS", (1.6, -52, 0.8), (1.6, 5.0, 5.0)),
    "cos_near": ("SIN COS", (1.6, -52, 0.8), (1.5, 4.9, 4.9)),
    "tan": ("SIN COS", (0.55, -52, 0.9), (6.3, 17.0, 17.0)),
    "atan": ("ATAN", (1.2, -49, 1.15), (1.9, 3.4, 4.4)),
    "asin": ("ASIN", (0.501, -52, 0.7), (4.8, 4.2, 4.2)),
    "acos": ("ASIN", (0.501, -52, 0.7), (4.8, 4.5, 4.5)),
    "sinh": ("EXPM1", (0.501, -48.5, 1.25), (5.1, 4.5, 6.0)),
    "cosh": ("EXPM1", (0.501, -50, 0.85), (4.8, 4.1, 5.5)),
    "asinh": ("LOG", (0.501, -50.5, 0.9), (8.5, 7.6, 7.8)),
    "cbrt": ("CBRT", (0.501, -52, 0.51), (5.8, 5.9, 5.9)),
    # of two arguments: a^b for |b log a| <= 104 at the level wide, and anywhere in float32 and float64
    "pow": ("EXPM1 LOG POW", (0.501, -44, 0.9), (8.8, 8.8, 16.5)),
    # a*f(x), and a*f(x + x_low) for those of TWO_PART, rounded once: no underflow, overflow or rounding before the product
    "times_exp": ("EXPM1", (0.9, -49.5, 0.9), (1.3, 3.0, 3.4)),
    "times_expm1": ("EXPM1", (0.9, -48, 0.95), (1.7, 3.8, 4.3)),
    "times_sigmoid": ("EXPM1", (0.95, -49, 1.0), (2.0, 3.7, 5.0)),
    "times_gate": ("EXPM1", (1.8, -49, 1.5), (1.8, 3.2, 4.4)),  # sigmoid(x), sharing its work with cogate, sigmoid(-x)
    "times_gate_of_sum": ("EXPM1", (1.8, -49, 1.5), (1.8, 3.1, 4.5)),
    "times_cogate": ("EXPM1", (1.8, -49, 1.5), (1.8, 3.0, 4.4)),
    "times_cogate_of_sum": ("EXPM1", (1.8, -49, 1.5), (1.8, 3.1, 4.5)),
    "times_gaussian": ("EXPM1", (1.1, -48, 1.1), (1.6, 3.5, 3.5)),  # exp(-x^2), sharing its work with erfc(x)
    "times_tanh": ("EXPM1", (0.9, -48, 1.2), (1.9, 3.1, 5.0)),
    "times_tanh_softplus": ("EXPM1", (3.7, -48, 1.0), (1.8, 3.1, 4.6)),
    "times_softplus": ("EXPM1 SOFTPLUS_NEAR SOFTPLUS_FAR", (1.1, -48, 1.2), (3.0, 8.2, 9.1)),
    "times_erf_softplus": ("EXPM1 SOFTPLUS_NEAR SOFTPLUS_FAR ERF ERFC", (3.4, -47.5, 3.2), (4.6, 15.0, 20.0)),
    "times_erfc": ("EXPM1 ERFC_NEAR ERFC", (3.2, -48, 2.0), (3.2, 10.0, 14.0)),
    # of x/sqrt(2), as one number, in float32 alone
    "times_erfc_of_root": ("EXPM1 ERFC_ROOT", (3.2, None, None), (3.0,)),
    "times_gaussian_of_root": ("EXPM1", (1.1, None, None), (1.4,)),
}
TWO_PART = (
    "times_exp",
    "times_erf_softplus",
    "times_sigmoid",
    "times_gate_of_sum",
    "times_cogate_of_sum",
    "times_gaussian",
    "times_tanh_softplus",
    "times_softplus",
    "times_erfc",
)
"""Primitives that take an argument as a sum of two numbers."""
_THROUGH_WIDE = ("tan", "asin", "acos", "sinh", "cosh", "asinh", "cbrt", "pow")
_SUFFIXES = {"float32": ("32",), "wide": ("WIDE", "64"), "float64": ("64",)}
_DOMAINS = {
    "exp_nonpositive": (-float("inf"), 0.0),
    "expm1_nonpositive": (-float("inf"), 0.0),
    "log": (0.0, float("inf")),
    "log1p": (-1.0, float("inf")),
    "asin": (-1.0, 1.0),
    "acos": (-1.0, 1.0),
    "pow": (0.0, float("inf")),
    "sin_near": (-LARGEST_NEAR, LARGEST_NEAR),
    "cos_near": (-LARGEST_NEAR, LARGEST_NEAR),
}


def _coefficients(name: str, level: str) -> tuple[str, ...]:
    if level == "float32" and name in ("erfc", "times_erfc"):
        return "EXPM1_32", "ERFC_32"
    if (name, level) == ("erf", "float32"):
        return "EXPM1_32", "ERF_32", "LOG_ERFC_32"
    if level == "float32" and name.endswith("erf_softplus"):
        return "EXPM1_32", "SOFTPLUS_NEAR_32", "SOFTPLUS_FAR_32", "ERF_32", "LOG_ERFC_32"
    if name == "pow" and level != "float64":
        return "EXPM1_WIDE", "LOG_WIDE"
    suffixes = _SUFFIXES["wide" if level == "float32" and name in _THROUGH_WIDE else level]
    candidates = [[f"{kind}_{suffix}" for suffix in suffixes] for kind in _ROWS[name][0].split()]
    return tuple(next(n for n in names if hasattr(coefficients, n)) for names in candidates)


PRIMITIVES: dict[tuple[str, str], Primitive] = {
    (name, level): Primitive(
        name,
        level,
        getattr(module, name),
        2.0**bound if level == "wide" else bound,
        costs[i],
        _coefficients(name, level),
        _DOMAINS.get(name, EVERYWHERE),
    )
    for i, (level, module) in enumerate(LEVELS.items())
    for name, (_, bounds, costs) in _ROWS.items()
    if (bound := bounds[i]) is not None
}
"""By name and level."""

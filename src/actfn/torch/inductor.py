"""Elementary functions for what Inductor compiles for the CPU, in float32.

Inductor has a fast exp there, writes expm1(x) as exp(x) - 1, and takes tanh, erfc and log1p from SLEEF, at three times the
cost of all the rest of an activation. These are the kernels' polynomials as operations of PyTorch's, which Inductor
vectorises and fuses with what stands beside them. A power of two is made of its bits, which autograd can't see through: so
they stand only inside `Derivative`, whose derivatives are printed too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import sympy
import torch

from actfn.formula import functions
from actfn.formula.printers.torch import TorchPrinter
from actfn.kernels.primitives import coefficients as table
from actfn.kernels.primitives import constants32 as constants

_SHIFT = 1.5 * 2.0**23
"""Added to a float32, it rounds to an integer and leaves that in the low bits."""
_BITS = 0x4B400000
"""The bits of `_SHIFT`."""
_LOG2E, _LN2 = float(constants.LOG2E), float(constants.LN2)
_LN2_SHORT, _LN2_REST = float(constants.LN2_SHORT), float(constants.LN2_REST)


def _polynomial(u: torch.Tensor, powers: Sequence[Any]) -> torch.Tensor:
    """By Horner; the coefficients stand highest power first."""
    total: Any = float(powers[0])
    for coefficient in powers[1:]:
        total = total * u + float(coefficient)
    return total


def expm1(u: torch.Tensor) -> torch.Tensor:
    """Within 1.7 ulp."""
    u = torch.clamp(u, -18, 89)
    shifted = u * _LOG2E + _SHIFT
    n = shifted - _SHIFT
    r = (u - n * _LN2_SHORT) - n * _LN2_REST  # u = n ln 2 + r and |r| <= ln(2)/2
    p = -r - r * r * _polynomial(r, table.EXPM1_32)  # -expm1(r)
    half = ((shifted.view(torch.int32) + (126 - _BITS)) << 23).view(torch.float32)  # 2^(n-1), as 2^128 is not finite
    return -2 * (half * p - (half - 0.5))  # signs such that -0.0 stays


def sigmoid(u: torch.Tensor) -> torch.Tensor:
    """Within 2.7 ulp, in both tails."""
    e = torch.exp(-torch.abs(u))
    return torch.where(u < 0, e, 1) * (1 / (1 + e))


def sigmoid_of_minus(u: torch.Tensor) -> torch.Tensor:
    """sigmoid(-u), sharing the division with sigmoid(u)."""
    e = torch.exp(-torch.abs(u))
    return torch.where(u < 0, 1, e) * (1 / (1 + e))


def tanh(u: torch.Tensor) -> torch.Tensor:
    """Within 2.6 ulp."""
    a = torch.abs(u)
    e = expm1(-2 * a)
    return torch.where(a < 1e-4, u, torch.where(u < 0, e, -e) / (2 + e))


def softplus(u: torch.Tensor) -> torch.Tensor:
    """Within 1.7 ulp, in both tails."""
    a = torch.abs(u)
    e = torch.exp(-a)
    square = a * a
    near = (_LN2 - a / 2) + square * _polynomial(square, table.SOFTPLUS_NEAR_32)
    far = e + e * e * _polynomial(e, table.SOFTPLUS_FAR_32)
    return torch.where(u < 0, 0, u) + torch.where(a < 1, near, far)


def erf(u: torch.Tensor) -> torch.Tensor:
    """Within 1.3 ulp."""
    a = torch.clamp(torch.abs(u), max=3.95)
    near = u + u * _polynomial(a * a, table.ERF_32)
    far = expm1(a * _polynomial(a, table.LOG_ERFC_32))
    return torch.where(a < 0.8, near, torch.where(u < 0, far, -far))


def erfc(u: torch.Tensor) -> torch.Tensor:
    """Within 5.2 ulp; the rounding of u*u, which exp amplifies, is taken back."""
    a = torch.clamp(torch.abs(u), max=12)
    near = 1 - (u + u * _polynomial(a * a, table.ERFC_NEAR_32))
    split = a * 4097  # 12 bits above, 12 below: their products are exact
    high = split - (split - a)
    low = a - high
    square = a * a
    lost = ((high * high - square) + 2 * high * low) + low * low
    r = 1 / (a + 3)
    tail = torch.exp(-square) * (r * _polynomial((a - 3) * r, table.ERFC_32))
    tail = tail - tail * lost
    return torch.where(a < 0.5, near, torch.where(u < 0, 2 - tail, tail))


_TAKEN: Mapping[Any, Callable[[torch.Tensor], torch.Tensor]] = {
    functions.expm1: expm1,
    functions.sigmoid: sigmoid,
    sympy.tanh: tanh,
    functions.softplus: softplus,
    sympy.erf: erf,
    functions.erfc: erfc,
}
NAMES: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "_sigmoid_of_minus": sigmoid_of_minus,
    **{f"_{f.__name__}": f for f in _TAKEN.values()},
}
"""What printed code calls them."""


class InductorPrinter(TorchPrinter):
    """PyTorch, for Inductor on the CPU in float32; what it prints runs with `NAMES`."""

    functions: ClassVar[Mapping[Any, str]] = {
        **TorchPrinter.functions,
        **{function: f"_{f.__name__}" for function, f in _TAKEN.items()},
    }
    helpers: ClassVar[Mapping[str, str]] = {n: text for n, text in TorchPrinter.helpers.items() if n not in NAMES}


def serves(x: torch.Tensor) -> bool:
    """Whether a tensor that `torch.compile` traces is in memory and computed in float32; not for an exporter."""
    half = x.dtype in (torch.float16, torch.bfloat16)
    return x.is_cpu and (half or x.dtype is torch.float32) and not torch.compiler.is_exporting()

"""Elementary functions for what Inductor compiles for the CPU, in float32.

Inductor writes expm1(x) as exp(x) - 1, and takes exp, tanh, erfc and log1p from SLEEF, by a call for each vector. These are
the kernels' polynomials as operations of PyTorch's, which Inductor vectorises and fuses with what stands beside them. A
power of two is made of its bits, which autograd can't see through, and no guard keeps a branch from an x that is another's:
so they stand only inside `Derivative`, whose derivatives are printed too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import sympy
import torch
from sympy import Expr, Piecewise, Pow, Symbol
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from actfn.formula import functions
from actfn.formula.printers.torch import TorchPrinter
from actfn.kernels.primitives import coefficients as table
from actfn.kernels.primitives import constants32 as constants

_SHIFT = 1.5 * 2.0**23
"""Added to a float32, it rounds to an integer and leaves that in the low bits."""
_BIAS, _SIGN = 127, 256
"""Added to that integer: what makes it the exponent of a float32, and what makes that negative."""
_LOG2E, _LN2 = float(constants.LOG2E), float(constants.LN2)
_LN2_SHORT, _LN2_REST = float(constants.LN2_SHORT), float(constants.LN2_REST)
_transforms = torch._C._are_functorch_transforms_active  # pyright: ignore[reportAttributeAccessIssue]


def _fuses() -> bool:
    """Whether the one instruction for a*b + c can be asked for: Inductor, once loaded, has an operation for it, which has no
    batching rule."""
    return hasattr(torch.ops.prims, "fma") and not _transforms()


def _fma(a: Any, b: Any, c: Any) -> torch.Tensor:
    """a*b + c, one of which is a tensor; Inductor doesn't let a compiler contract the two. Nothing relies on one rounding."""
    if not _fuses():
        return a * b + c
    like = next(v for v in (a, b, c) if isinstance(v, torch.Tensor))
    ones = (1,) * like.dim()
    whole = [v if isinstance(v, torch.Tensor) else like.new_full(ones, v) for v in (a, b, c)]
    return torch.ops.prims.fma.default(*whole)


def apart(code: Callable[..., torch.Tensor], order: int, x: torch.Tensor, *parameters: Any) -> torch.Tensor:
    """Printed code of a derivative at x, with so many axes more that none of its operations is the value's too.

    AOTAutograd keeps for the backward pass what both passes hold and it has no leave to compute again, such as an `_fma`
    of x or of constants: memory for what costs next to nothing.
    """
    if not (order and _fuses()):
        return code(x, *parameters)
    most = max(t.dim() for t in (x, *parameters) if isinstance(t, torch.Tensor))
    y = code(x[(None,) * (most - x.dim() + order)], *parameters)
    return y.reshape(y.shape[order:])


def _polynomial(u: torch.Tensor, powers: Sequence[Any]) -> torch.Tensor:
    """By Horner; the coefficients stand highest power first."""
    total: Any = float(powers[0])
    for coefficient in powers[1:]:
        total = _fma(total, u, float(coefficient))
    return total


def _reduced(u: torch.Tensor, offset: int, rest: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """2^(n + offset - 127), and r for which u (+ rest) = n ln 2 + r and |r| <= ln(2)/2."""
    shifted = _fma(u if rest is None else u + rest, _LOG2E, _SHIFT + offset)
    n = shifted - (_SHIFT + offset)
    r = _fma(n, -_LN2_REST, _fma(n, -_LN2_SHORT, u))
    return (shifted.view(torch.int32) << 23).view(torch.float32), r if rest is None else r + rest


def _minus_expm1(r: torch.Tensor) -> torch.Tensor:
    """-expm1(r) of a remainder, with the sign of -r where that is 0."""
    return _fma(r * r, _polynomial(r, [-c for c in table.EXPM1_32]), -r)


def expm1(u: torch.Tensor) -> torch.Tensor:
    """Within 1.7 ulp."""
    power, r = _reduced(torch.clamp(u, -18, 89), _BIAS + _SIGN - 1)  # -2^(n-1), as 2^128 is not finite
    return 2 * _fma(power, _minus_expm1(r), -(power + 0.5))  # signs such that -0.0 stays


def expm1_below(u: torch.Tensor) -> torch.Tensor:
    """Within 1.7 ulp, for u <= 0."""
    power, r = _reduced(torch.clamp(u, min=-18), _BIAS + _SIGN)
    return _fma(power, _minus_expm1(r), -(power + 1))


def _exp(u: torch.Tensor, rest: torch.Tensor | None = None) -> torch.Tensor:
    """exp(u + rest) from -104.1, where it is 0, to 0."""
    power, r = _reduced(u, _BIAS + 64, rest)
    return _fma(power, _fma(r * r, _polynomial(r, table.EXPM1_32), r), power) * 2.0**-64  # there are subnormals


def exp_below(u: torch.Tensor) -> torch.Tensor:
    """Within 1.2 ulp, for u <= 0."""
    return _exp(torch.clamp(u, min=-104))


def sigmoid(u: torch.Tensor) -> torch.Tensor:
    """Within 2.7 ulp, in both tails."""
    e = exp_below(-torch.abs(u))
    return torch.where(u < 0, e, 1) * (1 / (1 + e))


def sigmoid_of_minus(u: torch.Tensor) -> torch.Tensor:
    """sigmoid(-u), sharing the division with sigmoid(u)."""
    e = exp_below(-torch.abs(u))
    return torch.where(u < 0, 1, e) * (1 / (1 + e))


def tanh(u: torch.Tensor) -> torch.Tensor:
    """Within 2.6 ulp."""
    e = expm1_below(-2 * torch.abs(u))
    return torch.copysign(e / (2 + e), u)


def softplus(u: torch.Tensor) -> torch.Tensor:
    """Within 1.7 ulp, in both tails."""
    a = torch.abs(u)
    e = exp_below(-a)
    square = a * a
    near = _fma(square, _polynomial(square, table.SOFTPLUS_NEAR_32), _LN2 - a / 2)
    far = _fma(e * e, _polynomial(e, table.SOFTPLUS_FAR_32), e)
    return torch.where(u < 0, 0, u) + torch.where(a < 1, near, far)


def erf(u: torch.Tensor) -> torch.Tensor:
    """Within 1.3 ulp."""
    a = torch.clamp(torch.abs(u), max=3.95)
    near = _fma(a, _polynomial(a * a, table.ERF_32), a)
    far = expm1_below(a * _polynomial(a, table.LOG_ERFC_32))
    return torch.copysign(torch.where(a < 0.8, near, far), u)


def _exp_of_square(a: torch.Tensor, factor: float) -> torch.Tensor:
    """exp(factor*a^2), to which exp gets what the rounding of the square would lose beside it."""
    high = (a.view(torch.int32) & -4096).view(torch.float32)  # its square is exact
    return _exp(factor * high * high, factor * (a - high) * (a + high))


def _scaled_erfc(a: torch.Tensor, coefficients: Any) -> torch.Tensor:
    """exp(a^2) erfc(a), or exp(a^2/2) erfc(a/sqrt(2)) with the coefficients of that, for a >= 0."""
    r = 1 / (a + 4)
    return r * _polynomial((a - 4) * r, coefficients)


def erfc(u: torch.Tensor) -> torch.Tensor:
    """Within 6.4 ulp."""
    a = torch.clamp(torch.abs(u), max=10.2)
    tail = _exp_of_square(a, -1.0) * _scaled_erfc(a, table.ERFC_32)
    return torch.where(u < 0, 2 - tail, tail)


def erfc_of_minus_root(u: torch.Tensor) -> torch.Tensor:
    """erfc(-u/sqrt(2)). Within 5.2 ulp, sharing the exponential with gauss(u)."""
    a = torch.clamp(torch.abs(u), max=14.43)
    tail = _exp_of_square(a, -0.5) * _scaled_erfc(a, table.ERFC_ROOT_32)
    return torch.where(u < 0, tail, 2 - tail)


def gauss(u: torch.Tensor) -> torch.Tensor:
    """exp(-u^2/2). Within 1.2 ulp."""
    return _exp_of_square(torch.clamp(torch.abs(u), max=14.43), -0.5)


_TAKEN: Mapping[Any, Callable[[torch.Tensor], torch.Tensor]] = {
    functions.expm1: expm1,
    functions.sigmoid: sigmoid,
    sympy.tanh: tanh,
    functions.softplus: softplus,
    sympy.erf: erf,
    functions.erfc: erfc,
}
_BELOW: Mapping[Any, Callable[[torch.Tensor], torch.Tensor]] = {sympy.exp: exp_below, functions.expm1: expm1_below}
"""Where the argument is known not to be positive."""
NAMES: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    f"_{f.__name__}": f for f in (*_TAKEN.values(), *_BELOW.values(), sigmoid_of_minus, erfc_of_minus_root, gauss)
}
"""What printed code calls them."""


class InductorPrinter(TorchPrinter):
    """PyTorch, for Inductor on the CPU in float32; what it prints runs with `NAMES`."""

    functions: ClassVar[Mapping[Any, str]] = {
        **TorchPrinter.functions,
        **{function: f"_{f.__name__}" for function, f in _TAKEN.items()},
    }
    helpers: ClassVar[Mapping[str, str]] = {n: text for n, text in TorchPrinter.helpers.items() if n not in NAMES}

    def function(
        self,
        name: str,
        arguments: Sequence[str],
        assignments: Sequence[tuple[Symbol, Expr]],
        result: Expr,
        doc: str = "",
        preamble: bool = True,
    ) -> str:
        steps = [(symbol, _unguarded(symbol, value)) for symbol, value in assignments]
        return super().function(name, arguments, steps, result, doc, preamble)

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        special, u = _special(function, arguments[0])
        if special is None or not self._varies(u):
            return super().call(function, arguments)
        return f"_{special.__name__}({self._print(u)})"


def _special(function: Any, u: Expr) -> tuple[Callable[[torch.Tensor], torch.Tensor] | None, Expr]:
    """What serves function(u) better than the general one, and its argument."""
    square = -2 * u
    if function is functions.erfc and (-sympy.sqrt(2) * u).is_Symbol:
        return erfc_of_minus_root, -sympy.sqrt(2) * u
    if function is sympy.exp and isinstance(square, Pow) and square.exp == 2 and square.base.is_Symbol:
        return gauss, square.base
    return (_BELOW.get(function) if u.is_nonpositive else None), u


def _unguarded(symbol: Symbol, value: Expr) -> Expr:
    """x itself for a step that is x as one branch may see it, which spares the gradient the branches not taken."""
    guard = symbol.name.startswith("x") and isinstance(value, Piecewise)
    return value.args[-1].args[0] if guard else value  # pyright: ignore[reportReturnType]


def serves(x: torch.Tensor) -> bool:
    """Whether a tensor that `torch.compile` traces is in memory and computed in float32; not for an exporter, nor for a
    tensor of tensors such as a DTensor, whose bits are not its own."""
    suits = x.is_cpu and x.dtype in (torch.float16, torch.bfloat16, torch.float32)
    return suits and not (torch.compiler.is_exporting() or is_traceable_wrapper_subclass(x))

"""Generated Triton kernels under PyTorch's autograd: an activation of a tensor on a GPU in one pass over memory.

As for tensors in memory, the backward pass is one kernel (g*f'), and so is the backward of that (gg*f' and gg*g*f'').
They compute in float32, or in float64 for float64, and read a parameter where it lies. Checked under Triton's interpreter,
with NumPy's functions in libdevice's place, and compiled for the H100; not run or measured on a GPU.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import torch

from actfn.definition import Definition
from actfn.formula.printers.triton import TritonPrinter
from actfn.kernels.build import Request, triton_source
from actfn.kernels.printed import load
from actfn.torch.printed import Derivative, Spec, along, batched, save, saved, watched

DEVICES = ("cuda",)
"""The kinds of device that the kernels run on; Triton's interpreter runs them on "cpu" too."""
BLOCK = 1024
"""How many elements one program works on."""
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@lru_cache(maxsize=1)
def available() -> bool:
    """Whether there is a Triton."""
    return find_spec("triton") is not None


def apply(spec: Spec, x: torch.Tensor, parameters: tuple[Any, ...]) -> torch.Tensor | None:
    """F(x) with its derivatives, for F a derivative of a formula; None where the kernels don't serve.

    They do for tensors that nothing looks on at, and parameters that are one number each.
    """
    if not (available() and suits(x) and not watched() and all(_is_number(p, x) for p in parameters)):
        return None
    return Value.apply(spec, x, *parameters)


def suits(x: torch.Tensor) -> bool:
    """Whether a tensor is one that the kernels can read: plain, on a GPU, of a dtype that they know."""
    return (
        type(x) in (torch.Tensor, torch.nn.Parameter)
        and x.device.type in DEVICES
        and x.dtype in _DTYPES
        and x.layout is torch.strided
        and not (x.is_neg() or batched(x))
    )


def source(
    definition: Definition, order: int = 0, by: tuple[str, ...] = (), form: str = "value", dtype="float32"
) -> str:
    """The Triton code that runs: of a derivative ("value"), times g ("product"), or of the backward of that ("double")."""
    return triton_source(Request(definition, order, by, form, "float64" if dtype == "float64" else "float32", "fast"))


@lru_cache(maxsize=1024)
def _kernel(definition: Definition, order: int, by: tuple[str, ...], form: str, dtype: str) -> Any:
    name = TritonPrinter().kernel_name(definition.name)
    return load(source(definition, order, by, form, dtype), name, {"__name__": __name__})


def compute(
    form: str, spec: Spec, arrays: tuple[torch.Tensor, ...], parameters: tuple[Any, ...]
) -> tuple[torch.Tensor, ...]:
    """The results of one kernel, without a graph. The arrays have one shape, dtype and device."""
    import triton  # pyright: ignore[reportMissingImports]
    import triton.language as tl  # pyright: ignore[reportMissingImports]

    x = arrays[0]
    double = x.dtype is torch.float64
    first = torch.empty_like(x)  # dense, in the layout of x if that is dense
    arrays = tuple(
        a if a.stride() == first.stride() else torch.empty_like(first).copy_(a) for a in (a.detach() for a in arrays)
    )
    results = (first, torch.empty_like(first)) if form == "double" else (first,)
    n = x.numel()
    if n:
        kernel = _kernel(spec.definition, spec.order, spec.by, form, "float64" if double else "float32")
        numbers = [_number(p, x.device, torch.float64 if double else torch.float32) for p in parameters]
        with torch.cuda.device(x.device) if x.is_cuda else nullcontext():
            arithmetic = tl.float64 if double else tl.float32
            kernel[(triton.cdiv(n, BLOCK),)](*arrays, *numbers, *results, n, BLOCK=BLOCK, ARITHMETIC=arithmetic)
    return results


def _is_number(parameter: Any, x: torch.Tensor) -> bool:
    """Whether a parameter is a number, or a tensor of one that lies where x does."""
    if isinstance(parameter, torch.Tensor):
        return (
            parameter.numel() == 1 and parameter.dim() <= x.dim() and suits(parameter) and parameter.device == x.device
        )
    return isinstance(parameter, int | float)


def _number(parameter: Any, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    if isinstance(parameter, torch.Tensor):
        return parameter.detach().to(dtype)
    return _held(float(parameter).hex(), device, dtype)


@lru_cache(maxsize=1024)
def _held(number: str, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """A number in a device's memory; as text 0.0 and -0.0 differ."""
    return torch.tensor(float.fromhex(number), dtype=dtype, device=device)


class Value(torch.autograd.Function):
    """F(x)."""

    @staticmethod
    def forward(ctx: Any, spec: Spec, x: torch.Tensor, *parameters: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.spec = spec
        save(ctx, (x,), parameters)
        return compute("value", spec, (x,), parameters)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (g,) = gradients
        (x,), parameters = saved(ctx, 1)
        by_x = _times(g, along(ctx.spec), x, parameters) if ctx.needs_input_grad[1] else None
        return None, by_x, *_by_parameters(ctx.spec, g, x, parameters, ctx.needs_input_grad[2:])


class Product(torch.autograd.Function):
    """g*F(x)."""

    @staticmethod
    def forward(ctx: Any, spec: Spec, g: torch.Tensor, x: torch.Tensor, *parameters: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.spec = spec
        save(ctx, (g, x), parameters)
        return compute("product", spec, (x, g), parameters)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (gg,) = gradients
        (g, x), parameters = saved(ctx, 2)
        spec, needs = ctx.spec, ctx.needs_input_grad
        by_parameters = (
            _by_parameters(spec, gg * g, x, parameters, needs[3:]) if any(needs[3:]) else [None] * len(needs[3:])
        )
        if torch.is_grad_enabled() or not needs[2] or not _served(x, g, gg):
            by_g = _times(gg, spec, x, parameters) if needs[1] else None
            by_x = _times(gg * g, along(spec), x, parameters) if needs[2] else None
        else:
            by_g, by_x = compute("double", spec, (x, g, gg), tuple(parameters))
        return None, by_g, by_x, *by_parameters


def _served(x: torch.Tensor, *factors: torch.Tensor) -> bool:
    return not watched() and all(suits(a) and a.shape == x.shape and a.dtype is x.dtype for a in (x, *factors))


def _times(g: torch.Tensor, spec: Spec, x: torch.Tensor, parameters: list[Any]) -> torch.Tensor:
    """g*F(x), which can be differentiated again."""
    if not _served(x, g):
        return g * Derivative.apply(spec, x, *parameters)
    return Product.apply(spec, g, x, *parameters)


def _by_parameters(
    spec: Spec, g: torch.Tensor, x: torch.Tensor, parameters: list[Any], needs: tuple[bool, ...]
) -> list[torch.Tensor | None]:
    """The gradient of each parameter that needs one: the sum of g*dF/dparameter."""
    names = spec.definition.defaults
    return [
        _times(g, along(spec, name), x, parameters).sum_to_size(parameter.shape) if needed else None
        for name, parameter, needed in zip(names, parameters, needs, strict=True)
    ]

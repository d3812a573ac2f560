"""Kernels under PyTorch's autograd: the fast path for plain tensors in memory, run eagerly.

The backward pass is one loop (g*f'), and so is the backward of that (gg*f' and gg*g*f''); only a third derivative is
put together from differentiable parts. Any dense layout is used as it lies; large results lie in memory of ours. `Short` is
the same for contiguous tensors and parameters that are numbers, with whatever doesn't depend on the tensor found once:
on 16,384 elements Python's share would otherwise outweigh the loops.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from actfn.kernels import tables
from actfn.kernels.build import ITEMSIZE, Kernel, Request, kernel_if_any
from actfn.kernels.direct import bound, called, direct, shared
from actfn.kernels.threads import GRAIN, each_part, part_of, run
from actfn.kernels.ufunc import of_request
from actfn.torch import memory, openmp
from actfn.torch.printed import Derivative, Spec, along, batched, evaluate, save, saved, watched

DTYPES = {
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.float32: "float32",
    torch.float64: "float64",
}
_enabled, _empty_like = torch.is_grad_enabled, torch.empty_like
_TENSOR, _PARAMETER, _STRIDED = torch.Tensor, torch.nn.Parameter, torch.strided  # found sooner than attributes


def suits(x: torch.Tensor) -> bool:
    """Whether a tensor is one that a kernel can read: plain, in memory, of a dtype that there are loops for."""
    kind = type(x)
    return (
        (kind is _TENSOR or kind is _PARAMETER)
        and x.is_cpu
        and x.dtype in DTYPES
        and x.layout is _STRIDED
        and not (x.is_neg() or batched(x))
    )


def compute(
    form: str,
    spec: Spec,
    arrays: tuple[torch.Tensor, ...],
    parameters: tuple[Any, ...],
    accuracy: str = "fast",
    into: torch.Tensor | None = None,
) -> tuple[torch.Tensor, ...]:
    """The results of one loop, without a graph. The arrays have one shape and dtype; `into` takes the only result."""
    x = arrays[0]
    built = _kernel(form, spec, x.dtype, accuracy)
    if built is None:
        results = _printed(form, spec, arrays, parameters)
        return results if into is None else (into.copy_(results[0]),)
    numbers: tuple[Any, ...] = tuple(map(_number, parameters))
    if None in numbers:
        results = _broadcast(built.request, arrays, parameters)
        return results if into is None else (into.copy_(results[0]),)
    first = into if into is not None and _dense(into) else empty_like(x)
    if not (x.is_contiguous() and all(a.is_contiguous() for a in arrays) and first.is_contiguous()):
        if first.stride() != x.stride() and x.numel() > 1:  # not dense: a copy that is
            arrays = tuple(a.contiguous() for a in arrays)
            first = empty_like(arrays[0])
        stride = first.stride()
        arrays = tuple(a if a.stride() == stride else empty_like(first).copy_(a) for a in arrays)
    results = (first, empty_like(first)) if built.request.outputs == 2 else (first,)
    n = x.numel()
    if n:
        threads = torch.get_num_threads() if n >= 2 * GRAIN else 1
        inputs, outputs = [a.data_ptr() for a in arrays], [y.data_ptr() for y in results]
        if threads > 1 and openmp.team:
            shared(built, numbers, openmp.team)(threads, part_of(n, threads), n, *inputs, *outputs)
        else:
            held, addresses = built.parameters_at(numbers)
            run(built, n, inputs, addresses, outputs, threads)
            del held
    if into is not None and results[0] is not into:
        into.copy_(results[0])
        return (into,)
    return results


def _kernel(form: str, spec: Spec, dtype: torch.dtype, accuracy: str) -> Kernel | None:
    key = (form, dtype, accuracy)
    if key not in spec.kernels:
        spec.kernels[key] = kernel_if_any(Request(spec.definition, spec.order, spec.by, form, DTYPES[dtype], accuracy))
    return spec.kernels[key]


def _printed(
    form: str, spec: Spec, arrays: tuple[torch.Tensor, ...], parameters: tuple[Any, ...]
) -> tuple[torch.Tensor, ...]:
    """The same results from the printed expression, for a formula that has no kernel."""
    x, *factors = (a.detach() for a in arrays)
    values = tuple(p.detach() if isinstance(p, torch.Tensor) else p for p in parameters)
    y = evaluate(spec, x, values)
    if form == "value":
        return (y,)
    if form == "product":
        return (factors[0] * y,)
    if form == "double":
        g, gg = factors
        return gg * y, gg * g * evaluate(along(spec), x, values)
    raise ValueError(
        f"{spec.definition.name}: save='output' needs a kernel, and this formula has none; write save='input'"
    )


def _number(parameter: Any) -> float | None:
    if isinstance(parameter, torch.Tensor):
        return parameter.item() if parameter.numel() == 1 and parameter.dim() == 0 else None
    return parameter


def _broadcast(
    request: Request, arrays: tuple[torch.Tensor, ...], parameters: tuple[Any, ...]
) -> tuple[torch.Tensor, ...]:
    """Parameters that are arrays: NumPy broadcasts them over the same loop."""
    if request.dtype == "bfloat16":  # which NumPy has not
        wide = tuple(a.float() for a in arrays)
        widened = tuple(p.float() if isinstance(p, torch.Tensor) else p for p in parameters)
        request = Request(request.definition, request.order, request.by, request.form, "float32", "correct")
        return tuple(r.to(arrays[0].dtype) for r in _broadcast(request, wide, widened))
    kind = np.dtype(request.parameter_dtype)
    values = [_array(p).astype(kind) if isinstance(p, torch.Tensor) else np.asarray(p, kind) for p in parameters]
    results = of_request(request)(*map(_array, arrays), *values)
    return tuple(torch.from_numpy(np.asarray(r)) for r in (results if isinstance(results, tuple) else (results,)))


def _array(x: torch.Tensor) -> np.ndarray:
    """A tensor as NumPy sees it. After `x.numpy()` its storage couldn't be resized, which FSDP does to parameters."""
    return np.from_dlpack(x.detach())


def _dense(x: torch.Tensor) -> bool:
    """Whether the elements fill their memory, each its own place, in some order: a loop may then write there."""
    return x.is_contiguous() or torch.empty_like(x, device="meta").stride() == x.stride()


def empty_like(x: torch.Tensor) -> torch.Tensor:
    """An uninitialised tensor like x, of the same layout where that is dense, in `memory` of ours where it is large."""
    size = x.numel() * ITEMSIZE[DTYPES[x.dtype]]
    if size < memory.LARGE:
        return torch.empty_like(x)
    like = torch.empty_like(x, device="meta")
    return torch.empty(0, dtype=x.dtype, device="cpu").set_(memory.storage(size), 0, like.shape, like.stride())


class Value(torch.autograd.Function):
    """F(x), for F a derivative of a formula by x and by parameters."""

    @staticmethod
    def forward(ctx: Any, spec: Spec, accuracy: str, x: torch.Tensor, *parameters: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.spec, ctx.accuracy = spec, accuracy
        save(ctx, (x,), parameters)
        return compute("value", spec, (x,), parameters, accuracy)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (g,) = gradients
        (x,), parameters = saved(ctx, 1)
        needs = ctx.needs_input_grad
        wanted = _times(g, along(ctx.spec), ctx.accuracy, x, parameters) if needs[2] else None
        return (None, None, wanted, *_by_parameters(ctx.spec, ctx.accuracy, g, x, parameters, needs[3:]))


class Product(torch.autograd.Function):
    """g*F(x)."""

    @staticmethod
    def forward(
        ctx: Any, spec: Spec, accuracy: str, g: torch.Tensor, x: torch.Tensor, *parameters: Any
    ) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.spec, ctx.accuracy = spec, accuracy
        save(ctx, (g, x), parameters)
        return compute("product", spec, (x, g), parameters, accuracy)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (gg,) = gradients
        (g, x), parameters = saved(ctx, 2)
        needs, spec, accuracy = ctx.needs_input_grad, ctx.spec, ctx.accuracy
        by_parameters = (
            _by_parameters(spec, accuracy, gg * g, x, parameters, needs[4:])
            if any(needs[4:])
            else [None] * len(parameters)
        )
        if torch.is_grad_enabled() or not needs[3] or watched() or not all(map(suits, (x, g, gg))):
            by_g = _times(gg, spec, accuracy, x, parameters) if needs[2] else None
            by_x = _times(gg * g, along(spec), accuracy, x, parameters) if needs[3] else None
        else:
            by_g, by_x = compute("double", spec, (x, g, gg), tuple(parameters), accuracy)
        return (None, None, by_g, by_x, *by_parameters)


class FromOutput(torch.autograd.Function):
    """f(x), keeping y = f(x) instead of x; its backward can't be differentiated, as x is gone."""

    @staticmethod
    def forward(
        ctx: Any, spec: Spec, accuracy: str, inplace: bool, x: torch.Tensor, *parameters: float
    ) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.spec, ctx.accuracy, ctx.parameters = spec, accuracy, parameters
        (y,) = compute("value", spec, (x,), parameters, accuracy, x if inplace else None)
        if inplace:
            ctx.mark_dirty(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        slope = _from_output(gradients[0], ctx.saved_tensors[0], ctx.spec, ctx.accuracy, ctx.parameters)
        return (None, None, None, slope, *[None] * len(ctx.parameters))


def _from_output(
    g: torch.Tensor, y: torch.Tensor, spec: Spec, accuracy: str, parameters: tuple[float, ...]
) -> torch.Tensor:
    with torch.no_grad():
        y = y if suits(y) else y.resolve_neg()
        factor = g if suits(g) and not watched() else torch.ones_like(y)
        (slope,) = compute("output", spec, (y, factor), parameters, accuracy)
        slope = slope if factor is g else g * slope
    return _Last.apply(slope, y, g) if torch.is_grad_enabled() else slope


class _Last(torch.autograd.Function):
    """A gradient that depends on y and g, and refuses to be differentiated.

    `once_differentiable` refuses only where g is part of a graph, and is silently constant where y alone is.
    """

    @staticmethod
    def forward(ctx: Any, slope: torch.Tensor, y: torch.Tensor, g: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return slope.view_as(slope)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise RuntimeError(
            "a gradient with save='output' can't be differentiated again, as x wasn't kept; write save='input'"
        )


def short(
    spec: Spec, dtype: torch.dtype, save: str, accuracy: str, numbers: tuple[float, ...]
) -> Callable[[torch.Tensor], torch.Tensor | None] | None:
    """f at parameters that are numbers, for tensors of a dtype; None for a formula that has no kernel.

    What it returns gives f(x), or None where x isn't plain and contiguous, or something looks on.
    """
    value = _ready(_kernel("value", spec, dtype, accuracy), numbers)
    if value is None:
        return None
    keeps_output = save == "output"
    form, of = ("output", spec) if keeps_output else ("product", along(spec))

    @cache
    def slope() -> Callable[..., torch.Tensor]:
        return _ready(_kernel(form, of, dtype, accuracy), numbers) or by_steps

    def by_steps(kept: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        if keeps_output:
            return _from_output(g, kept, spec, accuracy, numbers)
        return _times(g, of, accuracy, kept, list(numbers))

    def readable(t: torch.Tensor) -> bool:  # what comes to a backward pass may come from a hook
        return t.dtype is dtype and t.is_contiguous() and suits(t)

    class Short(torch.autograd.Function):
        """`Value` or `FromOutput`, the short way."""

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
            y = value(x)
            ctx.save_for_backward(y if keeps_output else x)
            return y

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
            (kept,) = ctx.saved_tensors
            if readable(kept) and readable(g) and not (_enabled() or watched()):
                return slope()(kept, g)
            return by_steps(kept, g)

    # The class of a node calls `backward` through a check of its definition, and `apply` looks for transforms; neither
    # is for these.
    Short._backward_cls.apply = Short.backward  # pyright: ignore[reportAttributeAccessIssue]
    apply = super(torch.autograd.Function, Short).apply  # pyright: ignore[reportAttributeAccessIssue]

    def activation(x: torch.Tensor) -> torch.Tensor | None:
        if x.is_contiguous() and x.is_cpu and x.layout is _STRIDED and not (x.is_neg() or watched()):
            return apply(x) if x.requires_grad and _enabled() else value(x)
        return None

    return activation


def _ready(kernel: Kernel | None, numbers: tuple[float, ...]) -> Callable[..., torch.Tensor] | None:
    """A kernel with one result at its parameters, over one or two contiguous tensors of one length."""
    if kernel is None:
        return None
    loop, size = direct(kernel, numbers), ITEMSIZE[kernel.request.dtype]
    large, long = memory.LARGE // size, tables.SIZE if size == 2 else 2 * GRAIN

    @cache
    def of_long(team: int) -> Callable[..., None]:
        return called(tables.bound(kernel, numbers) or bound(kernel, numbers), team)

    def in_parts(n: int, *at: int) -> None:
        threads = torch.get_num_threads() if n >= 2 * GRAIN else 1
        if threads > 1 and openmp.team:
            of_long(openmp.team)(threads, part_of(n, threads), n, *at)
        else:
            each_part(n, threads, lambda a, b: of_long(0)(b - a, *[p + a * size for p in at]))

    def result(x: torch.Tensor, other: torch.Tensor | None = None) -> torch.Tensor:
        n = x.numel()
        y = _empty_like(x) if n < large else empty_like(x)
        compute = loop if n < long else in_parts
        if other is None:
            compute(n, x.data_ptr(), y.data_ptr())
        else:
            compute(n, x.data_ptr(), other.data_ptr(), y.data_ptr())
        return y

    return result


def _times(g: torch.Tensor, spec: Spec, accuracy: str, x: torch.Tensor, parameters: list[Any]) -> torch.Tensor:
    if g.shape != x.shape or watched() or not (suits(g) and suits(x)):
        return (g * _value(spec, accuracy, x, parameters)).sum_to_size(x.shape)
    if torch.is_grad_enabled():
        return Product.apply(spec, accuracy, g, x, *parameters)
    return compute("product", spec, (x, g), tuple(parameters), accuracy)[0]


def _value(spec: Spec, accuracy: str, x: torch.Tensor, parameters: list[Any]) -> torch.Tensor:
    """F(x), to be multiplied by a factor that a loop can't read beside x."""
    if watched() or not suits(x):
        return Derivative.apply(spec, x, *parameters)
    return Value.apply(spec, accuracy, x, *parameters)


def _by_parameters(
    spec: Spec, accuracy: str, g: torch.Tensor, x: torch.Tensor, parameters: list[Any], needs: tuple[bool, ...]
) -> list[torch.Tensor | None]:
    wanted: list[torch.Tensor | None] = []
    for name, parameter, needed in zip(spec.definition.defaults, parameters, needs, strict=True):
        if not needed:
            wanted.append(None)
            continue
        inner = along(spec, name)
        slope = (
            _times(g, inner, accuracy, x, parameters)
            if g.shape == x.shape
            else g * _value(inner, accuracy, x, parameters)
        )
        wanted.append(slope.sum_to_size(parameter.shape))
    return wanted

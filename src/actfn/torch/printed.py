"""The printed PyTorch expression of a formula and of its derivatives, and its evaluation in the dtype of x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import torch
from torch.autograd import forward_ad

from actfn.definition import Definition
from actfn.formula.printers.torch import TorchPrinter
from actfn.kernels.lower import program
from actfn.kernels.printed import load
from actfn.torch import inductor


@dataclass(frozen=True)
class Spec:
    """A definition, the order of its derivative by x, and the parameters that it is differentiated by."""

    definition: Definition
    order: int = 0
    by: tuple[str, ...] = ()
    kernels: dict[tuple[str, torch.dtype, str], Any] = field(default_factory=dict, compare=False, repr=False)
    """What was built for it: (form, dtype, accuracy) -> the kernel, or None where there is none."""
    derivatives: dict[str | None, Spec] = field(default_factory=dict, compare=False, repr=False)
    """By x (None) or by a parameter."""


_HALVES = (torch.float16, torch.bfloat16)


@lru_cache(maxsize=1024)
def printed(
    definition: Definition, order: int = 0, by: tuple[str, ...] = (), printer: type[TorchPrinter] = TorchPrinter
) -> Callable[..., torch.Tensor]:
    """The printed code of a derivative as a function of x and every parameter, by position."""
    name = printer().identifier(definition.name)
    return load(source(definition, order, by, printer), name, {"torch": torch, **inductor.NAMES})


def source(
    definition: Definition, order: int = 0, by: tuple[str, ...] = (), printer: type[TorchPrinter] = TorchPrinter
) -> str:
    """The PyTorch code that runs."""
    steps = program(definition, order, by)
    return printer().function(definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula)


def evaluate(spec: Spec, x: torch.Tensor, parameters: tuple[Any, ...]) -> torch.Tensor:
    """A derivative at x, by its printed code."""
    compiled = torch.compiler.is_compiling() and inductor.serves(x)
    printer = inductor.InductorPrinter if compiled else TorchPrinter
    code = printed(spec.definition, spec.order, spec.by, printer)
    return run(partial(inductor.apart, code, spec.order + len(spec.by)) if compiled else code, x, parameters)


def run(code: Callable[..., torch.Tensor], x: torch.Tensor, parameters: tuple[Any, ...]) -> torch.Tensor:
    """Printed code at x. float16 and bfloat16 are computed in float32 and rounded once more."""
    if x.dtype in _HALVES:
        wide = [p.float() if isinstance(p, torch.Tensor) else p for p in parameters]
        return code(x.float(), *wide).to(x.dtype)
    return code(x, *parameters)


def along(spec: Spec, name: str | None = None) -> Spec:
    """The spec of the derivative by x, or by a parameter."""
    found = spec.derivatives.get(name)
    if found is None:
        by = spec.by if name is None else tuple(sorted((*spec.by, name)))
        found = spec.derivatives[name] = Spec(spec.definition, spec.order + (name is None), by)
    return found


_tracing = torch._C._get_tracing_state
_modes = torch._C._len_torch_dispatch_stack
transforms = torch._C._are_functorch_transforms_active  # pyright: ignore[reportAttributeAccessIssue]
batched = torch._C._functorch.is_legacy_batchedtensor  # pyright: ignore[reportAttributeAccessIssue]


def watched() -> bool:
    """Whether something looks on at each operation of PyTorch's, and would miss what a kernel does: a transform of
    `torch.func`, forward AD, a dispatch mode such as that of `make_fx`, or `torch.jit.trace`."""
    return bool(forward_ad._current_level >= 0 or transforms() or _modes() or _tracing())


def save(ctx: Any, arrays: tuple[torch.Tensor, ...], parameters: tuple[Any, ...]) -> None:
    """Keeps arrays and parameters for the backward pass, tensors as autograd wants them kept."""
    tensors = [p for p in parameters if isinstance(p, torch.Tensor)]
    ctx.plain = [None if isinstance(p, torch.Tensor) else p for p in parameters]
    ctx.save_for_backward(*arrays, *tensors)


def saved(ctx: Any, count: int) -> tuple[tuple[torch.Tensor, ...], list[Any]]:
    """The `count` arrays and the parameters that `save` kept."""
    kept = ctx.saved_tensors
    waiting = iter(kept[count:])
    return kept[:count], [next(waiting) if p is None else p for p in ctx.plain]


class Derivative(torch.autograd.Function):
    """d^n f/dx^n (differentiated by parameters too), whose own derivatives are of the same kind."""

    generate_vmap_rule = True

    @staticmethod
    def forward(spec: Spec, x: torch.Tensor, *parameters: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        y = evaluate(spec, x, parameters)
        return y.clone() if y is x else y  # which autograd wouldn't let a function return and save

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        spec, x, *parameters = inputs
        tensors = [p for p in parameters if isinstance(p, torch.Tensor)]
        ctx.spec = spec
        ctx.plain = [None if isinstance(p, torch.Tensor) else p for p in parameters]
        ctx.save_for_backward(x, *tensors)
        ctx.save_for_forward(x, *tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (gradient,) = gradients
        (x,), parameters = saved(ctx, 1)
        needs = ctx.needs_input_grad
        by_x = (gradient * _along(ctx.spec, x, parameters)).sum_to_size(x.shape) if needs[1] else None
        wanted: list[Any] = [None, by_x]
        names = tuple(ctx.spec.definition.defaults)
        for name, parameter, needed in zip(names, parameters, needs[2:], strict=True):
            slope = gradient * _along(ctx.spec, x, parameters, name) if needed else None
            wanted.append(None if slope is None else slope.sum_to_size(parameter.shape))
        return tuple(wanted)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        (x,), parameters = saved(ctx, 1)
        _, along_x, *along = tangents
        total = None if along_x is None else along_x * _along(ctx.spec, x, parameters)
        for name, tangent in zip(ctx.spec.definition.defaults, along, strict=True):
            if tangent is not None:
                part = tangent * _along(ctx.spec, x, parameters, name)
                total = part if total is None else total + part
        return total


def _along(spec: Spec, x: torch.Tensor, parameters: list[Any], name: str | None = None) -> torch.Tensor:
    """The derivative of a spec by x, or by a parameter."""
    return Derivative.apply(along(spec, name), x, *parameters)

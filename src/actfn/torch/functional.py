"""An activation as a PyTorch function: the printed expression, with derivatives that are derived and not traced.

Run eagerly, f is an `autograd.Function` whose backward evaluates the printed code of f', whose backward is f'' and so
on: autograd's own way through the expression would lose what the formula keeps (the derivative of `expm1` is taken
from its rounded result, and is 0 where exp(x) is not). While `torch.compile` or `torch.export` traces, the printed
expression itself is traced.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from actfn.definition import Definition
from actfn.formula.printers.torch import TorchPrinter
from actfn.kernels.printed import load
from actfn.kernels.lower import program

Spec = tuple[Definition, int, tuple[str, ...]]
"""A definition, the order of its derivative by x, and the parameters that it is differentiated by."""

_HALVES = (torch.float16, torch.bfloat16)


@lru_cache(maxsize=1024)
def printed(definition: Definition, order: int = 0, by: tuple[str, ...] = ()) -> Callable[..., torch.Tensor]:
    """The printed code of a derivative as a function of x and every parameter, by position."""
    return load(source(definition, order, by), definition.name, {"torch": torch})


def source(definition: Definition, order: int = 0, by: tuple[str, ...] = ()) -> str:
    """The PyTorch code that runs."""
    steps = program(definition, order, by)
    return TorchPrinter().function(definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula)


class _Derivative(torch.autograd.Function):
    """d^n f/dx^n (differentiated by parameters too), whose own derivatives are of the same kind."""

    generate_vmap_rule = True

    @staticmethod
    def forward(spec: Spec, x: torch.Tensor, *parameters: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _evaluate(spec, x, parameters)

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
        x, parameters = _saved(ctx)
        needs = ctx.needs_input_grad
        wanted: list[Any] = [None, gradient * _along(ctx.spec, x, parameters) if needs[1] else None]
        names = tuple(ctx.spec[0].defaults)
        for name, parameter, needed in zip(names, parameters, needs[2:], strict=True):
            slope = gradient * _along(ctx.spec, x, parameters, name) if needed else None
            wanted.append(None if slope is None else slope.sum_to_size(parameter.shape))
        return tuple(wanted)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        x, parameters = _saved(ctx)
        _, along_x, *along = tangents
        total = None if along_x is None else along_x * _along(ctx.spec, x, parameters)
        for name, tangent in zip(ctx.spec[0].defaults, along, strict=True):
            if tangent is not None:
                part = tangent * _along(ctx.spec, x, parameters, name)
                total = part if total is None else total + part
        return total


def _saved(ctx: Any) -> tuple[torch.Tensor, list[Any]]:
    x, *tensors = ctx.saved_tensors
    waiting = iter(tensors)
    return x, [next(waiting) if p is None else p for p in ctx.plain]


def _along(spec: Spec, x: torch.Tensor, parameters: list[Any], name: str | None = None) -> torch.Tensor:
    """The derivative of a spec by x, or by a parameter."""
    definition, order, by = spec
    inner: Spec = (definition, order + 1, by) if name is None else (definition, order, tuple(sorted((*by, name))))
    return _Derivative.apply(inner, x, *parameters)


def _evaluate(spec: Spec, x: torch.Tensor, parameters: tuple[Any, ...]) -> torch.Tensor:
    code = printed(*spec)
    if x.dtype in _HALVES:
        wide = [p.float() if isinstance(p, torch.Tensor) else p for p in parameters]
        return code(x.float(), *wide).to(x.dtype)
    return code(x, *parameters)


@lru_cache(maxsize=512)
def function(definition: Definition) -> Callable[..., torch.Tensor]:
    """f as a function of a floating-point tensor and the parameters, by position or name, with defaults.

    A parameter is a number or a tensor that broadcasts with x; a tensor gets its gradient. The result has the dtype
    and shape of x (broadcast with the parameters). float16 and bfloat16 are computed in float32 and rounded once more.
    Raises `TypeError` for an x that isn't a floating-point tensor, `ValueError` for a number outside a domain.
    """
    names = tuple(definition.defaults)

    def activation(x: torch.Tensor, *args: Any, **keywords: Any) -> torch.Tensor:
        if not isinstance(x, torch.Tensor) or not x.is_floating_point():
            kind = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
            raise TypeError(f"{definition.name} takes a floating-point tensor, not {kind}; write {definition.name}(x.float())")
        if len(args) > len(names):
            raise TypeError(f"{definition.name} takes x and {len(names)} parameters; {len(args)} parameters were given")
        given = dict(zip(names, args, strict=False))
        for name, value in keywords.items():
            if name not in names or name in given:
                known = ", ".join(names) or "none"
                raise TypeError(f"{definition.name}: no free parameter {name!r}; its parameters: {known}")
            given[name] = value
        parameters = [_parameter(definition, n, given.get(n, definition.defaults[n]), x.dtype) for n in names]
        if torch.compiler.is_compiling():
            return _evaluate((definition, 0, ()), x, tuple(parameters))
        return _Derivative.apply((definition, 0, ()), x, *parameters)

    activation.__name__ = activation.__qualname__ = definition.name
    activation.__doc__ = f"{definition.title or definition.name}: {definition.formula}\n\n{definition.summary}"
    return activation


def _parameter(definition: Definition, name: str, value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(dtype)
    return definition.values({name: value})[name]

"""An activation as a PyTorch function, with derivatives that are derived and not traced.

A plain tensor in memory goes to the compiled kernels (`eager`). Anything else goes through the printed expression: its
derivative of each order is printed too, as autograd's own way through the expression would lose what the formula keeps
(the derivative of `expm1` is taken from its rounded result, and is 0 where exp(x) is not). While `torch.compile` or
`torch.export` traces, the printed expression itself is traced.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch.autograd import forward_ad

from actfn.definition import Definition
from actfn.formula.printers.torch import TorchPrinter
from actfn.kernels.inverse import from_output
from actfn.kernels.printed import load
from actfn.torch import eager, native
from actfn.torch.printed import Derivative, Spec, printed, run, transformed


@lru_cache(maxsize=512)
def function(definition: Definition) -> Callable[..., torch.Tensor]:
    """f as a function of a floating-point tensor and the parameters, by position or name, with defaults.

    A parameter is a number or a tensor that broadcasts with x; a tensor gets its gradient. The result has the dtype
    and shape of x (broadcast with the parameters). float16 and bfloat16 results are rounded once.

    By keyword: `inplace=True` writes into x; `save="output"` keeps the result for the backward pass instead of x, which
    costs no memory where the next layer keeps it anyway, but the gradient is as exact as the rounded result allows and
    can't be differentiated again; `accuracy="correct"` rounds correctly (float32).
    Raises `TypeError` for an x that isn't a floating-point tensor, `ValueError` for a number outside a domain and for
    `save="output"` where f' isn't a function of f(x).
    """
    names = tuple(definition.defaults)
    operator = native.of(definition)
    code = printed(definition)  # now, as torch.compile can trace the code but not its printing
    spec = Spec(definition)
    short: dict[tuple[Any, ...], eager.Short] = {}

    def general(x: Any, given: tuple[Any, ...], inplace: bool, save: str, accuracy: str) -> torch.Tensor:
        if not isinstance(x, torch.Tensor) or not x.is_floating_point():
            kind = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
            raise TypeError(
                f"{definition.name} takes a floating-point tensor, not {kind}; write {definition.name}(x.float())"
            )
        if save not in ("input", "output"):
            raise ValueError(f"save is 'input' or 'output', not {save!r}")
        if accuracy not in ("fast", "correct"):
            raise ValueError(f"accuracy is 'fast' or 'correct', not {accuracy!r}")
        parameters = tuple(_parameter(definition, n, p, x.dtype) for n, p in zip(names, given, strict=True))
        if torch.compiler.is_compiling():
            y = run(code, x, parameters)
        elif not _plain(x, parameters):
            y = Derivative.apply(spec, x, *parameters)
        else:
            if not inplace and native.serves(operator, x, parameters, save, accuracy):
                assert operator is not None
                return operator.call(x, *parameters)
            y = _by_kernel(spec, x, parameters, inplace, save, accuracy)
            if len(short) < _MOST and all(isinstance(p, int | float) and p for p in given):  # 0.0 and -0.0 are one key
                made = eager.Short(spec, x.dtype, save, accuracy, parameters)
                if made.value is not None:
                    short[(x.dtype, save, accuracy, *given)] = made
            return y
        return x.copy_(y) if inplace else y

    name = TorchPrinter().identifier(definition.name)  # not a word of Python's
    namespace = _namespace(definition, operator, general) | {"_short": short}
    activation = load(_signature(name, definition, operator), name, namespace)
    activation.__module__ = "actfn.torch"
    activation.__doc__ = f"{definition.title or definition.name}: {definition.formula}\n\n{definition.summary}"
    return activation


_MOST = 64
"""So many settings of the parameters are kept ready for each function."""
_KEYWORDS = ("inplace", "save", "accuracy")


def _signature(name: str, definition: Definition, operator: native.Native | None) -> str:
    """The source of the function that users call: its parameters by name, and the short ways.

    Those are for tensors on which a microsecond counts: to the native operator where it serves, and to a loop that has
    been called with these parameters before.
    """
    names = list(definition.defaults)
    taken = next((n for n in names if n in _KEYWORDS), None)
    if taken:
        raise ValueError(
            f"{taken} is an option of functions for PyTorch; name the parameter otherwise, such as {taken}_1"
        )
    listed = "".join(f", {n}=_default_{n}" for n in names)
    given = "".join(f"{n}, " for n in names)
    text = f"def {name}(x{listed}, *, inplace=False, save='input', accuracy='fast'):\n"
    text += "    if (type(x) is _tensor or type(x) is _parameter) and not inplace and not _compiling():\n"
    if operator is not None:
        served = f"x.numel() < {native.LIMIT} and _switch.on and save == 'input' and accuracy == 'fast'"
        served += " and x.dtype in _dtypes" + ("" if operator.gradient else " and not (x.requires_grad and _enabled())")
        usual = " and ".join(f"{n} is _default_{n}" for n in names) or "True"
        text += f"        if {served}:\n            if {usual}:\n                return _call(x)\n"
        text += f"            return _general(x, ({given}), inplace, save, accuracy)\n"
    text += f"        ready = _short.get((x.dtype, save, accuracy, {given}))\n"
    text += "        y = None if ready is None else ready(x)\n        if y is not None:\n            return y\n"
    return text + f"    return _general(x, ({given}), inplace, save, accuracy)\n"


def _namespace(definition: Definition, operator: native.Native | None, general: Callable[..., Any]) -> dict[str, Any]:
    names = {f"_default_{n}": value for n, value in definition.defaults.items()}
    names |= {"_general": general, "_tensor": torch.Tensor, "_parameter": torch.nn.Parameter}
    names |= {"_switch": native.switch, "_enabled": torch.is_grad_enabled}
    names |= {"_compiling": torch.compiler.is_dynamo_compiling}  # other tracers' tensors are of other classes
    if operator is not None:
        names |= {"_call": operator.call, "_dtypes": operator.dtypes}
    return names


def _plain(x: torch.Tensor, parameters: tuple[Any, ...]) -> bool:
    """Whether kernels serve: nothing transforms the call, and every tensor is one that they can read."""
    if transformed() or forward_ad._current_level >= 0:
        return False
    return eager.suits(x) and all(eager.suits(p) for p in parameters if isinstance(p, torch.Tensor))


def _by_kernel(
    spec: Spec, x: torch.Tensor, parameters: tuple[Any, ...], inplace: bool, save: str, accuracy: str
) -> torch.Tensor:
    tensors = any(isinstance(p, torch.Tensor) for p in parameters)
    needed = torch.is_grad_enabled() and (
        x.requires_grad or any(isinstance(p, torch.Tensor) and p.requires_grad for p in parameters)
    )
    if inplace and needed and x.is_leaf and x.requires_grad:
        raise RuntimeError("a leaf tensor that requires its gradient can't be changed in place; write inplace=False")
    if save == "output":
        _check_output(spec.definition, parameters)
        if needed and not tensors:  # a parameter's own gradient needs the input
            return eager.FromOutput.apply(spec, accuracy, inplace, x, *parameters)
    if not needed:
        if inplace and not x.is_inference():
            torch.autograd.graph.increment_version(x)  # a graph that kept the old x now refuses to go on
        return eager.compute("value", spec, (x,), parameters, accuracy, x if inplace else None)[0]
    if inplace:
        return x.copy_(eager.Value.apply(spec, accuracy, x.clone(), *parameters))
    return eager.Value.apply(spec, accuracy, x, *parameters)


def _check_output(definition: Definition, parameters: tuple[Any, ...]) -> None:
    """Raises `ValueError` where f' isn't known from f(x) at these parameters."""
    _check_output_at(definition, tuple(float(p.min()) if isinstance(p, torch.Tensor) else float(p) for p in parameters))


@lru_cache(maxsize=4096)
def _check_output_at(definition: Definition, parameters: tuple[float, ...]) -> None:
    rule = {definition.symbols[n]: p for n, p in zip(definition.defaults, parameters, strict=True)}
    for demand in from_output(definition).nonnegative:
        if demand.subs(rule) < 0:
            raise ValueError(
                f"{definition.name}: save='output' needs {demand} >= 0, "
                "as f' isn't a function of f(x) otherwise; write save='input'"
            )


def _parameter(definition: Definition, name: str, value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(dtype)
    if not isinstance(value, int | float | torch.SymFloat):
        raise TypeError(f"{definition.name}: {name} is a number or a tensor, not {value!r}")
    if torch.compiler.is_compiling():  # where it may stand for any number
        return value
    return definition.values({name: float(value)})[name]

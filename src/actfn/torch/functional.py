"""An activation as a PyTorch function, with derivatives that are derived and not traced.

A plain tensor in memory goes to the compiled kernels (`eager`). Anything else goes through the printed expression: its
derivative of each order is printed too, as autograd's own way through the expression would lose what the formula keeps
(the derivative of `expm1` is taken from its rounded result, and is 0 where exp(x) is not). `torch.compile` and
`torch.export` trace that too, by way of `allow_in_graph`: Dynamo takes the call as one step, and AOTAutograd looks inside,
forward and backward.
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
from actfn.torch import eager, gpu, native, signatures
from actfn.torch.printed import Derivative, Spec, printed, run, transforms, watched


@lru_cache(maxsize=512)
def function(definition: Definition) -> Callable[..., torch.Tensor]:
    """f as a function of a floating-point tensor and the parameters, by position or name, with defaults.

    A parameter is a number or a tensor that broadcasts with x; a tensor gets its gradient. The result has the dtype
    and shape of x (broadcast with the parameters). float16 and bfloat16 results are rounded once.

    `inplace=True` writes into x. By keyword: `save="output"` keeps the result for the backward pass instead of x, which
    costs no memory where the next layer keeps it anyway, but the gradient is as exact as the rounded result allows and
    can't be differentiated again; `accuracy="correct"` rounds correctly (float32). Both are for tensors in memory, run
    eagerly: what is compiled, transformed or on another device keeps what autograd keeps, and is rounded as it is there.
    Where `torch.nn.functional` has the function, the arguments are that function's, by its names.
    Raises `TypeError` for an x that isn't a floating-point tensor, `ValueError` for a number outside a domain and for
    `save="output"` where f' isn't a function of f(x).
    """
    names = tuple(definition.defaults)
    operator, signature = native.of(definition), signatures.of(definition)
    wide = signatures.widened(definition)
    spec, traced_spec = Spec(definition), Spec(wide)
    printed(definition)  # so that what can't be printed shows here
    short: dict[tuple[Any, ...], Callable[[torch.Tensor], torch.Tensor | None]] = {}
    name = TorchPrinter().identifier(definition.name)  # not a word of Python's

    def traced(x: torch.Tensor, *parameters: Any) -> torch.Tensor:
        return Derivative.apply(traced_spec, x, *parameters)

    def allow() -> bool:
        torch.compiler.allow_in_graph(traced)
        return True

    # `torch.compiler.assume_constant_result` without its import of Dynamo, which takes seconds: the call is made while
    # Dynamo traces, which is the first time that `traced` has to be known to it.
    allow._dynamo_marked_constant = True  # type: ignore[attr-defined]

    def general(x: Any, given: tuple[Any, ...], inplace: bool, save: str, accuracy: str) -> torch.Tensor:
        if not isinstance(x, torch.Tensor) and hasattr(x, "__torch_function__"):  # a proxy of torch.fx, or a likeness
            options = {"inplace": inplace, "save": save, "accuracy": accuracy}
            return torch.overrides.handle_torch_function(activation, (x,), x, *given, **options)
        if not isinstance(x, torch.Tensor) or not x.is_floating_point():
            kind = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
            raise TypeError(
                f"{definition.name} takes a floating-point tensor, not {kind}; write {definition.name}(x.float())"
            )
        if save not in ("input", "output"):
            raise ValueError(f"save is 'input' or 'output', not {save!r}")
        if accuracy not in ("fast", "correct"):
            raise ValueError(f"accuracy is 'fast' or 'correct', not {accuracy!r}")
        if inplace not in (False, True):
            raise TypeError(f"{definition.name}: inplace is True or False, not {inplace!r}")
        if signature is not None and signature.prepare is not None:
            given = signature.prepare(x, given)
        if torch.compiler.is_compiling():  # numbers may stand for any number, so that domains aren't checked
            allow()
            parameters = tuple(_parameter(definition, n, p, x.dtype) for n, p in zip(names, given, strict=True))
            y = traced(x.clone() if inplace else x, *parameters)
            return x.copy_(y) if inplace else y
        if wide is not definition and not _within(definition, given) and _within(wide, given):
            return function(wide)(x, *given, inplace=inplace, save=save, accuracy=accuracy)
        parameters = tuple(_parameter(definition, n, p, x.dtype) for n, p in zip(names, given, strict=True))
        if not _plain(x, parameters):
            if inplace and x.is_leaf and x.requires_grad and torch.is_grad_enabled():
                raise RuntimeError(_LEAF)
            source = x.clone() if inplace else x
            if torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage]
                # which would call back into Python for a function with a backward of its own
                y = run(printed(definition), source, parameters)
            else:
                y = _on_gpu(operator, spec, source, parameters)
                if y is None:
                    y = Derivative.apply(spec, source, *parameters)
            return x.copy_(y) if inplace else y
        if not inplace and native.serves(operator, x, parameters, save, accuracy):
            assert operator is not None
            return operator.call(x, *parameters)
        y = _by_kernel(spec, x, parameters, inplace, save, accuracy)
        if len(short) < _MOST and all(isinstance(p, int | float) and p for p in given):  # 0.0 and -0.0 are one key
            made = eager.short(spec, x.dtype, save, accuracy, parameters)
            if made is not None:
                short[(x.dtype, save, accuracy, *given)] = made
        return y

    namespace = _namespace(definition, operator, signature, general) | {"_short": short}
    activation = load(_signature(name, definition, operator, signature), name, namespace)
    activation.__globals__["_self"] = activation
    activation.__module__ = "actfn.torch"
    activation.__doc__ = f"{definition.title or definition.name}: {definition.formula}\n\n{definition.summary}"
    return activation


_LEAF = "a leaf tensor that requires its gradient can't be changed in place; write inplace=False"
_MOST = 64
"""So many settings of the parameters are kept ready for each function."""
_KEYWORDS = ("inplace", "save", "accuracy")


def _signature(
    name: str, definition: Definition, operator: native.Native | None, signature: signatures.Signature | None
) -> str:
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
    x = "x" if signature is None else "input"
    extra = [] if signature is None else list(signature.extra)
    listed = [x, *(f"{n}=_default_{n}" for n in [*names, *(extra if signature and signature.positional else [])])]
    if signature is not None and signature.inplace:
        listed += ["inplace=False", "*"]
    else:
        listed += ["*", "inplace=False"]
    listed += [f"{n}=_default_{n}" for n in extra if signature and not signature.positional]
    given = "".join(f"{n}, " for n in names)
    text = f"def {name}({', '.join(listed)}, save='input', accuracy='fast'):\n"
    if extra:
        text += f"    if {' or '.join(f'{n} is not _default_{n}' for n in extra)}:\n"
        text += "        _options = {'inplace': inplace, 'save': save, 'accuracy': accuracy}\n"
        text += f"        return _variant(_self, {x}, ({given}), ({', '.join(extra)},), _options)\n"
    text += f"    if (type({x}) is _tensor or type({x}) is _parameter) and not inplace and not _compiling():\n"
    if operator is not None:
        served = f"{x}.numel() < {native.LIMIT} and _switch.on and save == 'input' and accuracy == 'fast'"
        served += f" and {x}.dtype in _dtypes"
        if not operator.gradient:  # neither backward nor forward
            served += f" and not ({x}.requires_grad and _enabled() or _forward_ad._current_level >= 0 or _transforms())"
        usual = " and ".join(f"{n} is _default_{n}" for n in names) or "True"
        text += f"        if {served}:\n            if {usual}:\n                return _call({x})\n"
        text += f"            return _general({x}, ({given}), inplace, save, accuracy)\n"
    text += f"        try:\n            _ready = _short.get(({x}.dtype, save, accuracy, {given}))\n"
    text += "        except TypeError:  # a list, which `_general` refuses\n            _ready = None\n"
    text += f"        _result = None if _ready is None else _ready({x})\n"
    text += "        if _result is not None:\n            return _result\n"
    return text + f"    return _general({x}, ({given}), inplace, save, accuracy)\n"


def _namespace(
    definition: Definition,
    operator: native.Native | None,
    signature: signatures.Signature | None,
    general: Callable[..., Any],
) -> dict[str, Any]:
    names: dict[str, Any] = {f"_default_{n}": value for n, value in definition.defaults.items()}
    names |= {"_general": general, "_tensor": torch.Tensor, "_parameter": torch.nn.Parameter}
    names |= {"_switch": native.switch, "_enabled": torch.is_grad_enabled}
    names |= {"_compiling": torch.compiler.is_dynamo_compiling}  # other tracers' tensors are of other classes
    if operator is not None:
        names |= {"_call": operator.call, "_dtypes": operator.dtypes}
        names |= {"_forward_ad": forward_ad, "_transforms": transforms}
    if signature is not None:
        names |= {f"_default_{n}": value for n, value in signature.extra.items()}
        names["_variant"] = signature.variant and signature.variant()
    return names


def _plain(x: torch.Tensor, parameters: tuple[Any, ...]) -> bool:
    """Whether kernels serve: nothing looks on, and every tensor is one that they can read."""
    return not watched() and eager.suits(x) and all(eager.suits(p) for p in parameters if isinstance(p, torch.Tensor))


def _on_gpu(
    operator: native.Native | None, spec: Spec, x: torch.Tensor, parameters: tuple[Any, ...]
) -> torch.Tensor | None:
    """f(x) by PyTorch's own operator or by a generated kernel, where x lies on a GPU; None for the printed expression."""
    if x.device.type not in gpu.DEVICES:
        return None
    numbers = not any(isinstance(p, torch.Tensor) for p in parameters)
    if operator is not None and operator.gradient and native.switch.on and numbers:
        return operator.call(x, *parameters)
    return gpu.apply(spec, x, parameters)


def _within(definition: Definition, given: tuple[Any, ...]) -> bool:
    """Whether every number lies in its domain."""
    pairs = zip(definition.parameters, given, strict=True)
    return all(p.contains(value) for p, value in pairs if isinstance(value, int | float))


def _by_kernel(
    spec: Spec, x: torch.Tensor, parameters: tuple[Any, ...], inplace: bool, save: str, accuracy: str
) -> torch.Tensor:
    tensors = any(isinstance(p, torch.Tensor) for p in parameters)
    needed = torch.is_grad_enabled() and (
        x.requires_grad or any(isinstance(p, torch.Tensor) and p.requires_grad for p in parameters)
    )
    if inplace and needed and x.is_leaf and x.requires_grad:
        raise RuntimeError(_LEAF)
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
        if value.is_complex() or value.dtype is torch.bool:
            raise TypeError(
                f"{definition.name}: {name} is real, not {value.dtype}; write {name}.real or {name}.float()"
            )
        return value.to(dtype)
    if not isinstance(value, int | float | torch.SymFloat | torch.SymInt):
        raise TypeError(f"{definition.name}: {name} is a number or a tensor, not {value!r}")
    if torch.compiler.is_compiling():  # where it may stand for any number
        return value
    return definition.values({name: float(value)})[name]

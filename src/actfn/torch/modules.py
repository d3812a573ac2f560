"""Activations as `torch.nn` modules: a class for each entry of the catalog, made on first use, and one for any formula.

An instance takes what `torch.nn`'s class of that name takes, in its order, and prints as it does; `_KINDS` has the few whose
arguments aren't the entry's parameters. Numbers stay attributes, learnable parameters are `nn.Parameter`s.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from operator import le
from typing import Any, ClassVar

import torch
from torch import nn

from actfn import catalog
from actfn.definition import Definition
from actfn.kernels.inverse import from_output
from actfn.torch.functional import function
from actfn.torch.signatures import SIGNATURES, widened

OPTIONS = {
    "save": "input",
    "accuracy": "fast",
    "learnable": False,
    "channels": None,
    "channel_dim": 1,
    "device": None,
    "dtype": None,
}


class ActivationModule(nn.Module):
    """A module that applies an activation elementwise: a floating-point tensor in, one of the same shape and dtype out.

    A parameter is a number, an `nn.Parameter` (learned with the model) or another tensor (kept as a buffer); a tensor
    broadcasts with the trailing axes of x. After the parameters, by position or name, comes `inplace=False`. By name:

    - `learnable=True`, or the names of some parameters: they start at the numbers given and are learned, one of each
      (of shape `(1,)`, as in `nn.PReLU`).
    - `channels=C` makes each of those a vector, one value for each index along `channel_dim=1`.
    - `device`, `dtype`: where learnable parameters lie.
    - `save="output"` and `accuracy="correct"`: see `actfn.torch.function`.

    `repr` is in torch's own form; `str` is `Activation Function: ELU()`, with what differs from the defaults.
    Raises `TypeError` for an argument that it doesn't have, `ValueError` for a number outside its domain; x is checked by the
    function: `TypeError` if it isn't a floating-point tensor, `RuntimeError` if it hasn't C channels.
    """

    definition: Definition
    activation: Callable[..., torch.Tensor]
    extras: ClassVar[Mapping[str, Any]] = {}
    """Arguments that are no parameters of the formula -> their defaults."""
    extras_first: ClassVar[bool] = False
    has_inplace: ClassVar[bool] = True

    inplace: bool = False
    save: str = "input"
    accuracy: str = "fast"
    learned: tuple[str, ...] = ()
    """The parameters that were made learnable."""
    initial: Mapping[str, float] = {}
    channels: int | None = None
    channel_dim: int = 1

    def __init__(self, *args: Any, **arguments: Any) -> None:
        super().__init__()
        given = self._bound(args, arguments)
        self.inplace = bool(given.pop("inplace", False))
        for name in self.extras:
            setattr(self, name, given.pop(name))
        options = {name: given.pop(name) for name in OPTIONS}
        numbers = {n: float(v) for n, v in given.items() if not isinstance(v, torch.Tensor)}
        self._check(numbers)
        self._set_options(options, numbers, given)
        factory = {"device": options["device"], "dtype": options["dtype"]}
        self._places = tuple((name, self._attribute(name)) for name in self.definition.defaults)
        for name, value in given.items():
            if name in self.learned and name in numbers:
                start = torch.full((self.channels or 1,), numbers[name], **factory)
                setattr(self, self._attribute(name), nn.Parameter(start))
            elif name in self.learned and not isinstance(value, nn.Parameter):
                setattr(self, self._attribute(name), nn.Parameter(value.detach().clone()))
            elif isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
                self.register_buffer(self._attribute(name), value)
            else:
                setattr(self, self._attribute(name), numbers.get(name, value))

    def _bound(self, args: tuple[Any, ...], arguments: dict[str, Any]) -> dict[str, Any]:
        """Name -> value of every argument."""
        listed = self._signature()
        unknown = next((n for n in arguments if n not in listed.parameters), None)
        if unknown:
            known = ", ".join(n for n in listed.parameters if n not in OPTIONS) or "none"
            raise TypeError(f"{self._get_name()} has no parameter {unknown!r}; its parameters: {known}")
        try:
            bound = listed.bind(*args, **arguments)
        except TypeError as error:
            raise TypeError(f"{self._get_name()}: {error}; its arguments: {listed}") from None
        bound.apply_defaults()
        inplace = bound.arguments.get("inplace", False)
        if not isinstance(inplace, bool | int) or inplace not in (False, True):
            raise TypeError(f"{self._get_name()}: inplace is True or False, not {inplace!r}; its arguments: {listed}")
        return bound.arguments

    def _signature(self) -> inspect.Signature:
        return getattr(type(self), "__signature__", None) or signature(
            self.definition, tuple(self.extras.items()), self.extras_first, self.has_inplace
        )

    def _check(self, numbers: dict[str, float]) -> None:
        """Raises `ValueError` for what neither the entry nor PyTorch takes."""
        widened(self.definition).values(numbers)

    def _define(self, definition: Definition) -> None:
        """The definition of this instance, where it isn't the class's."""
        self.__dict__.update(definition=definition, activation=function(definition))

    def _set_options(self, options: dict[str, Any], numbers: dict[str, float], given: dict[str, Any]) -> None:
        learnable, channels = options["learnable"], options["channels"]
        names = (learnable,) if isinstance(learnable, str) else learnable
        self.learned = tuple(given) if names is True else tuple(names or ())
        stray = next((n for n in self.learned if n not in given), None)
        if stray:
            known = ", ".join(given) or "none"
            raise ValueError(f"{self._get_name()} has no parameter {stray!r} to learn; its parameters: {known}")
        if channels is not None and (isinstance(channels, bool) or not isinstance(channels, int) or channels < 1):
            raise ValueError(f"{self._get_name()}: channels is a whole number from 1, not {channels!r}")
        if channels is not None and not self.learned:
            raise ValueError(
                f"{self._get_name()}: channels={channels} is for learnable parameters; write learnable=True"
            )
        if options["save"] not in ("input", "output"):
            raise ValueError(f"save is 'input' or 'output', not {options['save']!r}")
        if options["accuracy"] not in ("fast", "correct"):
            raise ValueError(f"accuracy is 'fast' or 'correct', not {options['accuracy']!r}")
        if options["save"] == "output":
            from_output(self.definition)  # raises where f' isn't a function of f(x)
        self.channels, self.channel_dim = channels, options["channel_dim"]
        self.save, self.accuracy = options["save"], options["accuracy"]
        self.initial = {n: numbers[n] for n in self.learned if n in numbers}

    def _attribute(self, name: str) -> str:
        """Where a parameter is kept."""
        return name

    def reset_parameters(self) -> None:
        """Sets learnable parameters to the numbers that they started at."""
        for name, value in self.initial.items():
            nn.init.constant_(getattr(self, self._attribute(name)), value)

    def values(self) -> dict[str, Any]:
        """The parameters' values."""
        return {name: getattr(self, place) for name, place in self._places}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """f(x)."""
        values = self._values_for(x) if self.learned else self.values()
        if self.inplace or self.save != "input" or self.accuracy != "fast":
            return self._apply_to(x, values)
        return self.activation(x, **values)

    def _apply_to(self, x: torch.Tensor, values: dict[str, Any]) -> torch.Tensor:
        return self.activation(x, **values, inplace=self.inplace, save=self.save, accuracy=self.accuracy)

    def _values_for(self, x: torch.Tensor) -> dict[str, Any]:
        """The parameters' values, vectors laid along their dimension of x."""
        values = self.values()
        for name in self.learned:
            values[name] = self._along(name, values[name], x)
        return values

    def _along(self, name: str, value: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        if name not in self.initial or not isinstance(x, torch.Tensor):
            return value
        if self.channels is None or self.channels == 1:
            return value.reshape(())  # keeps the shape of an x without dimensions
        dim = self.channel_dim if self.channel_dim >= 0 else self.channel_dim + x.dim()
        if not 0 <= dim < x.dim() or x.shape[dim] != self.channels:
            raise RuntimeError(
                f"{self._get_name()} has {self.channels} channels along dimension {self.channel_dim}, which an input of "
                f"shape {tuple(x.shape)} has not; write channels={x.shape[dim] if 0 <= dim < x.dim() else None}"
            )
        return value.reshape([-1] + [1] * (x.dim() - dim - 1))

    def shown(self) -> dict[str, Any]:
        """Argument -> what is printed of it."""
        values = {n: self.initial.get(n, _shown(v)) for n, v in self.values().items()}
        extras = {n: getattr(self, n) for n in self.extras}
        return extras | values if self.extras_first else values | extras

    def extra_repr(self) -> str:
        parts = [f"{name}={value!r}" for name, value in self.shown().items()]
        return ", ".join([*parts, *self._options_shown()])

    def _options_shown(self) -> list[str]:
        shown = ["inplace=True"] if self.inplace else []
        if self.learned:
            whole = len(self.learned) == len(self.definition.defaults)
            shown.append(f"learnable={True if whole else self.learned!r}")
        shown += [f"channels={self.channels}"] if self.channels else []
        for name in ("channel_dim", "save", "accuracy"):
            value = getattr(self, name)
            shown += [f"{name}={value!r}"] if value != OPTIONS[name] else []
        return shown

    def __str__(self) -> str:
        usual = {**self.definition.defaults, **self.extras}
        changed = [f"{n}={v!r}" for n, v in self.shown().items() if str(v) != str(usual[n])]
        return f"Activation Function: {self._get_name()}({', '.join(changed)})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "activation"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "definition" in state:
            self._define(state["definition"])


class _Text(str):
    """What is printed without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _shown(value: Any) -> Any:
    """A number as it is, a tensor by its only element or its shape."""
    if not isinstance(value, torch.Tensor):
        return value
    known = value.dim() == 0 and type(value) in (torch.Tensor, nn.Parameter) and not value.is_meta
    return value.item() if known else _Text(f"tensor of shape {tuple(value.shape)}")


@lru_cache(maxsize=512)
def signature(
    definition: Definition, extras: tuple[tuple[str, Any], ...] = (), extras_first: bool = False, inplace: bool = True
) -> inspect.Signature:
    """The parameters and the arguments that are none, `inplace`, and the options by name."""
    parameters = tuple(definition.defaults.items())
    positional = (*extras, *parameters) if extras_first else (*parameters, *extras)
    if inplace:
        positional = (*positional, ("inplace", False))
    either, named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    listed = [inspect.Parameter(name, either, default=default) for name, default in positional]
    listed += [inspect.Parameter(name, named, default=default) for name, default in OPTIONS.items()]
    return inspect.Signature(listed)


class Formula(ActivationModule):
    """A module of a user's own formula; see `module`."""

    def __init__(self, definition: Definition, **arguments: Any) -> None:
        taken = next((n for n in definition.defaults if n in _RESERVED or hasattr(type(self), n)), None)
        if taken:
            raise ValueError(f"a module has a {taken!r} of its own; name the parameter otherwise, such as {taken}_1")
        self._define(definition)
        super().__init__(**arguments)

    def _get_name(self) -> str:
        return "Formula" if self.definition.name == "custom" else self.definition.name

    def extra_repr(self) -> str:
        return ", ".join(filter(None, [repr(self.definition.formula), super().extra_repr()]))


_RESERVED = {"training", "definition", "activation", "inplace", *OPTIONS}


# -- the classes of torch whose arguments aren't the entry's parameters -----------------------------------------------------


class _GELU(ActivationModule):
    """`approximate="tanh"` is the entry gelu_tanh."""

    extras: ClassVar[Mapping[str, Any]] = SIGNATURES["gelu"].extra
    approximate: str

    def _check(self, numbers: dict[str, float]) -> None:
        if self.approximate not in ("none", "tanh"):
            raise ValueError(f"approximate is 'none' or 'tanh', not {self.approximate!r}")
        if self.approximate == "tanh":
            self._define(catalog.find("gelu_tanh"))


class _Softplus(ActivationModule):
    """Where beta*x is above `threshold` it is the identity; at torch's own, 20, nothing is cut off."""

    extras: ClassVar[Mapping[str, Any]] = SIGNATURES["softplus"].extra
    threshold: float

    def _check(self, numbers: dict[str, float]) -> None:
        super()._check(numbers)
        self.threshold = float(self.threshold)
        if self.threshold not in (
            self.extras["threshold"],
            math.inf,
        ):  # made here, as torch.compile can't trace the making
            whole = widened(self.definition)
            self._define(replace(whole, formula=f"where(beta*x > {self.threshold!r}, x, {whole.formula})"))


class _Ordered(ActivationModule):
    """The first bound is at most the second."""

    def _check(self, numbers: dict[str, float]) -> None:
        super()._check(numbers)
        if len(numbers) == 2 and not le(*numbers.values()):
            (low, x), (high, y) = numbers.items()
            raise ValueError(
                f"{self._get_name()}: {low} = {x!r} is above {high} = {y!r}; write them the other way round"
            )


class _PReLU(ActivationModule):
    """The slope is learned, one for each of `num_parameters` channels, and called `weight`, as in torch's."""

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None, **options: Any
    ) -> None:
        options = {"alpha": init, "learnable": True, "channels": num_parameters, **options}
        super().__init__(device=device, dtype=dtype, **options)
        self.num_parameters = self.channels or 1

    def _signature(self) -> inspect.Signature:
        return signature(self.definition)

    def _attribute(self, name: str) -> str:
        return "weight" if name == "alpha" else name

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"

    def __str__(self) -> str:
        return f"Activation Function: {self._get_name()}({self.extra_repr() if self.num_parameters > 1 else ''})"


class _RReLU(_Ordered):
    """In training each element's slope is drawn anew, evenly from lower to upper; else it is their mean."""

    sloped: ClassVar[Callable[..., torch.Tensor]]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = self._values_for(x)
        if not self.training or not isinstance(x, torch.Tensor) or not x.is_floating_point():
            return self._apply_to(x, values)
        slope = values["lower"] + (values["upper"] - values["lower"]) * torch.rand_like(x)
        return self.sloped(x, slope, inplace=self.inplace)


class _Shrink(ActivationModule):
    """Prints its threshold without a name, as torch's does."""

    def extra_repr(self) -> str:
        return super().extra_repr().removeprefix("lambd=")


_KINDS: dict[str, type[ActivationModule]] = {
    "gelu": _GELU,
    "softplus": _Softplus,
    "hardtanh": _Ordered,
    "prelu": _PReLU,
    "rrelu": _RReLU,
    "hardshrink": _Shrink,
    "softshrink": _Shrink,
}


# -- classes by name --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def class_names() -> dict[str, str]:
    """Class name -> catalog name: `torch.nn`'s name where it has the function, else the entry's in capitals."""
    return {catalog.class_name(entry.name, entry.aliases): name for name, entry in catalog.entries().items()}


@lru_cache(maxsize=512)
def module_class(name: str) -> type[ActivationModule]:
    """The module class of a catalog entry."""
    entry = catalog.find(name)
    called = catalog.class_name(entry.name, entry.aliases)
    kind = _KINDS.get(entry.name, ActivationModule)
    doc = "\n\n".join(filter(None, [f"{entry.title}: {entry.formula}", entry.summary, kind.__doc__]))
    members = {"definition": entry, "activation": staticmethod(function(entry)), "__doc__": doc}
    if kind.__init__ is ActivationModule.__init__:
        members["__signature__"] = signature(entry, tuple(kind.extras.items()))
    if kind is _RReLU:
        members["sloped"] = staticmethod(function(catalog.find("prelu")))
    return type(called, (kind,), {**members, "__module__": "actfn.torch"})  # pyright: ignore[reportReturnType]

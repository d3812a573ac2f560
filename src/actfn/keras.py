"""Keras 3 on the torch and JAX backends: activations for `activation=` (`elu`), layers (`ELU`), and both for any formula.

Each calls this package's function for the backend that Keras runs on, with its exact gradient. What is saved is a name or the
text of a formula, never code, so that whoever loads a model needs `import actfn.keras` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

import keras

from actfn import catalog
from actfn.definition import Convention, Definition, Parameter

__all__ = ["Activation", "ActivationLayer", "Formula", "function"]

_registered = keras.saving.register_keras_serializable


@_registered(package="actfn")
class Activation:
    """f as Keras takes it: `Dense(64, activation=actfn.keras.elu)`, or `elu(x, alpha=0.5)` on a tensor.

    `elu.at(alpha=0.5)` is the same with other defaults. x is a tensor of the backend, a symbolic tensor, or what Keras makes a
    tensor of; integers become `keras.config.floatx()`. Raises `ValueError` for a number outside its domain,
    `NotImplementedError` on a backend other than torch and JAX.
    """

    def __init__(self, definition: Definition, given: Mapping[str, float] | None = None):
        self.definition = definition
        self.given = dict(given or {})
        self.values = _numbers(definition, self.given)
        self.__name__ = definition.name
        self.__doc__ = f"{definition.title or definition.name}: {definition.formula}\n\n{definition.summary}"

    def at(self, **parameters: float) -> Activation:
        """This activation at other values of its parameters."""
        return Activation(self.definition, {**self.given, **parameters})

    def __call__(self, x: Any, *args: Any, **parameters: Any) -> Any:
        names = tuple(self.definition.defaults)
        if len(args) > len(names) or not parameters.keys() <= {*names[len(args) :]}:
            known = ", ".join(names) or "none"
            raise TypeError(f"{self.__name__} takes x and its parameters, each once: {known}")
        given = {**self.values, **dict(zip(names, args, strict=False)), **parameters}
        if isinstance(x, keras.KerasTensor):
            return keras.layers.Activation(self.at(**given))(x)
        tensor = keras.ops.convert_to_tensor(x)
        if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype)):
            tensor = keras.ops.cast(tensor, keras.config.floatx())
        values = {n: v if isinstance(v, int | float) else _spread(v, tensor) for n, v in given.items()}
        return _of_backend(self.definition)(tensor, **values)

    def __repr__(self) -> str:
        return f"<activation {self.__name__}{''.join(f', {n}={v!r}' for n, v in self.given.items())}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and (self.definition, self.values) == (other.definition, other.values)

    def __hash__(self) -> int:
        return hash((self.definition, tuple(self.values.items())))

    def get_config(self) -> dict[str, Any]:
        return {**_described(self.definition), "given": self.given}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Activation:
        return cls(_definition(config), config["given"])


@lru_cache(maxsize=512)
def function(definition: Definition) -> Activation:
    """The activation of a definition."""
    return Activation(definition)


def _of_backend(definition: Definition) -> Callable[..., Any]:
    backend = keras.config.backend()
    if backend == "torch":
        from actfn.torch.functional import function
    elif backend == "jax":
        from actfn.jax import function
    else:
        raise NotImplementedError(
            f"actfn.keras runs on Keras' torch and jax backends, not on {backend}; set KERAS_BACKEND=jax before Keras is imported"
        )
    return function(definition)


def _spread(value: Any, x: Any) -> Any:
    """A parameter as a tensor along the last axes of x on every backend: to PyTorch's `prelu` a vector is along axis 1."""
    tensor = keras.ops.convert_to_tensor(value)
    behind = len(x.shape) - len(tensor.shape)
    return keras.ops.reshape(tensor, [*[1] * behind, *tensor.shape]) if tensor.shape and behind > 0 else tensor


def _numbers(definition: Definition, given: Mapping[str, Any]) -> dict[str, float]:
    """Every parameter's number. Raises `ValueError`, as Keras' own layers do, for what isn't one."""
    return definition.values({n: _number(definition.name, n, v) for n, v in given.items()})


def _number(owner: str, name: str, value: Any) -> float:
    try:
        return float(value)
    except TypeError:
        raise ValueError(f"{owner}: {name} is a number, not {value!r}") from None


# -- layers -----------------------------------------------------------------------------------------------------------------


class ActivationLayer(keras.layers.Layer):
    """A layer that applies an activation elementwise. Its parameters come first, by position or name; then, by name,

    - `learnable=True`, or the names of some parameters: they are weights, which start at the numbers given.
    - `axis`: each of those is a vector along this axis of the input, -1 for the channels; without it, one number.
    - what every Keras layer takes: `name`, `dtype`, `trainable`.

    Raises `TypeError` for an argument that it doesn't have, `ValueError` for a number outside its domain.
    """

    definition: ClassVar[Definition]

    def __init__(
        self, *args: float, learnable: bool | str | Iterable[str] = False, axis: int | None = None, **arguments: Any
    ):
        names = tuple(self.definition.defaults)
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} parameters; {len(args)} were given")
        given = {**dict(zip(names, args, strict=False)), **{n: arguments.pop(n) for n in names if n in arguments}}
        unknown = next((n for n in arguments if n not in _KERAS_ARGUMENTS), None)
        if unknown:
            known = ", ".join(names) or "none"
            raise TypeError(f"{type(self).__name__} has no parameter {unknown!r}; its parameters: {known}")
        super().__init__(**arguments)
        self.numbers = _numbers(self.definition, given)
        if isinstance(learnable, bool):
            chosen = names if learnable else ()
        else:
            chosen = (learnable,) if isinstance(learnable, str) else tuple(learnable)
        stray = next((n for n in chosen if n not in names), None)
        if stray:
            known = ", ".join(names) or "none"
            raise ValueError(f"{type(self).__name__} has no parameter {stray!r} to learn; its parameters: {known}")
        self.axis = axis
        self.learned: dict[str, Any] = dict.fromkeys(chosen)
        self.supports_masking = True
        self.built = not chosen and type(self).build is ActivationLayer.build

    def build(self, input_shape: Any) -> None:
        shape = () if self.axis is None else (input_shape[self.axis],)
        for name in self.learned:
            start = keras.initializers.Constant(self.numbers[name])
            self.learned[name] = self.add_weight(shape=shape, name=name, initializer=start)
        self.built = True

    def call(self, inputs: Any) -> Any:
        values: dict[str, Any] = dict(self.numbers)
        for name, weight in self.learned.items():
            if self.axis is None:
                values[name] = weight
            else:
                behind = [1] * (len(inputs.shape) - self.axis - 1 if self.axis >= 0 else -self.axis - 1)
                values[name] = keras.ops.reshape(weight, [-1, *behind])
        return function(self.definition)(inputs, **values)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._described(), "learnable": list(self.learned), "axis": self.axis}

    def _described(self) -> dict[str, Any]:
        return dict(self.numbers)


_KERAS_ARGUMENTS = {"name", "dtype", "trainable", "activity_regularizer", "autocast"}


@_registered(package="actfn")
class Formula(ActivationLayer):
    """A layer of a user's own formula: `Formula("where(x > 0, x, a*(exp(x) - 1))", {"a": 1.0}, learnable=True)`.

    `parameters` are their numbers, `domains` restricts some of them ("positive", "(0, 1]" ...); see
    `actfn.definition.Definition` for `conventions`. Raises `FormulaError` (a `ValueError`) with the place in the text.
    """

    def __init__(
        self,
        formula: str,
        parameters: Mapping[str, float] | None = None,
        domains: Mapping[str, str] | None = None,
        conventions: Convention | Mapping[str, Convention] = "left",
        **arguments: Any,
    ):
        given = {n: _number(type(self).__name__, n, v) for n, v in (parameters or {}).items()}
        listed = tuple(Parameter(n, v, (domains or {}).get(n, "real")) for n, v in given.items())
        self.__dict__["definition"] = Definition("custom", formula, listed, conventions, title=formula[:60])
        self.definition.expression  # noqa: B018  (parses now, so that an error shows here)
        super().__init__(**arguments)

    def _described(self) -> dict[str, Any]:
        described = _described(self.definition)
        parts = described["parameters"]
        return {
            "formula": described["formula"],
            "parameters": {n: default for n, default, _ in parts},
            "domains": {n: domain for n, _, domain in parts},
            "conventions": described["conventions"],
        }


# -- what is saved ----------------------------------------------------------------------------------------------------------


def _described(definition: Definition) -> dict[str, Any]:
    """A definition as JSON: the name of a catalog entry, or the formula and what belongs to it."""
    if catalog.entries().get(definition.name) == definition:
        return {"entry": definition.name}
    conventions = definition.conventions
    return {
        "name": definition.name,
        "formula": definition.formula,
        "parameters": [[p.name, p.default, p.domain] for p in definition.parameters],
        "conventions": dict(conventions) if isinstance(conventions, Mapping) else conventions,
    }


def _definition(config: Mapping[str, Any]) -> Definition:
    if "entry" in config:
        return catalog.find(config["entry"])
    parameters = tuple(Parameter(*p) for p in config["parameters"])
    return Definition(config["name"], config["formula"], parameters, config["conventions"])


# -- names ------------------------------------------------------------------------------------------------------------------


def _layer_class(entry: Definition) -> type[ActivationLayer]:
    """The layer class of an entry, by which Keras finds it in a saved model."""
    doc = f"{entry.title}: {entry.formula}\n\n{entry.summary}\n\n{ActivationLayer.__doc__}"
    made = type(
        catalog.class_name(entry.name, entry.aliases),
        (ActivationLayer,),
        {"definition": entry, "__doc__": doc, "__module__": __name__},
    )
    return _registered(package="actfn")(made)


_LAYERS = {made.__name__: made for made in map(_layer_class, catalog.entries().values())}


def __getattr__(name: str) -> Any:
    if name in catalog.entries():
        return function(catalog.find(name))
    if name in _LAYERS:
        return _LAYERS[name]
    raise AttributeError(f"module 'actfn.keras' has no activation or layer {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *catalog.entries(), *_LAYERS})

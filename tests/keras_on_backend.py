"""What tests/test_keras.py runs in a process of its own for each backend of Keras: functions, layers, and saved models."""

from __future__ import annotations

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest

import actfn.keras
from actfn import catalog
from actfn.definition import Definition
from actfn.formula.derivative import derivative
from actfn.reference import Oracle

# What Keras 3.15 makes of its own variables under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

BACKEND = keras.config.backend()
ENTRIES = [*catalog.entries().values()]
X = np.array([[-20.0, -1.5, -1e-8, 0.0], [1e-8, 0.5, 3.0, 30.0]], "float32")


def numbers(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def slope(f, x: np.ndarray) -> np.ndarray:
    if BACKEND == "jax":
        import jax

        return numbers(jax.vmap(jax.grad(f))(x.ravel())).reshape(x.shape)
    tensor = keras.ops.convert_to_tensor(x).requires_grad_()
    f(tensor).sum().backward()
    return numbers(tensor.grad)


def true(definition: Definition, x: np.ndarray, order: int = 0, **given: float) -> np.ndarray:
    oracle = Oracle(derivative(definition.expression, order, definition.conventions))
    return np.reshape(oracle.sample([*map(float, x.ravel())], {**definition.defaults, **given}), x.shape)


def test_the_backend_is_the_one_that_was_asked_for():
    assert os.environ["KERAS_BACKEND"] == BACKEND


def test_every_entry_is_an_activation_and_a_layer():
    listed = dir(actfn.keras)
    for entry in ENTRIES:
        assert entry.name in listed
        f = getattr(actfn.keras, entry.name)
        assert keras.activations.get(keras.activations.serialize(f)) == f
    assert len(actfn.keras._LAYERS) == len(ENTRIES)  # no two have a class of one name
    with pytest.raises(AttributeError, match="no activation or layer 'elv'"):
        actfn.keras.elv  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", ["elu", "selu", "silu", "tanh", "softplus", "leaky_relu"])
def test_values_and_gradients(name):
    entry, f = catalog.find(name), getattr(actfn.keras, name)
    y = f(X)
    assert keras.backend.standardize_dtype(y.dtype) == "float32"
    np.testing.assert_allclose(numbers(y), true(entry, X), rtol=1e-6)
    np.testing.assert_allclose(slope(f, X), true(entry, X, 1), rtol=1e-6)  # ELU'(-20) is not 0
    made = getattr(actfn.keras, catalog.class_name(entry.name, entry.aliases))()
    np.testing.assert_array_equal(numbers(made(X)), numbers(y))


def test_inputs_and_parameters():
    from actfn.keras import elu

    wanted = true(catalog.find("elu"), X, alpha=0.5)
    for y in (elu(X, 0.5), elu(X, alpha=0.5), elu.at(alpha=0.5)(X), elu(X.tolist(), alpha=np.float32(0.5))):
        np.testing.assert_allclose(numbers(y), wanted, rtol=1e-6)
    whole = elu(np.array([-1, 2]))
    assert keras.backend.standardize_dtype(whole.dtype) == keras.config.floatx()
    half = elu(keras.ops.cast(X, "bfloat16"))
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"
    assert (elu.at(alpha=0.5) == elu.at(alpha=0.5)) > (elu.at(alpha=0.5) == elu)
    with pytest.raises(TypeError, match="elu takes x and its parameters, each once: alpha"):
        elu(X, beta=1.0)
    with pytest.raises(ValueError, match=r"celu: alpha = 0\.0 is outside its domain, positive"):
        actfn.keras.celu.at(alpha=0)


def test_layers_take_numbers_weights_and_vectors():
    from actfn.keras import ELU

    plain = ELU(0.5)
    assert plain(X).shape == X.shape
    assert plain.weights == []
    one = ELU(alpha=0.5, learnable=True)
    np.testing.assert_array_equal(numbers(one(X)), numbers(plain(X)))
    assert [tuple(w.shape) for w in one.trainable_weights] == [()]
    rows = ELU(learnable="alpha", axis=-1, name="rows")
    rows.build(X.shape)
    rows.set_weights([np.array([0.1, 0.2, 0.3, 0.4])])
    np.testing.assert_allclose(numbers(rows(X))[0, :2], [-0.1, 0.2 * np.expm1(-1.5)], rtol=1e-6)
    first = ELU(learnable=True, axis=1)
    assert first(np.ones((2, 3, 5, 5), "float32")).shape == (2, 3, 5, 5)
    assert first.weights[0].shape == (3,)
    with pytest.raises(TypeError, match="ELU has no parameter 'beta'; its parameters: alpha"):
        ELU(beta=1.0)
    with pytest.raises(ValueError, match="ELU has no parameter 'beta' to learn; its parameters: alpha"):
        ELU(learnable=["beta"])


def test_a_formula_of_ones_own():
    layer = actfn.keras.Formula("where(x > 0, x, a*(exp(x) - 1))", {"a": 0.3}, domains={"a": "positive"})
    np.testing.assert_allclose(numbers(layer(X)), true(catalog.find("elu"), X, alpha=0.3), rtol=1e-6)
    again = actfn.keras.Formula.from_config(json.loads(json.dumps(layer.get_config())))
    assert again.definition == layer.definition
    with pytest.raises(ValueError, match="unknown name"):
        actfn.keras.Formula("x*y")
    mine = actfn.keras.function(Definition("mine", "x*tanh(x)"))
    assert keras.activations.get(json.loads(json.dumps(keras.activations.serialize(mine)))) == mine


def network() -> keras.Model:
    x = keras.Input((4,))
    h = keras.layers.Dense(8, activation=actfn.keras.elu.at(alpha=0.5))(x)
    h = actfn.keras.ELU(alpha=0.7, learnable=True, axis=-1)(h)
    h = actfn.keras.silu(h)  # on a symbolic tensor
    h = actfn.keras.Formula("where(x > 0, x, a*(exp(x) - 1))", {"a": 0.3}, learnable=True)(h)
    h = keras.layers.Activation(actfn.keras.swish)(h)
    return keras.Model(x, keras.layers.Dense(1)(h))


def test_a_model_learns_with_it():
    keras.utils.set_random_seed(1)
    model = network()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    at = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    before = [numbers(w) for w in model.weights]
    losses = model.fit(at, at.sum(1, keepdims=True), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all(np.abs(numbers(w) - b).max() > 0 for w, b in zip(model.weights, before, strict=True))


def test_a_saved_model_says_the_same_elsewhere():
    """The first process saves, the one after it, on another backend, loads; this one reads its own."""
    folder = Path(os.environ["ACTFN_KERAS_FOLDER"])
    at = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    if not (folder / "model.keras").exists():
        model = network()
        model.save(folder / "model.keras")
        np.save(folder / "expected.npy", model.predict(at, verbose=0))
    loaded = keras.models.load_model(folder / "model.keras")
    np.testing.assert_allclose(loaded.predict(at, verbose=0), np.load(folder / "expected.npy"), rtol=1e-5, atol=1e-6)
    assert [type(layer).__name__ for layer in loaded.layers[2:5]] == ["ELU", "Activation", "Formula"]
    assert loaded.layers[1].activation == actfn.keras.elu.at(alpha=0.5)


def test_mixed_precision():
    layer = actfn.keras.ELU(0.5, learnable=True, dtype="mixed_bfloat16")
    y = layer(X)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert layer.weights[0].dtype == "float32"

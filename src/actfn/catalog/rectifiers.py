"""Rectifiers made of straight pieces. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

RELU = Definition(
    name="relu",
    title="Rectified linear unit",
    formula="max(x, 0)",
    conventions="left",  # f'(0) = 0, as torch, JAX and TensorFlow take it
    aliases={"torch": "torch.nn.ReLU", "jax": "jax.nn.relu", "keras": "keras.activations.relu"},
    tags=["rectifier", "piecewise linear", "saturating left"],
    summary="The positive part: the identity where x is positive, zero elsewhere.",
    sources=[
        Source(
            "Fukushima",
            1969,
            "Visual feature extraction by a multilayered network of analog threshold elements",
            "doi:10.1109/TSSC.1969.300225",
        ),
        Source("Nair, Hinton", 2010, "Rectified linear units improve restricted Boltzmann machines", "ICML 2010"),
    ],
)

LEAKY_RELU = Definition(
    name="leaky_relu",
    title="Leaky rectified linear unit",
    formula="where(x > 0, x, negative_slope*x)",
    parameters=[Parameter("negative_slope", default=0.01, domain="real")],
    conventions="left",  # f'(0) = negative_slope, as torch takes it; JAX takes 1
    # Keras has the function too, but with a default slope of 0.2.
    aliases={"torch": "torch.nn.LeakyReLU", "jax": "jax.nn.leaky_relu", "literature": "Leaky ReLU"},
    tags=["rectifier", "piecewise linear"],
    summary="ReLU with a small slope where x is negative, so that no unit stops learning.",
    sources=[
        Source(
            "Maas, Hannun, Ng", 2013, "Rectifier nonlinearities improve neural network acoustic models", "ICML 2013"
        ),
    ],
)

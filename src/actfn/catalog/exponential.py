"""The identity with an exponential tail. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

ELU = Definition(
    name="elu",
    title="Exponential linear unit",
    formula="where(x > 0, x, alpha*(exp(x) - 1))",
    parameters=[Parameter("alpha", default=1.0, domain="real")],
    conventions="left",  # f'(0) = alpha, as torch and TensorFlow take it
    aliases={"torch": "torch.nn.ELU", "jax": "jax.nn.elu", "keras": "keras.activations.elu"},
    tags=["exponential", "saturating left"],
    summary="The identity with an exponential tail that pulls the mean activation toward zero.",
    sources=[
        Source(
            "Clevert, Unterthiner, Hochreiter",
            2015,
            "Fast and accurate deep network learning by exponential linear units (ELUs)",
            "arXiv:1511.07289",
        ),
    ],
)

CELU = Definition(
    name="celu",
    title="Continuously differentiable exponential linear unit",
    formula="where(x > 0, x, alpha*(exp(x/alpha) - 1))",
    parameters=[Parameter("alpha", default=1.0, domain="positive")],
    conventions="left",  # f'(0) = 1 from both sides; decides f'' and higher only
    aliases={"torch": "torch.nn.CELU", "jax": "jax.nn.celu", "keras": "keras.activations.celu"},
    tags=["exponential", "saturating left"],
    summary="ELU with the tail stretched by alpha, so that the slope at zero is 1 for every alpha.",
    sources=[Source("Barron", 2017, "Continuously differentiable exponential linear units", "arXiv:1704.07483")],
)

# The two constants are those for which mean 0 and variance 1 are a fixed point of the layer map (Klambauer et al.,
# equation 14): with c = erfc(1/sqrt(2)),
#   alpha = -sqrt(2/pi) / (sqrt(e)*c - 1),
#   scale = (1 - sqrt(e)*c) * sqrt(2*pi)
#           / sqrt(2*erfc(sqrt(2))*e**2 + pi*c**2*e - 2*(2 + pi)*c*sqrt(e) + pi + 2).
# tests/catalog/test_catalog.py computes them again, to the 32 digits written here.
SELU = Definition(
    name="selu",
    title="Scaled exponential linear unit",
    formula=("1.0507009873554804934193349852946*where(x > 0, x, 1.6732632423543772848170429916717*(exp(x) - 1))"),
    conventions="left",  # f'(0) = scale*alpha, the negative piece, as torch and JAX take it
    aliases={"torch": "torch.nn.SELU", "jax": "jax.nn.selu", "keras": "keras.activations.selu"},
    tags=["exponential", "saturating left", "self-normalizing"],
    summary="ELU scaled by the two constants that keep activations at mean 0 and variance 1 from layer to layer.",
    sources=[
        Source(
            "Klambauer, Unterthiner, Mayr, Hochreiter", 2017, "Self-normalizing neural networks", "arXiv:1706.02515"
        ),
    ],
)

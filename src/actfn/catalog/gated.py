"""The argument times a gate that depends on it. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

SILU = Definition(
    name="silu",
    title="Sigmoid linear unit",
    formula="x*sigmoid(x)",
    aliases={"torch": "torch.nn.SiLU", "jax": "jax.nn.silu", "keras": "keras.activations.silu"},
    tags=["gated", "saturating left"],
    summary="The argument times its own sigmoid: a smooth ReLU that dips below zero; Swish at beta = 1.",
    sources=[
        Source("Hendrycks, Gimpel", 2016, "Gaussian error linear units (GELUs)", "arXiv:1606.08415"),
        Source(
            "Elfwing, Uchibe, Doya",
            2017,
            "Sigmoid-weighted linear units for neural network function approximation in reinforcement learning",
            "arXiv:1702.03118",
        ),
    ],
)

SWISH = Definition(
    name="swish",
    title="Swish",
    formula="x*sigmoid(beta*x)",
    parameters=[Parameter("beta", default=1.0, domain="real")],
    aliases={"jax": "jax.nn.swish", "keras": "keras.activations.swish"},  # both at beta = 1 only
    tags=["gated"],
    summary="The argument times a sigmoid of sharpness beta: half the identity at beta = 0, toward ReLU as beta grows.",
    sources=[Source("Ramachandran, Zoph, Le", 2017, "Searching for activation functions", "arXiv:1710.05941")],
)

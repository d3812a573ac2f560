"""S-shaped functions and their integrals. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

SIGMOID = Definition(
    name="sigmoid",
    title="Logistic sigmoid",
    formula="1/(1 + exp(-x))",
    aliases={
        "torch": "torch.nn.Sigmoid",
        "jax": "jax.nn.sigmoid",
        "keras": "keras.activations.sigmoid",
        "scipy": "scipy.special.expit",
        "literature": "unipolar sigmoid",
    },
    tags=["sigmoid", "saturating"],
    summary="A smooth step from 0 to 1: log-odds in, a probability out.",
    sources=[
        Source(
            "Rumelhart, Hinton, Williams",
            1986,
            "Learning representations by back-propagating errors",
            "doi:10.1038/323533a0",
        ),
    ],
)

BIPOLAR_SIGMOID = Definition(
    name="bipolar_sigmoid",
    title="Bipolar sigmoid",
    formula="2/(1 + exp(-x)) - 1",  # the quotient (1 - exp(-x))/(1 + exp(-x)) has no value at -infinity in arithmetic
    tags=["sigmoid", "saturating"],
    summary="The sigmoid stretched to the range from -1 to 1, which is tanh of half its argument.",
    sources=[
        Source(
            "Fausett",
            1994,
            "Fundamentals of neural networks: architectures, algorithms, and applications",
            "Prentice Hall",
        ),
    ],
)

TANH = Definition(
    name="tanh",
    title="Hyperbolic tangent",
    formula="tanh(x)",
    aliases={"torch": "torch.nn.Tanh", "jax": "jax.nn.tanh", "keras": "keras.activations.tanh"},
    tags=["sigmoid", "saturating"],
    summary="A smooth odd step from -1 to 1 with slope 1 at zero.",
    sources=[Source("LeCun, Bottou, Orr, Müller", 1998, "Efficient BackProp", "doi:10.1007/3-540-49430-8_2")],
)

SOFTPLUS = Definition(
    name="softplus",
    title="Softplus",
    formula="log(1 + exp(beta*x))/beta",
    parameters=[Parameter("beta", default=1.0, domain="positive")],
    aliases={"torch": "torch.nn.Softplus", "jax": "jax.nn.softplus", "keras": "keras.activations.softplus"},
    tags=["rectifier", "saturating left"],
    summary="A smooth ReLU, the integral of the sigmoid; the larger beta is, the sharper its bend.",
    sources=[
        Source(
            "Dugas, Bengio, Bélisle, Nadeau, Garcia",
            2000,
            "Incorporating second-order functional knowledge for better option pricing",
            "NIPS 13",
        ),
    ],
)

"""S-shaped functions. Data only; see `actfn.definition` for what the fields mean."""

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
    reason="A smooth step, so that errors can be propagated back through it.",
    sources=[
        Source(
            "Rumelhart, Hinton, Williams",
            1986,
            "Learning representations by back-propagating errors",
            "doi:10.1038/323533a0",
        ),
    ],
    see=["tanh", "bipolar_sigmoid", "hardsigmoid", "normal_cdf"],
    antiderivative="softplus(x)",
)

BIPOLAR_SIGMOID = Definition(
    name="bipolar_sigmoid",
    title="Bipolar sigmoid",
    formula="2/(1 + exp(-x)) - 1",  # the quotient (1 - exp(-x))/(1 + exp(-x)) has no value at -infinity in arithmetic
    tags=["sigmoid", "saturating"],
    summary="The sigmoid stretched to the range from -1 to 1, which is tanh of half its argument.",
    reason="The sigmoid for data and targets in -1 and 1.",
    sources=[
        Source(
            "Fausett",
            1994,
            "Fundamentals of neural networks: architectures, algorithms, and applications",
            "Prentice Hall",
        ),
    ],
    see=["sigmoid", "tanh"],
    antiderivative="2*softplus(x) - x",
)

TANH = Definition(
    name="tanh",
    title="Hyperbolic tangent",
    formula="tanh(x)",
    aliases={"torch": "torch.nn.Tanh", "jax": "jax.nn.tanh", "keras": "keras.activations.tanh"},
    tags=["sigmoid", "saturating"],
    summary="A smooth odd step from -1 to 1 with slope 1 at zero.",
    reason="Its outputs have mean zero, which makes networks learn faster than with the logistic sigmoid.",
    sources=[Source("LeCun, Bottou, Orr, Müller", 1998, "Efficient BackProp", "doi:10.1007/3-540-49430-8_2")],
    see=["sigmoid", "lecun_tanh", "hardtanh", "softsign"],
    antiderivative="x + softplus(-2*x)",
)


LECUN_TANH = Definition(
    name="lecun_tanh",
    title="LeCun's scaled hyperbolic tangent",
    formula="1.7159*tanh(2*x/3)",
    aliases={"literature": "LeCun tanh", "also": "scaled tanh"},
    tags=["sigmoid", "saturating"],
    summary="tanh stretched so that it is 1 at 1, bends most there, and has an average slope of about 1.",
    reason="Targets of -1 and 1 lie where the second derivative is largest, rather than at the asymptotes.",
    sources=[Source("LeCun, Bottou, Orr, Müller", 1998, "Efficient BackProp", "doi:10.1007/3-540-49430-8_2")],
    see=["tanh", "dyt"],
)

PENALIZED_TANH = Definition(
    name="penalized_tanh",
    title="Penalized hyperbolic tangent",
    formula="where(x > 0, tanh(x), alpha*tanh(x))",
    parameters=[Parameter("alpha", default=0.25, domain="real")],
    conventions="left",  # f'(0) = alpha, as in leaky_relu
    aliases={"literature": "penalized tanh"},
    tags=["sigmoid", "saturating"],
    summary="tanh with its negative half shrunk: leaky ReLU of tanh.",
    reason="What holds tanh back in deep networks is its slope at zero on the negative side.",
    sources=[Source("Xu, Huang, Li", 2016, "Revise saturated activation functions", "arXiv:1602.05980")],
    see=["tanh", "leaky_relu"],
)

DYT = Definition(
    name="dyt",
    title="Dynamic tanh",
    formula="gamma*tanh(alpha*x) + beta",
    parameters=[
        Parameter("alpha", default=0.5, domain="real"),
        Parameter("gamma", default=1.0, domain="real"),
        Parameter("beta", default=0.0, domain="real"),
    ],
    aliases={"literature": "DyT"},
    tags=["sigmoid", "saturating", "learnable"],
    summary="A tanh of learned sharpness, scale and shift, in the place of a normalization layer.",
    reason="What layer normalization does to its inputs in a trained transformer looks like a tanh.",
    sources=[
        Source("Zhu, Chen, He, LeCun, Liu", 2025, "Transformers without normalization", "arXiv:2503.10622"),
    ],
    see=["tanh", "soft_cap"],
)

SOFT_CAP = Definition(
    name="soft_cap",
    title="Soft cap",
    formula="cap*tanh(x/cap)",
    parameters=[Parameter("cap", default=50.0, domain="positive")],
    aliases={"literature": "logit soft-capping"},
    tags=["sigmoid", "saturating"],
    summary="The identity near zero, held between -cap and cap.",
    reason="Keeps the logits of attention from growing without bound.",
    sources=[
        Source("Gemma Team", 2024, "Gemma 2: Improving open language models at a practical size", "arXiv:2408.00118"),
    ],
    see=["tanh", "dyt", "hardtanh"],
)

SOFTSIGN = Definition(
    name="softsign",
    title="Softsign",
    formula="x/(1 + abs(x))",
    conventions="left",  # f'(0) = 1 from both sides; decides f'' and higher only
    aliases={
        "torch": "torch.nn.Softsign",
        "jax": "jax.nn.soft_sign",
        "keras": "keras.activations.softsign",
        "matlab": "elliotsig",
    },
    tags=["sigmoid", "algebraic", "saturating"],
    summary="A step from -1 to 1 with tails like 1/x, which saturate far later than tanh's.",
    reason="A sigmoid without an exponential; its units stay out of saturation longer.",
    sources=[
        Source(
            "Elliott",
            1993,
            "A better activation function for artificial neural networks",
            "University of Maryland, ISR Technical Report TR 93-8",
        ),
        Source(
            "Bergstra, Desjardins, Lamblin, Bengio",
            2009,
            "Quadratic polynomials learn better image features",
            "Université de Montréal, DIRO Technical Report 1337",
        ),
    ],
    see=["elliott", "tanh", "signrelu"],
    antiderivative="abs(x) - log1p(abs(x))",
)

# (1 + x/(1 + |x|))/2 cancels in the left tail.
ELLIOTT = Definition(
    name="elliott",
    title="Elliott's sigmoid",
    formula="where(x > 0, 1 - 1/(2 + 2*x), 1/(2 - 2*x))",
    conventions="left",  # f'(0) = 1/2 from both sides; decides f'' and higher only
    aliases={"literature": "Elliott"},
    tags=["sigmoid", "algebraic", "saturating"],
    summary="Softsign moved to the range from 0 to 1; some call softsign itself Elliott's function.",
    reason="A logistic sigmoid without an exponential.",
    sources=[
        Source(
            "Elliott",
            1993,
            "A better activation function for artificial neural networks",
            "University of Maryland, ISR Technical Report TR 93-8",
        ),
    ],
    see=["softsign", "sigmoid"],
)

ISRU = Definition(
    name="isru",
    title="Inverse square root unit",
    formula="x/sqrt(1 + alpha*x**2)",
    parameters=[Parameter("alpha", default=1.0, domain="positive")],
    aliases={"literature": "ISRU"},
    tags=["sigmoid", "algebraic", "saturating"],
    summary="A step from -1/sqrt(alpha) to 1/sqrt(alpha), by an inverse square root.",
    reason="tanh's shape by a square root, which processors compute faster than an exponential.",
    sources=[
        Source(
            "Carlile, Delamarter, Kinney, Marti, Whitney",
            2017,
            "Improving deep learning by inverse square root linear units (ISRLUs)",
            "arXiv:1710.09967",
        ),
    ],
    see=["isrlu", "rootsig", "softsign", "swim"],
    antiderivative="(sqrt(1 + alpha*x**2) - 1)/alpha",
)

ROOTSIG = Definition(
    name="rootsig",
    title="Root sigmoid",
    formula="x/(1 + sqrt(1 + x**2))",
    aliases={"literature": "rootsig"},
    tags=["sigmoid", "algebraic", "saturating"],
    summary="A step from -1 to 1 by a square root: the tangent of half the angle whose tangent is x.",
    reason="A sigmoid without an exponential, in a survey of what may stand in for the logistic function.",
    sources=[
        Source("Duch, Jankowski", 1999, "Survey of neural transfer functions", "Neural Computing Surveys 2, 163-212"),
    ],
    see=["isru", "softsign"],
    antiderivative="sqrt(1 + x**2) - log(1 + sqrt(1 + x**2))",
)

ARCTAN = Definition(
    name="arctan",
    title="Inverse tangent",
    formula="atan(x)",
    aliases={"torch": "torch.atan", "jax": "jax.numpy.arctan", "keras": "keras.ops.arctan"},
    tags=["sigmoid", "saturating"],
    summary="A step from -pi/2 to pi/2 with tails like 1/x.",
    reason="Learned faster than with the logistic sigmoid on classification tasks.",
    sources=[
        Source(
            "Kamruzzaman, Aziz", 2002, "A note on activation function in multilayer feedforward learning", "IJCNN 2002"
        ),
    ],
    see=["cauchit", "atlu", "tanh"],
    antiderivative="x*atan(x) - log1p(x**2)/2",
)

HEXPO = Definition(
    name="hexpo",
    title="Hexpo",
    formula="where(x > 0, a*(1 - exp(-x/b)), c*(exp(x/d) - 1))",
    parameters=[
        Parameter("a", default=1.0, domain="positive"),
        Parameter("b", default=1.0, domain="positive"),
        Parameter("c", default=1.0, domain="positive"),
        Parameter("d", default=1.0, domain="positive"),
    ],
    conventions="left",  # f'(0) = c/d, as in elu
    aliases={"literature": "Hexpo"},
    tags=["sigmoid", "exponential", "saturating"],
    summary="An exponential approach to a above zero and to -c below it.",
    reason="A sigmoid whose gradient can be scaled, so that it doesn't vanish.",
    sources=[
        Source(
            "Kong, Takatsuka",
            2017,
            "Hexpo: A vanishing-proof activation function",
            "IJCNN 2017",
        ),
    ],
    see=["elu", "tanh"],
)

# As published: log((1 + exp(alpha*x))/(1 + exp(alpha*(x - 1))))/alpha, of which each part overflows.
SOFT_CLIPPING = Definition(
    name="soft_clipping",
    title="Soft clipping",
    formula="log1p(expm1(alpha)*sigmoid(alpha*(x - 1)))/alpha",
    parameters=[Parameter("alpha", default=50.0, domain="(0, 700]")],
    aliases={"literature": "soft clipping"},
    tags=["sigmoid", "saturating"],
    summary="The identity between 0 and 1, bent smoothly to 0 below and 1 above; the sharper, the larger alpha is.",
    reason="An output that must lie in the unit cube, for phase space integrals, with a gradient everywhere.",
    sources=[
        Source(
            "Klimek, Perelstein",
            2018,
            "Neural network-based approach to phase space integration",
            "arXiv:1810.11509",
        ),
    ],
    see=["hardsigmoid", "softplus"],
)

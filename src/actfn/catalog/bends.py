"""Smooth rectifiers, and the identity bent or slowed in its growth. Data only; see `actfn.definition` for the fields."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

SOFTPLUS = Definition(
    name="softplus",
    title="Softplus",
    formula="log(1 + exp(beta*x))/beta",
    parameters=[Parameter("beta", default=1.0, domain="positive")],
    aliases={"torch": "torch.nn.Softplus", "jax": "jax.nn.softplus", "keras": "keras.activations.softplus"},
    tags=["rectifier", "saturating left"],
    summary="A smooth ReLU, the integral of the sigmoid; the larger beta is, the sharper its bend.",
    reason="A positive and convex function, to build prices into a network that must be both.",
    sources=[
        Source(
            "Dugas, Bengio, Bélisle, Nadeau, Garcia",
            2000,
            "Incorporating second-order functional knowledge for better option pricing",
            "NIPS 13",
        ),
    ],
    see=["relu", "squareplus", "shifted_softplus", "logsigmoid"],
)

# As published: log(exp(x)/2 + 1/2), which overflows; softplus(x) - log(2) cancels near zero. This does neither.
SHIFTED_SOFTPLUS = Definition(
    name="shifted_softplus",
    title="Shifted softplus",
    formula="max(x, 0) + log1p((exp(-abs(x)) - 1)/2)",
    aliases={"literature": "shifted softplus", "also": "ssp"},
    tags=["rectifier", "saturating left"],
    summary="Softplus moved down by log 2, through zero.",
    reason="Smooth to any order, as energies of molecules and the forces from them must be, and zero at zero.",
    sources=[
        Source(
            "Schütt, Kindermans, Sauceda, Chmiela, Tkatchenko, Müller",
            2017,
            "SchNet: A continuous-filter convolutional neural network for modeling quantum interactions",
            "arXiv:1706.08566",
        ),
    ],
    see=["softplus", "slu"],
)

LOGSIGMOID = Definition(
    name="logsigmoid",
    title="Logarithm of the sigmoid",
    formula="-softplus(-x)",
    aliases={
        "torch": "torch.nn.LogSigmoid",
        "jax": "jax.nn.log_sigmoid",
        "keras": "keras.activations.log_sigmoid",
        "scipy": "scipy.special.log_expit",
    },
    tags=["saturating right"],
    summary="The logarithm of a probability, from its log-odds: the identity far left, zero far right.",
    reason="The logarithm of a probability that would underflow, for likelihoods.",
    sources=[
        Source(
            "Collobert, Kavukcuoglu, Farabet",
            2011,
            "Torch7: A Matlab-like environment for machine learning",
            "BigLearn, NIPS Workshop",
        ),
    ],
    see=["softplus", "sigmoid"],
)

# As published: (x + sqrt(x**2 + b))/2 on the whole line, which cancels where x is negative. At b = 0 it is ReLU.
SQUAREPLUS = Definition(
    name="squareplus",
    title="Squareplus",
    formula="where(x > 0, (x + sqrt(x**2 + b))/2, b/(2*(sqrt(x**2 + b) - x)))",
    parameters=[Parameter("b", default=4.0, domain="positive")],
    aliases={"jax": "jax.nn.squareplus", "keras": "keras.activations.squareplus", "literature": "Squareplus"},
    tags=["rectifier", "algebraic", "saturating left"],
    summary="A hyperbola between zero and the identity: softplus by a square root.",
    reason="Softplus without an exponential or a logarithm.",
    sources=[Source("Barron", 2021, "Squareplus: A softplus-like algebraic rectifier", "arXiv:2112.11687")],
    see=["softplus", "multiquadric", "relu"],
    antiderivative="(x**2 + x*sqrt(x**2 + b) + b*asinh(x/sqrt(b)))/4",
)

# Often written (sqrt(x**2 + 1) - 1)/2 + x, which cancels near zero. It is older than this survey, but no paper that
# proposes it was found.
BENT_IDENTITY = Definition(
    name="bent_identity",
    title="Bent identity",
    formula="x + x**2/(2*(1 + sqrt(1 + x**2)))",
    aliases={"literature": "bent identity"},
    tags=["rectifier", "algebraic"],
    summary="The identity bent upwards: slope 1/2 far left, 1 at zero, 3/2 far right.",
    reason="Nearly linear, but enough to learn with: no side of it is flat.",
    sources=[
        Source(
            "Kunc, Kléma",
            2024,
            "Three decades of activations: A comprehensive survey of 400 activation functions for neural networks",
            "arXiv:2402.09092",
        ),
    ],
    see=["blu", "squareplus"],
    antiderivative="x**2/2 - x/2 + (x*sqrt(1 + x**2) + asinh(x))/4",
)

# As published: beta*(sqrt(x**2 + 1) - 1) + x, which cancels near zero.
BLU = Definition(
    name="blu",
    title="Bendable linear unit",
    formula="x + beta*x**2/(1 + sqrt(1 + x**2))",
    parameters=[Parameter("beta", default=0.5, domain="[-1, 1]")],
    aliases={"literature": "BLU"},
    tags=["rectifier", "algebraic", "learnable"],
    summary="The identity bent up or down by beta: slopes 1 - beta far left and 1 + beta far right.",
    reason="Can learn to be the identity, so that deep networks without shortcuts can be trained.",
    sources=[
        Source(
            "Godfrey",
            2019,
            "An evaluation of parametric activation functions for deep learning",
            "IEEE SMC 2019",
        ),
    ],
    see=["bent_identity", "squareplus"],
    antiderivative="x**2/2 - beta*x + beta*(x*sqrt(1 + x**2) + asinh(x))/2",
)

NLRELU = Definition(
    name="nlrelu",
    title="Natural logarithm rectified linear unit",
    formula="log1p(beta*max(x, 0))",
    parameters=[Parameter("beta", default=1.0, domain="positive")],
    conventions="left",  # f'(0) = 0, as in relu
    aliases={"literature": "NLReLU"},
    tags=["rectifier", "logarithmic", "saturating left"],
    summary="The logarithm of 1 plus ReLU.",
    reason="Brings the activations of different layers nearer to one another and to a normal distribution.",
    sources=[
        Source(
            "Liu, Zhang, Gao, Qu, Ji",
            2019,
            "Natural-logarithm-rectified activation function in convolutional neural networks",
            "arXiv:1908.03682",
        ),
    ],
    see=["relu", "symlog"],
)

SYMLOG = Definition(
    name="symlog",
    title="Symmetric logarithm",
    formula="where(x > 0, log1p(x), -log1p(-x))",
    conventions="left",  # f'(0) = 1 from both sides; decides f'' and higher only
    aliases={"literature": "symlog"},
    tags=["logarithmic"],
    summary="The logarithm of 1 plus the size, with the sign kept: the identity near zero.",
    reason="Compresses large values of either sign, so that one network predicts rewards of any scale.",
    sources=[
        Source(
            "Hafner, Pasukonis, Ba, Lillicrap",
            2023,
            "Mastering diverse domains through world models",
            "arXiv:2301.04104",
        ),
    ],
    see=["arcsinh", "softsign"],
    antiderivative="(1 + abs(x))*log1p(abs(x)) - abs(x)",
)

ARCSINH = Definition(
    name="arcsinh",
    title="Inverse hyperbolic sine",
    formula="asinh(x)",
    aliases={"torch": "torch.asinh", "jax": "jax.numpy.arcsinh", "keras": "keras.ops.arcsinh"},
    tags=["logarithmic"],
    summary="The identity near zero, a logarithm of either sign far out.",
    reason="A logarithm for data that are negative or zero too: extreme values stop to dominate.",
    sources=[
        Source(
            "Burbidge, Magee, Robb",
            1988,
            "Alternative transformations to handle extreme values of the dependent variable",
            "doi:10.1080/01621459.1988.10478575",
        ),
    ],
    see=["symlog", "arctan"],
    antiderivative="x*asinh(x) - sqrt(1 + x**2)",
)

"""Distribution functions: steps from 0 to 1 that statistics uses as links, and the error function. Data only."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

# 1/2 + atan(x)/pi cancels in the left tail.
CAUCHIT = Definition(
    name="cauchit",
    title="Cauchy distribution function",
    formula="2/pi*atan(exp(asinh(x)))",
    aliases={"literature": "cauchit"},
    tags=["sigmoid", "saturating"],
    summary="The chance that a Cauchy variable is below x: 1/2 + atan(x)/pi, with tails like 1/x.",
    reason="A probability that forgives outliers: a link of heavy tails for two-valued responses.",
    sources=[
        Source(
            "Koenker, Yoon",
            2009,
            "Parametric links for binary choice models: A Fisherian-Bayesian colloquy",
            "Journal of Econometrics 152",
        ),
    ],
    see=["arctan", "atlu", "normal_cdf", "sigmoid"],
)

ERF = Definition(
    name="erf",
    title="Error function",
    formula="erf(x)",
    aliases={
        "torch": "torch.erf",
        "jax": "jax.scipy.special.erf",
        "keras": "keras.ops.erf",
        "scipy": "scipy.special.erf",
    },
    tags=["sigmoid", "saturating"],
    summary="A step from -1 to 1 with tails like a Gaussian's.",
    reason="The sigmoid for which the kernel of an infinitely wide network has a closed form.",
    sources=[
        Source("Williams", 1998, "Computation with infinite neural networks", "doi:10.1162/089976698300017412"),
    ],
    see=["normal_cdf", "tanh", "gelu"],
    antiderivative="x*erf(x) + exp(-x**2)/sqrt(pi)",
)

NORMAL_CDF = Definition(
    name="normal_cdf",
    title="Normal distribution function",
    formula="erfc(-x/sqrt(2))/2",
    aliases={
        "torch": "torch.special.ndtr",
        "jax": "jax.scipy.special.ndtr",
        "scipy": "scipy.special.ndtr",
        "literature": "probit",
    },
    tags=["sigmoid", "saturating"],
    summary="The chance that a standard normal variable is below x; the inverse of the probit.",
    reason="How many insects a dose of poison kills, where their tolerances are normally distributed.",
    sources=[Source("Bliss", 1934, "The method of probits", "doi:10.1126/science.79.2037.38")],
    see=["erf", "gelu", "laplace", "sigmoid"],
    antiderivative="x*erfc(-x/sqrt(2))/2 + exp(-x**2/2)/sqrt(2*pi)",
)

# The defaults are sqrt(1/2) and sqrt(1/(4*pi)), to the six digits of the authors' code.
LAPLACE = Definition(
    name="laplace",
    title="Laplace attention function",
    formula="erfc((mu - x)/(sigma*sqrt(2)))/2",
    parameters=[
        Parameter("mu", default=0.707107, domain="real"),
        Parameter("sigma", default=0.282095, domain="positive"),
    ],
    aliases={"literature": "Laplace", "transformers": "LaplaceActivation"},
    tags=["sigmoid", "saturating"],
    summary="A normal distribution function placed and scaled to meet squared ReLU at sqrt(2); not the Laplacian bell.",
    reason="Approximates squared ReLU as an attention weight, bounded in value and in slope.",
    sources=[
        Source(
            "Ma, Zhou, Kong, He, Gui, Neubig, May, Zettlemoyer",
            2022,
            "Mega: Moving average equipped gated attention",
            "arXiv:2209.10655",
        ),
    ],
    see=["normal_cdf", "relu_squared", "laplacian"],
)

CLOGLOG = Definition(
    name="cloglog",
    title="Complementary log-log",
    formula="1 - exp(-exp(x))",
    aliases={"literature": "cloglog"},
    tags=["sigmoid", "exponential", "saturating"],
    summary="A step from 0 to 1 that leaves 0 slowly and reaches 1 fast.",
    reason="An asymmetric step, from statistics, for data of which one class is rare.",
    sources=[
        Source(
            "Gomes, Ludermir",
            2008,
            "Complementary log-log and probit: activation functions implemented in artificial neural networks",
            "HIS 2008",
        ),
    ],
    see=["loglog", "aranda_ordaz", "sigmoid"],
)

LOGLOG = Definition(
    name="loglog",
    title="Log-log",
    formula="exp(-exp(-x))",
    aliases={"literature": "loglog", "also": "Gompertz"},
    tags=["sigmoid", "exponential", "saturating"],
    summary="A step from 0 to 1 that leaves 0 fast and reaches 1 slowly: Gompertz's curve, 1 - cloglog(-x).",
    reason="An asymmetric step, from statistics, to forecast financial series.",
    sources=[
        Source(
            "Gomes, Ludermir, Lima",
            2011,
            "Comparison of new activation functions in neural network for forecasting financial time series",
            "doi:10.1007/s00521-010-0407-3",
        ),
    ],
    see=["cloglog", "aranda_ordaz", "golu"],
)

# As published: 1 - (1 + lam*exp(x))**(-1/lam), which cancels on the left and overflows on the right.
ARANDA_ORDAZ = Definition(
    name="aranda_ordaz",
    title="Aranda-Ordaz sigmoid",
    formula="1 - exp(-softplus(x + log(lam))/lam)",
    parameters=[Parameter("lam", default=2.0, domain="positive")],
    aliases={"literature": "Aranda-Ordaz"},
    tags=["sigmoid", "saturating"],
    summary="A family of steps from 0 to 1: the logistic at lam = 1, toward cloglog as lam goes to 0.",
    reason="One number sets how asymmetric the step is.",
    sources=[
        Source(
            "Aranda-Ordaz",
            1981,
            "On two families of transformations to additivity for binary response data",
            "doi:10.1093/biomet/68.2.357",
        ),
        Source(
            "Gomes, Ludermir, Lima",
            2011,
            "Comparison of new activation functions in neural network for forecasting financial time series",
            "doi:10.1007/s00521-010-0407-3",
        ),
    ],
    see=["cloglog", "sigmoid"],
)

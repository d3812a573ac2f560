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
    reason="Brings the mean activation near zero, which speeds up learning, and saturates where ReLU is off.",
    sources=[
        Source(
            "Clevert, Unterthiner, Hochreiter",
            2015,
            "Fast and accurate deep network learning by exponential linear units (ELUs)",
            "arXiv:1511.07289",
        ),
    ],
    see=["celu", "selu", "relu", "pelu"],
    antiderivative="where(x > 0, x**2/2, alpha*(exp(x) - 1 - x))",
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
    reason="ELU has a kink at zero unless alpha is 1; with alpha inside the exponential there is none.",
    sources=[Source("Barron", 2017, "Continuously differentiable exponential linear units", "arXiv:1704.07483")],
    see=["elu"],
    antiderivative="where(x > 0, x**2/2, alpha**2*(exp(x/alpha) - 1) - alpha*x)",
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
    reason="Lets deep fully connected networks train without normalization layers.",
    sources=[
        Source(
            "Klambauer, Unterthiner, Mayr, Hochreiter", 2017, "Self-normalizing neural networks", "arXiv:1706.02515"
        ),
    ],
    see=["elu"],
)


PELU = Definition(
    name="pelu",
    title="Parametric exponential linear unit",
    formula="where(x > 0, alpha/beta*x, alpha*(exp(x/beta) - 1))",
    parameters=[
        Parameter("alpha", default=1.0, domain="positive"),
        Parameter("beta", default=1.0, domain="positive"),
    ],
    conventions="left",  # f'(0) = alpha/beta from both sides; decides f'' and higher only
    aliases={"literature": "PELU"},
    tags=["exponential", "saturating left", "learnable"],
    summary="ELU with learned depth and width of the tail, and a slope that keeps it without a kink.",
    reason="Learns each layer's ELU, and its slope with it, at the price of two numbers a layer.",
    sources=[
        Source(
            "Trottier, Giguère, Chaib-draa",
            2016,
            "Parametric exponential linear unit for deep convolutional neural networks",
            "arXiv:1605.09332",
        ),
    ],
    see=["elu", "celu", "mpelu"],
    antiderivative="where(x > 0, alpha/beta*x**2/2, alpha*beta*(exp(x/beta) - 1) - alpha*x)",
)

MPELU = Definition(
    name="mpelu",
    title="Multiple parametric exponential linear unit",
    formula="where(x > 0, x, alpha*(exp(beta*x) - 1))",
    parameters=[
        Parameter("alpha", default=1.0, domain="real"),
        Parameter("beta", default=1.0, domain="positive"),
    ],
    conventions="left",  # f'(0) = alpha beta, as in elu
    aliases={"literature": "MPELU"},
    tags=["exponential", "saturating left", "learnable"],
    summary="ELU with learned depth and width of the tail, between ReLU, PReLU and ELU.",
    reason="One function that training can make into a rectifier or into an exponential unit.",
    sources=[
        Source(
            "Li, Fan, Li, Wu, Ming",
            2016,
            "Improving deep neural network with multiple parametric exponential linear units",
            "arXiv:1606.00305",
        ),
    ],
    see=["elu", "pelu", "prelu"],
    antiderivative="where(x > 0, x**2/2, alpha*(exp(beta*x) - 1)/beta - alpha*x)",
)

ELISH = Definition(
    name="elish",
    title="Exponential linear squashing",
    formula="where(x > 0, x*sigmoid(x), (exp(x) - 1)*sigmoid(x))",
    conventions="left",  # f'(0) = 1/2 from both sides; decides f'' and higher only
    aliases={"literature": "ELiSH"},
    tags=["exponential", "gated", "saturating left"],
    summary="ELU times a sigmoid: SiLU where x is positive.",
    reason="Put together by a genetic search from the halves of known functions.",
    sources=[Source("Basirat, Roth", 2018, "The quest for the golden activation function", "arXiv:1808.00783")],
    see=["hard_elish", "silu", "elu"],
)

HARD_ELISH = Definition(
    name="hard_elish",
    title="Hard exponential linear squashing",
    formula="where(x > 0, x, exp(x) - 1)*clip((x + 1)/2, 0, 1)",
    conventions={"-1": "left", "0": "left", "1": "right"},  # f'(-1) = 0, f'(0) = 1/2, f'(1) = 1
    aliases={"literature": "HardELiSH"},
    tags=["exponential", "hard", "gated", "saturating left"],
    summary="ELU times a hard sigmoid: zero below -1, the identity above 1.",
    reason="ELiSH with a cheaper gate, from the same search.",
    sources=[Source("Basirat, Roth", 2018, "The quest for the golden activation function", "arXiv:1808.00783")],
    see=["elish", "sparse_sigmoid", "elu"],
)

REU = Definition(
    name="reu",
    title="Rectified exponential unit",
    formula="where(x > 0, x, x*exp(x))",
    conventions="left",  # f'(0) = 1 from both sides; decides f'' and higher only
    aliases={"literature": "REU"},
    tags=["exponential", "saturating left"],
    summary="The identity, and x exp(x) where x is negative: a dip to -1/e at -1.",
    reason="Keeps ReLU's slope on the right and Swish's dip on the left.",
    sources=[
        Source(
            "Ying, Su, Shan, Miao, Wang, Peng",
            2019,
            "Rectified exponential units for convolutional neural networks",
            "doi:10.1109/ACCESS.2019.2928442",
        ),
    ],
    see=["elu", "swish"],
    antiderivative="where(x > 0, x**2/2, (x - 1)*exp(x) + 1)",
)

# As published: 2*log(exp(x) + 1) - 2*log(2) where x is negative, which cancels near zero.
SLU = Definition(
    name="slu",
    title="Softplus linear unit",
    formula="where(x > 0, x, 2*log1p((exp(x) - 1)/2))",
    conventions="left",  # f'(0) = 1 from both sides; decides f'' and higher only
    aliases={"literature": "SLU"},
    tags=["exponential", "saturating left"],
    summary="The identity, and twice a softplus moved through zero where x is negative; tends to -2 log 2.",
    reason="ELU with softplus for the exponential, for a longer slope on the left.",
    sources=[
        Source(
            "Zhao, Liu, Li, Luo",
            2018,
            "A novel softplus linear unit for deep convolutional neural networks",
            "doi:10.1007/s10489-017-1028-7",
        ),
    ],
    see=["elu", "softplus"],
)

PTELU = Definition(
    name="ptelu",
    title="Parametric tan hyperbolic linear unit",
    formula="where(x > 0, x, alpha*tanh(beta*x))",
    parameters=[
        Parameter("alpha", default=1.0, domain="nonnegative"),
        Parameter("beta", default=1.0, domain="nonnegative"),
    ],
    conventions="left",  # f'(0) = alpha beta, as in elu
    aliases={"literature": "P-TELU"},
    tags=["saturating left", "learnable"],
    summary="The identity with a tanh for its left tail, of learned depth and width.",
    reason="A tail that saturates sooner than ELU's, so that noise there is held down.",
    sources=[
        Source(
            "Duggal, Gupta",
            2017,
            "P-TELU: Parametric tan hyperbolic linear unit activation for deep neural networks",
            "ICCV Workshops 2017",
        ),
    ],
    see=["elu", "mpelu", "tanh"],
)

ISRLU = Definition(
    name="isrlu",
    title="Inverse square root linear unit",
    formula="where(x > 0, x, x/sqrt(1 + alpha*x**2))",
    parameters=[Parameter("alpha", default=1.0, domain="positive")],
    conventions="left",  # f' and f'' agree at 0; decides the third derivative and higher only
    aliases={"literature": "ISRLU"},
    tags=["algebraic", "saturating left"],
    summary="The identity, and an inverse square root sigmoid where x is negative; tends to -1/sqrt(alpha).",
    reason="ELU's shape by a square root, which processors compute faster than an exponential.",
    sources=[
        Source(
            "Carlile, Delamarter, Kinney, Marti, Whitney",
            2017,
            "Improving deep learning by inverse square root linear units (ISRLUs)",
            "arXiv:1710.09967",
        ),
    ],
    see=["isru", "elu", "signrelu"],
    antiderivative="where(x > 0, x**2/2, (sqrt(1 + alpha*x**2) - 1)/alpha)",
)

SIGNRELU = Definition(
    name="signrelu",
    title="SignReLU",
    formula="where(x > 0, x, alpha*x/(1 - x))",
    parameters=[Parameter("alpha", default=1.0, domain="real")],
    conventions="left",  # f'(0) = alpha, as in elu
    aliases={"literature": "SignReLU"},
    tags=["algebraic", "saturating left"],
    summary="The identity, and a softsign where x is negative; tends to -alpha.",
    reason="Softsign's slow tail in place of ELU's, without an exponential.",
    sources=[
        Source(
            "Lin, Shen",
            2018,
            "Research on convolutional neural network based on improved Relu piecewise activation function",
            "Procedia Computer Science 131",
        ),
    ],
    see=["softsign", "elu", "isrlu"],
)

XIELU = Definition(
    name="xielu",
    title="Expanded integral of the exponential linear unit",
    formula="where(x > 0, alpha_p*x**2 + beta*x, alpha_n*(exp(x) - 1 - x) + beta*x)",
    parameters=[
        Parameter("alpha_p", default=0.8, domain="positive"),
        Parameter("alpha_n", default=0.8, domain="positive"),
        Parameter("beta", default=0.5, domain="positive"),
    ],
    conventions="left",  # f'(0) = beta from both sides; decides f'' and higher only
    aliases={"literature": "xIELU"},
    tags=["exponential", "learnable"],
    summary="A function whose slope is linear where x is positive and an ELU where it is negative.",
    reason="Chosen by its slope: growing like squared ReLU's, and of both signs on the left.",
    sources=[
        Source("Huang, Schlag", 2024, "Deriving activation functions using integration", "arXiv:2411.13010"),
    ],
    see=["relu_squared", "elu"],
)

EXPONENTIAL = Definition(
    name="exponential",
    title="Exponential",
    formula="exp(x)",
    aliases={"torch": "torch.exp", "jax": "jax.numpy.exp", "keras": "keras.activations.exponential"},
    tags=["exponential", "saturating left"],
    summary="A rate that is always positive; it overflows from 89 on in float32.",
    reason="The inverse of the logarithmic link: the mean of counts in a generalized linear model.",
    sources=[Source("Nelder, Wedderburn", 1972, "Generalized linear models", "doi:10.2307/2344614")],
    see=["softplus", "soft_exponential"],
    antiderivative="exp(x)",
)

# The paper has alpha = 0 (the identity) and negative alpha too, where the inverse is not defined on the whole line.
SOFT_EXPONENTIAL = Definition(
    name="soft_exponential",
    title="Soft exponential",
    formula="(exp(alpha*x) - 1)/alpha + alpha",
    parameters=[Parameter("alpha", default=0.5, domain="positive")],
    aliases={"literature": "soft exponential"},
    tags=["exponential", "saturating left", "learnable"],
    summary="Between the identity (alpha = 0) and the exponential (alpha = 1); its logarithmic half is left out.",
    reason="One learned number turns a sum into a product, so that networks can do exact arithmetic.",
    sources=[
        Source(
            "Godfrey, Gashler",
            2016,
            "A continuum among logarithmic, linear, and exponential functions, and its potential to improve "
            "generalization in neural networks",
            "arXiv:1602.01321",
        ),
    ],
    see=["exponential"],
    antiderivative="exp(alpha*x)/alpha**2 + (alpha - 1/alpha)*x",
)

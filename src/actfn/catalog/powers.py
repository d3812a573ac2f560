"""Polynomials, whole or in pieces. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

RELU_SQUARED = Definition(
    name="relu_squared",
    title="Squared rectified linear unit",
    formula="max(x, 0)**2",
    conventions="left",  # decides f'' and higher only
    aliases={"literature": "Squared ReLU", "also": "ReQU"},
    tags=["rectifier", "piecewise polynomial", "saturating left"],
    summary="The square of ReLU: zero, then a half parabola.",
    reason="Found by a search over programs for faster transformers; the square of a gate without a second matrix.",
    sources=[
        Source(
            "So, Mańke, Liu, Dai, Shazeer, Le",
            2021,
            "Primer: Searching for efficient transformers for language modeling",
            "arXiv:2109.08668",
        ),
    ],
    see=["star_relu", "relu_cubed", "relu"],
    antiderivative="max(x, 0)**3/3",
)

# For x from N(0, 1), E[max(x, 0)^2] = 1/2 and its variance is 5/4: scale = 1/sqrt(5/4), bias = -scale/2.
STAR_RELU = Definition(
    name="star_relu",
    title="StarReLU",
    formula="scale*max(x, 0)**2 + bias",
    parameters=[
        Parameter("scale", default=0.8944, domain="real"),
        Parameter("bias", default=-0.4472, domain="real"),
    ],
    conventions="left",  # decides f'' and higher only
    aliases={"literature": "StarReLU"},
    tags=["rectifier", "piecewise polynomial", "saturating left", "learnable"],
    summary="Squared ReLU, scaled and shifted to mean 0 and variance 1 for normal inputs; both constants are learned.",
    reason="A quarter of GELU's operations, without the shift of the distribution that squared ReLU brings.",
    sources=[
        Source("Yu, Si, Zhou, Luo, Zhou, Feng, Yan, Wang", 2022, "MetaFormer baselines for vision", "arXiv:2210.13452"),
    ],
    see=["relu_squared"],
    antiderivative="scale*max(x, 0)**3/3 + bias*x",
)

RELU_CUBED = Definition(
    name="relu_cubed",
    title="Cubed rectified linear unit",
    formula="max(x, 0)**3",
    conventions="left",  # decides f''' and higher only
    aliases={"literature": "Cubed ReLU", "also": "ReCU"},
    tags=["rectifier", "piecewise polynomial", "saturating left"],
    summary="The cube of ReLU: smooth enough for energies that hold second derivatives.",
    reason="Solving variational problems by networks needs a smooth function that is still piecewise polynomial.",
    sources=[
        Source(
            "E, Yu",
            2017,
            "The deep Ritz method: A deep learning-based numerical algorithm for solving variational problems",
            "arXiv:1710.00211",
        ),
    ],
    see=["relu_squared", "relu"],
    antiderivative="max(x, 0)**4/4",
)

SMELU = Definition(
    name="smelu",
    title="Smooth ReLU",
    formula="where(x > beta, x, where(x < -beta, 0, (x + beta)**2/(4*beta)))",
    parameters=[Parameter("beta", default=1.0, domain="positive")],
    conventions={"-beta": "left", "beta": "right"},  # decides f'' and higher only: the outer pieces
    aliases={"literature": "SmeLU"},
    tags=["rectifier", "piecewise polynomial", "saturating left"],
    summary="ReLU with its corner replaced by a parabola of half-width beta.",
    reason="Two trainings of one network agree better where its activation is smooth.",
    sources=[
        Source(
            "Shamir, Lin, Coviello", 2020, "Smooth activations and reproducibility in deep networks", "arXiv:2010.09931"
        ),
    ],
    see=["sparse_plus", "softplus", "relu"],
)

SPARSE_PLUS = Definition(
    name="sparse_plus",
    title="Sparse plus",
    formula="where(x > 1, x, where(x < -1, 0, (x + 1)**2/4))",
    conventions={"-1": "left", "1": "right"},  # decides f'' and higher only: the outer pieces
    aliases={"jax": "jax.nn.sparse_plus", "keras": "keras.activations.sparse_plus"},
    tags=["rectifier", "piecewise polynomial", "saturating left"],
    summary="The integral of the sparse sigmoid, SmeLU at beta = 1: zero, a parabola, the identity.",
    reason="What softplus is to the sigmoid, for the sigmoid that reaches 0 and 1: a loss with sparse answers.",
    sources=[Source("Blondel, Martins, Niculae", 2019, "Learning with Fenchel-Young losses", "arXiv:1901.02324")],
    see=["sparse_sigmoid", "smelu", "softplus"],
)

QUADRATIC = Definition(
    name="quadratic",
    title="Quadratic",
    formula="x**2",
    aliases={"torch": "torch.square", "jax": "jax.numpy.square", "keras": "keras.ops.square"},
    tags=["polynomial"],
    summary="The square of the argument.",
    reason="Networks of it can be learned in polynomial time, and approximate those of the sigmoid.",
    sources=[
        Source(
            "Livni, Shalev-Shwartz, Shamir",
            2014,
            "On the computational efficiency of training neural networks",
            "arXiv:1410.1141",
        ),
    ],
    see=["relu_squared", "cube", "squ"],
    antiderivative="x**3/3",
)

CUBE = Definition(
    name="cube",
    title="Cube",
    formula="x**3",
    aliases={"literature": "cube"},
    tags=["polynomial"],
    summary="The cube of the argument.",
    reason="The cube of a sum holds the products of any three inputs: words, tags and labels of a sentence.",
    sources=[
        Source(
            "Chen, Manning",
            2014,
            "A fast and accurate dependency parser using neural networks",
            "doi:10.3115/v1/D14-1082",
        ),
    ],
    see=["quadratic", "ncu"],
    antiderivative="x**4/4",
)

NCU = Definition(
    name="ncu",
    title="Non-monotonic cubic unit",
    formula="x*(1 - x)*(1 + x)",
    aliases={"literature": "NCU"},
    tags=["polynomial"],
    summary="The identity less the cube: up between its two extremes, down outside.",
    reason="A neuron with several zeros can learn XOR alone, as neurons of the human cortex do.",
    sources=[
        Source(
            "Noel, Bharadwaj, Muthiah-Nakarajan, Dutta, Amali",
            2021,
            "Biologically inspired oscillating activation functions can bridge the performance gap between biological "
            "and artificial neurons",
            "arXiv:2111.04020",
        ),
    ],
    see=["gcu", "squ", "cube"],
    antiderivative="x**2/2 - x**4/4",
)

SQU = Definition(
    name="squ",
    title="Shifted quadratic unit",
    formula="x*(x + 1)",
    aliases={"literature": "SQU"},
    tags=["polynomial"],
    summary="A parabola through zero with slope 1 there.",
    reason="The simplest function with two zeros, so that one neuron can learn XOR.",
    sources=[
        Source(
            "Noel, Bharadwaj, Muthiah-Nakarajan, Dutta, Amali",
            2021,
            "Biologically inspired oscillating activation functions can bridge the performance gap between biological "
            "and artificial neurons",
            "arXiv:2111.04020",
        ),
    ],
    see=["gcu", "ncu", "quadratic"],
    antiderivative="x**3/3 + x**2/2",
)

SOFTMODULUS_Q = Definition(
    name="softmodulus_q",
    title="Quadratic soft modulus",
    formula="where(abs(x) < 1, x**2*(2 - abs(x)), abs(x))",
    conventions={"-1": "left", "0": "left", "1": "right"},  # decides f'' and higher only
    aliases={"literature": "SoftModulusQ"},
    tags=["rectifier", "piecewise polynomial"],
    summary="The absolute value with its corner rounded by a cubic between -1 and 1.",
    reason="The absolute value trains well in vision, and better where its corner is smooth.",
    sources=[
        Source(
            "Vallés-Pérez, Soria-Olivas, Martínez-Sober, Serrano-López, Vila-Francés, Gómez-Sanchís",
            2023,
            "Empirical study of the modulus as activation function in computer vision applications",
            "arXiv:2301.05993",
        ),
    ],
    see=["absolute", "lisht"],
)

SQNL = Definition(
    name="sqnl",
    title="Square nonlinearity",
    formula="where(x > 2, 1, where(x < -2, -1, x - x*abs(x)/4))",
    conventions={"-2": "left", "0": "left", "2": "right"},  # decides f'' and higher only
    aliases={"literature": "SQNL"},
    tags=["sigmoid", "piecewise polynomial", "saturating"],
    summary="tanh in pieces of two parabolas, -1 and 1 reached at -2 and 2.",
    reason="A sigmoid whose derivative is a straight line: faster to compute and to train.",
    sources=[
        Source(
            "Wuraola, Patel",
            2018,
            "SQNL: A new computationally efficient activation function",
            "doi:10.1109/IJCNN.2018.8489043",
        ),
    ],
    see=["tanh", "hardtanh", "log_sqnl"],
)

LOG_SQNL = Definition(
    name="log_sqnl",
    title="Square logistic sigmoid",
    formula="where(x > 2, 1, where(x < -2, 0, 1/2 + (x - x*abs(x)/4)/2))",
    conventions={"-2": "left", "0": "left", "2": "right"},  # decides f'' and higher only
    aliases={"literature": "LogSQNL"},
    tags=["sigmoid", "piecewise polynomial", "saturating"],
    summary="The square nonlinearity moved to the range from 0 to 1.",
    reason="The logistic sigmoid without an exponential, for inference on embedded processors.",
    sources=[
        Source(
            "Wuraola, Patel, Nguang",
            2021,
            "Efficient activation functions for embedded inference engines",
            "Neurocomputing 442",
        ),
    ],
    see=["sqnl", "sigmoid", "hardsigmoid"],
)

SQLU = Definition(
    name="sqlu",
    title="Square linear unit",
    formula="where(x > 0, x, where(x < -2, -1, x + x**2/4))",
    conventions={"-2": "left", "0": "left"},  # decides f'' and higher only
    aliases={"literature": "SQLU"},
    tags=["piecewise polynomial", "saturating left"],
    summary="ELU with a parabola for the exponential, -1 reached at -2.",
    reason="ELU's shape without an exponential, for inference on embedded processors.",
    sources=[
        Source(
            "Wuraola, Patel, Nguang",
            2021,
            "Efficient activation functions for embedded inference engines",
            "Neurocomputing 442",
        ),
    ],
    see=["elu", "sqnl"],
)

SMOOTH_STEP = Definition(
    name="smooth_step",
    title="Smooth step",
    formula="clip(x/gamma + 1/2, 0, 1)**2*(3 - 2*clip(x/gamma + 1/2, 0, 1))",
    parameters=[Parameter("gamma", default=1.0, domain="positive")],
    conventions={"-gamma/2": "left", "gamma/2": "right"},  # decides f'' and higher only: the outer pieces
    aliases={"literature": "smooth-step"},
    tags=["sigmoid", "piecewise polynomial", "saturating"],
    summary="0, a cubic over a width of gamma, 1.",
    reason="Routes inputs through a tree softly, and by exact zeros leaves whole branches out.",
    sources=[
        Source(
            "Hazimeh, Ponomareva, Mol, Tan, Mazumder",
            2020,
            "The tree ensemble layer: Differentiability meets conditional computation",
            "arXiv:2002.07772",
        ),
    ],
    see=["sigmoid", "hardsigmoid", "heaviside"],
)

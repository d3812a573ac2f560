"""Rectifiers made of straight pieces. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

IDENTITY = Definition(
    name="identity",
    title="Identity",
    formula="x",
    aliases={"torch": "torch.nn.Identity", "jax": "jax.nn.identity", "keras": "keras.activations.linear"},
    tags=["linear"],
    summary="The argument itself, for layers that are to stay linear.",
    reason="The output of an adaptive linear neuron, whose error is then quadratic in its weights.",
    sources=[Source("Widrow, Hoff", 1960, "Adaptive switching circuits", "IRE WESCON Convention Record 4, 96-104")],
    antiderivative="x**2/2",
)

RELU = Definition(
    name="relu",
    title="Rectified linear unit",
    formula="max(x, 0)",
    conventions="left",  # f'(0) = 0, as torch, JAX and TensorFlow take it
    aliases={"torch": "torch.nn.ReLU", "jax": "jax.nn.relu", "keras": "keras.activations.relu"},
    tags=["rectifier", "piecewise linear", "saturating left"],
    summary="The positive part: the identity where x is positive, zero elsewhere.",
    reason="A unit that is silent below its threshold, and whose gradient doesn't vanish above it.",
    sources=[
        Source(
            "Fukushima",
            1969,
            "Visual feature extraction by a multilayered network of analog threshold elements",
            "doi:10.1109/TSSC.1969.300225",
        ),
        Source("Nair, Hinton", 2010, "Rectified linear units improve restricted Boltzmann machines", "ICML 2010"),
    ],
    see=["softplus", "leaky_relu", "relu6"],
    antiderivative="max(x, 0)**2/2",
)

LEAKY_RELU = Definition(
    name="leaky_relu",
    title="Leaky rectified linear unit",
    formula="where(x > 0, x, negative_slope*x)",
    parameters=[Parameter("negative_slope", default=0.01, domain="real")],
    conventions="left",  # f'(0) = negative_slope, as torch takes it; JAX takes 1
    # Keras has a default slope of 0.2.
    aliases={
        "torch": "torch.nn.LeakyReLU",
        "jax": "jax.nn.leaky_relu",
        "keras": "keras.activations.leaky_relu(negative_slope=0.01)",
        "literature": "Leaky ReLU",
    },
    tags=["rectifier", "piecewise linear"],
    summary="ReLU with a small slope where x is negative, so that no unit stops learning.",
    reason="A gradient for units that ReLU has switched off.",
    sources=[
        Source(
            "Maas, Hannun, Ng", 2013, "Rectifier nonlinearities improve neural network acoustic models", "ICML 2013"
        ),
    ],
    see=["prelu", "rrelu"],
    antiderivative="where(x > 0, x**2/2, negative_slope*x**2/2)",
)

PRELU = Definition(
    name="prelu",
    title="Parametric rectified linear unit",
    formula="where(x > 0, x, alpha*x)",
    parameters=[Parameter("alpha", default=0.25, domain="real")],
    conventions="left",  # f'(0) = alpha, as torch takes it
    aliases={"torch": "torch.nn.PReLU"},
    tags=["rectifier", "piecewise linear", "learnable"],
    summary="Leaky ReLU whose slope is learned with the weights, one for each channel or one for all.",
    reason="The best slope of a leaky ReLU differs from layer to layer, so that training should find it.",
    sources=[
        Source(
            "He, Zhang, Ren, Sun",
            2015,
            "Delving deep into rectifiers: Surpassing human-level performance on ImageNet classification",
            "arXiv:1502.01852",
        ),
    ],
    see=["leaky_relu", "rrelu", "lelelu"],
    antiderivative="where(x > 0, x**2/2, alpha*x**2/2)",
)

RRELU = Definition(
    name="rrelu",
    title="Randomized leaky rectified linear unit",
    formula="where(x > 0, x, (lower + upper)/2*x)",
    parameters=[
        Parameter("lower", default=0.125, domain="real"),
        Parameter("upper", default=0.3333333333333333, domain="real"),
    ],
    conventions="left",  # f'(0) is the slope of the negative piece, as torch takes it
    aliases={"torch": "torch.nn.RReLU"},
    tags=["rectifier", "piecewise linear", "stochastic"],
    summary="Leaky ReLU at the mean slope; in training the slope is drawn evenly from lower to upper, anew for each value.",
    reason="A random slope in training regularizes where the data are few.",
    sources=[
        Source(
            "Xu, Wang, Chen, Li",
            2015,
            "Empirical evaluation of rectified activations in convolutional network",
            "arXiv:1505.00853",
        ),
    ],
    see=["leaky_relu", "prelu"],
    antiderivative="where(x > 0, x**2/2, (lower + upper)/4*x**2)",
)

RELU6 = Definition(
    name="relu6",
    title="ReLU capped at 6",
    formula="clip(x, 0, 6)",
    conventions={"0": "left", "6": "right"},  # f' = 0 at both, as torch and JAX take it
    aliases={"torch": "torch.nn.ReLU6", "jax": "jax.nn.relu6", "keras": "keras.activations.relu6"},
    tags=["rectifier", "piecewise linear", "saturating"],
    summary="ReLU that stops growing at 6.",
    reason="The cap makes units learn sparse features earlier; later its fixed range served arithmetic of few bits.",
    sources=[
        Source("Krizhevsky", 2010, "Convolutional deep belief networks on CIFAR-10", "unpublished manuscript"),
    ],
    see=["clipped_relu", "hardsigmoid", "hardswish"],
    antiderivative="where(x > 6, 6*x - 18, max(x, 0)**2/2)",
)

CLIPPED_RELU = Definition(
    name="clipped_relu",
    title="Clipped rectified linear unit",
    formula="clip(x, 0, ceiling)",
    parameters=[Parameter("ceiling", default=20.0, domain="positive")],
    conventions={"0": "left", "ceiling": "right"},  # f' = 0 at both, as in relu6
    aliases={"matlab": "clippedReluLayer", "literature": "Clipped ReLU", "also": "bounded ReLU"},
    tags=["rectifier", "piecewise linear", "saturating"],
    summary="ReLU that stops growing at a ceiling.",
    reason="Keeps the activations of a recurrent network from growing without bound.",
    sources=[
        Source(
            "Hannun, Case, Casper, Catanzaro, Diamos, Elsen, Prenger, Satheesh, Sengupta, Coates, Ng",
            2014,
            "Deep Speech: Scaling up end-to-end speech recognition",
            "arXiv:1412.5567",
        ),
        Source(
            "Liew, Khalil-Hani, Bakhteri",
            2016,
            "Bounded activation functions for enhanced training stability of deep neural networks on visual pattern "
            "recognition problems",
            "Neurocomputing 216",
        ),
    ],
    see=["relu6", "hardtanh"],
)

THRESHOLD = Definition(
    name="threshold",
    title="Thresholded rectifier",
    formula="where(x > threshold, x, value)",
    parameters=[Parameter("threshold", default=1.0, domain="real"), Parameter("value", default=0.0, domain="real")],
    conventions="left",  # f' = 0 at the threshold, as torch takes it
    # torch and Keras 3 have no defaults; those here are of Keras 2's ThresholdedReLU.
    aliases={
        "torch": "torch.nn.Threshold",
        "keras": "keras.activations.threshold(threshold=1.0, default_value=0.0)",
        "also": "thresholded ReLU",
    },
    tags=["rectifier", "piecewise linear", "saturating left"],
    summary="The identity above a threshold, a constant below; it jumps unless the constant is the threshold.",
    reason="Sets what is small to zero without a bias on what is large, so that autoencoders need no negative biases.",
    sources=[
        Source(
            "Konda, Memisevic, Krueger",
            2014,
            "Zero-bias autoencoders and the benefits of co-adapting features",
            "arXiv:1402.3337",
        ),
    ],
    see=["hardshrink", "relu"],
)

SHIFTED_RELU = Definition(
    name="shifted_relu",
    title="Shifted rectified linear unit",
    formula="max(x, -shift)",
    parameters=[Parameter("shift", default=1.0, domain="positive")],
    conventions="left",  # f' = 0 at the bend, as in relu
    aliases={"literature": "Shifted ReLU", "also": "displaced ReLU"},
    tags=["rectifier", "piecewise linear", "saturating left"],
    summary="ReLU with its bend moved down the diagonal, to (-shift, -shift).",
    reason="Negative values bring the mean activation nearer to zero, as ELU's do, with straight pieces only.",
    sources=[
        Source(
            "Clevert, Unterthiner, Hochreiter",
            2015,
            "Fast and accurate deep network learning by exponential linear units (ELUs)",
            "arXiv:1511.07289",
        ),
        Source(
            "Macêdo, Zanchettin, Oliveira, Ludermir",
            2019,
            "Enhancing batch normalized convolutional networks using displaced rectifier linear units: A systematic "
            "comparative study",
            "Expert Systems with Applications 124",
        ),
    ],
    see=["relu", "elu", "frelu", "srelu"],
    antiderivative="where(x > -shift, x**2/2, -shift*x - shift**2/2)",
)

FRELU = Definition(
    name="frelu",
    title="Flexible rectified linear unit",
    formula="max(x, 0) + bias",
    parameters=[Parameter("bias", default=-0.398, domain="real")],
    conventions="left",  # f'(0) = 0, as in relu
    aliases={"literature": "FReLU"},
    tags=["rectifier", "piecewise linear", "saturating left", "learnable"],
    summary="ReLU plus a learned constant; with -0.398, its mean for normal inputs is about zero.",
    reason="Lets training shift the rectified output so that negative values are used.",
    sources=[
        Source(
            "Qiu, Xu, Cai",
            2017,
            "FReLU: Flexible rectified linear units for improving convolutional neural networks",
            "arXiv:1706.08098",
        ),
    ],
    see=["relu", "shifted_relu"],
    antiderivative="max(x, 0)**2/2 + bias*x",
)

# The paper learns all four parameters; these defaults only show the shape.
SRELU = Definition(
    name="srelu",
    title="S-shaped rectified linear unit",
    formula=("where(x > right, right + right_slope*(x - right), where(x < -left, left_slope*(x + left) - left, x))"),
    parameters=[
        Parameter("left", default=1.0, domain="nonnegative"),
        Parameter("left_slope", default=0.2, domain="real"),
        Parameter("right", default=1.0, domain="positive"),
        Parameter("right_slope", default=0.5, domain="real"),
    ],
    conventions={"-left": "right", "right": "left"},  # f' = 1 at both: they belong to the middle piece
    aliases={"literature": "SReLU"},
    tags=["rectifier", "piecewise linear", "learnable"],
    summary="Three straight pieces: the identity from -left to right, and learned slopes beyond.",
    reason="Learns convex and concave shapes alike, after two laws of psychophysics.",
    sources=[
        Source(
            "Jin, Xu, Feng, Wei, Xiong, Yan",
            2015,
            "Deep learning with S-shaped rectified linear activation units",
            "arXiv:1512.07030",
        ),
    ],
    see=["shifted_relu", "hardtanh"],
)

LELELU = Definition(
    name="lelelu",
    title="Learnable leaky ReLU",
    formula="where(x > 0, alpha*x, 0.01*alpha*x)",
    parameters=[Parameter("alpha", default=1.0, domain="real")],
    conventions="left",  # f'(0) = 0.01 alpha, as in leaky_relu
    aliases={"literature": "LeLeLU"},
    tags=["rectifier", "piecewise linear", "learnable"],
    summary="Leaky ReLU times a learned scale.",
    reason="Scales each layer's activations with one learned number, positive and negative parts alike.",
    sources=[
        Source(
            "Maniatopoulos, Mitianoudis",
            2021,
            "Learnable leaky ReLU (LeLeLU): An alternative accuracy-optimized activation function",
            "doi:10.3390/info12120513",
        ),
    ],
    see=["leaky_relu", "prelu"],
    antiderivative="where(x > 0, alpha*x**2/2, 0.005*alpha*x**2)",
)

ABSOLUTE = Definition(
    name="absolute",
    title="Absolute value",
    formula="abs(x)",
    conventions="mean",  # f'(0) = 0, as torch takes it; JAX takes 1
    aliases={"torch": "torch.abs", "jax": "jax.numpy.abs", "keras": "keras.ops.abs", "also": "modulus"},
    tags=["rectifier", "piecewise linear"],
    summary="The size of the argument: full-wave rectification, which keeps all but the sign.",
    reason="A feature's contrast matters in recognition, its polarity often doesn't.",
    sources=[
        Source(
            "Jarrett, Kavukcuoglu, Ranzato, LeCun",
            2009,
            "What is the best multi-stage architecture for object recognition?",
            "doi:10.1109/ICCV.2009.5459469",
        ),
    ],
    see=["relu", "softmodulus_q", "lisht"],
    antiderivative="x*abs(x)/2",
)

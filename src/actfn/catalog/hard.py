"""Steps, bounded ramps and what is gated by one, in straight or quadratic pieces. Data only; see `actfn.definition`."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

HEAVISIDE = Definition(
    name="heaviside",
    title="Unit step",
    formula="where(x >= 0, 1, 0)",
    conventions="left",  # f' = 0 on either side
    aliases={"literature": "Heaviside step", "also": "binary step", "matlab": "hardlim"},
    tags=["step", "saturating"],
    summary="0 below zero, 1 from zero on: a neuron that fires or doesn't.",
    reason="A neuron answers all or nothing, so that nets of neurons can be treated by logic.",
    sources=[
        Source(
            "McCulloch, Pitts",
            1943,
            "A logical calculus of the ideas immanent in nervous activity",
            "doi:10.1007/BF02478259",
        ),
    ],
    see=["sign", "sigmoid"],
    antiderivative="max(x, 0)",
)

SIGN = Definition(
    name="sign",
    title="Sign",
    formula="sign(x)",
    conventions="left",  # f' = 0 on either side, as torch and JAX take it
    aliases={"torch": "torch.sign", "jax": "jax.numpy.sign", "keras": "keras.ops.sign", "matlab": "hardlims"},
    tags=["step", "saturating"],
    summary="-1, 0 or 1: the two-valued output of an adaptive threshold unit.",
    reason="A decision of two kinds, whose linear part before it is what learns.",
    sources=[Source("Widrow, Hoff", 1960, "Adaptive switching circuits", "IRE WESCON Convention Record 4, 96-104")],
    see=["heaviside", "tanh", "softsign"],
    antiderivative="abs(x)",
)

HARDTANH = Definition(
    name="hardtanh",
    title="Hard hyperbolic tangent",
    formula="clip(x, min_val, max_val)",
    parameters=[
        Parameter("min_val", default=-1.0, domain="nonpositive"),
        Parameter("max_val", default=1.0, domain="positive"),
    ],
    conventions={"min_val": "left", "max_val": "right"},  # f' = 0 at both ends, as torch takes it; JAX takes 1
    aliases={
        "torch": "torch.nn.Hardtanh",
        "jax": "jax.nn.hard_tanh",
        "keras": "keras.activations.hard_tanh",
        "matlab": "satlins",
    },
    tags=["hard", "sigmoid", "piecewise linear", "saturating"],
    summary="The identity cut off at -1 and 1: tanh in three straight pieces.",
    reason="As good as tanh in a large language model, and far cheaper to compute.",
    sources=[Source("Collobert", 2004, "Large scale machine learning", "PhD thesis, Université Paris VI")],
    see=["tanh", "clipped_relu", "hardsigmoid"],
)

HARDSIGMOID = Definition(
    name="hardsigmoid",
    title="Hard sigmoid",
    formula="clip(x + 3, 0, 6)/6",
    conventions={"-3": "left", "3": "right"},  # f' = 0 at both ends, as torch and JAX take it
    aliases={"torch": "torch.nn.Hardsigmoid", "jax": "jax.nn.hard_sigmoid", "keras": "keras.activations.hard_sigmoid"},
    tags=["hard", "sigmoid", "piecewise linear", "saturating"],
    summary="The sigmoid in three straight pieces, of slope 1/6; hardsigmoid_keras2 is the one of slope 0.2.",
    reason="A gate without an exponential, for networks on small devices.",
    sources=[
        Source(
            "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
            2019,
            "Searching for MobileNetV3",
            "arXiv:1905.02244",
        ),
    ],
    see=["hardsigmoid_keras2", "sparse_sigmoid", "sigmoid", "hardswish"],
)

HARDSIGMOID_KERAS2 = Definition(
    name="hardsigmoid_keras2",
    title="Hard sigmoid of Theano and Keras 2",
    formula="clip(0.2*x + 0.5, 0, 1)",
    conventions={"-2.5": "left", "2.5": "right"},  # f' = 0 at both ends, as in hardsigmoid
    tags=["hard", "sigmoid", "piecewise linear", "saturating"],
    summary="The sigmoid in three straight pieces, of slope 0.2, as Theano, Keras 2 and ONNX have it; see hardsigmoid.",
    reason="A sigmoid for recurrent gates that costs one product.",
    sources=[
        Source(
            "Theano Development Team",
            2016,
            "Theano: A Python framework for fast computation of mathematical expressions",
            "arXiv:1605.02688",
        ),
    ],
    see=["hardsigmoid", "sparse_sigmoid", "sigmoid"],
)

SPARSE_SIGMOID = Definition(
    name="sparse_sigmoid",
    title="Sparse sigmoid",
    formula="clip((x + 1)/2, 0, 1)",
    conventions="mean",  # f' = 1/4 at both ends, as JAX takes it; Keras takes 0
    aliases={"jax": "jax.nn.sparse_sigmoid", "keras": "keras.activations.sparse_sigmoid"},
    tags=["hard", "sigmoid", "piecewise linear", "saturating"],
    summary="The sparsemax of x and 0, and BinaryConnect's hard sigmoid: three straight pieces of slope 1/2.",
    reason="A probability that can be 0 or 1 exactly: the sparse answer to the sigmoid, as sparsemax is to softmax.",
    sources=[
        Source(
            "Courbariaux, Bengio, David",
            2015,
            "BinaryConnect: Training deep neural networks with binary weights during propagations",
            "arXiv:1511.00363",
        ),
        Source(
            "Martins, Astudillo",
            2016,
            "From softmax to sparsemax: A sparse model of attention and multi-label classification",
            "arXiv:1602.02068",
        ),
    ],
    see=["sparse_plus", "hardsigmoid", "hardsigmoid_keras2"],
)

HARDSWISH = Definition(
    name="hardswish",
    title="Hard Swish",
    formula="where(x < -3, 0, where(x > 3, x, x*(x + 3)/6))",
    conventions={"-3": "left", "3": "right"},  # f'(-3) = 0 and f'(3) = 1, the outer pieces
    aliases={"torch": "torch.nn.Hardswish", "jax": "jax.nn.hard_silu", "keras": "keras.activations.hard_silu"},
    tags=["hard", "gated", "piecewise polynomial", "saturating left"],
    summary="The argument times its hard sigmoid: Swish in three pieces without an exponential.",
    reason="Swish's accuracy on small devices, where a sigmoid is costly.",
    sources=[
        Source(
            "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
            2019,
            "Searching for MobileNetV3",
            "arXiv:1905.02244",
        ),
    ],
    see=["swish", "silu", "hardsigmoid", "hard_mish"],
)

HARD_MISH = Definition(
    name="hard_mish",
    title="Hard Mish",
    formula="where(x < -2, 0, where(x > 0, x, x*(x + 2)/2))",
    conventions={"-2": "left", "0": "right"},  # f'(-2) = 0 and f'(0) = 1, the outer pieces
    aliases={"timm": "timm.layers.HardMish", "literature": "H-Mish"},
    tags=["hard", "gated", "piecewise polynomial", "saturating left"],
    summary="Mish in three pieces: zero, a parabola that dips to -1/2, the identity.",
    reason="Mish's shape without an exponential, a logarithm and a tanh.",
    sources=[Source("Misra", 2019, "H-Mish", "github.com/digantamisra98/H-Mish")],
    see=["mish", "hardswish"],
)

TENT = Definition(
    name="tent",
    title="Tent",
    formula="max(delta - abs(x), 0)",
    parameters=[Parameter("delta", default=1.0, domain="positive")],
    conventions={"-delta": "left", "0": "mean", "delta": "right"},  # f' = 0 at the foot and at the top
    aliases={"literature": "tent", "matlab": "tribas"},
    tags=["hard", "radial", "piecewise linear", "saturating"],
    summary="A triangle of height and half-width delta, zero outside.",
    reason="A unit that answers in a bounded region only leaves an attacker less open space.",
    sources=[
        Source(
            "Rozsa, Boult",
            2019,
            "Improved adversarial robustness by reducing open space risk via tent activations",
            "arXiv:1908.02435",
        ),
    ],
    see=["hat", "rbf"],
)

HAT = Definition(
    name="hat",
    title="Hat",
    formula="where(x > 1, max(2 - x, 0), max(x, 0))",
    conventions={"0": "left", "1": "mean", "2": "right"},  # f' = 0 at the foot and at the top
    aliases={"literature": "hat"},
    tags=["hard", "radial", "piecewise linear", "saturating"],
    summary="The linear finite element: up from (0, 0) to (1, 1), down to (2, 0), zero outside.",
    reason="Networks of it have no spectral bias: they don't learn low frequencies first.",
    sources=[
        Source(
            "Hong, Siegel, Tan, Xu",
            2022,
            "On the activation function dependence of the spectral bias of neural networks",
            "arXiv:2208.04924",
        ),
    ],
    see=["tent"],
)

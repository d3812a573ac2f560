"""The argument times a gate that is a function of a function. Data only; see `actfn.definition` for the fields."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

MISH = Definition(
    name="mish",
    title="Mish",
    formula="x*tanh(softplus(x))",
    aliases={"torch": "torch.nn.Mish", "jax": "jax.nn.mish", "keras": "keras.activations.mish"},
    tags=["gated", "saturating left"],
    summary="The argument times the tanh of its softplus: a smooth ReLU that dips below zero.",
    reason="Found in the search for what makes Swish work; its slope acts as a preconditioner that smooths the loss.",
    sources=[
        Source("Misra", 2019, "Mish: A self regularized non-monotonic activation function", "arXiv:1908.08681"),
    ],
    see=["silu", "hard_mish", "serf", "tanhexp"],
)

TANHEXP = Definition(
    name="tanhexp",
    title="Tanh exponential",
    formula="x*tanh(exp(x))",
    aliases={"literature": "TanhExp", "also": "TeLU"},
    tags=["gated", "saturating left"],
    summary="The argument times the tanh of its exponential: close to the identity from 1 on; TeLU is the same function.",
    reason="A slope near 1 and a steep left side, for fast convergence of small networks.",
    sources=[
        Source(
            "Liu, Di",
            2020,
            "TanhExp: A smooth activation function with high convergence speed for lightweight neural networks",
            "arXiv:2003.09855",
        ),
        Source(
            "Fernandez, Mali", 2024, "TeLU activation function for fast and stable deep learning", "arXiv:2412.20269"
        ),
    ],
    see=["mish", "erfact"],
)

LISHT = Definition(
    name="lisht",
    title="Linearly scaled hyperbolic tangent",
    formula="x*tanh(x)",
    aliases={"literature": "LiSHT"},
    tags=["gated", "rectifier"],
    summary="The argument times its tanh: a smooth absolute value.",
    reason="Uses negative inputs as much as positive ones, and has a gradient that doesn't vanish.",
    sources=[
        Source(
            "Roy, Manna, Dubey, Chaudhuri",
            2019,
            "LiSHT: Non-parametric linearly scaled hyperbolic tangent activation function for neural networks",
            "arXiv:1901.05894",
        ),
    ],
    see=["sgelu", "absolute", "softmodulus_q"],
)

SERF = Definition(
    name="serf",
    title="Log-softplus error activation function",
    formula="x*erf(softplus(x))",
    aliases={"literature": "Serf"},
    tags=["gated", "saturating left"],
    summary="The argument times the error function of its softplus.",
    reason="Mish with an error function for the tanh, for a steeper gate.",
    sources=[
        Source(
            "Nag, Bhattacharyya",
            2021,
            "SERF: Towards better training of deep neural networks using log-softplus ERror activation Function",
            "arXiv:2108.09598",
        ),
    ],
    see=["mish", "erfact"],
)

PHISH = Definition(
    name="phish",
    title="Phish",
    formula="x*tanh(0.5*x*erfc(-x/sqrt(2)))",
    aliases={"literature": "Phish"},
    tags=["gated", "saturating left"],
    summary="The argument times the tanh of its GELU.",
    reason="A composition of GELU and tanh, tried in the manner of Mish.",
    sources=[
        Source("Naveen", 2022, "Phish: A novel hyper-optimizable activation function", "doi:10.36227/techrxiv.17283824")
    ],
    see=["mish", "gelu"],
)

LOGISH = Definition(
    name="logish",
    title="Logish",
    formula="x*log1p(sigmoid(x))",
    aliases={"literature": "Logish"},
    tags=["gated", "saturating left"],
    summary="The argument times the logarithm of 1 plus its sigmoid.",
    reason="The logarithm narrows the gate's range, for better generalization in image classification.",
    sources=[
        Source(
            "Zhu, Zeng, Liu, Zhang",
            2021,
            "Logish: A new nonlinear nonmonotonic activation function for convolutional neural network",
            "doi:10.1016/j.neucom.2021.06.067",
        ),
    ],
    see=["silu", "smish"],
)

SMISH = Definition(
    name="smish",
    title="Smish",
    formula="alpha*x*tanh(log1p(sigmoid(beta*x)))",
    parameters=[
        Parameter("alpha", default=1.0, domain="real"),
        Parameter("beta", default=1.0, domain="real"),
    ],
    aliases={"literature": "Smish"},
    tags=["gated"],
    summary="The argument times the tanh of Logish's gate.",
    reason="Keeps negative activations with small derivatives, for deep convolutional networks.",
    sources=[
        Source(
            "Wang, Ren, Wang",
            2022,
            "Smish: A novel activation function for deep learning methods",
            "doi:10.3390/electronics11040540",
        ),
    ],
    see=["logish", "mish"],
)

# As published: x*log(2 - exp(-exp(x))), which cancels in the left tail.
GISH = Definition(
    name="gish",
    title="Gish",
    formula="x*log1p(-expm1(-exp(x)))",
    aliases={"literature": "Gish"},
    tags=["gated", "saturating left"],
    summary="The argument times log(2 - exp(-exp(x))), which goes from 0 to log 2.",
    reason="A gate of Gompertz's shape under a logarithm, for image classification.",
    sources=[
        Source(
            "Kaytan, Aydilek, Yeroğlu",
            2023,
            "Gish: a novel activation function for image classification",
            "doi:10.1007/s00521-023-09035-5",
        ),
    ],
    see=["logish", "golu", "loglog"],
)

GOLU = Definition(
    name="golu",
    title="Gompertz linear unit",
    formula="x*exp(-exp(-x))",
    aliases={"literature": "GoLU"},
    tags=["gated", "saturating left"],
    summary="The argument times the Gompertz function of it, a gate that leans to the right.",
    reason="An asymmetric gate flattens the loss more than the symmetric gates of GELU and Swish.",
    sources=[
        Source(
            "Das, Safari, Adriaensen, Hutter",
            2025,
            "Gompertz linear units: Leveraging asymmetry for enhanced learning dynamics",
            "arXiv:2502.03654",
        ),
    ],
    see=["loglog", "silu", "gelu"],
)

ERFACT = Definition(
    name="erfact",
    title="ErfAct",
    formula="x*erf(alpha*exp(beta*x))",
    parameters=[
        Parameter("alpha", default=0.75, domain="positive"),
        Parameter("beta", default=0.75, domain="positive"),
    ],
    aliases={"literature": "ErfAct"},
    tags=["gated", "saturating left", "learnable"],
    summary="The argument times the error function of its exponential, both scaled.",
    reason="A smooth ReLU with a dip whose shape is trained.",
    sources=[
        Source(
            "Biswas, Kumar, Banerjee, Pandey",
            2021,
            "ErfAct and Pserf: Non-monotonic smooth trainable activation functions",
            "arXiv:2109.04386",
        ),
    ],
    see=["tanhexp", "serf"],
)

# As published: x/2*(1 + k*x/sqrt(1 + k**2*x**2)) on the whole line, which cancels where x is negative.
SWIM = Definition(
    name="swim",
    title="Swim",
    formula=("where(x > 0, x/2*(1 + k*x/sqrt(1 + k**2*x**2)), x/(2*sqrt(1 + k**2*x**2)*(sqrt(1 + k**2*x**2) - k*x)))"),
    parameters=[Parameter("k", default=0.5, domain="positive")],
    aliases={"literature": "Swim", "also": "PFLU"},
    tags=["gated", "algebraic", "saturating left"],
    summary="The argument times an algebraic sigmoid of sharpness k: Swish without an exponential; PFLU at k = 1.",
    reason="Swish's shape at the cost of a square root, for control of robots.",
    sources=[
        Source(
            "Zhu, Min, Wang, Zou, Chen",
            2021,
            "PFLU and FPFLU: Two novel non-monotonic activation functions in convolutional neural networks",
            "Neurocomputing 429, 110-117",
        ),
        Source(
            "Abdool, Dear",
            2023,
            "Swim: A general-purpose, high-performing, and efficient activation function for locomotion control tasks",
            "arXiv:2303.02640",
        ),
    ],
    see=["swish", "isru"],
)

# The gate is 1/2 + atan(x)/pi, which cancels in the left tail where it is written so.
ATLU = Definition(
    name="atlu",
    title="Arctangent linear unit",
    formula="2/pi*x*atan(exp(asinh(x)))",
    aliases={"literature": "ATLU"},
    tags=["gated", "saturating left"],
    summary="The argument times the distribution function of a Cauchy variable; tends to -1/pi on the left.",
    reason="GELU and Swish with a gate of heavier tails.",
    sources=[
        Source("Huang", 2024, "Expanded gating ranges improve activation functions", "arXiv:2405.20768"),
    ],
    see=["cauchit", "gelu", "silu"],
)

TANHSOFT_1 = Definition(
    name="tanhsoft_1",
    title="TanhSoft-1",
    formula="tanh(alpha*x)*softplus(x)",
    parameters=[Parameter("alpha", default=0.87, domain="positive")],
    aliases={"literature": "TanhSoft-1"},
    tags=["gated", "saturating left"],
    summary="Softplus times a tanh of the argument.",
    reason="The best of a family of products of tanh and softplus in a search.",
    sources=[
        Source(
            "Biswas, Kumar, Banerjee, Pandey",
            2020,
            "TanhSoft - a family of activation functions combining Tanh and Softplus",
            "arXiv:2009.03863",
        ),
    ],
    see=["softplus", "mish"],
)

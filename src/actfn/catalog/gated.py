"""The argument times a sigmoid or a normal distribution function of it. Data only; see `actfn.definition`."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

SILU = Definition(
    name="silu",
    title="Sigmoid linear unit",
    formula="x*sigmoid(x)",
    aliases={"torch": "torch.nn.SiLU", "jax": "jax.nn.silu", "keras": "keras.activations.silu"},
    tags=["gated", "saturating left"],
    summary="The argument times its own sigmoid: a smooth ReLU that dips below zero; Swish at beta = 1.",
    reason="A unit's expected energy as its activation, for value functions in reinforcement learning.",
    sources=[
        Source("Hendrycks, Gimpel", 2016, "Gaussian error linear units (GELUs)", "arXiv:1606.08415"),
        Source(
            "Elfwing, Uchibe, Doya",
            2017,
            "Sigmoid-weighted linear units for neural network function approximation in reinforcement learning",
            "arXiv:1702.03118",
        ),
    ],
    see=["swish", "dsilu", "gelu", "hardswish"],
)

DSILU = Definition(
    name="dsilu",
    title="Derivative of the sigmoid linear unit",
    formula="sigmoid(x)*(1 + x*sigmoid(-x))",
    aliases={"literature": "dSiLU"},
    tags=["sigmoid", "saturating"],
    summary="The slope of SiLU: a sigmoid that overshoots 1 and undershoots 0 by about a tenth.",
    reason="A steeper sigmoid that learns faster in reinforcement learning.",
    sources=[
        Source(
            "Elfwing, Uchibe, Doya",
            2017,
            "Sigmoid-weighted linear units for neural network function approximation in reinforcement learning",
            "arXiv:1702.03118",
        ),
    ],
    see=["silu", "sigmoid"],
    antiderivative="x*sigmoid(x)",
)

SWISH = Definition(
    name="swish",
    title="Swish",
    formula="x*sigmoid(beta*x)",
    parameters=[Parameter("beta", default=1.0, domain="real")],
    aliases={"jax": "jax.nn.swish", "keras": "keras.activations.swish"},  # both at beta = 1 only
    tags=["gated"],
    summary="The argument times a sigmoid of sharpness beta: half the identity at beta = 0, toward ReLU as beta grows.",
    reason="The best of those that a search over compositions of elementary functions found.",
    sources=[Source("Ramachandran, Zoph, Le", 2017, "Searching for activation functions", "arXiv:1710.05941")],
    see=["silu", "e_swish", "acon_c", "quick_gelu", "hardswish"],
)

E_SWISH = Definition(
    name="e_swish",
    title="E-swish",
    formula="beta*x*sigmoid(x)",
    parameters=[Parameter("beta", default=1.25, domain="real")],
    aliases={"literature": "E-swish"},
    tags=["gated", "saturating left"],
    summary="SiLU times a constant between 1 and 2.",
    reason="A steeper Swish, whose slope is chosen by the depth of the network.",
    sources=[
        Source("Alcaide", 2018, "E-swish: Adjusting activations to different network depths", "arXiv:1801.07145"),
    ],
    see=["swish", "silu"],
)

# 1 + erf(x/sqrt(2)) cancels where x is negative; erfc(-x/sqrt(2)) is the same and doesn't.
GELU = Definition(
    name="gelu",
    title="Gaussian error linear unit",
    formula="0.5*x*erfc(-x/sqrt(2))",
    # jax.nn.gelu is gelu_tanh unless told otherwise.
    aliases={"torch": "torch.nn.GELU", "jax": "jax.nn.gelu(approximate=False)", "keras": "keras.activations.gelu"},
    tags=["gated", "saturating left"],
    summary="The argument times the chance that a standard normal variable is below it; gelu_tanh approximates it.",
    reason="Weighs an input by its size rather than its sign: the expectation of a dropout that depends on the input.",
    sources=[Source("Hendrycks, Gimpel", 2016, "Gaussian error linear units (GELUs)", "arXiv:1606.08415")],
    see=["gelu_tanh", "quick_gelu", "silu", "normal_cdf"],
    antiderivative="(x**2 - 1)/4*erfc(-x/sqrt(2)) + x*exp(-x**2/2)/(2*sqrt(2*pi))",
)

# As published: 0.5*x*(1 + tanh(u)), which is x*sigmoid(2*u) and keeps its left tail so.
GELU_TANH = Definition(
    name="gelu_tanh",
    title="GELU by tanh",
    formula="x*sigmoid(2*sqrt(2/pi)*(x + 0.044715*x**3))",
    aliases={
        "jax": "jax.nn.gelu(approximate=True)",
        "keras": "keras.activations.gelu(approximate=True)",
        "timm": "timm.layers.GELUTanh",
        "literature": "GELU (tanh)",
    },
    tags=["gated", "saturating left"],
    summary="GELU with tanh of a cubic for its error function, as jax.nn.gelu and GPT-2 compute it; see gelu.",
    reason="GELU within 5e-4 where there is no fast error function.",
    sources=[Source("Hendrycks, Gimpel", 2016, "Gaussian error linear units (GELUs)", "arXiv:1606.08415")],
    see=["gelu", "quick_gelu"],
)

QUICK_GELU = Definition(
    name="quick_gelu",
    title="GELU by sigmoid",
    formula="x*sigmoid(1.702*x)",
    aliases={"timm": "timm.layers.QuickGELU", "literature": "QuickGELU"},
    tags=["gated", "saturating left"],
    summary="GELU with a sigmoid for the normal distribution: Swish at beta = 1.702, as CLIP computes it.",
    reason="GELU within 0.021 at the cost of one sigmoid.",
    sources=[Source("Hendrycks, Gimpel", 2016, "Gaussian error linear units (GELUs)", "arXiv:1606.08415")],
    see=["gelu", "gelu_tanh", "swish"],
)

SGELU = Definition(
    name="sgelu",
    title="Symmetrical Gaussian error linear unit",
    formula="alpha*x*erf(x/sqrt(2))",
    parameters=[Parameter("alpha", default=1.0, domain="positive")],
    aliases={"literature": "SGELU"},
    tags=["gated", "rectifier"],
    summary="The argument times its error function: a smooth absolute value.",
    reason="Uses negative inputs as much as positive ones, for autoencoders.",
    sources=[Source("Yu, Su", 2019, "Symmetrical Gaussian error linear units (SGELUs)", "arXiv:1911.03925")],
    see=["gelu", "lisht", "absolute"],
)

ARIA2 = Definition(
    name="aria2",
    title="Adaptive Richard's curve weighted activation",
    formula="x*sigmoid(beta*x)**alpha",
    parameters=[
        Parameter("alpha", default=1.5, domain="positive"),
        Parameter("beta", default=2.0, domain="positive"),
    ],
    aliases={"literature": "ARiA2"},
    tags=["gated", "saturating left"],
    summary="The argument times a power of a sigmoid: Swish at alpha = 1.",
    reason="Controls depth and place of Swish's dip by the two free constants of Richard's growth curve.",
    sources=[
        Source(
            "Patwardhan, Ingalhalikar, Walambe",
            2018,
            "ARiA: Utilizing Richard's curve for controlling the non-monotonicity of the activation function in deep "
            "neural nets",
            "arXiv:1805.08878",
        ),
    ],
    see=["swish"],
)

FTS = Definition(
    name="fts",
    title="Flatten-T Swish",
    formula="where(x > 0, x*sigmoid(x), 0) + threshold",
    parameters=[Parameter("threshold", default=-0.2, domain="real")],
    conventions="left",  # f'(0) = 0, as in relu
    aliases={"literature": "FTS"},
    tags=["gated", "saturating left"],
    summary="Swish where x is positive, zero elsewhere, plus a constant.",
    reason="ReLU's flat side, Swish's bend on the other, and negative values from the constant.",
    sources=[
        Source(
            "Chieng, Wahid, Ong, Perla",
            2018,
            "Flatten-T Swish: a thresholded ReLU-Swish-like activation function for deep learning",
            "arXiv:1812.06247",
        ),
    ],
    see=["silu", "relu"],
)

SWISH_T = Definition(
    name="swish_t",
    title="Swish-T",
    formula="x*sigmoid(beta*x) + alpha*tanh(x)",
    parameters=[Parameter("beta", default=1.0, domain="real"), Parameter("alpha", default=0.1, domain="real")],
    aliases={"literature": "Swish-T"},
    tags=["gated"],
    summary="Swish plus a small multiple of tanh.",
    reason="A bias by tanh lets through more negative values and makes Swish's dip less flat.",
    sources=[
        Source(
            "Seo, Wang, Kim",
            2024,
            "Swish-T: Enhancing Swish activation with tanh bias for improved neural network performance",
            "arXiv:2407.01012",
        ),
    ],
    see=["swish"],
)

# As published: (x + alpha)*sigmoid(x) - alpha/2, which cancels near zero.
BSILU = Definition(
    name="bsilu",
    title="Bounded sigmoid linear unit",
    formula="x*sigmoid(x) + alpha/2*tanh(x/2)",
    parameters=[Parameter("alpha", default=1.67, domain="real")],
    aliases={"literature": "B-SiLU"},
    tags=["gated", "saturating left"],
    summary="SiLU plus a sigmoid that is moved to be 0 at 0.",
    reason="A surrogate for ReLU's gradient that revives dead units.",
    sources=[
        Source(
            "Horuz, Kasenbacher, Higuchi, Kairat, Stoltz, Pesl, Moser, Linse, Martinetz, Otte",
            2025,
            "The resurrection of the ReLU",
            "arXiv:2505.22074",
        ),
    ],
    see=["silu"],
)

SINLU = Definition(
    name="sinlu",
    title="Sinu-sigmoidal linear unit",
    formula="(x + a*sin(b*x))*sigmoid(x)",
    parameters=[Parameter("a", default=1.0, domain="real"), Parameter("b", default=1.0, domain="real")],
    aliases={"literature": "SinLU"},
    tags=["gated", "periodic", "saturating left", "learnable"],
    summary="SiLU with a learned wave on top.",
    reason="Gives SiLU a periodic part of which training sets strength and frequency.",
    sources=[
        Source(
            "Paul, Bandyopadhyay, Yoon, Geem, Sarkar",
            2022,
            "SinLU: Sinu-sigmoidal linear unit",
            "doi:10.3390/math10030337",
        ),
    ],
    see=["silu", "snake"],
)

ACON_C = Definition(
    name="acon_c",
    title="Activate-or-not unit",
    formula="(p1 - p2)*x*sigmoid(beta*(p1 - p2)*x) + p2*x",
    parameters=[
        Parameter("p1", default=1.0, domain="real"),  # the paper draws p1 and p2 at random to start with
        Parameter("p2", default=0.25, domain="real"),
        Parameter("beta", default=1.0, domain="real"),
    ],
    aliases={"literature": "ACON-C"},
    tags=["gated", "rectifier", "learnable"],
    summary="A smooth maximum of p1 x and p2 x; the larger beta is, the sharper; linear at beta = 0.",
    reason="Learns whether to activate at all, and explains Swish as a smooth ReLU.",
    sources=[
        Source("Ma, Zhang, Liu, Sun", 2020, "Activate or not: Learning customized activation", "arXiv:2009.04759"),
    ],
    see=["swish", "smu", "prelu"],
)

# As published: ((1 + alpha)*x + (1 - alpha)*x*erf(mu*(1 - alpha)*x))/2.
SMU = Definition(
    name="smu",
    title="Smooth maximum unit",
    formula="alpha*x + (1 - alpha)/2*x*erfc(-mu*(1 - alpha)*x)",
    parameters=[
        Parameter("alpha", default=0.25, domain="real"),
        Parameter("mu", default=1.0, domain="positive"),
    ],
    aliases={"literature": "SMU"},
    tags=["gated", "rectifier", "learnable"],
    summary="A smooth maximum of x and alpha x, by an error function of learned sharpness mu.",
    reason="A smooth leaky ReLU, from a smooth approximation of the maximum function.",
    sources=[
        Source(
            "Biswas, Kumar, Banerjee, Pandey",
            2021,
            "SMU: smooth activation function for deep networks using smoothing maximum technique",
            "arXiv:2111.04682",
        ),
    ],
    see=["gelu", "acon_c", "leaky_relu"],
)

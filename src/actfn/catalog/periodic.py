"""Functions that oscillate. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

SINE = Definition(
    name="sine",
    title="Sine",
    formula="sin(x)",
    aliases={"torch": "torch.sin", "jax": "jax.numpy.sin", "keras": "keras.ops.sin"},
    tags=["periodic"],
    summary="A wave of slope 1 at zero.",
    reason="A network of sines is a Fourier series of which the frequencies are learned, to predict chaotic series.",
    sources=[
        Source(
            "Lapedes, Farber",
            1987,
            "Nonlinear signal processing using neural networks: Prediction and system modelling",
            "Los Alamos National Laboratory, LA-UR-87-2662",
        ),
    ],
    see=["siren", "cosine", "snake"],
    antiderivative="-cos(x)",
)

SIREN = Definition(
    name="siren",
    title="Sinusoidal representation unit",
    formula="sin(omega*x)",
    parameters=[Parameter("omega", default=30.0, domain="nonzero")],
    aliases={"literature": "SIREN"},
    tags=["periodic"],
    summary="A sine of frequency omega, with an initialization made for it.",
    reason="Fits images, sound and fields together with their derivatives, which are sines again.",
    sources=[
        Source(
            "Sitzmann, Martel, Bergman, Lindell, Wetzstein",
            2020,
            "Implicit neural representations with periodic activation functions",
            "arXiv:2006.09661",
        ),
    ],
    see=["sine"],
    antiderivative="-cos(omega*x)/omega",
)

COSINE = Definition(
    name="cosine",
    title="Cosine",
    formula="cos(x)",
    aliases={"torch": "torch.cos", "jax": "jax.numpy.cos", "keras": "keras.ops.cos"},
    tags=["periodic"],
    summary="A wave that is 1 at zero.",
    reason="Cosines of random projections approximate a kernel machine by a linear one.",
    sources=[Source("Rahimi, Recht", 2007, "Random features for large-scale kernel machines", "NIPS 20")],
    see=["sine", "gcu"],
    antiderivative="sin(x)",
)

SNAKE = Definition(
    name="snake",
    title="Snake",
    formula="x + sin(a*x)**2/a",
    parameters=[Parameter("a", default=1.0, domain="nonzero")],
    aliases={"literature": "Snake"},
    tags=["periodic", "learnable"],
    summary="The identity with a periodic ripple of frequency a on it; never falling.",
    reason="Extrapolates periodic data, which ReLU and tanh can't, and trains where a plain sine gets stuck.",
    sources=[
        Source(
            "Ziyin, Hartwig, Ueda",
            2020,
            "Neural networks fail to learn periodic functions and how to fix it",
            "arXiv:2006.08195",
        ),
    ],
    see=["sine", "x_plus_sin"],
    antiderivative="x**2/2 + x/(2*a) - sin(2*a*x)/(4*a**2)",
)

X_PLUS_SIN = Definition(
    name="x_plus_sin",
    title="Identity plus sine",
    formula="x + sin(x)",
    aliases={"literature": "x + sin(x)"},
    tags=["periodic"],
    summary="The identity plus a sine; flat at odd multiples of pi.",
    reason="The first that Snake's authors tried: monotonic and periodic at once.",
    sources=[
        Source(
            "Ziyin, Hartwig, Ueda",
            2020,
            "Neural networks fail to learn periodic functions and how to fix it",
            "arXiv:2006.08195",
        ),
    ],
    see=["snake", "sine"],
    antiderivative="x**2/2 - cos(x)",
)

GCU = Definition(
    name="gcu",
    title="Growing cosine unit",
    formula="x*cos(x)",
    aliases={"literature": "GCU"},
    tags=["periodic"],
    summary="A cosine whose amplitude grows with the argument.",
    reason="A neuron with many zeros divides its inputs by several planes at once, so that fewer neurons are needed.",
    sources=[
        Source(
            "Noel, Arunkumar, Trivedi, Dutta",
            2021,
            "Growing cosine unit: A novel oscillatory activation function that can speedup training and reduce "
            "parameters in convolutional neural networks",
            "arXiv:2108.12943",
        ),
    ],
    see=["asu", "ncu", "cosine"],
    antiderivative="x*sin(x) + cos(x)",
)

ASU = Definition(
    name="asu",
    title="Amplifying sine unit",
    formula="x*sin(x)",
    aliases={"literature": "ASU"},
    tags=["periodic"],
    summary="A sine whose amplitude grows with the argument.",
    reason="An oscillating unit to learn the vibrations of nonlinear systems.",
    sources=[
        Source(
            "Rahman, Makhdoom, Lu",
            2023,
            "Amplifying sine unit: An oscillatory activation function for deep neural networks to recover nonlinear "
            "oscillations efficiently",
            "arXiv:2304.09759",
        ),
    ],
    see=["gcu", "sine"],
    antiderivative="sin(x) - x*cos(x)",
)

EXPSIN = Definition(
    name="expsin",
    title="Exponential sine",
    formula="exp(-sin(a*x))",
    parameters=[Parameter("a", default=1.0, domain="nonzero")],
    aliases={"literature": "ExpSin"},
    tags=["periodic", "exponential"],
    summary="The exponential of a negative sine: a wave of sharp peaks and flat troughs.",
    reason="One of the functions that encode coordinates as well as a sine does, by the same two criteria.",
    sources=[
        Source(
            "Ramasinghe, Lucey",
            2021,
            "Beyond periodicity: Towards a unifying framework for activations in coordinate-MLPs",
            "arXiv:2111.15135",
        ),
    ],
    see=["siren", "rbf"],
)

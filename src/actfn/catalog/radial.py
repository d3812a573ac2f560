"""Functions of the distance from zero. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

RBF = Definition(
    name="rbf",
    title="Gaussian radial basis function",
    formula="exp(-beta*x**2)",
    parameters=[Parameter("beta", default=1.0, domain="positive")],
    aliases={"literature": "Gaussian", "matlab": "radbas"},
    tags=["radial", "saturating"],
    summary="A bell around zero: a unit that answers to arguments near its centre only.",
    reason="Interpolation of scattered data becomes a network whose last layer is found by linear algebra.",
    sources=[
        Source(
            "Broomhead, Lowe",
            1988,
            "Multivariable functional interpolation and adaptive networks",
            "Complex Systems 2, 321-355",
        ),
    ],
    see=["inverse_quadratic", "inverse_multiquadric", "laplacian", "ricker"],
    antiderivative="sqrt(pi/beta)/2*erf(sqrt(beta)*x)",
)


LAPLACIAN = Definition(
    name="laplacian",
    title="Laplacian",
    formula="exp(-abs(x)/a)",
    parameters=[Parameter("a", default=1.0, domain="positive")],
    conventions="mean",  # f'(0) = 0, as torch takes it for abs
    aliases={"literature": "Laplacian"},
    tags=["radial", "exponential", "saturating"],
    summary="A peak with a kink, and tails that fall by the factor e over each width a.",
    reason="One of the functions that encode coordinates as well as a sine does, by the same two criteria.",
    sources=[
        Source(
            "Ramasinghe, Lucey",
            2021,
            "Beyond periodicity: Towards a unifying framework for activations in coordinate-MLPs",
            "arXiv:2111.15135",
        ),
    ],
    see=["rbf", "inverse_quadratic", "laplace"],
)

INVERSE_QUADRATIC = Definition(
    name="inverse_quadratic",
    title="Inverse quadratic",
    formula="1/(1 + (a*x)**2)",
    parameters=[Parameter("a", default=1.0, domain="positive")],
    aliases={"literature": "inverse quadratic", "also": "Lorentzian"},
    tags=["radial", "algebraic", "saturating"],
    summary="A bell with tails like 1/x^2.",
    reason="One of the functions that encode coordinates as well as a sine does, by the same two criteria.",
    sources=[
        Source(
            "Ramasinghe, Lucey",
            2021,
            "Beyond periodicity: Towards a unifying framework for activations in coordinate-MLPs",
            "arXiv:2111.15135",
        ),
    ],
    see=["rbf", "inverse_multiquadric", "cauchit"],
    antiderivative="atan(a*x)/a",
)

MULTIQUADRIC = Definition(
    name="multiquadric",
    title="Multiquadric",
    formula="sqrt(x**2 + c**2)",
    parameters=[Parameter("c", default=1.0, domain="positive")],
    aliases={"literature": "multiquadric"},
    tags=["radial", "algebraic", "rectifier"],
    summary="A hyperbola: the absolute value with its corner rounded to the height c.",
    reason="Interpolates scattered heights of a landscape by sums of hyperboloids.",
    sources=[
        Source(
            "Hardy",
            1971,
            "Multiquadric equations of topography and other irregular surfaces",
            "doi:10.1029/JB076i008p01905",
        ),
    ],
    see=["inverse_multiquadric", "absolute", "squareplus"],
    antiderivative="x*sqrt(x**2 + c**2)/2 + c**2*asinh(x/c)/2",
)

INVERSE_MULTIQUADRIC = Definition(
    name="inverse_multiquadric",
    title="Inverse multiquadric",
    formula="1/sqrt(x**2 + c**2)",
    parameters=[Parameter("c", default=1.0, domain="positive")],
    aliases={"literature": "inverse multiquadric"},
    tags=["radial", "algebraic", "saturating"],
    summary="A bell of height 1/c with tails like 1/|x|.",
    reason="A radial basis function that is positive definite, so that interpolation always has one answer.",
    sources=[
        Source(
            "Broomhead, Lowe",
            1988,
            "Multivariable functional interpolation and adaptive networks",
            "Complex Systems 2, 321-355",
        ),
    ],
    see=["multiquadric", "rbf", "inverse_quadratic"],
    antiderivative="asinh(x/c)",
)

RICKER = Definition(
    name="ricker",
    title="Mexican hat wavelet",
    formula="(1 - x)*(1 + x)*exp(-x**2/2)",
    aliases={"literature": "Mexican hat", "also": "Ricker wavelet"},
    tags=["radial", "wavelet", "saturating"],
    summary="The negative second derivative of a Gaussian: a peak between two troughs, of mean zero.",
    reason="Wavelets as units approximate a function where it is, rather than everywhere at once.",
    sources=[Source("Zhang, Benveniste", 1992, "Wavelet networks", "doi:10.1109/72.165591")],
    see=["gaussian_wavelet", "morlet", "rbf"],
    antiderivative="x*exp(-x**2/2)",
)

GAUSSIAN_WAVELET = Definition(
    name="gaussian_wavelet",
    title="First derivative of a Gaussian",
    formula="-x*exp(-x**2/2)",
    aliases={"literature": "Gaussian wavelet", "also": "gaus1"},
    tags=["wavelet", "saturating"],
    summary="The slope of a Gaussian: a peak at -1 and a trough at 1.",
    reason="The wavelet of the first wavelet networks, an odd function of mean zero.",
    sources=[Source("Zhang, Benveniste", 1992, "Wavelet networks", "doi:10.1109/72.165591")],
    see=["ricker", "morlet", "rbf"],
    antiderivative="exp(-x**2/2)",
)

MORLET = Definition(
    name="morlet",
    title="Morlet wavelet",
    formula="cos(omega*x)*exp(-x**2/2)",
    parameters=[Parameter("omega", default=5.0, domain="nonnegative")],
    aliases={"literature": "Morlet"},
    tags=["wavelet", "periodic", "saturating"],
    summary="A cosine under a Gaussian: the real part of Morlet's wavelet.",
    reason="Finds a frequency at a place, in seismic records first.",
    sources=[
        Source(
            "Grossmann, Morlet",
            1984,
            "Decomposition of Hardy functions into square integrable wavelets of constant shape",
            "doi:10.1137/0515056",
        ),
    ],
    see=["ricker", "gaussian_wavelet", "cosine"],
)

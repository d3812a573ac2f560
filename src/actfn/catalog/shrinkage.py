"""Functions that set small arguments to zero, or nearly. Data only; see `actfn.definition` for what the fields mean."""

from __future__ import annotations

from actfn.definition import Definition, Parameter, Source

SOFTSHRINK = Definition(
    name="softshrink",
    title="Soft shrinkage",
    formula="where(x > lambd, x - lambd, where(x < -lambd, x + lambd, 0))",
    parameters=[Parameter("lambd", default=0.5, domain="nonnegative")],
    conventions={"-lambd": "right", "lambd": "left"},  # f' = 0 at both, the middle piece, as torch takes it
    aliases={"torch": "torch.nn.Softshrink", "keras": "keras.activations.soft_shrink", "also": "soft thresholding"},
    tags=["shrinkage", "piecewise linear"],
    summary="Zero from -lambd to lambd, and the identity moved toward zero by lambd outside.",
    reason="Sets noisy wavelet coefficients to zero and moves the rest by as much, so that nothing jumps.",
    sources=[Source("Donoho", 1995, "De-noising by soft-thresholding", "doi:10.1109/18.382009")],
    see=["hardshrink", "tanhshrink", "garrote"],
    antiderivative="max(abs(x) - lambd, 0)**2/2",
)

HARDSHRINK = Definition(
    name="hardshrink",
    title="Hard shrinkage",
    formula="where(abs(x) > lambd, x, 0)",
    parameters=[Parameter("lambd", default=0.5, domain="nonnegative")],
    conventions={"-lambd": "right", "lambd": "left"},  # f' = 0 at both, the middle piece, as torch takes it
    aliases={"torch": "torch.nn.Hardshrink", "keras": "keras.activations.hard_shrink", "also": "hard thresholding"},
    tags=["shrinkage", "piecewise linear"],
    summary="Zero from -lambd to lambd, and the identity outside; it jumps at both ends.",
    reason="Keeps the wavelet coefficients above the noise as they are and sets the rest to zero.",
    sources=[
        Source(
            "Donoho, Johnstone", 1994, "Ideal spatial adaptation by wavelet shrinkage", "doi:10.1093/biomet/81.3.425"
        ),
    ],
    see=["softshrink", "tanhshrink", "garrote", "threshold"],
)

GARROTE = Definition(
    name="garrote",
    title="Nonnegative garrote shrinkage",
    formula="where(x > lambd, x - lambd**2/x, where(x < -lambd, x - lambd**2/x, 0))",
    parameters=[Parameter("lambd", default=0.5, domain="positive")],
    conventions={"-lambd": "right", "lambd": "left"},  # f' = 0 at both, the middle piece, as in softshrink
    aliases={"literature": "garrote"},
    tags=["shrinkage", "algebraic"],
    summary="Zero from -lambd to lambd; outside, shrunk the less the larger it is.",
    reason="Between soft and hard shrinkage: nothing jumps, and what is large is nearly kept.",
    sources=[
        Source(
            "Gao",
            1998,
            "Wavelet shrinkage denoising using the non-negative garrote",
            "doi:10.1080/10618600.1998.10474789",
        ),
    ],
    see=["softshrink", "hardshrink"],
)

TANHSHRINK = Definition(
    name="tanhshrink",
    title="Tanh shrinkage",
    formula="x - tanh(x)",
    aliases={"torch": "torch.nn.Tanhshrink", "keras": "keras.activations.tanh_shrink"},
    tags=["shrinkage"],
    summary="The argument less its tanh: about x^3/3 near zero, moved toward zero by 1 far out.",
    reason="A smooth shrinkage without a threshold, for sparse codes.",
    sources=[
        Source(
            "Collobert, Kavukcuoglu, Farabet",
            2011,
            "Torch7: A Matlab-like environment for machine learning",
            "BigLearn, NIPS Workshop",
        ),
    ],
    see=["softshrink", "hardshrink", "tanh"],
    antiderivative="x**2/2 - x - softplus(-2*x)",
)

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
    sources=[
        Source(
            "Broomhead, Lowe",
            1988,
            "Multivariable functional interpolation and adaptive networks",
            "Complex Systems 2, 321-355",
        ),
    ],
)

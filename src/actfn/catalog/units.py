"""Gated units: one half of a layer's input times a function of the other half. Data only; see `actfn.definition`."""

from __future__ import annotations

from actfn.definition import GatedUnit, Source

GLU = GatedUnit(
    name="glu",
    gate="sigmoid",
    title="Gated linear unit",
    gate_first=False,
    aliases={"torch": "torch.nn.GLU", "jax": "jax.nn.glu", "keras": "keras.activations.glu"},
    summary="The first half of the input times the sigmoid of the second half.",
    reason="A linear path for the gradient through a convolutional language model, with a gate that picks what passes.",
    sources=[
        Source(
            "Dauphin, Fan, Auli, Grangier",
            2016,
            "Language modeling with gated convolutional networks",
            "arXiv:1612.08083",
        ),
    ],
)

BILINEAR = GatedUnit(
    name="bilinear",
    gate="identity",
    title="Bilinear unit",
    summary="The product of the two halves of the input, with no nonlinear function on either.",
    reason="To see how much of a gated unit's gain comes from the product alone.",
    sources=[
        Source("Mnih, Hinton", 2007, "Three new graphical models for statistical language modelling", "ICML 2007"),
        Source("Shazeer", 2020, "GLU variants improve transformer", "arXiv:2002.05202"),
    ],
)

REGLU = GatedUnit(
    name="reglu",
    gate="relu",
    title="ReLU gated linear unit",
    summary="The ReLU of the first half of the input times the second half.",
    reason="A gated unit for the feed-forward layers of a transformer, with the gate of its usual activation.",
    sources=[Source("Shazeer", 2020, "GLU variants improve transformer", "arXiv:2002.05202")],
)

GEGLU = GatedUnit(
    name="geglu",
    gate="gelu",
    title="GELU gated linear unit",
    summary="The GELU of the first half of the input times the second half.",
    reason="A gated unit for the feed-forward layers of a transformer, of lower perplexity than with the sigmoid.",
    sources=[Source("Shazeer", 2020, "GLU variants improve transformer", "arXiv:2002.05202")],
)

SWIGLU = GatedUnit(
    name="swiglu",
    gate="swish",
    title="Swish gated linear unit",
    summary="The Swish (at beta = 1, SiLU) of the first half of the input times the second half.",
    reason="A gated unit for the feed-forward layers of a transformer, of lower perplexity than with the sigmoid.",
    sources=[Source("Shazeer", 2020, "GLU variants improve transformer", "arXiv:2002.05202")],
)

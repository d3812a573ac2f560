"""The entries that every deep test goes through; what is cheap, and what is proven, is tested of the whole catalog.

One of each kind: smooth and not, with and without parameters, saturating, oscillating, with jumps, with conventions by
breakpoint, through erf, through float64 arithmetic.
"""

from __future__ import annotations

from actfn import catalog

REPRESENTATIVE = [
    catalog.find(name)
    for name in (
        *("elu", "celu", "selu", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "silu", "swish", "rbf"),
        *("bipolar_sigmoid", "gelu", "gelu_tanh", "mish", "hardswish", "hardtanh", "relu6", "softshrink", "hardshrink"),
        *("threshold", "softsign", "snake", "squareplus", "tanhshrink", "logsigmoid", "isru", "identity"),
    )
]
NAMES = [entry.name for entry in REPRESENTATIVE]
EVERY = list(catalog.entries().values())

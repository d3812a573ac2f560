"""Source for JAX: an array in, one of its shape and dtype out; grad, jit and vmap go through it.

Parameters are numbers or arrays of the dtype of x. Where a function of JAX's own loses the value, the gradient or a
tie's convention, our helper stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import sympy
from sympy import Piecewise

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.numpy import PythonPrinter

_SAME = ["sign", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh"]

# `where`, not `abs`, whose slope at 0 is JAX's choice. The slope here is t/(1 + t)**2; that of jax.nn.sigmoid, s*(1 - s),
# is 0 from 17 on in float32.
_SIGMOID = """\
def _sigmoid(u):
    t = jnp.exp(jnp.where(u < 0, u, -u))
    return jnp.where(u < 0, t, 1)/(1 + t)"""

_SOFTPLUS = """\
def _softplus(u):
    return jnp.where(u < 0, 0, u) + jnp.log1p(jnp.exp(jnp.where(u < 0, u, -u)))"""

_CBRT = """\
def _cbrt(u):
    # At 0, where the slope is infinite, grad gets 0: jnp.cbrt's own rule makes it 0/0.
    return jnp.where(u == 0, 0*u, jnp.cbrt(jnp.where(u == 0, 1, u)))"""

# The second argument's gradient is taken in a tie, so that max(x, 0) has slope 0 at 0; jnp.maximum takes the mean.
_MAXIMUM = "def _maximum(a, b):\n    return jnp.where((a > b) | (a != a), a, b)"
_MINIMUM = "def _minimum(a, b):\n    return jnp.where((a < b) | (a != a), a, b)"


class JaxPrinter(PythonPrinter):
    """JAX."""

    target = "JAX"
    modules = "import jax.numpy as jnp"
    library = "jnp"
    as_array = f"jnp.asarray({{0}}, dtype={X.name}.dtype)"
    functions: ClassVar[Mapping[Any, str]] = {
        Piecewise: "jnp.where",
        sympy.sqrt: "jnp.sqrt",
        sympy.Abs: "jnp.abs",
        **{getattr(sympy, n): f"jnp.{n}" for n in _SAME},
        **{getattr(sympy, f"a{n}"): f"jnp.arc{n}" for n in ["sin", "cos", "tan", "sinh"]},
        sympy.erf: "_erf",
        sympy.erfc: "_erfc",
        functions.expm1: "jnp.expm1",
        functions.log1p: "jnp.log1p",
        functions.sigmoid: "_sigmoid",
        functions.softplus: "_softplus",
        functions.erfc: "_erfc",
        functions.cbrt: "_cbrt",
        functions.maximum: "_maximum",
        functions.minimum: "_minimum",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "_erf": "from jax.scipy.special import erf as _erf",
        "_erfc": "from jax.scipy.special import erfc as _erfc",
        "_sigmoid": _SIGMOID,
        "_softplus": _SOFTPLUS,
        "_cbrt": _CBRT,
        "_maximum": _MAXIMUM,
        "_minimum": _MINIMUM,
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "jnp.nan", sympy.oo: "jnp.inf", -sympy.oo: "-jnp.inf"}

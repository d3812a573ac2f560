"""Activations for JAX: `from actfn.jax import elu`, a function of x and the parameters, with defaults.

Every name of the catalog is a function here, made on first use: the printed `jnp` expression under `jax.custom_jvp`,
whose rule is the derivative that was derived and printed in its turn, so that grad, hessian and any nesting of
transforms see exact derivatives with the entry's conventions at kinks, and never trace through a guarded branch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from actfn import catalog
from actfn.definition import Definition
from actfn.formula.printers.jax import JaxPrinter
from actfn.kernels.lower import program
from actfn.kernels.printed import load

__all__ = ["function", "printed", "source"]


def source(definition: Definition, order: int = 0, by: tuple[str, ...] = ()) -> str:
    """The JAX code of a derivative of an order (0: f), differentiated by parameters too if `by` names them."""
    steps = program(definition, order, by)
    return JaxPrinter().function(
        definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula
    )


@lru_cache(maxsize=2048)
def printed(definition: Definition, order: int = 0, by: tuple[str, ...] = ()) -> Callable[..., jax.Array]:
    """The printed code as a function of an array and every parameter, by position."""
    return load(source(definition, order, by), JaxPrinter().identifier(definition.name), {})


@lru_cache(maxsize=512)
def function(definition: Definition) -> Callable[..., jax.Array]:
    """f as a function of x and the parameters, by position or name, with defaults.

    x is an array or a number; integers become floats as `jnp.exp` makes them. The result has the dtype of x, and the shape
    of x broadcast with the parameters. float16 and bfloat16 are computed in float32 and rounded once, in f as in its
    gradient. A parameter is a number, checked against its domain, or an array (a tracer, an `nnx.Param`), which is cast
    and gets its own gradient. Derivatives by x go up to order 8.
    Raises `TypeError` for what isn't a real array or number, `ValueError` for a number outside a domain.

    The error is that of XLA's own functions: on a CPU in float32 (5.5 ulps for ELU, as its expm1; 1 ulp for its gradient;
    2 to 6 for the other exponential ones), more where terms cancel and in the tails of exp(-x**2); what is below the
    smallest normal number counts as 0, as an input, as a result and within an expression.
    """
    names = tuple(definition.defaults)
    compute = jax.jit(_in_dtype(_exact(definition, 0, ())), inline=True)

    def general(x: Any, given: tuple[Any, ...]) -> jax.Array:
        array = _real(definition.name, x)
        wide = jnp.promote_types(array.dtype, jnp.float32)
        return compute(array, *(_parameter(definition, n, p, wide) for n, p in zip(names, given, strict=True)))

    name = JaxPrinter().identifier(definition.name)  # not a word of Python's
    listed = "".join(f", {n}=_default_{n}" for n in names)
    text = f"def {name}(x{listed}):\n    return _general(x, ({''.join(f'{n}, ' for n in names)}))\n"
    defaults = {f"_default_{n}": value for n, value in definition.defaults.items()}
    activation = load(text, name, {"_general": general, **defaults})
    activation.__module__ = "actfn.jax"
    activation.__doc__ = f"{definition.title or definition.name}: {definition.formula}\n\n{definition.summary}"
    return activation


def _in_dtype(compute: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """`compute` in at least float32, and its result rounded to the dtype of x.

    The casts lie outside of the rule for derivatives, so that a gradient is rounded once as well.
    """

    def cast(x: jax.Array, *parameters: Any) -> jax.Array:
        if x.dtype.itemsize < 4:
            return compute(x.astype(jnp.float32), *parameters).astype(x.dtype)
        return compute(x, *parameters)

    return cast


@lru_cache(maxsize=2048)
def _exact(definition: Definition, order: int, by: tuple[str, ...]) -> Callable[..., jax.Array]:
    """A derivative whose own derivatives are of the same kind; each is printed when it is asked for."""
    code = printed(definition, order, by)

    @jax.custom_jvp
    def value(x: jax.Array, *parameters: Any) -> jax.Array:
        shape = jnp.broadcast_shapes(x.shape, *map(jnp.shape, parameters))
        return jnp.broadcast_to(code(x, *parameters), shape)  # a derivative may have lost what it varied with

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[jax.Array, Any]:
        y = value(*primals)
        total = None
        for name, tangent in zip((None, *definition.defaults), tangents, strict=True):
            if isinstance(tangent, SymbolicZero):  # 0 times an infinite slope would be NaN
                continue
            along = (order + 1, by) if name is None else (order, tuple(sorted((*by, name))))
            part = _exact(definition, *along)(*primals) * tangent
            total = part if total is None else total + part
        return y, jnp.zeros_like(y) if total is None else total.astype(y.dtype)

    value.defjvp(rule, symbolic_zeros=True)
    return value


def _real(name: str, x: Any) -> jax.Array:
    """x as a floating-point array, as `jnp.exp` would promote it; a Python number stays weakly typed."""
    if not (isinstance(x, jax.Array | np.ndarray | Real | np.generic) or hasattr(x, "__jax_array__")):
        raise TypeError(f"{name} takes a JAX array or a number, not {type(x).__name__}; write {name}(jnp.asarray(x))")
    array = jnp.asarray(x)
    if jnp.issubdtype(array.dtype, jnp.floating):
        return array
    if not (jnp.issubdtype(array.dtype, jnp.integer) or array.dtype == jnp.bool_):
        raise TypeError(f"{name} takes real numbers, not {array.dtype}")
    if array.weak_type:
        return array * 1.0
    return array.astype(jax.eval_shape(jnp.exp, array).dtype)


def _parameter(definition: Definition, name: str, value: Any, dtype: Any) -> Any:
    if isinstance(value, int | float):
        return definition.values({name: value})[name]
    array = jnp.asarray(value)
    if not (jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)):
        raise TypeError(f"{definition.name}: {name} is a real number or an array of them, not {array.dtype}")
    return array if array.dtype == dtype else array.astype(dtype)


def __getattr__(name: str) -> Callable[..., jax.Array]:
    if name.startswith("_") or name not in catalog.entries():
        raise AttributeError(f"module 'actfn.jax' has no function {name!r}")
    return function(catalog.find(name))


def __dir__() -> list[str]:
    return sorted({*__all__, *catalog.entries()})

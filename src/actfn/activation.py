"""The public face: an `Activation` is a definition with one-line methods that call the rooms below."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

from actfn import catalog
from actfn.definition import Convention, Definition, Parameter, Source

if TYPE_CHECKING:
    import numpy
    import sympy

    from actfn.analysis.claims import Claim
    from actfn.analysis.selfnormal import SelfNormalizing
    from actfn.analysis.smoothness import Smoothness

MAX_NAME = 40


class Activation:
    """An activation function: its formula, and everything derived from it.

    Made by `actfn.get` (from the catalog) or `actfn.define` (from a formula). Two of the same definition are equal.
    """

    def __init__(self, definition: Definition, *, from_catalog: bool = False):
        self.definition = definition
        self._from_catalog = from_catalog
        self._smoothness: dict[tuple[tuple[str, float], ...], Smoothness] = {}

    @property
    def name(self) -> str:
        """The name it is found by."""
        return self.definition.name

    @property
    def formula(self) -> sympy.Expr:
        """The SymPy expression in `x` and the parameters."""
        return self.definition.expression

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """Name -> `Parameter(name, default, domain)`."""
        return {p.name: p for p in self.definition.parameters}

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        return self.definition.summary

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by."""
        return tuple(self.definition.tags)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Who proposed it, and where."""
        return tuple(self.definition.sources)

    def derivative(self, order: int = 1) -> sympy.Expr:
        """The SymPy expression of the derivative of an order (0 to 8); at a kink it has the value of the entry's convention."""
        from actfn.formula.derivative import derivative

        return derivative(self.formula, order, self.definition.conventions)

    def smoothness(self, **parameters: float) -> Smoothness:
        """The smoothness class for every parameter, or at those given: `.order`, `.conditions`, `.breakpoints`, `.claim`.

        A user's formula is worked on for at most 20 seconds; what isn't decided by then is unknown.
        """
        key = tuple(sorted(parameters.items()))
        if key not in self._smoothness:
            if self._from_catalog:
                from actfn.analysis.smoothness import smoothness

                self._smoothness[key] = smoothness(self.definition, **parameters)
            else:
                from actfn.analysis.limited import smoothness_within

                self._smoothness[key] = smoothness_within(self.definition, parameters)
        return self._smoothness[key]

    def properties(self, **parameters: float) -> Mapping[str, Claim]:
        """Every claim: name -> `Claim(value, status, certificate, ball)`; `actfn.analysis.properties.MEANINGS` says what each is.

        Proven for all parameters where that is possible, else at the defaults (the certificate says which), or at those
        given. What isn't decided within a minute for each group of claims is unknown.
        """
        from actfn.analysis.proofs import proven
        from actfn.analysis.properties import properties

        return properties(self.definition, parameters) if parameters else proven(self.definition)

    def _gain(self, parameters: Mapping[str, float]) -> Claim:
        from actfn.analysis import proofs
        from actfn.analysis.claims import Claim
        from actfn.analysis.limited import within

        kept = None if parameters else proofs.kept(self.definition)
        if kept is not None:
            return kept["gain"]
        self.definition.values(parameters)
        ((claim, reason),) = within(["actfn.analysis.moments:gain"], self.definition, parameters)
        return claim or Claim(None, "unknown", (reason,))

    def sample(
        self, low: float = -2.0, high: float = 2.0, points: int = 1000, **parameters: float
    ) -> dict[str, list[float]]:
        """`{"x", "y", "yp"}`: x evenly spaced over [low, high], f and f' there as the oracle has them, rounded once to float64."""
        from actfn.card.data import sample

        return sample(self.definition, self.definition.values(parameters), low, high, points)

    def ufunc(self, derivative: int = 0, accuracy: str = "fast", **fixed: float) -> numpy.ufunc:
        """The `numpy.ufunc` of f or of its derivative of an order, over x and the parameters that aren't fixed, by position.

        `accuracy="correct"` rounds correctly (float16 and float32 loops). Parameters given by keyword are fixed.
        Raises `ValueError` for an unknown accuracy or parameter, or a function for which "correct" isn't shown.
        """
        from actfn.kernels.ufunc import ufunc

        return ufunc(self.definition, derivative, accuracy, fixed)

    def __call__(self, x: Any, **parameters: Any) -> Any:
        """f(x): a NumPy array, a Python number, a PyTorch tensor or a JAX array in, the same kind out, in the dtype of x.

        Parameters are numbers or arrays that broadcast with x; those left out have their defaults.
        """
        torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
        if torch is not None and isinstance(x, torch.Tensor):
            from actfn.torch.functional import function
        elif jax is not None and any(isinstance(v, jax.Array) for v in (x, *parameters.values())):
            from actfn.jax import function
        else:
            from actfn.numpy import function
        return function(self.definition)(x, **parameters)

    def __repr__(self) -> str:
        given = "".join(f", {p.name}={p.default!r}" for p in self.definition.parameters)
        return f"Activation({self.name}: {self.definition.formula!r}{given})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and self.definition == other.definition

    def __hash__(self) -> int:
        return hash((self.name, self.definition.formula))


def get(name: str) -> Activation:
    """The activation of a catalog name, such as `actfn.get("elu")`.

    Raises `LookupError`, with the nearest names, for one that isn't there.
    """
    return Activation(catalog.find(name), from_catalog=True)


def names() -> tuple[str, ...]:
    """Every name of the catalog, in alphabetical order."""
    return tuple(sorted(catalog.entries()))


def gain(activation: Activation | str, /, **parameters: float) -> float:
    """The gain of an activation for initialisation: 1/sqrt(E[f(z)^2]) for z of the standard normal distribution.

    Weights of variance gain^2/fan_in keep the second moment of a layer's output at 1 (He et al., arXiv:1502.01852, for
    ReLU). `activation` is a catalog name or an `Activation`; parameters that aren't given have their defaults. The
    number is the midpoint of a proven enclosure: `Activation.properties()["gain"]` has it with 15 digits and more.
    Raises `LookupError` for an unknown name, `ValueError` for a parameter as `Activation.smoothness` does, and where the
    gain isn't known or f is 0.
    """
    known = get(activation) if isinstance(activation, str) else activation
    if not isinstance(known, Activation):
        raise TypeError(f"gain takes a catalog name or an activation, such as gain('elu'), not {activation!r}")
    claim = known._gain(parameters)
    if claim.status == "unknown" or not isinstance(claim.value, int | float):
        raise ValueError(
            f"the gain of {known.name} isn't known: {claim.certificate[0] if claim.certificate else claim.value}"
        )
    return float(claim.value)


def self_normalizing(
    family: Activation | str,
    /,
    constants: tuple[str, str] = ("scale", "alpha"),
    start: Mapping[str, float] | None = None,
    **parameters: float,
) -> SelfNormalizing:
    """The two constants of a family of formulas for which mean 0 and variance 1 stay so from layer to layer, as SELU's do.

    `family` is a formula such as "scale*where(x > 0, x, alpha*(exp(x) - 1))" or an `Activation` with both parameters.
    The result has each constant as a ball that holds exactly one solution (`.constants`, `.claim`), and whether the
    fixed point attracts (`.contraction`). Method: interval Newton on E[f] = 0, E[f^2] = 1 (Klambauer et al., arXiv:1706.02515).
    Raises `NoSolution` (a `ValueError`) where none is found, `FormulaError` for a formula that can't be read.
    """
    from actfn.analysis.selfnormal import self_normalizing

    known = family.definition if isinstance(family, Activation) else family
    return self_normalizing(known, constants, start, **parameters)


def define(
    formula: str,
    /,
    *,
    name: str | None = None,
    conventions: Convention | Mapping[str, Convention] = "left",
    domains: Mapping[str, str] | None = None,
    **parameters: float,
) -> Activation:
    """An activation from a formula, such as `define("where(x > 0, x, alpha*(exp(x) - 1))", alpha=1.0)`.

    Each parameter is given with its default; `domains` restricts some of them ("positive", "(0, 1]" ...). `conventions`
    is the value of f' at kinks (see `Definition`). The formula is parsed and checked at once.
    Raises `FormulaError` (a `ValueError`) with the place in the text, or `ValueError` for a name, parameter or domain.
    """
    if not isinstance(formula, str):
        raise TypeError(f"a formula is text, such as 'x*sigmoid(x)', not {formula!r}")
    if name is not None and not (
        isinstance(name, str) and name.isascii() and name.isidentifier() and len(name) <= MAX_NAME
    ):
        raise ValueError(
            f"a name is a Python identifier of at most {MAX_NAME} ASCII characters, such as 'my_elu', not {name!r}"
        )
    domains = domains or {}
    stray = sorted(set(domains) - set(parameters))
    if stray:
        raise ValueError(
            f"a domain for {stray[0]!r}, which is not a parameter; give it a default, as in {stray[0]}=1.0"
        )
    listed = []
    for parameter, default in parameters.items():
        if isinstance(default, bool) or not isinstance(default, Real):
            raise ValueError(f"parameter {parameter}: the default is a number, as in {parameter}=1.0, not {default!r}")
        try:
            value = float(default)
        except OverflowError:
            value = math.inf  # which no domain contains
        listed.append(Parameter(parameter, value, domains.get(parameter, "real")))
    definition = Definition(
        name=name or "custom",
        formula=formula,
        parameters=tuple(listed),
        conventions=conventions,
        title=name or formula[:60],
    )
    definition.expression  # noqa: B018  (parses now, so that an error shows here)
    from actfn.formula.derivative import derivative

    derivative(definition.expression, 1, conventions)
    return Activation(definition)

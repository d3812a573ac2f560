"""Attacks on the moments under Gaussian input and on what follows from them, by plain numerical quadrature.

Gauss-Legendre panels between the breakpoints, twice as many for an estimate of the error. Screened on float64 values;
what disagrees is computed again from the oracle's values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import pairwise

import numpy as np
from flint import arb

from actfn.analysis.attack.sampled import Array, Sampled
from actfn.analysis.attack.shape import Found
from actfn.analysis.claims import Claim

_PANELS = 80
_REACH = 14.0
"""Standard deviations: the weight beyond is below 1e-43."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_ACCURACY = 1e-9


class Quadrature:
    """E[g(x)] for x ~ N(0, q), with an estimate of its error."""

    def __init__(self, s: Sampled):
        self.s = s

    @cached_property
    def exact(self) -> Callable[[int], Callable[[Array], Array]]:
        def values(order: int) -> Callable[[Array], Array]:
            return lambda x: np.array([float(self.s.ball(float(p), order).mid()) for p in x])

        return values

    def screened(self, order: int) -> Callable[[Array], Array]:
        return self.s.code(self.s.definition, order)

    def mean(self, order: int, power: int, q: float = 1.0, exact: bool = False) -> tuple[float, float]:
        """E[(f or f')^power], and how far it may be off."""
        values = self.exact(order) if exact else self.screened(order)
        coarse, fine = (self._sum(values, power, q, panels) for panels in (_PANELS, 2 * _PANELS))
        return fine[0], 20 * abs(fine[0] - coarse[0]) + 1e-12 * fine[1]

    def _sum(self, values: Callable[[Array], Array], power: int, q: float, panels: int) -> tuple[float, float]:
        scale = math.sqrt(q)
        places = [x / scale for place in self.s.breakpoints for x in place if abs(x) < _REACH * scale]
        edges = np.unique([*np.linspace(-_REACH, _REACH, panels + 1), *places])
        half = np.diff(edges)[:, None] / 2
        z = ((edges[:-1, None] + half) + half * _NODES).ravel()
        weight = (half * _WEIGHTS).ravel() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        with np.errstate(all="ignore"):
            terms = weight * values(z * scale) ** power
        terms = np.where(np.isnan(terms), 0, terms)
        return float(terms.sum()), float(np.abs(terms).sum())


_FORMULAS: dict[str, tuple[tuple[tuple[int, int], ...], Callable[..., float]]] = {
    # name: the moments (order of the derivative, power), and the number that follows
    "mean": (((0, 1),), lambda m: m),
    "second_moment": (((0, 2),), lambda m: m),
    "variance": (((0, 1), (0, 2)), lambda m, n: n - m * m),
    "derivative_second_moment": (((1, 2),), lambda m: m),
    "gain": (((0, 2),), lambda m: 1 / math.sqrt(m)),
    "backward_gain": (((1, 2),), lambda m: 1 / math.sqrt(m)),
    "chi_1": (((0, 2), (1, 2)), lambda m, n: n / m),
}


def of_moment(name: str) -> Callable[[Sampled, Claim], Iterator[Found]]:
    def attacked(s: Sampled, claim: Claim) -> Iterator[Found]:
        needed, formula = _FORMULAS[name]
        quadrature = Quadrature(s)
        infinite = {"derivative_second_moment": "inf", "chi_1": "inf", "backward_gain": 0.0}.get(name)
        if infinite is not None and claim.value == infinite:
            if not s.breaks(0) and not _steep(s):
                yield "loose", (), "f doesn't jump, and no slope is steep enough"
            return
        if claim.value is False or claim.value == "inf":
            if quadrature.mean(0, 2)[0] > 0:
                yield "wrong", (), "E[f^2] isn't 0"
            return
        if any(order for order, _ in needed) and s.breaks(0):
            yield "wrong", (s.breaks(0)[0][0],), "f jumps here, so E[f'^2] is infinite"
            return
        if claim.ball is not None and not arb(*claim.ball).overlaps(s.number(claim.value)):
            yield "wrong", (), f"the value lies outside its ball {claim.ball}"
        for exact in (False, True):
            means = [quadrature.mean(order, power, 1.0, exact) for order, power in needed]
            got = formula(*(m for m, _ in means))
            error = sum(
                abs(formula(*(m + e * (i == j) for j, (m, _) in enumerate(means))) - got)
                for i, (_, e) in enumerate(means)
            )
            if not abs(got - claim.value) > error + _ACCURACY * (abs(got) + 1e-3):
                return
        yield "wrong", (), f"quadrature gives {got!r} +/- {error:.1e}"

    return attacked


def _steep(s: Sampled) -> bool:
    """Whether f' grows like |x - b|^(-1/2) or faster beside a breakpoint."""
    for low, high in s.breakpoints:
        for x, way in ((low, -1), (high, 1)):
            near, nearer = (abs(s.ball(x + way * h, 1)) for h in (2.0**-20, 2.0**-40))
            if near.is_finite() and nearer > 900 * near:
                return True
    return False


def of_length_fixed_point(s: Sampled, claim: Claim) -> Iterator[Found]:
    second = Quadrature(s).mean(0, 2)[0]
    if claim.value is False:
        if second > 0:
            yield "wrong", (), "E[f^2] isn't 0, so there is a gain"
    elif claim.value != 1.0 or not second > 0:
        yield "wrong", (), "at sigma_w = gain the length is kept at q = 1"


def of_edge_of_chaos(s: Sampled, claim: Claim) -> Iterator[Found]:
    """chi_1 = sigma_w^2 E[f'^2] and q = sigma_w^2 E[f^2] must both hold somewhere, or as q goes to 0."""
    if s.breaks(0):
        if claim.value is not False:
            yield "wrong", (s.breaks(0)[0][0],), "f jumps here, so chi_1 is infinite"
        return
    quadrature = Quadrature(s)

    def misses(q: float) -> tuple[float, float]:
        """log of E[f'^2], and of E[f^2]/(q E[f'^2])."""
        slope, second = quadrature.mean(1, 2, q)[0], quadrature.mean(0, 2, q)[0]
        return (math.log(slope), math.log(second / q / slope)) if slope > 0 and second > 0 else (math.nan, math.nan)

    grid = [2.0**-40, *(2.0**k for k in range(-12, 15))]
    found = [misses(q) for q in grid]
    balance = [b for _, b in found]
    if claim.value is False:
        crossing = any(a * b < 0 and min(abs(a), abs(b)) > 1e-6 for a, b in pairwise(balance))
        if crossing or abs(balance[0]) < 1e-9:
            yield "loose", (), "E[f^2] = q E[f'^2] at some q"
        return
    wanted = -2 * math.log(claim.value)  # of log E[f'^2]
    if abs(found[0][0] - wanted) < 1e-4 and abs(balance[0]) < 1e-4:
        return  # as q goes to 0
    for (a, (slope, other)), (b, (_, next_other)) in pairwise(zip(grid, found, strict=True)):
        if abs(slope - wanted) < 1e-9 and abs(other) < 1e-9:
            return
        if (other < 0) != (next_other < 0):
            q = _bisected(lambda q: misses(q)[1], a, b)
            if abs(misses(q)[0] - wanted) < 1e-7:
                return
    yield "wrong", (), f"no q with chi_1 = 1 and q = sigma_w^2 E[f^2] is found at sigma_w = {claim.value!r}"


def _bisected(function: Callable[[float], float], a: float, b: float) -> float:
    low = function(a) < 0
    for _ in range(50):
        middle = math.sqrt(a * b)
        a, b = (middle, b) if (function(middle) < 0) == low else (a, middle)
    return a

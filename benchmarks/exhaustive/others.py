"""The other dtypes against the oracle: every float16 and bfloat16, and a sample of float64 around the worst of itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from actfn.definition import Definition
from actfn.reference import FORMATS
from benchmarks.exhaustive.judging import EXAMPLES, Compute, Tally, distance
from benchmarks.exhaustive.truth import Truth, quantum


def sixteen(definition: Definition, order: int, dtype: str, compute: Compute, fill: Any = None) -> tuple[Tally, int]:
    """Every float16 or bfloat16: (tally, how many infinities and NaNs come out wrong).

    `fill` is what `bounds.reference` gives; what it leaves open is the oracle's, and without it everything.
    """
    truth = Truth(definition, order, dtype)
    bits = np.arange(1 << 16, dtype=np.uint16)
    out = np.empty_like(bits)
    compute(bits, out)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        xs, ys = (widened(part, dtype).astype(np.float64) for part in (bits, out))
    wrong = int(np.count_nonzero(np.isnan(xs) & ~np.isnan(ys)))
    for i in np.flatnonzero(np.isinf(xs)):
        true = truth.rounded(float(xs[i]))
        wrong += not math.isnan(true) and bool(ys[i] != true)
    xs, ys = xs[np.isfinite(xs)], ys[np.isfinite(xs)]
    low, high = np.full(xs.size, -np.inf), np.full(xs.size, np.inf)
    if fill is not None:
        fill(xs.astype(np.float32), low, high)
    end = 2.0 ** FORMATS[dtype][2]
    low, high = np.clip(low, -end, end), np.clip(high, -end, end)
    trues, unit = rounded(low, dtype), quantum(low, dtype)
    settled = (trues == rounded(high, dtype)) & (high - low < unit / 1024)
    tied, nearer = truth.nearly_tied(xs, low, high)
    trues[tied] = nearer[tied]
    errors = np.maximum(np.abs(np.clip(ys, -end, end) - low), np.abs(np.clip(ys, -end, end) - high)) / unit
    errors = np.where(ys == trues, np.where(np.isinf(ys), 0.0, np.minimum(errors, 0.5)), errors)
    tally = Tally(settled_by_tangent=int(tied.sum()))
    for i in np.flatnonzero(~(settled | tied)):
        x = float(xs[i])
        ball, trues[i] = truth.oracle.ball(x, truth.parameters, 64), truth.rounded(x)
        errors[i] = distance(float(ys[i]), ball, dtype)
        tally.settled_by_arb += 1
        if math.isnan(trues[i]) and ball.is_finite():  # an end of the range that the oracle can't tell it from
            tally.not_decided += 1
            trues[i], errors[i] = ys[i], 0.0
    nans = np.isnan(ys)
    bad = (ys != trues) & ~nans
    tally.nan, tally.misrounded = int(nans.sum()), int(bad.sum())
    tally.overflow_early = int((np.isinf(ys) & np.isfinite(trues)).sum())
    tally.examples = xs[bad | nans][:EXAMPLES].tolist()
    errors[nans] = 0.0
    tally.worst(float(errors.max()), float(xs[errors.argmax()]))
    return tally, wrong


def rounded(t: np.ndarray, dtype: str) -> np.ndarray:
    """float64 rounded half to even to a narrower type, as float64."""
    unit = quantum(t, dtype)
    found = np.rint(t / unit) * unit
    return np.where(np.abs(found) < 2.0 ** FORMATS[dtype][2], found, np.copysign(np.inf, t))


def widened(bits: np.ndarray, dtype: str) -> np.ndarray:
    """16-bit patterns as numbers."""
    if dtype == "float16":
        return bits.view(np.float16)
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def sampled(definition: Definition, order: int, compute: Compute, count: int, tick: Callable[[], None]) -> Tally:
    """float64 at random inputs over all binades and near 0 and 1, then around the worst: hill climbing by neighbours."""
    truth = Truth(definition, order, "float64")
    random = np.random.default_rng(20)
    binades = random.integers(0, 2**64, count // 2, dtype=np.uint64).view(np.float64)
    near = np.concatenate([random.normal(0, 3, count // 4), random.normal(0, 40, count - count // 2 - count // 4)])
    kinks = np.array([s * 2.0**-k for k in range(60) for s in (1, -1)] + [0.0, -0.0, 1.0, -1.0])
    x = np.concatenate([binades[np.isfinite(binades)], near, kinks])
    tally = Tally()
    ranked: list[tuple[float, float]] = []

    def judge(xs: np.ndarray) -> None:
        ys = np.empty_like(xs)
        compute(xs, ys)
        for at, got in zip(xs.tolist(), ys.tolist(), strict=True):
            error = distance(got, truth.oracle.ball(at, truth.parameters, 64), "float64")
            tally.nan += math.isnan(got)
            tally.misrounded += error > 0.5
            ranked.append((error, at))
            tally.worst(error, at)

    for part in np.array_split(x, max(1, x.size // 10_000)):
        judge(np.ascontiguousarray(part))
        ranked[:] = sorted(ranked, reverse=True)[:32]
        tick()
    for spread in (1e-2, 1e-4, 1e-7, 1e-10, 1e-13):
        worst = np.array([at for _, at in ranked])
        judge(np.ravel(worst[:, None] * (1 + spread * random.normal(size=(1, count // 5000 + 2)))))
        ranked[:] = sorted(ranked, reverse=True)[:32]
        tick()
    return tally

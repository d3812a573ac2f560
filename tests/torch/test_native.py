"""What the native operators may do differently on short tensors: bounded in ulps, and it can be turned off."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import actfn.torch
from actfn import catalog
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps
from actfn.torch import native

POINTS = np.concatenate(
    [np.random.default_rng(5).normal(0, 4, 200), [0.0, -0.0, -1e-8, 1e-8, -20, -60, -85, 30, 88, 1e4]]
)


@pytest.fixture(autouse=True)
def _on_again():
    yield
    actfn.torch.set_native(True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", native.NATIVE)
def test_native_values_and_gradients_are_the_formula_s(name: str, dtype: torch.dtype) -> None:
    entry, operator = catalog.find(name), native.NATIVE[name]
    if dtype not in operator.dtypes:
        pytest.skip(f"{name} isn't served by the native operator in {dtype}")
    x = torch.tensor(POINTS, dtype=dtype, requires_grad=operator.gradient)
    y = getattr(actfn.torch, name)(x)
    results = {0: y.detach()}
    if operator.gradient:
        (results[1],) = torch.autograd.grad(y.sum(), x)
    kind = str(dtype).rpartition(".")[2]
    for order, got in results.items():
        oracle = Oracle(derivative(entry.expression, order, entry.conventions))
        worst = max(
            (ulps(g, oracle.ball(p, entry.defaults), kind), p)
            for p, g in zip(x.detach().tolist(), got.tolist(), strict=True)
        )
        assert worst[0] <= native.MAX_ULPS[dtype], (order, worst)


def test_it_serves_short_tensors_only_and_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = native.NATIVE["elu"]
    counted = native.Native(lambda *a: calls.append(a) or real.call(*a), real.gradient, real.dtypes)
    monkeypatch.setitem(native.NATIVE, "elu", counted)
    from actfn.torch.functional import function

    elu = function.__wrapped__(catalog.find("elu"))
    elu(torch.ones(3))
    elu(torch.ones(3), 0.5)
    assert len(calls) == 2
    elu(torch.ones(native.LIMIT))
    elu(torch.ones(3).half())
    elu(torch.ones(3), torch.tensor(0.5))
    elu(torch.ones(3), save="output")
    elu(torch.ones(3), accuracy="correct")
    actfn.torch.set_native(False)
    elu(torch.ones(3))
    assert len(calls) == 2


@pytest.mark.parametrize("on", [True, False])
def test_the_one_stated_difference(on: bool) -> None:
    """f''(0) of ELU: 0 with PyTorch's operator, the left limit without."""
    actfn.torch.set_native(on)
    x = torch.zeros(1, requires_grad=True)
    (slope,) = torch.autograd.grad(actfn.torch.elu(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    assert (slope.item(), curvature.item()) == (1.0, 0.0 if on else 1.0)

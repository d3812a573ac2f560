"""Gradients and second gradients of every entry, those of the parameters included, by kernels and in float64."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import actfn.torch
from actfn.definition import Definition
from actfn.torch import function
from tests.entries import EVERY

POINTS = [-2.3, -0.7, 0.41, 1.9]
"""Away from every entry's kinks."""


@pytest.fixture(autouse=True)
def kernels_only() -> Iterator[None]:
    actfn.torch.set_native(False)
    yield
    actfn.torch.set_native(True)


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_gradients(entry: Definition) -> None:
    x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    parameters = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in entry.defaults.values()]
    f = function(entry)
    assert gradcheck(f, (x, *parameters), fast_mode=True)
    assert gradgradcheck(f, (x, *parameters), fast_mode=True)

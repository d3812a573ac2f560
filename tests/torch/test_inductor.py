"""The elementary functions that compiled code is made of, against float64: a sample of every float32, ends and signs; and
what Inductor makes of them."""

from __future__ import annotations

import math
import re
import shutil
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing._internal.two_tensor import TwoTensor

import actfn
from actfn import catalog
from actfn.torch import inductor
from actfn.torch.printed import source

TRUE = {
    "_expm1": torch.expm1,
    "_expm1_below": torch.expm1,
    "_exp_below": torch.exp,
    "_sigmoid": torch.sigmoid,
    "_sigmoid_of_minus": lambda u: torch.sigmoid(-u),
    "_tanh": torch.tanh,
    "_softplus": lambda u: torch.clamp(u, min=0) + torch.log1p(torch.exp(-torch.abs(u))),
    "_erf": torch.erf,
    "_erfc": torch.erfc,
    "_erfc_of_minus_root": lambda u: torch.erfc(-u * math.sqrt(0.5)),
    "_gauss": lambda u: torch.exp(-u * u / 2),
}
BITS = np.arange(0, 2**32, 7919, dtype=np.uint64).astype(np.uint32).view(np.float32)
EVERYWHERE = torch.from_numpy(np.concatenate([BITS, np.linspace(-12, 12, 200_001, dtype=np.float32)]))


compiled = pytest.mark.skipif(shutil.which("gcc") is None, reason="Inductor needs a C++ compiler")
pytestmark = [
    # What PyTorch says of its own code on first use.
    pytest.mark.filterwarnings("ignore:.torch.jit.script.*is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.:FutureWarning"),
]


def check(name: str, x: torch.Tensor, y: torch.Tensor) -> None:
    """Every value is within the bound that the function's docstring states."""
    f = inductor.sigmoid if name == "_sigmoid_of_minus" else inductor.NAMES[name]
    (bound,) = re.findall(r"[Ww]ithin ([\d.]+) ulp", f.__doc__ or "")
    true = TRUE[name](x.double())
    ulp = torch.exp2(torch.frexp(true)[1].clamp(min=-125) - 24.0)
    finite = torch.isfinite(true.float())
    assert ((y.double() - true).abs() / ulp)[finite].max() <= float(bound), name
    assert (y.double() == true.float())[~finite].all(), name


def inside(name: str) -> torch.Tensor:
    """Where a function is made for."""
    x = EVERYWHERE[torch.isfinite(EVERYWHERE)]
    return x[x <= 0] if name.endswith("_below") else x


@pytest.mark.parametrize("name", TRUE)
def test_within_the_stated_bound(name):
    x = inside(name)
    check(name, x, inductor.NAMES[name](x))


@compiled
@pytest.mark.parametrize("name", ["_expm1_below", "_exp_below", "_softplus", "_erfc_of_minus_root"])
def test_within_the_stated_bound_compiled(name):
    """With one rounding for a product and a sum, where Inductor has that."""
    torch._dynamo.reset()
    f: Any = torch.compiler.allow_in_graph(lambda u: inductor.NAMES[name](u))
    x = inside(name)
    check(name, x, torch.compile(f, fullgraph=True)(x))


@compiled
@pytest.mark.parametrize("name", ["elu", "gelu", "sigmoid"])
def test_both_passes_read_the_input_only(name):
    """AOTAutograd would keep for the backward pass what the passes share of these."""
    torch._dynamo.reset()
    x = torch.linspace(-4, 4, 1000, requires_grad=True)
    y = torch.compile(getattr(actfn.torch, name), fullgraph=True)(x)
    assert y.grad_fn is not None
    (kept,) = y.grad_fn.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
    assert kept.data_ptr() == x.data_ptr()


def test_what_is_printed():
    """No guards, and the functions for what is known of an argument."""
    elu, gelu = (source(catalog.find(n), 1, (), inductor.InductorPrinter) for n in ("elu", "gelu"))
    assert "x0 = x\n" in elu
    assert "_exp_below(x0)" in elu
    assert "_gauss(x)" in gelu
    assert "_erfc_of_minus_root(x)" in gelu
    squared = actfn.define("exp(a*x) + exp(-x**2)", a=1.0).definition
    assert "torch.exp(a*x)" in (text := source(squared, 0, (), inductor.InductorPrinter))
    assert "_exp_below(-x**2)" in text


@pytest.mark.parametrize("name", TRUE)
def test_ends(name):
    ends = torch.tensor([math.nan, -math.inf] if name.endswith("_below") else [math.nan, -math.inf, math.inf])
    torch.testing.assert_close(inductor.NAMES[name](ends), TRUE[name](ends), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", ["_expm1", "_expm1_below", "_tanh", "_erf"])
def test_zeros_keep_their_sign(name):
    y = inductor.NAMES[name](torch.tensor([0.0, -0.0]))
    assert (y == 0).all()
    assert torch.signbit(y).tolist() == [False, True]


def test_a_tensor_of_tensors_has_no_bits_of_its_own():
    """A compiled DTensor's view as integers is wrong."""
    x = torch.ones(3)
    assert inductor.serves(x)
    assert not inductor.serves(TwoTensor(x, x))


def test_every_function_is_tested():
    assert inductor.NAMES.keys() == TRUE.keys()

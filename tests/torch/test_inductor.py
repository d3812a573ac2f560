"""The elementary functions that compiled code is made of, against float64: a sample of every float32, ends and signs."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from actfn.torch import inductor

TRUE = {
    "_expm1": torch.expm1,
    "_sigmoid": torch.sigmoid,
    "_sigmoid_of_minus": lambda u: torch.sigmoid(-u),
    "_tanh": torch.tanh,
    "_softplus": lambda u: torch.clamp(u, min=0) + torch.log1p(torch.exp(-torch.abs(u))),
    "_erf": torch.erf,
    "_erfc": torch.erfc,
}
BITS = np.arange(0, 2**32, 7919, dtype=np.uint64).astype(np.uint32).view(np.float32)
EVERYWHERE = torch.from_numpy(np.concatenate([BITS, np.linspace(-12, 12, 200_001, dtype=np.float32)]))


@pytest.mark.parametrize("name", TRUE)
def test_within_the_stated_bound(name):
    f = inductor.NAMES[name]
    (bound,) = re.findall(r"Within ([\d.]+) ulp", (inductor.sigmoid if "minus" in name else f).__doc__ or "")
    x = EVERYWHERE[torch.isfinite(EVERYWHERE)]
    y, true = f(x).double(), TRUE[name](x.double())
    ulp = torch.exp2(torch.frexp(true)[1].clamp(min=-125) - 24.0)
    finite = torch.isfinite(true.float())
    assert ((y - true).abs() / ulp)[finite].max() <= float(bound)
    assert (y == true.float())[~finite].all()


@pytest.mark.parametrize("name", TRUE)
def test_ends(name):
    ends = torch.tensor([math.inf, -math.inf, math.nan])
    torch.testing.assert_close(inductor.NAMES[name](ends), TRUE[name](ends), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", ["_expm1", "_tanh", "_erf"])
def test_zeros_keep_their_sign(name):
    y = inductor.NAMES[name](torch.tensor([0.0, -0.0]))
    assert (y == 0).all()
    assert torch.signbit(y).tolist() == [False, True]


def test_every_function_is_tested():
    assert inductor.NAMES.keys() == TRUE.keys()

"""Gated units as PyTorch functions and modules: torch's GLU, the others by their papers, halves along any dimension."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional as F

import actfn.torch
from actfn import catalog
from actfn.torch import GatedModule, from_config, module

# What torch.func says of torch's own code on first use.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

X = torch.linspace(-3, 3, 48, dtype=torch.float64).reshape(2, 6, 4)
CLASSES = {"glu": "GLU", "bilinear": "BilinearUnit", "reglu": "ReGLU", "geglu": "GEGLU", "swiglu": "SwiGLU"}
PAPERS = {  # Shazeer, arXiv:2002.05202, section 2; GLU with the halves in torch's order
    "glu": lambda a, b: a * torch.sigmoid(b),
    "bilinear": lambda a, b: a * b,
    "reglu": lambda a, b: torch.relu(a) * b,
    "geglu": lambda a, b: F.gelu(a) * b,
    "swiglu": lambda a, b: F.silu(a) * b,
}


def test_every_unit_of_the_catalog_is_here():
    assert set(catalog.gated_units()) == set(CLASSES) == set(PAPERS)


@pytest.mark.parametrize("name", CLASSES)
def test_unit(name):
    kind, function = getattr(actfn.torch, CLASSES[name]), getattr(actfn.torch, name)
    assert {CLASSES[name], name} <= set(dir(actfn.torch))
    assert kind.__name__ == CLASSES[name]
    assert issubclass(kind, GatedModule)
    assert function.__name__ == name
    assert kind.__doc__ is not None
    assert "a*" in kind.__doc__ + (function.__doc__ or "") or "(a)*b" in kind.__doc__
    for dim in (1, 2, -1, -2):
        expected = PAPERS[name](*X.chunk(2, dim))
        torch.testing.assert_close(kind(dim)(X), expected)
        torch.testing.assert_close(function(X, dim), expected)
    torch.testing.assert_close(kind()(X), function(X))
    assert type(module(name)) is kind
    assert repr(from_config({"name": name, "dim": 1})).startswith(f"{CLASSES[name]}(dim=1")
    x = torch.linspace(-1, 1, 8, dtype=torch.float64).reshape(2, 4) + 0.013
    assert gradcheck(kind(), x.requires_grad_(), check_forward_ad=True)
    assert kind()(X.bfloat16()).dtype == torch.bfloat16


def test_glu_is_torchs_own():
    for dim in (-1, 0, 1):
        ours, theirs = actfn.torch.GLU(dim), nn.GLU(dim)
        assert repr(ours) == repr(theirs)
        torch.testing.assert_close(ours(X), theirs(X))
        torch.testing.assert_close(actfn.torch.glu(X, dim), F.glu(X, dim))
    assert repr(actfn.torch.GLU()) == "GLU(dim=-1)"
    assert next(iter(inspect.signature(actfn.torch.GLU).parameters)) == "dim"


@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_parameter_of_the_gate_is_learned(copied):
    own = actfn.torch.SwiGLU(1, beta=2.0, learnable=True, channels=3, dtype=torch.float64)
    assert repr(own) == "SwiGLU(dim=1, beta=2.0, learnable=True, channels=3)"
    assert str(own) == "Activation Function: SwiGLU(dim=1, beta=2.0)"
    first, second = X.chunk(2, 1)
    torch.testing.assert_close(own(X), first * torch.sigmoid(2 * first) * second)
    torch.testing.assert_close(actfn.torch.swiglu(X, 1, beta=2.0), own(X))
    own(X).sum().backward()
    assert own.beta.grad.shape == (3,)
    other = copied(own)
    assert type(other) is type(own)
    assert repr(other) == repr(own)
    assert torch.equal(other(X), own(X))


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (
            lambda: actfn.torch.SwiGLU()(torch.ones(2, 3)),
            RuntimeError,
            "swiglu halves dimension -1, which must be even, not 3",
        ),
        (lambda: actfn.torch.glu(torch.tensor(1.0)), RuntimeError, r"a tensor of shape \(\) has none"),
        (lambda: actfn.torch.glu(torch.ones(2, 2), 2), IndexError, "out of range"),
        (lambda: actfn.torch.GLU()(torch.ones(2).long()), TypeError, r"write glu\(x.float\(\)\)"),
        (lambda: actfn.torch.GLU(inplace=True), TypeError, "GLU has no parameter 'inplace'"),
        (lambda: actfn.torch.ReGLU(beta=1.0), TypeError, "ReGLU has no parameter 'beta'"),
        (lambda: actfn.torch.SwiGLU(learnable=True, channels=4)(X), RuntimeError, "4 channels along dimension 1"),
    ],
)
def test_bad_arguments(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_compiled_whole():
    torch._dynamo.reset()
    own = actfn.torch.SwiGLU(learnable=True, dtype=torch.float64)
    x = X.clone().requires_grad_()
    y = torch.compile(own, backend="aot_eager", fullgraph=True)(x)
    torch.testing.assert_close(y, own(x))
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad(own(x).sum(), x)[0])

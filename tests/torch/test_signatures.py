"""Functions that `torch.nn.functional` has too take its arguments, by its names and in its order, and mean the same."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import actfn
import actfn.torch
from actfn import catalog
from actfn.torch import signatures

X = torch.linspace(-3, 3, 24, dtype=torch.float64).reshape(2, 3, 4)
WEIGHT = torch.tensor([0.1, 0.2, -0.3], dtype=torch.float64)
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("gelu", (), {}),
    ("gelu", (), {"approximate": "none"}),
    ("gelu", (), {"approximate": "tanh"}),
    ("softplus", (2.0,), {}),
    ("softplus", (2.0, 1.0), {}),
    ("softplus", (), {"beta": 3, "threshold": 0}),
    ("softplus", (-2.0, 1.5), {}),
    ("hardtanh", (-0.5, 2.0), {}),
    ("hardtanh", (0.5, 1.0), {}),
    ("hardtanh", (), {"min_val": -2, "max_val": -1}),
    ("threshold", (0.5, -1.0), {}),
    ("threshold", (), {"threshold": 0.1, "value": 20}),
    ("leaky_relu", (0.3,), {}),
    ("leaky_relu", (), {"negative_slope": -0.3}),
    ("elu", (0.5,), {}),
    ("elu", (), {"alpha": -1.5}),
    ("celu", (-0.5,), {}),
    ("celu", (2,), {}),
    ("softshrink", (0.25,), {}),
    ("hardshrink", (), {"lambd": 0.75}),
    ("hardshrink", (-1.0,), {}),
    ("prelu", (WEIGHT,), {}),
    ("prelu", (), {"weight": WEIGHT[:1]}),
    ("rrelu", (0.1, 0.3), {}),
    ("rrelu", (0.1, 0.3, False), {}),
    ("selu", (), {}),
    ("relu6", (), {}),
    ("mish", (), {}),
    ("hardswish", (), {}),
]


@pytest.mark.parametrize(("name", "args", "keywords"), CALLS, ids=lambda v: str(v)[:40])
def test_the_same_as_pytorchs(name, args, keywords):
    results = []
    for f in (getattr(actfn.torch, name), getattr(F, name)):
        x = X.clone().requires_grad_()
        y = f(x, *args, **keywords)
        results.append((y.detach(), torch.autograd.grad(y.sum(), x)[0]))
    torch.testing.assert_close(results[0], results[1], rtol=1e-10, atol=1e-12)
    if not args:
        torch.testing.assert_close(getattr(actfn.torch, name)(input=X, **keywords), results[0][0])


INPLACE = [name for name, row in signatures.SIGNATURES.items() if row.inplace]


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_follows_the_parameters_by_position(name):
    parameters = tuple(catalog.find(name).defaults.values())
    extra = tuple(signatures.SIGNATURES[name].extra.values())
    x = X.clone()
    expected = getattr(F, name)(X, *parameters)
    assert getattr(actfn.torch, name)(x, *parameters, *extra, True) is x
    torch.testing.assert_close(x, expected)


@pytest.mark.parametrize("name", signatures.SIGNATURES)
def test_arguments_are_named_as_pytorchs(name):
    ours = inspect.signature(getattr(actfn.torch, name)).parameters
    try:
        theirs = inspect.signature(getattr(F, name)).parameters
    except ValueError:  # a builtin, which doesn't say
        assert next(iter(ours)) == "input"
        return
    positional = [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)
    for n, p in theirs.items():
        assert p.default in (inspect.Parameter.empty, ours[n].default) or math.isclose(p.default, ours[n].default), n


def test_softplus_cuts_off_only_where_it_is_told_to():
    x = torch.tensor([20.5, 30.0], dtype=torch.float64)
    assert (F.softplus(x) == x).all()
    assert (actfn.torch.softplus(x) > x).all()
    assert (actfn.torch.softplus(x, threshold=20) > x).all()
    assert (actfn.torch.softplus(x, threshold=19.0) == x).all()
    y = actfn.torch.softplus(x.clone(), 1.0, 19.0, inplace=True)
    assert (y == x).all()


def test_rrelu_draws_a_slope_for_each_element():
    x = -torch.ones(10_000, requires_grad=True)
    y = actfn.torch.rrelu(x, 0.2, 0.4, True)
    (slopes,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(slopes, -y.detach())
    assert 0.2 <= slopes.min() < 0.21
    assert 0.39 < slopes.max() <= 0.4
    assert slopes.mean().item() == pytest.approx(0.3, abs=0.01)
    assert (actfn.torch.rrelu(-x, 0.2, 0.4, training=True) == 1).all()


def test_prelu_weights_run_along_dimension_1():
    for shape in ((2, 3), (2, 3, 1), (4, 3, 2, 2)):
        x = torch.randn(shape, dtype=torch.float64)
        weight = WEIGHT.clone().requires_grad_()
        other = WEIGHT.clone().requires_grad_()
        actfn.torch.prelu(x, weight).sum().backward()
        F.prelu(x, other).sum().backward()
        torch.testing.assert_close(weight.grad, other.grad)


@pytest.mark.parametrize(
    ("name", "args", "keywords", "error", "says"),
    [
        ("gelu", (), {"approximate": "erf"}, RuntimeError, "approximate is 'none' or 'tanh', not 'erf'"),
        ("softplus", (), {"threshold": "high"}, TypeError, "threshold is a number, not 'high'"),
        ("softplus", (0.0,), {}, ValueError, "beta = 0.0 is outside its domain"),
        ("hardtanh", (1.0, -1.0), {}, ValueError, "write them the other way round"),
        ("rrelu", (0.4, 0.2), {}, ValueError, "write them the other way round"),
        ("celu", (0.0,), {}, ValueError, "outside its domain"),
        ("prelu", (torch.ones(4),), {}, RuntimeError, "4 weights for 3 channels; write one for each, or one"),
        ("elu", (1.0, "yes"), {}, TypeError, "inplace is True or False, not 'yes'"),
        ("relu", (), {"in_place": True}, TypeError, "unexpected keyword argument 'in_place'"),
        ("softshrink", (-0.5,), {}, ValueError, "lambd = -0.5 is outside its domain, nonnegative"),
    ],
)
def test_mistakes(name, args, keywords, error, says):
    with pytest.raises(error, match=says):
        getattr(actfn.torch, name)(X, *args, **keywords)


def test_a_formula_of_ones_own_is_not_an_entry():
    other = actfn.define("max(2*x, 0)", name="relu")
    assert next(iter(inspect.signature(actfn.torch.function(other.definition)).parameters)) == "x"


def test_torch_fx_takes_functions_as_steps():
    graph = torch.fx.symbolic_trace(lambda v: actfn.torch.elu(v * 2, 0.5))
    assert [node.op for node in graph.graph.nodes] == ["placeholder", "call_function", "call_function", "output"]
    torch.testing.assert_close(graph(X), actfn.torch.elu(2 * X, 0.5))

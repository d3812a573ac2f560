"""`init_`: which gain each layer gets, how that was found, and that the signal keeps its size through many layers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import actfn.torch
from actfn.torch import ELU, init_, module
from actfn.torch.initialize import fans

GAINS = {
    "elu": 1 / math.sqrt(0.64494541749292386306),
    "relu": math.sqrt(2.0),
    "tanh": 1.5925,
    "sigmoid": 1.8462,
    "selu": 1.0,
    "": 1.0,
}
"""FACTS of the field: E[ELU^2] and the two that `calculate_gain` has otherwise, to the digits that are known by other means."""


class Net(nn.Module):
    """Functions, a norm between layer and activation, a sum, a layer at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.inner = nn.Sequential(nn.Conv2d(8, 8, 1), nn.Identity(), ELU())
        self.up = nn.ConvTranspose2d(8, 6, 4, stride=2)
        self.gate = actfn.torch.GLU(1)
        self.head = nn.Linear(3, 2)
        self.last = nn.Linear(2, 2)
        self.unused = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(self.conv(x)))
        x = self.gate(self.up(self.inner(x) + x))
        return self.last(F.leaky_relu(self.head(x.mean((2, 3))), 0.5))


def names(layers) -> dict[str, tuple[str, str]]:
    return {x.name: (x.activation, x.how) for x in layers}


@pytest.mark.parametrize("name", GAINS)
def test_the_gain_is_the_certified_one(name):
    layers = [nn.Linear(8, 4)] + ([module(name)] if name else [])
    (layer,) = init_(nn.Sequential(*layers))
    assert layer.gain == pytest.approx(GAINS[name], abs=5e-5 if name in ("tanh", "sigmoid") else 1e-14)
    assert layer.std == pytest.approx(layer.gain / math.sqrt(8))


def test_traced():
    found = names(init_(Net()))
    assert found == {
        "conv": ("relu", "traced"),
        "inner.0": ("elu", "traced"),
        "up": ("sigmoid", "traced"),
        "head": ("leaky_relu", "traced"),
        "last": ("", "traced: none"),
        "unused": ("", "not called when traced"),
    }
    before = names(init_(Net(), by="preceding"))
    assert {n: a for n, (a, _) in before.items()} == {
        "conv": "",
        "inner.0": "relu",
        "up": "elu",
        "head": "sigmoid",
        "last": "leaky_relu",
        "unused": "",
    }


def test_the_gain_is_at_the_activations_own_parameters():
    model = nn.Sequential(
        nn.Linear(2, 2),
        nn.LeakyReLU(0.5),
        nn.Linear(2, 2),
        nn.PReLU(3, 0.5),
        nn.Linear(2, 2),
        module("where(x > 0, x, a*x)", a=0.5, learnable=True, channels=2),
        nn.Linear(2, 2),
        nn.CELU(-1.0),
        nn.Linear(2, 2),
        module("a/x", a=1.0),
    )
    *known, negative, singular = init_(model)
    assert [x.gain for x in known] == pytest.approx([math.sqrt(2 / 1.25)] * 3, rel=1e-14)
    assert (negative.gain, singular.gain) == (1.0, 1.0)
    assert "its gain is unknown" in singular.how
    assert "its gain is unknown" in negative.how


class Deciding(nn.Module):
    """torch.fx can't trace it."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        for i, part in enumerate(parts):
            self.add_module(f"p{i}", part)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in self.children():
            x = part(x) if x.sum() > 0 else x
        return x


def test_what_cannot_be_traced_goes_by_the_order_of_registration():
    model = Deciding(
        nn.Linear(2, 2),
        nn.Dropout(),
        nn.ReLU(),
        nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)),
        ELU(),
        nn.Linear(2, 2),
    )
    assert names(init_(model)) == {
        "p0": ("relu", "order of registration"),
        "p3.0": ("elu", "order of registration"),
        "p5": ("", "none in reach"),
    }
    assert names(init_(model, activation="tanh"))["p5"] == ("tanh", "by argument")
    assert names(init_(model, by="preceding")) == {
        "p0": ("", "none in reach"),
        "p3.0": ("relu", "order of registration"),
        "p5": ("elu", "order of registration"),
    }


@pytest.mark.parametrize(
    ("activation", "name"),
    [("gelu", "gelu"), (nn.SiLU(), "silu"), (F.elu, "elu")],
    ids=lambda a: getattr(a, "__name__", str(a)),
)
def test_transformers_name_theirs(activation, name):
    model = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 16, activation=activation), 1, enable_nested_tensor=False
    )
    assert names(init_(model)) == {
        "layers.0.self_attn.out_proj": ("", "by name"),
        "layers.0.linear1": (name, "by name"),
        "layers.0.linear2": ("", "by name"),
    }


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("name", ["elu", "tanh", "selu", "x*exp(-x**2/2) + 0.25"])
def test_fifty_layers_keep_the_size_of_the_signal(name, distribution):
    torch.manual_seed(0)
    parts = [part for _ in range(50) for part in (nn.Linear(256, 256, bias=False), module(name))]
    model = nn.Sequential(*parts)
    init_(model, by="preceding", distribution=distribution, generator=torch.Generator().manual_seed(4))
    x = torch.randn(64, 256)
    with torch.no_grad():
        sizes = [x.square().mean().item()]
        for part in model:
            x = part(x)
            if isinstance(part, nn.Linear):
                sizes.append(x.square().mean().item())
    # Every pre-activation's mean square would be 1 in a layer without end; 256 units let it wander.
    assert 0.2 < min(sizes) <= max(sizes) < 5


def test_modes_biases_and_repeatability():
    model = nn.Sequential(nn.Linear(400, 100), nn.ReLU())
    before = torch.random.get_rng_state()
    (layer,) = init_(model, generator=torch.Generator().manual_seed(1))
    first = model[0].weight.detach().clone()
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.std().item() == pytest.approx(layer.std, rel=0.02)
    assert layer.std == pytest.approx(math.sqrt(2 / 400))
    assert (model[0].bias == 0).all()
    assert model[0].weight.requires_grad
    assert model[0].weight.grad_fn is None
    (layer,) = init_(model, mode="fan_out", distribution="uniform")
    assert layer.std == pytest.approx(math.sqrt(2 / 100))
    assert model[0].weight.std().item() == pytest.approx(layer.std, rel=0.02)
    assert model[0].weight.abs().max() <= math.sqrt(3) * layer.std
    init_(model, generator=torch.Generator().manual_seed(1))
    assert torch.equal(model[0].weight, first)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(6, 4),
        nn.Conv1d(6, 4, 3),
        nn.Conv2d(6, 4, (3, 2), stride=(1, 2), groups=2),
        nn.Conv3d(2, 4, 2),
        nn.ConvTranspose1d(6, 4, 4, stride=2),
        nn.ConvTranspose2d(6, 4, 4, stride=2, groups=2),
        nn.ConvTranspose3d(4, 2, 2, stride=2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_fans_count_what_is_summed(layer):
    """Ones for weights and input: an output away from the edges is the number of its summands."""
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)
    convolved = not isinstance(layer, nn.Linear)
    shape = (1, layer.in_channels, *[12] * (layer.weight.dim() - 2)) if convolved else (1, 6)
    x = torch.ones(shape, requires_grad=True)
    y = layer(x)
    middle = (slice(None), slice(None), *[slice(4, 8)] * (x.dim() - 2))
    y.sum().backward()
    assert fans(layer) == (y[middle].mean().item(), x.grad[middle].mean().item())


def test_what_is_left_is_said():
    shared = nn.Linear(2, 2)
    tied = nn.Linear(2, 2)
    tied.weight = shared.weight
    computed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    model = nn.Sequential(shared, nn.ReLU(), tied, computed, nn.LazyLinear(3))
    result = init_(model)
    assert [(x.name, x.std is None, x.how) for x in result][1:] == [
        ("2", True, "left: its weight is that of 0"),
        ("3", True, "left: its weight is computed from something else"),
        ("4", True, "left: it has no shape yet; call the model once"),
    ]


def test_the_table_is_at_most_80_columns_wide():
    result = init_(nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 2)))
    lines = str(result).splitlines()
    assert lines[0].split() == ["layer", "activation", "gain", "std", "how"]
    assert lines[2].split() == ["0.0", "relu", "1.41421", "1", "traced"]
    long = nn.Sequential(nn.Linear(2, 2))
    for _ in range(9):
        long = nn.ModuleDict({"a_long_name": long})
    assert max(map(len, str(init_(long)).splitlines())) == 80
    assert len(result) == 2
    assert str(init_(nn.ReLU())) == "no Linear, convolution or transposed convolution was found"
    assert "(the model)" in str(init_(nn.Linear(2, 2)))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: init_(F.relu), TypeError, "init_ takes a torch.nn.Module, not function"),
        (lambda: init_(Net(), by="after"), ValueError, "by is 'following' or 'preceding', not 'after'"),
        (lambda: init_(Net(), mode="fan"), ValueError, "mode is 'fan_in' or 'fan_out', not 'fan'"),
        (
            lambda: init_(Net(), distribution="cauchy"),
            ValueError,
            "distribution is 'normal' or 'uniform', not 'cauchy'",
        ),
        (lambda: init_(Net(), activation="rely"), LookupError, "did you mean relu"),
        (lambda: init_(Net(), activation=nn.Linear(2, 2)), ValueError, "is no activation that is known"),
    ],
)
def test_bad_arguments(call, error, says):
    with pytest.raises(error, match=says):
        call()

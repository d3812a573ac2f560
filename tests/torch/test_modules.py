"""Activations as PyTorch modules: how they print, what they take, and that they can be kept, copied and learned."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from torch import nn

import actfn
import actfn.torch
from actfn import catalog
from actfn.torch import ELU, ActivationModule, elu, module

X = torch.tensor([-2.0, -0.5, -0.0, 0.5, 2.0])
FORMULA = "where(x > theta, x, a*tanh(x))"

OF_TORCH = ["ELU", "ReLU", "LeakyReLU", "CELU", "SELU", "Sigmoid", "Tanh", "SiLU", "Softplus"]


@pytest.mark.parametrize("name", OF_TORCH)
def test_repr_is_torchs_own(name):
    ours, theirs = getattr(actfn.torch, name)(), getattr(nn, name)()
    # torch's Softplus switches to the identity at a threshold, and prints it; ours needs none.
    assert repr(ours) == repr(theirs).replace(", threshold=20.0", "")
    assert repr(nn.Sequential(nn.Linear(2, 3), ours)) == repr(nn.Sequential(nn.Linear(2, 3), theirs)).replace(
        ", threshold=20.0", ""
    )


@pytest.mark.parametrize("name", OF_TORCH)
def test_values_are_torchs_own(name):
    ours, theirs = getattr(actfn.torch, name)(), getattr(nn, name)()
    torch.testing.assert_close(ours(X), theirs(X))


def test_str_is_the_cards():
    assert str(ELU()) == "Activation Function: ELU()"
    assert str(ELU(1.0)) == "Activation Function: ELU()"
    assert str(ELU(0.5)) == "Activation Function: ELU(alpha=0.5)"
    assert f"{ELU(alpha=2)}" == "Activation Function: ELU(alpha=2.0)"
    assert str(actfn.torch.LeakyReLU(0.01)) == "Activation Function: LeakyReLU()"
    assert str(actfn.torch.BipolarSigmoid()) == "Activation Function: BipolarSigmoid()"


@pytest.mark.parametrize("entry", catalog.entries().values(), ids=lambda entry: entry.name)
def test_every_entry_has_a_module(entry):
    own = module(entry.name)
    name = type(own).__name__
    assert getattr(actfn.torch, name) is type(own)
    assert name in dir(actfn.torch)
    assert entry.name in dir(actfn.torch)
    assert isinstance(own, ActivationModule)
    assert str(own) == f"Activation Function: {name}()"
    assert repr(own) == f"{name}({', '.join(f'{p.name}={p.default}' for p in entry.parameters)})"
    assert entry.formula in (type(own).__doc__ or "")
    assert torch.equal(own(X), getattr(actfn.torch, entry.name)(X))
    assert own(X.double()).dtype == torch.float64


def test_parameters():
    assert torch.equal(ELU(0.5)(X), elu(X, 0.5))
    assert torch.equal(ELU(alpha=0.5)(X), elu(X, 0.5))
    assert ELU(0.5).alpha == 0.5
    changed = ELU()
    changed.alpha = -2.0
    assert torch.equal(changed(X), elu(X, -2.0))
    assert repr(changed) == "ELU(alpha=-2.0)"
    assert list(ELU().parameters()) == []
    assert ELU().state_dict() == {}


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: ELU(beta=1.0), ValueError, "elu has no parameter 'beta'; its parameters: alpha"),
        (lambda: ELU(1.0, alpha=2.0), TypeError, "ELU: parameter 'alpha' was given twice"),
        (lambda: ELU(1.0, 2.0), TypeError, "ELU takes 1 parameters; 2 were given"),
        (lambda: ELU(math.nan), ValueError, "outside its domain"),
        (lambda: ELU(beta=torch.tensor(1.0)), ValueError, "no parameter 'beta'"),
        (lambda: actfn.torch.CELU(-1.0), ValueError, "alpha = -1.0 is outside its domain, positive"),
        (lambda: module("elv"), LookupError, "did you mean elu"),
        (lambda: module("x^2"), actfn.FormulaError, "write \\*\\*"),
        (lambda: module("a*x"), actfn.FormulaError, "as in a=1.0"),
        (lambda: module("lambda"), actfn.FormulaError, "lambda"),
        (lambda: module("training*x", training=1.0), ValueError, "a module has a 'training' of its own"),
        (lambda: module("values*x", values=1.0), ValueError, "such as values_1"),
        (lambda: actfn.torch.ELV, AttributeError, "no function or module 'ELV'"),
    ],
)
def test_bad_arguments(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_a_module_of_a_formula():
    own = module(FORMULA, a=2.0, theta=-1.0)
    torch.testing.assert_close(own(X), torch.where(X > -1, X, 2 * torch.tanh(X)))
    assert repr(own) == f"Formula({FORMULA!r}, a=2.0, theta=-1.0)"
    assert str(own) == "Activation Function: Formula()"
    own.theta = 1.0  # type: ignore[assignment]
    assert str(own) == "Activation Function: Formula(theta=1.0)"
    torch.testing.assert_close(own(X), torch.where(X > 1, X, 2 * torch.tanh(X)))
    assert repr(module("x")) == "Formula('x')"
    assert torch.equal(module("x")(X), X)
    assert type(module("elu", alpha=0.5)) is ELU


def test_two_formulas_do_not_mix():
    first, second = module("x*a", a=2.0), module("x + a", a=2.0)
    assert first(X).tolist() == (2 * X).tolist()
    assert second(X).tolist() == (X + 2).tolist()


@pytest.mark.parametrize(
    "make",
    [
        ELU,
        lambda: ELU(0.5),
        actfn.torch.SiLU,
        lambda: module(FORMULA, a=2.0, theta=-1.0),
        lambda: ELU(nn.Parameter(torch.tensor([0.5, 1.0, 2.0, 3.0, 4.0]))),
        lambda: nn.Sequential(nn.Linear(5, 5), module("x*sigmoid(b*x)", b=1.5), ELU(2.0)),
    ],
    ids=["ELU", "ELU(0.5)", "SiLU", "formula", "learnable", "model"],
)
@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_kept_and_copied(make, copied):
    own = make()
    own(X)  # nothing that a call leaves behind is in the way
    other = copied(own)
    assert type(other) is type(own)
    assert repr(other) == repr(own)
    assert str(other) == str(own)
    assert torch.equal(other(X), own(X))
    assert [p.tolist() for p in other.parameters()] == [p.tolist() for p in own.parameters()]


def test_saved_by_torch(tmp_path):
    torch.save(nn.Sequential(ELU(0.5), module("x*a", a=2.0)), tmp_path / "model.pt")
    own = torch.load(tmp_path / "model.pt", weights_only=False)
    torch.testing.assert_close(own(X), 2 * elu(X, 0.5))


@pytest.mark.parametrize("shape", [(), (5,), (3, 1)], ids=str)
def test_a_parameter_of_a_module_is_learned(shape):
    own = ELU(alpha=nn.Parameter(torch.full(shape, 0.5)))
    assert [name for name, _ in own.named_parameters()] == ["alpha"]
    assert list(own.state_dict()) == ["alpha"]
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
    before = own(X)
    (own(X) ** 2).sum().backward()
    optimizer.step()
    assert (own.alpha < 0.5).any()
    assert not torch.equal(own(X), before)
    shown = f"{own.alpha.item()}" if shape == () else f"tensor of shape {shape}"
    assert repr(own) == f"ELU(alpha={shown})"
    assert str(own) == f"Activation Function: ELU(alpha={shown})"


def test_a_number_becomes_learnable():
    own = module("x*sigmoid(b*x)", b=1.0)
    own.b = nn.Parameter(torch.tensor(1.0))
    own(X).sum().backward()
    assert own.b.grad is not None
    learned = module("x*sigmoid(b*x)", b=nn.Parameter(torch.tensor(1.0)))
    learned(X).sum().backward()
    assert [p.grad for p in learned.parameters()] == [p.grad for p in own.parameters()]


def test_another_tensor_is_a_buffer():
    alpha = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])
    own = ELU(alpha)
    assert list(own.parameters()) == []
    assert list(own.state_dict()) == ["alpha"]
    assert torch.equal(own(X), elu(X, alpha))
    assert own.double().alpha.dtype == torch.float64
    assert own(X.double()).dtype == torch.float64


def test_inside_a_model_that_is_trained():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 16), ELU(), nn.Linear(16, 1))
    x = torch.linspace(-2, 2, 64).unsqueeze(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = ((model(x) - x.abs()) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10


@pytest.mark.parametrize("make", [lambda: ELU(0.5), lambda: module(FORMULA, a=2.0, theta=-1.0)], ids=["ELU", "formula"])
def test_compiled_whole(make):
    torch._dynamo.reset()
    own = make()
    compiled = torch.compile(own, backend="aot_eager", fullgraph=True)
    x = torch.tensor([-1000.0, -100.0, -1.0, 0.5, 100.0, 1000.0], requires_grad=True)
    y = compiled(x)
    torch.testing.assert_close(y, own(x))
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()

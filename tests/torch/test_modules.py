"""Activations as PyTorch modules: how they print, what they take, and that they can be kept, copied and learned."""

from __future__ import annotations

import copy
import inspect
import math
import pickle

import pytest
import torch
from torch import nn

import actfn
import actfn.torch
from actfn import catalog
from actfn.torch import ELU, ActivationModule, elu, from_config, module


class Aside(torch.Tensor):
    """A tensor that kernels don't take: the printed expression serves, and nothing has to be compiled."""


X = torch.tensor([-2.0, -0.5, -0.0, 0.5, 2.0]).as_subclass(Aside)


FORMULA = "where(x > theta, x, a*tanh(x))"

OF_TORCH = [  # the class, and the arguments of it that are tried beside none
    ("CELU", [(0.5,), (-1.5,), (2.0, True)]),
    ("ELU", [(0.5,), (-1.0,), (0.0,), (2.0, True)]),
    ("GELU", [("none",), ("tanh",)]),
    ("Hardshrink", [(0.25,), (-1.0,)]),
    ("Hardsigmoid", []),
    ("Hardswish", []),
    ("Hardtanh", [(-0.5, 0.25), (0.25, 1.5), (-2.0, -1.0, True)]),
    ("LeakyReLU", [(0.2,), (-0.5, True)]),
    ("LogSigmoid", []),
    ("Mish", [(True,)]),
    ("PReLU", [(1, 0.5)]),
    ("RReLU", [(0.1, 0.2), (0.3, 0.3, True)]),
    ("ReLU", [(True,)]),
    ("ReLU6", [(True,)]),
    ("SELU", [(True,)]),
    ("SiLU", [(True,)]),
    ("Sigmoid", []),
    ("Softplus", [(2.0,), (0.5, 1.0), (-1.0, 3.1)]),
    ("Softshrink", [(0.25,)]),
    ("Softsign", []),
    ("Tanh", []),
    ("Tanhshrink", []),
    ("Threshold", [(0.5, -1.0), (-0.25, 3.0, True)]),
]
CASES = [(name, args) for name, several in OF_TORCH for args in ([()] if name != "Threshold" else []) + several]


@pytest.mark.parametrize(("name", "args"), CASES, ids=str)
def test_arguments_repr_and_values_are_torchs_own(name, args):
    ours, theirs = getattr(actfn.torch, name)(*args).eval(), getattr(nn, name)(*args).eval()
    assert repr(ours) == repr(theirs)
    assert repr(nn.Sequential(nn.Linear(2, 3), ours)) == repr(nn.Sequential(nn.Linear(2, 3), theirs))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert getattr(ours, "inplace", False) == getattr(theirs, "inplace", False)
    ours, theirs = ours.double(), theirs.double()
    x = torch.linspace(-6, 6, 49, dtype=torch.float64).reshape(7, 7)
    x[3, 3] = 0.0
    given = [x.clone().as_subclass(Aside), x.clone()]
    torch.testing.assert_close(ours(given[0]), theirs(given[1]))
    assert torch.equal(given[0], x) != ours.inplace
    theirs.inplace = ours.inplace = False  # so that a leaf may be given
    slopes = []
    for own, kind in ((ours, Aside), (theirs, torch.Tensor)):
        leaf = x.clone().as_subclass(kind).requires_grad_()
        own(leaf).sum().backward()
        slopes.append(leaf.grad)
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize(("name", "args"), CASES, ids=str)
def test_arguments_by_torchs_names(name, args):
    names = list(inspect.signature(getattr(nn, name).__init__).parameters)[1:]
    ours = getattr(actfn.torch, name)
    assert list(inspect.signature(ours).parameters)[: len(args)] == names[: len(args)]
    assert repr(ours(**dict(zip(names, args, strict=False)))) == repr(ours(*args))


def test_softplus_is_exact_at_torchs_threshold():
    x = torch.tensor([20.5], dtype=torch.float64).as_subclass(Aside)
    assert actfn.torch.Softplus()(x).item() == 20.5 + math.log1p(math.exp(-20.5))
    assert actfn.torch.Softplus(threshold=20.25)(x).item() == 20.5
    assert actfn.torch.Softplus(threshold=math.inf)(2 * x).item() == 41.0


def test_relu_with_random_slopes():
    own = actfn.torch.RReLU(0.1, 0.3)
    x = torch.cat([-torch.ones(20_000), torch.tensor([2.0, 0.0])]).as_subclass(Aside).requires_grad_()
    torch.manual_seed(3)
    y = own(x)
    drawn = -y[:-2].detach()
    assert ((drawn >= 0.1) & (drawn <= 0.3)).all()
    assert abs(drawn.mean() - 0.2) < 0.003
    assert abs(drawn.var() - 0.2**2 / 12) < 2e-4
    assert y[-2:].tolist() == [2.0, 0.0]
    y.sum().backward()
    assert torch.equal(x.grad[:-2], drawn)
    assert not torch.equal(own(x), y)
    torch.manual_seed(3)
    assert torch.equal(own(x), y)
    own.eval()
    assert torch.equal(own(x), own(x))
    torch.testing.assert_close(own(x)[0].item(), -0.2)
    assert actfn.torch.RReLU(inplace=True)(X.half()).dtype == torch.float16


def test_the_bounds_of_a_random_slope_are_learned():
    own = actfn.torch.RReLU(learnable=True)
    own(X).sum().backward()
    low, high = (p.grad.item() for p in own.parameters())
    torch.testing.assert_close(low + high, -2.5)
    assert low != high


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
    if name not in dir(nn):  # `test_arguments_repr_and_values_are_torchs_own` has those
        assert repr(own) == f"{name}({', '.join(f'{p.name}={p.default}' for p in entry.parameters)})"
    assert entry.formula in (type(own).__doc__ or "")
    x = X
    y = own.eval()(x)
    assert torch.equal(y, getattr(actfn.torch, entry.name)(x))
    assert torch.equal(module(entry.name, inplace=True).eval()(x.clone()), y)
    if entry.parameters:
        learned = module(entry.name, learnable=True, channels=2).eval()
        assert [p.shape for p in learned.parameters()] == [(2,)] * len(entry.parameters)
        assert len(learned.state_dict()) == len(entry.parameters)
        torch.testing.assert_close(learned(torch.stack([x, x]).T), torch.stack([y, y]).T)


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
        (lambda: ELU(beta=1.0), TypeError, "ELU has no parameter 'beta'; its parameters: alpha, inplace"),
        (
            lambda: ELU(1.0, alpha=2.0),
            TypeError,
            r"ELU: multiple values for argument 'alpha'; its arguments: \(alpha=1.0",
        ),
        (lambda: ELU(1.0, 2.0), TypeError, "ELU: inplace is True or False, not 2.0"),
        (lambda: ELU(1.0, True, 3.0), TypeError, "ELU: too many positional arguments"),
        (lambda: ELU(learnable="beta"), ValueError, "no parameter 'beta' to learn; its parameters: alpha"),
        (lambda: ELU(channels=3), ValueError, "channels=3 is for learnable parameters; write learnable=True"),
        (lambda: ELU(learnable=True, channels=0), ValueError, "channels is a whole number from 1, not 0"),
        (
            lambda: ELU(learnable=True, channels=3)(X[None]),
            RuntimeError,
            "3 channels along dimension 1.*write channels=5",
        ),
        (lambda: ELU(learnable=True, channels=3)(X), RuntimeError, "3 channels along dimension 1"),
        (lambda: ELU(save="all"), ValueError, "save is 'input' or 'output', not 'all'"),
        (lambda: ELU(accuracy="best"), ValueError, "accuracy is 'fast' or 'correct', not 'best'"),
        (lambda: actfn.torch.GELU(save="output"), ValueError, "gelu: it isn't shown that"),
        (lambda: actfn.torch.GELU("tan"), ValueError, "approximate is 'none' or 'tanh', not 'tan'"),
        (lambda: actfn.torch.Hardtanh(1, -1), ValueError, "Hardtanh: min_val = 1.0 is above max_val = -1.0"),
        (lambda: actfn.torch.RReLU(0.5, 0.1), ValueError, "lower = 0.5 is above upper = 0.1"),
        (lambda: ELU()(torch.arange(3)), TypeError, r"write elu\(x.float\(\)\)"),
        (lambda: ELU(inplace=True)(X.clone().requires_grad_()), RuntimeError, "write inplace=False"),
        (lambda: ELU(math.nan), ValueError, "outside its domain"),
        (lambda: ELU(beta=torch.tensor(1.0)), TypeError, "no parameter 'beta'"),
        (lambda: actfn.torch.CELU(0.0), ValueError, "alpha = 0.0 is outside its domain, nonzero"),
        (lambda: module("elv"), LookupError, "did you mean elu"),
        (lambda: module("x^2"), actfn.FormulaError, "write \\*\\*"),
        (lambda: module("a*x"), actfn.FormulaError, "as in a=1.0"),
        (lambda: module("lambda"), actfn.FormulaError, "lambda"),
        (lambda: module("training*x", training=1.0), ValueError, "a module has a 'training' of its own"),
        (lambda: module("values*x", values=1.0), ValueError, "such as values_1"),
        (lambda: module("save*x", save=1.0), actfn.FormulaError, "unknown name 'save'"),
        (lambda: module(3), TypeError, "a name or a formula"),
        (lambda: from_config({"alpha": 1.0}), ValueError, 'either "name" or "formula"'),
        (lambda: from_config({"name": "elu", "formula": "x"}), ValueError, 'either "name" or "formula"'),
        (lambda: from_config(3), TypeError, "a config is a name or a mapping"),
        (lambda: from_config(ELU(), alpha=2.0), TypeError, "give its arguments there, not alpha="),
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
        lambda: actfn.torch.GELU("tanh"),
        lambda: actfn.torch.Softplus(2.0, threshold=0.5),
        lambda: module(FORMULA, a=2.0, theta=-1.0, learnable="a", channels=5, channel_dim=-1),
        lambda: ELU(save="output"),
    ],
    ids=["ELU", "ELU(0.5)", "SiLU", "formula", "tensor", "model", "GELU", "Softplus", "channels", "output"],
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


@pytest.mark.parametrize(
    ("make", "shown", "shapes"),
    [
        (lambda: ELU(learnable=True), "ELU(alpha=1.0, learnable=True)", {"alpha": (1,)}),
        (
            lambda: ELU(0.5, learnable="alpha", channels=3),
            "ELU(alpha=0.5, learnable=True, channels=3)",
            {"alpha": (3,)},
        ),
        (
            lambda: module(FORMULA, a=2.0, theta=0.5, learnable=("a",), channels=3),
            f"Formula({FORMULA!r}, a=2.0, theta=0.5, learnable=('a',), channels=3)",
            {"a": (3,)},
        ),
        (
            lambda: module(FORMULA, a=2.0, theta=0.5, learnable=True, channels=4, channel_dim=-1),
            f"Formula({FORMULA!r}, a=2.0, theta=0.5, learnable=True, channels=4, channel_dim=-1)",
            {"a": (4,), "theta": (4,)},
        ),
        (lambda: actfn.torch.PReLU(3), "PReLU(num_parameters=3)", {"weight": (3,)}),
    ],
)
def test_learnable(make, shown, shapes):
    own = make()
    assert repr(own) == shown
    assert {n: tuple(p.shape) for n, p in own.named_parameters()} == shapes
    assert {n: tuple(p.shape) for n, p in own.state_dict().items()} == shapes
    before = copy.deepcopy(own)
    x = torch.linspace(-3, 3, 24).reshape(2, 3, 4).as_subclass(Aside)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
    loss = own(x).square().mean()
    loss.backward()
    optimizer.step()
    assert own(x).square().mean() < loss
    other = make()
    other.load_state_dict(own.state_dict())
    assert torch.equal(other(x), own(x))
    own.reset_parameters()
    assert torch.equal(own(x), before(x))
    assert own.bfloat16()(x.bfloat16()).dtype == torch.bfloat16
    assert all(p.dtype == torch.bfloat16 for p in own.parameters())
    with torch.device("meta"):
        assert repr(make()) == shown


def test_channels_run_along_their_dimension():
    x = torch.linspace(-3, 3, 24).reshape(2, 3, 4).as_subclass(Aside)
    for dim, size in ((0, 2), (1, 3), (2, 4), (-1, 4), (-2, 3)):
        own = ELU(learnable=True, channels=size, channel_dim=dim)
        values = torch.arange(1.0, size + 1)
        own.load_state_dict({"alpha": values})
        parts = [elu(part, float(a)) for part, a in zip(x.unbind(dim), values, strict=True)]
        torch.testing.assert_close(own(x), torch.stack(parts, dim))
    theirs, ours = nn.PReLU(3), actfn.torch.PReLU(3)
    theirs.load_state_dict({"weight": torch.tensor([0.1, 0.2, -0.3])})
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))


def test_one_learned_parameter_keeps_the_shape_of_x():
    for shape in ((), (0,), (1,), (2, 3)):
        assert ELU(learnable=True)(torch.full(shape, -1.0).as_subclass(Aside)).shape == shape


def test_options():
    x = X.as_subclass(torch.Tensor).clone().requires_grad_()  # kernels only
    for own in (ELU(save="output"), ELU(save="output", accuracy="correct")):
        y = own(x)
        (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        torch.testing.assert_close(slope.detach(), torch.where(X > 0, 1.0, X.exp()))
        with pytest.raises(RuntimeError, match="write save='input'"):
            slope.sum().backward()
    assert repr(own) == "ELU(alpha=1.0, save='output', accuracy='correct')"
    changed = X.clone()
    assert ELU(inplace=True)(changed) is changed
    assert torch.equal(changed, elu(X))


def test_from_config():
    assert torch.equal(from_config("elu", alpha=0.5)(X), elu(X, 0.5))
    assert repr(from_config({"name": "elu", "alpha": 0.5, "inplace": True})) == "ELU(alpha=0.5, inplace=True)"
    assert repr(from_config({"name": "elu", "alpha": 0.5}, alpha=2.0)) == "ELU(alpha=2.0)"
    assert repr(from_config({"name": "nn.SiLU"})) == "SiLU()"
    assert repr(from_config({"name": "swiglu", "dim": 1})) == "SwiGLU(dim=1, beta=1.0)"
    assert repr(from_config({"formula": "x*sigmoid(b*x)", "b": 2.0, "learnable": True})) == (
        "Formula('x*sigmoid(b*x)', b=2.0, learnable=True)"
    )
    config = {"name": "elu"}
    from_config(config, alpha=3.0)
    assert config == {"name": "elu"}
    assert from_config(own := ELU()) is own


def test_what_define_returned_is_a_module():
    mine = actfn.define("max(x, a*x)", name="mine", a=0.25, domains={"a": "(0, 1)"}, conventions="right")
    own = module(mine, learnable=True)
    assert repr(own) == "mine('max(x, a*x)', a=0.25, learnable=True)"
    x = torch.zeros(1).as_subclass(Aside).requires_grad_()
    own(x).backward()
    assert x.grad.item() == 1.0
    with pytest.raises(ValueError, match="outside its domain"):
        module(mine, a=2.0)
    assert type(module(actfn.get("elu"), alpha=2.0)) is ELU


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: ELU(0.5),
        lambda: module(FORMULA, a=2.0, theta=-1.0),
        lambda: module(FORMULA, a=2.0, theta=-1.0, learnable=True),
        lambda: actfn.torch.GELU("tanh"),
        lambda: actfn.torch.Softplus(2.0, 0.5),
    ],
    ids=["ELU", "formula", "learnable", "GELU", "Softplus"],
)
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

"""`swap`: what is replaced in real models, what is kept, what is left, and that it can be taken back."""

from __future__ import annotations

import copy
import pickle
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import actfn
import actfn.torch
from actfn.torch import ELU, init_, swap
from actfn.torch.recognize import use_of


def same(old: nn.Module) -> nn.Module:
    """Our module for the function that is there."""
    use = use_of(old)
    assert use is not None
    return use.module()


class Block(nn.Module):
    """A basic block of a ResNet as torchvision has it: one ReLU at two places, in place."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """Two stages; calls as well as modules."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(Block(8, 8), Block(8, 8))
        self.layer2 = nn.Sequential(Block(8, 16, 2), Block(16, 16))
        self.fc = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer2(self.layer1(x)).mean((2, 3))
        x = F.dropout(x, 0.5, self.training)
        return self.fc(x).relu()


class Branching(nn.Module):
    """What torch.fx would fix or can't trace."""

    def __init__(self, shift: bool) -> None:
        super().__init__()
        self.inner = Shifted() if shift else Deciding()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.inner(x))


class Shifted(nn.Module):
    def forward(self, x: torch.Tensor, shift: torch.Tensor | None = None) -> torch.Tensor:
        return F.relu(x) if shift is None else F.relu(x + shift)


class Deciding(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x) if x.sum() > 0 else x


@pytest.fixture
def images():
    torch.manual_seed(0)
    return torch.randn(2, 3, 8, 8)


def step(model: nn.Module, run) -> list[torch.Tensor]:
    """The parameters after one step of SGD on the square of what `run` gives, all in training mode."""
    model.train()
    torch.manual_seed(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    run(model).square().mean().backward()
    optimizer.step()
    return [p.detach().clone() for p in model.parameters()]


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Within one unit in the last place."""
    gap = (ours - theirs).abs()
    ulp = torch.nextafter(theirs.abs(), torch.tensor(torch.inf)) - theirs.abs()
    assert (gap <= ulp).all()


# -- real models --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("new", ["relu", "leaky_relu"])
def test_a_resnet(images, new):
    torch.manual_seed(0)
    model = ResNet().eval()
    other = copy.deepcopy(model)
    before = model(images)
    swapped = swap(model, nn.ReLU, new, **({} if new == "relu" else {"negative_slope": 0.0}))
    assert swapped.model is model
    assert type(model) is ResNet
    assert [(r.place, r.kind) for r in swapped] == [
        *((f"layer{i}.{j}.relu", "module") for i in (1, 2) for j in (0, 1)),
        ("forward: relu", "call"),
        ("forward: relu_1", "call"),
    ]
    assert not swapped.left
    assert not any(type(m) is nn.ReLU for m in model.modules())
    assert model.layer1[0].relu.inplace
    assert list(model.state_dict()) == list(other.state_dict())
    close(model(images), before)
    for ours, theirs in zip(step(model, lambda m: m(images)), step(other, lambda m: m(images)), strict=True):
        torch.testing.assert_close(ours, theirs)  # dropout too: it is on in training
    close(model.eval()(images), other.eval()(images))  # and off in evaluation
    assert swapped.undo() is model
    assert [type(m) for m in model.modules()] == [type(m) for m in other.modules()]
    assert vars(model).keys() == vars(other).keys()
    assert torch.equal(model(images), other(images))


@pytest.mark.parametrize("activation", ["relu", "gelu", F.elu, nn.SiLU()], ids=lambda a: getattr(a, "__name__", str(a)))
@pytest.mark.filterwarnings("ignore:.*enable_nested_tensor is True")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_transformer(activation):
    torch.manual_seed(0)
    model = nn.Transformer(16, 2, 1, 1, 32, dropout=0.0, activation=activation, batch_first=True).eval()
    other = copy.deepcopy(model)
    source, target = torch.randn(2, 5, 16), torch.randn(2, 3, 16)
    padded = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])

    def run(m):
        return m(source, target, src_key_padding_mask=padded, memory_key_padding_mask=padded)

    with torch.no_grad():  # where torch's fused layers serve
        before = run(model)
        swapped = swap(model, ("relu", "gelu", "elu", "silu"), same)
        # torch's decoder keeps a module beside F.relu, which it runs, when it is copied.
        assert len(swapped) == (3 if isinstance(activation, nn.Module) else 2)
        torch.testing.assert_close(run(model), before)
        fused = 1 if activation == "relu" else 0
        assert model.encoder.layers[0].activation_relu_or_gelu == fused
        copied = copy.deepcopy(model)
        torch.testing.assert_close(run(copied), before)
        changed = swap(copied, lambda n, m: isinstance(m, actfn.torch.ActivationModule), "tanh")
        assert len(changed) == 2
        assert (run(copied) - before).abs().max() > 0.01  # the fused ReLU doesn't come back
        torch.testing.assert_close(run(pickle.loads(pickle.dumps(copied))), run(copied))
    for ours, theirs in zip(step(model, run), step(other, run), strict=True):
        torch.testing.assert_close(ours, theirs)
    swapped.undo()
    for mine, its in zip(model.modules(), other.modules(), strict=True):
        assert vars(mine).keys() == vars(its).keys()
    assert model.encoder.layers[0].activation_relu_or_gelu == other.encoder.layers[0].activation_relu_or_gelu
    assert model.encoder.use_nested_tensor == other.encoder.use_nested_tensor


def test_another_activation_in_torchs_encoder_is_not_fused_away():
    torch.manual_seed(0)
    layers = [nn.TransformerEncoderLayer(8, 2, 16, activation=a, batch_first=True) for a in (F.relu, F.elu)]
    layers[1].load_state_dict(layers[0].state_dict())
    x = torch.randn(2, 4, 8)
    swap(layers[0], F.relu, "elu")
    with torch.no_grad():
        torch.testing.assert_close(layers[0].eval()(x), layers[1].eval()(x))


def test_bert():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    model = transformers.BertModel(transformers.BertConfig(vocab_size=50, **sizes)).eval()
    other = copy.deepcopy(model)
    words = torch.arange(14).reshape(2, 7)
    swapped = swap(model, ("gelu", "tanh"), same)
    assert len(swapped) == 3
    torch.testing.assert_close(model(words)[0], other(words)[0])
    for ours, theirs in zip(step(model, lambda m: m(words)[0]), step(other, lambda m: m(words)[0]), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert len(swap(other, "GELUActivation", "elu", learnable=True)) == 2
    other(words)[0].sum().backward()
    assert other.encoder.layer[0].intermediate.intermediate_act_fn.alpha.grad is not None
    assert {x.activation for x in init_(other)} == {"", "elu", "tanh"}


# -- what is replaced -----------------------------------------------------------------------------------------------------


def several() -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.ReLU6(),
        nn.GELU(),
        nn.GELU("tanh"),
        nn.LeakyReLU(0.2),
        ELU(0.5),
        nn.Sequential(nn.ReLU(), nn.GLU()),
    )


@pytest.mark.parametrize(
    ("old", "places"),
    [
        (nn.ReLU, ["0", "6.0"]),
        (nn.Hardtanh, []),  # of which ReLU6 is a subclass
        (nn.GELU, ["2", "3"]),
        ("gelu", ["2"]),
        ("gelu_tanh", ["3"]),
        ("GELU by tanh", ["3"]),
        ("nn.ReLU", ["0", "6.0"]),
        (ELU, ["5"]),
        ("elu", ["5"]),
        ("sigmoid", []),  # GLU's gate isn't an activation of its own
        ("Sequential", ["6"]),  # the model itself is one, too: see below
        ((nn.ReLU, "leaky_relu"), ["0", "4", "6.0"]),
        (lambda name, part: name.startswith("6."), ["6.0", "6.1"]),
        (lambda name, part: isinstance(part, nn.Hardtanh), ["1"]),
        (F.relu, []),
    ],
    ids=lambda a: getattr(a, "__name__", str(a)),
)
def test_by_class_name_predicate_or_function(old, places):
    model = several()
    if old == "Sequential":
        assert isinstance(swap(model, old, "elu").model, ELU)
        return
    before = str(model)
    swapped = swap(model, old, "tanh")
    assert [r.place for r in swapped] == places
    assert [n for n, m in model.named_modules() if isinstance(m, actfn.torch.Tanh)] == places
    swapped.undo()
    assert str(model) == before
    swapped.undo()
    assert str(model) == before


@pytest.mark.parametrize(
    ("new", "arguments", "shown"),
    [
        ("elu", {}, "ELU(alpha=1.0)"),
        ("elu", {"alpha": 0.5, "learnable": True}, "ELU(alpha=0.5, learnable=True)"),
        ({"name": "elu", "alpha": 0.5}, {}, "ELU(alpha=0.5)"),
        ("x*sigmoid(b*x)", {"b": 2.0}, "Formula('x*sigmoid(b*x)', b=2.0)"),
        (actfn.define("x*sigmoid(b*x)", name="mine", b=2.0), {}, "mine('x*sigmoid(b*x)', b=2.0)"),
        (ELU, {"alpha": 0.5}, "ELU(alpha=0.5)"),
        (nn.ELU, {"alpha": 0.5}, "ELU(alpha=0.5)"),
        (nn.CELU(0.5), {}, "CELU(alpha=0.5)"),
        (lambda old: nn.Sequential(old, nn.Tanh()), {}, str(nn.Sequential(nn.ReLU(), nn.Tanh()))),
    ],
    ids=lambda a: getattr(a, "__name__", str(a)),
)
def test_by_what(new, arguments, shown):
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    swapped = swap(model, nn.ReLU, new, **arguments)
    assert repr(model[1]) == shown
    assert len(swapped) == 1


def test_the_same_function_keeps_its_arguments():
    model = nn.Sequential(
        nn.LeakyReLU(0.2, inplace=True), nn.Softplus(2.0, 3.0), nn.GELU("tanh"), nn.Hardtanh(-2.0, 0.5)
    )
    for old, new in (
        (nn.LeakyReLU, "leaky_relu"),
        (nn.Softplus, actfn.torch.Softplus),
        (nn.GELU, actfn.torch.GELU),
        (nn.Hardtanh, "hardtanh"),
    ):
        was = repr(next(m for m in model if type(m) is old))
        swap(model, old, new)
        assert was in map(repr, model)
    swap(model, "leaky_relu", "leaky_relu", negative_slope=0.3)
    assert repr(model[0]) == "LeakyReLU(negative_slope=0.3, inplace=True)"
    swap(model, "leaky_relu", "elu")
    assert repr(model[0]) == "ELU(alpha=1.0, inplace=True)"
    swap(model, actfn.torch.ELU, nn.ELU)
    assert repr(model[0]) == repr(nn.ELU(inplace=True))
    assert type(model[0]) is nn.ELU


def test_learned_parameters_are_the_same_objects():
    model = nn.Sequential(nn.PReLU(3), ELU(0.5, learnable=True, channels=3))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    weights = list(model.parameters())
    before = repr(model)
    swap(model, nn.PReLU, "prelu")
    swap(model, ELU, "elu")
    assert [id(p) for p in model.parameters()] == [id(p) for p in weights]
    assert repr(model) == before
    model(torch.full((1, 3), -1.0)).sum().backward()
    optimizer.step()
    assert (model[0].weight != 0.25).all()
    assert (model[1].alpha != 0.5).all()


def test_hooks_and_the_training_flag_are_kept():
    model = nn.Sequential(nn.ReLU(), nn.ReLU().eval())
    calls = []
    handles = [
        model[0].register_forward_hook(lambda m, i, o: calls.append(("forward", type(m)))),
        model[0].register_forward_pre_hook(lambda m, i: calls.append(("before", type(m)))),
        model[0].register_forward_hook(lambda m, i, k, o: calls.append(("keywords", type(m))), with_kwargs=True),
        model[0].register_full_backward_hook(lambda m, i, o: calls.append(("backward", type(m)))),
    ]
    swapped = swap(model, nn.ReLU, "elu")
    assert (model[0].training, model[1].training) == (True, False)
    model(torch.ones(2, requires_grad=True)).sum().backward()
    assert calls == [(when, ELU) for when in ("before", "forward", "keywords", "backward")]
    handles.pop(0).remove()
    model[0].register_forward_hook(lambda m, i, o: calls.append(("later", type(m))))
    model.eval()
    swapped.undo()
    assert not model[0].training
    calls.clear()
    model(torch.ones(2, requires_grad=True)).sum().backward()
    assert [when for when, _ in calls] == ["before", "keywords", "later", "backward"]
    assert {kind for _, kind in calls} == {nn.ReLU}


def test_a_shared_module_is_replaced_once_and_shared_again():
    act = nn.ReLU()
    model = nn.ModuleDict({"a": act, "b": nn.Sequential(act, nn.ReLU()), "c": act})
    swapped = swap(model, nn.ReLU, "elu", learnable=True)
    assert [r.place for r in swapped] == ["a", "b.0", "b.1", "c"]
    assert model["a"] is model["b"][0] is model["c"]
    assert model["a"] is not model["b"][1]
    assert len(list(model.parameters())) == 2
    swapped.undo()
    assert model["a"] is model["b"][0] is model["c"] is act


def test_new_parameters_lie_where_the_models_do():
    model = nn.Sequential(nn.Linear(2, 2, device="meta", dtype=torch.bfloat16), nn.ReLU())
    swap(model, nn.ReLU, "elu", learnable=True)
    assert (model[1].alpha.device.type, model[1].alpha.dtype) == ("meta", torch.bfloat16)


def test_a_function_that_a_module_keeps():
    model = nn.Module()
    model.act, model.other, model.fixed = F.gelu, torch.tanh, partial(F.leaky_relu, negative_slope=0.3)
    swapped = swap(model, ("gelu", "leaky_relu"), same)
    assert repr(model.act) == "GELU(approximate='none')"
    assert repr(model.fixed) == "LeakyReLU(negative_slope=0.3)"
    assert model.other is torch.tanh
    assert {r.place: r.kind for r in swapped} == {"act": "attribute", "fixed": "attribute"}
    swapped.undo()
    assert model.act is F.gelu
    assert not dict(model.named_children())
    assert len(swap(model, "gelu", "elu", calls=False)) == 0


# -- calls --------------------------------------------------------------------------------------------------------------


class Calls(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([0.5]))
        self.relu = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor, scale: float = 2.0) -> torch.Tensor:
        x = F.leaky_relu(self.relu(x), 0.2) + F.elu(x, alpha=0.5) * scale
        x = F.dropout(F.gelu(x, approximate="tanh"), 0.5, self.training)
        return torch.relu_(x + actfn.torch.elu(x, 0.25)).sigmoid() + F.prelu(x, self.slope)


@pytest.mark.parametrize("training", [True, False])
def test_calls_of_every_kind(training):
    torch.manual_seed(0)
    model = Calls().train(training)
    x = torch.randn(3, 4)

    def run(m):
        torch.manual_seed(2)
        return m(x, scale=3.0)

    before = run(model)
    names = ("leaky_relu", "elu", "gelu_tanh", "relu", "sigmoid")
    swapped = swap(model, names, same)
    assert sorted(r.new for r in swapped) == [
        "ELU(alpha=0.25)",
        "ELU(alpha=0.5)",
        "GELU(approximate='tanh')",
        "LeakyReLU(negative_slope=0.2)",
        "ReLU(inplace=True)",
        "Sigmoid()",
    ]
    torch.testing.assert_close(run(model), before)
    for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(run(made), before)
        assert made.forward.owner is made
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    if not training:
        torch.testing.assert_close(run(compiled), before)
    kept = swap(model, "prelu", "elu")
    assert (len(kept), len(kept.left)) == (0, 1)
    assert "isn't a number that is known beforehand" in str(kept)
    again = swap(model, "elu", "tanh")
    assert len(again) == 2
    torch.testing.assert_close(run(again.undo()), before)
    assert vars(swapped.undo()).keys() - {"_is_torch_compile"} == vars(Calls()).keys()
    assert torch.equal(run(model), before)


@pytest.mark.parametrize(
    ("shift", "reason"),
    [
        (True, "would fix what its argument shift=None decides"),
        (False, "can't trace it: symbolically traced variables"),
    ],
)
def test_what_cannot_be_traced_is_left_and_said(shift, reason):
    model = Branching(shift)
    swapped = swap(model, ("relu", "sigmoid"), "elu")
    assert [(r.place, r.kind) for r in swapped] == [("forward: sigmoid", "call")]
    (left,) = swapped.left
    assert (left.place, left.kind) == ("inner.forward", "left")
    assert reason in left.new
    assert "1 replaced, 1 left" in str(swapped)
    x = torch.tensor([-1.0, 2.0])
    torch.testing.assert_close(model(x), F.elu(F.relu(x)))


# -- the report and errors ----------------------------------------------------------------------------------------------


def test_the_table_is_80_columns_wide(images):
    swapped = swap(ResNet(), nn.ReLU, "where(x > 0, x, alpha*(exp(x) - 1)) + 0*x", alpha=1.0, learnable=True)
    lines = str(swapped).splitlines()
    assert lines[0].split() == ["place", "kind", "old", "new"]
    assert max(map(len, lines)) == 80
    assert len(lines) == 2 + len(swapped) + 1
    assert lines[-1] == "6 replaced"
    assert "layer2.1.relu" in lines[5]
    assert str(swap(nn.Linear(2, 2), nn.ReLU, "elu")) == "0 replaced"


def test_a_model_that_is_an_activation_itself():
    model = nn.ReLU()
    swapped = swap(model, "relu", "elu")
    assert isinstance(swapped.model, ELU)
    assert "(the model)" in str(swapped)
    assert swapped.undo() is model


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ((nn.ReLU, "elv"), LookupError, "did you mean elu"),
        (("rely", "elu"), LookupError, "did you mean relu"),
        ((3, "elu"), TypeError, "a class, a name, a function or a predicate"),
        ((nn.ReLU, 3), TypeError, "a name, a config, a module, its class"),
        ((nn.ReLU, lambda old: 3), TypeError, "a torch.nn.Module, not 3"),
        ((nn.ReLU, lambda old: 1 / 0), ZeroDivisionError, "division"),
    ],
)
def test_errors_leave_the_model_as_it_was(arguments, error, says):
    model = several()
    before = list(model.modules())
    with pytest.raises(error, match=says):
        swap(model, *arguments)
    assert all(a is b for a, b in zip(model.modules(), before, strict=True))
    with pytest.raises(TypeError, match=r"swap changes a torch.nn.Module, not function"):
        swap(F.relu, "relu", "elu")  # type: ignore[arg-type]

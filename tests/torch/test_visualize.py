"""`visualize_activation`: the data of a plot for any module or callable, which it leaves as it found them."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from actfn.torch import ELU, elu, visualize_activation

X = torch.linspace(-2, 2, 9)


def slope(x: torch.Tensor) -> list[float]:
    return torch.where(x > 0, 1.0, x.exp()).tolist()


def test_the_data_is_that_of_the_card():
    data = visualize_activation(X, ELU())
    assert list(data) == ["x", "y", "yp"]
    assert data["x"] == X.tolist()
    assert data["y"] == elu(X).tolist()
    assert data["yp"] == pytest.approx(slope(X), rel=1e-6)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_text_or_a_path_and_folders_are_made(kind, tmp_path):
    place = tmp_path / "data" / "activations" / "elu.json"
    data = visualize_activation(X, ELU(), save_path=kind(place))
    assert json.loads(place.read_text()) == data
    assert [p.name for p in place.parent.iterdir()] == ["elu.json"]


def test_the_argument_is_left_alone():
    x = X.clone().requires_grad_()
    x.grad = torch.full_like(x, 7.0)
    before, version = x.detach().clone(), x._version
    visualize_activation(x, nn.ELU(inplace=True))
    assert torch.equal(x, before)
    assert x._version == version
    assert x.requires_grad
    assert x.grad.tolist() == [7.0] * 9


def test_the_gradients_of_a_module_are_left_alone():
    own = nn.PReLU(init=0.25)
    other = nn.PReLU(init=0.25)
    other.weight.grad = torch.tensor([3.0])
    for each in (own, other):
        data = visualize_activation(X, each)
        assert data["yp"] == [0.25] * 5 + [1.0] * 4
    assert own.weight.grad is None
    assert other.weight.grad is not None
    assert other.weight.grad.tolist() == [3.0]


@pytest.mark.parametrize(
    ("acti", "yp"),
    [
        (nn.ReLU(inplace=True), [0.0] * 5 + [1.0] * 4),
        (ELU(), slope(X)),
        (lambda x: x * 3, [3.0] * 9),
        (torch.square, (2 * X).tolist()),
        (torch.sign, [0.0] * 9),
        (torch.zeros_like, [0.0] * 9),
        (lambda x: torch.full_like(x, 2.0), [0.0] * 9),
        (lambda x: x.detach() * 2, [0.0] * 9),
        (lambda x: x, [1.0] * 9),
        (lambda x: x.clamp_(min=0), None),
        (nn.Sequential(nn.SiLU(), nn.ReLU(inplace=True)), None),
    ],
    ids=[
        "ReLU in place",
        "ELU",
        "lambda",
        "square",
        "sign",
        "constant",
        "constant 2",
        "detached",
        "x",
        "clamp_",
        "model",
    ],
)
def test_any_module_or_callable(acti, yp):
    data = visualize_activation(X, acti)
    assert data["x"] == X.tolist()
    if yp is not None:
        assert data["yp"] == pytest.approx(yp, rel=1e-6)
    assert len(data["y"]) == len(data["yp"]) == 9


def test_under_no_grad():
    with torch.no_grad():
        data = visualize_activation(X, ELU())
    assert data["yp"] == pytest.approx(slope(X), rel=1e-6)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (2, 1, 2)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_any_shape_and_dtype(shape, dtype):
    x = torch.linspace(-1, 1, math.prod(shape), dtype=dtype).reshape(shape)
    data = visualize_activation(x, ELU())
    for key in data:
        assert torch.tensor(data[key], dtype=dtype).shape == shape
    assert torch.equal(torch.tensor(data["y"], dtype=dtype), elu(x))


def test_nan_and_infinity_are_null_in_the_file_and_numbers_in_the_result(tmp_path):
    x = torch.tensor([-1.0, 0.0, 1.0])
    data = visualize_activation(x, torch.log, tmp_path / "log.json")
    assert math.isnan(data["y"][0])
    assert data["y"][1] == -math.inf
    assert data["yp"][1] == math.inf

    def refused(name: str):
        raise AssertionError(f"{name} is no JSON")

    kept = json.loads((tmp_path / "log.json").read_text(), parse_constant=refused)
    assert kept == {"x": [-1.0, 0.0, 1.0], "y": [None, None, 0.0], "yp": [-1.0, None, 1.0]}


@pytest.mark.parametrize(
    ("x", "acti", "says"),
    [
        (torch.arange(3), ELU(), "x is a floating-point tensor, such as torch.linspace"),
        ([1.0, 2.0], ELU(), "x is a floating-point tensor"),
        (X, lambda x: x.sum(), "gives a tensor of x's shape"),
        (X, lambda x: x[:2], "gives a tensor of x's shape"),
        (X, lambda x: 1.0, "gave float"),
        (X, lambda x: None, "gave NoneType"),
    ],
)
def test_what_is_no_activation_is_refused(x, acti, says, tmp_path):
    with pytest.raises(TypeError, match=says):
        visualize_activation(x, acti, tmp_path / "data" / "no.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["a file/elu.json", "a folder"])
def test_a_file_is_written_whole_or_not_at_all(place, tmp_path):
    (tmp_path / "a file").write_text("kept")
    (tmp_path / "a folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match=r"."):
        visualize_activation(X, ELU(), tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "a file").read_text() == "kept"


def test_an_older_file_stays_if_the_new_one_fails(tmp_path, monkeypatch):
    place = tmp_path / "elu.json"
    place.write_text("older")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        visualize_activation(X, ELU(), place)
    assert place.read_text() == "older"
    assert [p.name for p in tmp_path.iterdir()] == ["elu.json"]


def test_an_error_of_the_activation_is_its_own(tmp_path):
    def broken(x):
        raise RuntimeError("broken inside")

    with pytest.raises(RuntimeError, match="broken inside"):
        visualize_activation(X, broken, tmp_path / "no.json")
    assert list(tmp_path.iterdir()) == []

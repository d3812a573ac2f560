"""Models that leave PyTorch: exported programs run, save and load; ONNX models keep small arguments in ONNX Runtime."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

import actfn.torch
from actfn import catalog
from actfn.reference import Oracle, ulps

pytestmark = [
    # What PyTorch and onnxscript say of their own code.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


class Every(nn.Module):
    """Several activations at once, as one export costs as much as ten."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList([actfn.torch.module(name) for name in names])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(layer(x) for layer in self.layers)


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_model_is_saved_and_loaded(strict):
    model = nn.Sequential(
        nn.Linear(4, 6), actfn.torch.ELU(learnable=True, channels=6), nn.Linear(6, 2), actfn.torch.GELU()
    )
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(model, (torch.randn(3, 4),), dynamic_shapes=({0: batch},), strict=strict)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    x = torch.randn(5, 4)
    torch.testing.assert_close(loaded(x), model(x))
    loaded(x).sum().backward()
    model(x).sum().backward()
    for (name, ours), (_, expected) in zip(
        sorted(loaded.named_parameters()), sorted(model.named_parameters()), strict=True
    ):
        torch.testing.assert_close(ours.grad, expected.grad, msg=lambda m, name=name: f"{name}: {m}")


def test_the_gradient_of_what_was_exported_keeps_its_tail():
    """Autograd's derivative of expm1 is taken from its rounded result, and is 0 at -40; of our series it isn't."""
    program = torch.export.export(actfn.torch.ELU(), (torch.randn(3),)).module()
    x = torch.tensor([-40.0, -1e-8, 2.0], requires_grad=True)
    program(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([4.248354e-18, 1.0, 1.0]), rtol=1e-6, atol=0)


ULPS = {
    "elu": 2.0, "celu": 2.0, "selu": 3.0, "silu": 3.0, "softplus": 3.0, "mish": 8.0, "sigmoid": 3.0, "tanh": 3.0,
    "hardswish": 2.0, "bipolar_sigmoid": 3.0, "erf": 3.0,
}  # fmt: skip
"""What ONNX Runtime's float32 may be off at the points below."""


def test_onnx_keeps_small_arguments(tmp_path):
    """torch.onnx writes expm1 as Exp - 1, and ONNX Runtime's Elu does the same: both are 0 at -1e-8."""
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    names = tuple(ULPS)
    x = torch.cat([-torch.logspace(-9, 1, 41), torch.logspace(-9, 1, 41)])
    path = tmp_path / "every.onnx"
    length = torch.export.Dim("length", min=2)
    torch.onnx.export(
        Every(names).eval(),
        (torch.randn(7),),
        path,
        dynamo=True,
        dynamic_shapes=({0: length},),
        external_data=False,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    results = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    worst = {}
    for name, y in zip(names, results, strict=True):
        entry = catalog.find(name)
        oracle = Oracle(entry.expression)
        pairs = zip(x.tolist(), y.tolist(), strict=True)
        worst[name] = max((ulps(got, oracle.ball(at, entry.defaults), "float32"), at) for at, got in pairs)
    assert {n: w for n, w in worst.items() if w[0] > ULPS[n]} == {}, worst

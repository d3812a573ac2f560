"""Activations as PyTorch functions: values and gradients against the oracle, every way of differentiating, every layout."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.func import grad, hessian, jacrev, jvp, vmap

import actfn
import actfn.torch
from actfn import catalog
from actfn.definition import Definition
from actfn.formula.derivative import derivative
from actfn.reference import Oracle, ulps
from actfn.torch import elu, function

# What torch.func says of torch's own code on first use.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script.*is deprecated:DeprecationWarning")


@pytest.fixture(autouse=True)
def kernels_only():
    """The kernels also for short tensors; what PyTorch's own operators do there is in `test_native.py`."""
    actfn.torch.set_native(False)
    yield
    actfn.torch.set_native(True)


ENTRIES = [*catalog.entries().values()]
DEEP = [
    catalog.find(name)
    for name in (
        *("relu", "leaky_relu", "elu", "celu", "selu", "sigmoid", "tanh", "silu", "softplus", "gelu", "mish", "prelu"),
        *("rbf", "bipolar_sigmoid", "hardswish", "softshrink"),
    )
]
"""What is asked of these costs kernels of several kinds, or the oracle's time at many points."""
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}


@cache
def oracle(name: str, order: int) -> Oracle:
    entry = catalog.find(name)
    return Oracle(derivative(entry.expression, order, entry.conventions))


def slopes(f: Callable[..., torch.Tensor], x: torch.Tensor) -> list[torch.Tensor]:
    """f, f' and f'' at x, the derivatives by autograd."""
    x = x.clone().requires_grad_()
    y = f(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x) if first.requires_grad else (torch.zeros_like(x),)
    return [y.detach(), first.detach(), second.detach()]


# -- accuracy -----------------------------------------------------------------------------------------------------------


def powers_of_two(dtype: str) -> torch.Tensor:
    """Every power of two of both signs, subnormal ones too, both zeros, and the largest numbers."""
    info = torch.finfo(DTYPES[dtype])
    lowest = {"float32": -149, "float64": -1074}[dtype]
    values = [math.ldexp(1.0, k) for k in range(lowest, math.frexp(info.max)[1])]
    values += [0.0, info.max, 0.75, 3.3, 5.1, 11.0]
    return torch.tensor([*values, *(-v for v in values)], dtype=DTYPES[dtype])


ULPS = {0: 4.0, 1: 4.0, 2: 8.0}
"""Bounds for f, f' and f'' at the points above, in ulps; what the kernels reach is in `benchmarks/results`."""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("entry", DEEP, ids=lambda entry: entry.name)
def test_never_nan_and_within_some_ulps_at_every_power_of_two(entry: Definition, dtype: str) -> None:
    x = powers_of_two(dtype)
    parameters = {name: float(torch.tensor(v, dtype=x.dtype)) for name, v in entry.defaults.items()}
    asked = slice(None, None, 1 if dtype == "float32" else 5)  # the oracle
    for order, got in enumerate(slopes(function(entry), x)):
        assert got.dtype == x.dtype
        assert not got.isnan().any(), (order, x[got.isnan()])
        true = oracle(entry.name, order)
        pairs = zip(x[asked].tolist(), got[asked].tolist(), strict=True)
        worst = max((ulps(y, true.ball(at, parameters), dtype), at) for at, y in pairs)
        assert worst[0] < ULPS[order], (order, worst)


def test_tiny_gradients_are_not_flushed_to_zero():
    x = torch.tensor([-40.0, -80.0, -87.0, -100.0, -103.0, -104.5])
    _, first, second = slopes(elu, x)
    expected = [math.exp(v) for v in x.tolist()]
    assert first.tolist() == pytest.approx(expected, rel=1e-6, abs=1.5e-45)
    assert second.tolist() == pytest.approx(expected, rel=1e-6, abs=1.5e-45)
    assert first[:5].min() > 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["elu", "silu", "softplus"])
def test_16_bit_results_and_gradients_are_rounded_once(name, dtype):
    x = torch.cat([torch.linspace(-12, 12, 97), torch.tensor([-1e-4, 1e-4, 0.0, -0.0])]).to(DTYPES[dtype])
    f = getattr(actfn.torch, name)
    leaf = x.clone().requires_grad_()
    y = f(leaf)
    y.sum().backward()
    assert y.dtype == x.dtype
    assert leaf.grad is not None
    assert leaf.grad.dtype == x.dtype
    parameters = catalog.find(name).defaults
    for order, got in ((0, y), (1, leaf.grad)):
        assert got.tolist() == [oracle(name, order).rounded(at, parameters, dtype) for at in x.tolist()]


def test_correct_means_correctly_rounded():
    x = torch.cat([torch.linspace(-20, 2, 997), -torch.logspace(-30, 2, 300)])
    y = elu(x, accuracy="correct")
    assert y.tolist() == [oracle("elu", 0).rounded(at, {"alpha": 1.0}, "float32") for at in x.tolist()]


# -- every way of differentiating ---------------------------------------------------------------------------------------


def smooth_points() -> torch.Tensor:
    """Away from kinks, and from where f' or f'' is 0."""
    return torch.tensor([-2.3, -0.7, 0.4, 1.9], dtype=torch.float64, requires_grad=True)


def learnable(entry: Definition) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in entry.defaults.values())


@pytest.mark.parametrize("native", [False, True], ids=["kernels", "native"])
@pytest.mark.parametrize("entry", DEEP, ids=lambda entry: entry.name)
def test_gradcheck(entry, native):
    actfn.torch.set_native(native)
    inputs = (smooth_points(), *learnable(entry))
    assert gradcheck(
        function(entry),
        inputs,
        check_forward_ad=True,
        check_backward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )


@pytest.mark.parametrize("entry", DEEP, ids=lambda entry: entry.name)
def test_gradgradcheck(entry):
    inputs = (smooth_points(), *learnable(entry))
    assert gradgradcheck(function(entry), inputs, check_fwd_over_rev=True, check_batched_grad=True)


@pytest.mark.parametrize("native", [False, True], ids=["kernels", "native"])
@pytest.mark.parametrize("entry", DEEP, ids=lambda entry: entry.name)
def test_transforms_of_functions(entry, native):
    actfn.torch.set_native(native)
    f = function(entry)
    x = smooth_points().detach()
    values = [[oracle(entry.name, k).rounded(at, entry.defaults) for at in x.tolist()] for k in (0, 1, 2)]
    y, first, second = (torch.tensor(v, dtype=torch.float64) for v in values)
    close: dict[str, Any] = {"rtol": 1e-12, "atol": 0.0}
    torch.testing.assert_close(vmap(f)(x), y, **close)
    torch.testing.assert_close(vmap(grad(f))(x), first, **close)
    torch.testing.assert_close(vmap(grad(grad(f)))(x), second, **close)
    torch.testing.assert_close(jvp(f, (x,), (torch.full_like(x, 2.0),)), (y, 2 * first), **close)
    torch.testing.assert_close(jacrev(f)(x), first.diag(), **close)
    torch.testing.assert_close(hessian(lambda v: f(v).sum())(x), second.diag(), **close)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_by_its_expression(entry):
    """f, f' and f'' under transforms, in float64, and each against the oracle."""
    f = function(entry)
    x = torch.tensor([-2.3, 0.41], dtype=torch.float64)
    for order, of in enumerate((f, grad(f), grad(grad(f)))):
        expected = [oracle(entry.name, order).rounded(at, entry.defaults) for at in x.tolist()]
        torch.testing.assert_close(vmap(of)(x), torch.tensor(expected, dtype=x.dtype), rtol=1e-9, atol=1e-12)


def test_a_third_derivative():
    x = torch.tensor([-1.0, 0.5], dtype=torch.float64)
    third = vmap(grad(grad(grad(actfn.torch.tanh))))(x)
    t = torch.tanh(x)
    torch.testing.assert_close(third, (6 * t**2 - 2) * (1 - t**2))
    leaf = x.clone().requires_grad_()
    found = actfn.torch.tanh(leaf)
    for _ in range(3):
        (found,) = torch.autograd.grad(found.sum(), leaf, create_graph=True)
    torch.testing.assert_close(found.detach(), third)


def test_forward_ad_gives_a_tangent():
    x, v = torch.tensor([-1.0, 2.0]), torch.tensor([3.0, 5.0])
    with forward_ad.dual_level():
        dual = elu(forward_ad.make_dual(x, v), torch.tensor(0.5))
        y, tangent = forward_ad.unpack_dual(dual)
    torch.testing.assert_close(y, elu(x, 0.5))
    torch.testing.assert_close(tangent, torch.tensor([3 * 0.5 * math.exp(-1), 5.0]))


def test_vmap_over_a_parameter():
    x = torch.linspace(-2, 2, 7)
    alphas = torch.tensor([0.0, 0.5, -1.0])
    stacked = torch.stack([elu(x, float(a)) for a in alphas])
    torch.testing.assert_close(vmap(elu, in_dims=(None, 0))(x, alphas), stacked)


# -- parameters ---------------------------------------------------------------------------------------------------------

X = torch.tensor([[-2.0, -0.5, -1e-3, 0.0], [1e-3, 0.5, 2.0, -8.0]], dtype=torch.float64)


def torch_elu(x: torch.Tensor, alpha: torch.Tensor | float) -> torch.Tensor:
    return torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0)))


@pytest.mark.parametrize(
    "alpha",
    [
        0.5,
        2,
        0.0,
        -1.5,
        torch.tensor(0.5),
        torch.tensor([0.5], dtype=torch.float64),
        torch.tensor([0.5, -1.0, 0.0, 2.0], dtype=torch.float64),
        torch.tensor([[0.5], [-1.0]], dtype=torch.float64),
        torch.full((3, 1, 1), 0.25, dtype=torch.float64),
        torch.tensor([1, 2, 3, 4]),
    ],
    ids=lambda a: f"{tuple(a.shape)}" if isinstance(a, torch.Tensor) else str(a),
)
def test_alpha_is_a_number_or_whatever_broadcasts(alpha):
    x = X.clone().requires_grad_()
    expected = torch_elu(x, alpha)
    y = elu(x, alpha)
    assert y.dtype == x.dtype
    torch.testing.assert_close(y, expected)
    g = torch.randn(expected.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(1))
    wanted = torch.autograd.grad(expected, x, g)
    torch.testing.assert_close(torch.autograd.grad(y, x, g), wanted)
    torch.testing.assert_close(elu(X, alpha=alpha), expected.detach())


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 1), (3, 2, 4)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_alpha_is_learnable(shape, dtype):
    x = X.to(dtype)
    alpha = nn.Parameter(torch.linspace(0.5, 1.5, math.prod(shape), dtype=dtype).reshape(shape))
    other = alpha.detach().clone().requires_grad_()
    elu(x, alpha).sum().backward()
    torch_elu(x, other).sum().backward()
    assert alpha.grad is not None
    assert alpha.grad.shape == alpha.shape
    assert alpha.grad.dtype == dtype
    close: dict[str, Any] = {"rtol": 2e-2, "atol": 2e-2} if dtype.itemsize == 2 else {}
    torch.testing.assert_close(alpha.grad, other.grad, **close)


def test_x_is_broadcast_by_its_parameters_too():
    x = torch.tensor([-1.0], requires_grad=True)
    alpha = torch.tensor([0.5, 2.0, -1.0], requires_grad=True)
    y = elu(x, alpha)
    assert y.shape == (3,)
    y.sum().backward()
    assert x.grad is not None
    assert alpha.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([1.5 * math.exp(-1)]))
    torch.testing.assert_close(alpha.grad, torch.full((3,), math.expm1(-1)))


@pytest.mark.parametrize("alpha", [-0.5, -2.0])
@pytest.mark.parametrize("inplace", [False, True])
def test_a_negative_alpha_has_the_right_gradient(alpha, inplace):
    x = torch.tensor([-2.0, -0.1, 0.3, 3.0], requires_grad=True)
    elu(x * 1, alpha, inplace=inplace).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.where(x > 0, 1.0, alpha * x.exp()).detach())


# -- layouts ------------------------------------------------------------------------------------------------------------

IMAGES = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
LAYOUTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.permute(3, 1, 0, 2),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "every other": lambda x: x[:, :, ::2, 1::2],
    "expanded": lambda x: x[:, :1].expand(-1, 7, -1, -1),
    "one, expanded": lambda x: x[0, 0, 0, 0].expand(4, 5),
    "flipped": lambda x: x.flip(0),
    "empty": lambda x: x[:, :, :0],
    "empty, with strides": lambda x: x.permute(3, 1, 0, 2)[:, :0],
    "a number": lambda x: x[0, 0, 0, 1],
    "offset": lambda x: x.reshape(-1)[7:],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_layouts(layout, dtype):
    x = LAYOUTS[layout](IMAGES.to(dtype))
    dense = x.clone(memory_format=torch.contiguous_format)
    leaf, other = x.detach().requires_grad_(), dense.clone().requires_grad_()
    y, expected = elu(leaf, 0.5), elu(other, 0.5)
    assert y.shape == x.shape
    assert y.stride() == torch.empty_like(x).stride()
    assert torch.equal(y, expected)
    g = torch.arange(x.numel(), dtype=dtype).reshape(x.shape)
    assert torch.equal(*torch.autograd.grad(y, leaf, g), *torch.autograd.grad(expected, other, g))
    assert torch.equal(*torch.autograd.grad(elu(leaf).sum(), leaf), *torch.autograd.grad(elu(other).sum(), other))
    assert torch.equal(x, dense)


def test_a_gradient_of_another_layout():
    x = IMAGES.contiguous(memory_format=torch.channels_last).requires_grad_()
    g = torch.randn(2, 3, 4, 5)
    (found,) = torch.autograd.grad(elu(x), x, g)
    torch.testing.assert_close(found, g * torch.where(x > 0, 1.0, x.exp()).detach())


def test_subclasses_and_neg_views_go_another_way():
    x = torch.complex(torch.zeros(4), torch.linspace(-2, 2, 4)).conj().imag  # a lazily negated view
    assert x.is_neg()
    torch.testing.assert_close(elu(x), elu(x.clone().resolve_neg()))
    meta = elu(torch.empty(3, 4, device="meta"))
    assert meta.shape == (3, 4)
    sparse_free = elu(nn.Parameter(torch.tensor([-1.0])))
    assert sparse_free.requires_grad


LARGE = (1 << 20) + 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_tensors_are_like_their_parts(dtype):
    x = torch.randn(LARGE, dtype=dtype, generator=torch.Generator().manual_seed(2))
    assert x.numel() * x.itemsize > 4 << 20
    leaf = x.clone().requires_grad_()
    y = elu(leaf, 0.5)
    y.sum().backward()
    assert leaf.grad is not None
    cuts = [0, 1, 4097, 500_000, LARGE]
    for a, b in pairwise(cuts):
        part = x[a:b].clone().requires_grad_()
        elu(part, 0.5).sum().backward()
        assert part.grad is not None
        assert torch.equal(y[a:b], elu(x[a:b], 0.5))
        assert torch.equal(leaf.grad[a:b], part.grad)


def test_a_large_result_is_a_tensor_like_any_other(tmp_path):
    x = torch.randn(16, 8, 100, 100).to(memory_format=torch.channels_last)
    y = elu(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    kept = y.clone()
    torch.save(y, tmp_path / "y.pt")
    assert torch.equal(torch.load(tmp_path / "y.pt"), kept)
    y += 1
    del x
    assert torch.equal(y, kept + 1)
    z = elu(y, inplace=True)
    assert z is y


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_nothing(threads):
    x = torch.randn(200_001, generator=torch.Generator().manual_seed(4))
    expected = torch.cat([elu(part) for part in x.split(1000)])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert torch.equal(elu(x), expected)
    finally:
        torch.set_num_threads(before)


# -- in place, and from the output --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["contiguous", "transposed", "channels last", "every other", "empty", "a number"])
@pytest.mark.parametrize("alpha", [0.5, torch.tensor([[0.5], [2.0], [1.0], [0.1]])], ids=["number", "tensor"])
def test_in_place(layout, alpha):
    if isinstance(alpha, torch.Tensor) and layout not in ("contiguous", "channels last"):
        alpha = alpha[:1]
    whole = IMAGES.clone()
    x = LAYOUTS[layout](whole)
    shared = x.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()
    before, x_before = whole.clone(), x.clone()
    address = x.data_ptr()
    y = elu(x, alpha if x.dim() else 0.5, inplace=True)
    assert y is x
    assert x.data_ptr() == address
    torch.testing.assert_close(x, torch_elu(x_before, alpha if x.dim() else 0.5))
    if shared and layout == "every other":
        untouched = torch.ones_like(before, dtype=torch.bool)
        untouched[:, :, ::2, 1::2] = False
        assert torch.equal(whole[untouched], before[untouched])


@pytest.mark.parametrize("save", ["input", "output"])
def test_in_place_has_the_same_gradient(save):
    x = torch.linspace(-3, 3, 13, requires_grad=True)
    y = x * 1
    z = elu(y, 0.5, inplace=True, save=save)
    assert z is y
    z.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.where(x > 0, 1.0, 0.5 * x.exp()).detach(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("save", ["input", "output"])
@pytest.mark.parametrize("enabled", [True, False])
def test_in_place_on_what_a_graph_kept_is_noticed(save, enabled):
    w = torch.linspace(-1, 1, 5, requires_grad=True)
    y = w.exp()  # keeps y for its backward
    with torch.set_grad_enabled(enabled):
        elu(y, inplace=True, save=save)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("save", ["input", "output"])
def test_a_leaf_is_not_changed_in_place(save):
    x = torch.linspace(-1, 1, 5, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        elu(x, inplace=True, save=save)
    torch.testing.assert_close(x.detach(), torch.linspace(-1, 1, 5))
    with torch.no_grad():
        elu(x, inplace=True)
    torch.testing.assert_close(x.detach(), elu(torch.linspace(-1, 1, 5)))


def test_an_expanded_tensor_is_not_changed_in_place():
    x = torch.tensor([-1.0])
    with pytest.raises(RuntimeError, match="single memory location"):
        elu(x.expand(1000), inplace=True)
    assert x.item() == -1.0


def test_inference_mode():
    with torch.inference_mode():
        x = torch.tensor([-1.0, 1.0])
        assert elu(x).tolist() == pytest.approx([math.expm1(-1), 1.0])
        assert elu(x, inplace=True) is x


SAVING = ["elu", "celu", "selu", "relu", "leaky_relu", "sigmoid", "tanh", "softplus"]


@pytest.mark.parametrize("name", SAVING)
def test_the_gradient_from_the_output_is_the_gradient(name):
    f = getattr(actfn.torch, name)
    x = torch.linspace(-4, 4, 101, requires_grad=True)
    (expected,) = torch.autograd.grad(f(x).sum(), x)
    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        y = f(x, save="output")
    assert [t.data_ptr() for t in kept] == [y.data_ptr()]  # the output, and nothing else
    (found,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert torch.equal(y, f(x))


def test_the_gradient_from_the_output_takes_parameters():
    x = torch.linspace(-2, 2, 41, dtype=torch.float64, requires_grad=True)
    for alpha in (0.0, 0.25, 3.0):
        (found,) = torch.autograd.grad(elu(x, alpha, save="output").sum(), x)
        torch.testing.assert_close(found, torch.where(x > 0, 1.0, alpha * x.exp()).detach(), rtol=1e-12, atol=1e-15)


def test_the_gradient_from_the_output_is_differentiated_once():
    x = torch.linspace(-1, 1, 5, requires_grad=True)
    for factor in (1.0, torch.tensor(2.0, requires_grad=True)):
        (first,) = torch.autograd.grad((factor * elu(x, save="output")).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match=r"can't be differentiated again.*write save='input'"):
            (first**2).sum().backward()


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("elu", {"alpha": -0.5}, r"needs alpha >= 0"),
        ("elu", {"alpha": torch.tensor([0.5, -0.5, 1.0])}, r"needs alpha >= 0"),
        ("leaky_relu", {"negative_slope": -0.1}, r"needs negative_slope >= 0"),
        ("silu", {}, "silu"),
        ("rbf", {}, "rbf"),
    ],
)
def test_the_output_is_refused_where_it_does_not_tell(name, given, says):
    with pytest.raises(ValueError, match=says):
        getattr(actfn.torch, name)(torch.randn(3), save="output", **given)


# -- errors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x", [torch.arange(3), torch.tensor([True]), torch.tensor([1j]), [1.0], 1.0, None], ids=lambda x: str(x)[:20]
)
def test_x_is_a_floating_point_tensor(x):
    with pytest.raises(TypeError, match=r"elu takes a floating-point tensor, not .*; write elu\(x\.float\(\)\)"):
        elu(x)


@pytest.mark.parametrize(
    ("name", "args", "keywords", "error", "says"),
    [
        ("elu", (), {"beta": 1.0}, TypeError, "unexpected keyword argument 'beta'"),
        ("elu", (1.0,), {"alpha": 1.0}, TypeError, "multiple values for argument 'alpha'"),
        ("elu", (1.0, 2.0), {}, TypeError, "inplace is True or False, not 2.0"),
        ("elu", (1.0, False, 2.0), {}, TypeError, "takes from 1 to 3 positional arguments but 4 were given"),
        ("elu", (torch.tensor(1j),), {}, TypeError, r"alpha is real, not torch.complex64; write alpha\.real"),
        ("relu", (), {"alpha": 1.0}, TypeError, "unexpected keyword argument 'alpha'"),
        ("rbf", (-1.0,), {}, ValueError, "beta = -1.0 is outside its domain, positive"),
        ("celu", (), {"alpha": 0.0}, ValueError, "outside its domain"),
        ("elu", (math.nan,), {}, ValueError, "outside its domain"),
        ("elu", (math.inf,), {}, ValueError, "outside its domain"),
        ("elu", ("1",), {}, TypeError, "alpha is a number or a tensor, not '1'"),
        ("elu", ([1.0],), {}, TypeError, "alpha is a number or a tensor"),
        ("elu", (None,), {}, TypeError, "alpha is a number or a tensor"),
        ("elu", (), {"save": "both"}, ValueError, "save is 'input' or 'output', not 'both'"),
        ("elu", (), {"accuracy": "best"}, ValueError, "accuracy is 'fast' or 'correct', not 'best'"),
    ],
)
def test_bad_arguments(name, args, keywords, error, says):
    with pytest.raises(error, match=says):
        getattr(actfn.torch, name)(torch.randn(3), *args, **keywords)


def test_an_unknown_function_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no function or module 'elv'"):
        actfn.torch.elv  # type: ignore[attr-defined]  # noqa: B018


def test_tensors_that_do_not_broadcast_are_refused():
    with pytest.raises((ValueError, RuntimeError)):
        elu(torch.randn(3), torch.randn(4))


# -- names that generated code uses -------------------------------------------------------------------------------------

CLASHES = ["np", "torch", "t0", "x0", "p0", "y0", "n", "i", "args", "steps", "scalar", "fma", "self", "nan"]


def test_parameters_may_have_names_that_generated_code_uses():
    given: dict[str, Any] = dict.fromkeys(CLASHES, 0.125)
    mine = actfn.define(f"where(x > 0, x, ({' + '.join(CLASHES)})*(exp(x) - 1))", **given)
    alpha = len(CLASHES) / 8
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    y = mine(x)
    assert y.tolist() == pytest.approx([alpha * math.expm1(-1), 2.0])
    assert torch.autograd.grad(y.sum(), x)[0].tolist() == pytest.approx([alpha * math.exp(-1), 1.0])
    assert vmap(grad(mine))(x.detach()).tolist() == pytest.approx([alpha * math.exp(-1), 1.0])


@pytest.mark.parametrize("name", ["inplace", "save", "accuracy"])
def test_a_parameter_is_no_option(name):
    given: dict[str, Any] = {name: 2.0}
    mine = actfn.define(f"{name}*x", **given)
    assert mine(3.0) == 6.0
    with pytest.raises(ValueError, match=f"{name} is an option of functions for PyTorch; .* such as {name}_1"):
        mine(torch.tensor(3.0))


@pytest.mark.parametrize("name", ["g", "gg", "y"])
def test_a_parameter_may_have_a_name_that_a_backward_pass_uses(name):
    given: dict[str, Any] = {name: 1.0}
    mine = function(actfn.define(f"where(x > 0, x, {name}*(exp(x) - 1))", **given).definition)
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    alpha = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(mine(x, alpha) @ torch.tensor([3.0, 5.0]), x, create_graph=True)
    by_x, by_alpha = torch.autograd.grad(first @ torch.tensor([7.0, 1.0]), (x, alpha))
    tail = math.exp(-1)
    assert first.tolist() == pytest.approx([6 * tail, 5.0])
    assert by_x.tolist() == pytest.approx([42 * tail, 0.0])
    assert by_alpha.item() == pytest.approx(21 * tail)
    (from_output,) = torch.autograd.grad(mine(x, 2.0, save="output").sum(), x)
    assert from_output.tolist() == pytest.approx([2 * tail, 1.0])

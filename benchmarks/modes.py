"""Which mode of PyTorch does what serve? Every mode, on a dozen entries and every dtype, checked and written into a table.

A mode is a way of asking for f or a derivative. What serves it is seen in PyTorch's own profile of the call: a kernel leaves
nothing there but the memory of its result. Run `python -m benchmarks.modes` to write `docs/torch-modes.md` again.
"""

from __future__ import annotations

import argparse
import copy
import io
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.autograd import forward_ad, grad
from torch.func import grad as func_grad
from torch.func import hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.utils.checkpoint import checkpoint

import actfn.torch
from actfn import catalog
from actfn.formula.derivative import derivative
from actfn.reference import Oracle

PAGE = Path(__file__).parents[1] / "docs" / "torch-modes.md"
ENTRIES = (
    "elu", "celu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "hardswish", "softshrink", "prelu", "rbf",
)  # fmt: skip
"""One of each kind: native or not, with a parameter or not, with kinks or smooth, from its output or not."""
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
CASES = tuple(
    (name, dtype)
    for k, name in enumerate(ENTRIES)
    for dtype in DTYPES
    if name in ("elu", "silu") or dtype in ("float32", ("float16", "bfloat16", "float64")[k % 3])
)
"""Two entries in every dtype, the others in float32 and one more: a kernel for each has to be built."""
POINTS = (-9.0, -4.25, -2.25, -0.75, -1e-3, 0.375, 1.875, 6.5, 20.0)
"""None of them a kink of an entry's."""
ACCURACY = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2e-5, "float64": 1e-11}
"""How far a result may lie from the exact one, relative to it; tenfold for second and third derivatives."""

F = Callable[..., torch.Tensor]
Run = Callable[[F, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Mode:
    """`run(f, x)` gives the derivative of an order at x, which requires its gradient."""

    name: str
    order: int
    run: Run
    refuses: str = ""
    """Why, where a mode isn't for every entry: a `ValueError` there is a refusal."""
    least: Mapping[str, float] = field(default_factory=dict)
    """What a result may be off in absolute terms, where a mode can't keep small values."""


def _ones(x: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(x, requires_grad=False)


def _differentiated(f: F, x: torch.Tensor, times: int, **options: Any) -> torch.Tensor:
    y = f(x, **options)
    for k in range(times):
        (y,) = grad(y, x, _ones(y), create_graph=k + 1 < times)
    return y


def _dual(f: F, x: torch.Tensor) -> torch.Tensor:
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(f(forward_ad.make_dual(x.detach(), _ones(x)))).tangent


def _batched(f: F, x: torch.Tensor) -> torch.Tensor:
    several = torch.stack([_ones(x), 2 * _ones(x)])
    (found,) = grad(f(x), x, several, is_grads_batched=True)
    return found[1] / 2


def _in_inference(f: F, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return f(x.detach().clone())


def _without_gradient(f: F, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return f(x)


def _with_hooks(f: F, x: torch.Tensor) -> torch.Tensor:
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.double(), lambda t: t.to(x.dtype)):
        return _differentiated(f, x, 1)


def _autocast(f: F, x: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return _differentiated(f, x, 1)


def _meta(f: F, x: torch.Tensor) -> torch.Tensor:
    found = _differentiated(f, x.detach().to("meta").requires_grad_(), 1)
    assert found.is_meta
    assert (found.shape, found.dtype) == (x.shape, x.dtype)
    return found


def _fake(f: F, x: torch.Tensor) -> torch.Tensor:
    from torch._subclasses import FakeTensorMode

    fake = FakeTensorMode()
    leaf = fake.from_tensor(x.detach()).requires_grad_()
    with fake:
        found = _differentiated(f, leaf, 1)
    assert (found.shape, found.dtype) == (x.shape, x.dtype)
    return found


def _make_fx(f: F, x: torch.Tensor) -> torch.Tensor:
    from torch.fx.experimental.proxy_tensor import make_fx

    return make_fx(lambda v: f(v))(x.detach()[:3])(x.detach())


def _symbolic_trace(f: F, x: torch.Tensor) -> torch.Tensor:
    return torch.fx.symbolic_trace(lambda v: f(v))(x.detach())


class _Wrapped(torch.Tensor):
    """A subclass that wraps another tensor and hands every operation on to it."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor, requires_grad: bool = False) -> _Wrapped:
        made = torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype, requires_grad=requires_grad)
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torch.utils._pytree import tree_map_only

        opened = tree_map_only(cls, lambda t: t.inner, (args, kwargs or {}))
        return tree_map_only(torch.Tensor, cls, func(*opened[0], **opened[1]))


def _subclass(f: F, x: torch.Tensor) -> torch.Tensor:
    found = _differentiated(f, _Wrapped(x.detach(), requires_grad=True), 1)
    assert isinstance(found, _Wrapped)
    return found.inner


def _negative_view(f: F, x: torch.Tensor) -> torch.Tensor:
    viewed = torch._neg_view(-x.detach())
    assert viewed.is_neg()
    return f(viewed)


class _Every(torch.nn.Module):
    """All entries at once, as one export costs as much as twelve."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(f(x) for f in _FUNCTIONS)


_FUNCTIONS = tuple(getattr(actfn.torch, name) for name in ENTRIES)


@cache
def _program(dtype: torch.dtype, strict: bool) -> Callable[[torch.Tensor], tuple[torch.Tensor, ...]]:
    length = torch.export.Dim("length", min=2)
    x = torch.ones(5, dtype=dtype)
    return torch.export.export(_Every(), (x,), dynamic_shapes={"x": {0: length}}, strict=strict).module()


def _exported(strict: bool, order: int) -> Run:
    return lambda f, x: _differentiated(lambda v: _program(x.dtype, strict)(v)[_FUNCTIONS.index(f)], x, order)


def _module(copied: Callable[[torch.nn.Module], torch.nn.Module]) -> Run:
    def run(f: F, x: torch.Tensor) -> torch.Tensor:
        return _differentiated(copied(actfn.torch.module(f.__name__)), x, 1)

    return run


def _saved_and_loaded(module: torch.nn.Module) -> torch.nn.Module:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


MODES = (
    Mode("f(x)", 0, lambda f, x: f(x.detach())),
    Mode("f(x) under `torch.no_grad`", 0, _without_gradient),
    Mode("f(x) under `torch.inference_mode`", 0, _in_inference),
    Mode("`inplace=True`", 0, lambda f, x: f(x.detach().clone(), inplace=True)),
    Mode(
        '`accuracy="correct"`',
        0,
        lambda f, x: f(x.detach(), accuracy="correct"),
        refuses="it isn't shown that its float32 kernel rounds correctly",
    ),
    Mode("backward", 1, lambda f, x: _differentiated(f, x, 1)),
    Mode("backward, `inplace=True`", 1, lambda f, x: _differentiated(lambda v: f(v.clone(), inplace=True), x, 1)),
    Mode(
        'backward, `save="output"`',
        1,
        lambda f, x: _differentiated(f, x, 1, save="output"),
        refuses="f' isn't known from f(x)",
        least=ACCURACY,  # of y, by way of which x is known
    ),
    Mode("double backward", 2, lambda f, x: _differentiated(f, x, 2)),
    Mode("third derivative", 3, lambda f, x: _differentiated(f, x, 3)),
    Mode("`is_grads_batched=True`", 1, _batched),
    Mode("hooks for saved tensors", 1, _with_hooks),
    Mode(
        "`torch.utils.checkpoint`",
        1,
        lambda f, x: _differentiated(lambda v: checkpoint(f, v, use_reentrant=False), x, 1),
    ),
    Mode("forward AD", 1, _dual),
    Mode("`torch.func.grad`, `vmap`", 1, lambda f, x: vmap(func_grad(f))(x.detach())),
    Mode("`torch.func.vjp`", 1, lambda f, x: vjp(f, x.detach())[1](_ones(x))[0]),
    Mode("`torch.func.jvp`", 1, lambda f, x: jvp(f, (x.detach(),), (_ones(x),))[1]),
    Mode("`torch.func.jacrev`", 1, lambda f, x: jacrev(f)(x.detach()).diagonal()),
    Mode("`torch.func.jacfwd`", 1, lambda f, x: jacfwd(f)(x.detach()).diagonal()),
    Mode("`torch.func.hessian`", 2, lambda f, x: hessian(lambda v: f(v).sum())(x.detach()).diagonal()),
    Mode("`torch.func.vmap`", 0, lambda f, x: vmap(f)(x.detach())),
    Mode("autocast", 1, _autocast),
    Mode("a subclass of Tensor", 1, _subclass),
    Mode("a lazily negated view", 0, _negative_view),
    Mode("meta tensors", 1, _meta),
    Mode("fake tensors", 1, _fake),
    Mode("`make_fx`", 0, _make_fx),
    Mode("`torch.fx.symbolic_trace`", 0, _symbolic_trace),
    Mode("`torch.export`", 0, _exported(False, 0)),
    Mode("`torch.export`, `strict=True`", 0, _exported(True, 0)),
    Mode("the gradient of what was exported, by autograd", 1, _exported(False, 1), least=ACCURACY),
    Mode("`copy.deepcopy` of the module", 1, _module(copy.deepcopy)),
    Mode("`torch.save`, `torch.load` of the module", 1, _module(_saved_and_loaded)),
)


@cache
def exact(name: str, order: int, dtype: str) -> list[float]:
    """The derivative of an order at the points, in the dtype."""
    entry = catalog.find(name)
    oracle = Oracle(derivative(entry.expression, order, entry.conventions))
    kind = DTYPES[dtype]
    narrow = torch.float32 if kind.itemsize == 2 else kind
    parameters = {n: float(torch.tensor(v, dtype=narrow)) for n, v in entry.defaults.items()}
    return [oracle.rounded(at, parameters, "float64") for at in torch.tensor(POINTS, dtype=kind).tolist()]


_NATIVE = {"elu", "celu", "selu", "relu", "leaky_relu", "sigmoid", "tanh", "silu", "softplus"}


def servant(events: Iterable[str], name: str) -> str:
    """What served a call, from the operations that a profile shows: kernel, native or expression."""
    seen = {event.removeprefix("aten::") for event in events if event.startswith("aten::")}
    if name in seen and name in _NATIVE and not seen & {"where", "exp", "expm1"}:
        return "native"
    return "expression" if seen & _ARITHMETIC else "kernel"


_ARITHMETIC = {
    "where", "exp", "expm1", "mul", "add", "sub", "div", "neg", "pow", "tanh", "erfc", "log1p", "abs", "sqrt", "rsub", "gt", "lt",
}  # fmt: skip


def outcome(mode: Mode, name: str, dtype: str) -> str:
    """Runs a mode, checks what comes, and says what served: kernel, native, expression, or refused.

    Raises `AssertionError` where the result is not the derivative, to the accuracy of its dtype.
    """
    f = getattr(actfn.torch, name)
    x = torch.tensor(POINTS, dtype=DTYPES[dtype], requires_grad=True)
    try:
        mode.run(f, x)  # once before, as what is first built or traced isn't what serves
        with torch.autograd.profiler.profile(use_kineto=False) as profile:
            found = mode.run(f, x)
    except ValueError:
        if not mode.refuses:
            raise
        return "refused"
    where = (mode.name, name, dtype)
    assert found.dtype == x.dtype, where
    if not (found.is_meta or type(found).__name__ == "FakeTensor"):
        within = ACCURACY[dtype] * (10 if mode.order > 1 else 1)
        least = mode.least.get(dtype, 2.0**-22 if dtype == "float16" else torch.finfo(x.dtype).smallest_normal)
        for at, got, true in zip(x.tolist(), found.tolist(), exact(name, mode.order, dtype), strict=True):
            close = abs(got - true) <= within * abs(true) + least
            assert close or (math.isinf(got) and got == true), (*where, at, got, true)
    return servant((event.name for event in profile.function_events or ()), name)


def table(outcomes: dict[tuple[str, str, str], str]) -> str:
    """The page, from what `outcome` said of (mode, entry, dtype)."""
    lines = [HEAD]
    for mode in MODES:
        lines.append(f"| {mode.name} | {_said(mode, outcomes)} |")
    return "\n".join(lines) + "\n"


def _said(mode: Mode, outcomes: dict[tuple[str, str, str], str]) -> str:
    """What serves: the usual first, then what differs by entry and dtype."""
    of_mode = {(name, dtype): said for (m, name, dtype), said in outcomes.items() if m == mode.name}
    counts: dict[str, int] = {}
    for said in of_mode.values():
        counts[said] = counts.get(said, 0) + 1
    parts = []
    for said in sorted(counts, key=lambda s: (-counts[s], s)):
        where: dict[tuple[str, ...], list[str]] = {}
        for name in ENTRIES:
            asked = [d for n, d in CASES if n == name]
            dtypes = tuple(d for d in asked if of_mode[name, d] == said)
            if dtypes:
                where.setdefault(dtypes if len(dtypes) < len(asked) else (), []).append(name)
        listed = "; ".join(
            ", ".join(names) + (f" in {', '.join(dtypes)}" if dtypes else "") for dtypes, names in where.items()
        )
        reason = f" ({mode.refuses})" if said == "refused" else ""
        parts.append(said + reason if not parts else f"{said}{reason}: {listed}")
    return ". ".join(parts)


HEAD = f"""\
# How each mode of PyTorch is served

Written by `python -m benchmarks.modes` from what PyTorch's profiler saw; a test checks each line's results against the
oracle, and that this page is current. Entries and dtypes:
{"; ".join(f"{n} ({', '.join(d for m, d in CASES if m == n)})" for n in ENTRIES)}.

**kernel**: a compiled loop of ours. **native**: PyTorch's own operator, on fewer than 8,192 elements, where its value and
gradient are the formula's within a few ulps (`actfn.torch.set_native(False)` turns that off). **expression**: the printed
PyTorch expression of f and of each derivative. The first that is named serves all entries and dtypes but
those listed after the others. **refused** is a `ValueError` that says why.

What was exported is differentiated by autograd, through the operations of the expression: right to the precision of its
dtype, but no more relative to a small derivative. Every other line is right relative to the result.

`torch.compile(fullgraph=True)` takes the expression, forward and backward, with static and dynamic shapes
(`tests/torch/test_compile.py`); a second derivative has to be asked for inside what is compiled (`torch.func.hessian`), as
PyTorch refuses to differentiate the backward pass of compiled code. `save="output"` and `accuracy="correct"` are for
kernels; elsewhere they change nothing. DTensor and FSDP2 take the expression (`tests/torch/test_distributed.py`), and so
does `torch.onnx.export` (`tests/torch/test_export.py`).

| mode | served by |
|---|---|"""


def outcomes() -> dict[tuple[str, str, str], str]:
    """Of every mode, entry and dtype."""
    return {(m.name, name, dtype): outcome(m, name, dtype) for m in MODES for name, dtype in CASES}


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    PAGE.write_text(table(outcomes()))
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""PyTorch's own tests of its activations, OpInfo and ModuleInfo, run against ours; they ship in its wheel.

An adapter takes our function or module in the place of PyTorch's: its sample inputs, its error inputs, its checks of
gradients. `python -m tests.peers.torch_suite` writes the table in `docs/peers-torch.md`. It runs in a process of its own, as
importing PyTorch's test code changes global settings.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

from tests.peers.tally import Tally, finish, reasons

DTYPES = (torch.float32, torch.float64)
OPS = {
    "nn.functional.celu": "celu", "nn.functional.elu": "elu", "nn.functional.gelu": "gelu",
    "nn.functional.hardshrink": "hardshrink", "nn.functional.hardsigmoid": "hardsigmoid",
    "nn.functional.hardswish": "hardswish", "nn.functional.hardtanh": "hardtanh",
    "nn.functional.leaky_relu": "leaky_relu", "nn.functional.logsigmoid": "logsigmoid", "nn.functional.mish": "mish",
    "nn.functional.prelu": "prelu", "nn.functional.relu": "relu", "nn.functional.relu6": "relu6",
    "nn.functional.rrelu": "rrelu", "nn.functional.selu": "selu", "nn.functional.silu": "silu",
    "nn.functional.softplus": "softplus", "nn.functional.softshrink": "softshrink",
    "nn.functional.softsign": "softsign", "nn.functional.tanhshrink": "tanhshrink",
    "nn.functional.threshold": "threshold", "sigmoid": "sigmoid", "tanh": "tanh", "abs": "absolute", "asinh": "arcsinh",
    "atan": "arctan", "cos": "cosine", "erf": "erf", "exp": "exponential", "sign": "sign", "sin": "sine",
    "square": "quadratic", "special.ndtr": "normal_cdf",
}  # fmt: skip
"""PyTorch's name -> ours."""
MODULES = (
    "CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid", "Mish", "PReLU",
    "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
)  # fmt: skip

EXPECTED: dict[str, str] = {}
"""Name and check -> why a failure is right, or not ours to mend. One that passes is reported."""


def close(got: torch.Tensor, expected: torch.Tensor) -> None:
    """By PyTorch's own tolerances. What is expected is PyTorch's result in float64: its 16-bit ones are rounded twice."""
    torch.testing.assert_close(got, expected.to(got.dtype), equal_nan=True)


def wide(value: Any) -> Any:
    """A tensor, or each in what holds some, in float64; a leaf where it was one."""
    return torch.utils._pytree.tree_map_only(
        torch.Tensor,
        lambda t: t.detach().double().requires_grad_(t.requires_grad) if t.is_floating_point() else t,
        value,
    )


def of_samples(
    info: Any, ours: Callable[..., torch.Tensor], dtype: torch.dtype
) -> Iterator[tuple[str, Callable[[], None]]]:
    """(check, a test) of each sample input."""
    for sample in info.sample_inputs("cpu", dtype, requires_grad=True):
        training = sample.kwargs.get("training", False) or (info.name.endswith("rrelu") and True in sample.args)

        def values(sample: Any = sample, training: bool = training) -> None:
            got = ours(sample.input, *sample.args, **sample.kwargs)
            x, args, kwargs = wide((sample.input, sample.args, sample.kwargs))
            expected = info.op(x, *args, **kwargs)
            assert got.shape == expected.shape
            assert got.dtype == dtype
            if training:  # other random numbers
                return
            close(got, expected)
            if not expected.requires_grad:
                return
            mine, theirs = (
                [t for t in (first, *rest, *named.values()) if isinstance(t, torch.Tensor) and t.requires_grad]
                for first, rest, named in ((sample.input, sample.args, sample.kwargs), (x, args, kwargs))
            )
            slopes = torch.autograd.grad(got.sum(), mine), torch.autograd.grad(expected.sum(), theirs)
            for a, b in zip(*slopes, strict=True):
                close(a, b)

        yield "values, gradients", values
        if dtype is not torch.float64:
            continue
        tensors = tuple(t for t in (sample.input, *sample.args) if isinstance(t, torch.Tensor))
        count = len(tensors)

        def f(*given: torch.Tensor, sample: Any = sample, count: int = count) -> torch.Tensor:
            rest = [a for a in sample.args if not isinstance(a, torch.Tensor)]
            return ours(*given, *rest, **sample.kwargs)

        small = all(t.numel() <= 30 for t in tensors) and not training
        if not small:
            continue

        def derivatives(f: Any = f, tensors: Any = tensors) -> None:
            assert torch.autograd.gradcheck(f, tensors, check_forward_ad=True)

        def seconds(f: Any = f, tensors: Any = tensors) -> None:
            assert torch.autograd.gradgradcheck(f, tensors)

        yield "gradcheck", derivatives
        if info.supports_gradgrad:
            yield "gradgradcheck", seconds

        def vmapped(f: Any = f, sample: Any = sample, count: int = count) -> None:
            if count > 1 or sample.input.dim() == 0:
                return
            close(torch.func.vmap(f)(sample.input), f(sample.input))

        yield "vmap", vmapped


def of_errors(info: Any, ours: Callable[..., torch.Tensor]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Inputs that PyTorch refuses: ours has to refuse them too, whatever it says."""
    if info.error_inputs_func is None:
        return
    for error in info.error_inputs("cpu"):
        sample = error.sample_input

        def refused(sample: Any = sample) -> None:
            try:
                ours(sample.input, *sample.args, **sample.kwargs)
            except (TypeError, ValueError, RuntimeError):
                return
            raise AssertionError(f"not refused: {sample}")

        yield "error inputs", refused


def of_modules(info: Any, ours: type[torch.nn.Module]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Construction, forward, backward, and the reference function of each module input."""
    for dtype in DTYPES:
        for training in (False, True):
            inputs = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)
            for given in inputs:
                made, called = given.constructor_input, given.forward_input

                def agrees(
                    made: Any = made, called: Any = called, given: Any = given, training: bool = training
                ) -> None:
                    mine = ours(*made.args, **made.kwargs).train(training).to(called.args[0].dtype)
                    theirs = info.module_cls(*made.args, **made.kwargs).train(training).to(called.args[0].dtype)
                    theirs.load_state_dict(mine.state_dict())
                    shown = [re.sub(r"\.0\b", "", repr(module)) for module in (mine, theirs)]  # 2.0 where 2 was given
                    assert shown[0] == shown[1], shown
                    theirs.double()
                    got, (args, kwargs) = mine(*called.args, **called.kwargs), wide((called.args, called.kwargs))
                    expected = theirs(*args, **kwargs)
                    if training and info.module_cls is torch.nn.RReLU:
                        assert got.shape == expected.shape
                        return
                    close(got, expected)
                    if given.reference_fn is not None:
                        close(got, given.reference_fn(theirs, *args, **kwargs))
                    leaves = [called.args[0], *mine.parameters()], [args[0], *theirs.parameters()]
                    pairs = zip(
                        torch.autograd.grad(got.sum(), leaves[0]),
                        torch.autograd.grad(expected.sum(), leaves[1]),
                        strict=True,
                    )
                    for a, b in pairs:
                        close(a, b)

                yield "module", agrees


def run() -> dict[tuple[str, str], Tally]:
    """Every check of every name."""
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db

    import actfn.torch

    found: dict[tuple[str, str], Tally] = {}

    def do(name: str, check: str, test: Callable[[], None]) -> None:
        found.setdefault((name, check), Tally()).do(test)

    for info in op_db:
        if info.name not in OPS or info.variant_test_name:
            continue
        ours = getattr(actfn.torch, OPS[info.name])
        for dtype in DTYPES:
            if info.supports_dtype(dtype, "cpu"):
                for check, test in of_samples(info, ours, dtype):
                    do(info.name, check, test)
        for check, test in of_errors(info, ours):
            do(info.name, check, test)
    for info in module_db:
        name = info.module_cls.__name__
        if name in MODULES:
            for check, test in of_modules(info, getattr(actfn.torch, name)):
                do(f"nn.{name}", check, test)
    return found


CHECKS = ("values, gradients", "gradcheck", "gradgradcheck", "vmap", "error inputs", "module")


def table(found: dict[tuple[str, str], Tally]) -> str:
    """The page: passed of all, or a dash where PyTorch has no such test of the function."""
    lines = [HEAD.format(version=torch.__version__.partition("+")[0])]
    for name in sorted({name for name, _ in found}):
        cells = []
        for check in CHECKS:
            tally = found.get((name, check))
            total = tally and tally.passed + len(tally.failed)
            cells.append(f"{tally.passed}/{total}" if tally else "-")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, *reasons("What fails, and why", EXPECTED)]) + "\n"


HEAD = """\
# PyTorch's own tests, run against ours

Written by `python -m tests.peers.torch_suite`, from OpInfo and ModuleInfo of torch {version}; CI runs it and checks that this
page is current. Each cell is passed/applicable, over float32 and float64; `-`: PyTorch has no such test.

| | values, gradients | gradcheck | gradgradcheck | vmap | error inputs | module |
|---|---|---|---|---|---|---|"""


def main() -> int:
    warnings.simplefilter("ignore")
    found = run()
    failed = {f"{name}, {check}": t.failed for (name, check), t in found.items() if t.failed}
    return finish("torch", table(found), failed, EXPECTED)


if __name__ == "__main__":
    sys.exit(main())

"""The data of a plot: x, f(x) and f'(x) of any module or callable, as a dictionary and, on request, a JSON file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from actfn.files import write_json


def visualize_activation(
    x: torch.Tensor, acti: Callable[[torch.Tensor], torch.Tensor], save_path: str | Path | None = None
) -> dict[str, list]:
    """`{"x", "y", "yp"}` as nested lists: the points, the function's values there, and its derivative by autograd.

    `x` is a floating-point tensor of any shape, `acti` an elementwise module or callable; neither is changed, nor are
    the gradients of the module's parameters. With `save_path` the dictionary is written there as JSON too (NaN and
    infinity as null), whole or not at all; missing folders are made.
    Raises `TypeError` for another `x` or a result that isn't a tensor of x's shape, `OSError` where it can't be written.
    """
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        raise TypeError(
            f"x is a floating-point tensor, such as torch.linspace(-2, 2, 1000), not {getattr(x, 'dtype', type(x))}"
        )
    with torch.enable_grad():
        points = x.detach().clone().requires_grad_()
        y = acti(points.clone())  # a copy, so that an activation that works in place can be shown too
        if not isinstance(y, torch.Tensor) or y.shape != x.shape:
            shape = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
            raise TypeError(f"an activation gives a tensor of x's shape, {tuple(x.shape)}; this one gave {shape}")
        slope = None
        if y.requires_grad:
            (slope,) = torch.autograd.grad(y.sum(), points, allow_unused=True)
    if slope is None:
        slope = torch.zeros_like(points)
    data = {"x": points.detach().tolist(), "y": y.detach().tolist(), "yp": slope.detach().tolist()}
    if save_path is not None:
        write_json(Path(save_path), data)
    return data

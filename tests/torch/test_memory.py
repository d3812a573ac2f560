"""Large results share no memory with anything that is in use, and use what was freed again."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
import torch

import actfn.torch
from actfn.torch import memory
from actfn.torch.eager import empty_like

SIZE = memory.LARGE


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    most = memory._most
    memory.set_kept_memory(0)
    memory.set_kept_memory(4 * SIZE)
    yield
    memory.set_kept_memory(0)
    memory.set_kept_memory(most)


def large() -> torch.Tensor:
    return empty_like(torch.empty(SIZE // 4, dtype=torch.float32))


def test_what_was_freed_is_used_again() -> None:
    y = large()
    place = y.data_ptr()
    del y
    assert large().data_ptr() == place


@pytest.mark.parametrize(
    "hold",
    [
        lambda y: y,
        lambda y: y[5:],
        lambda y: y.view(torch.int32),
        lambda y: y.numpy()[::2],
        lambda y: y.untyped_storage(),
        lambda y: y.detach(),
        memoryview,
    ],
    ids=["tensor", "slice", "view", "array", "storage", "detached", "memoryview"],
)
def test_what_is_in_use_is_not(hold) -> None:
    y = large()
    place = y.data_ptr()
    held = hold(y if hold is not memoryview else y.numpy())
    del y
    gc.collect()
    others = [large() for _ in range(6)]  # more than are kept
    assert place not in [other.data_ptr() for other in others]
    assert len({other.data_ptr() for other in others}) == len(others)
    del held


def test_a_graph_keeps_what_it_saved() -> None:
    x = torch.linspace(-3, 3, SIZE // 4, requires_grad=True)
    y = actfn.torch.elu(x, save="output")
    total = (y * 1).sum()
    del y
    for _ in range(3):
        actfn.torch.elu(torch.full_like(x, 7.0))  # would overwrite what backward needs
    total.backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad[:5], x.detach()[:5].exp(), rtol=1e-5, atol=1e-6)
    assert x.grad[-1] == 1


def test_no_more_is_kept_than_asked() -> None:
    memory.set_kept_memory(2 * SIZE)
    several = [large() for _ in range(4)]
    places = {y.data_ptr() for y in several}
    assert len(memory._kept) == 2
    del several
    assert sum(large().data_ptr() in places for _ in range(1)) == 1
    memory.set_kept_memory(0)
    assert memory._kept == []
    large()
    assert memory._kept == []
    with pytest.raises(ValueError, match="whole number of bytes"):
        memory.set_kept_memory(-1)


def test_threads_never_get_the_same() -> None:
    places: list[int] = []
    mine: list[torch.Tensor] = []

    def work() -> None:
        for _ in range(20):
            y = large()
            mine.append(y)
            places.append(y.data_ptr())

    memory.set_kept_memory(64 * SIZE)
    for _ in range(2):
        del mine[:]
        del places[:]
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(places)) == 60

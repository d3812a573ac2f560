"""Entries x modes x dtypes: each gives the exact derivative, and the page that says what serves is current."""

from __future__ import annotations

import pytest

from benchmarks import modes

pytestmark = [
    # What PyTorch says of its own code on first use.
    pytest.mark.filterwarnings("ignore:.torch.jit.script.*is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.:FutureWarning"),
    pytest.mark.filterwarnings("ignore:CPU Autocast only supports:UserWarning"),
]
OUTCOMES: dict[tuple[str, str, str], str] = {}


@pytest.mark.parametrize("mode", modes.MODES, ids=lambda mode: mode.name)
def test_every_entry_in_every_dtype(mode: modes.Mode) -> None:
    for name, dtype in modes.CASES:
        OUTCOMES[mode.name, name, dtype] = modes.outcome(mode, name, dtype)


def test_the_page_is_current() -> None:
    if len(OUTCOMES) < len(modes.MODES) * len(modes.CASES):
        pytest.skip("needs every mode's test in this session")
    assert modes.PAGE.read_text() == modes.table(OUTCOMES), "run `python -m benchmarks.modes`"


def test_a_wrong_derivative_is_noticed() -> None:
    wrong = modes.Mode("wrong", 1, lambda f, x: f(x.detach()))
    with pytest.raises(AssertionError):
        modes.outcome(wrong, "gelu", "float32")


def test_a_refusal_that_is_not_expected_is_an_error() -> None:
    refusing = modes.Mode("refusing", 1, lambda f, x: f(x, save="output"))
    with pytest.raises(ValueError, match="gelu"):
        modes.outcome(refusing, "gelu", "float32")

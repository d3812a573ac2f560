"""Keras' tests of its activations and their layers against ours, on both backends: all pass, as the committed table says."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.peers.tally import assert_suite_passes


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not all(map(find_spec, ("keras", "torch", "jax"))), reason="needs Keras on PyTorch and on JAX")
def test_keras_own_tests_pass() -> None:
    assert_suite_passes("keras", seconds=280)

"""JAX's tests of its activations against ours where their file is at hand, and what JAX does ship: its check of gradients."""

from __future__ import annotations

import os

import pytest

from tests.peers.tally import assert_suite_passes

jax = pytest.importorskip("jax")

import actfn.jax  # noqa: E402  (needs jax)
from tests.peers.jax_suite import NAMES  # noqa: E402
from tests.test_jax import x64  # noqa: E402

FILE = os.environ.get("ACTFN_JAX_TESTS", "")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not FILE, reason="JAX ships its tests in no distribution; ACTFN_JAX_TESTS names their nn_test.py")
def test_jax_own_tests_pass() -> None:
    assert_suite_passes("jax", FILE, seconds=280)


@pytest.mark.parametrize("name", sorted({*NAMES.values(), "gelu", "gelu_tanh"}))
def test_jax_check_of_gradients(name: str) -> None:
    """Away from breakpoints, with numerical differences, forward and backward, twice."""
    from jax.test_util import check_grads

    with x64():
        x = jax.numpy.array([-4.3, -1.7, -0.6, 0.4, 1.6, 7.2])
        check_grads(getattr(actfn.jax, name), (x,), order=2, modes=("fwd", "rev"))

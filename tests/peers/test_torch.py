"""PyTorch's OpInfo and ModuleInfo against ours: all applicable checks pass, and the committed table says so."""

from __future__ import annotations

import pytest

from tests.peers.tally import assert_suite_passes


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_pytorchs_own_tests_pass() -> None:
    pytest.importorskip("expecttest")  # PyTorch's test code imports it
    assert_suite_passes("torch", seconds=380)

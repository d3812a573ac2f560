"""ONNX's node tests against our ufuncs and our models: all that are applicable pass, as the committed table says."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.peers.tally import assert_suite_passes


@pytest.mark.slow
@pytest.mark.skipif(not all(map(find_spec, ("onnx", "onnxruntime"))), reason="needs ONNX and ONNX Runtime")
def test_onnx_own_node_tests_pass() -> None:
    assert_suite_passes("onnx")

"""JAX's own tests of its activations, run against ours: `python -m tests.peers.jax_suite PATH/nn_test.py`.

They lie in JAX's repository and in none of its distributions, so that whoever runs this names the file; nothing of it is
kept here but the table in `docs/peers-jax.md`. The file is loaded with ours in the place of the functions of `jax.nn`.
"""

from __future__ import annotations

import json
import sys
import unittest
import warnings
from functools import partial
from hashlib import sha1
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from unittest import mock

import jax

import actfn.jax
from tests.peers.tally import (
    by_test,
    cases,
    details,
    failures,
    finish,
    of_processes,
    outcome,
    reasons,
    run_applicable,
    summary,
)

NAMES = {
    "celu": "celu", "elu": "elu", "hard_sigmoid": "hardsigmoid", "hard_silu": "hardswish", "hard_swish": "hardswish",
    "hard_tanh": "hardtanh", "identity": "identity", "leaky_relu": "leaky_relu", "log_sigmoid": "logsigmoid",
    "mish": "mish", "relu": "relu", "relu6": "relu6", "selu": "selu", "sigmoid": "sigmoid", "silu": "silu",
    "soft_sign": "softsign", "softplus": "softplus", "sparse_plus": "sparse_plus", "sparse_sigmoid": "sparse_sigmoid",
    "squareplus": "squareplus", "swish": "silu", "tanh": "tanh",
}  # fmt: skip
"""JAX's name -> ours. `gelu` chooses between two of ours by `approximate`."""

READ_AT = {"c179d8c13d33c4805afde428358aabee1474e2fe": "jax-v0.10.2, commit 990e6a0b84138346e6a38785412f36356e0e5dc3"}
"""Git's hash of the file -> where in the history of JAX's repository it is."""

NOT_APPLICABLE = {
    r"testScaled.*|testDotProductAttention.*": "products of matrices, and attention",
    r"testSoftmax.*|testStandardize.*|testOneHot.*|testLogMeanExp.*": "not elementwise",
    r"testGluValue": "gated units are modules of `actfn.torch`, and no functions of one x",
    r"testLog1mExp.*": "log(1 - exp(-x)) is no activation",
    r"testCustomJVPLeak2": "of a function that the test itself defines",
    r"testTanhExists": "calls nothing",
}
"""Pattern of cases -> why ours can't be put there. One that matches none is reported."""
EXPECTED: dict[str, str] = {}
"""Case and precision -> why a failure is right, or not ours to mend. One that passes is reported."""


def gelu(x: Any, approximate: bool = True) -> jax.Array:
    return actfn.jax.gelu_tanh(x) if approximate else actfn.jax.gelu(x)


def run(path: Path) -> dict[str, dict[str, str]]:
    """Every case of the file, at the precision of this process."""
    spec = spec_from_file_location("nn_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    stand_ins = {theirs: getattr(actfn.jax, ours) for theirs, ours in NAMES.items()} | {"gelu": gelu}
    with mock.patch.multiple(jax.nn, **stand_ins):
        spec.loader.exec_module(module)  # which takes some for the parameters of cases
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(module.NNFunctionsTest)
        listed = {name.partition(".")[2]: partial(outcome, case) for name, case in cases(suite)}
        return run_applicable(listed, NOT_APPLICABLE)


HEAD = """\
# JAX's own tests, run against ours

Written by `python -m tests.peers.jax_suite PATH/nn_test.py`, under jax {version}, from the file `tests/nn_test.py` of JAX's
repository, which no distribution of JAX has. The file was that of {read_at}
(Git's hash of it: `{blob}`). CI runs it where `ACTFN_JAX_TESTS` names the file.
Cases are those of `NNFunctionsTest`, in a process without 64-bit types and in one with them.
"""


_NUMBER = r"\d+"


def git_hash(path: Path) -> str:
    text = path.read_bytes()
    return sha1(b"blob %d\0" % len(text) + text).hexdigest()


def table(ran: dict[str, dict[str, str]], aside: dict[str, dict[str, str]], blob: str) -> str:
    head = HEAD.format(version=jax.__version__, read_at=READ_AT.get(blob, "a version not known here"), blob=blob)
    lines = [head, *summary(ran, aside), *details(ran, _NUMBER)]
    whole = {test: why[0] for test, why in by_test(aside["32-bit"], _NUMBER).items()}
    lines += reasons("What fails, and why", EXPECTED) + reasons("What is not applicable, and why", whole)
    return "\n".join(lines) + "\n"


def main() -> int:
    warnings.simplefilter("ignore")
    (path,) = [Path(a) for a in sys.argv[1:] if not a.startswith("--")] or sys.exit(f"which file? {__doc__}")
    if "--found" in sys.argv:
        print(json.dumps(run(path)))
        return 0
    precisions = {"32-bit": {"JAX_ENABLE_X64": "false"}, "64-bit": {"JAX_ENABLE_X64": "true"}}
    ran, aside = of_processes("jax", precisions, str(path))
    return finish("jax", table(ran, aside, git_hash(path)), failures(ran), EXPECTED)


if __name__ == "__main__":
    sys.exit(main())

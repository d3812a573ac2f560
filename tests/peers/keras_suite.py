"""Keras' own tests of its activations, run against ours on its torch and JAX backends.

They ship in its wheel: `activations_test.py`, the tests of `layers/activations`, and cases of `ops/nn_test.py`. An adapter
puts ours in the place of the names that an installed test module calls. `python -m tests.peers.keras_suite` writes the table
in `docs/peers-keras.md`; it runs each backend in a process of its own, as Keras chooses one on import.
"""

from __future__ import annotations

import json
import re
import sys
import unittest
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any
from unittest import mock

from tests.peers.tally import cases, details, failures, finish, of_processes, outcome, reasons, run_applicable, summary

NAMES = {
    "celu": "celu", "elu": "elu", "exponential": "exponential", "hard_shrink": "hardshrink", "hard_sigmoid": "hardsigmoid",
    "hard_silu": "hardswish", "hard_tanh": "hardtanh", "leaky_relu": "leaky_relu", "linear": "identity",
    "log_sigmoid": "logsigmoid", "mish": "mish", "relu6": "relu6", "selu": "selu", "sigmoid": "sigmoid", "silu": "silu",
    "soft_shrink": "softshrink", "softplus": "softplus", "softsign": "softsign", "sparse_plus": "sparse_plus",
    "sparse_sigmoid": "sparse_sigmoid", "squareplus": "squareplus", "tanh": "tanh", "tanh_shrink": "tanhshrink",
    "threshold": "threshold",
}  # fmt: skip
"""Keras' name -> ours. `gelu` and `relu` choose among several of ours by their arguments."""

_CONFIG = "its configuration is that of a formula here, with other keys"
NOT_APPLICABLE = {
    r"ActivationsTest\.test_(temporal_)?(log_)?softmax.*": "softmax is not elementwise",
    r"ActivationsTest\.test_sparsemax": "sparsemax is not elementwise",
    r"ActivationsTest\.test_glu": "gated units are modules of `actfn.torch`, and no functions of one x",
    r"ActivationsTest\.test_get_method": "looks up names of Keras' own activations",
    r"SoftmaxTest\..*": "softmax is not elementwise",
    r"PReLUTest\.test_prelu": "initialiser, regulariser and constraint are arguments that our layers don't have",
    r"ReLUTest\.test_get_config.*": _CONFIG,
    r"ReLUTest\.test_from_config": _CONFIG,
}
"""Pattern of cases -> why ours can't be put there. One that matches none is reported."""
EXPECTED: dict[str, str] = {}
"""Case and backend -> why a failure is right, or not ours to mend. One that passes is reported."""


# -- ours in their place ----------------------------------------------------------------------------------------------------


def general_relu(max_value: float | None, negative_slope: float, threshold: float) -> dict[str, Any]:
    """The `relu` of Keras with arguments, as a formula: what `Formula` takes."""
    above = "x" if max_value is None else "min(x, max_value)"
    given = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
    numbers = {n: v for n, v in given.items() if n != "max_value" or v is not None}
    formula = f"where(x > threshold, {above}, negative_slope*(x - threshold))"
    return {"formula": formula, "parameters": numbers, "domains": dict.fromkeys(numbers, "nonnegative")}


def functions() -> SimpleNamespace:
    """What stands for the module `keras.src.activations`."""
    import actfn.keras
    from actfn.definition import Definition, Parameter

    def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
        if (negative_slope, max_value, threshold) == (0.0, None, 0.0):
            return actfn.keras.relu(x)
        told = general_relu(max_value, negative_slope, threshold)
        parameters = [Parameter(n, v, told["domains"][n]) for n, v in told["parameters"].items()]
        return actfn.keras.function(Definition("general_relu", told["formula"], parameters))(x)

    def gelu(x: Any, approximate: bool = False) -> Any:
        return actfn.keras.gelu_tanh(x) if approximate else actfn.keras.gelu(x)

    named = {theirs: getattr(actfn.keras, ours) for theirs, ours in NAMES.items()}
    named["leaky_relu"] = actfn.keras.leaky_relu.at(negative_slope=0.2)  # Keras' default
    return SimpleNamespace(**named, relu=relu, gelu=gelu)


def operations() -> SimpleNamespace:
    """What stands for the module `keras.src.ops.nn`: what isn't ours stays, with the operations as classes."""
    theirs, ours = import_module("keras.src.ops.nn"), functions()
    named = {name: f for name, f in vars(ours).items() if hasattr(theirs, name)}
    return SimpleNamespace(**{**vars(theirs), **named, "gelu": lambda x, approximate=True: ours.gelu(x, approximate)})


def layers() -> dict[str, SimpleNamespace]:
    """Test module -> what stands for the module, or the package, of whose layer it is."""
    import keras

    import actfn.keras

    registered = keras.saving.register_keras_serializable("peers")

    @registered
    class ReLU(actfn.keras.Formula):
        """Saved as the formula that it is."""

        def __init__(self, max_value: Any = None, negative_slope: Any = 0.0, threshold: Any = 0.0, **arguments: Any):
            told = (
                arguments if "formula" in arguments else general_relu(max_value, negative_slope, threshold) | arguments
            )
            super().__init__(**told)

    @registered
    class Activation(keras.layers.Activation):
        """Ours by name, where a test names Keras' own."""

        def __init__(self, activation: Any, **arguments: Any):
            super().__init__(actfn.keras.relu if activation == "relu" else activation, **arguments)

    def prelu(shared_axes: tuple[int, ...], **_: Any) -> Any:
        """A vector of alphas along the last axis, which the test assigns in the shape of Keras' weight."""
        assert shared_axes == (1, 2)
        made = actfn.keras.PReLU(learnable=True, axis=-1)
        made.alpha = SimpleNamespace(assign=lambda values: made.weights[0].assign(values.reshape(-1)))
        return made

    return {
        "activation": SimpleNamespace(Activation=Activation),
        "elu": SimpleNamespace(ELU=actfn.keras.ELU),
        "leaky_relu": SimpleNamespace(LeakyReLU=actfn.keras.LeakyReLU),
        "prelu": SimpleNamespace(PReLU=prelu),
        "relu": SimpleNamespace(ReLU=ReLU),
        "softmax": SimpleNamespace(),
    }


# -- the run ----------------------------------------------------------------------------------------------------------------


def modules() -> Iterator[tuple[Any, dict[str, Any], str]]:
    """(an installed test module, name in it -> what stands for it, a pattern of the cases that are of activations)."""
    ours = functions()
    yield import_module("keras.src.activations.activations_test"), {"activations": ours}, ""
    yield (
        import_module("keras.src.ops.nn_test"),
        {"knn": operations()},
        rf".*\.test_({'|'.join(vars(ours))})(_b?float\d+)?$",
    )
    for name, stand_in in layers().items():
        module = import_module(f"keras.src.layers.activations.{name}_test")
        given = {"layers": stand_in, "activations": ours} if name == "activation" else {name: stand_in}
        yield module, given, ""


def refused(case: unittest.TestCase, kind: type[BaseException], _: str) -> Any:
    """Ours has to refuse what theirs refuses, by the same type; its message is its own."""
    return case.assertRaises(kind)  # noqa: PT027  (the case is of unittest)


def run() -> dict[str, dict[str, str]]:
    """Every case, on the backend of this process."""
    import numpy as np

    def put_and_run(case: unittest.TestCase, module: Any, given: dict[str, Any]) -> str:
        with mock.patch.multiple(module, **given), mock.patch.object(type(case), "assertRaisesRegex", refused):
            np.random.seed(0)  # Keras' own tests draw at random
            return outcome(case)

    listed = {
        name: partial(put_and_run, case, module, given)
        for module, given, pattern in modules()
        for name, case in cases(unittest.defaultTestLoader.loadTestsFromModule(module))
        if re.match(pattern, name)
    }
    return run_applicable(listed, NOT_APPLICABLE)


HEAD = """\
# Keras' own tests, run against ours

Written by `python -m tests.peers.keras_suite`, from tests that keras {version} ships: those of activations, of their layers, and
of activations as operations (`NNOps...`). CI runs it on both backends and checks that this page is current. Where a test
expects an error, ours has to raise the same type, with a message of its own. `relu` with arguments is a formula of one's own
here (`actfn.keras.Formula`).
"""


def table(ran: dict[str, dict[str, str]], aside: dict[str, dict[str, str]]) -> str:
    lines = [HEAD.format(version=version("keras")), *summary(ran, aside), *details(ran, "_b?float[0-9]+")]
    lines += reasons("What fails, and why", EXPECTED) + reasons("What is not applicable, and why", aside["torch"])
    return "\n".join(lines) + "\n"


def main() -> int:
    if "--found" in sys.argv:
        print(json.dumps(run()))
        return 0
    ran, aside = of_processes("keras", {backend: {"KERAS_BACKEND": backend} for backend in ("torch", "jax")})
    return finish("keras", table(ran, aside), failures(ran), EXPECTED)


if __name__ == "__main__":
    sys.exit(main())

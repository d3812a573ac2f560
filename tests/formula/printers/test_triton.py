"""Triton: printed functions give the formula's values, with NumPy's functions in the place of Triton's."""

from __future__ import annotations

import math
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from sympy import Symbol

from actfn.catalog import entries
from actfn.formula import X
from actfn.formula.functions import erfc
from actfn.formula.printers import UnprintableError, printer
from actfn.formula.printers.triton import TritonPrinter

NAMES = ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "cbrt", "pow")
LIBDEVICE = {
    **{name: getattr(np, name, np.power) for name in NAMES},
    **{f"{a}{f}": getattr(np, f"arc{f}") for a, f in (("a", "sin"), ("a", "cos"), ("a", "tan"), ("a", "sinh"))},
    "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),
}


@pytest.fixture(autouse=True)
def triton(monkeypatch):
    """Modules that stand in for Triton's, where the code imports them."""
    modules = {name: ModuleType(name) for name in ("triton", "triton.language", "triton.language.extra")}
    modules["triton"].jit = lambda f: f
    modules["triton"].language = modules["triton.language"]
    language = modules["triton.language"]
    language.where, language.abs, language.zeros_like = np.where, np.abs, np.zeros_like
    language.constexpr = object
    modules["triton.language.extra"].libdevice = SimpleNamespace(**LIBDEVICE)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_values(expression, compiled, truth, points):
    at, values = points
    got = np.asarray(compiled(TritonPrinter(), expression)(np.array(at), **values))
    wanted = np.array(truth(expression))
    known = np.isfinite(wanted)
    np.testing.assert_allclose(np.broadcast_to(got, wanted.shape)[known], wanted[known], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("n", range(2, 65))
def test_whole_powers_are_products(compiled, n):
    x = np.linspace(-2, 2, 17)
    f = compiled(TritonPrinter(), X**n)
    np.testing.assert_allclose(f(x, 0, 0, 0), x**n, rtol=1e-14)
    assert "libdevice.pow" not in TritonPrinter().function("f", ["x"], (), X**n)


def test_a_kernel_has_a_pointer_for_each_array_parameter_and_result():
    alpha, g = Symbol("alpha"), Symbol("_g")
    text = printer("triton").kernel("f", ["x", "_g"], ["alpha"], (), [g * alpha * X, erfc(X)], doc="a formula")
    assert "def f(x, _g, alpha):" in text
    assert "def f_kernel(_at_x, _at__g, _at_alpha, _at_0, _at_1, n, BLOCK: tl.constexpr, ARITHMETIC:" in text
    assert text.count("mask=inside, other=0") == text.count("tl.store") == 2
    compile(text, "f", "exec")


def test_what_triton_has_not_is_refused_by_name():
    from sympy import gamma

    with pytest.raises(UnprintableError, match="Triton has no gamma"):
        TritonPrinter().expression(gamma(X))


def test_every_entry_is_printed():
    for entry in entries().values():
        names = [p.name for p in entry.parameters]
        compile(TritonPrinter().function(entry.name, ["x", *names], (), entry.expression), entry.name, "exec")

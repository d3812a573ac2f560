"""Formulas that the printers' tests share, and a function from printed Python source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy
from sympy import Symbol

from actfn.formula import X, parse

SYMBOLS = {name: Symbol(name, real=True) for name in ("alpha", "beta", "negative_slope")}

FORMULAS = """x + 1; x - alpha; 2*x/3; 0.044715*x**3; alpha/x; x**2; x**-2; 2**x; pi*x; e*x; sqrt(x); x**alpha; exp(x); log(x)
sin(x); cos(x); tan(x); asin(x); acos(x); atan(x); sinh(x); cosh(x); tanh(x); asinh(x); erf(x); erfc(x); abs(x); sign(x)
expm1(x); log1p(x); sigmoid(alpha*x); softplus(x); cbrt(x); max(x, 0); min(x, alpha); max(alpha, x, beta); clip(x, -1, 1)
relu(x)**2; where(x > 0, x, alpha*(exp(x) - 1)); where(x >= 1, 1, where(x < -1, -1, x)); where(x > 0, 1, 0)
where(x > -1 and x < 1 or x > 2, x, 0); where(not (x > 0 and x < 1), x, 1); where(x == 0, 1, x); where(x != 0, x, alpha)
where(x > 0, 1, negative_slope); where(alpha > 1, x, 2*x); where(x > 0, alpha, beta); where(x > 2, x, where(x > 0, 1, alpha))
exp(alpha); 3; sqrt(2/pi); alpha; alpha*beta + 1; exp(alpha)*x; x*alpha**beta; max(alpha, beta)*x; where(alpha > beta, 1, 2)
(x + 1)**(alpha + 1); -(x + 1); -x**2; (-x)**3; 1/(1 + exp(-x)); x*(1 + x)/(2*(3 + x)); x - (alpha - 1); (x**2)**alpha
sigmoid(e)*x; expm1(exp(1)) + x"""


EVERY_FORMULA = [f.strip() for f in FORMULAS.replace("\n", ";").split(";")]


@pytest.fixture(scope="session")
def every_formula() -> list[str]:
    return EVERY_FORMULA


@pytest.fixture(params=EVERY_FORMULA)
def formula(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def read() -> Callable[[str], Any]:
    """A formula over alpha, beta and negative_slope as an expression."""
    return lambda formula: parse(formula, SYMBOLS)


@pytest.fixture
def expression(formula: str, read: Callable[[str], Any]) -> Any:
    return read(formula)


@pytest.fixture
def compiled() -> Callable[..., Callable[..., Any]]:
    """(printer, expression) -> the printed function of x, alpha, beta and negative_slope, run as Python."""

    def compiled(printer: Any, expression: Any, assignments: Any = ()) -> Callable[..., Any]:
        scope: dict[str, Any] = {}
        exec(printer.function("f", ["x", *SYMBOLS], assignments, expression, doc='a "doc" \\'), scope)
        assert scope["f"].__doc__ == 'a "doc" \\'
        return scope["f"]

    return compiled


X_VALUES = [-2.5, -1.0, -0.3125, 0.0, 0.40625, 1.0, 1.75, 3.0]
VALUES = {"alpha": 0.75, "beta": 1.5, "negative_slope": 0.125}
"""Exact in 16 bits, so that every dtype is asked the same question."""

_MPMATH = {
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus": lambda u: mpmath.log1p(mpmath.exp(u)),
    "cbrt": lambda u: mpmath.sign(u) * mpmath.cbrt(abs(u)),
    "maximum": max,
    "minimum": min,
    "sign": mpmath.sign,
    "Abs": abs,
}


@pytest.fixture
def truth() -> Callable[[Any], list[float]]:
    """The values of an expression at `X_VALUES`, to 40 digits and rounded; NaN where it is no finite real number."""

    def truth(expression: Any) -> list[float]:
        function = sympy.lambdify([X, *SYMBOLS.values()], expression, modules=[_MPMATH, "mpmath"])
        found = []
        with mpmath.workdps(40):
            for x in X_VALUES:
                try:
                    value = mpmath.mpmathify(function(mpmath.mpf(x), *map(mpmath.mpf, VALUES.values())))
                except ZeroDivisionError:
                    value = mpmath.nan
                found.append(float(value) if isinstance(value, mpmath.mpf) and mpmath.isfinite(value) else float("nan"))
        return found

    return truth


@pytest.fixture(scope="session")
def points() -> tuple[list[float], dict[str, float]]:
    """The x and the parameters at which `truth` gives values."""
    return X_VALUES, VALUES

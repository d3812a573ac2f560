"""Back to the formula language: what is printed here parses to the same function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import sympy
from sympy import Piecewise

from actfn.formula import functions
from actfn.formula.printers.target import ELEMENTARY, InfixPrinter


class TextPrinter(InfixPrinter):
    """Formulas as they are typed."""

    target = "the formula language"
    functions: ClassVar[Mapping[Any, str]] = {
        Piecewise: "where",
        sympy.sqrt: "sqrt",
        sympy.Abs: "abs",
        **{getattr(sympy, n): n for n in ("sign", *ELEMENTARY, "erf", "erfc")},
        **{getattr(functions, n): n for n in ["expm1", "log1p", "sigmoid", "softplus", "erfc", "cbrt"]},
        functions.maximum: "max",
        functions.minimum: "min",
    }
    constants: ClassVar[Mapping[Any, str]] = {
        sympy.pi: "pi",
        sympy.E: "e",
        sympy.oo: "infinity",
        -sympy.oo: "-infinity",
        sympy.nan: "nan",
        sympy.zoo: "infinity",
    }

"""Source for JavaScript (ES2020): scalar code, for the pages.

JavaScript has no erf: ours are a series near 0 and a continued fraction in the tail, each run to float64's end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Piecewise, Pow

from actfn.formula import functions
from actfn.formula.printers.c import square_parts
from actfn.formula.printers.target import ELEMENTARY, CodePrinter

_KEYWORDS = """await break case catch class const continue debugger default delete do else enum export extends false
finally for function if implements import in instanceof interface let new null package private protected public return
static super switch this throw true try typeof undefined NaN Infinity var void while with yield Math arguments eval"""

# erf(u) = 2/sqrt(pi) (u - u^3/3 + u^5/10 - ...) (DLMF 7.6.1): up to |u| = 0.5 the rest is a twelfth of u at most, so
# that what is rounded there hardly counts.
_ERF = """\
const _erf = (u) => {
  if (Math.abs(u) > 0.5) return u < 0 ? _erfc(-u) - 1 : 1 - _erfc(u);
  let power = 1, rest = 0;
  for (let n = 1; n < 16; n++) {
    power *= -u*u/n;
    rest += power/(2*n + 1);
  }
  return 1.1283791670955126*(u + u*rest);
};"""

# erfc(u) = exp(-u^2)/sqrt(pi) 1/(u + (1/2)/(u + 1/(u + (3/2)/(u + ...)))) (DLMF 7.9.4) above 0.5, cut after
# 220/u^2 + 8 steps, where the rest is below 1e-17. With h the float32 nearest u, h*h is exact, so exp(-u^2) doesn't lose
# u^2 ulps. The errors are measured in tests/formula/printers/test_js.py.
_ERFC = """\
const _erfc = (u) => {
  if (!(u > 0.5)) return 1 - _erf(u);
  if (u > 28) return 0;
  let f = u;
  for (let k = Math.ceil(220/(u*u)) + 8; k > 0; k--) f = u + k/2/f;
  const h = Math.fround(u), e = Math.exp(-h*h);
  return (e + e*Math.expm1((h - u)*(h + u)))*(0.5641895835477563/f);
};"""


# exp(c*u*u): what the products lose to rounding is found by splitting each factor in two that multiply exactly, and goes in
# as a factor of its own; where it isn't small, the exponential is 0, infinity or NaN.
_EXP_SQUARE = """\
const _lost = (a, b) => {
  const g = Math.fround(a), h = Math.fround(b);
  return g*h - a*b + g*(b - h) + (a - g)*h + (a - g)*(b - h);
};
const _exp_square = (c, u) => {
  const s = u*u, e = Math.exp(c*s), q = _lost(c, s) + c*_lost(u, u);
  return Math.abs(q) < 1 && e < Infinity ? e + e*q : e;
};"""


class JavaScriptPrinter(CodePrinter):
    """JavaScript."""

    target = "JavaScript"
    logic = (" && ", " || ", "!")
    keywords = frozenset(_KEYWORDS.split())
    relations: ClassVar[Mapping[str, str]] = {"==": "===", "!=": "!=="}
    functions: ClassVar[Mapping[Any, str]] = {
        Pow: "Math.pow",
        Piecewise: "",
        sympy.sqrt: "Math.sqrt",
        sympy.Abs: "Math.abs",
        **{getattr(sympy, n): f"Math.{n}" for n in ("sign", *ELEMENTARY)},
        sympy.erf: "_erf",
        sympy.erfc: "_erfc",
        functions.erfc: "_erfc",
        functions.expm1: "Math.expm1",
        functions.log1p: "Math.log1p",
        functions.cbrt: "Math.cbrt",
        functions.sigmoid: "_sigmoid",
        functions.softplus: "_softplus",
        functions.maximum: "Math.max",
        functions.minimum: "Math.min",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "_erf": _ERF,
        "_erfc": _ERFC,
        "_exp_square": _EXP_SQUARE,
        "_sigmoid": "const _sigmoid = (u) => Math.exp(Math.min(u, 0))/(1 + Math.exp(-Math.abs(u)));",
        "_softplus": "const _softplus = (u) => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));",
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "NaN", sympy.oo: "Infinity", -sympy.oo: "-Infinity"}
    gap = "\n"

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        parts = square_parts(arguments[0]) if function is sympy.exp else None
        return (
            super().call(function, arguments) if parts is None else f"_exp_square({', '.join(map(self._print, parts))})"
        )

    def where(self, condition: str, branch: str, otherwise: str) -> str:
        return f"({condition} ? {branch} : {otherwise})"

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        text = "".join(f"// {line}\n" for line in doc.splitlines())
        text += f"function {name}({', '.join(arguments)}) {{\n"
        return text + "".join(f"  const {left} = {right};\n" for left, right in lines) + f"  return {result};\n}}\n"

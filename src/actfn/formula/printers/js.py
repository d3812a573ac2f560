"""Source for JavaScript (ES2020): scalar code, for the pages.

JavaScript has no erf: ours are a series near 0 and a continued fraction in the tail, each run to float64's end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Piecewise, Pow

from actfn.formula import functions
from actfn.formula.printers.target import ELEMENTARY, CodePrinter

_KEYWORDS = """await break case catch class const continue debugger default delete do else enum export extends false
finally for function if implements import in instanceof interface let new null package private protected public return
static super switch this throw true try typeof undefined NaN Infinity var void while with yield Math arguments eval"""

# erf(u) = 2/sqrt(pi) exp(-u^2) sum_n 2^n u^(2n+1)/(2n+1)!! (DLMF 7.6.2) up to |u| = 0.5: no term cancels another.
_ERF = """\
const _erf = (u) => {
  if (Math.abs(u) > 0.5) return u < 0 ? _erfc(-u) - 1 : 1 - _erfc(u);
  let term = u, sum = u;
  for (let k = 3; Math.abs(term) > 1e-17*Math.abs(sum); k += 2) {
    term *= 2*u*u/k;
    sum += term;
  }
  return 1.1283791670955126*Math.exp(-u*u)*sum;
};"""

# erfc(u) = exp(-u^2)/sqrt(pi) 1/(u + (1/2)/(u + 1/(u + (3/2)/(u + ...)))) (DLMF 7.9.4) above 0.5, cut after
# 220/u^2 + 8 steps, where the rest is below 1e-17. Relative error of both: below 1e-15 wherever the value is at least
# 2^-1022 (u <= 26.54), as tests/formula/printers/test_js.py measures. With h the float32 nearest u, h*h is exact, so
# exp(-u^2) doesn't lose u^2 ulps.
_ERFC = """\
const _erfc = (u) => {
  if (!(u > 0.5)) return 1 - _erf(u);
  if (u > 28) return 0;
  let f = u;
  for (let k = Math.ceil(220/(u*u)) + 8; k > 0; k--) f = u + k/2/f;
  const h = Math.fround(u);
  return Math.exp(-h*h)*(0.5641895835477563*Math.exp((h - u)*(h + u))/f);
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
        "_sigmoid": "const _sigmoid = (u) => Math.exp(Math.min(u, 0))/(1 + Math.exp(-Math.abs(u)));",
        "_softplus": "const _softplus = (u) => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));",
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "NaN", sympy.oo: "Infinity", -sympy.oo: "-Infinity"}
    gap = "\n"

    def where(self, condition: str, branch: str, otherwise: str) -> str:
        return f"({condition} ? {branch} : {otherwise})"

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        text = "".join(f"// {line}\n" for line in doc.splitlines())
        text += f"function {name}({', '.join(arguments)}) {{\n"
        return text + "".join(f"  const {left} = {right};\n" for left, right in lines) + f"  return {result};\n}}\n"

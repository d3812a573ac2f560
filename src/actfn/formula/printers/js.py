"""Source for JavaScript (ES2020): scalar code, for the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Piecewise, Pow

from actfn.formula import functions
from actfn.formula.printers.target import CodePrinter

_KEYWORDS = """await break case catch class const continue debugger default delete do else enum export extends false
finally for function if implements import in instanceof interface let new null package private protected public return
static super switch this throw true try typeof undefined NaN Infinity var void while with yield Math arguments eval"""


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
        **{
            getattr(sympy, n): f"Math.{n}"
            for n in [
                "sign",
                "exp",
                "log",
                "sin",
                "cos",
                "tan",
                "asin",
                "acos",
                "atan",
                "sinh",
                "cosh",
                "tanh",
                "asinh",
            ]
        },
        functions.expm1: "Math.expm1",
        functions.log1p: "Math.log1p",
        functions.cbrt: "Math.cbrt",
        functions.sigmoid: "_sigmoid",
        functions.softplus: "_softplus",
        functions.maximum: "Math.max",
        functions.minimum: "Math.min",
    }
    helpers: ClassVar[Mapping[str, str]] = {
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

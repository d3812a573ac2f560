"""Source for Triton: a function of the elements of a block, and the kernel that loads, calls it and stores.

Elementary functions are those of libdevice, which are right to a few ulps where `tl.exp` is approximate. The code computes
in float32, or in float64 for tensors of that; a number or a parameter takes the dtype of what it meets.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, Piecewise, Pow, Symbol

from actfn.formula import functions
from actfn.formula.functions import X
from actfn.formula.printers.numpy import PythonPrinter
from actfn.formula.printers.target import ELEMENTARY

MAX_POWER = 64
"""Whole powers up to here are products; Triton has no operator for powers."""

_LOOP = """\
@triton.jit
def {name}({pointers}, n, BLOCK: tl.constexpr, ARITHMETIC: tl.constexpr):
    i = tl.program_id(0).to(tl.int64)*BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    {results} = {function}(
{loads}
    )
{stores}
"""


def _product(n: int) -> str:
    if n == 2:
        return "u*u"
    return f"_power{n - 1}(u)*u" if n % 2 else f"_power2(_power{n // 2}(u))"


class TritonPrinter(PythonPrinter):
    """Triton."""

    target = "Triton"
    modules = "import triton\nimport triton.language as tl\nfrom triton.language.extra import libdevice"
    library = "tl"
    keywords = frozenset(
        (*keyword.kwlist, *keyword.softkwlist, "triton", "tl", "libdevice", "i", "n", "inside", "BLOCK", "ARITHMETIC")
    )
    functions: ClassVar[Mapping[Any, str]] = {
        Piecewise: "tl.where",
        Pow: "libdevice.pow",
        sympy.sqrt: "libdevice.sqrt",
        sympy.Abs: "tl.abs",
        sympy.sign: "_sign",
        **{getattr(sympy, n): f"libdevice.{n}" for n in (*ELEMENTARY, "erf", "erfc")},
        functions.expm1: "libdevice.expm1",
        functions.log1p: "libdevice.log1p",
        functions.erfc: "libdevice.erfc",
        functions.cbrt: "libdevice.cbrt",
        functions.sigmoid: "_sigmoid",
        functions.softplus: "_softplus",
        functions.maximum: "_maximum",
        functions.minimum: "_minimum",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        name: f"@triton.jit\ndef {name}{code}"
        for name, code in {
            **{f"_power{n}": f"(u):\n    return {_product(n)}" for n in range(2, MAX_POWER + 1)},
            "_sign": "(u):\n    return tl.where(u > 0, 1.0, tl.where(u < 0, -1.0, u))",
            "_sigmoid": "(u):\n    e = libdevice.exp(tl.where(u < 0, u, -u))\n    return tl.where(u < 0, e, 1.0)/(1 + e)",
            "_softplus": "(u):\n"
            "    return tl.where(u < 0, 0.0, u) + libdevice.log1p(libdevice.exp(tl.where(u < 0, u, -u)))",
            # NaN in either is kept.
            "_maximum": "(a, b):\n    return tl.where((a > b) | (a != a), a, b)",
            "_minimum": "(a, b):\n    return tl.where((a < b) | (a != a), a, b)",
        }.items()
    }
    constants: ClassVar[Mapping[Any, str]] = {
        sympy.nan: 'float("nan")',
        sympy.oo: 'float("inf")',
        -sympy.oo: '-float("inf")',
    }

    def kernel(
        self,
        name: str,
        arrays: Sequence[str],
        parameters: Sequence[str],
        assignments: Sequence[tuple[Symbol, Expr]],
        results: Sequence[Expr],
        doc: str = "",
    ) -> str:
        """The function of a program, and `kernel_name(name)`, the kernel that calls it.

        That takes pointers to the arrays, to one number a parameter, and to the results; then how many elements there
        are, how many a program works on, and the dtype to compute in.
        """
        lines = [(self.identifier(symbol.name), self.expression(expr)) for symbol, expr in assignments]
        shown = ", ".join(self._filled(r, self.expression(r)) for r in results)
        function, arguments = self._function_name(name), [self.identifier(a) for a in (*arrays, *parameters)]
        code = self.definition(function, arguments, lines, shown, doc)
        outputs = [f"_{k}" for k in range(len(results))]
        pointers = [f"_at_{a}" for a in arguments]
        loads = [f"tl.load({p} + i, mask=inside, other=0).to(ARITHMETIC)" for p in pointers[: len(arrays)]]
        loads += [f"tl.load({p})" for p in pointers[len(arrays) :]]
        loop = _LOOP.format(
            name=self.kernel_name(name),
            pointers=", ".join([*pointers, *(f"_at{y}" for y in outputs)]),
            loads="\n".join(f"        {load}," for load in loads),
            results=", ".join(outputs),
            function=function,
            stores="\n".join(f"    tl.store(_at{y} + i, {y}, mask=inside)" for y in outputs),
        )
        return self._preamble(code) + code + "\n\n" + loop

    def kernel_name(self, name: str) -> str:
        """What the kernel of a function is called."""
        return f"{self._function_name(name)}_kernel"

    def _function_name(self, name: str) -> str:
        return self.identifier(f"f{name}" if name.startswith("_") else name)  # those of the kernel begin with _

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        escaped = doc.replace("\\", "\\\\").replace('"', '\\"')
        text = f"@triton.jit\ndef {name}({', '.join(arguments)}):\n" + f'    """{escaped}"""\n' * bool(doc)
        return text + "".join(f"    {left} = {right}\n" for left, right in lines) + f"    return {result}\n"

    def _filled(self, expr: Expr, text: str) -> str:
        """A number as a block: by itself it would be a float32."""
        return f"(tl.zeros_like({X.name}) + {text})" if expr.is_number else text

    def _need_array(self, *parts: Expr) -> None:
        """A parameter is a number of the dtype that is computed in."""

    def default(self, branches: Sequence[tuple[Expr, Any]], default: Expr) -> str:
        last, _ = branches[-1]
        text = self._print(default)
        return self._filled(default, text) if last.is_number else text

    def power(self, base: Expr, exponent: Expr) -> str:
        if exponent.is_Integer and 2 <= exponent <= MAX_POWER:
            return f"_power{int(exponent)}({self._print(base)})"
        return f"libdevice.pow({', '.join(self._filled(e, self._print(e)) for e in (base, exponent))})"

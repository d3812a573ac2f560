"""Source for C11: scalar double code over <math.h>, without a warning under -Wall -Wextra.

Every number is written as a double, so no division is one of integers. What <math.h> lacks, or answers without NaN
(fmax, fmin), are our own functions. The accuracy is stated and measured in tests/formula/printers/test_c.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, Mul, Piecewise, Pow, Rational

from actfn.formula import functions
from actfn.formula.printers.constants import literal
from actfn.formula.printers.target import ELEMENTARY, MUL, CodePrinter

_KEYWORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof
main linux unix abs labs llabs index double_t float_t INFINITY NAN HUGE_VAL fpclassify isfinite isinf isnan isnormal
signbit isgreater isgreaterequal isless islessequal islessgreater isunordered signgam"""

_MATH = """acos acosh asin asinh atan atan2 atanh cabs cbrt ceil conj copysign cos cosh creal drem erf erfc exp exp10 exp2
expm1 fabs fdim finite floor fma fmax fmin fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint llround log log10
log1p log2 logb lrint lround modf nan nearbyint nextafter nexttoward pow pow10 remainder remquo rint round scalb scalbln
scalbn significand sin sinh sqrt tan tanh tgamma trunc y0 y1 yn"""

_SAME = (*ELEMENTARY, "erf", "erfc", "sqrt")
_BOUNDED = (sympy.exp, functions.sigmoid, sympy.tanh, sympy.erf, sympy.erfc, functions.erfc)


def _helper(name: str, arguments: str, *lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"static inline double {name}({arguments}) {{\n{body}}}"


class CPrinter(CodePrinter):
    """C11."""

    target = "C"
    modules = "#include <math.h>"
    gap = "\n\n"
    logic = (" && ", " || ", "!")
    keywords = frozenset((*_KEYWORDS.split(), *(n + suffix for n in _MATH.split() for suffix in ("", "f", "l"))))
    functions: ClassVar[Mapping[Any, str]] = {
        Pow: "pow",
        Piecewise: "",
        sympy.Abs: "fabs",
        **{getattr(sympy, n): n for n in _SAME},
        **{getattr(functions, n): n for n in ["expm1", "log1p", "erfc", "cbrt"]},
        sympy.sign: "actfn_sign",
        **{getattr(functions, n): f"actfn_{n}" for n in ["sigmoid", "softplus", "maximum", "minimum"]},
    }
    # Named with a prefix of ours: C reserves names at file scope that begin with `_`. None calls another.
    helpers: ClassVar[Mapping[str, str]] = {
        # What c*u*u loses to rounding goes in as a factor; where it isn't small, the exponential is 0, infinity or NaN.
        "actfn_exp_square": _helper(
            "actfn_exp_square",
            "double c, double u",
            "const double s = u*u, p = c*s, e = exp(p);",
            "const double q = fma(c, s, -p) + c*fma(u, u, -s);",
            "return fabs(q) < 1.0 && e < INFINITY ? e + e*q : e;",
        ),
        "actfn_sigmoid": _helper(
            "actfn_sigmoid", "double u", "const double t = exp(-fabs(u));", "return (u < 0.0 ? t : 1.0)/(1.0 + t);"
        ),
        "actfn_softplus": _helper("actfn_softplus", "double u", "return (u < 0.0 ? 0.0 : u) + log1p(exp(-fabs(u)));"),
        "actfn_sign": _helper("actfn_sign", "double u", "return u > 0.0 ? 1.0 : (u < 0.0 ? -1.0 : u);"),
        "actfn_maximum": _helper("actfn_maximum", "double a, double b", "return (a > b || a != a) ? a : b;"),
        "actfn_minimum": _helper("actfn_minimum", "double a, double b", "return (a < b || a != a) ? a : b;"),
    }
    constants: ClassVar[Mapping[Any, str]] = {sympy.nan: "NAN", sympy.oo: "INFINITY", -sympy.oo: "-INFINITY"}

    def _preamble(self, code: str) -> str:
        needed = [source for name, source in self.helpers.items() if re.search(rf"\b{name}\b", code)]
        return "".join(part + self.gap for part in [self.modules, *needed])

    def definition(
        self, name: str, arguments: Sequence[str], lines: Sequence[tuple[str, str]], result: str, doc: str
    ) -> str:
        # A backslash at a line's end, or its trigraph, would carry the comment on into the code.
        text = "".join(
            f"// {line}{' .' * line.endswith((chr(92), '??/'))}\n" for line in map(str.rstrip, doc.splitlines())
        )
        text += f"static inline double {name}({', '.join(f'double {a}' for a in arguments)}) {{\n"
        words = set(re.findall(r"\w+", " ".join([*(right for _, right in lines), result])))
        text += "".join(f"    (void){a};\n" for a in arguments if a not in words)
        text += "".join(f"    const double {left} = {right};\n" for left, right in lines)
        return text + f"    return {result};\n}}\n"

    # -- numbers

    def _print_Rational(self, expr: Rational) -> str:
        text = literal(expr)
        if text.endswith("inf"):
            return text.replace("inf", "INFINITY")
        return "/".join(part if "." in part or "e" in part else f"{part}.0" for part in text.split("/"))

    _print_Integer = _print_Zero = _print_One = _print_NegativeOne = _print_Half = _print_Rational

    # -- arithmetic

    def product(self, factors: Sequence[Expr]) -> str:
        """Bounded factors come before those that may be large: exp(-x*x)*x*2 is 0 where x*2 overflows."""
        return super().product(sorted(factors, key=lambda f: (not f.is_number, not isinstance(f, _BOUNDED))))

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        parts = square_parts(arguments[0]) if function is sympy.exp else None
        return (
            super().call(function, arguments)
            if parts is None
            else f"actfn_exp_square({', '.join(map(self._print, parts))})"
        )

    def power(self, base: Expr, exponent: Expr) -> str:
        return (
            "*".join([self._print(base)] * int(exponent))
            if _is_short(base, exponent)
            else super().power(base, exponent)
        )

    def level(self, expr: Any, text: str) -> int:
        return MUL if isinstance(expr, Pow) and _is_short(*expr.args) else super().level(expr, text)

    def where(self, condition: str, branch: str, otherwise: str) -> str:
        return f"({condition} ? {branch} : {otherwise})"


def square_parts(argument: Expr) -> tuple[Expr, Expr] | None:
    """(c, u) of an argument c*u^2 with u a symbol and no division, whose rounding exp would multiply by |c*u^2|."""
    for square in Mul.make_args(argument):
        if isinstance(square, Pow) and square.exp == 2 and square.base.is_Symbol:
            rest = argument / square
            return (rest, square.base) if not rest.has(Pow, sympy.Function, square.base) else None
    return None


def _is_short(base: Expr, exponent: Expr) -> bool:
    """Whether a power is written as a product."""
    return base.is_Symbol and exponent in (2, 3)

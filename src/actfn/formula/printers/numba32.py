"""Scalar code for Numba where the result has 32 bits or fewer: float32 arithmetic, and float64 arithmetic for the same.

Leans on `numba.py`. The idea: functions of one exponential, such as sigmoid(u) and sigmoid(-u), go through primitives that
share its work.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr

from actfn.formula import functions
from actfn.formula.printers.factors import argument_parts
from actfn.formula.printers.numba import NumbaPrinter


class _SharingPrinter(NumbaPrinter):
    """Functions of one exponential share it."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: set[Expr] = set()
        """Each u of which both sigmoid(u) and sigmoid(-u) are in the program."""
        self.squares: dict[Expr, Expr] = {}
        """u by -u^2, of which erfc(u) and exp(-u^2) are in the program."""

    def _look_ahead(self, arguments: Sequence[str], expressions: Sequence[Expr]) -> None:
        atoms = [n for e in expressions for n in e.atoms(functions.sigmoid, functions.erfc, sympy.exp)]
        found = {kind: {n.args[0] for n in atoms if isinstance(n, kind)} for kind in (functions.sigmoid, sympy.exp)}
        gates = found[functions.sigmoid]
        self.gates = {u for u in gates if -u in gates and not u.could_extract_minus_sign()}
        squares = {-(n.args[0] ** 2): n.args[0] for n in atoms if isinstance(n, functions.erfc)}
        self.squares = {s: u for s, u in squares.items() if s in found[sympy.exp] and argument_parts(u)[0]}

    def _times(self, first: str, function: Expr) -> str:
        if isinstance(function, functions.sigmoid) and (gate := self._shared_gate(first, function.args[0])):
            return gate
        if isinstance(function, sympy.exp) and function.args[0] in self.squares:
            self.used.add("times_gaussian")
            return f"times_gaussian({first}, {self._parts(self.squares[function.args[0]])})"
        return super()._times(first, function)

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        if function is functions.sigmoid and (gate := self._shared_gate(self.number(1.0), arguments[0])):
            return gate
        return super().call(function, arguments)

    def _shared_gate(self, factor: str, argument: Expr) -> str | None:
        """factor*sigmoid(argument) by the primitive that shares its work with that of -argument, where that is needed too."""
        u = -argument if argument.could_extract_minus_sign() else argument
        if u not in self.gates:
            return None
        parts = self._parts(u) if functions.sigmoid in self.two_part else None
        name = f"times_{'gate' if u == argument else 'cogate'}{'_of_sum' if parts else ''}"
        self.used.add(name)
        return f"{name}({factor}, {parts or self._print(u)})"


class NumbaFloat32Printer(_SharingPrinter):
    """float32 arithmetic."""

    arithmetic = "float32"
    chained = 2
    cheaper_below = (functions.expm1, sympy.exp)

    def __init__(self) -> None:
        super().__init__()
        self.written_out = self.meanings

    def _times(self, first: str, function: Expr) -> str:
        of = self.squares.get(function.args[0]) if isinstance(function, sympy.exp) else None
        tail = function.args[0] if isinstance(function, sympy.erfc | functions.erfc) else None
        return (
            self._of_root(first, of, "gaussian")
            or self._of_root(first, tail, "erfc")
            or super()._times(first, function)
        )

    def call(self, function: Any, arguments: Sequence[Any]) -> str:
        of = arguments[0] if function in (sympy.erfc, functions.erfc) else None
        return self._of_root(self.number(1.0), of, "erfc") or super().call(function, arguments)

    def _of_root(self, factor: str, argument: Expr | None, name: str) -> str | None:
        """factor*f(x/sqrt(2)) by a primitive of x, whose square isn't rounded; None for another argument."""
        x = None if argument is None else argument * sympy.sqrt(2)
        if x is None or not (x.is_Symbol or (-x).is_Symbol):
            return None
        self.used.add(f"times_{name}_of_root")
        return f"times_{name}_of_root({factor}, {self._print(x)})"

    def number(self, rounded: float) -> str:
        return f"float32({rounded!r})"

    def rounded(self, number: float) -> float:
        return struct.unpack("f", struct.pack("f", number))[0]

    def _in_order(self, factors: list[Expr]) -> list[Expr]:
        first, *rest = factors
        large = first.is_number and abs(first) > 1  # which could take x out of the range
        return [*rest, first] if large else factors

    def imports(self) -> str:
        return "from numpy import float32\n\n" + super().imports()


class NumbaWidePrinter(_SharingPrinter):
    """float64 arithmetic that only has to be good for float32 results."""

    arithmetic = "wide"
    fused = (sympy.erfc, functions.erfc, sympy.exp)  # float64 doesn't underflow where float32 doesn't
    two_part = fused

    def _leaves_the_range(self, power: Expr) -> bool:
        return False  # powers of a float32 don't

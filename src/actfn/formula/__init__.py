"""Formulas: text to expression, pieces and breakpoints, exact derivatives, and one printer a target.

Everything here works on SymPy expressions in the variable `X` and on nothing above it. A formula is read, never run.
"""

from actfn.formula.functions import X
from actfn.formula.parse import FormulaError, parameter_names, parse

__all__ = ["FormulaError", "X", "parameter_names", "parse"]

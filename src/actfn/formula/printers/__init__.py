"""Printers: an expression written as source text, one file a target. Each target states what it can print in one table.

`target.py` holds what they share; a further target is a further file. What runs is what is printed here.
"""

from actfn.formula.printers.target import UnprintableError

__all__ = ["UnprintableError"]

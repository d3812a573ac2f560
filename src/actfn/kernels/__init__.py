"""Compiled functions out of formulas: lowering, primitives, building, threads."""

"""Scalar functions that LLVM vectorises: exp, log, erf and their kin, in float32, wide and float64.

`float32` computes in float32 arithmetic, `wide` in float64 arithmetic for results that are rounded to float32, `float64`
for float64 results. A generated loop calls them by name; `table` lists them with the bounds on their errors.
"""

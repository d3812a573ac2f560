"""Every float32, float16 and bfloat16 through the kernels of the catalog, f and f' at default parameters.

`bounds` prints a kernel's program as float64 intervals that hold the true value, `judging` compares float32 results with
them, `truth` is the oracle's word where an interval leaves the rounding open, and `scan` runs it all over every pattern.
`others` are the 16-bit types (every number) and float64 (a sample), `results` the file that is committed.
"""

"""Every float32, float16 and bfloat16 through the kernels of the catalog, f and f' at default parameters.

`running` prints a kernel's program as a float64 value with a bound of its error, which settles nearly every verdict;
`bounds` prints it as float64 intervals that hold the true value, for the others; both walk through it as `walking` does.
`judging` compares float32 results with them, `truth` is the oracle's word where an interval leaves the rounding open, and
`scan` runs it all over every pattern.
`others` are the 16-bit types (every number) and float64 (a sample), `results` the file that is committed.
"""

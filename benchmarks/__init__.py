"""Benchmarks: one script a question, every peer in the same run. `make bench` runs them all."""

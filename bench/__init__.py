"""Reproducible benchmarks: `make bench` prints each row of the design's table beside what it must and should be."""

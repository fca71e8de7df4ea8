"""Surfaces: where people see cards and press buttons. One folder each, the same four files in each."""

"""Faults, one family a file: what happens, how often, and what must hold afterwards; ``python -m perf.campaign``."""

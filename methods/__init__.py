"""Distillation methods: the contract in ``base``, one file a method; ``benchmark.catalog`` imports them all."""

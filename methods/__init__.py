"""Distillation methods: the contract in ``base``, one file a method; ``benchmark.config.catalog`` imports them all."""

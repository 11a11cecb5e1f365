"""The tasks: contracts in ``base``, one file a task; ``benchmark.catalog`` imports them all."""

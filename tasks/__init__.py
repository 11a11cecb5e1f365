"""The tasks: contracts in ``base``, one file a task; ``benchmark.config.catalog`` imports them all."""

"""One file a command of `benchmark`."""

"""The runner: knows no task and no method by name."""

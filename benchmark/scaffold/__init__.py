"""``benchmark new``: files to start from."""

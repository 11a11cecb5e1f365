"""A board in several formats."""

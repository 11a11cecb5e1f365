"""Leaderboards: a board is a pure function of records."""

"""Renderers: one format a module, each a pure function of a leaderboard."""

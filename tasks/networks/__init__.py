"""Builders of networks; features are returned, never hooked."""

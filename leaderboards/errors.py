"""The errors that bad records raise."""

from __future__ import annotations


class RecordError(Exception):
    """Records or boards cannot be read or written; the message names the file, what was expected and found."""

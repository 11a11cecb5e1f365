"""The one error that bad input raises."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Something that the user gave is wrong; the message says what was expected, what was found and how to mend it."""


def first_line(error: BaseException) -> str:
    """Say in one line what an error says, its kind where it says nothing."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names lie closest to a misspelt one: ``"; did you mean 'mgd'?"``, or list them all."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "; did you mean " + " or ".join(f"'{each}'" for each in close) + "?"
    return f"; known: {', '.join(known)}" if known else ""

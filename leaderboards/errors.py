"""The errors that bad records raise."""

from __future__ import annotations

from pydantic import ValidationError


class RecordError(Exception):
    """Records or boards cannot be read or written; the message names the file, what was expected and found."""


def explain(error: ValidationError, most: int = 8) -> str:
    """Say what is wrong with each field, one clause a fault, without the rejected input where it is long."""
    faults = []
    for fault in error.errors(include_url=False)[:most]:
        where = ".".join(str(part) for part in fault["loc"]) or "the file"
        rejected = repr(fault["input"])
        faults.append(f"{where}: {fault['msg']}" + (f" (found {rejected})" if len(rejected) <= 60 else ""))
    more = error.error_count() - most
    return "; ".join(faults) + (f"; and {more} more" if more > 0 else "")

"""Many faults in few lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SHOWN = 3
VARYING = re.compile(r"'[^']*'|\S*/\S*|\S+\.\w{2,5}\b|-?\d[\d.,x]*")  # names, paths, numbers


def counted(what: str, found: Sequence[str], fix: str = "") -> str:
    """Word one fault of many files: how many there are, the first three of them, and the fix."""
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{what}: {len(found)}, {', '.join(found[:SHOWN])}{more}" + (f"; {fix}" if fix else "")


def condensed(faults: Iterable[str]) -> list[str]:
    """Keep the first three of the faults that differ in names and numbers alone, and count the others of each sort."""
    sorts: dict[str, list[str]] = {}
    for fault in faults:
        sorts.setdefault(VARYING.sub("*", fault), []).append(fault)
    lines = []
    for alike in sorts.values():
        lines += alike[:SHOWN]
        if len(alike) > SHOWN:
            lines.append(f"... and {len(alike) - SHOWN} more like these")
    return lines

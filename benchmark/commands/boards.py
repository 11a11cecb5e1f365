"""``benchmark leaderboard write`` and ``validate``: records in, boards or faults out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from leaderboards import store, validate
from leaderboards.write import USUAL, write_boards

BOARDS = "leaderboards"
QUICK = ("md", "csv", "json")  # what every run writes; the page, with its curves and panels, is written on demand


def write_all(paths: Sequence[Path], out: Path | None, console: Console, formats: Sequence[str] = USUAL) -> int:
    """Write the boards of all records found in some formats; return 1 where a record could not be read."""
    records, faults = store.read(paths)
    for fault in faults:
        console.print(f"[yellow]warning:[/] {escape(str(fault))}", highlight=False)
    folder = out if out is not None else _home(paths[0]) / BOARDS
    for path in write_boards(records, folder, formats, faults, paths):
        console.print(f"board    {escape(str(path))}", highlight=False)
    console.print(f"{len(records)} records, {len(faults)} faults", highlight=False)
    return 1 if any(fault.kind != "duplicate" for fault in faults) else 0


def validate_all(paths: Sequence[Path], console: Console) -> int:
    """Check all records found and print every fault; return 1 where there are any."""
    count, faults = validate.validate(paths)
    for fault in faults:
        console.print(f"[red]fault:[/] {escape(str(fault))}", highlight=False)
    console.print(f"{count} records, {len(faults)} faults", highlight=False)
    return 1 if faults else 0


def write_home(home: Path, console: Console) -> None:
    """Write the boards of a home in the formats that take no time."""
    write_all([home], None, console, QUICK)


def _home(path: Path) -> Path:
    return path if path.is_dir() else path.parent.parent

"""``benchmark leaderboard``: records in, boards out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from leaderboards import store
from leaderboards.write import write_boards

BOARDS = "leaderboards"


def write_all(paths: Sequence[Path], out: Path | None, console: Console) -> int:
    """Write the boards of all records found; return 1 where a record could not be read, after going on."""
    records, faults = store.read(paths)
    for fault in faults:
        console.print(f"[yellow]warning:[/] {escape(str(fault))}", highlight=False)
    folder = out if out is not None else _home(paths[0]) / BOARDS
    for path in write_boards(records, folder):
        console.print(f"board    {escape(str(path))}", highlight=False)
    console.print(f"{len(records)} records, {len(faults)} faults", highlight=False)
    return 1 if any(fault.kind != "duplicate" for fault in faults) else 0


def write_home(home: Path, console: Console) -> None:
    """Write the boards of a home."""
    write_all([home], None, console)


def _home(path: Path) -> Path:
    return path if path.is_dir() else path.parent.parent

"""``benchmark leaderboard`` but for verify and publish: records in; boards, statements, verdicts or faults out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from benchmark.commands.faults import show_faults
from benchmark.console import visible
from leaderboards import about, attachments, claims, findings, image_values, store, tuning, validate
from leaderboards.atomic import atomic_write
from leaderboards.board import Board, boards
from leaderboards.errors import RecordError
from leaderboards.paired import Values
from leaderboards.store import Fault
from leaderboards.write import USUAL, write_boards

BOARDS = "leaderboards"
QUICK = ("md", "csv", "json")  # what every run writes; the page, with its curves and panels, is written on demand


def write_all(paths: Sequence[Path], out: Path | None, console: Console, formats: Sequence[str] = USUAL) -> int:
    """Write the boards of all records found in some formats; return 1 where something could not be read."""
    records, faults = store.read(paths)
    values = image_values.read(records, paths)
    wrong = [*faults, *values.faults]
    show_faults(wrong, console)
    folder = out if out is not None else _home(paths[0]) / BOARDS
    for path in write_boards(records, folder, formats, faults, paths, values):
        console.print(f"board    {escape(str(path))}", highlight=False)
    console.print(f"{len(records)} records, {len(wrong)} faults", highlight=False)
    return _code(wrong)


def print_statements(paths: Sequence[Path], console: Console) -> int:
    """Print what the boards of all records found say of gains, a line a board; return 1 after a fault, shown apart."""
    trials = tuning.read_folder(attachments.home(paths[0]) / tuning.FOLDER)
    made, _, faults = _boards(paths)
    show_faults(faults, console)
    for line in (*findings.statements(made), *findings.tuned(trials)):
        print(visible(line))
    return _code(faults)


def write_claims(paths: Sequence[Path], listed: Path | None, out: Path | None, console: Console) -> int:
    """Write, or print, what becomes of the claims of papers; return 1 after a fault, shown apart.

    Raises RecordError where there are no claims to read.
    """
    file = listed if listed is not None else attachments.home(paths[0]) / claims.CLAIMS
    if not file.is_file():
        raise RecordError(f"{file}: no such file; name a list of claims with --claims")
    made, values, faults = _boards(paths)
    show_faults(faults, console)
    page = claims.page(claims.read_claims(file), made, values)
    if out is None:
        print(page, end="")
    else:
        atomic_write(out, page)
    return _code(faults)


def _boards(paths: Sequence[Path]) -> tuple[list[Board], Values, list[Fault]]:
    """Make the boards of all records found; return them, what runs scored on each image, and what was wrong."""
    records, faults = store.read(paths)
    values = image_values.read(records, paths)
    return boards(records, about.read(paths).excluded, values.runs), values.runs, [*faults, *values.faults]


def _code(faults: Sequence[Fault]) -> int:
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

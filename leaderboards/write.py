"""Leaderboards on disk, one file a format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from leaderboards.atomic import atomic_write
from leaderboards.errors import RecordError
from leaderboards.leaderboard import Leaderboard, leaderboard
from leaderboards.record import Record
from leaderboards.render import csv, json, markdown
from leaderboards.store import Fault

NAME = "leaderboard"
RENDERERS: Mapping[str, Callable[[Leaderboard], str]] = {
    "md": markdown.render,
    "csv": csv.render,
    "json": json.render,
}


def write_boards(
    records: Iterable[Record],
    folder: str | Path,
    formats: Sequence[str] = tuple(RENDERERS),
    faults: Sequence[Fault] = (),
) -> list[Path]:
    """Write ``<folder>/leaderboard.<format>`` for each format, whole or not at all; return the files.

    Raises RecordError for an unknown format, and where the folder cannot be written.
    """
    unknown = [name for name in formats if name not in RENDERERS]
    if unknown:
        raise RecordError(f"unknown format {', '.join(map(repr, unknown))}; known: {', '.join(RENDERERS)}")
    page = leaderboard(records, faults)
    return [_write(Path(folder) / f"{NAME}.{name}", RENDERERS[name](page)) for name in formats]


def _write(path: Path, content: str) -> Path:
    try:
        return atomic_write(path, content)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error

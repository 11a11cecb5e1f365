"""Leaderboards on disk, one file a format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from leaderboards.atomic import atomic_write
from leaderboards.attachments import collect
from leaderboards.errors import RecordError
from leaderboards.leaderboard import Leaderboard, leaderboard, said
from leaderboards.record import Record
from leaderboards.render import assets, csv, html, json, markdown, svg
from leaderboards.store import Fault

NAME = "leaderboard"
RENDERERS: Mapping[str, Callable[[Leaderboard], str]] = {
    "md": markdown.render,
    "csv": csv.render,
    "json": json.render,
    "html": html.render,
    "svg": svg.render,
}
USUAL = ("md", "csv", "json", "html")


def available() -> list[str]:
    """List the usual formats that can be written: all four, or all but html where its packages are not installed."""
    return [name for name in USUAL if name != "html" or not assets.missing()]


def write_boards(
    records: Iterable[Record],
    folder: str | Path,
    formats: Sequence[str] | None = None,
    faults: Sequence[Fault] = (),
    sources: Iterable[str | Path] = (),
) -> list[Path]:
    """Write ``<folder>/leaderboard.<format>`` for each format (the available ones), each whole or not at all.

    ``sources`` are the paths that the records were read from: curves and panels of the page are looked for there.
    Returns the files. Raises RecordError for an unknown format, and where the folder cannot be written.
    """
    contents = _render(records, folder, formats, faults, sources)
    return [_write(path, content) for path, content in contents.items()]


def stale_boards(
    records: Iterable[Record],
    folder: str | Path,
    formats: Sequence[str] | None = None,
    faults: Sequence[Fault] = (),
    sources: Iterable[str | Path] = (),
) -> list[Path]:
    """List the boards of a folder that are missing or are not what the records give; arguments as for writing them."""
    contents = _render(records, folder, formats, faults, sources)
    return [path for path, content in contents.items() if not path.is_file() or path.read_bytes() != content.encode()]


def _render(
    records: Iterable[Record],
    folder: str | Path,
    formats: Sequence[str] | None,
    faults: Sequence[Fault],
    sources: Iterable[str | Path],
) -> dict[Path, str]:
    """Return the content of each board by its file."""
    formats = available() if formats is None else formats
    unknown = [name for name in formats if name not in RENDERERS]
    if unknown:
        raise RecordError(f"unknown format {', '.join(map(repr, unknown))}; known: {', '.join(RENDERERS)}")
    records = list(records)
    page = leaderboard(records, faults)
    pages = dict.fromkeys(formats, page)
    if "html" in pages:
        attachments, missed = collect(records, sources)
        pages["html"] = replace(page, attachments=attachments, faults=(*page.faults, *said(missed)))
    return {Path(folder) / f"{NAME}.{name}": RENDERERS[name](found) for name, found in pages.items()}


def _write(path: Path, content: str) -> Path:
    try:
        return atomic_write(path, content)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error

"""Leaderboards on disk, one file a format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from leaderboards import about, image_values
from leaderboards.atomic import atomic_write
from leaderboards.attachments import collect
from leaderboards.errors import RecordError
from leaderboards.leaderboard import Leaderboard, leaderboard, said
from leaderboards.record import Record
from leaderboards.render import csv, html, json, markdown, svg
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


def write_boards(
    records: Iterable[Record],
    folder: str | Path,
    formats: Sequence[str] = USUAL,
    faults: Sequence[Fault] = (),
    sources: Iterable[str | Path] = (),
    values: image_values.Read | None = None,
) -> list[Path]:
    """Write ``<folder>/leaderboard.<format>`` for each format, each whole or not at all.

    ``sources`` are the paths that the records were read from: what they say about themselves is looked for there, the
    page's curves and panels, and, where ``values`` are left out, what runs scored on each image. Returns the files.
    Raises RecordError for an unknown format, and where the folder cannot be written.
    """
    contents = _render(records, folder, formats, faults, sources, values)
    return [_write(path, content) for path, content in contents.items()]


def stale_boards(
    records: Iterable[Record],
    folder: str | Path,
    formats: Sequence[str] = USUAL,
    faults: Sequence[Fault] = (),
    sources: Iterable[str | Path] = (),
) -> list[Path]:
    """List the boards of a folder that are missing or are not what the records give; arguments as for writing them."""
    contents = _render(records, folder, formats, faults, sources)
    return [path for path, content in contents.items() if not path.is_file() or path.read_bytes() != content.encode()]


def _render(
    records: Iterable[Record],
    folder: str | Path,
    formats: Sequence[str],
    faults: Sequence[Fault],
    sources: Iterable[str | Path],
    values: image_values.Read | None = None,
) -> dict[Path, str]:
    """Return the content of each board by its file."""
    unknown = [name for name in formats if name not in RENDERERS]
    if unknown:
        raise RecordError(f"unknown format {', '.join(map(repr, unknown))}; known: {', '.join(RENDERERS)}")
    records, sources = list(records), list(sources)
    values = image_values.read(records, sources) if values is None else values
    page = leaderboard(records, [*faults, *values.faults], about.read(sources), values.runs)
    pages = dict.fromkeys(formats, page)
    if "html" in pages:
        attachments, missed = collect(records, sources)
        pages["html"] = replace(page, attachments=attachments, faults=(*page.faults, *said(missed)))
    return {Path(folder) / f"{NAME}.{name}": RENDERERS[name](shown) for name, shown in pages.items()}


def _write(path: Path, content: str) -> Path:
    try:
        return atomic_write(path, content)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error

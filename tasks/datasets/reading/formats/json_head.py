"""What the top of a JSON file says it is."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tasks.datasets.reading.files import fault, load_json, reason


def content_of(path: Path) -> Any:
    """Read a JSON file, None where it is none; what was read last is remembered until the file changes."""
    try:
        stat = path.stat()
    except OSError:  # a link to nothing
        return None
    return _content(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=4)
def _content(path: Path, changed: int, length: int) -> Any:
    try:
        return load_json(path)
    except (OSError, ValueError):
        return None


def refuse_damaged(files: Iterable[Path]) -> None:
    """Raise InputError for the first file that is called JSON and is none."""
    for path in files:
        if path.suffix.lower() == ".json" and content_of(path) is None:
            try:
                load_json(path)
            except (OSError, ValueError) as error:
                raise fault(path, "JSON", reason(error)) from None


def top_keys(path: Path) -> frozenset[str]:
    """Name the keys of the object that a JSON file holds; none where it holds something else or nothing."""
    content = content_of(path)
    return frozenset(map(str, content)) if isinstance(content, dict) else frozenset()

"""What the top of a JSON file says it is."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any


def content_of(path: Path) -> Any:
    """Read a JSON file, None where it is none; what was read last is remembered until the file changes."""
    stat = path.stat()
    return _content(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=4)
def _content(path: Path, changed: int, length: int) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


def top_keys(path: Path) -> frozenset[str]:
    """Name the keys of the object that a JSON file holds; none where it holds something else or nothing."""
    content = content_of(path)
    return frozenset(map(str, content)) if isinstance(content, dict) else frozenset()

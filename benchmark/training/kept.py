"""JSON files that runs keep for later ones, read with the doubt that any file of a folder deserves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.errors import InputError, first_line


def read_kept(path: Path, keys: Sequence[str], remedy: str) -> dict[str, Any]:
    """Read a JSON object that the suite wrote; raises InputError, with the remedy, where it is not whole."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected JSON that the suite wrote, found {first_line(error)}; {remedy}") from error
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        raise InputError(f"{path}: expected {', '.join(keys)}, found no {', '.join(missing)}; {remedy}")
    assert isinstance(content, dict)
    return content

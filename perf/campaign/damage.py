"""What is done to a good file, so that it is bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Damage = Callable[[Path], object]


def holding(content: bytes) -> Damage:
    """Put other bytes in a file's place."""
    return lambda path: path.write_bytes(content)


def cut(share: float) -> Damage:
    """Cut a file short."""
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def swapped(old: str, new: str) -> Damage:
    """Replace the first occurrence of a text, which must be there."""

    def damage(path: Path) -> None:
        content = path.read_text()
        assert old in content, (path, old)
        path.write_text(content.replace(old, new, 1))

    return damage


def edited(change: Callable[[Any], object]) -> Damage:
    """Change the content of a JSON file in place."""

    def damage(path: Path) -> None:
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return damage


def put(**values: object) -> Damage:
    """Replace values of a JSON file: a key with ``__`` lies within others, ``...`` takes one out."""

    def change(content: Any) -> None:
        for key, value in values.items():
            *above, last = key.split("__")
            node = content
            for name in above:
                node = node[name]
            if value is Ellipsis:
                del node[last]
            else:
                node[last] = value

    return edited(change)

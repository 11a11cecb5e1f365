"""Words in the names of folders that say to which split what lies in them belongs."""

from __future__ import annotations

import re
from pathlib import Path

SPLITS = ("train", "val", "test")
WORDS = {
    "train": re.compile(r"(?<![a-z])(train|training|trainset|trainval)(?![a-z])", re.IGNORECASE),
    "val": re.compile(r"(?<![a-z])(val|valid|validation|validset|dev)(?![a-z])", re.IGNORECASE),
    "test": re.compile(r"(?<![a-z])(test|testing|testset)(?![a-z])", re.IGNORECASE),
}


def word_of(path: Path) -> str | None:
    """Name the split that the last folder says that speaks of one; None where none does."""
    for folder in reversed(path.parts):
        found = [split for split, words in WORDS.items() if words.search(folder)]
        if len(found) == 1:
            return found[0]
    return None


def apart(a: Path, b: Path) -> bool:
    """Whether two paths speak of different splits; one that speaks of none goes with any."""
    one, other = word_of(a), word_of(b)
    return one is not None and other is not None and one != other

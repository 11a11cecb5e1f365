"""Files sorted into lots, as far as their names tell: which are of one sort, and which pictures are made of others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.datasets.reading.files import is_there
from tasks.datasets.reading.pairing import bare_stem, roles
from tasks.datasets.reading.pictures import PICTURES
from tasks.datasets.reading.tree import few

TEXTS = frozenset({".txt", ".csv", ".tsv", ".json", ".xml"})
IMAGES = re.compile(r"image|img|rgb|colou?r|photo|picture|frame|jpeg|stimul|input|left|cell", re.IGNORECASE)
MAPS = re.compile(r"mask|label|annot|truth|gt|seg|depth|map|dots|density|fix|sal|disp|matte|alpha", re.IGNORECASE)


@dataclass(frozen=True)
class Lot:
    """Files of one sort: of one folder, one suffix, and one word at the end of their names."""

    folder: Path
    suffix: str
    word: str
    files: tuple[Path, ...]

    def hinted(self, root: Path, words: re.Pattern[str]) -> bool:
        """Whether the names of folders, or the word at the end, say what the files are."""
        return bool(words.search("/".join((*self.folder.relative_to(root).parts, self.word))))

    def some(self, count: int) -> list[Path]:
        """Pick ``count`` files to look at; of many texts not the shortest, which may say that nothing is there."""
        if self.suffix not in TEXTS or len(self.files) <= count:
            return few(self.files, count)
        sizes = {path: path.stat().st_size if is_there(path) else 0 for path in self.files}
        shortest = min(sizes.values())
        return few([path for path in self.files if sizes[path] > shortest] or self.files, count)


def lots_of(files: Sequence[Path]) -> list[Lot]:
    """Sort files by folder, suffix and the word at the end of their names."""
    words = roles(files)
    sorted_: dict[tuple[Path, str, str], list[Path]] = defaultdict(list)
    for path in files:
        sorted_[path.parent, path.suffix.lower(), words.get(path, "")].append(path)
    return [Lot(*key, tuple(paths)) for key, paths in sorted_.items()]


def copies(lots: Sequence[Lot]) -> list[Lot]:
    """List the pictures made of others of their folder, whose names they bear with a word: im_1_mask of im_1."""
    stems: dict[Path, set[str]] = defaultdict(set)
    for lot in _plain(lots):
        stems[lot.folder] |= _stems(lot)
    made = [lot for lot in lots if lot.suffix in PICTURES and lot.word]
    return [lot for lot in made if _stems(lot) <= stems[lot.folder]]


def originals(root: Path, lots: Sequence[Lot]) -> list[Lot]:
    """List the pictures of which maps beside them are made, as the maps' names say: they are images, however grey.

    Not so in a folder that is called one of maps, where another folder has pictures of the same names.
    """
    folders = {lot.folder for lot in copies(lots) if MAPS.search(lot.word)}
    plain = _plain(lots)
    return [
        lot
        for lot in plain
        if lot.folder in folders
        and not (
            lot.hinted(root, MAPS)
            and any(each.folder != lot.folder and not _stems(lot).isdisjoint(_stems(each)) for each in plain)
        )
    ]


def _plain(lots: Sequence[Lot]) -> list[Lot]:
    return [lot for lot in lots if lot.suffix in PICTURES and not lot.word]


def _stems(lot: Lot) -> set[str]:
    return {bare_stem(path, lot.word) for path in lot.files}

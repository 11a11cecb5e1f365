"""Lists of pairs: an image and its annotation a line, such as TUM's associations.txt."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.datasets.reading.files import fault, is_there, read_lines
from tasks.datasets.reading.listed import Entry, id_of
from tasks.datasets.reading.pictures import PICTURES

PAIR_LISTS = ("associations.txt", "associate.txt")  # lists that are read unasked
SUFFIXES = frozenset({*PICTURES, ".npy", ".exr", ".xml", ".txt", ".mat", ".csv", ".json"})
ENDS = "|".join(re.escape(suffix) for suffix in sorted(SUFFIXES, key=len, reverse=True))
NAME = re.compile(rf"\S.*?(?:{ENDS})(?=\s|$)", re.IGNORECASE)  # names may hold spaces


def read_pairs(root: Path, pairs: str) -> list[Entry]:
    """Read a list of pairs, paths relative to ``root``; InputError where a line has no two files within the root."""
    path = root / Path(pairs).expanduser()
    entries = []
    for line in read_lines(path):
        if line.startswith("#"):
            continue
        files = _two(root, line)
        if len(files) != 2:
            raise fault(path, "the files of an image and of its annotation a line", f"'{line}'", "mend the line")
        for each in files:
            if not each.is_relative_to(root):
                fix = "set data.root to a folder that holds both"
                raise fault(path, f"files within data.root={root}", f"{each}", fix)
        entries.append(Entry(id_of(root, files[0]), *files))
    return entries


def _two(root: Path, line: str) -> list[Path]:
    """Find two files in a line: those that are there, where spaces in names leave a choice."""
    ways = [re.split(r"[\s,;]+", line), re.split(r"[\t,;]", line), NAME.findall(line)]
    named = [[root / cell.strip() for cell in cells if Path(cell.strip()).suffix.lower() in SUFFIXES] for cells in ways]
    whole = [files for files in named if len(files) == 2]
    return next((files for files in whole if all(map(is_there, files))), whole[0] if whole else [])

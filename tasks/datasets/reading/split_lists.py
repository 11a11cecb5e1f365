"""Lists of splits: which are there, and which samples they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tasks.datasets.reading.files import fault, read_lines
from tasks.datasets.reading.listed import Entry
from tasks.datasets.reading.pairing import key_of
from tasks.datasets.reading.tree import below
from tasks.errors import InputError

LISTS = {"train": ("train",), "val": ("val", "valid"), "test": ("test",)}
ENDING = re.compile(r"\.(jpe?g|png|bmp|tiff?|webp|pgm|ppm|xml|txt)$", re.IGNORECASE)
KNOWN = 0.5  # share of the lines of a list that must name images of the set


def found_lists(texts: Iterable[Path], samples: Iterable[str]) -> dict[str, Path]:
    """Find train.txt with val.txt or test.txt in one folder, whose lines name images of the set."""
    known = {_stem(f"{name}.png") for name in samples}
    for train in sorted(
        (path for path in texts if path.name == "train.txt"), key=lambda path: (-len(path.parts), str(path))
    ):
        lists = {
            split: path
            for split, names in LISTS.items()
            for name in names
            if (path := train.with_name(f"{name}.txt")).is_file()
        }
        if len(lists) > 1 and all(_fits(path, known) for path in lists.values()):
            return lists
    return {}


def _fits(path: Path, known: set[str]) -> bool:
    try:
        lines = read_lines(path)
    except InputError:
        return False
    return sum(any(_stem(text) in known for text in _texts(line)) for line in lines) >= KNOWN * len(lines)


def listed(path: Path, root: Path, samples: Mapping[str, Entry | None]) -> list[Entry]:
    """Pick the samples that a list names: paths or bare names, with or without an extension, first column alone.

    ``samples`` are found by their ids; those that are None may be listed, and are passed over. A line with a folder
    names what lies in that folder alone. Raises InputError for lines that name no image of the set, or several.
    """
    by_stem: dict[str, list[str]] = {}
    for name in samples:
        by_stem.setdefault(_stem(f"{name}.png"), []).append(name)
    found, strange = [], []
    for line in read_lines(path):
        text = next((text for text in _texts(line) if _stem(text) in by_stem), line)
        there = by_stem.get(_stem(text), [])
        fitting = _in_folder(root, _folder(text), {name: samples[name] for name in there})
        if len(fitting) == 1:
            found += [each for each in fitting.values() if each is not None]
        else:
            other = f", that stem is {there[0]}" if there and not fitting else ""
            strange.append(f"'{line}' names {len(fitting)}{other}")
    if strange:
        shown = "; ".join(strange[:3]) + (f"; and {len(strange) - 3} more" if len(strange) > 3 else "")
        raise fault(path, f"each line to name one of the {len(samples)} images", shown, "mend the list")
    return found


def _in_folder(root: Path, folder: str, samples: Mapping[str, Entry | None]) -> Mapping[str, Entry | None]:
    """Keep the samples whose image, or annotation, lies in a folder that a list names, from wherever it counts.

    ``b`` and ``set/b`` are the folder ``a/set/b``, if there is one; else ``/home/me/set/b`` is ``b`` or ``set/b``.
    """
    if not folder:
        return samples
    homes: dict[str, set[str]] = {}
    for name, entry in samples.items():
        homes[name] = {f"/{key_of(name)}".rpartition("/")[0]}
        if entry is not None:
            homes[name].add(key_of(f"/{below(root, entry.annotation.parent).as_posix().strip('./')}"))
    ending = {name for name, places in homes.items() if any(place.endswith(folder) for place in places)}
    ending = ending or {name for name, places in homes.items() if any(folder.endswith(place) for place in places)}
    return {name: entry for name, entry in samples.items() if name in ending}


def _texts(line: str) -> tuple[str, str]:
    """The whole line, for names with spaces, and its first column."""
    return line, line.split("\t" if "\t" in line else None)[0]


def _stem(text: str) -> str:
    return key_of(ENDING.sub("", text.replace("\\", "/").rpartition("/")[2]))


def _folder(text: str) -> str:
    """The folder of a path, with a slash before it; empty where there is none."""
    inner = key_of(text.replace("\\", "/").rpartition("/")[0].lstrip("./"))
    return f"/{inner}" if inner else ""

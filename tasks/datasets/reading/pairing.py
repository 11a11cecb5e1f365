"""Images and their annotations, matched by the names of files, wherever in a tree they lie."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.datasets.reading.files import fault
from tasks.datasets.reading.split_words import apart
from tasks.datasets.reading.tree import below

ROLE = re.compile(r"(?:[._-]|(?<=\d))([^\W\d_]+)$")  # _mask of cat_mask, dots of 001dots
COMMON = 0.2  # share of the files of a folder that end on a word that tells what they are
TRIED = 50  # names whose beginnings and ends are compared


@dataclass(frozen=True)
class Pairing:
    """Which annotation belongs to which image, and what is left over."""

    pairs: Mapping[Path, Path]
    images: Sequence[Path]
    annotations: Sequence[Path]


def match(root: Path, images: Sequence[Path], annotations: Sequence[Path]) -> Pairing:
    """Match images and annotations of one name, folder by folder; every annotation belongs to one image at most.

    Names are alike when their stems are, but for upper and lower case, for a word at the end that tells what a file is
    (``_mask``, ``.color``), and for a constant beginning or end (``GT_IMG_1`` and ``IMG_1``). Of several folders with
    the same names the one whose path has most folders in common goes first, as in ``frames/clip1`` and ``maps/clip1``.
    What lies below ``root`` in folders of different splits, such as ``train/images`` and ``val/masks``, never matches.

    Raises InputError where two images of a folder have one stem.
    """
    here, there = _by_folder(images), _by_folder(annotations)
    there = {folder: _renamed(files, here) for folder, files in there.items()}
    scores = sorted(
        (-len({*a.parts} & {*b.parts}), -len(here[a].keys() & there[b].keys()), str(a), str(b), a, b)
        for a in here
        for b in there
        if not here[a].keys().isdisjoint(there[b]) and not apart(below(root, a), below(root, b))
    )
    pairs: dict[Path, Path] = {}
    taken: set[Path] = set()
    for *_, a, b in scores:
        for key, image in here[a].items():
            annotation = there[b].get(key)
            if annotation is not None and image not in pairs and annotation not in taken:
                pairs[image] = annotation
                taken.add(annotation)
    left = [path for path in images if path not in pairs]
    return Pairing({path: pairs[path] for path in images if path in pairs}, left, _without(annotations, taken))


def roles(files: Sequence[Path]) -> dict[Path, str]:
    """Name the word at the end of each name that tells what a file is, where a good part of its folder ends on it."""
    words = {path: match[1] for path in files if (match := ROLE.search(path.stem))}
    numbers = Counter((path.parent, word) for path, word in words.items())
    totals = Counter(path.parent for path in files)
    return {
        path: word
        for path, word in words.items()
        if (count := numbers[path.parent, word]) > 1 and count >= COMMON * totals[path.parent]
    }


def key_of(name: str) -> str:
    """Write a name so that all ways of writing it are one: composed accents, lower case."""
    return unicodedata.normalize("NFC", name).casefold()


def bare_stem(path: Path, word: str = "") -> str:
    """Write the stem of a file without the word at its end, as ``key_of`` does."""
    return key_of(path.stem[: -len(word)].rstrip("._-") if word else path.stem)


def _by_folder(files: Sequence[Path]) -> dict[Path, dict[str, Path]]:
    """Map the folder of files, and the stems in it, to the files; InputError where a stem occurs twice."""
    ends = roles(files)
    found: dict[Path, dict[str, Path]] = defaultdict(dict)
    for path in files:
        other = found[path.parent].setdefault(bare_stem(path, ends.get(path, "")), path)
        if other != path:
            fix = f"give them other names, or choose by data.images or data.annotations, such as '*{path.suffix}'"
            raise fault(path, "one file a name", f"{other.name} in the same folder", fix)
    return found


def _renamed(files: Mapping[str, Path], images: Mapping[Path, Mapping[str, Path]]) -> dict[str, Path]:
    """Take off the names of annotations, or put on, what the names of images lack or have besides."""
    known = {key for each in images.values() for key in each}
    if not known.isdisjoint(files):
        return dict(files)
    ours, theirs = _even(files, TRIED), _even(known, 20 * TRIED)
    before, after = _affix(ours, theirs)
    if before or after:
        cut = {key[len(before) : len(key) - len(after)]: path for key, path in files.items() if key.startswith(before)}
        if not known.isdisjoint(cut):
            return cut
    before, after = _affix(theirs, ours)
    if before or after:
        return {f"{before}{key}{after}": path for key, path in files.items()}
    first, second = _beginning(files), _beginning(known)
    return {second + key[len(first) :]: path for key, path in files.items()}


def _affix(long: Iterable[str], short: Iterable[str]) -> tuple[str, str]:
    """Find what most long names have before and after a short one; nothing where they do not agree."""
    votes: Counter[tuple[str, str]] = Counter()
    names = list(short)
    total = 0
    for each in long:
        total += 1
        inner = max((name for name in names if name in each), key=len, default="")
        if inner:
            before, _, after = each.partition(inner)
            votes[before, after] += 1
    best, count = votes.most_common(1)[0] if votes else (("", ""), 0)
    return best if 2 * count >= total else ("", "")


def _beginning(names: Iterable[str]) -> str:
    """The text without digits that all names begin with; nothing where they differ."""
    found = {re.match(r"\D*", name)[0] for name in names}  # type: ignore[index]  # an empty match is a match
    return found.pop() if len(found) == 1 else ""


def _even(names: Iterable[str], count: int) -> list[str]:
    ordered = sorted(names)
    return ordered[:: max(1, len(ordered) // count)]


def _without(files: Sequence[Path], taken: set[Path]) -> list[Path]:
    return [path for path in files if path not in taken]

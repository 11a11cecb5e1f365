"""Splits of a set of one's own: by folders, by lists, or by shares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.data.partition import hold_out
from tasks.datasets.reading.faults import counted
from tasks.datasets.reading.listed import Entry, held_out
from tasks.datasets.reading.split_lists import found_lists, listed
from tasks.datasets.reading.split_words import SPLITS, word_of
from tasks.errors import InputError

Divide = Literal["random", "time"]


@dataclass(frozen=True)
class Division:
    """Three splits, how they came about, and whether lists, or options, chose what belongs to the set.

    ``fixes`` are words that may help where a split is empty.
    """

    splits: Mapping[str, Sequence[Entry]]
    how: str
    listed: bool
    fixes: Sequence[str] = ("data.holdout=0",)


@dataclass(frozen=True)
class Splitting:
    """How a set is divided, as the options of ``data=folder`` say it.

    ``train``, ``val``, ``test``: a list file or a folder, relative to the root, or None. ``fractions`` of the three
    where neither lists nor folders tell. ``divide``: at random, or by time, the order of the names, with ``gap``
    samples left out between splits. ``group``: None, ``folder``, or a regular expression whose match in an id names its
    group.
    """

    train: str | None = None
    val: str | None = None
    test: str | None = None
    holdout: float = 0.1
    fractions: tuple[float, ...] = (0.7, 0.1, 0.2)
    divide: Divide = "random"
    gap: int = 0
    group: str | None = None

    def split(
        self, root: Path, entries: Sequence[Entry], texts: Iterable[Path], skipped: Iterable[str] = ()
    ) -> Division:
        """Divide the samples; InputError where it cannot be done.

        ``texts`` may be lists of splits, which may name the images whose ids are ``skipped``.
        """
        samples = {**dict.fromkeys(skipped), **{entry.id: entry for entry in entries}}
        if parts := self._told(root, entries, samples):
            how = "as data.train, data.val and data.test say"
        elif lists := found_lists(texts, samples):
            parts = {split: listed(path, root, samples) for split, path in lists.items()}
            how = "lists " + ", ".join(path.relative_to(root).as_posix() for path in lists.values())
        elif parts := by_words(root, entries):
            how = "folders"
        else:
            how = ("by time" if self.divide == "time" else "divided") + _ignored(root, entries)
            fixes = [*(["data.gap=0"] if self.gap else []), "data.fractions=[0.5,0,0.5]"]  # what tests validates too
            return self._whole(Division(self._shares(entries), how, False, fixes))
        return self._whole(Division(self._completed(parts), how, how != "folders"))

    def _whole(self, division: Division) -> Division:
        """Return a division whose groups lie in one split each; InputError where one is told to lie in two.

        The test set may validate as well, where no image is held out.
        """
        if self.group is None:
            return division
        group = self.group_of()
        homes: dict[str, set[str]] = {}
        for split, entries in division.splits.items():
            same = split == "val" and entries is division.splits["test"]
            for entry in () if same else entries:
                homes.setdefault(group(entry.id), set()).add(split)
        torn = [f"'{name}' in {' and '.join(sorted(splits))}" for name, splits in homes.items() if len(splits) > 1]
        if torn:
            what = f"data.group={self.group}: groups that lie in more than one split, {division.how}"
            raise InputError(counted(what, torn, "mend what divides them, group otherwise, or leave data.group out"))
        return division

    def group_of(self) -> Callable[[str], str]:
        """Return the function from an id to the group that may not be torn apart."""
        if self.group is None:
            return str
        if self.group == "folder":
            return lambda name: name.rpartition("/")[0]
        try:
            pattern = re.compile(self.group)
        except re.error as error:
            raise InputError(f"data.group={self.group}: expected folder, or a regular expression; {error}") from None
        return lambda name: match[0] if (match := pattern.search(name)) else name

    def _told(
        self, root: Path, entries: Sequence[Entry], samples: Mapping[str, Entry | None]
    ) -> dict[str, Sequence[Entry]]:
        parts: dict[str, Sequence[Entry]] = {}
        for split in SPLITS:
            place = getattr(self, split)
            if place is None:
                continue
            path = root / Path(place).expanduser()
            if path.is_file():
                parts[split] = listed(path, root, samples)
            elif path.is_dir():
                inside = path.resolve()
                parts[split] = [each for each in entries if inside in each.image.resolve().parents]
            else:
                raise InputError(
                    f"data.{split}={place}: expected a list file, or a folder of images, relative to data.root; found "
                    f"neither at {path}"
                )
        return parts

    def _completed(self, parts: Mapping[str, Sequence[Entry]]) -> dict[str, Sequence[Entry]]:
        """Make three splits of two, as adapters of published sets do; InputError where there is but one."""
        if "train" not in parts or len(parts) < 2:
            there = ", ".join(f"data.{split}" for split in parts)
            raise InputError(f"{there}: expected data.train, and data.val or data.test or both")
        if len(parts) == 3:
            return {split: parts[split] for split in SPLITS}
        rest = parts["test" if "test" in parts else "val"]
        return held_out(parts["train"], rest, self.holdout, self.group_of())

    def _shares(self, entries: Sequence[Entry]) -> dict[str, Sequence[Entry]]:
        if len(self.fractions) != 3 or min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-6:
            found = ", ".join(map(str, self.fractions))
            raise InputError(f"data.fractions=[{found}]: expected the shares of train, val and test, which sum to 1")
        if self.gap < 0:
            raise InputError(f"data.gap={self.gap}: expected a number of samples, at least 0")
        _, val, test = self.fractions
        if self.divide == "time":
            ordered = sorted(entries, key=lambda entry: natural(entry.id))
            first = self._edge(ordered, round((1 - val - test) * len(ordered)))
            second = self._edge(ordered, round((1 - test) * len(ordered)))
            middle = ordered[first + self.gap : second] if val else ordered[second + self.gap :]
            return {"train": ordered[:first], "val": middle, "test": ordered[second + self.gap :]}
        group = self.group_of()
        rest, tested = hold_out([entry.id for entry in entries], test, group)
        share = val / (1 - test) if val else 0.0
        return held_out([entries[i] for i in rest], [entries[i] for i in tested], share, group)

    def _edge(self, ordered: Sequence[Entry], place: int) -> int:
        """Move a cut in a sequence on to the end of a group."""
        group = self.group_of()
        while 0 < place < len(ordered) and group(ordered[place - 1].id) == group(ordered[place].id):
            place += 1
        return place


def natural(name: str) -> list[tuple[int, int | str]]:
    """Compare the numbers in names as numbers: frame-9 comes before frame-10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name)]


def by_words(root: Path, entries: Sequence[Entry]) -> dict[str, Sequence[Entry]]:
    """Divide by the words train, val and test in folders of images, else in paths of annotations.

    Empty without train and another one. Raises InputError where all but a few images lie in such folders.
    """
    sorted_ = [_by_word(root, entries, part) for part in ("image", "annotation")]
    for parts in sorted_:
        if "train" in parts and len(parts) > 1 and None not in parts:
            return {split: parts[split] for split in SPLITS if split in parts}
    parts = sorted_[0]
    if _in_vain(parts) and 2 * len(parts[None]) < len(entries):
        folders = ", ".join(split for split in SPLITS if split in parts)
        fix = "divide by data.train=FOLDER data.val=FOLDER data.test=FOLDER, or leave them out by data.images=PATTERN"
        what = f"{root}: expected every image in a folder that says {folders}, found images in none"
        raise InputError(counted(what, _names(parts[None]), fix))
    return {}


def _by_word(
    root: Path, entries: Sequence[Entry], part: Literal["image", "annotation"]
) -> dict[str | None, list[Entry]]:
    parts: dict[str | None, list[Entry]] = {}
    for entry in entries:
        path: Path = getattr(entry, part).relative_to(root)
        parts.setdefault(word_of(path.parent if part == "image" else path), []).append(entry)
    return parts


def _in_vain(parts: Mapping[str | None, Sequence[Entry]]) -> bool:
    """Whether folders name splits and images lie outside them."""
    return "train" in parts and len(parts) > 2 and None in parts


def _ignored(root: Path, entries: Sequence[Entry]) -> str:
    """Say which folders named splits in vain, as most images lie outside them."""
    parts = _by_word(root, entries, "image")
    if not _in_vain(parts):
        return ""
    folders = ", ".join(split for split in SPLITS if split in parts)
    return f"; {counted(f'folders say {folders}, but images lie outside them', _names(parts[None]))}"


def _names(entries: Iterable[Entry]) -> list[str]:
    return [entry.id for entry in entries]

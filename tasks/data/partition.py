"""Which training images carry labels: nested seeded fractions, lists of published protocols, held-out validation."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath

from tasks.errors import InputError, first_line

KEY = "densedistill-partition-1"  # a new permutation of every dataset is a new version of this
EXTENSION = re.compile(r"\.(png|jpe?g|bmp|tiff?|mat|txt|npy)$", re.IGNORECASE)
SUFFIX = re.compile(r"_(leftImg8bit|gtFine_\w+|gtCoarse_\w+)$")


@dataclass(frozen=True)
class Partition:
    """Labelled and unlabelled training images: indices in the order of the dataset, and what identifies the choice."""

    name: str
    labeled: tuple[int, ...]
    unlabeled: tuple[int, ...]
    checksum: str  # sha256 of the sorted labelled ids, joined by newlines


def split_labeled(ids: Sequence[str], labeled: str, group: Callable[[str], str] = str) -> Partition:
    """Divide the training images into those that keep their labels and the rest.

    Args:
        ids: the ids of the training split.
        labeled: a fraction (``1``, ``1/8``, ``0.125``) of one fixed permutation, so that smaller fractions lie within
            larger ones; or the path of a list of labelled images, one a line: ``image mask`` (UniMatch), an id (CPS,
            VOC) or tab-separated columns (CPS, Cityscapes). Lines are matched by base name, whatever folder they name.
        group: names what an image belongs to, such as a clip; a fraction takes whole groups.

    The count of a fraction is rounded up, which gives every count of the published Cityscapes and VOC protocols; with
    groups, it is the count of the fewest that reach it.
    Raises InputError for a fraction outside (0, 1], a missing or empty list, and an unknown, ambiguous or repeated id.
    """
    share = fraction(labeled)
    if share is None:
        chosen = _listed(ids, Path(labeled).expanduser())
        name = f"list:{Path(labeled).name}"
    elif not 0 < share <= 1:
        raise InputError(f"data.labeled={labeled}: expected a fraction above 0 and at most 1, such as 1/8")
    else:
        chosen = set(_whole_groups(ids, math.ceil(len(ids) * share), group))
        name = "full" if share == 1 else f"seeded-{share}"
    checksum = hashlib.sha256("\n".join(sorted(ids[i] for i in chosen)).encode()).hexdigest()
    rest = tuple(i for i in range(len(ids)) if i not in chosen)
    return Partition(name, tuple(sorted(chosen)), rest, checksum)


def permutation(ids: Sequence[str]) -> list[int]:
    """Order indices by the hash of their ids: random, the same everywhere, and independent of the ids' own order."""
    return sorted(range(len(ids)), key=lambda i: hashlib.sha256(f"{KEY}:{ids[i]}".encode()).digest())


def hold_out(ids: Sequence[str], share: float, group: Callable[[str], str] = str) -> tuple[list[int], list[int]]:
    """Divide indices into training and validation, for sets that come without a validation split.

    Whole groups (a scene, a drive) are held out, in the order of ``permutation``, until at least ``share`` of the ids
    are; at least one group stays on each side unless ``share`` is 0. Returns (training, validation), both ascending.
    """
    if not 0 <= share < 1:
        raise InputError(f"data.holdout={share}: expected a share of the training images, at least 0 and below 1")
    held = _whole_groups(ids, share * len(ids), group, spared=1)
    kept = set(range(len(ids))).difference(held)
    return sorted(kept), sorted(held)


def _whole_groups(ids: Sequence[str], count: float, group: Callable[[str], str], spared: int = 0) -> list[int]:
    """Take groups of indices, in the order of ``permutation``, until there are ``count``; all but the last spared."""
    members: dict[str, list[int]] = {}
    for index, name in enumerate(ids):
        members.setdefault(group(name), []).append(index)
    names, taken = list(members), list[int]()
    for position in permutation(names)[: len(names) - spared]:
        if len(taken) >= count:
            break
        taken += members[names[position]]
    return taken


def base_name(text: str) -> str:
    """Return what the lists of different packagings agree on: no folder, no extension, no Cityscapes suffix."""
    return SUFFIX.sub("", EXTENSION.sub("", PurePosixPath(text.replace("\\", "/")).name))


def fraction(labeled: str) -> Fraction | None:
    """Read a share as data.labeled takes it, ``1/8`` or ``0.125``; None for anything else."""
    try:
        return Fraction(labeled)
    except (ValueError, ZeroDivisionError):
        return None


def _listed(ids: Sequence[str], path: Path) -> set[int]:
    if not path.is_file():
        raise InputError(
            f"data.labeled={path}: expected 1, 1/n, a decimal in (0, 1] or the path of a list file, found no such file"
        )
    known: dict[str, list[int]] = {}
    for index, name in enumerate(ids):
        known.setdefault(base_name(name), []).append(index)
    lines: dict[int, int] = {}  # index -> line that names it
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        entry = line.strip().split("\t" if "\t" in line else None)[0]
        where = f"{path}, line {number}: '{entry}'"
        index = _match(entry, known, ids, where)
        if index in lines:
            raise InputError(f"{where} was already listed in line {lines[index]}; every image may be listed once")
        lines[index] = number
    if not lines:
        raise InputError(f"{path}: expected one labelled image a line, found an empty list")
    return set(lines)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        expected = "expected a list in UTF-8, one labelled image a line"
        raise InputError(f"{path}: {expected}, found {first_line(error)}; write it anew") from error


def _match(entry: str, known: dict[str, list[int]], ids: Sequence[str], where: str) -> int:
    candidates = known.get(base_name(entry), [])
    if len(candidates) > 1:  # the same file name in several folders: the folder decides
        stem = "/" + EXTENSION.sub("", entry.replace("\\", "/"))
        candidates = [i for i in candidates if stem.endswith("/" + EXTENSION.sub("", ids[i]))]
        if len(candidates) != 1:
            raise InputError(f"{where} fits several of the {len(ids)} training images; give its folder too")
    if not candidates:
        raise InputError(
            f"{where} is none of the {len(ids)} training images; the nearest is '{_nearest(base_name(entry), known)}'."
            " A dataset that holds images out for validation trains on all of them with data.holdout=0"
        )
    return candidates[0]


def _nearest(name: str, known: Iterable[str]) -> str:
    return difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]

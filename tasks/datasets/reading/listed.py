"""Datasets on disk: lists of image and annotation files, checked before they are used."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin

import numpy as np

from tasks.annotations.kind import kind_of
from tasks.base import Dataset, Sample
from tasks.data.partition import hold_out
from tasks.datasets.reading.files import fault, fingerprint, is_there, read_image
from tasks.errors import InputError
from tasks.registry import options

SHOWN = 3  # faults in one message; ``verify`` returns all of them
SMALL = ("holdout", "gap")  # options that leave images out, of which a small set has none to spare


@dataclass(frozen=True)
class Entry:
    """One sample: its id, its image file and the file that holds its annotation."""

    id: str
    image: Path
    annotation: Path

    @property
    def files(self) -> Mapping[Path, str]:
        """All files of the sample, and what each is."""
        return {self.image: "the image", self.annotation: "the annotation"}


def id_of(root: Path, image: Path) -> str:
    """Name a sample: the path of its image in the root, without the suffix."""
    return image.relative_to(root).with_suffix("").as_posix()


class ListedDataset(Dataset):
    """A dataset whose samples are an image file and an annotation file each.

    The constructor of a subclass lists files, cheaply; ``ids`` and ``manifest`` raise InputError when one of the files
    listed is missing, so that a run ends before it begins; ``verify`` reads every file and names every fault.
    """

    version: ClassVar[int] = 1  # raise it when the meaning of a sample changes
    official: Mapping[str, int] = {}  # images of each part of the complete release
    found: Mapping[str, int]  # images of the same parts here
    general: ClassVar[bool] = False  # whether it reads any layout, and not one of its own

    def __init__(
        self,
        root: Path,
        entries: Mapping[str, Sequence[Entry]],
        *,
        found: Mapping[str, int] | None = None,
        **identity: Any,
    ) -> None:
        """Keep the lists.

        Args:
            root: the dataset's folder.
            entries: the samples of each split.
            found: images of the parts that ``official`` names, where those are not the splits.
            identity: options that change what a sample is.
        """
        self.root = root
        self.entries = entries
        self.identity = identity
        self.found = found or {split: len(part) for split, part in entries.items()}
        self._ids: dict[str, list[str]] = {}

    @classmethod
    def proposals(cls, root: Path) -> Iterator[Mapping[str, Any]]:
        """Yield options with which a folder may be this dataset: the defaults, then each word of those that take few.

        `benchmark data inspect` tries them in turn. A held-out part, or a gap, that leaves nothing is tried without.
        """
        yield {}
        for key, parameter in options(cls).items():
            if get_origin(parameter.annotation) is Literal:
                yield from ({key: word} for word in get_args(parameter.annotation) if word != parameter.default)
            elif key in SMALL:
                yield {key: type(parameter.default)(0)}

    @abstractmethod
    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the annotations of a sample; ``size`` (H,W) of its image, None when the image cannot be read."""

    def image(self, entry: Entry) -> np.ndarray:
        """Read the image of a sample, uint8 (H,W,3) RGB."""
        return read_image(entry.image)

    def ids(self, split: str) -> Sequence[str]:
        """List the sample ids of a split; InputError where it is empty or a file of it is missing."""
        if split not in self._ids:
            entries = self.entries[split]
            self._refuse([] if entries else [self._empty(split)])
            self._refuse([text for entry in entries for text in _missing(entry)])
            self._ids[split] = [entry.id for entry in entries]
        return self._ids[split]

    def load(self, split: str, index: int) -> Sample:
        """Read one sample; InputError where its image or annotation is faulty."""
        entry = self.entries[split][index]
        image = self.image(entry)
        return Sample(entry.id, image, self.annotate(entry, (image.shape[0], image.shape[1])))

    def manifest(self) -> str:
        """Hash name, version and options, the ids of each split in order, and every file's relative path and size.

        InputError where a file is missing, or a training image is listed elsewhere too: a run ends before it begins.
        """
        samples = {split: [entry.id for entry in entries] for split, entries in self.entries.items()}
        files = {path for entry in self._unique() for path in entry.files}
        self._refuse([text for entry in self._unique() for text in _missing(entry)])
        self._refuse(self.list_faults())
        identity = {"name": self.name, "version": self.version, "samples": samples, **self.identity}
        return fingerprint(identity, files, self.exact())

    def exact(self) -> Iterable[Path]:
        """List the pictures that the manifest hashes by content, not by size; none where a release is of one state."""
        return ()

    def verify(self) -> list[str]:
        """Read everything and name every fault, one line each."""
        faults = self.structure()
        for entry in self._unique():
            faults += self.inspect(entry)
        return faults

    def glance(self) -> list[str]:
        """Name the images that cannot be used, as far as their first bytes tell, which is quick; nothing by default."""
        return []

    def remarks(self) -> dict[str, str]:
        """What a summary says besides counts, sizes and annotations; nothing by default."""
        return {}

    def structure(self) -> list[str]:
        """Name what is wrong with the splits: an empty one, a repeated id, a training image elsewhere."""
        return [self._empty(split) for split, entries in self.entries.items() if not entries] + self.list_faults()

    def list_faults(self) -> list[str]:
        """Name the ids that a split has twice, and the training images that another split has too; no file is read."""
        faults = []
        training = {(entry.image, entry.id) for entry in self.entries["train"]}
        for split, entries in self.entries.items():
            for name, count in Counter(entry.id for entry in entries).items():
                if count > 1:
                    faults.append(f"{self.root}: expected '{name}' once in split '{split}', found it {count} times")
            if split != "train":
                shared = [entry for entry in entries if (entry.image, entry.id) in training]
                faults += [
                    str(fault(entry.image, f"'{entry.id}' in '{split}' alone", "it in 'train' too", "mend the lists"))
                    for entry in shared
                ]
        return faults

    def inspect(self, entry: Entry) -> list[str]:
        """Read one sample and name every fault of its files."""
        faults = []
        size = annotations = None
        try:
            image = self.image(entry)
            size = (image.shape[0], image.shape[1])
        except InputError as error:
            faults.append(str(error))
        try:
            annotations = self.annotate(entry, size)
        except InputError as error:
            faults.append(str(error))
        if size is not None and annotations is not None:
            wrong = {kind: kind_of(kind).faults(value, size, self.info) for kind, value in annotations.items()}
            faults += [f"{entry.annotation}: {text} in '{kind}'" for kind, texts in wrong.items() for text in texts]
            faults += self.doubts(entry, size, annotations)
        return faults

    def doubts(self, entry: Entry, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name the faults of a sample that ``annotate`` puts up with; ``size`` (H,W) is that of the image."""
        return []

    def _unique(self) -> list[Entry]:
        return list({entry: None for entries in self.entries.values() for entry in entries})

    def _empty(self, split: str) -> str:
        fixes = self.small_set_fixes()
        fix = f"; a small set may need {' or '.join(fixes)}" if fixes else ""
        return f"{self.root}: expected images in split '{split}', found none{fix}"

    def small_set_fixes(self) -> Sequence[str]:
        """List words that may help where a set is too small for its splits."""
        return [f"data.{key}=0" for key in SMALL if key in options(type(self))]

    def _refuse(self, faults: list[str]) -> None:
        if faults:
            more = f"\n... and {len(faults) - SHOWN} more: run `benchmark data verify`" if len(faults) > SHOWN else ""
            raise InputError("\n".join(faults[:SHOWN]) + more)


def held_out(
    train: Sequence[Entry], test: Sequence[Entry], share: float, group: Callable[[str], str] = str
) -> dict[str, Sequence[Entry]]:
    """Make three splits of a training and a test set that come without a validation set.

    Validation images are held out of the training set, whole groups of ids at a time; with ``share`` 0 the training set
    stays whole and the test set serves for validation too, as in published protocols.
    """
    kept, held = hold_out([entry.id for entry in train], share, group)
    return {"train": [train[i] for i in kept], "val": [train[i] for i in held] if share else test, "test": test}


def divide(entries: Sequence[Entry], group: Callable[[str], str] = str) -> dict[str, Sequence[Entry]]:
    """Make three splits of a set that has none, as ``hold_out`` picks: 20 % test, 10 % validation, rest training."""
    rest, test = hold_out([entry.id for entry in entries], 0.2, group)
    return held_out([entries[i] for i in rest], [entries[i] for i in test], 0.125, group)


def strays(files: Iterable[Path], listed: Iterable[Path], what: str) -> list[str]:
    """Name the files of a folder that no list speaks of."""
    known = set(listed)
    return [
        str(fault(path, f"only files that {what} names", "one more", "list it too, or keep it elsewhere"))
        for path in files
        if path not in known
    ]


def _missing(entry: Entry) -> list[str]:
    return [
        str(fault(path, f"{role} of sample '{entry.id}'", "no such file", "put it there, or mend what names it"))
        for path, role in entry.files.items()
        if not is_there(path)
    ]

"""Datasets on disk: lists of image and annotation files, checked before they are used."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import Dataset, Sample
from tasks.data.files import fault, fingerprint, read_image
from tasks.errors import InputError

SHOWN = 5  # faults in one message; ``verify`` returns all of them


@dataclass(frozen=True)
class Entry:
    """One sample: its id, its image file and the file that holds its annotation."""

    id: str
    image: Path
    annotation: Path


class ListedDataset(Dataset):
    """A dataset whose samples are an image file and an annotation file each.

    The constructor of a subclass lists files, cheaply; ``ids`` and ``manifest`` raise InputError when one of the files
    listed is missing, so that a run ends before it begins; ``verify`` reads every file and names every fault.
    """

    version: ClassVar[int] = 1  # raise it when the meaning of a sample changes
    official: ClassVar[Mapping[str, int]] = {}  # images a split of the complete release

    def __init__(self, root: Path, entries: Mapping[str, Sequence[Entry]], **identity: Any) -> None:
        """Keep the lists.

        Args:
            root: folder that every path lies in.
            entries: the samples of each split.
            identity: options that change what a sample is.
        """
        self.root = root
        self.entries = entries
        self.identity = identity
        self._ids: dict[str, list[str]] = {}

    @abstractmethod
    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the annotations of a sample; ``size`` (H,W) of its image, None when the image cannot be read."""

    def ids(self, split: str) -> Sequence[str]:
        """List the sample ids of a split; InputError where it is empty or a file of it is missing."""
        if split not in self._ids:
            entries = self.entries[split]
            self._refuse([] if entries else [self._empty(split)])
            self._refuse([each for entry in entries for each in _missing(entry)])
            self._ids[split] = [entry.id for entry in entries]
        return self._ids[split]

    def load(self, split: str, index: int) -> Sample:
        """Read one sample; InputError where its image or annotation is faulty."""
        entry = self.entries[split][index]
        image = read_image(entry.image)
        return Sample(entry.id, image, self.annotate(entry, (image.shape[0], image.shape[1])))

    def manifest(self) -> str:
        """Hash name, version and options, the ids of each split in order, and every file's relative path and size."""
        samples = {split: [entry.id for entry in entries] for split, entries in self.entries.items()}
        files = {path for entry in self._unique() for path in (entry.image, entry.annotation)}
        self._refuse([each for entry in self._unique() for each in _missing(entry)])
        identity = {"name": self.name, "version": self.version, "samples": samples, **self.identity}
        return fingerprint(identity, self.root, files)

    def verify(self) -> list[str]:
        """Read everything and name every fault, one line each."""
        faults = self.structure()
        for entry in self._unique():
            faults += self.inspect(entry)
        return faults

    def structure(self) -> list[str]:
        """Name what is wrong with the lists themselves: an empty split, a repeated id, a training image elsewhere."""
        faults = []
        training = {entry.image for entry in self.entries["train"]}
        for split, entries in self.entries.items():
            if not entries:
                faults.append(self._empty(split))
            for each, count in Counter(entry.id for entry in entries).items():
                if count > 1:
                    faults.append(f"{self.root}: expected '{each}' once in split '{split}', found it {count} times")
            if split != "train":
                shared = [entry.image for entry in entries if entry.image in training]
                faults += [
                    str(fault(path, f"in '{split}' alone", "in 'train' too", "mend the lists")) for path in shared
                ]
        return faults

    def inspect(self, entry: Entry) -> list[str]:
        """Read one sample and name every fault of its files."""
        faults = []
        size = None
        try:
            image = read_image(entry.image)
            size = (image.shape[0], image.shape[1])
        except InputError as error:
            faults.append(str(error))
        try:
            self.annotate(entry, size)
        except InputError as error:
            faults.append(str(error))
        return faults

    def _unique(self) -> list[Entry]:
        return list({entry: None for entries in self.entries.values() for entry in entries})

    def _empty(self, split: str) -> str:
        return f"{self.root}: expected images in split '{split}', found none"

    def _refuse(self, faults: list[str]) -> None:
        if faults:
            more = f"\n... and {len(faults) - SHOWN} more: run `benchmark data verify`" if len(faults) > SHOWN else ""
            raise InputError("\n".join(faults[:SHOWN]) + more)


def strays(files: Iterable[Path], listed: Iterable[Path], what: str) -> list[str]:
    """Name the files of a folder that no list speaks of."""
    known = set(listed)
    return [
        str(fault(path, f"only files that {what} names", "one more", "remove it"))
        for path in files
        if path not in known
    ]


def _missing(entry: Entry) -> list[str]:
    files = ((entry.image, "the image"), (entry.annotation, "the annotation"))
    return [
        str(fault(path, f"{role} of sample '{entry.id}'", "no such file")) for path, role in files if not path.is_file()
    ]

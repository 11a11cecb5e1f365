"""COCO detection: images and a JSON file of boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import Info, datasets
from tasks.datasets.reading.boxes import box_faults, usable
from tasks.datasets.reading.coco_json import Record, read_coco
from tasks.datasets.reading.files import data_root, fault, size_text
from tasks.datasets.reading.listed import Entry, ListedDataset, held_out

LAYOUT = "train2017/, val2017/ and annotations/instances_{train,val}2017.json"


@datasets.register("coco")
class COCO(ListedDataset):
    """COCO 2017 detection (Lin et al., ECCV 2014), or any set with COCO's JSON; category ids are kept.

    COCO's validation images are the test split, since the official test set has no public boxes; validation images are
    held out of the training set, see ``held_out``. As usual, training images without a box are left out (117266 of
    118287 remain), those of the other splits are not. Crowds are marked difficult. The constructor reads both files.

    Args:
        root: the dataset's folder; the other paths are relative to it.
        train_images: folder of the training images.
        train_annotations: JSON file of the training images.
        test_images: folder of the test images.
        test_annotations: JSON file of the test images.
        val_images: folder of the validation images of sets that have some; ``holdout`` is then without effect.
        val_annotations: JSON file of the validation images.
        holdout: share of the training images that validate; 0 validates on the test set.
    """

    title: ClassVar[str] = "COCO detection"
    license: ClassVar[str] = "annotations CC BY 4.0; images under Flickr's terms of use"
    reference: ClassVar[str] = "https://cocodataset.org"
    bibtex: ClassVar[str] = """
        @inproceedings{lin2014microsoft,
          title = {Microsoft COCO: Common Objects in Context},
          author = {Lin, Tsung-Yi and Maire, Michael and Belongie, Serge and Hays, James and Perona, Pietro and
            Ramanan, Deva and Doll{\\'a}r, Piotr and Zitnick, C. Lawrence},
          booktitle = {European Conference on Computer Vision (ECCV)},
          year = {2014}
        }
    """
    provides: ClassVar[frozenset[str]] = frozenset({"boxes"})

    def __init__(
        self,
        *,
        root: str | None = None,
        train_images: str = "train2017",
        train_annotations: str = "annotations/instances_train2017.json",
        test_images: str = "val2017",
        test_annotations: str = "annotations/instances_val2017.json",
        val_images: str | None = None,
        val_annotations: str | None = None,
        holdout: float = 0.1,
    ) -> None:
        places = {"train": (train_images, train_annotations), "test": (test_images, test_annotations)}
        if val_images is not None and val_annotations is not None:
            places["val"] = (val_images, val_annotations)
        folder = data_root(root, LAYOUT, *(path for pair in places.values() for path in pair))
        sets = {split: _read(folder / images, folder / json_file) for split, (images, json_file) in places.items()}
        self.info = _info(folder, places, sets)
        self.records = {entry: record for part in sets.values() for entry, record in part.records.items()}
        self._faults = [text for part in sets.values() for text in part.faults]
        splits = {split: list(part.records) for split, part in sets.items()}
        found = {split: len(entries) for split, entries in splits.items()}
        if "val" not in splits:
            splits = {k: list(v) for k, v in held_out(splits["train"], splits["test"], holdout).items()}
        splits["train"] = [entry for entry in splits["train"] if len(self.annotate(entry, None)["boxes"].labels)]
        if train_images == "train2017" and test_images == "val2017":
            self.official: Mapping[str, int] = {"train": 118287, "test": 5000}
        super().__init__(folder, {split: splits[split] for split in self.splits}, found=found)

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Give the boxes of an image, clipped to it; InputError where the image has another size than its entry."""
        record = self.records[entry]
        if size is not None and size != record.size:
            expected = f"{size_text(record.size)} pixels, as {entry.annotation.name} says"
            raise fault(entry.image, expected, size_text(size))
        return {"boxes": usable(record.boxes, record.size)}

    def structure(self) -> list[str]:
        """Name what is wrong with the lists and within the JSON files."""
        return super().structure() + self._faults

    def doubts(self, entry: Entry, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name boxes that are left out or clipped."""
        where = entry.annotation.with_name(f"{entry.annotation.name}, image {entry.id}")
        return box_faults(where, self.records[entry].boxes, size)


@dataclass
class _Set:
    categories: dict[int, str]
    records: dict[Entry, Record]
    faults: list[str]


def _read(folder: Path, path: Path) -> _Set:
    found = read_coco(path)
    records = {Entry(name.rpartition(".")[0], folder / name, path): each for name, each in found.records.items()}
    return _Set(found.categories, records, found.faults)


def _info(folder: Path, places: Mapping[str, tuple[str, str]], sets: Mapping[str, _Set]) -> Info:
    categories = sets["train"].categories
    for split, part in sets.items():
        if part.categories != categories:
            expected = f"the categories of {places['train'][1]}"
            different = dict(sorted(set(part.categories.items()) ^ set(categories.items())))
            raise fault(folder / places[split][1], expected, f"others: {different}", "use files of one release")
    return Info(categories=tuple(categories.values()), category_ids=tuple(categories))

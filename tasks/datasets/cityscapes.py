"""Cityscapes, fine annotations: street scenes of 2048x1024, 19 classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import IGNORE, Info, datasets
from tasks.datasets.reading.files import data_root, label_table, read_classes
from tasks.datasets.reading.listed import Entry, ListedDataset, held_out

LAYOUT = "leftImg8bit/{train,val}/<city>/*_leftImg8bit.png and gtFine/{train,val}/<city>/*_gtFine_labelIds.png"
IMAGE, LABELS, READY = "_leftImg8bit.png", "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png"
CLASSES = {  # in the order of the train ids: label id, colour
    "road": (7, (128, 64, 128)),
    "sidewalk": (8, (244, 35, 232)),
    "building": (11, (70, 70, 70)),
    "wall": (12, (102, 102, 156)),
    "fence": (13, (190, 153, 153)),
    "pole": (17, (153, 153, 153)),
    "traffic light": (19, (250, 170, 30)),
    "traffic sign": (20, (220, 220, 0)),
    "vegetation": (21, (107, 142, 35)),
    "terrain": (22, (152, 251, 152)),
    "sky": (23, (70, 130, 180)),
    "person": (24, (220, 20, 60)),
    "rider": (25, (255, 0, 0)),
    "car": (26, (0, 0, 142)),
    "truck": (27, (0, 0, 70)),
    "bus": (28, (0, 60, 100)),
    "train": (31, (0, 80, 100)),
    "motorcycle": (32, (0, 0, 230)),
    "bicycle": (33, (119, 11, 32)),
}
VOID = dict.fromkeys((*range(34), 255), IGNORE)  # 255 stands for -1, license plate
LABEL_IDS = label_table({**VOID, **{label: k for k, (label, _) in enumerate(CLASSES.values())}})
TRAIN_IDS = label_table({**{k: k for k in range(len(CLASSES))}, 255: IGNORE})


@datasets.register("cityscapes")
class Cityscapes(ListedDataset):
    """Cityscapes (Cordts et al., CVPR 2016); label ids are mapped while reading, ready train ids are taken as well.

    The official validation set is the test split, since the official test set has no public labels. Validation images
    are held out of the training set, whole cities at a time; see ``held_out``.
    """

    title: ClassVar[str] = "Cityscapes, fine annotations"
    license: ClassVar[str] = "its terms, non-commercial"
    reference: ClassVar[str] = "https://www.cityscapes-dataset.com"
    bibtex: ClassVar[str] = """
        @inproceedings{cordts2016cityscapes,
          title = {The Cityscapes Dataset for Semantic Urban Scene Understanding},
          author = {Cordts, Marius and Omran, Mohamed and Ramos, Sebastian and Rehfeld, Timo and Enzweiler, Markus
            and Benenson, Rodrigo and Franke, Uwe and Roth, Stefan and Schiele, Bernt},
          booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
          year = {2016}
        }
    """
    provides: ClassVar[frozenset[str]] = frozenset({"classes"})
    official: Mapping[str, int] = {"train": 2975, "val": 500}
    info = Info(classes=tuple(CLASSES), palette=tuple(colour for _, colour in CLASSES.values()))

    def __init__(self, *, root: str | None = None, holdout: float = 0.1) -> None:
        folder = data_root(root, LAYOUT, "leftImg8bit/train", "leftImg8bit/val", "gtFine/train", "gtFine/val")
        parts = {split: _entries(folder, split) for split in self.official}
        splits = held_out(parts["train"], parts["val"], holdout, group=lambda name: name.partition("_")[0])
        super().__init__(folder, splits, found={split: len(entries) for split, entries in parts.items()})

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the labels as train ids, 255 where ignored."""
        if entry.annotation.name.endswith(READY):
            return {"classes": read_classes(entry.annotation, TRAIN_IDS, size, "0..18 or 255")}
        return {"classes": read_classes(entry.annotation, LABEL_IDS, size, "0..33")}


def _entries(folder: Path, split: str) -> list[Entry]:
    labels = {path.name: path for path in (folder / "gtFine" / split).glob("*/*.png")}
    entries = []
    for image in sorted((folder / "leftImg8bit" / split).glob(f"*/*{IMAGE}")):
        base = image.name.removesuffix(IMAGE)
        expected = folder / "gtFine" / split / image.parent.name / f"{base}{LABELS}"
        entries.append(Entry(base, image, labels.get(base + LABELS) or labels.get(base + READY) or expected))
    return entries

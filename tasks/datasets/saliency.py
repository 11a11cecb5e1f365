"""Salient-object sets: a folder of images and a folder of masks, matched by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from tasks.base import Info, datasets
from tasks.datasets.reading.files import data_root, files_by_stem, read_grey, shape_faults
from tasks.datasets.reading.listed import Entry, ListedDataset, divide, held_out, strays
from tasks.errors import InputError

THRESHOLD = 128  # of 0..255; what lies above is salient (PySODMetrics)
Preset = Literal["duts", "ecssd", "dut-omron", "hku-is", "pascal-s"]


@dataclass(frozen=True)
class Folders:
    """Where a set keeps its images and masks, and how many images it has."""

    name: str
    images: str
    masks: str
    count: int


TRAIN = Folders("DUTS-TR", "DUTS-TR-Image", "DUTS-TR-Mask", 10553)
SETS = {
    "duts": Folders("DUTS-TE", "DUTS-TE-Image", "DUTS-TE-Mask", 5019),
    "ecssd": Folders("ECSSD", "images", "ground_truth_mask", 1000),
    "dut-omron": Folders("DUT-OMRON", "DUT-OMRON-image", "pixelwiseGT-new-PNG", 5168),
    "hku-is": Folders("HKU-IS", "imgs", "gt", 4447),
    "pascal-s": Folders("PASCAL-S", "datasets/imgs/pascal", "datasets/masks/pascal", 850),
}


@datasets.register("saliency")
class Saliency(ListedDataset):
    """Salient-object detection: train on DUTS-TR and test on one of five sets, or divide any one set.

    ``preset=duts`` trains on DUTS-TR (Wang et al., CVPR 2017) and tests on ``test``: DUTS-TE, ECSSD (Shi et al., TPAMI
    2016), DUT-OMRON (Yang et al., CVPR 2013), HKU-IS (Li and Yu, CVPR 2015) or PASCAL-S (Li et al., CVPR 2014).
    Validation images are held out of DUTS-TR, see ``held_out``. Any other preset, and the folders ``images`` and
    ``masks`` where they are given, are divided by ``divide``, since they come without splits.

    Files are matched by stem, upper and lower case alike. A mask may have another size than its image: it keeps it, and
    predictions are scored at the size of the mask. Grey masks are salient above 128 of 255.

    Args:
        root: folder that holds DUTS-TR/, ECSSD/ and so on, or the folder of the one set.
        preset: which set to train on.
        test: which set to test on after training on DUTS-TR.
        images: folder of the images of any other set.
        masks: folder of the masks of any other set.
        holdout: share of DUTS-TR that validates; 0 validates on the test set.
    """

    title: ClassVar[str] = "Salient objects, images and masks in folders"
    license: ClassVar[str] = "research; each set's own terms"
    reference: ClassVar[str] = "http://saliencydetection.net/duts/"
    bibtex: ClassVar[str] = """
        @inproceedings{wang2017learning,
          title = {Learning to Detect Salient Objects with Image-level Supervision},
          author = {Wang, Lijun and Lu, Huchuan and Wang, Yifan and Feng, Mengyang and Wang, Dong and Yin, Baocai
            and Ruan, Xiang},
          booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
          year = {2017}
        }
    """
    provides: ClassVar[frozenset[str]] = frozenset({"mask"})
    info = Info()

    def __init__(
        self,
        *,
        root: str | None = None,
        preset: Preset = "duts",
        test: Preset = "duts",
        images: str | None = None,
        masks: str | None = None,
        holdout: float = 0.1,
    ) -> None:
        top = data_root(root, "images and masks, or DUTS-TR/, DUTS-TE/, ECSSD/, ...")
        self.folders: list[tuple[Path, Path]] = []
        if images is not None and masks is not None:
            entries = self._pairs(top / images, top / masks)
            splits, found = divide(entries), {}
        elif images is not None or masks is not None:
            raise InputError("data.images and data.masks: expected both, folders within data.root, or neither")
        elif preset == "duts":
            train, tested = self._preset(top, TRAIN), self._preset(top, SETS[test])
            self.official: Mapping[str, int] = {"train": TRAIN.count, "test": SETS[test].count}
            splits, found = held_out(train, tested, holdout), {"train": len(train), "test": len(tested)}
        else:
            entries = self._preset(top, SETS[preset])
            self.official = {"whole": SETS[preset].count}
            splits, found = divide(entries), {"whole": len(entries)}
        super().__init__(top, splits, found=found)

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the mask at its own size, 0 or 1."""
        return {"mask": read_mask(entry.annotation)}

    def structure(self) -> list[str]:
        """Name what is wrong with the lists, and masks without an image."""
        listed = [entry.annotation for entries in self.entries.values() for entry in entries]
        masks = [path for _, folder in self.folders for path in files_by_stem(folder).values()]
        return super().structure() + strays(masks, listed, "an image")

    def doubts(self, entry: Entry, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name a mask of another shape than its image; another size is fine."""
        return shape_faults(entry.annotation, annotations["mask"].shape, size)

    def _preset(self, top: Path, folders: Folders) -> list[Entry]:
        for base in (top / folders.name, top):
            if (base / folders.images).is_dir() and (base / folders.masks).is_dir():
                return self._pairs(base / folders.images, base / folders.masks)
        raise InputError(
            f"data.root={top}: expected {folders.name}/{folders.images} and {folders.name}/{folders.masks}, "
            f"found no such folders; other folders can be named by data.images and data.masks"
        )

    def _pairs(self, images: Path, masks: Path) -> list[Entry]:
        self.folders.append((images, masks))
        by_name = {stem.lower(): path for stem, path in files_by_stem(masks).items()}
        return [
            Entry(stem, path, by_name.get(stem.lower(), masks / f"{stem}.png"))
            for stem, path in files_by_stem(images).items()
        ]


def read_mask(path: Path) -> np.ndarray:
    """Read a mask as uint8 (H,W), 1 where it is brighter than 128 of 255; one of 0 and 1 alone is taken as it is."""
    grey = read_grey(path)
    return (grey > (0 if grey.max() <= 1 else THRESHOLD)).astype(np.uint8)

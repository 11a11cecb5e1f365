"""SALICON: where people point their mouse in still images of COCO."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tasks.base import datasets
from tasks.datasets.reading.files import data_root
from tasks.datasets.reading.gaze import GazeDataset
from tasks.datasets.reading.listed import Entry, held_out
from tasks.datasets.reading.looks import Looks, fixations_of, read_looks

LAYOUT = "images/{train,val}/*.jpg and annotations/fixations_{train,val}2014.json"


@datasets.register("salicon")
class SALICON(GazeDataset):
    """SALICON (Jiang et al., CVPR 2015): still images and a JSON of fixations, rows and columns from 1.

    The densities are made here: a Gaussian of ``sigma`` pixels around every fixation, as the set's own code makes them.
    Its validation images are the test split, since the official test set is held back; validation images are held out
    of the training set, see ``held_out``.

    Args:
        root: the dataset's folder; the other paths are relative to it.
        train_images: folder of the training images.
        train_annotations: JSON file of their fixations.
        test_images: folder of the validation images.
        test_annotations: JSON file of their fixations.
        sigma: width of a look, in pixels of the image (640x480).
        holdout: share of the training images that validate; 0 validates on the test set.
    """

    title: ClassVar[str] = "SALICON, looks at still images"
    license: ClassVar[str] = "see the authors' page"
    official = {"train": 10000, "test": 5000}

    def __init__(
        self,
        *,
        root: str | None = None,
        train_images: str = "images/train",
        train_annotations: str = "annotations/fixations_train2014.json",
        test_images: str = "images/val",
        test_annotations: str = "annotations/fixations_val2014.json",
        sigma: float = 19.0,
        holdout: float = 0.1,
    ) -> None:
        top = data_root(root, LAYOUT, train_annotations, test_annotations)
        self.sigma = sigma
        self.looks: dict[Path, Looks] = {}
        train = self._entries(top / train_images, top / train_annotations)
        test = self._entries(top / test_images, top / test_annotations)
        found = {"train": len(train), "test": len(test)}
        super().__init__(top, held_out(train, test, holdout), found=found, sigma=sigma)

    def _entries(self, images: Path, file: Path) -> list[Entry]:
        self.looks[file] = read_looks(file)
        return [Entry(Path(name).stem, images / name, file) for name in sorted(self.looks[file])]

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Make the density from the points, which are put inside the image."""
        points = self.looks[entry.annotation][entry.image.name]
        return {"fixations": fixations_of(points, size or (480, 640), self.sigma)}

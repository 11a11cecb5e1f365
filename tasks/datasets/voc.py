"""Pascal VOC 2012 segmentation, 21 classes, with the annotations of SBD on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import IGNORE, Info, datasets
from tasks.datasets.reading.colours import voc_colours
from tasks.datasets.reading.files import data_root, label_table, read_classes, read_lines, translate
from tasks.datasets.reading.listed import Entry, ListedDataset, held_out
from tasks.datasets.reading.mat import read_mat
from tasks.errors import InputError

LAYOUT = "VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,ImageSets/Segmentation}"
OBJECTS = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
CLASSES = ("background", *OBJECTS)
TABLE = label_table({**{k: k for k in range(len(CLASSES))}, 255: IGNORE})
SBD = ("benchmark_RELEASE/dataset", "SBD/dataset", "SBD")
CHALLENGE = """
@article{everingham2010pascal,
  title = {The Pascal Visual Object Classes (VOC) Challenge},
  author = {Everingham, Mark and Van Gool, Luc and Williams, Christopher K. I. and Winn, John and Zisserman,
    Andrew},
  journal = {International Journal of Computer Vision},
  year = {2010}
}
"""
BOUNDARIES = """
@inproceedings{hariharan2011semantic,
  title = {Semantic Contours from Inverse Detectors},
  author = {Hariharan, Bharath and Arbel{\\'a}ez, Pablo and Bourdev, Lubomir and Maji, Subhransu and Malik,
    Jitendra},
  booktitle = {International Conference on Computer Vision (ICCV)},
  year = {2011}
}
"""


@datasets.register("voc")
class VOC(ListedDataset):
    """Pascal VOC 2012 segmentation (Everingham et al., IJCV 2010): indices of palette PNGs, 255 ignored.

    Training images are VOC's own 1464; with ``augmented`` the 10582 of "trainaug": VOC's and all of SBD (Hariharan et
    al., ICCV 2011) without VOC's validation set, read from SBD's .mat files or from ``SegmentationClassAug/``. VOC's
    validation set is the test split, since the official test set has no public labels; validation images are held out
    of the training set, see ``held_out``.
    """

    title: ClassVar[str] = "Pascal VOC 2012 segmentation"
    license: ClassVar[str] = "images under Flickr's terms of use"
    reference: ClassVar[str] = "http://host.robots.ox.ac.uk/pascal/VOC/"
    bibtex: ClassVar[str] = CHALLENGE + BOUNDARIES
    provides: ClassVar[frozenset[str]] = frozenset({"classes"})
    info = Info(classes=CLASSES, palette=voc_colours(len(CLASSES)))

    def __init__(self, *, root: str | None = None, augmented: bool = False, holdout: float = 0.1) -> None:
        inside = ("VOCdevkit/VOC2012", "VOC2012")
        folder = data_root(root, LAYOUT, "JPEGImages", "SegmentationClass", "ImageSets/Segmentation", inside=inside)
        lists = folder / "ImageSets" / "Segmentation"
        train, test = (
            [_entry(folder, "SegmentationClass", name) for name in read_lines(lists / f"{split}.txt")]
            for split in ("train", "val")
        )
        if augmented:
            train = _augment(Path(str(root)).expanduser(), folder, train, test)
        self.official = {"train": 10582 if augmented else 1464, "val": 1449}
        super().__init__(folder, held_out(train, test, holdout), found={"train": len(train), "val": len(test)})

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read a label PNG, or SBD's .mat, which has no border."""
        if entry.annotation.suffix == ".mat":
            raw = read_mat(entry.annotation, "GTcls", "Segmentation")
            return {"classes": translate(entry.annotation, raw, TABLE, size, "0..20")}
        return {"classes": read_classes(entry.annotation, TABLE, size, "0..20 or 255")}


def _entry(folder: Path, labels: str, name: str) -> Entry:
    return Entry(name, folder / "JPEGImages" / f"{name}.jpg", folder / labels / f"{name}.png")


def _augment(root: Path, folder: Path, train: Sequence[Entry], test: Sequence[Entry]) -> list[Entry]:
    """Add SBD's images to VOC's own, which keep their more careful labels; sorted by name."""
    taken = {entry.id for entry in (*train, *test)}
    if (folder / "SegmentationClassAug").is_dir():
        names = sorted(path.stem for path in (folder / "SegmentationClassAug").glob("*.png"))
        more = [_entry(folder, "SegmentationClassAug", name) for name in names if name not in taken]
        return sorted([*train, *more], key=lambda entry: entry.id)
    places = [base / place for base in (root, folder) for place in SBD]
    sbd = next((place for place in places if (place / "cls").is_dir()), None)
    if sbd is None:
        raise InputError(
            f"data.augmented=true: expected {folder}/SegmentationClassAug or SBD's {root}/{SBD[0]}/cls, found neither; "
            "unpack SBD there or leave data.augmented=false"
        )
    names = sorted({*read_lines(sbd / "train.txt"), *read_lines(sbd / "val.txt")} - taken)
    more = [Entry(name, sbd / "img" / f"{name}.jpg", sbd / "cls" / f"{name}.mat") for name in names]
    return sorted([*train, *more], key=lambda entry: entry.id)

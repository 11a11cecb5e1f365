"""ShanghaiTech crowd counting, parts A and B."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from tasks.base import Info, datasets
from tasks.datasets.reading.crowds import CrowdDataset
from tasks.datasets.reading.files import data_root, files_by_stem
from tasks.datasets.reading.listed import Entry, held_out
from tasks.datasets.reading.mat import read_mat
from tasks.datasets.reading.points import read_points
from tasks.errors import InputError

LAYOUT = "part_<A,B>_final/{train_data,test_data}/{images,ground_truth} (also part_<A,B> and ground-truth)"
OFFICIAL = {"A": {"train": 300, "test": 182}, "B": {"train": 400, "test": 316}}
Part = Literal["A", "B"]


@datasets.register("shanghaitech")
class ShanghaiTech(CrowdDataset):
    """ShanghaiTech (Zhang et al., CVPR 2016) in both packagings; heads of ``GT_IMG_<i>.mat``.

    There is no validation list: a tenth of the training images is held out, see ``held_out``. Public code often selects
    its model on the test set instead, which ``holdout=0`` reproduces.
    """

    title: ClassVar[str] = "ShanghaiTech, part A or B"
    license: ClassVar[str] = "see reference"
    reference: ClassVar[str] = "https://github.com/desenzhou/ShanghaiTechDataset"
    bibtex: ClassVar[str] = """
        @inproceedings{zhang2016single,
          title = {Single-Image Crowd Counting via Multi-Column Convolutional Neural Network},
          author = {Zhang, Yingying and Zhou, Desen and Chen, Siqin and Gao, Shenghua and Ma, Yi},
          booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
          year = {2016}
        }
    """
    info = Info()

    def __init__(self, *, root: str | None = None, part: Part = "A", holdout: float = 0.1) -> None:
        top = data_root(root, LAYOUT)
        names = (f"part_{part}_final", f"part_{part}")
        places = [base / name for base in (top, top / "ShanghaiTech") for name in names]
        folder = next((place for place in (*places, top) if (place / "train_data").is_dir()), None)
        if folder is None:
            there = ", ".join(sorted(path.name for path in top.iterdir() if path.is_dir())) or "no folder"
            raise InputError(f"data.root={root}, data.part={part}: expected a folder with {LAYOUT}; found {there}")
        train, test = _entries(folder / "train_data"), _entries(folder / "test_data")
        self.official: Mapping[str, int] = OFFICIAL[part]
        found = {"train": len(train), "test": len(test)}
        super().__init__(folder, held_out(train, test, holdout), found=found, part=part)

    def heads(self, path: Path) -> tuple[np.ndarray, int]:
        """Read the points and the number that the file states."""
        points = read_points(path, read_mat(path, "image_info", "location"))
        return points, int(read_mat(path, "image_info", "number"))


def _entries(folder: Path) -> list[Entry]:
    truth = next((folder / name for name in ("ground_truth", "ground-truth") if (folder / name).is_dir()), None)
    if truth is None:
        raise InputError(f"{folder}: expected ground_truth/ or ground-truth/ beside images/, found neither")
    images = files_by_stem(folder / "images")
    return [
        Entry(f"{folder.name}/{stem}", path, truth / f"GT_{stem}.mat")
        for stem, path in sorted(images.items(), key=lambda item: _number(item[0]))
    ]


def _number(stem: str) -> tuple[int, str]:
    """Sort IMG_2 before IMG_10."""
    digits = stem.rpartition("_")[2]
    return (int(digits) if digits.isdigit() else 0, stem)

"""UCF-QNRF crowd counting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from tasks.base import Info, datasets
from tasks.datasets.reading.crowds import CrowdDataset
from tasks.datasets.reading.files import data_root, files_by_stem
from tasks.datasets.reading.listed import Entry, held_out
from tasks.datasets.reading.mat import read_mat
from tasks.datasets.reading.points import read_points

LAYOUT = "UCF-QNRF_ECCV18/{Train,Test}/img_####.jpg with img_####_ann.mat"


@datasets.register("ucf_qnrf")
class UCFQNRF(CrowdDataset):
    """UCF-QNRF (Idrees et al., ECCV 2018); validation images are held out of the training set, see ``held_out``."""

    title: ClassVar[str] = "UCF-QNRF"
    license: ClassVar[str] = "its terms, research"
    reference: ClassVar[str] = "https://www.crcv.ucf.edu/data/ucf-qnrf/"
    bibtex: ClassVar[str] = """
        @inproceedings{idrees2018composition,
          title = {Composition Loss for Counting, Density Map Estimation and Localization in Dense Crowds},
          author = {Idrees, Haroon and Tayyab, Muhmmad and Athrey, Kishan and Zhang, Dong and Al-Maadeed, Somaya and
            Rajpoot, Nasir and Shah, Mubarak},
          booktitle = {European Conference on Computer Vision (ECCV)},
          year = {2018}
        }
    """
    official: Mapping[str, int] = {"train": 1201, "test": 334}
    info = Info()

    def __init__(self, *, root: str | None = None, holdout: float = 0.1) -> None:
        folder = data_root(root, LAYOUT, "Train", "Test", inside=("UCF-QNRF_ECCV18",))
        train, test = _entries(folder / "Train"), _entries(folder / "Test")
        super().__init__(folder, held_out(train, test, holdout), found={"train": len(train), "test": len(test)})

    def heads(self, path: Path) -> tuple[np.ndarray, None]:
        """Read the points; the files state no number."""
        return read_points(path, read_mat(path, "annPoints")), None


def _entries(folder: Path) -> list[Entry]:
    return [
        Entry(f"{folder.name}/{stem}", path, folder / f"{stem}_ann.mat") for stem, path in files_by_stem(folder).items()
    ]

"""NWPU-Crowd counting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from tasks.base import Info, datasets
from tasks.datasets.reading.crowds import CrowdDataset
from tasks.datasets.reading.files import data_root, fault, load_json, read_lines, reason
from tasks.datasets.reading.listed import Entry, held_out
from tasks.datasets.reading.mat import read_mat
from tasks.datasets.reading.points import read_points

LAYOUT = "images/####.jpg, jsons/####.json or mats/####.mat, train.txt and val.txt"


@datasets.register("nwpu")
class NWPU(CrowdDataset):
    """NWPU-Crowd (Wang et al., TPAMI 2020); lists of ``id luminance level`` lines, 351 of the images without people.

    The official validation set is the test split, since the official test set has no public points; validation images
    are held out of the training set, see ``held_out``.
    """

    title: ClassVar[str] = "NWPU-Crowd"
    license: ClassVar[str] = "its terms, research"
    reference: ClassVar[str] = "https://www.crowdbenchmark.com"
    bibtex: ClassVar[str] = """
        @article{wang2020nwpu,
          title = {NWPU-Crowd: A Large-Scale Benchmark for Crowd Counting and Localization},
          author = {Wang, Qi and Gao, Junyu and Lin, Wei and Li, Xuelong},
          journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
          year = {2020}
        }
    """
    official: Mapping[str, int] = {"train": 3109, "val": 500}
    info = Info()

    def __init__(self, *, root: str | None = None, holdout: float = 0.1) -> None:
        folder = data_root(root, LAYOUT, "images", "train.txt", "val.txt", inside=("NWPU-Crowd",))
        parts = {part: _entries(folder, part) for part in self.official}
        splits = held_out(parts["train"], parts["val"], holdout)
        super().__init__(folder, splits, found={part: len(entries) for part, entries in parts.items()})

    def heads(self, path: Path) -> tuple[np.ndarray, int | None]:
        """Read the points, and the number that a JSON file states."""
        if path.suffix == ".mat":
            return read_points(path, read_mat(path, "annPoints")), None
        try:
            content = load_json(path)
            return read_points(path, content["points"]), int(content["human_num"])
        except KeyError as error:
            raise fault(path, "JSON with points and human_num", f"no {error}") from None
        except (OSError, ValueError, TypeError) as error:
            raise fault(path, "JSON with points and human_num", reason(error)) from None


def _entries(folder: Path, part: str) -> list[Entry]:
    jsons = (folder / "jsons").is_dir()
    entries = []
    for line in read_lines(folder / f"{part}.txt"):
        name = line.split()[0]
        annotation = folder / "jsons" / f"{name}.json" if jsons else folder / "mats" / f"{name}.mat"
        entries.append(Entry(name, folder / "images" / f"{name}.jpg", annotation))
    return entries

"""A folder of RGB-D frames, such as a sequence of 7-Scenes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import Info, datasets
from tasks.datasets.reading.files import EXTENSIONS, data_root, files_by_stem, read_depth
from tasks.datasets.reading.listed import Entry, ListedDataset
from tasks.errors import InputError

LAYOUT = "frame-<N>.color.{jpg,png} and frame-<N>.depth.png, or rgb/ and depth/ with files of the same names"
INVALID = (0, 65535)  # no measurement; the second is Kinect's in 7-Scenes


@datasets.register("rgbd")
class RGBD(ListedDataset):
    """Colour and depth frames of one sequence, split by time, since neighbouring frames look alike.

    In the order of their numbers, the first 70 % train, the next 10 % validate, the last 20 % test. The first ``gap``
    frames after each border belong to no split, so that no test frame is the neighbour of one seen in training.

    Args:
        root: the folder.
        scale: stored value of a metre; 1000 for millimetres.
        cap: largest depth that counts in metrics, metres.
        gap: frames left out after each border between splits.
    """

    title: ClassVar[str] = "RGB-D frames of a folder"
    license: ClassVar[str] = "that of the frames"
    provides: ClassVar[frozenset[str]] = frozenset({"depth"})

    def __init__(self, *, root: str | None = None, scale: float = 1000.0, cap: float = 10.0, gap: int = 2) -> None:
        folder = data_root(root, LAYOUT)
        entries = _frames(folder)
        if not entries:
            raise InputError(f"data.root={root}: expected a folder with {LAYOUT}, found no frame")
        if gap < 0:
            raise InputError(f"data.gap={gap}: expected a number of frames, at least 0")
        first, second = round(0.7 * len(entries)), round(0.8 * len(entries))
        splits = {"train": entries[:first], "val": entries[first + gap : second], "test": entries[second + gap :]}
        self.info = Info(depth_cap=cap)
        self.scale = scale
        super().__init__(folder, splits, scale=scale, gap=gap)

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the depth in metres, 0 where invalid."""
        return {"depth": read_depth(entry.annotation, self.scale, size, INVALID)}


def _frames(folder: Path) -> list[Entry]:
    if (folder / "rgb").is_dir() and (folder / "depth").is_dir():
        images = files_by_stem(folder / "rgb")
        entries = [Entry(stem, path, folder / "depth" / f"{stem}.png") for stem, path in images.items()]
    else:
        images = {path.name.split(".")[0]: path for path in folder.glob("frame-*.color.*") if path.suffix in EXTENSIONS}
        entries = [Entry(stem, path, folder / f"{stem}.depth.png") for stem, path in images.items()]
    return sorted(entries, key=lambda entry: _time(entry.id))


def _time(name: str) -> list[int | str]:
    """Compare the numbers in names as numbers: frame-9 comes before frame-10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]

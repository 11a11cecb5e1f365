"""Points of MATLAB files: ShanghaiTech's, UCF-QNRF's, or any variable of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.datasets.reading.files import fault
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.mat import read_all, read_mat
from tasks.datasets.reading.points import inside, point_faults, read_points
from tasks.errors import InputError


@formats.register("mat")
class PointMat(Format):
    """A MATLAB file an image, with x,y a row in ``image_info.location``, or in its one variable of pairs."""

    title: ClassVar[str] = "MATLAB files of points"
    kinds: tuple[str, ...] = ("points",)
    suffixes: ClassVar[frozenset[str]] = frozenset({".mat"})

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Pairs in all that can be read."""
        sound = 0
        for path in files:
            try:
                _points(path)
            except InputError:
                continue
            sound += 1
        return 2 * sound > len(files)

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """The points of an image, clipped into it."""
        return {"points": inside(_points(file), size)}

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Points far outside the image."""
        return point_faults(file, _points(file), size)


def _points(path: Path) -> np.ndarray:
    content = read_all(path)
    if "image_info" in content:
        return read_points(path, read_mat(path, "image_info", "location"))
    arrays = {name: np.asarray(value) for name, value in content.items() if not name.startswith("_")}
    pairs = [value for value in arrays.values() if value.dtype.kind in "iuf" and (value.size == 0 or _paired(value))]
    if len(pairs) != 1:
        found = ", ".join(f"{name} {value.shape}" for name, value in arrays.items()) or "no variables"
        raise fault(path, "one variable of points x,y, one a row, or image_info.location", found)
    return read_points(path, pairs[0])


def _paired(value: np.ndarray) -> bool:
    return value.shape == (2,) or (value.ndim == 2 and value.shape[1] == 2)

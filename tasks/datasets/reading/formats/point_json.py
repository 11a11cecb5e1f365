"""Points of JSON: one file an image, or one of all images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.datasets.reading.files import fault
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.formats.json_head import content_of
from tasks.datasets.reading.points import inside, point_faults, read_points
from tasks.errors import InputError

EXPECTED = 'JSON of points: [[x, y], ...], [{"x": 1, "y": 2}, ...], {"points": ...}, or labelme\'s shapes'


class _PointJson(Format):
    kinds: tuple[str, ...] = ("points",)
    suffixes: ClassVar[frozenset[str]] = frozenset({".json"})

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """The points of an image, clipped into it."""
        return {"points": inside(self.points(file, image), size)}

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Points far outside the image."""
        return point_faults(file, self.points(file, image), size)

    def points(self, file: Path, image: str) -> np.ndarray:
        """The points of an image as the file has them."""
        raise NotImplementedError


@formats.register("json")
class PointJson(_PointJson):
    """A JSON file an image: pairs, objects with x and y, either under ``points``, or the points of labelme."""

    title: ClassVar[str] = "JSON files of points, one an image"

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Points in all files that are JSON, and in one at least."""
        try:
            found = [points_of(path, content_of(path)) for path in files if content_of(path) is not None]
        except InputError:
            return False
        return any(len(points) for points in found)

    def points(self, file: Path, image: str) -> np.ndarray:
        """The points of the file."""
        return points_of(file, content_of(file))


@formats.register("json_table")
class PointTableJson(_PointJson):
    """One JSON file of many images: an object from the name of an image to its points."""

    title: ClassVar[str] = "a JSON table of points"
    of_many: ClassVar[bool] = True

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """An object whose keys are names of files and whose values are points."""
        try:
            return all(_table(path) for path in files)
        except InputError:
            return False

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Read the tables."""
        self.tables = {path: _table(path) for path in files}

    def named(self, file: Path) -> Sequence[str]:
        """The images of a table."""
        return list(self.tables[file])

    def points(self, file: Path, image: str) -> np.ndarray:
        """The points of an image."""
        return self.tables[file][image]


def _table(path: Path) -> dict[str, np.ndarray]:
    content = content_of(path)
    if not isinstance(content, dict) or not content or not all(Path(name).suffix for name in content):
        raise fault(path, "JSON from names of images to their points", type(content).__name__)
    return {name: points_of(path, value) for name, value in content.items()}


def points_of(path: Path, content: Any) -> np.ndarray:
    """Understand the points of one image, float64 (K,2); InputError where they are something else."""
    if isinstance(content, Mapping) and isinstance(content.get("shapes"), list):
        return _of_shapes(path, content["shapes"])
    if isinstance(content, Mapping) and "points" in content:
        content = content["points"]
    if not isinstance(content, list):
        found = ", ".join(content) if isinstance(content, Mapping) else "no JSON" if content is None else str(content)
        raise fault(path, EXPECTED, found[:80])
    if content and all(isinstance(each, Mapping) and {"x", "y"} <= each.keys() for each in content):
        content = [[each["x"], each["y"]] for each in content]
    return read_points(path, content)


def _of_shapes(path: Path, listed: list[Any]) -> np.ndarray:
    """Pick the points among labelme's shapes; InputError where there are others alone."""
    shapes = [each for each in listed if isinstance(each, Mapping)]
    points = [each for each in shapes if each.get("shape_type") == "point"]
    if shapes and not points:
        types = ", ".join(sorted({str(each.get("shape_type")) for each in shapes}))
        raise fault(path, "labelme's shapes, points among them", types, "export them as masks or boxes")
    places = [place[0] for each in points if isinstance(place := each.get("points"), list) and place]
    if len(places) < len(points):
        raise fault(path, EXPECTED, "a point without x and y")
    return read_points(path, places)

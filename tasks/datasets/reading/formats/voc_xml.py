"""Pascal VOC's XML: boxes of objects with names, or points."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.base import Boxes, Info
from tasks.datasets.reading.boxes import box_faults, usable
from tasks.datasets.reading.files import fault, size_text
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.points import inside, point_faults, read_points
from tasks.datasets.reading.voc_objects import SMALLEST, boxes_of, read_objects
from tasks.errors import InputError


@formats.register("voc")
class VocXml(Format):
    """An XML file an image: boxes whose corners count from 1, or the points of its objects.

    Points are those of <point> elements with <x> and <y>; where ``data.kind=points`` asks for them in a set of boxes,
    they are the centres of the boxes. Categories are the names found, sorted; boxes without an area are left out.
    """

    title: ClassVar[str] = "Pascal VOC's XML"
    also = ("points",)
    suffixes: ClassVar[frozenset[str]] = frozenset({".xml"})
    kinds: tuple[str, ...] = ("boxes",)

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """XML whose objects have boxes or points; one damaged file does not hide the rest."""
        sound = [tree for tree in map(_tree, files) if tree is not None]
        return bool(sound) and all(tree.find("object") is not None or tree.find("size") is not None for tree in sound)

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Collect the names of objects; files that cannot be read are named when they are used or verified."""
        names: set[str] = set()
        for path in files:
            tree = _tree(path)
            if tree is not None and tree.find("object/point") is not None:
                self.kinds = ("points",)
                return
            with contextlib.suppress(InputError):
                names.update(thing.name for thing in read_objects(path)[1])
        ordered = tuple(sorted(names))
        self.labels = {name: label for label, name in enumerate(ordered)}
        self.info = Info(categories=ordered, category_ids=tuple(range(1, len(ordered) + 1)))

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """The boxes of an image, clipped to it, and their centres; or its points."""
        if self.kinds == ("points",):
            return {"points": inside(self._points(file), size)}
        stated, boxes = self._boxes(file)
        if size is not None and stated is not None and stated != size:
            fix = "is it turned by its EXIF entry? See data.exif" if stated == size[::-1] else "mend the size"
            raise fault(file, f"the size of its image, {size_text(size)}", size_text(stated), fix)
        size = size or stated
        found = boxes if size is None else usable(boxes, size, SMALLEST)
        return {"boxes": found, "points": inside((found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2, size)}

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Boxes that are left out or clipped, points far outside."""
        if self.kinds == ("points",):
            return point_faults(file, self._points(file), size)
        return box_faults(file, self._boxes(file)[1], size, SMALLEST)

    def _points(self, file: Path) -> np.ndarray:
        tree = _tree(file)
        if tree is None:
            raise fault(file, "a VOC annotation that is well-formed XML", "none")
        pairs = [(point.findtext("x"), point.findtext("y")) for point in tree.iterfind("object/point")]
        return read_points(file, [[float("nan" if side is None else side) for side in pair] for pair in pairs])

    def _boxes(self, file: Path) -> tuple[tuple[int, int] | None, Boxes]:
        size, objects = read_objects(file)
        return size, boxes_of(file, objects, self.labels)


def _tree(path: Path) -> ET.Element | None:
    try:
        return ET.parse(path).getroot()
    except (OSError, ET.ParseError):
        return None

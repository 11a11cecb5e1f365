"""The objects of Pascal VOC's XML files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.base import Boxes
from tasks.datasets.reading.files import fault, reason
from tasks.errors import nearest

SMALLEST = 1.0  # corners are inclusive: the sides of a box whose corners coincide are 1 pixel long
CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Object:
    """One object of an XML file: its name, its half-open corners counted from 0, and whether it is difficult."""

    name: str
    xyxy: tuple[float, float, float, float]
    difficult: bool


def read_objects(path: Path) -> tuple[tuple[int, int] | None, list[Object]]:
    """Read an XML file: the size (H,W) of its image, None where it is not given, and its objects.

    Takes what public sets hold: coordinates with decimals, a missing ``difficult``, any ``filename``. Raises InputError
    where the file is no XML or an object lacks its name or a corner.
    """
    try:
        tree = ET.parse(path).getroot()
    except (OSError, ET.ParseError) as error:
        raise fault(path, "a VOC annotation that is well-formed XML", reason(error)) from None
    if tree.tag != "annotation":
        raise fault(path, "a VOC annotation, <annotation>", f"<{tree.tag}>")
    try:
        height, width = (int(float(tree.findtext(f"size/{side}") or 0)) for side in ("height", "width"))
        objects = [_object(node) for node in tree.findall("object")]
    except ValueError as error:
        raise fault(path, "numbers as sizes and corners, and a name for each object", str(error)) from None
    return (height, width) if height and width else None, objects


def boxes_of(path: Path, objects: Sequence[Object], labels: Mapping[str, int]) -> Boxes:
    """Make boxes of the objects of a file; InputError for a name without a label."""
    for thing in objects:
        if thing.name not in labels:
            found = f"'{thing.name}'{nearest(thing.name, labels)}"
            raise fault(path, f"one of {len(labels)} categories", found, "mend the name")
    return Boxes(
        np.array([thing.xyxy for thing in objects], np.float64).reshape(-1, 4),
        np.array([labels[thing.name] for thing in objects], np.int64),
        np.array([thing.difficult for thing in objects], bool),
    )


def _object(node: ET.Element) -> Object:
    name = (node.findtext("name") or "").strip()
    texts = [node.findtext(f"bndbox/{corner}") for corner in CORNERS]
    if not name or None in texts:
        raise ValueError(f"an object '{name}' without name or corner")
    left, top, right, bottom = (float(text or "") for text in texts)
    return Object(name, (left - 1, top - 1, right, bottom), (node.findtext("difficult") or "0").strip() == "1")

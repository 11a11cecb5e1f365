"""COCO's JSON: images, boxes and categories in one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import Boxes
from tasks.datasets.reading.files import check_inside, fault, load_json, reason


@dataclass(frozen=True)
class Record:
    """What a JSON file says of one image: its size (H,W) and its boxes."""

    size: tuple[int, int]
    boxes: Boxes


@dataclass
class CocoFile:
    """What a JSON file says: categories by their ids, records by the names of image files, and what is odd in it."""

    categories: dict[int, str]
    records: dict[str, Record]
    faults: list[str]


def read_coco(path: Path) -> CocoFile:
    """Read a JSON file.

    Raises InputError where it is not COCO's, a box names an image or category that is not there, or an id or a file
    name stands for several images, as where exports were joined: their boxes could not be told apart.
    """
    try:
        content = load_json(path)
        # by id, so that files which list them in different orders number their labels alike
        categories = dict(sorted((int(category["id"]), str(category["name"])) for category in content["categories"]))
        listed = {(image["id"], str(image["file_name"])) for image in content["images"]}
        images = {image["id"]: image for image in content["images"]}
        rows: dict[Any, list[tuple[Any, ...]]] = {key: [] for key in images}
        for box in content["annotations"]:
            rows[box["image_id"]].append((*_sides(box["bbox"]), box["category_id"], box.get("iscrowd", 0)))
        labels = {category: label for label, category in enumerate(categories)}
        records = {
            str(image["file_name"]): Record((int(image["height"]), int(image["width"])), _boxes(rows[key], labels))
            for key, image in images.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise fault(path, "COCO's JSON: images, annotations with [x, y, w, h], categories", reason(error)) from None
    except KeyError as error:
        expected = "COCO's JSON, complete in itself"
        raise fault(path, expected, f"a reference to {error}, which is not there") from None
    for key, names in (("an id", [number for number, _ in listed]), ("a file name", [name for _, name in listed])):
        if twice := [str(name) for name, count in Counter(names).items() if count > 1]:
            fix = "number the images anew, or give the files other names, and join the files again"
            raise fault(path, f"one image for {key}", f"several for {', '.join(sorted(twice)[:3])}", fix)
    check_inside(path, records)
    numbers = Counter(box.get("id") for box in content["annotations"])
    faults = [
        str(fault(path, "annotation ids that differ", f"{number} used {count} times", "number the annotations anew"))
        for number, count in numbers.items()
        if count > 1 and number is not None
    ]
    return CocoFile(categories, records, faults)


def _sides(bbox: Any) -> tuple[float, ...]:
    if len(bbox) != 4:
        raise ValueError(f"a bbox {bbox}")
    return tuple(map(float, bbox))


def _boxes(rows: list[tuple[Any, ...]], labels: Mapping[int, int]) -> Boxes:
    xywh = np.array([row[:4] for row in rows], np.float64).reshape(-1, 4)
    return Boxes(
        np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        np.array([labels[row[4]] for row in rows], np.int64),
        np.array([row[5] for row in rows], bool),
    )

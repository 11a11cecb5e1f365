"""COCO's JSON in one's own folder: categories in any order, ids and names that occur twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasks.datasets.folder import Folder
from tests.tasks.datasets.own_layouts import text
from tests.tasks.datasets.test_folder_faults import photo

CAT, DOG = {"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}
BOX = [2, 3, 10, 12]


def image(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "file_name": name, "height": 24, "width": 32}


def box(number: int, category: int, corners: list[int] = BOX) -> dict[str, Any]:
    return {"image_id": number, "bbox": corners, "category_id": category}


def coco(path: Path, categories: list[Any], images: list[Any], boxes: list[Any]) -> Path:
    return text(path, json.dumps({"categories": categories, "images": images, "annotations": boxes}))


def test_categories_are_numbered_by_their_ids_in_every_file(tmp_path: Path) -> None:
    for split, categories in (("train", [CAT, DOG]), ("valid", [CAT, DOG]), ("test", [DOG, CAT])):
        names = [photo(tmp_path / split / f"{split}{number}.png", number).name for number in range(2)]
        images = [image(number, name) for number, name in enumerate(names)]
        coco(tmp_path / split / "boxes.json", categories, images, [box(0, 1), box(1, 2)])
    data = Folder(root=str(tmp_path))
    assert data.info.categories == ("cat", "dog")
    for split in data.splits:
        assert [data.load(split, index).annotations["boxes"].labels.tolist() for index in range(2)] == [[0], [1]], split

"""COCO's JSON in one's own folder: categories in any order, ids and names that occur twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.datasets.folder import Folder
from tasks.datasets.reading.coco_json import read_coco
from tasks.errors import InputError
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


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (
            [image(1, "a.png"), image(2, "b.png"), image(1, "c.png")],
            "expected one image for an id, found several for 1;",
        ),
        ([image(1, "a.png"), image(2, "a.png")], "expected one image for a file name, found several for a.png;"),
    ],
)
def test_images_that_cannot_be_told_apart_are_refused(images: list[Any], found: str, tmp_path: Path) -> None:
    path = coco(tmp_path / "joined.json", [CAT], images, [box(1, 1)])
    with pytest.raises(InputError, match=f"joined.json: {found} number the images anew"):
        read_coco(path)


def test_an_image_that_is_listed_twice_is_one(tmp_path: Path) -> None:
    path = coco(tmp_path / "a.json", [CAT], [image(1, "a.png"), image(1, "a.png")], [box(1, 1)])
    assert read_coco(path).records["a.png"].boxes.xyxy.tolist() == [[2, 3, 12, 15]]


def test_boxes_without_numbers_are_named(tmp_path: Path) -> None:
    path = coco(tmp_path / "a.json", [CAT], [image(1, "a.png")], [box(1, 1, []), box(1, 1, [])])
    with pytest.raises(InputError, match=r"a.json: expected COCO's JSON: .* with \[x, y, w, h\].*, found a bbox \[\]"):
        read_coco(path)


def test_ids_of_annotations_that_occur_twice_are_told(tmp_path: Path) -> None:
    names = [photo(tmp_path / f"{number}.png", number).name for number in range(10)]
    listed = [image(number, name) for number, name in enumerate(names)]
    coco(tmp_path / "a.json", [CAT], listed, [{**box(number, 1), "id": number % 9} for number in range(10)])
    (fault,) = Folder(root=str(tmp_path)).verify()
    assert fault.endswith(
        "a.json: expected annotation ids that differ, found 0 used 2 times; number the annotations anew"
    )


def test_files_whose_names_end_on_words_are_one_set(tmp_path: Path) -> None:
    for number, name in enumerate(["a_day", "b_day", "a_night", "b_night"]):
        photo(tmp_path / "images" / f"{name}.png", number)
        coco(tmp_path / "boxes" / f"{name}.json", [CAT], [image(1, f"{name}.png")], [box(1, 1)])
    data = Folder(root=str(tmp_path), fractions=(0.5, 0.0, 0.5))
    assert sorted(data.names.values()) == ["a_day.png", "a_night.png", "b_day.png", "b_night.png"]
    assert [len(data.ids(split)) for split in data.splits] == [2, 2, 2]

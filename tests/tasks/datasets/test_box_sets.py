"""Values that COCO's JSON and Pascal VOC's XML yield."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.base import Boxes
from tasks.datasets.coco import COCO
from tasks.datasets.reading.boxes import box_faults, usable
from tasks.datasets.reading.summary import summary
from tasks.datasets.reading.voc_objects import read_objects
from tasks.datasets.voc_det import VOCDetection
from tasks.errors import InputError
from tests.tasks.datasets import layouts


def boxes(*corners: tuple[float, float, float, float]) -> Boxes:
    count = len(corners)
    return Boxes(np.array(corners, float).reshape(-1, 4), np.arange(count), np.zeros(count, bool))


def test_usable_boxes_lie_inside_and_have_an_area() -> None:
    found = usable(boxes((-2, 1, 5, 30), (3, 3, 3, 9), (40, 2, 50, 9), (1, 1, 2, 2)), (24, 32))
    assert found.xyxy.tolist() == [[0, 1, 5, 24], [1, 1, 2, 2]]
    assert found.labels.tolist() == [0, 3]
    assert usable(boxes((1, 1, 2, 2), (1, 1, 2.5, 2.5)), (24, 32), smallest=1.0).labels.tolist() == [1]
    assert usable(boxes(), (24, 32)).xyxy.shape == (0, 4)


def test_box_faults_allow_a_pixel() -> None:
    faults = box_faults(Path("a.xml"), boxes((-1, 0, 33, 25), (0, 0, 33.5, 9), (5, 5, 4, 9)), (24, 32))
    assert len(faults) == 2
    assert "a.xml: expected boxes inside 32x24 pixels, found corners 0, 0, 33.5, 9 (from 0) of box 2" in faults[0]
    assert "a.xml: expected boxes with an area, found corners 5, 5, 4, 9 (from 0) of box 3" in faults[1]


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_coco_boxes_and_category_ids(tmp_path: Path) -> None:
    data = COCO(root=str(layouts.coco(tmp_path)))
    assert data.info.categories == ("person", "stop sign", "toothbrush")
    assert data.info.category_ids == (1, 13, 90)
    found = data.load("test", 0).annotations["boxes"]
    assert found.xyxy.tolist() == [[1.5, 2, 11.75, 7], [20, 3, 32, 24]]
    assert found.labels.tolist() == [2, 1]
    assert found.difficult.tolist() == [False, True]  # a crowd


def test_coco_trains_on_images_with_boxes_and_tests_on_all(tmp_path: Path) -> None:
    data = COCO(root=str(layouts.coco(tmp_path)), holdout=0.0)
    assert [int(each) for each in data.ids("train")] == [1, 2, 4, 5, 7, 8, 10, 11]
    assert [int(each) for each in data.ids("test")] == [101, 102, 103, 104]
    assert len(data.load("test", 1).annotations["boxes"].labels) == 0
    assert summary(data)["release"] == "a subset: 12 of 118287 train, 4 of 5000 test"


def test_coco_paths_are_options(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    data = COCO(
        root=str(tmp_path),
        val_images="val2017",
        val_annotations="annotations/instances_val2017.json",
        test_images="train2017",
        test_annotations="annotations/instances_train2017.json",
    )
    assert [len(data.ids(split)) for split in data.splits] == [8, 4, 12]


def test_coco_faults_are_named(tmp_path: Path) -> None:
    path = layouts.coco(tmp_path) / "annotations" / "instances_val2017.json"

    def change(content: dict[str, Any]) -> None:
        content["annotations"][0]["id"] = 0
        content["annotations"][1]["id"] = content["annotations"][2]["id"]
        content["annotations"][2]["bbox"] = [4, 4, 0, 3]
        content["annotations"][3]["bbox"] = [20, 3, 20, 3]
        content["images"][1]["width"] = 33

    rewrite(path, change)
    faults = COCO(root=str(tmp_path)).verify()
    expected = [
        "instances_val2017.json: expected annotation ids that differ, found 3 used 2 times",
        "000000000102.jpg: expected 33x24 pixels, as instances_val2017.json says, found 32x24",
        "instances_val2017.json, image 000000000103: expected boxes inside 32x24 pixels, found corners 20, 3, 40, 6 (",
    ]
    assert len(faults) == 4
    for text in expected:
        assert any(text in fault for fault in faults), text
    assert any("expected boxes with an area, found corners 4, 4, 4, 7 (from 0) of box 1" in fault for fault in faults)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["annotations"][0].update(category_id=5), "complete in itself, found a reference to 5"),
        (lambda c: c["annotations"][0].update(image_id=999), "complete in itself, found a reference to 999"),
        (lambda c: c["annotations"][0].update(bbox="none"), "could not convert string to float"),
        (lambda c: c.pop("annotations"), "a reference to 'annotations'"),
        (lambda c: c["categories"].append({"id": 91, "name": "hat"}), "others: {91: 'hat'}"),
    ],
)
def test_coco_files_that_cannot_be_used(tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str) -> None:
    path = layouts.coco(tmp_path) / "annotations" / "instances_val2017.json"
    rewrite(path, change)
    with pytest.raises(InputError, match=r"instances_val2017.json: expected .*") as raised:
        COCO(root=str(tmp_path))
    assert message in str(raised.value)


def test_coco_file_that_is_no_json(tmp_path: Path) -> None:
    layouts.truncate(layouts.coco(tmp_path) / "annotations" / "instances_train2017.json")
    with pytest.raises(InputError, match=r"instances_train2017.json: expected COCO's JSON"):
        COCO(root=str(tmp_path))


def test_voc_corners_count_from_one_and_are_inclusive(tmp_path: Path) -> None:
    data = VOCDetection(root=str(layouts.voc_det(tmp_path)))
    found = data.load("test", 0).annotations["boxes"]
    assert found.xyxy.tolist() == [[0, 0, 32, 24], [2.5, 3, 10, 12]]
    assert [data.info.categories[label] for label in found.labels] == ["dog", "cat"]
    assert found.difficult.tolist() == [False, True]
    assert len(data.info.categories) == 20
    assert data.info.category_ids == tuple(range(1, 21))


@pytest.mark.parametrize(("years", "train", "test"), [("all", 16, 3), ("2007", 8, 3), ("2012", 4, 4)])
def test_voc_years(tmp_path: Path, years: Any, train: int, test: int) -> None:
    data = VOCDetection(root=str(layouts.voc_det(tmp_path)), years=years, holdout=0.0)
    assert (len(data.ids("train")), len(data.ids("test"))) == (train, test)


def test_a_year_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"VOC2012: expected a folder with .* found no such folder"):
        VOCDetection(root=str(layouts.voc_det(tmp_path, ["2007"])), years="2012")


def test_own_categories_are_those_found(tmp_path: Path) -> None:
    data = VOCDetection(root=str(layouts.bccd(tmp_path)))
    assert data.info.categories == ("RBC", "cat")
    assert data.ids("val") == ["val_0", "val_1"]  # a second column in the list is passed over


def test_lists_decide_how_a_set_is_divided(tmp_path: Path) -> None:
    lists = layouts.bccd(tmp_path) / "ImageSets" / "Main"
    (lists / "val.txt").unlink()
    data = VOCDetection(root=str(tmp_path), holdout=0.25)
    assert [len(data.ids(split)) for split in data.splits] == [3, 1, 3]
    (lists / "test.txt").rename(lists / "val.txt")
    assert len(VOCDetection(root=str(tmp_path), holdout=0.0).ids("test")) == 3
    (lists / "val.txt").unlink()
    with pytest.raises(
        InputError, match=r"Main: expected train.txt and val.txt or test.txt, found train; add the missing"
    ):
        VOCDetection(root=str(tmp_path))
    (lists / "train.txt").unlink()
    data = VOCDetection(root=str(tmp_path))
    assert [len(data.ids(split)) for split in data.splits] == [6, 1, 2]


def test_xml_of_public_sets_is_read(tmp_path: Path) -> None:
    layouts.xml(tmp_path / "a.xml", [(" dog ", (1.5, 2, 9.25, 8), None)])
    size, (found,) = read_objects(tmp_path / "a.xml")
    assert size == (24, 32)
    assert (found.name, found.xyxy, found.difficult) == ("dog", (0.5, 1, 9.25, 8), False)
    (tmp_path / "b.xml").write_text("<annotation/>")
    assert read_objects(tmp_path / "b.xml") == (None, [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<annotation><object>", "no element found"),
        ("<annotation><object><name>dog</name></object></annotation>", "an object 'dog' without name or corner"),
        (layouts.OBJECT.format("", "", 1, 2, 3, 4), "an object '' without name or corner"),
        (layouts.OBJECT.format("dog", "", 1, "two", 3, 4), "could not convert string to float: 'two'"),
    ],
)
def test_xml_faults_are_named(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text if text.startswith("<annotation>") else f"<annotation>{text}</annotation>")
    with pytest.raises(InputError, match=r"a.xml: expected .*" + found):
        read_objects(path)


def test_voc_annotation_faults_are_named(tmp_path: Path) -> None:
    data = VOCDetection(root=str(layouts.voc_det(tmp_path)))
    path = data.entries["test"][0].annotation
    layouts.xml(path, [("dgo", (1, 1, 5, 5), False)])
    with pytest.raises(InputError, match="expected one of 20 categories, found 'dgo'; did you mean 'dog'"):
        data.load("test", 0)
    layouts.xml(path, [], size=(48, 64))
    with pytest.raises(InputError, match="expected the size of its image, 32x24, found 64x48"):
        data.load("test", 0)
    layouts.xml(path, [("dog", (5, 5, 5, 5), False), ("cat", (2, 2, 40, 20), False)])
    assert data.load("test", 0).annotations["boxes"].xyxy.tolist() == [[1, 1, 32, 20]]
    faults = data.verify()
    assert len(faults) == 2
    assert "expected boxes with an area, found corners 4, 4, 5, 5 (from 0) of box 1" in faults[0]
    assert "expected boxes inside 32x24 pixels, found corners 1, 1, 40, 20 (from 0) of box 2" in faults[1]


@pytest.mark.realdata
def test_the_real_cells(realdata: Callable[[str], str]) -> None:
    data = VOCDetection(root=realdata("bccd"))
    assert [len(data.ids(split)) for split in data.splits] == [205, 87, 72]
    assert data.info.categories == ("Platelets", "RBC", "WBC")
    counts = np.zeros(3, int)
    for split in data.splits:
        for index in range(len(data.ids(split))):
            counts += np.bincount(data.load(split, index).annotations["boxes"].labels, minlength=3)
    assert counts.tolist() == [361, 4153, 372]  # 4155 red cells less two boxes without an area
    faults = data.verify()
    assert len(faults) == 2
    assert all("expected boxes with an area" in fault for fault in faults)

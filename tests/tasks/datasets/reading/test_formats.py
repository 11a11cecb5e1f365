"""Formats of one's own folder: what looks like another thing is not taken for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.datasets.folder import Folder
from tasks.errors import InputError
from tests.tasks.datasets.own_layouts import picture, text
from tests.tasks.datasets.test_folder_faults import photo

COUNT = 10


def labelme(root: Path, *types: str) -> None:
    """An image and its shapes each, of one type after another."""
    for number in range(COUNT):
        photo(root / f"{number}.png", number)
        shapes = [{"label": "a", "shape_type": each, "points": [[3.5, 4.0], [9, 12], [5, 20]]} for each in types]
        text(root / f"{number}.json", json.dumps({"version": "5.0", "shapes": shapes}))


def test_shapes_that_are_no_points_are_no_heads(tmp_path: Path) -> None:
    labelme(tmp_path, "polygon", "rectangle")
    with pytest.raises(InputError, match="expected images and annotations that belong together"):
        Folder(root=str(tmp_path))
    data = Folder(root=str(tmp_path), format="json")
    with pytest.raises(
        InputError, match=r"json: expected labelme's shapes, points among them, found polygon, rectangle;"
    ):
        data.load("train", 0)


def test_points_among_shapes_are_heads(tmp_path: Path) -> None:
    labelme(tmp_path, "polygon", "point")
    assert Folder(root=str(tmp_path)).load("train", 0).annotations["points"].tolist() == [[3.5, 4.0]]


@pytest.mark.parametrize("points", [[], None])
def test_a_point_without_a_place_is_named(points: Any, tmp_path: Path) -> None:
    labelme(tmp_path, "point")
    shape = {"shape_type": "point", "points": points}
    text(tmp_path / "3.json", json.dumps({"shapes": [shape]}))
    (fault,) = Folder(root=str(tmp_path), format="json").verify()
    assert "3.json: expected JSON of points" in fault
    assert "found a point without x and y" in fault


def poses(root: Path, names: str) -> None:
    for number in range(COUNT):
        photo(root / "images" / f"{number}.png", number)
        text(root / "labels" / f"{number}.txt", "0 0.5 0.5 0.25 0.5 0.4 0.4 0.6 0.6")
    text(root / "data.yaml", names)


def test_labels_of_poses_are_no_outlines(tmp_path: Path) -> None:
    poses(tmp_path, "kpt_shape: [2, 2]\nnames: [person]\n")
    with pytest.raises(
        InputError, match=r"data.yaml: expected labels of boxes or of outlines, found kpt_shape, labels of"
    ):
        Folder(root=str(tmp_path))
    poses(tmp_path, "names: [person]\n")
    assert Folder(root=str(tmp_path)).load("train", 0).annotations["boxes"].xyxy == pytest.approx(
        np.array([[8, 9.6, 19.2, 14.4]])
    )


@pytest.mark.parametrize(("place", "scale"), [("freiburg/set", 1000.0), ("set/freiburg1", 5000.0)])
def test_a_scale_is_told_by_the_set_and_not_by_where_it_lies(place: str, scale: float, tmp_path: Path) -> None:
    for number in range(COUNT):
        photo(tmp_path / place / "rgb" / f"{number}.png", number)
        picture(tmp_path / place / "depth" / f"{number}.png", np.full((24, 32), 9000, np.uint16))
    assert next(iter(Folder.proposals(tmp_path / place)))["scale"] == scale

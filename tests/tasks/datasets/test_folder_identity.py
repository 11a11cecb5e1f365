"""The manifest of one's own folder changes with whatever changes a sample, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.datasets.folder import Folder
from tests.tasks.datasets.own_layouts import picture, text
from tests.tasks.datasets.test_folder_faults import MASK, pairs, photo

COUNT = 10


def labels(root: Path) -> None:
    for number in range(COUNT):
        photo(root / "images" / f"{number}.bmp", number)
        picture(root / "labels" / f"{number}.bmp", (MASK > 0).astype(np.uint8) + 1)
    text(root / "classes.txt", "1 road\n2 sky")


def boxes(root: Path) -> None:
    for number in range(COUNT):
        photo(root / "images" / f"{number}.png", number)
        text(root / "labels" / f"{number}.txt", "1 0.5 0.5 0.5 0.5")
    text(root / "classes.txt", "1 road\n2 sky")


def looks(root: Path) -> None:
    for number in range(COUNT):
        photo(root / "images" / f"{number}.png", number)
        picture(root / "maps" / f"{number}.png", np.arange(768, dtype=np.uint16).reshape(24, 32).astype(np.uint8))
        picture(root / "marks" / f"{number}.bmp", MASK)


def renamed(root: Path) -> None:
    text(root / "classes.txt", "2 road\n1 sky")


def edited(place: str) -> Callable[[Path], None]:
    """Move the pixels of a picture: a BMP keeps its size."""

    def edit(root: Path) -> None:
        path = root / place
        before = path.stat().st_size
        with Image.open(path) as image:
            array = np.array(image)
        picture(path, np.roll(array, 3, axis=0))
        assert path.stat().st_size == before

    return edit


@pytest.mark.parametrize(
    ("write", "edit", "options"),
    [
        (labels, renamed, {}),
        (boxes, renamed, {}),
        (labels, edited("labels/3.bmp"), {}),
        (labels, edited("images/3.bmp"), {}),
        (looks, edited("marks/3.bmp"), {"images": "images", "annotations": "maps", "points": "marks"}),
    ],
    ids=["labels anew", "categories anew", "a label map", "an image", "a map of points"],
)
def test_the_manifest_sees_every_change(
    write: Callable[[Path], None], edit: Callable[[Path], None], options: dict[str, Any], tmp_path: Path
) -> None:
    write(tmp_path)
    before = Folder(root=str(tmp_path), **options).manifest()
    assert Folder(root=str(tmp_path), **options).manifest() == before
    edit(tmp_path)
    assert Folder(root=str(tmp_path), **options).manifest() != before


def test_a_label_map_that_keeps_its_size_is_seen(tmp_path: Path) -> None:
    pairs(tmp_path)
    found = []
    for mask in (MASK, 255 - MASK):
        path = picture(tmp_path / "masks" / "3.png", mask)
        path.write_bytes(path.read_bytes().ljust(200, b"\0"))
        found.append((path.stat().st_size, Folder(root=str(tmp_path)).manifest()))
    assert found[0][0] == found[1][0] == 200
    assert found[0][1] != found[1][1]

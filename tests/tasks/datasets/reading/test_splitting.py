"""Splits of one's own set: what lists and folders say is what is used, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.datasets.folder import Folder
from tasks.datasets.reading.inspection import findings
from tasks.datasets.reading.split_words import word_of
from tasks.errors import InputError
from tests.tasks.datasets.own_layouts import picture, text
from tests.tasks.datasets.test_folder_faults import MASK, pairs, photo


def annotated(root: Path, name: str, seed: int) -> None:
    photo(root / "images" / f"{name}.png", seed)
    picture(root / "masks" / f"{name}.png", MASK)


def two_folders(root: Path) -> None:
    """Folders a and b of like names; b/005 to b/009 lack an annotation."""
    for number in range(10):
        annotated(root, f"a/{number:03d}", number)
        photo(root / "images" / "b" / f"{number:03d}.png", 20 + number)
        if number < 5:
            picture(root / "masks" / "b" / f"{number:03d}.png", MASK)


def lines(path: Path, folder: str, numbers: range) -> None:
    text(path, "\n".join(f"{folder}/{number:03d}" for number in numbers))


def test_a_training_image_that_tests_too_is_refused_before_a_run(tmp_path: Path) -> None:
    pairs(tmp_path, 12)
    text(tmp_path / "train.txt", "\n".join(map(str, range(8))))
    text(tmp_path / "test.txt", "\n".join(map(str, range(7, 12))))
    data = Folder(root=str(tmp_path), holdout=0.0)
    message = "7.png: expected 'images/7' in 'test' alone, found it in 'train' too; mend the lists"
    with pytest.raises(InputError, match=message):
        data.manifest()
    (found,) = findings(tmp_path, {"folder": Folder})
    assert not found.sound
    assert message in found.missing


def test_a_list_means_the_folder_that_it_names(tmp_path: Path) -> None:
    two_folders(tmp_path)
    lines(tmp_path / "train.txt", "a", range(10))
    lines(tmp_path / "test.txt", "b", range(10))
    data = Folder(root=str(tmp_path), missing="skip", holdout=0.0)
    assert data.ids("train") == [f"images/a/{number:03d}" for number in range(10)]
    assert data.ids("test") == [f"images/b/{number:03d}" for number in range(5)]
    lines(tmp_path / "test.txt", "c", range(3))
    expected = r"test.txt: expected each line .* 20 images, found 'c/000' names 0, that stem is images/a/000;"
    with pytest.raises(InputError, match=expected):
        Folder(root=str(tmp_path), missing="skip")


@pytest.mark.parametrize("folder", ["images/a", "a", "./a", "/home/me/set/images/a", "C:\\set\\images\\a", "masks/a"])
def test_a_list_may_name_folders_from_anywhere(folder: str, tmp_path: Path) -> None:
    two_folders(tmp_path)
    lines(tmp_path / "train.txt", folder, range(4))
    lines(tmp_path / "test.txt", folder, range(4, 8))
    data = Folder(root=str(tmp_path), missing="skip", holdout=0.0)
    assert data.ids("test") == [f"images/a/{number:03d}" for number in range(4, 8)]


def test_an_image_outside_the_folders_of_splits_is_asked_for(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        for number in range(3):
            annotated(tmp_path, f"{split}/{number}", number)
    annotated(tmp_path, "samples/9", 9)
    with pytest.raises(InputError, match=r"that says train, val, test, found images in none: 1, images/samples/9; div"):
        Folder(root=str(tmp_path))
    data = Folder(root=str(tmp_path), train="images/train", val="images/val", test="images/test")
    assert [len(data.ids(split)) for split in data.splits] == [3, 3, 3]


def test_few_folders_that_sound_like_splits_are_told(tmp_path: Path) -> None:
    """A train may be what is seen."""
    for number in range(6):
        for folder in ("train", "test", "bus", "tram", "car"):
            annotated(tmp_path, f"{folder}/{number}", number)
    how = Folder(root=str(tmp_path)).remarks()["splits"]
    assert how.startswith("divided; folders say train, test, but images lie outside them: 18, images/bus/0, ")


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("a/train2017", "train"),
        ("train/valid", "val"),
        ("test-set/x", "test"),
        ("training_val", None),
        ("latest", None),
    ],
)
def test_words_of_folders(path: str, split: str | None) -> None:
    assert word_of(Path(path)) == split

"""What a folder holds: which annotations are meant, which belong to an image, and which files are images at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.datasets.folder import Folder
from tasks.errors import InputError
from tests.tasks.datasets.own_layouts import picture, text
from tests.tasks.datasets.test_folder_faults import MASK, pairs, photo

COUNT = 10


def masks_and_edges(images: Path, maps: Path) -> None:
    for number in range(COUNT):
        photo(images / f"im{number:03d}.jpg", number)
        picture(maps / f"im{number:03d}_mask.png", MASK)
        picture(maps / f"im{number:03d}_edge.png", 255 - MASK)


def grey_and_masks(root: Path) -> None:
    for number in range(COUNT):
        picture(root / f"im{number:03d}.png", np.random.default_rng(number).integers(0, 256, (24, 32), np.uint8))
        picture(root / f"im{number:03d}_mask.png", MASK)


def size(data: Folder) -> int:
    return sum(map(len, data.entries.values()))


@pytest.mark.parametrize(("images", "maps", "place"), [(".", ".", "**"), ("images", "a/maps", "a/maps")])
def test_two_lots_of_one_format_are_asked_for(images: str, maps: str, place: str, tmp_path: Path) -> None:
    masks_and_edges(tmp_path / images, tmp_path / maps)
    with pytest.raises(InputError, match="expected one kind of annotation, found several; choose ") as caught:
        Folder(root=str(tmp_path))
    assert f"data.annotations='{place}/*_mask.png': binary masks" in str(caught.value)
    assert f"data.annotations='{place}/*_edge.png': binary masks" in str(caught.value)
    proposed = [dict(each) for each in Folder.proposals(tmp_path)]
    assert sorted(each["annotations"] for each in proposed) == [f"{place}/*_edge.png", f"{place}/*_mask.png"]
    for options in proposed:
        data = Folder(root=str(tmp_path), **options)
        assert size(data) == COUNT
        assert data.load("train", 0).annotations["mask"][5, 6] == ("mask" in options["annotations"])


def test_lots_without_a_word_can_be_chosen(tmp_path: Path) -> None:
    for number in range(COUNT):
        photo(tmp_path / "images" / f"{number}.png", number)
        picture(tmp_path / "maps" / f"{number}.png", MASK)
        picture(tmp_path / "maps" / f"{number}_edge.png", 255 - MASK)
    proposed = [dict(each) for each in Folder.proposals(tmp_path)]
    assert sorted(each["annotations"] for each in proposed) == ["maps/*[0-9].png", "maps/*_edge.png"]
    assert [size(Folder(root=str(tmp_path), **options)) for options in proposed] == [COUNT, COUNT]


def test_images_that_are_made_of_others_are_not_left_out_silently(tmp_path: Path) -> None:
    for number in range(COUNT):
        for name in (f"im{number}", f"im{number}_flipped"):
            photo(tmp_path / "images" / f"{name}.png", number)
            picture(tmp_path / "masks" / f"{name}.png", MASK)
    with pytest.raises(
        InputError, match=r"im0_flipped.png: expected one file a name, found im0.png in the same folder"
    ):
        Folder(root=str(tmp_path))


def test_words_that_tell_nothing_divide_no_set(tmp_path: Path) -> None:
    for number in range(COUNT):
        name = f"{number:03d}_{'night' if number % 2 else 'day'}"
        photo(tmp_path / "images" / f"{name}.jpg", number)
        picture(tmp_path / "masks" / f"{name}.png", MASK)
    data = Folder(root=str(tmp_path))
    assert size(data) == COUNT
    assert "left out" not in data.remarks()


def test_an_image_of_one_split_is_not_annotated_in_another(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for number in range(COUNT):
            photo(tmp_path / split / "images" / f"{split}{number}.jpg", number)
            picture(tmp_path / split / "masks" / f"{split}{number}.png", MASK)
    photo(tmp_path / "train" / "images" / "x.jpg")
    picture(tmp_path / "val" / "masks" / "x.png", MASK)
    with pytest.raises(InputError, match=r"images without an annotation .*: 1, train/images/x.jpg; data.missing=skip"):
        Folder(root=str(tmp_path))
    data = Folder(root=str(tmp_path), missing="skip", holdout=0.0)
    assert [len(data.ids(split)) for split in data.splits] == [COUNT, COUNT, COUNT]
    assert data.remarks()["not used"] == "annotations without an image: 1, val/masks/x.png"


def test_annotations_without_an_image_are_counted(tmp_path: Path) -> None:
    pairs(tmp_path, 30)
    for number in range(10, 30):
        (tmp_path / "images" / f"{number}.png").rename(tmp_path / "images" / f"{number}.jfif")
    told = Folder(root=str(tmp_path)).remarks()["not used"]
    assert told == "annotations without an image: 20, masks/10.png, masks/11.png, masks/12.png and 17 more"


def test_grey_images_beside_their_masks_are_images(tmp_path: Path) -> None:
    grey_and_masks(tmp_path)
    data = Folder(root=str(tmp_path))
    assert size(data) == COUNT
    assert {entry.annotation.name for entries in data.entries.values() for entry in entries} == {
        f"im{number:03d}_mask.png" for number in range(COUNT)
    }


def test_densities_beside_their_points_are_no_images(tmp_path: Path) -> None:
    for number in range(COUNT):
        photo(tmp_path / "images" / f"{number}.png", number)
        picture(tmp_path / "maps" / f"{number}.png", np.arange(768, dtype=np.uint16).reshape(24, 32).astype(np.uint8))
        picture(tmp_path / "maps" / f"{number}_fix.png", MASK)
    with pytest.raises(
        InputError, match=r"choose data.format=binary: .*, 10 images; data.format=grey: grey maps, 10 images"
    ):
        Folder(root=str(tmp_path))
    assert {entry.image.parent.name for entry in Folder(root=str(tmp_path), format="grey").entries["train"]} == {
        "images"
    }


def test_a_folder_that_says_nothing_is_told_of_patterns(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"or by a pattern such as data.annotations='\*_mask.png', and how they are"):
        Folder(root=str(tmp_path))


def boxes(root: Path, number: int, line: str) -> None:
    photo(root / f"{number:02d}.jpg", number)
    text(root / f"{number:02d}.txt", line)


@pytest.mark.parametrize("options", [{}, {"annotations": "set"}])
def test_names_of_classes_lie_among_the_labels(options: dict[str, Any], tmp_path: Path) -> None:
    """As labelImg writes them."""
    for number in range(COUNT):
        boxes(tmp_path / "set", number, f"{number % 2} 0.5 0.5 0.25 0.5")
    text(tmp_path / "set" / "classes.txt", "dog\nperson\n")
    data = Folder(root=str(tmp_path), **options)
    assert data.info.categories == ("dog", "person")
    assert size(data) == COUNT
    assert "not used" not in data.remarks()


def test_names_of_classes_must_agree_among_folders(tmp_path: Path) -> None:
    for split, names in (("train", "dog\nperson\n"), ("val", "person\ndog\n")):
        for number in range(COUNT):
            boxes(tmp_path / split, number, "1 0.5 0.5 0.25 0.5")
        text(tmp_path / split / "classes.txt", names)
    with pytest.raises(
        InputError, match=r"val/classes.txt: expected the names of .*train/classes.txt, found others; say"
    ):
        Folder(root=str(tmp_path))
    assert Folder(root=str(tmp_path), classes="train/classes.txt").info.categories == ("dog", "person")


def test_mostly_empty_label_files_are_recognised(tmp_path: Path) -> None:
    for number in range(64):
        boxes(tmp_path, number, "0 0.5 0.5 0.25 0.5" if number in (13, 42) else "")
    data = Folder(root=str(tmp_path))
    assert (data.format.name, size(data)) == ("yolo", 64)


@pytest.mark.parametrize(
    "options",
    [
        {"images": "/elsewhere/images", "annotations": "masks"},
        {"images": "images", "annotations": "/elsewhere/masks"},
    ],
)
def test_places_outside_the_root_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    pairs(tmp_path / "data")
    pairs(tmp_path / "elsewhere")
    told = {key: value.replace("/elsewhere", str(tmp_path / "elsewhere")) for key, value in options.items()}
    with pytest.raises(
        InputError, match=r"elsewhere/\w+: expected a place within data.root=.*data, found one elsewhere"
    ):
        Folder(root=str(tmp_path / "data"), **told)


def test_absolute_places_go_with_a_relative_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs(tmp_path)
    text(tmp_path / "pairs.lst", "\n".join(f"{tmp_path}/images/{k}.png {tmp_path}/masks/{k}.png" for k in range(6)))
    monkeypatch.chdir(tmp_path)
    assert size(Folder(root=".", images=str(tmp_path / "images"), annotations=str(tmp_path / "masks"))) == 6
    assert Folder(root=".", pairs="pairs.lst").ids("train")[0].startswith("images/")


def test_a_list_of_pairs_keeps_to_the_root(tmp_path: Path) -> None:
    pairs(tmp_path / "data")
    text(tmp_path / "data" / "pairs.lst", f"images/0.png {tmp_path}/0.png")
    with pytest.raises(
        InputError, match=r"pairs.lst: expected files within data.root=.*, found .*/0.png; set data.root"
    ):
        Folder(root=str(tmp_path / "data"), pairs="pairs.lst")


@pytest.mark.parametrize("mark", [" ", "\t", ",", ";"])
def test_names_in_a_list_of_pairs_may_hold_spaces(mark: str, tmp_path: Path) -> None:
    for number in range(6):
        photo(tmp_path / "my images" / f"a {number}.png", number)
        picture(tmp_path / "my masks" / f"a {number}.png", MASK)
    rows = [f"my images/a {number}.png{mark}my masks/a {number}.png" for number in range(6)]
    text(tmp_path / "pairs.lst", "\n".join(rows))
    data = Folder(root=str(tmp_path), pairs="pairs.lst")
    assert size(data) == 6
    assert data.verify() == []

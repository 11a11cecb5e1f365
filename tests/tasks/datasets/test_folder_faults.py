"""What is wrong with a folder of one's own is said in one clear line, and nothing is written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.base import Sample
from tasks.datasets.folder import Folder
from tasks.datasets.reading.faults import condensed
from tasks.datasets.reading.formats.depth import DepthArray
from tasks.errors import InputError
from tests.tasks.datasets.own_layouts import depth_exr, picture, text

MASK = np.zeros((24, 32), np.uint8)
MASK[4:12, 5:20] = 255


def photo(path: Path, seed: int = 0) -> Path:
    return picture(path, np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8))


def pairs(root: Path, count: int = 6) -> None:
    for number in range(count):
        photo(root / "images" / f"{number}.png", number)
        picture(root / "masks" / f"{number}.png", MASK)


def one_to_train(root: Path) -> None:
    pairs(root, 2)
    for split, name in (("train", "0"), ("test", "1")):
        text(root / f"{split}.txt", name)


def deep(root: Path) -> None:
    pairs(root)
    picture(root / "images" / "3.png", np.full((24, 32), 40000, np.uint16))


def deep_colours(root: Path) -> None:
    """Pillow reads them as eight bits."""
    pairs(root)
    assert cv2.imwrite(str(root / "images" / "3.png"), np.full((24, 32, 3), 40000, np.uint16))


def dangling(root: Path) -> None:
    pairs(root)
    for place in ("images/3.png", "masks/4.png", "masks/notes.json"):
        (root / place).unlink(missing_ok=True)
        (root / place).symlink_to(root / "nothing")


def no_image(root: Path) -> None:
    pairs(root)
    text(root / "images" / "3.png", "not yet downloaded")


def turned(root: Path) -> None:
    for number in range(6):
        photo(root / "images" / f"{number}.jpg", number)
        picture(root / "masks" / f"{number}.png", MASK)
    entry = Image.Exif()
    entry[0x0112] = 6
    for path in (root / "images").glob("*.jpg"):
        Image.open(path).save(path, exif=entry)


def stray_label(root: Path) -> None:
    pairs(root)
    for number in range(6):
        picture(root / "masks" / f"{number}.png", (MASK > 0).astype(np.uint8) * (2 + number % 2))
    picture(root / "masks" / "5.png", np.full((24, 32), 9, np.uint8))
    text(root / "classes.txt", "a\nb\nc\nd\n")


def coco_cut(root: Path) -> None:
    photo(root / "images" / "0.png")
    text(root / "boxes.json", json.dumps({"images": [], "annotations": [], "categories": []})[:40])


def link_out(root: Path) -> None:
    pairs(root)
    photo(root.parent / "elsewhere" / "x.png")
    (root / "images" / "x.png").symlink_to(root.parent / "elsewhere" / "x.png")


def bare(root: Path) -> None:
    pairs(root)
    for number in range(6, 206):
        photo(root / "images" / f"{number}.png", number)


def one_stem(root: Path) -> None:
    pairs(root)
    photo(root / "images" / "1.jpg", 9)


@pytest.mark.parametrize(
    ("write", "options", "message"),
    [
        (
            lambda root: text(root / "notes.txt", "hello"),
            {},
            r"found 1 \.txt in 1 \.txt; name them by data.images",
        ),
        (lambda root: root.mkdir(), {}, "found no files in nothing"),
        (lambda root: photo(root / "a" / "1.png"), {}, r"found 1 \.png in a/"),
        (coco_cut, {"format": "coco"}, r"boxes.json: expected COCO's JSON.*, found (Unterminated|Expecting)"),
        (coco_cut, {}, r"boxes.json: expected JSON, found (Unterminated|Expecting)"),
        (
            bare,
            {},
            r"without an annotation \(binary.*\): 200, images/10.png, .*/101.png and 197 more; data.missing=skip",
        ),
        (one_stem, {}, r"1.png: expected one file a name, found 1.jpg in the same folder; .*data.images"),
        (deep, {}, "3.png: expected an 8-bit image, found mode I;16; convert it to 8 bits"),
        (deep_colours, {}, "3.png: expected an 8-bit image, found mode RGB;16; convert it to 8 bits"),
        (dangling, {}, "masks/4.png: expected the annotation of sample 'images/4', found no such file; put it there"),
        (no_image, {}, "3.png: expected an image, found no image data; see whether the file is complete"),
        (turned, {}, "expected an image as it is stored, found an EXIF entry that turns it; say data.exif=apply"),
        (
            link_out,
            {},
            r"x.png: expected links that stay within data.root=.*, found one to .*elsewhere/x.png; set",
        ),
        (stray_label, {}, r"5.png: expected labels 0\.\.3, 255, found 9 \(768 pixels\)"),
        (
            pairs,
            {"images": "photos"},
            r"data.images=photos: expected a folder, .*found none, but images/, masks/",
        ),
        (pairs, {"format": "binry"}, "unknown format 'binry'; did you mean 'binary'"),
        (pairs, {"threshold": 100}, "data.threshold: format 'binary' does not take it; it takes none"),
        (pairs, {"kind": "boxes"}, r"data.kind=boxes: found binary \(mask, classes\)"),
        (pairs, {"train": "images"}, "data.train: expected data.train, and data.val or data.test or both"),
        (
            pairs,
            {"train": "nowhere"},
            "data.train=nowhere: expected a list file, or a folder of images, relative to",
        ),
        (pairs, {"fractions": (0.5, 0.1, 0.1)}, "expected the shares of train, val and test, which sum to 1"),
        (pairs, {"group": "("}, r"data.group=\(: expected folder, or a regular expression"),
        (
            pairs,
            {"divide": "time", "gap": 3},
            r"in split 'val', found none; a small set may need data.gap=0 or data.fractions=\[0.5,0,0.5\]$",
        ),
        (
            lambda root: pairs(root, 2),
            {},
            r"in split 'val', found none; a small set may need data.fractions=\[0.5,0,0.5\]$",
        ),
        (one_to_train, {}, r"in split 'val', found none; a small set may need data.holdout=0$"),
    ],
)
def test_faults_are_named(
    write: Callable[[Path], object], options: dict[str, object], message: str, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    write(root)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=message) as caught:
        data = Folder(root=str(root), **options)
        for split in data.splits:
            for index in range(len(data.ids(split))):
                data.load(split, index)
    assert not re.search("restore|remove", str(caught.value))
    assert sorted(tmp_path.rglob("*")) == before


def test_continuous_maps_are_never_cut_unasked(tmp_path: Path) -> None:
    for number in range(6):
        photo(tmp_path / "images" / f"{number}.png", number)
        picture(tmp_path / "maps" / f"{number}.png", np.arange(768, dtype=np.uint16).reshape(24, 32).astype(np.uint8))
    assert Folder(root=str(tmp_path)).provides == {"fixations"}
    with pytest.raises(InputError, match="data.threshold is not set: expected the grey value"):
        Folder(root=str(tmp_path), kind="mask")
    cut = Folder(root=str(tmp_path), threshold=99.5).load("train", 0).annotations["mask"]
    assert (cut == (np.arange(768).reshape(24, 32) % 256 >= 100)).all()


def test_depth_without_a_scale_is_not_guessed(tmp_path: Path) -> None:
    for number in range(6):
        photo(tmp_path / "rgb" / f"{number}.png", number)
        picture(tmp_path / "depth" / f"{number}.png", np.full((24, 32), 2500, np.uint16))
    with pytest.raises(InputError, match=r"data.scale is not set: .*0.png stores 2500 to 2500"):
        Folder(root=str(tmp_path))
    assert next(iter(Folder.proposals(tmp_path)))["scale"] == 1000.0


def test_exr_is_read_where_nobody_asked_opencv_for_it(tmp_path: Path) -> None:
    """In a process of its own, for OpenCV asks once; then a file that was cut off."""
    depth = np.linspace(0.5, 9.0, 24 * 32, dtype=np.float32).reshape(24, 32)
    depth_exr(tmp_path, [Sample("a", np.zeros((24, 32, 3), np.uint8), {"depth": depth})])
    file = tmp_path / "depth" / "000.exr"
    lines = (
        "import sys; from pathlib import Path; from tasks.datasets.reading.formats.depth import DepthArray",
        "found = DepthArray.stored(Path(sys.argv[1])); print(found.shape, found.min(), found.max())",
    )
    environment = {key: value for key, value in os.environ.items() if key != "OPENCV_IO_ENABLE_OPENEXR"}
    told = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), str(file)], env=environment, check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "(24, 32) 0.5 9.0"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(InputError, match=r"000.exr: expected an EXR file that can be read to its end, found none"):
        DepthArray.stored(file)


def test_a_set_of_two_is_used_as_the_message_says(tmp_path: Path) -> None:
    pairs(tmp_path / "shares", 2)
    data = Folder(root=str(tmp_path / "shares"), fractions=(0.5, 0.0, 0.5))
    assert [len(data.ids(split)) for split in data.splits] == [1, 1, 1]
    one_to_train(tmp_path / "lists")
    data = Folder(root=str(tmp_path / "lists"), holdout=0.0)
    assert [data.ids(split) for split in data.splits] == [["images/0"], ["images/1"], ["images/1"]]


def test_an_exif_entry_is_applied_or_ignored(tmp_path: Path) -> None:
    turned(tmp_path)
    assert Folder(root=str(tmp_path), exif="ignore").load("train", 0).image.shape == (24, 32, 3)
    assert Folder(root=str(tmp_path), exif="apply").load("train", 0).image.shape == (32, 24, 3)
    assert "expected the shape of its image, 24x32, found 32x24" in Folder(root=str(tmp_path), exif="apply").verify()[0]


def test_names_may_be_of_any_script_and_images_grey_or_transparent(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number, (channels, name) in enumerate([(1, "größe"), (4, "画像"), (3, "e\u0301te\u0301"), (3, "a b")]):
        shape = (24, 32) if channels == 1 else (24, 32, channels)
        picture(tmp_path / "images" / f"{name}{number}.png", rng.integers(0, 256, shape, np.uint8))
        picture(tmp_path / "masks" / f"{unicodedata.normalize('NFC', name)}{number}.png", MASK)
    data = Folder(root=str(tmp_path), images="images", annotations="masks")
    assert data.verify() == []
    assert {data.load("train", index).image.shape for index in range(len(data.ids("train")))} == {(24, 32, 3)}


def test_splits_by_lists_folders_groups_and_time(tmp_path: Path) -> None:
    for clip in range(10):
        for frame in range(3):
            photo(tmp_path / "frames" / f"clip{clip}" / f"{frame:04d}.png", 10 * clip + frame)
            picture(tmp_path / "masks" / f"clip{clip}" / f"{frame:04d}.png", MASK)
    grouped = Folder(root=str(tmp_path), group="folder")
    clips = [{name.split("/")[1] for name in grouped.ids(split)} for split in grouped.splits]
    assert [len(each) for each in clips] == [7, 1, 2]
    assert len(set.union(*clips)) == 10
    by_name = Folder(root=str(tmp_path), group=r"clip\d")
    assert sum(len({name.split("/")[1] for name in by_name.ids(split)}) for split in by_name.splits) == 10
    assert grouped.group("frames/clip3/0001") == grouped.group("frames/clip3/0002") == "frames/clip3"
    assert Folder(root=str(tmp_path)).group("frames/clip3/0001") == "frames/clip3/0001"
    assert next(iter(Folder.proposals(tmp_path)))["group"] == "folder"
    later = Folder(root=str(tmp_path), group="folder", divide="time", fractions=(0.65, 0.15, 0.2))
    assert [sorted({name.split("/")[1] for name in later.ids(split)}) for split in ("val", "test")] == [
        ["clip7"],
        ["clip8", "clip9"],
    ]
    timed = Folder(root=str(tmp_path), divide="time", gap=1)
    assert [len(timed.ids(split)) for split in timed.splits] == [21, 2, 5]
    text(tmp_path / "a.lst", "clip0/0000.png\nframes/clip1/0001\n")
    text(tmp_path / "b.lst", "clip2/0002\n")
    text(tmp_path / "torn.lst", "clip0/0002\n")
    with pytest.raises(InputError, match=r"more than one split, as data.train.*: 1, 'frames/clip0' in test and train"):
        Folder(root=str(tmp_path), train="a.lst", test="torn.lst", holdout=0.0, group="folder")
    listed = Folder(root=str(tmp_path), train="a.lst", test="b.lst", holdout=0.0, group="folder")
    assert listed.ids("train") == ["frames/clip0/0000", "frames/clip1/0001"]
    assert listed.ids("val") == listed.ids("test") == ["frames/clip2/0002"]
    folders = Folder(root=str(tmp_path), train="frames/clip3", val="frames/clip4", test="frames/clip5")
    assert {name.split("/")[1] for name in folders.ids("val")} == {"clip4"}
    text(tmp_path / "c.lst", "0001\n")
    with pytest.raises(InputError, match=r"c.lst: expected each line to name one of the 30 images, found '0001' names"):
        Folder(root=str(tmp_path), train="c.lst", test="b.lst")


def test_like_faults_are_counted() -> None:
    faults = [f"/a/{number}.png: expected labels 0..3, found {number} (5 pixels); see" for number in range(300)]
    lines = condensed([*faults, "/a/b.txt: expected a list, found an empty file; see"])
    assert lines == [*faults[:3], "... and 297 more like these", "/a/b.txt: expected a list, found an empty file; see"]

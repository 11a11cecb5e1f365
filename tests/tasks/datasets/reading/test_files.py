from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.datasets.reading import files
from tasks.datasets.reading.pictures import colours_of, head, plane_of
from tasks.errors import InputError
from tests.tasks.datasets import layouts


def test_images_become_rgb(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 128, 255]]], np.uint8)
    Image.fromarray(colours).save(tmp_path / "rgb.png")
    Image.fromarray(colours[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(colours).convert("RGBA").save(tmp_path / "alpha.png")
    palette = Image.fromarray(colours).quantize(4)
    palette.save(tmp_path / "palette.png", transparency=bytes([0, 255]))
    assert np.array_equal(files.read_image(tmp_path / "rgb.png"), colours)
    assert np.array_equal(files.read_image(tmp_path / "grey.png"), colours[..., :1].repeat(3, axis=2))
    assert np.array_equal(files.read_image(tmp_path / "alpha.png"), colours)
    assert np.array_equal(files.read_image(tmp_path / "palette.png"), colours)


def test_images_are_not_rotated(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 4)).save(tmp_path / "turned.jpg", exif=exif)
    assert files.read_image(tmp_path / "turned.jpg").shape == (4, 8, 3)


@pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.95])
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_truncated_image_is_named(tmp_path: Path, name: str, keep: float) -> None:
    path = tmp_path / name
    layouts.picture(path, (64, 64))
    layouts.truncate(path, keep)
    with pytest.raises(
        InputError, match=f"{re.escape(str(path))}: expected an image that can be read to its end, found"
    ):
        files.read_image(path)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no such file"):
        files.read_image(tmp_path / "a.png")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png: expected an image that can be read to its end, found no such file"):
        files.read_image(tmp_path / "a.png")


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_refused(form: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (0, 90, 200)]
    path = tmp_path / "a.png"
    frames[0].save(path, form, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=r"a\.png: expected one still image, found an animation of 3; store"):
        files.read_image(path)


def test_a_deep_image_is_refused(tmp_path: Path) -> None:
    layouts.grey(tmp_path / "a.png", np.full((2, 2), 1000, np.uint16))
    with pytest.raises(InputError, match="expected an 8-bit image, found mode I;16"):
        files.read_image(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("read", [files.read_image, files.read_grey, colours_of, plane_of, head])
def test_sixteen_bits_of_three_channels_are_seen(name: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    """Pillow opens them as RGB and keeps the higher eight."""
    assert cv2.imwrite(str(tmp_path / name), np.full((4, 5, 3), 1000, np.uint16))
    if read is head:
        assert (head(tmp_path / name).mode, head(tmp_path / name).deep) == ("RGB;16", True)
        return
    with pytest.raises(InputError, match=rf"{name}: expected an 8-bit image, found mode RGB;16; convert it to 8 bits"):
        read(tmp_path / name)


def test_palette_maps_give_indices(tmp_path: Path) -> None:
    values = np.array([[0, 1], [15, 255]], np.uint8)
    image = Image.fromarray(values)
    image.putpalette(list(range(256)) * 3)
    image.save(tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as stored:
        assert stored.mode == "P"
    assert np.array_equal(files.read_map(tmp_path / "p.png"), values)


def test_colours_are_no_map(tmp_path: Path) -> None:
    layouts.picture(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"expected one channel \(grey or palette PNG\), found mode RGB"):
        files.read_map(tmp_path / "a.png")


TABLE = files.label_table({0: 255, 1: 0, 2: 1})


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_labels_are_translated(tmp_path: Path, kind: type) -> None:
    layouts.grey(tmp_path / "a.png", np.array([[0, 1, 2]], kind))
    classes = files.read_classes(tmp_path / "a.png", TABLE, (1, 3), "0..2")
    assert classes.dtype == np.uint8
    assert classes.tolist() == [[255, 0, 1]]


def test_two_level_maps_are_labels(tmp_path: Path) -> None:
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "a.png")
    table = files.label_table({0: 0, 255: 1})
    assert files.read_classes(tmp_path / "a.png", table, (1, 2), "0, 255").tolist() == [[0, 1]]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_strange_label_is_named_and_counted(tmp_path: Path, kind: type) -> None:
    layouts.grey(tmp_path / "a.png", np.array([[0, 1, 2, 7, 7, 255]], kind))
    with pytest.raises(InputError, match=r"a.png: expected labels 0\.\.2, found 7, 255 \(3 pixels\)"):
        files.read_classes(tmp_path / "a.png", TABLE, (1, 6), "0..2")


def test_labels_are_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(path)
    with pytest.raises(InputError, match=r"a\.tif: expected labels 0\.\.1, whole numbers, found float32 numbers"):
        files.read_classes(path, files.label_table({0: 0, 1: 1}), None, "0..1")


def test_labels_above_eight_bits_are_strange(tmp_path: Path) -> None:
    layouts.grey(tmp_path / "a.png", np.array([[1, 300]], np.uint16))
    with pytest.raises(InputError, match=r"found 300 \(1 pixels\)"):
        files.read_classes(tmp_path / "a.png", TABLE, (1, 2), "0..2")


def test_both_faults_of_a_mask_are_named(tmp_path: Path) -> None:
    layouts.grey(tmp_path / "a.png", np.array([[0, 3]], np.uint8))
    with pytest.raises(InputError, match=r"expected 3x1 pixels like its image and labels 0..2, found 2x1 and 3 \(1 p"):
        files.read_classes(tmp_path / "a.png", TABLE, (1, 3), "0..2")


def test_depth_is_scaled_and_holes_are_zero(tmp_path: Path) -> None:
    layouts.grey(tmp_path / "d.png", np.array([[0, 1500, 65535]], np.uint16))
    depth = files.read_depth(tmp_path / "d.png", 1000, (1, 3), invalid=(0, 65535))
    assert depth.dtype == np.float32
    assert depth.tolist() == [[0.0, 1.5, 0.0]]
    assert files.read_depth(tmp_path / "d.png", 256, None)[0, 2] == pytest.approx(65535 / 256)


def test_depth_in_eight_bits_is_refused(tmp_path: Path) -> None:
    layouts.grey(tmp_path / "d.png", np.array([[0, 15]], np.uint8))
    with pytest.raises(InputError, match=r"expected 16-bit depth in 1/1000 m, found 8 bits"):
        files.read_depth(tmp_path / "d.png", 1000, None)


def test_depth_of_another_size_is_refused(tmp_path: Path) -> None:
    layouts.grey(tmp_path / "d.png", np.ones((2, 3), np.uint16))
    with pytest.raises(InputError, match="expected 4x2 pixels like its image, found 3x2"):
        files.read_depth(tmp_path / "d.png", 1000, (2, 4))


def test_roots_are_found_inside_their_parent(tmp_path: Path) -> None:
    (tmp_path / "Set" / "train").mkdir(parents=True)
    assert files.data_root(str(tmp_path), "train/", "train", inside=("Set",)) == tmp_path / "Set"
    assert files.data_root(str(tmp_path / "Set"), "train/", "train", inside=("Set",)) == tmp_path / "Set"


def test_root_faults_show_key_path_and_layout(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data.root is not set: expected the path of a folder with train/ and val/"):
        files.data_root(None, "train/ and val/", "train")
    with pytest.raises(InputError, match=r"data.root=.*absent: expected a folder with train/.*found no such folder"):
        files.data_root(str(tmp_path / "absent"), "train/ and val/", "train")
    with pytest.raises(InputError, match=r"expected a folder with train/ and val/; found no train, val, but nothing"):
        files.data_root(str(tmp_path), "train/ and val/", "train", "val")


def test_stems_must_be_unique(tmp_path: Path) -> None:
    layouts.picture(tmp_path / "a.JPG")
    (tmp_path / "notes.txt").write_text("")
    assert files.files_by_stem(tmp_path) == {"a": tmp_path / "a.JPG"}
    layouts.picture(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a.png: expected one file a name, found a.JPG too"):
        files.files_by_stem(tmp_path)
    with pytest.raises(InputError, match="found no such folder"):
        files.files_by_stem(tmp_path / "absent")


def test_lists_need_no_final_newline_and_may_not_be_empty(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffone\n\ntwo")
    assert files.read_lines(tmp_path / "a.txt") == ["one", "two"]
    (tmp_path / "a.txt").write_text("\n")
    with pytest.raises(InputError, match="found an empty file"):
        files.read_lines(tmp_path / "a.txt")
    with pytest.raises(InputError, match="found no such file"):
        files.read_lines(tmp_path / "b.txt")


def test_fingerprints_see_names_sizes_options_and_small_annotations(tmp_path: Path) -> None:
    layouts.picture(tmp_path / "a.png")
    (tmp_path / "a.xml").write_text("one")

    def now(**identity: int) -> str:
        return files.fingerprint(identity, tmp_path.iterdir())

    first = now(version=1)
    assert first == now(version=1)
    assert first != now(version=2)
    (tmp_path / "a.xml").write_text("two")
    second = now(version=1)
    assert second != first
    layouts.truncate(tmp_path / "a.png")
    third = now(version=1)
    assert third != second
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    assert now(version=1) != third


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../b.png", "..\\b.png", "a\0.png", "a" * 5000])
def test_names_that_leave_their_folder_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"l\.json: expected names of files below their folder, found '"):
        files.check_inside(tmp_path / "l.json", ["a/b.png", name])
    files.check_inside(tmp_path / "l.json", ["a/b.png", "a..b.png"])


def test_json_without_end_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="brackets within brackets"):
        files.load_json(tmp_path / "a.json")

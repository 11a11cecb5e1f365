"""Values that crowd sets and folders of masks yield."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.datasets.nwpu import NWPU
from tasks.datasets.reading.points import inside, point_faults, read_points
from tasks.datasets.reading.summary import summary
from tasks.datasets.saliency import Saliency, read_mask
from tasks.datasets.shanghaitech import ShanghaiTech
from tasks.datasets.ucf_qnrf import UCFQNRF
from tasks.errors import InputError
from tests.tasks.datasets import layouts

PATH = Path("a.mat")


def test_points_are_clipped_and_never_dropped() -> None:
    found = inside(np.array([[-3.0, 5.0], [32.0, 24.0], [31.995, 40.0], [7.5, 8.25]]), (24, 32))
    assert len(found) == 4
    assert found.dtype == np.float32
    assert (found >= 0).all()
    assert (found.astype(int) < (32, 24)).all()
    assert found[3].tolist() == [7.5, 8.25]
    for ratio in (0.1, 0.37, 1.7):  # still inside after a resize
        assert (found * np.float32(ratio) < np.array([32, 24], np.float32) * np.float32(ratio)).all()


@pytest.mark.parametrize("raw", [[], np.zeros((0, 2)), np.zeros((2, 0))])
def test_no_heads_are_no_fault(raw: object) -> None:
    assert read_points(PATH, raw).shape == (0, 2)


def test_one_head_whose_dimension_was_dropped() -> None:
    assert read_points(PATH, [3, 4]).tolist() == [[3, 4]]


@pytest.mark.parametrize("raw", [np.zeros((4, 3)), [1.0, 2.0, 3.0], [[1, np.nan]], [["x", "y"]]])
def test_what_is_no_list_of_points(raw: object) -> None:
    with pytest.raises(InputError, match=r"a.mat: expected points x,y"):
        read_points(PATH, raw)


def test_points_far_outside_are_named() -> None:
    assert point_faults(PATH, np.array([[33.0, 24.5]]), (24, 32)) == []
    (fault,) = point_faults(PATH, np.array([[3.0, 4.0], [20.0, 31.0]]), (24, 32))
    assert "expected heads inside 32x24 pixels, found 1 of 2 far outside, the first at 20.0, 31.0" in fault


@pytest.mark.parametrize(("folder", "truth"), [("part_{}_final", "ground_truth"), ("part_{}", "ground-truth")])
def test_shanghaitech_keeps_every_head(tmp_path: Path, folder: str, truth: str) -> None:
    data = ShanghaiTech(root=str(layouts.shanghaitech(tmp_path, "B", folder, truth)), part="B", holdout=0.0)
    assert data.ids("train")[:3] == ["train_data/IMG_1", "train_data/IMG_2", "train_data/IMG_3"]
    assert data.ids("train")[9] == "train_data/IMG_10"
    counts = [len(data.load("train", index).annotations["points"]) for index in range(11)]
    assert counts == list(range(11))
    sample = data.load("train", 3)
    assert sample.annotations["points"] == pytest.approx(layouts.heads(3, 4))
    grey = data.load("train", 1).image
    assert (grey == grey[..., :1]).all()


def test_shanghaitech_part_may_be_the_root(tmp_path: Path) -> None:
    layouts.shanghaitech(tmp_path)
    assert len(ShanghaiTech(root=str(tmp_path / "part_A_final")).ids("test")) == 4
    with pytest.raises(InputError, match=r"data.part=B: expected a folder with part_<A,B>_final.*found part_A_final"):
        ShanghaiTech(root=str(tmp_path), part="B")
    (tmp_path / "part_A_final/test_data/ground_truth").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="test_data: expected ground_truth/ or ground-truth/ beside images/"):
        ShanghaiTech(root=str(tmp_path))


def test_shanghaitech_faults_are_named(tmp_path: Path) -> None:
    data = ShanghaiTech(root=str(layouts.shanghaitech(tmp_path)))
    first, second, third = (entry.annotation for entry in data.entries["test"][:3])
    layouts.head_mat(first, layouts.heads(5), number=7)
    layouts.head_mat(second, np.array([[70.0, 3.0], [2.0, 3.0]]))
    layouts.mat(third, points=[1, 2])
    assert len(data.load("test", 0).annotations["points"]) == 5
    assert data.load("test", 1).annotations["points"][0] == pytest.approx([31.99, 3])
    faults = data.verify()
    assert len(faults) == 3
    assert "GT_IMG_1.mat: expected 7 points, the number stated, found 5" in faults[0]
    assert "GT_IMG_2.mat: expected heads inside 32x24 pixels, found 1 of 2 far outside" in faults[1]
    assert "GT_IMG_3.mat: expected a MATLAB file with image_info.location, found points" in faults[2]


def test_ucf_qnrf_points(tmp_path: Path) -> None:
    data = UCFQNRF(root=str(layouts.ucf_qnrf(tmp_path)))
    assert data.ids("test") == ["Test/img_0001", "Test/img_0002", "Test/img_0003"]
    assert data.load("test", 0).annotations["points"] == pytest.approx(layouts.heads(1, 1))
    assert summary(data)["release"] == "a subset: 10 of 1201 train, 3 of 334 test"


@pytest.mark.parametrize("form", ["jsons", "mats"])
def test_nwpu_has_images_without_people(tmp_path: Path, form: str) -> None:
    data = NWPU(root=str(layouts.nwpu(tmp_path, form)), holdout=0.0)
    assert data.ids("train")[0] == "0001"
    assert data.load("train", 0).annotations["points"].shape == (0, 2)
    assert data.load("test", 2).annotations["points"] == pytest.approx(layouts.heads(12, 13))


def test_nwpu_faults_are_named(tmp_path: Path) -> None:
    data = NWPU(root=str(layouts.nwpu(tmp_path)))
    paths = [entry.annotation for entry in data.entries["test"]]
    paths[0].write_text(json.dumps({"human_num": 4, "points": [[1, 2]]}))
    paths[1].write_text(json.dumps({"points": []}))
    paths[2].write_text("{")
    faults = data.verify()
    assert "0011.json: expected 4 points, the number stated, found 1" in faults[0]
    assert "0012.json: expected JSON with points and human_num, found no 'human_num'" in faults[1]
    assert "0013.json: expected JSON with points and human_num, found Expecting property name" in faults[2]
    assert len(faults) == 3


def test_masks_keep_their_size(tmp_path: Path) -> None:
    data = Saliency(root=str(layouts.duts(tmp_path)))
    sample = data.load("test", 1)
    assert sample.image.shape == (24, 32, 3)
    mask = sample.annotations["mask"]
    with Image.open(tmp_path / "DUTS-TE" / "DUTS-TE-Mask" / "im_001.png") as image:
        assert np.array_equal(mask, np.array(image) // 255)
    assert mask.shape == (12, 16)


def test_test_sets_are_an_option(tmp_path: Path) -> None:
    root = str(layouts.duts(tmp_path))
    assert len(Saliency(root=root, test="hku-is").ids("test")) == 4
    assert Saliency(root=root, test="hku-is").manifest() != Saliency(root=root).manifest()
    assert summary(Saliency(root=root))["release"] == "a subset: 12 of 10553 train, 3 of 5019 test"
    whole = Saliency(root=root, preset="ecssd")
    assert [len(whole.ids(split)) for split in whole.splits] == [7, 1, 2]
    alone = Saliency(root=str(tmp_path / "ECSSD"), preset="ecssd")
    assert alone.ids("test") == whole.ids("test")
    with pytest.raises(InputError, match=r"expected PASCAL-S/datasets/imgs/pascal and .* found no such folders"):
        Saliency(root=root, test="pascal-s")


def test_any_two_folders(tmp_path: Path) -> None:
    layouts.images_and_masks(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a" / "im_000.jpg").rename(tmp_path / "a" / "IM_000.JPG")
    data = Saliency(root=str(tmp_path), images="a", masks="b")
    assert sum(len(data.ids(split)) for split in data.splits) == 10
    assert data.verify() == []
    with pytest.raises(InputError, match=r"data.images and data.masks: expected both"):
        Saliency(root=str(tmp_path), images="a")
    with pytest.raises(InputError, match=r"/c: expected a folder of .* files, found no such folder"):
        Saliency(root=str(tmp_path), images="a", masks="c")


def test_mask_faults_are_named(tmp_path: Path) -> None:
    layouts.images_and_masks(tmp_path / "a", tmp_path / "b")
    layouts.grey(tmp_path / "b" / "more.png", layouts.labels([0, 255]))
    layouts.grey(tmp_path / "b" / "im_003.png", layouts.labels([0, 255], (32, 24)))
    layouts.grey(tmp_path / "b" / "im_005.png", np.full((24, 32), 999, np.uint16))
    faults = Saliency(root=str(tmp_path), images="a", masks="b").verify()
    assert len(faults) == 3
    assert any("more.png: expected only files that an image names, found one more" in fault for fault in faults)
    assert any("im_003.png: expected the shape of its image, 32x24, found 24x32" in fault for fault in faults)
    assert any("im_005.png: expected an 8-bit image, found mode I;16" in fault for fault in faults)


def test_masks_of_every_kind_are_binary(tmp_path: Path) -> None:
    grey = np.array([[0, 127, 128, 129, 255]], np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert read_mask(tmp_path / "grey.png").tolist() == [[0, 0, 0, 1, 1]]
    Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(tmp_path / "rgb.png")
    assert read_mask(tmp_path / "rgb.png").tolist() == [[0, 0, 0, 1, 1]]
    Image.fromarray(grey > 128).save(tmp_path / "bits.png")
    assert read_mask(tmp_path / "bits.png").tolist() == [[0, 0, 0, 1, 1]]
    Image.fromarray((grey > 128).astype(np.uint8)).save(tmp_path / "ones.png")
    assert read_mask(tmp_path / "ones.png").tolist() == [[0, 0, 0, 1, 1]]
    Image.fromarray(np.zeros_like(grey)).save(tmp_path / "empty.png")
    assert read_mask(tmp_path / "empty.png").tolist() == [[0, 0, 0, 0, 0]]
    palette = Image.fromarray((grey > 128).astype(np.uint8))
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.save(tmp_path / "palette.png")
    assert read_mask(tmp_path / "palette.png").tolist() == [[0, 0, 0, 1, 1]]


@pytest.mark.realdata
def test_the_real_crowd(realdata: Callable[[str], str]) -> None:
    data = ShanghaiTech(root=realdata("crowd"), part="B", holdout=0.0)
    assert (len(data.ids("train")), len(data.ids("test"))) == (30, 8)
    counts = [len(data.load("train", index).annotations["points"]) for index in range(30)]
    counts += [len(data.load("test", index).annotations["points"]) for index in range(8)]
    assert (min(counts), max(counts)) == (3, 53)
    assert len(data.load("test", 0).annotations["points"]) == 16
    assert data.verify() == []


@pytest.mark.realdata
def test_the_real_masks(realdata: Callable[[str], str]) -> None:
    data = Saliency(root=realdata("people_masks"), images="Training_Images", masks="Ground_Truth")
    assert [len(data.ids(split)) for split in data.splits] == [203, 29, 58]
    different = 0
    for split in data.splits:
        for index in range(len(data.ids(split))):
            sample = data.load(split, index)
            different += sample.annotations["mask"].shape != sample.image.shape[:2]
    assert different == 198
    assert data.verify() == []

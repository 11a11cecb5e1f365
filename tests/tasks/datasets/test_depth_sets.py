"""Values that NYU Depth v2, KITTI and folders of RGB-D frames yield."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from tasks.datasets.kitti import KITTI
from tasks.datasets.nyuv2 import NYUv2
from tasks.datasets.rgbd import RGBD
from tasks.errors import InputError
from tests.tasks.datasets import layouts


def stored(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_nyu_millimetres_become_metres(tmp_path: Path) -> None:
    data = NYUv2(root=str(layouts.nyuv2(tmp_path / "nyu_depth_v2").parent))
    assert data.ids("test") == ["bathroom/rgb_00000", "bathroom/rgb_00001"]
    depth = data.load("test", 1).annotations["depth"]
    assert depth == pytest.approx(
        stored(tmp_path / "nyu_depth_v2/official_splits/test/bathroom/sync_depth_00001.png") / 1e3
    )
    assert (depth[:2] == 0).all()
    assert (data.info.depth_cap, data.info.crop) == (10.0, "eigen")


def test_nyu_lists_have_a_leading_slash(tmp_path: Path) -> None:
    data = NYUv2(root=str(layouts.nyuv2(tmp_path, listed=True)), holdout=0.0)
    assert data.ids("train")[:3] == ["kitchen_0001/rgb_00000", "kitchen_0001/rgb_00002", "kitchen_0002/rgb_00000"]
    (tmp_path / "nyudepthv2_train_files_with_gt.txt").write_text("a.jpg")
    with pytest.raises(InputError, match=r"expected image, depth and focal length a line, found 'a.jpg' in line 1"):
        NYUv2(root=str(tmp_path))


def test_nyu_holds_out_whole_scenes(tmp_path: Path) -> None:
    data = NYUv2(root=str(layouts.nyuv2(tmp_path)))
    assert len({each.partition("/")[0] for each in data.ids("val")}) == 1


def test_nyu_scales_are_options_and_eight_bits_are_refused(tmp_path: Path) -> None:
    root = str(layouts.nyuv2(tmp_path))
    plain, scaled = NYUv2(root=root), NYUv2(root=root, train_scale=500.0)
    assert np.allclose(scaled.load("train", 0).annotations["depth"], 2 * plain.load("train", 0).annotations["depth"])
    assert np.array_equal(scaled.load("test", 0).annotations["depth"], plain.load("test", 0).annotations["depth"])
    assert scaled.manifest() != plain.manifest()
    layouts.grey(plain.entries["train"][0].annotation, np.full((24, 32), 100, np.uint8))
    with pytest.raises(InputError, match=r"expected 16-bit depth in 1/1000 m, found 8 bits; use the 16-bit packaging"):
        plain.load("train", 0)


def test_nyu_labeled_axes_are_put_right(tmp_path: Path) -> None:
    data = NYUv2(root=str(layouts.nyuv2_labeled(tmp_path)))
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat") as file:
        images, depths = file["images"][:], file["depths"][:]
    assert data.ids("test") == ["0006", "0007", "0008"]  # MATLAB counts from 1
    sample = data.load("test", 0)
    assert np.array_equal(sample.image, images[5].transpose(2, 1, 0))
    assert np.array_equal(sample.annotations["depth"], depths[5].T)
    assert sorted(data.ids("train") + data.ids("val")) == ["0001", "0002", "0003", "0004", "0005"]
    assert set(data.ids("val")) in ({"0001", "0002"}, {"0003", "0004"}, {"0005"})  # one scene


def test_nyu_labeled_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = layouts.nyuv2_labeled(tmp_path)
    layouts.mat(root / "splits.mat", trainNdxs=np.arange(0, 5), testNdxs=np.arange(5, 8))
    with pytest.raises(InputError, match=r"splits.mat: expected trainNdxs in 1\.\.8, found 0\.\.4"):
        NYUv2(root=str(root))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r"needs h5py: pip install 'densedistill\[nyu\]'"):
        NYUv2(root=str(root))
    monkeypatch.undo()
    layouts.truncate(root / "nyu_depth_v2_labeled.mat", 0.3)
    with pytest.raises(InputError, match=r"labeled.mat: expected a MATLAB 7.3 file, found"):
        NYUv2(root=str(root))


@pytest.mark.parametrize(("raw", "truth"), [("", ""), ("raw", "depth"), ("raw", "")])
def test_kitti_leaves_out_frames_without_depth(tmp_path: Path, raw: str, truth: str) -> None:
    data = KITTI(root=str(layouts.kitti(tmp_path, raw, truth)))
    assert data.ids("test") == ["2011_09_26_drive_0009_sync/image_02/0000000005"]
    values = stored(data.entries["test"][0].annotation)
    assert data.load("test", 0).annotations["depth"] == pytest.approx(values / 256)
    assert (data.info.depth_cap, data.info.crop) == (80.0, "garg")
    assert len({each.partition("/")[0] for each in data.ids("train")}) == 1  # drives stay whole


def test_kitti_needs_its_lists(tmp_path: Path) -> None:
    root = layouts.kitti(tmp_path)
    with pytest.raises(InputError, match=r"data.test_list=mine.txt: expected a list of 'image depth focal' lines at"):
        KITTI(root=str(root), test_list="mine.txt")
    (root / "mine.txt").write_text("2011_09_26 0000000005 l")
    with pytest.raises(
        InputError, match=r"mine.txt: expected <date>/<drive>.* a line, found '2011_09_26 0000000005 l'"
    ):
        KITTI(root=str(root), test_list="mine.txt")


def test_frames_are_split_by_time_with_a_gap(tmp_path: Path) -> None:
    data = RGBD(root=str(layouts.rgbd(tmp_path)), gap=1)
    numbers = {split: [int(each.split("-")[1]) for each in data.ids(split)] for split in data.splits}
    assert numbers["train"] == list(range(0, 140, 5))
    assert numbers["val"] == [145, 150, 155]
    assert numbers["test"] == list(range(165, 200, 5))
    assert RGBD(root=str(tmp_path), gap=0).ids("val")[0] == "frame-140"


def test_frames_have_two_codes_for_no_measurement(tmp_path: Path) -> None:
    layouts.rgbd(tmp_path)
    values = np.full((24, 32), 2500, np.uint16)
    values[0, 0], values[1, 1] = 0, 65535
    layouts.grey(tmp_path / "frame-0.depth.png", values)
    depth = RGBD(root=str(tmp_path), cap=5.0).load("train", 0).annotations["depth"]
    assert (depth[0, 0], depth[1, 1], depth[2, 2]) == (0, 0, 2.5)
    assert RGBD(root=str(tmp_path), cap=5.0).info.depth_cap == 5.0
    assert RGBD(root=str(tmp_path), scale=5000.0).load("train", 0).annotations["depth"][2, 2] == 0.5


def test_frames_may_lie_in_two_folders(tmp_path: Path) -> None:
    for number in range(1, 21):
        layouts.picture(tmp_path / "rgb" / f"{number}.png", seed=number)
        layouts.depth_map(tmp_path / "depth" / f"{number}.png", seed=number)
    data = RGBD(root=str(tmp_path), gap=0)
    assert data.ids("train") == [str(i) for i in range(1, 15)]
    assert data.verify() == []


def test_a_folder_without_frames_and_a_negative_gap_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a folder with frame-<N>.color.*found no frame"):
        RGBD(root=str(tmp_path))
    with pytest.raises(InputError, match=r"data.gap=-1"):
        RGBD(root=str(layouts.rgbd(tmp_path)), gap=-1)


def test_too_few_frames_leave_a_split_empty(tmp_path: Path) -> None:
    data = RGBD(root=str(layouts.rgbd(tmp_path, 10)))
    with pytest.raises(InputError, match="expected images in split 'val', found none"):
        data.ids("val")
    assert any("split 'val'" in fault for fault in data.verify())


@pytest.mark.realdata
def test_the_real_sequence(realdata: Callable[[str], str]) -> None:
    data = RGBD(root=realdata("rgbd"))
    assert [len(data.ids(split)) for split in data.splits] == [140, 18, 38]
    assert data.ids("val")[0] == "frame-000710"
    sample = data.load("test", 0)
    assert sample.image.shape == (480, 640, 3)
    depth = sample.annotations["depth"]
    assert 0.5 < np.median(depth[depth > 0]) < 4
    assert depth.max() < 10
    assert data.verify() == []

import re

import cv2
import numpy as np
import pytest

from tasks.data.partition import split_labeled
from tasks.data.tuning_split import TuningSplit
from tasks.datasets.avs1k import AVS1K
from tasks.datasets.clipfolder import ClipFolder
from tasks.datasets.clips import Clips
from tasks.datasets.dhf1k import DHF1K
from tasks.datasets.kitti import KITTI
from tasks.datasets.mit1003 import MIT1003
from tasks.datasets.reading.files import read_image
from tasks.datasets.salicon import SALICON
from tasks.errors import InputError
from tests.tasks.datasets import layouts


def test_a_frame_comes_with_its_neighbour_whatever_is_left_out(tmp_path):
    data = DHF1K(root=str(layouts.dhf1k(tmp_path)), every=2)
    folder = tmp_path / "frames" / "0601"
    assert data.ids("test") == ["0601/0001", "0601/0003"]
    first, second = (data.load("test", index).image for index in (0, 1))
    np.testing.assert_array_equal(first, np.concatenate([read_image(folder / "0001.png")] * 2, axis=2))
    np.testing.assert_array_equal(second[..., :3], read_image(folder / "0003.png"))
    np.testing.assert_array_equal(second[..., 3:], read_image(folder / "0002.png"))


def test_frames_are_read_from_videos_where_they_were_not_cut(tmp_path):
    """Videos are compressed, so their frames are held to what OpenCV reads from front to back."""
    root = layouts.dhf1k(tmp_path)
    layouts.into_videos(root / "frames", root / "video")
    data = DHF1K(root=str(root), every=2)
    assert data.ids("test") == ["0601/0001", "0601/0003"]
    video, read = cv2.VideoCapture(str(root / "video" / "601.AVI")), []
    while (found := video.read())[0]:
        read.append(found[1][..., ::-1])
    np.testing.assert_array_equal(data.load("test", 0).image, np.concatenate([read[0], read[0]], axis=2))
    np.testing.assert_array_equal(data.load("test", 1).image, np.concatenate([read[2], read[1]], axis=2))
    assert data.verify() == []


def test_a_video_that_is_short_or_none_is_named(tmp_path):
    root = layouts.dhf1k(tmp_path)
    layouts.into_videos(root / "frames", root / "video", frames_each=2)
    data = DHF1K(root=str(root), every=2)
    with pytest.raises(InputError, match=r"601\.AVI: expected a frame 3, found 2 frames"):
        data.load("test", 1)
    (root / "video" / "601.AVI").write_bytes(b"RIFF")
    with pytest.raises(InputError, match=r"601\.AVI: expected a video, found a file that OpenCV cannot open"):
        data.load("test", 0)


def test_labels_and_tuning_take_whole_clips_and_drives(tmp_path):
    """A fraction of the labels, and what is held out to choose on, tears no clip and no drive apart."""
    for data in (
        DHF1K(root=str(layouts.dhf1k(tmp_path / "a")), every=1, holdout=0.0),
        Clips(size=32, train=5, length=3),
        KITTI(root=str(layouts.kitti(tmp_path / "b")), holdout=0.0),
    ):
        held = TuningSplit(data, "1/3")
        clips = [{data.group(each) for each in held.ids(split)} for split in ("train", "test")]
        assert not clips[0] & clips[1]
        part = split_labeled(data.ids("train"), "1/4", data.group)
        per_clip = len(data.ids("train")) // len({data.group(each) for each in data.ids("train")})
        assert len(part.labeled) == per_clip * -(-len(data.ids("train")) // (4 * per_clip))


def test_whole_clips_belong_to_one_split(tmp_path):
    for data in (
        DHF1K(root=str(layouts.dhf1k(tmp_path / "a")), every=1),
        ClipFolder(root=str(layouts.clipfolder(tmp_path / "b"))),
    ):
        clips = [{each.rpartition("/")[0] for each in data.ids(split)} for split in data.splits]
        assert all(clips)
        assert not (clips[0] & clips[1])
        assert not (clips[0] & clips[2])
        assert not (clips[1] & clips[2])


def test_points_are_the_white_pixels(tmp_path):
    data = MIT1003(root=str(layouts.mit1003(tmp_path)))
    number = int(data.ids("train")[0][1:])
    seen = data.load("train", 0).annotations["fixations"]
    np.testing.assert_array_equal(seen.points, [[5.5, number + 0.5]])
    assert data.load("train", 0).image.shape == (24, 32, 3)


def test_densities_alone_have_no_points(tmp_path):
    data = AVS1K(root=str(layouts.avs1k(tmp_path)), every=1)
    assert data.load("test", 1).annotations["fixations"].points is None
    assert data.ids("test")[1] == "Human_00004/Human_00004_00001"


def test_looks_of_all_viewers_make_the_density(tmp_path):
    data = SALICON(root=str(layouts.salicon(tmp_path)), sigma=1.0)
    seen = data.load("test", 2).annotations["fixations"]
    assert seen.points.tolist() == [[1.5, 2.5], [31.5, 23.5], [2.5, 2.5], [31.5, 23.5]]
    assert np.unravel_index(seen.density.argmax(), (24, 32)) == (23, 31)
    assert seen.density.sum() == pytest.approx(4, rel=1e-3)


@pytest.mark.parametrize("text", ["{", '{"images": []}', '{"images": [], "annotations": [{"image_id": 7}]}'])
def test_a_damaged_json_is_named(tmp_path, text):
    file = layouts.salicon(tmp_path) / "annotations" / "fixations_val2014.json"
    file.write_text(text)
    with pytest.raises(InputError, match="fixations_val2014.json: expected JSON with 'images' and 'annotations'"):
        SALICON(root=str(tmp_path))


def test_a_missing_neighbour_or_map_of_points_ends_a_run(tmp_path):
    root = layouts.dhf1k(tmp_path)
    data = DHF1K(root=str(root), every=2)
    (root / "annotation" / "0601" / "fixation" / "0003.png").unlink()
    with pytest.raises(InputError, match=r"0003.png: expected the points of sample '0601/0003'"):
        data.ids("test")
    (root / "frames" / "0601" / "0002.png").unlink()
    assert any("0002.png: expected an image" in fault for fault in data.verify())


def test_sizes_that_differ_and_black_densities_are_named(tmp_path):
    root = layouts.dhf1k(tmp_path)
    layouts.picture(root / "frames" / "0601" / "0002.png", (10, 12))
    layouts.grey(root / "annotation" / "0601" / "fixation" / "0001.png", np.zeros((8, 8), np.uint8))
    layouts.grey(root / "annotation" / "0600" / "maps" / "0003.png", np.zeros((24, 32), np.uint8))
    faults = "\n".join(DHF1K(root=str(root), every=2).verify())
    for text in (
        "0002.png: expected 32x24 pixels like the frame after it, found 12x10",
        "fixation/0001.png: expected 32x24 pixels like its density, found 8x8",
        "maps/0003.png: expected a density, found a black image",
    ):
        assert re.search(re.escape(text), faults)


def test_every_is_at_least_one(tmp_path):
    with pytest.raises(InputError, match="data.every=0: expected at least 1"):
        ClipFolder(root=str(layouts.clipfolder(tmp_path)), every=0)

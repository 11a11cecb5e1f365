import numpy as np
import pytest

from tasks.base import Dataset, Info, Sample
from tasks.data.augment import Augment
from tasks.data.clips import Frames, frames, with_frames
from tasks.data.preview import TILE, contact_sheet
from tasks.data.resize import resize_image
from tasks.data.sheet import GAP


def clip(count, size=(20, 30), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3 * count), np.uint8)


def furthest(a, b):
    return np.abs(a.astype(int) - b).max()


class Stills(Dataset):
    name = "stills"
    provides = frozenset({"mask"})
    info = Info()

    def ids(self, split):
        return ["a", "b"]

    def load(self, split, index):
        return Sample("ab"[index], clip(2, seed=index), {"mask": np.ones((20, 30), np.uint8)})

    def manifest(self):
        return "stills"

    def verify(self):
        return []


def test_frames_are_divided_cut_and_repeated():
    three = clip(3)
    newest, middle, oldest = frames(three)
    np.testing.assert_array_equal(np.concatenate([newest, middle, oldest], axis=2), three)
    assert with_frames(three, 3) is three
    np.testing.assert_array_equal(with_frames(three, 2), three[..., :6])
    np.testing.assert_array_equal(with_frames(newest, 3), np.concatenate([newest] * 3, axis=2))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_dataset_gives_as_many_frames_as_a_task_reads(count):
    dataset = Frames(Stills(), count)
    assert dataset.load("train", 1).image.shape == (20, 30, 3 * count)
    assert (dataset.name, dataset.ids("val"), dataset.manifest(), dataset.verify()) == (
        "stills",
        ["a", "b"],
        "stills",
        [],
    )


def test_every_frame_moves_and_changes_colour_alike():
    still = clip(1)
    for seed in range(6):
        augment = Augment((16, 24), (0.75, 1.5), 0.5, 0.4)
        one, _ = augment(Sample("a", still, {}), np.random.default_rng(seed))
        sample = Sample("a", np.concatenate([still] * 3, axis=2), {})
        for frame in frames(augment(sample, np.random.default_rng(seed))[0].image):
            assert furthest(frame, one.image) <= 3


def test_frames_are_resized_one_by_one():
    image = clip(3)
    for size in ((10, 15), (40, 50)):
        small = frames(resize_image(image, size))
        for number, frame in enumerate(frames(image)):
            assert furthest(small[number], resize_image(frame, size)) <= 1  # rounding may differ with the channels


def test_a_preview_shows_every_frame():
    sheet = np.array(contact_sheet(Stills()))
    assert sheet.shape[1] == GAP + 3 * (TILE + GAP), "the frame, the one before, the mask"

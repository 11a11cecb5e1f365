import hashlib

import numpy as np
import pytest

from tasks.data.clips import frames
from tasks.datasets.clips import Clips
from tasks.datasets.rendering import scene as s
from tasks.datasets.rendering.gaze import FAST, density
from tasks.datasets.rendering.motion import Clip, draw_clip
from tasks.datasets.rendering.render import render
from tasks.errors import InputError
from tasks.metrics.fixation import FixationScores, Looks


@pytest.fixture(scope="module")
def clips():
    return Clips(size=64, train=6, val=2, test=2)


def digest(sample):
    seen = sample.annotations["fixations"]
    coarse = np.round(seen.density * 1e7).astype(np.int64)  # a blur's last bits are nobody's business
    parts = [sample.image, coarse, np.round(seen.points).astype(np.int64)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in parts)).hexdigest()


def test_a_sample_is_a_frame_with_the_one_before(clips):
    first, second = clips.load("train", 4), clips.load("train", 5)
    assert (first.id, second.id) == ("train-00001/0", "train-00001/1")
    assert first.image.shape == (64, 64, 6)
    np.testing.assert_array_equal(frames(second.image)[1], frames(first.image)[0])
    assert not np.array_equal(*frames(first.image))
    assert clips.ids("val") == [f"val-0000{clip}/{time}" for clip in (0, 1) for time in range(4)]


def test_a_sample_is_a_function_of_split_index_size_and_length(clips):
    fresh = Clips(size=64, train=2)
    for index in (5, 0, 5):
        assert digest(fresh.load("train", index)) == digest(clips.load("train", index))
    fresh.load("train", 0).image[:] = 0
    assert digest(fresh.load("train", 0)) == digest(clips.load("train", 0))
    others = [clips.load("val", 0), clips.load("test", 0), Clips(size=64, length=5).load("train", 0)]
    assert len({digest(each) for each in [clips.load("train", 0), *others]}) == 4


def test_every_option_changes_the_manifest():
    options = ({}, {"size": 64}, {"train": 9}, {"val": 9}, {"test": 9}, {"length": 3})
    assert len({Clips(**each).manifest() for each in options}) == 6
    assert Clips().manifest() == "3b2b6d90cfaea6e513d475caabaef6a5712f2a6ba89eb5bcf563e3ad58cc5b9b"


def test_nothing_is_wrong_and_what_is_would_be_named():
    small = Clips(size=32, train=1, val=1, test=1, length=1)
    assert small.verify() == []
    small.load("train", 0)
    small._kept["train", 0, 0][1].density[:] = -1
    assert "clips: train sample 0: expected a density of at least 0" in small.verify()[0]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("tasks.datasets.clips.KEPT", 7 * 32**2 * 2)
    few = Clips(size=32)
    for index in range(6):
        few.load("train", index)
    assert len(few._kept) <= 3


@pytest.mark.parametrize("option", [{"size": 16}, {"train": 0}, {"length": 0}])
def test_wrong_options_are_named(option):
    with pytest.raises(InputError, match=f"set data.{next(iter(option))}"):
        Clips(**option)


def test_unknown_splits_and_samples(clips):
    with pytest.raises(InputError, match="unknown split 'tset'; did you mean 'test'"):
        clips.ids("tset")
    with pytest.raises(IndexError, match="no sample 24 in train"):
        clips.load("train", 24)


# Motion.


def still(clip):
    return Clip(clip.scene, 0 * clip.drift, 0 * clip.velocity, clip.length)


@pytest.mark.parametrize("seed", range(3))
def test_without_motion_every_frame_is_the_scene(seed):
    clip = still(draw_clip(np.random.default_rng(seed), 4))
    shown = [render(scene, 48, np.random.default_rng(0)).image for scene in (clip.scene, clip.at(0), clip.at(3))]
    assert all(np.abs(each.astype(int) - shown[0]).mean() < 0.1 for each in shown)
    assert not clip.speeds(1).any()


@pytest.mark.parametrize("seed", range(3))
def test_the_camera_alone_moves_nothing_against_the_ground(seed):
    drawn = draw_clip(np.random.default_rng(seed), 4)
    clip = Clip(drawn.scene, np.array([0.3, 0.2]), 0 * drawn.velocity, 4)
    assert not clip.speeds(1).any()
    first, last = (render(clip.at(time), 64, np.random.default_rng(0)) for time in (0, 3))
    assert not np.array_equal(first.owner, last.owner)


@pytest.mark.parametrize("seed", range(4))
def test_one_to_three_things_move_and_trees_never_do(seed):
    clip = draw_clip(np.random.default_rng(seed), 4)
    moving = np.flatnonzero(clip.velocity.any(axis=0))
    assert 1 <= len(moving) <= 3
    assert np.array_equal(moving, np.flatnonzero(clip.speeds(1)))
    things = clip.scene.things
    assert all(things[index].label not in (s.TREE, s.POLE) for index in moving if index < len(things))


def test_every_solid_can_be_moved():
    for seed in range(6):
        for thing in draw_clip(np.random.default_rng(seed), 4).scene.things:
            for part in thing.parts:
                there = part.solid.moved(1.5, -0.5)
                shift = np.array([[1.5], [0], [-0.5]])
                np.testing.assert_allclose(there.corners(), part.solid.corners() + shift)
                np.testing.assert_allclose(there.outline(), part.solid.outline() + shift)


# Where people look.


def test_one_frame_is_not_enough(clips):
    """The law without motion is the most that a frame can tell: who knows both scores clearly better."""
    knowing, guessing = FixationScores(), FixationScores()
    for index in range(0, 24, 2):
        number, time = divmod(index, 4)
        clip, seen = clips.clip("train", number), clips.load("train", index).annotations["fixations"]
        truth = Looks(str(number), seen.density, seen.points)
        knowing.update(seen.density, truth)
        guessing.update(looked_at(Clip(clip.scene, clip.drift, 0 * clip.velocity, 4), time)[0], truth)
    assert knowing.compute()["nss"] > 1.2 * guessing.compute()["nss"]


def looked_at(clip, time=2, size=64):
    rendering = render(clip.at(time), size, np.random.default_rng(0))
    return density(clip, time, rendering), rendering


@pytest.mark.parametrize("seed", range(4))
def test_motion_draws_the_eye(seed):
    clip = draw_clip(np.random.default_rng(seed), 4)
    with_motion, rendering = looked_at(clip)
    without, _ = looked_at(Clip(clip.scene, clip.drift, 0 * clip.velocity, 4))
    assert with_motion.sum() == pytest.approx(1, abs=1e-4)
    assert (with_motion > 0).all()
    fast = np.flatnonzero(clip.speeds(2) > FAST / 2)
    seen = np.isin(rendering.owner, 1 + fast)
    if seen.mean() > 0.004:
        assert with_motion[seen].sum() > 1.5 * without[seen].sum()


def test_without_motion_the_conspicuous_object_is_looked_at_most():
    clip = still(draw_clip(np.random.default_rng(1), 4))
    spread, rendering = looked_at(clip)
    share = [spread[rendering.owner == 1 + index].sum() for index in range(len(clip.scene.things))]
    assert int(np.argmax(share)) == clip.scene.salient


def test_points_follow_the_density(clips):
    samples = [clips.load("train", index).annotations["fixations"] for index in range(24)]
    at = [seen.density[y, x] for seen in samples for x, y in seen.points.astype(int)]
    assert len(at) == 24 * 14
    assert np.mean(at) > 3 / 64**2  # a uniform choice would give 1

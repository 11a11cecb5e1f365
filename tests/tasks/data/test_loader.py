"""Batches are pure functions of their keys."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.training.randomness import Randomness
from tasks.base import MEAN, STD, Batch, Sample, datasets, tasks
from tasks.data.augment import Augment
from tasks.data.loader import Images, Part, Plan, ordered, stream
from tasks.data.pixels import as_tensor, normalised, stacked
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError
from tests.support import assert_alike

DATASET = Scenes(size=32, train=7, val=3, test=2)
PARTS = (Part("labeled", (0, 2, 4, 6)), Part("unlabeled.0", (1, 3, 5), hidden=True))


def batches(
    start: int = 0, workers: int = 0, parts: tuple[Part, ...] = PARTS, name: str = "seg"
) -> list[dict[str, Batch]]:
    task = tasks[name](DATASET.info)
    dataset = DATASET if task.annotation in DATASET.provides else datasets[task.dataset](size=32, train=7)
    images = Images(dataset, "train", frozenset({task.annotation}))
    augment = Augment((32, 32), (0.75, 1.5), 0.5, 0.2)
    return list(stream(images, task, augment, Randomness(0), Plan(parts, 3, start, 6, workers)))


def same(a: dict[str, Batch], b: dict[str, Batch]) -> bool:
    return all(torch.equal(a[name].image, b[name].image) and torch.equal(a[name].inside, b[name].inside) for name in a)


def test_a_batch_depends_neither_on_the_start_nor_on_workers_nor_on_other_parts() -> None:
    whole = batches()
    for start in (1, 5):
        assert all(same(a, b) for a, b in zip(batches(start), whole[start:], strict=True))
    assert all(same(a, b) for a, b in zip(batches(workers=2), whole, strict=True))
    assert all(same(a, b) for a, b in zip(batches(parts=PARTS[:1]), whole, strict=True))


def test_every_epoch_shows_every_image_once() -> None:
    seen: list[str] = []

    class Spy(Images):
        def __getitem__(self, index: int):
            seen.append(index)
            return super().__getitem__(index)

    task = tasks["seg"](DATASET.info)
    images, augment = Spy(DATASET, "train", frozenset({"classes"})), Augment((32, 32), (1.0, 1.0), 0.0, 0.0)
    list(stream(images, task, augment, Randomness(0), Plan([Part("labeled", (0, 2, 4, 6))], 2, 0, 6)))
    epochs = [seen[0:4], seen[4:8], seen[8:12]]
    assert all(sorted(epoch) == [0, 2, 4, 6] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_hidden_targets_are_absent_and_padding_lies_outside() -> None:
    first = batches()[0]
    assert first["unlabeled.0"].target is None
    labeled = first["labeled"]
    assert not labeled.inside.all(), "images that were zoomed out are padded"


@pytest.mark.parametrize("name", sorted(tasks))
def test_every_task_collates(name: str) -> None:
    labeled = batches(name=name)[0]["labeled"]
    assert labeled.image.shape == (3, 3 * tasks[name](DATASET.info).frames, 32, 32)
    assert labeled.inside.shape == (3, 32, 32)


def test_a_pass_over_a_split_keeps_order_and_originals() -> None:
    groups = list(ordered(DATASET, "val", 16, 2))
    assert [len(samples) for _, samples in groups] == [2, 1]
    assert [sample.id for _, samples in groups for sample in samples] == list(DATASET.ids("val"))
    assert groups[0][0].shape == (2, 3, 16, 16)
    assert groups[0][1][0].image.shape == (32, 32, 3)


def test_images_are_normalised_by_imagenet() -> None:
    image = np.full((2, 2, 3), 255, np.uint8)
    expected = (1 - torch.tensor(MEAN)) / torch.tensor(STD)
    assert_alike(normalised(stacked([as_tensor(image)]))[0, :, 0, 0], expected)


def test_the_frames_of_a_clip_are_normalised_alike() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
    whole, first, second = (
        normalised(stacked([as_tensor(np.ascontiguousarray(each))])) for each in (clip, clip[..., :3], clip[..., 3:])
    )
    assert torch.equal(whole, torch.cat([first, second], dim=1))


def test_normalised_images_are_the_same_whatever_lies_beside_them() -> None:
    images = [np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8) for seed in range(5)]
    together = normalised(stacked([as_tensor(each) for each in images]))
    for image, found in zip(images, together, strict=True):
        assert torch.equal(normalised(stacked([as_tensor(image)]))[0], found)
    assert torch.equal(normalised(together), together), "floats are left as they are"


@pytest.mark.parametrize("workers", [0, 1])
def test_bad_data_is_told_in_its_own_words_whichever_process_meets_it(workers: int) -> None:
    class Bad(Scenes):
        def load(self, split: str, index: int) -> Sample:
            if index == 2:
                raise InputError("2.png: expected an image")
            return super().load(split, index)

    task = tasks["seg"](Scenes().info)
    images = Images(Bad(size=64, train=4, val=1, test=1), "train", frozenset({"classes"}))
    plan = Plan([Part("labeled", range(4))], 2, 0, 2, workers)
    with pytest.raises(InputError, match=r"^2\.png: expected an image$"):
        list(stream(images, task, Augment((64, 64), (1, 1), 0, 0), Randomness(0), plan))

"""A teacher is trusted inside the image, labels or no labels: they are two masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.training.randomness import Randomness
from tasks.base import IGNORE, Batch, Prediction, Sample, tasks
from tasks.data.augment import Augment
from tasks.data.loader import Images, Part, Plan, stream
from tasks.datasets.scenes import Scenes

SIDE, STRIDE = 32, 4


class Sparse(Scenes):
    """Depth is measured at 16 % of the pixels or on every eighth line, the left half has no class."""

    def __init__(self, lines: bool) -> None:
        super().__init__(size=SIDE, train=4)
        self.lines = lines

    def load(self, split: str, index: int) -> Sample:
        sample = super().load(split, index)
        depth, classes = sample.annotations["depth"].copy(), sample.annotations["classes"].copy()
        if self.lines:
            depth[np.arange(SIDE) % 8 != 0] = 0
        else:
            depth[np.random.default_rng(index).random(depth.shape) >= 0.16] = 0
        classes[:, : SIDE // 2] = IGNORE
        return replace(sample, annotations=sample.annotations | {"depth": depth, "classes": classes})


def first_batch(name: str, lines: bool, zoom: float = 1.0) -> Batch:
    task = tasks[name](Scenes.info)
    images = Images(Sparse(lines), "train", frozenset({task.annotation}))
    augment = Augment((SIDE, SIDE), (zoom, zoom), 0.0, 0.0)
    (batches,) = stream(images, task, augment, Randomness(0), Plan([Part("labeled", (0, 1, 2, 3))], 4, 0, 1))
    return batches["labeled"]


def predicted(batch: Batch, channels: int, seed: int) -> Prediction:
    maps = torch.randn(4, channels, SIDE // STRIDE, SIDE // STRIDE, generator=torch.Generator().manual_seed(seed))
    return Prediction((maps,), {}, {}, (), torch.zeros(4, 1), (SIDE, SIDE), batch.inside)


@pytest.mark.parametrize("lines", [False, True], ids=["16 %", "scan lines"])
@pytest.mark.parametrize("name", ["depth", "seg"])
def test_every_position_learns_of_the_teacher_where_labels_are_sparse(name: str, lines: bool) -> None:
    batch, output = first_batch(name, lines), tasks[name](Scenes.info).output
    assert batch.inside.all()
    assert output.labeled(batch.target, (SIDE, SIDE)).float().mean() < 0.6
    student, teacher = (predicted(batch, output.channels, seed) for seed in (0, 1))
    student.maps[0].requires_grad_()
    loss = output.divergence(student, teacher)
    (gradient,) = torch.autograd.grad(loss, student.maps[0])
    assert loss > 0.1
    assert (gradient.abs().amax(dim=1) > 0).all()
    assert torch.equal(output.summary(student), output.summary(replace(student, inside=None)))
    assert output.labeled(output.hard_targets(replace(teacher, maps=(0 * teacher.maps[0],))), (SIDE, SIDE)).all()


def test_the_task_loss_counts_where_the_truth_is_known_alone() -> None:
    batch, output = first_batch("depth", lines=True), tasks["depth"](Scenes.info).output
    maps = torch.zeros(4, 1, SIDE, SIDE, requires_grad=True)
    (gradient,) = torch.autograd.grad(output.supervised((maps,), batch.target), maps)
    assert torch.equal(gradient[:, 0] != 0, output.labeled(batch.target, (SIDE, SIDE)))


def test_padding_teaches_nothing() -> None:
    batch, output = first_batch("depth", lines=False, zoom=0.5), tasks["depth"](Scenes.info).output
    assert batch.inside.float().mean() == 0.25
    student, teacher = (predicted(batch, 1, seed) for seed in (0, 1))
    student.maps[0].requires_grad_()
    (gradient,) = torch.autograd.grad(output.divergence(student, teacher), student.maps[0])
    assert (gradient[:, 0] != 0).float().mean() == 0.25

"""From samples to batches: endless training streams and one pass over a split, both pure functions of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from tasks.base import MEAN, STD, Batch, Dataset, Draws, Sample, Task
from tasks.data.augment import Augment
from tasks.data.resize import resize_image, resize_sample, target_size

_SCALE = (1 / (255 * np.array(STD))).astype(np.float32)
_SHIFT = (-np.array(MEAN) / np.array(STD)).astype(np.float32)


def to_tensor(image: np.ndarray) -> torch.Tensor:
    """Turn uint8 RGB (H,W,3) into float32 (3,H,W), normalised by ImageNet's mean and deviation."""
    return torch.from_numpy((image * _SCALE + _SHIFT).transpose(2, 0, 1).copy())


@dataclass
class Images:
    """The images of one split that a stream draws from, at the size that the network sees.

    Args:
        dataset: where they come from.
        split: which split.
        size: see ``tasks.data.resize.target_size``.
        cache: keep decoded, resized samples in memory.
    """

    dataset: Dataset
    split: str
    kinds: frozenset[str]
    size: int | Sequence[int] | None = None
    cache: bool = True

    def __post_init__(self) -> None:
        self._kept: dict[int, Sample] = {}

    def __getitem__(self, index: int) -> Sample:
        sample = self._kept.get(index)
        if sample is None:
            sample = self.dataset.load(self.split, index)
            sample = Sample(sample.id, sample.image, {k: v for k, v in sample.annotations.items() if k in self.kinds})
            sample = resize_sample(sample, target_size(sample.image, self.size))
            if self.cache:
                self._kept[index] = sample
        return sample


class _Positions(TorchDataset):
    """Maps (position in the stream, index of the image) to one augmented sample, as tensors."""

    def __init__(self, images: Images, task: Task, augment: Augment, draws: Draws, name: str) -> None:
        self.images, self.task, self.augment, self.draws, self.name = images, task, augment, draws, name

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, Any, torch.Tensor]:
        position, index = key
        sample, inside = self.augment(self.images[index], self.draws.numpy(f"augment {self.name}", position))
        return to_tensor(sample.image), self.task.target(sample), torch.from_numpy(inside)


@dataclass
class _Order:
    """Which (position, index) each batch holds: every epoch is a fresh permutation keyed by its number."""

    indices: Sequence[int]
    batch: int
    start: int
    stop: int
    draws: Draws
    name: str

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        count, epoch, order = len(self.indices), -1, np.empty(0, np.int64)
        for step in range(self.start, self.stop):
            keys = []
            for position in range(step * self.batch, (step + 1) * self.batch):
                if position // count != epoch:
                    epoch = position // count
                    order = self.draws.numpy(f"order {self.name}", epoch).permutation(count)
                keys.append((position, self.indices[order[position % count]]))
            yield keys

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass
class _Collate:
    """Joins samples into a Batch; the valid positions are those inside the image that carry supervision."""

    task: Task
    name: str
    hidden: bool

    def __call__(self, samples: list[tuple[torch.Tensor, Any, torch.Tensor]]) -> Batch:
        images, targets, inside = zip(*samples, strict=True)
        image, valid = torch.stack(images), torch.stack(inside)
        if self.hidden:
            return Batch(self.name, image, None, valid)
        target = self.task.collate(targets)
        size = (image.shape[-2], image.shape[-1])
        return Batch(self.name, image, target, valid & self.task.output.valid(target, size))


def stream(
    images: Images,
    indices: Sequence[int],
    task: Task,
    augment: Augment,
    draws: Draws,
    *,
    name: str,
    batch: int,
    start: int,
    stop: int,
    workers: int = 0,
    hidden: bool = False,
    pin: bool = False,
) -> Iterator[Batch]:
    """Yield the batches of steps ``start`` to ``stop``; batch t is the same whatever ``start`` and ``workers`` are.

    Args:
        images: what to draw from.
        indices: which of them belong to the stream.
        task: makes and joins targets.
        augment: applied to every sample, keyed by its position in the stream.
        draws: the keyed generators.
        name: name of the batches and of the purpose of the draws.
        batch: images a batch.
        start: first step.
        stop: step after the last.
        workers: loader processes, 0 for none.
        hidden: leave the targets out (unlabeled images).
        pin: put batches into pinned memory.
    """
    loader = DataLoader(
        _Positions(images, task, augment, draws, name),
        batch_sampler=_Order(indices, batch, start, stop, draws, name),
        collate_fn=_Collate(task, name, hidden),
        num_workers=workers,
        pin_memory=pin,
    )
    return iter(loader)


def ordered(
    dataset: Dataset, split: str, size: int | Sequence[int] | None, batch: int, indices: Sequence[int] | None = None
) -> Iterator[tuple[torch.Tensor, list[Sample]]]:
    """Yield a split once, in order: images at the network's size (N,3,H,W) and the untouched samples.

    Neighbours of one size share a batch, up to ``batch`` images; ``indices`` selects some images.
    """
    group: list[tuple[np.ndarray, Sample]] = []
    for index in range(len(dataset.ids(split))) if indices is None else indices:
        sample = dataset.load(split, index)
        image = resize_image(sample.image, target_size(sample.image, size))
        if group and (len(group) == batch or group[0][0].shape != image.shape):
            yield _join(group)
            group = []
        group.append((image, sample))
    if group:
        yield _join(group)


def _join(group: list[tuple[np.ndarray, Sample]]) -> tuple[torch.Tensor, list[Sample]]:
    return torch.stack([to_tensor(image) for image, _ in group]), [sample for _, sample in group]

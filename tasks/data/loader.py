"""From samples to batches: training streams that are pure functions of their keys, and one pass over a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from tasks.base import Batch, Dataset, Draws, Sample, Task
from tasks.data.augment import Augment
from tasks.data.passed_on import caught, raised
from tasks.data.pixels import as_tensor, stacked
from tasks.data.resize import resize_image, resize_sample, target_size
from tasks.errors import InputError


@dataclass
class Images:
    """The images of one split that a stream draws from, at the size that the network sees.

    Args:
        dataset: where they come from.
        split: which split.
        kinds: the annotations to keep.
        size: see ``tasks.data.resize.target_size``.
    """

    dataset: Dataset
    split: str
    kinds: frozenset[str]
    size: int | Sequence[int] | None = None

    def __getitem__(self, index: int) -> Sample:
        sample = self.dataset.load(self.split, index)
        sample = Sample(sample.id, sample.image, {k: v for k, v in sample.annotations.items() if k in self.kinds})
        return resize_sample(sample, target_size(sample.image, self.size))


@dataclass(frozen=True)
class Part:
    """One stream within a step: which images it shuffles, and whether their labels are hidden."""

    name: str
    indices: Sequence[int]
    hidden: bool = False


@dataclass(frozen=True)
class Plan:
    """Which batches a stream yields, and how they are loaded.

    Args:
        parts: the streams.
        batch: images a batch.
        start: first step.
        stop: step after the last.
        workers: loader processes, 0 for none.
        pin: put batches into page-locked memory.
        rank: which of ``ranks`` equal parts of each batch is loaded, for a process that shares it with others.
        ranks: number of parts.
    """

    parts: Sequence[Part]
    batch: int
    start: int
    stop: int
    workers: int = 0
    pin: bool = False
    rank: int = 0
    ranks: int = 1


Key = tuple[int, int, int]  # part, position in its stream, index of the image
Item = tuple[int, torch.Tensor, Any, torch.Tensor]  # part, image, target, inside


def generator_of(draws: Draws, part: Part, position: int) -> np.random.Generator:
    """Return the generator that says how the sample at a position of a stream is augmented, wherever it is."""
    return draws.numpy(f"augment {part.name}", position)


class _Samples(TorchDataset):
    """Maps a key to one augmented sample, as tensors."""

    def __init__(self, images: Images, task: Task, augment: Augment, draws: Draws, parts: Sequence[Part]) -> None:
        self.images, self.task, self.augment, self.draws, self.parts = images, task, augment, draws, parts

    def __getitem__(self, key: Key) -> Item | InputError:
        return caught(lambda: self._item(*key))

    def _item(self, number: int, position: int, index: int) -> Item:
        part, sample = self.parts[number], self.images[index]
        if part.hidden:
            sample = Sample(sample.id, sample.image, {})
        sample, inside = self.augment(sample, generator_of(self.draws, part, position))
        target = None if part.hidden else self.task.target(sample)
        return number, as_tensor(sample.image), target, torch.from_numpy(inside)


class Order:
    """The keys of every step: each part runs through fresh permutations of its images, keyed by the epoch."""

    def __init__(self, plan: Plan, draws: Draws) -> None:
        self.plan, self.draws = plan, draws

    def __iter__(self) -> Iterator[list[Key]]:
        orders: dict[tuple[int, int], np.ndarray] = {}
        for step in range(self.plan.start, self.plan.stop):
            share = self.plan.batch // self.plan.ranks
            first = step * self.plan.batch + self.plan.rank * share
            positions = range(first, first + share)
            yield [
                (number, position, self._index(orders, number, part, position))
                for number, part in enumerate(self.plan.parts)
                for position in positions
            ]

    def _index(self, orders: dict[tuple[int, int], np.ndarray], number: int, part: Part, position: int) -> int:
        epoch, place = divmod(position, len(part.indices))
        if (number, epoch) not in orders:
            orders.pop((number, epoch - 2), None)
            orders[number, epoch] = self.draws.numpy(f"order {part.name}", epoch).permutation(len(part.indices))
        return part.indices[orders[number, epoch][place]]

    def __len__(self) -> int:
        return self.plan.stop - self.plan.start


class _Collate:
    """Joins samples into a batch a part."""

    def __init__(self, task: Task, parts: Sequence[Part]) -> None:
        self.task, self.parts = task, parts

    def __call__(self, items: list[Item | InputError]) -> dict[str, Batch] | InputError:
        whole = [item for item in items if not isinstance(item, InputError)]
        if len(whole) < len(items):
            return next(item for item in items if isinstance(item, InputError))
        return {
            part.name: self._join(part, [item[1:] for item in whole if item[0] == number])
            for number, part in enumerate(self.parts)
        }

    def _join(self, part: Part, samples: list[tuple[torch.Tensor, Any, torch.Tensor]]) -> Batch:
        images, targets, inside = zip(*samples, strict=True)
        target = None if part.hidden else self.task.collate(targets)
        return Batch(part.name, stacked(list(images)), target, torch.stack(inside))


def stream(images: Images, task: Task, augment: Augment, draws: Draws, plan: Plan) -> Iterator[dict[str, Batch]]:
    """Yield the batches of every step of a plan, one a part.

    Those of a step are the same whatever the plan's start, workers and other parts are.

    Args:
        images: what to draw from.
        task: makes and joins targets.
        augment: applied to every sample, keyed by its position in the stream.
        draws: the keyed generators.
        plan: which batches.

    Raises InputError for bad data met on the way, in whichever process.
    """
    loader = DataLoader(
        _Samples(images, task, augment, draws, plan.parts),
        batch_sampler=Order(plan, draws),
        collate_fn=_Collate(task, plan.parts),
        num_workers=plan.workers,
        pin_memory=plan.pin,
    )
    return raised(loader)


def ordered(
    dataset: Dataset, split: str, size: int | Sequence[int] | None, batch: int, indices: Sequence[int] | None = None
) -> Iterator[tuple[torch.Tensor, list[Sample]]]:
    """Yield a split once, in order: images at the network's size, uint8 (N,3T,H,W), and the untouched samples.

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
    return stacked([as_tensor(image) for image, _ in group]), [sample for _, sample in group]

"""Scoring a network on a split, at ground-truth resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import nn

from benchmark.training.step import predict
from tasks.base import Batch, Dataset, Task
from tasks.data.loader import ordered


@dataclass(frozen=True)
class Evaluation:
    """What a network scores on a split."""

    split: str
    n: int
    scores: dict[str, float]
    per_class: dict[str, float]


def evaluate(
    network: nn.Module,
    task: Task,
    dataset: Dataset,
    split: str,
    *,
    size: int | Sequence[int] | None,
    batch: int,
    fabric: Fabric,
) -> Evaluation:
    """Score a network on every image of a split; the network is left in eval mode."""
    network.eval()
    metric = task.metric()
    count = 0
    with torch.no_grad():
        for images, samples in ordered(dataset, split, size, batch):
            moved: Batch = fabric.to_device(Batch.whole(split, images))
            prediction = predict(network, moved, fabric)
            for index, sample in enumerate(samples):
                metric.update(task.decode(prediction, index, task.truth_size(sample)), task.truth(sample))
            count += len(samples)
    return Evaluation(split, count, metric.compute(), metric.per_class())

"""Scoring a network on a split, at ground-truth resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import nn

from benchmark.config.schema import EvaluationConfig
from benchmark.training.step import arrived
from benchmark.training.views import look
from tasks.base import Batch, Dataset, Task
from tasks.data.loader import ordered


@dataclass(frozen=True)
class Evaluation:
    """What a network scores on a split."""

    split: str
    n: int
    scores: dict[str, float]
    per_class: dict[str, float]
    images: tuple[float, ...] = ()  # the pseudo-value of one score, an image of the split in its order


def evaluate(
    network: nn.Module,
    task: Task,
    dataset: Dataset,
    split: str,
    *,
    size: int | Sequence[int] | None,
    how: EvaluationConfig,
    fabric: Fabric,
    per_image: str | None = None,
) -> Evaluation:
    """Score a network on every image of a split, seen as ``how`` says; the network is left in eval mode.

    ``per_image`` names the score whose pseudo-values are kept, one an image; None keeps none.
    """
    network.eval()
    parts = []
    with torch.no_grad():
        for images, samples in ordered(dataset, split, size, how.batch):
            prediction = look(network, arrived(Batch.whole(split, images), fabric), task.output, how, fabric)
            decoded = task.decode_batch(prediction, [task.truth_size(sample) for sample in samples])
            for answer, sample in zip(decoded, samples, strict=True):
                part = task.metric()
                part.update(answer, task.truth(sample))
                parts.append(part)
    metric = task.metric()
    for part in parts:
        metric.merge(part)
    pseudo_values = [] if per_image is None else task.metric().pseudo_values(parts, per_image)
    return Evaluation(split, len(parts), metric.compute(), metric.per_class(), tuple(pseudo_values))

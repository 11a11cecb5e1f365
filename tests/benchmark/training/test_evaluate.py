from __future__ import annotations

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from benchmark.config.schema import EvaluationConfig
from benchmark.training.evaluate import evaluate
from tasks.base import Dataset, Info, Prediction, Sample, tasks
from tests.support import ROUNDING

FABRIC = Fabric(accelerator="cpu", devices=1)


class Odd(Dataset):
    """Images of different sizes, whose masks have sizes of their own."""

    name = title = "odd"
    provides = frozenset({"mask"})
    info = Info()
    images = ((32, 48), (32, 48), (64, 40))
    masks = ((16, 24), (32, 48), (50, 70))

    def ids(self, split: str) -> list[str]:
        return ["a", "b", "c"]

    def load(self, split: str, index: int) -> Sample:
        height, width = self.masks[index]
        mask = np.zeros((height, width), np.uint8)
        mask[:, width // 2 :] = 1
        image = np.zeros((*self.images[index], 3), np.uint8)
        image[:, self.images[index][1] // 2 :] = 255
        return Sample(self.ids(split)[index], image, {"mask": mask})

    def manifest(self) -> str:
        return "odd"

    def verify(self) -> list[str]:
        return []


class Bright(nn.Module):
    """Finds what is bright."""

    def forward(self, image: torch.Tensor) -> Prediction:
        maps = image.mean(dim=1, keepdim=True) * 10
        return Prediction((maps,), {}, {}, (), maps.flatten(1), (image.shape[-2], image.shape[-1]))


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("size", [None, 32])
def test_scores_are_taken_at_the_size_of_the_truth_whatever_the_batch(batch: int, size: int | None) -> None:
    task = tasks["saliency"](Info())
    found = evaluate(Bright(), task, Odd(), "test", size=size, how=EvaluationConfig(batch=batch), fabric=FABRIC)
    assert found.n == 3
    assert found.scores["mae"] < 0.05
    one_by_one = evaluate(Bright(), task, Odd(), "test", size=size, how=EvaluationConfig(batch=1), fabric=FABRIC)
    assert found.scores == pytest.approx(one_by_one.scores, abs=ROUNDING)

"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from tasks.annotations.classes import draw_classes
from tasks.base import Info, Margin, NetworkSpec, Prediction, Sample, tasks
from tasks.dense import DenseTask
from tasks.metrics.segmentation import ConfusionMatrix
from tasks.networks import presets
from tasks.networks.encoder_decoder import build
from tasks.outputs.categorical import Categorical
from tasks.resizing import resize
from tasks.trivial import Trivial, by_position, constant, gridded


@tasks.register("seg")
class Segmentation(DenseTask):
    """A class for every pixel, scored by the mean intersection over union of the whole split.

    Args:
        info: classes and palette of the dataset.
        loss: cross-entropy (``ce``) or that of the hard positions alone (``ohem``).
    """

    title = "semantic segmentation"
    annotation = "classes"
    metrics = {"miou": True, "pixel_acc": True, "class_acc": True, "fwiou": True, "dice": True}
    student = presets.STUDENT
    teachers = presets.TEACHERS
    recipe = {"steps": 160, "batch": 8}
    teacher_recipe = {"steps": 800}
    margin = Margin(0.04)

    def __init__(self, info: Info, *, loss: Literal["ce", "ohem"] = "ce") -> None:
        super().__init__(info)
        self.output = Categorical(len(info.classes), loss=loss)

    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build an encoder-decoder with one map a class."""
        return build(spec, self.output.channels)

    def metric(self) -> ConfusionMatrix:
        """Return an empty confusion matrix."""
        return ConfusionMatrix(self.info.classes)

    def target(self, sample: Sample) -> Tensor:
        """Class labels, uint8 (H,W)."""
        return torch.from_numpy(np.array(sample.annotations[self.annotation]))

    def targets(self, values: Tensor) -> Tensor:
        """Class labels, uint8 (N,H,W)."""
        return values

    def field(self, prediction: Prediction, size: tuple[int, int]) -> Tensor:
        """The most likely class at ``size``: logits are resized (bilinear), then compared."""
        return resize(prediction.maps[0], size).max(dim=1).indices.to(torch.uint8)

    def trivial(self, samples: Iterable[Sample]) -> dict[str, Trivial]:
        """The most frequent class, of all positions and of each."""
        cells = gridded(sample.annotations[self.annotation] for sample in samples)
        counts = np.stack([(cells == label).sum(axis=0) for label in range(self.output.channels)])
        total = counts.sum(axis=(1, 2))
        likely = np.where(counts.any(axis=0), counts.argmax(axis=0), total.argmax()).astype(np.uint8)
        return {
            "most frequent class": constant(int(total.argmax()), np.uint8),
            "most frequent class a position": by_position(likely, smooth=False),
        }

    def picture(self, decoded: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Classes in the colours of the dataset's palette."""
        return draw_classes(decoded, self.info.palette)

"""Tasks whose prediction is a value a pixel: they are decoded a batch at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tasks.base import Prediction, Task


class DenseTask(Task):
    """A task that decodes predictions into maps of numbers."""

    @abstractmethod
    def field(self, prediction: Prediction, size: tuple[int, int]) -> Tensor:
        """Turn a prediction into what the metric reads, (N,H,W) at ``size`` (H,W), on the device."""

    def decode(self, prediction: Prediction, index: int, size: tuple[int, int]) -> np.ndarray:
        """Turn one image of a prediction into an array (H,W) at ``size``."""
        return self.decode_batch(prediction.select(slice(index, index + 1)), [size])[0]

    def decode_batch(self, prediction: Prediction, sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        """Decode every image at its size; those of one size come from the device in one copy."""
        decoded: dict[int, np.ndarray] = {}
        for size in dict.fromkeys(sizes):
            rows = [row for row, each in enumerate(sizes) if each == size]
            chosen = prediction if len(rows) == len(sizes) else prediction.select(torch.tensor(rows))
            decoded |= zip(rows, self.field(chosen, size).cpu().numpy(), strict=True)
        return [decoded[row] for row in range(len(sizes))]

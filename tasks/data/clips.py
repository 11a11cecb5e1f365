"""Clips: images of 3T channels, the newest frame first; a still image is a clip of one frame."""

from __future__ import annotations

import numpy as np

from tasks.base import Dataset, Sample
from tasks.data.wrapped import Wrapped


def frames(image: np.ndarray) -> list[np.ndarray]:
    """Divide a clip, uint8 (H,W,3T), into its frames (H,W,3), the newest first."""
    return [image[..., start : start + 3] for start in range(0, image.shape[2], 3)]


def with_frames(image: np.ndarray, count: int) -> np.ndarray:
    """Bring a clip to ``count`` frames, uint8 (H,W,3*count): the oldest are left out, or the oldest one is repeated."""
    there = frames(image)[:count]
    return image if len(there) * 3 == image.shape[2] == 3 * count else _join(there, count)


def _join(there: list[np.ndarray], count: int) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate([*there, *[there[-1]] * (count - len(there))], axis=2))


class Frames(Wrapped):
    """A dataset whose images have as many frames as a task reads: a still image is a clip in which nothing moves.

    Args:
        whole: the dataset.
        count: frames of an image.
    """

    def __init__(self, whole: Dataset, count: int) -> None:
        super().__init__(whole)
        self._count = count

    def load(self, split: str, index: int) -> Sample:
        """Read a sample, its image (H,W,3*count)."""
        sample = super().load(split, index)
        return Sample(sample.id, with_frames(sample.image, self._count), sample.annotations)

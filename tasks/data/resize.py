"""Samples at the size that a network sees."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tasks.annotations.kind import kind_of
from tasks.base import Sample
from tasks.data.clips import frames


def target_size(image: np.ndarray, size: int | Sequence[int] | None) -> tuple[int, int]:
    """Say to which (H,W) an image goes: an int is the shorter side, a pair is exact, None leaves it as it is."""
    height, width = image.shape[:2]
    if size is None:
        return height, width
    if isinstance(size, int):
        ratio = size / min(height, width)
        return max(1, round(height * ratio)), max(1, round(width * ratio))
    return int(size[0]), int(size[1])


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a clip, uint8 (H,W,3T), to (H,W): area when it shrinks, bilinear when it grows."""
    if image.shape[:2] == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = [cv2.resize(frame, (size[1], size[0]), interpolation=how) for frame in frames(image)]
    return np.concatenate(resized, axis=2)  # a frame at a time: OpenCV averages areas of up to four channels


def resize_sample(sample: Sample, size: tuple[int, int]) -> Sample:
    """Resize an image, and all its annotations as their kinds say."""
    image_size = sample.image.shape[0], sample.image.shape[1]
    annotations = {name: kind_of(name).resize(value, image_size, size) for name, value in sample.annotations.items()}
    return Sample(sample.id, resize_image(sample.image, size), annotations)

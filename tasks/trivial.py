"""Predictors that look at no image: what anybody could say who knows the labels of the training images alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

Trivial = Callable[[tuple[int, int]], Any]  # size (H,W) of the truth -> what the metric of the task reads
GRID = 32  # cells along each side of a prior over positions


def constant(value: float, kind: type[np.generic] = np.float32) -> Trivial:
    """Predict one value at every position.

    Examples:
        >>> from tasks.trivial import constant
        >>> constant(2.0)((1, 3)).tolist()
        [[2.0, 2.0, 2.0]]
    """
    return lambda size: np.full(size, value, dtype=kind)


def by_position(cells: np.ndarray, smooth: bool = True) -> Trivial:
    """Predict what cells (h,w) of equal shares of the image hold, resized: bilinear, or nearest for labels."""
    how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    return lambda size: cv2.resize(cells, (size[1], size[0]), interpolation=how)


def gridded(maps: Iterable[np.ndarray], smooth: bool = False) -> np.ndarray:
    """Bring maps (H,W) of any size to cells and stack them, (N,32,32): values at their centres, or means over them."""
    how = cv2.INTER_AREA if smooth else cv2.INTER_NEAREST
    return np.stack([cv2.resize(each, (GRID, GRID), interpolation=how) for each in maps])

"""Means over images that do not depend on the order in which the images came."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from tasks.base import Metric


def mean_of_defined(values: np.ndarray) -> float:
    """Return the mean of the entries that are not NaN; NaN where there is none.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.per_image import mean_of_defined
        >>> mean_of_defined(np.array([1.0, np.nan, 3.0]))
        2.0
    """
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else math.nan


class PerImage(Metric):
    """Keeps one row of float64 numbers an image; sums are rounded once, so neither order nor processes matter.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.per_image import PerImage
        >>> PerImage.mean(np.array([1e16, 1.0, -1e16]) * 3)  # a plain sum would lose the one in the middle
        1.0
    """

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []

    def merge(self, other: Self) -> None:
        """Add the rows of another metric."""
        self.rows.extend(other.rows)

    def columns(self) -> np.ndarray:
        """Return all rows as (images, numbers)."""
        return np.asarray(self.rows, dtype=np.float64)

    @staticmethod
    def mean(values: np.ndarray) -> float:
        """Return the correctly rounded mean of one number an image; NaN where there is no image."""
        return math.fsum(values) / len(values) if len(values) else math.nan

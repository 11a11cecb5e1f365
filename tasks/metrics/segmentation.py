"""Scores of semantic segmentation, all from one confusion matrix over the whole set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from tasks.base import IGNORE, Metric
from tasks.errors import InputError
from tasks.metrics.per_image import mean_of_defined


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide counts; a class without any count is undefined, NaN."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


class ConfusionMatrix(Metric):
    """IoU, accuracy and Dice of label maps, as cityscapesscripts and mmsegmentation define them.

    With C the counts (rows truth, columns prediction), row_k and col_k its sums:
    IoU_k = C_kk / (row_k + col_k - C_kk), accuracy_k = C_kk / row_k, Dice_k = 2 C_kk / (row_k + col_k),
    fwIoU = sum_k row_k / total * IoU_k. A class that is neither in the truth nor predicted is left out of a mean; one
    that is predicted but never true counts with IoU 0.

    Args:
        classes: names in the order of the labels.
        ignore: label of pixels that do not count.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.segmentation import ConfusionMatrix
        >>> matrix = ConfusionMatrix(["sky", "road"])
        >>> matrix.update(np.array([[0, 1, 1, 1]]), np.array([[0, 0, 1, 255]]))
        >>> matrix.compute()["miou"]
        0.5
    """

    def __init__(self, classes: Sequence[str], ignore: int = IGNORE) -> None:
        self.classes = tuple(classes)
        self.ignore = ignore
        self.counts = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)

    def update(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """Count one image; both (H,W) of integers. Raises InputError where a label of the truth has no class."""
        if prediction.shape != truth.shape:
            raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in size")
        k = len(self.classes)
        kept = truth != self.ignore
        rows, columns = truth[kept].astype(np.int64), prediction[kept].astype(np.int64)
        if rows.size and not 0 <= rows.min() <= rows.max() < k:
            wrong = rows[(rows < 0) | (rows >= k)][0]
            raise InputError(
                f"label {wrong} in the ground truth: expected 0 to {k - 1}, or {self.ignore} to ignore a pixel; "
                "map it in the dataset adapter"
            )
        if columns.size and not 0 <= columns.min() <= columns.max() < k:
            raise ValueError(f"a predicted label lies outside 0 to {k - 1}")
        self.counts += np.bincount(rows * k + columns, minlength=k * k).reshape(k, k)

    def merge(self, other: Self) -> None:
        """Add the counts of another matrix over the same classes."""
        self.counts += other.counts

    def iou(self) -> np.ndarray:
        """Return the intersection over union a class, NaN where undefined."""
        hits = np.diag(self.counts)
        return _ratio(hits, self.counts.sum(0) + self.counts.sum(1) - hits)

    def score(self, name: str) -> float:
        """Return one score, the mean IoU without the others."""
        return mean_of_defined(self.iou()) if name == "miou" else super().score(name)

    def compute(self) -> dict[str, float]:
        """Return ``miou``, ``pixel_acc``, ``class_acc``, ``fwiou`` and ``dice`` as fractions; NaN without any pixel."""
        hits, rows, columns = np.diag(self.counts), self.counts.sum(1), self.counts.sum(0)
        iou, total = self.iou(), rows.sum()
        share = rows / total if total else np.full(len(rows), np.nan)
        return {
            "miou": mean_of_defined(iou),
            "pixel_acc": float(hits.sum() / total) if total else float("nan"),
            "class_acc": mean_of_defined(_ratio(hits, rows)),
            "fwiou": float(np.sum(share * np.where(rows > 0, iou, 0.0))),
            "dice": mean_of_defined(_ratio(2 * hits, rows + columns)),
        }

    def per_class(self) -> dict[str, float]:
        """Return the IoU a class, NaN where it is neither true nor predicted."""
        return dict(zip(self.classes, self.iou().tolist(), strict=True))

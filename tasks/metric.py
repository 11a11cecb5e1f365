"""The contract of a metric: scores of a split, fed image by image, and what each image contributes to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Self


class Metric(ABC):
    """Scores of a data split: fed image by image, in any order; state is additive.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.segmentation import ConfusionMatrix
        >>> first, second = ConfusionMatrix(["sky", "road"]), ConfusionMatrix(["sky", "road"])
        >>> first.update(np.array([[0, 1]]), np.array([[0, 1]]))
        >>> second.update(np.array([[1, 1]]), np.array([[0, 1]]))
        >>> first.merge(second)
        >>> first.compute()["pixel_acc"]
        0.75
    """

    @abstractmethod
    def update(self, prediction: Any, truth: Any) -> None:
        """Add one image: the task's decoded prediction and the annotation it is held against."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Add what another metric of the same kind was fed, for example in another process."""

    @abstractmethod
    def compute(self) -> dict[str, float]:
        """Return every score by name; a score that is undefined is NaN."""

    def per_class(self) -> dict[str, float]:
        """Return the primary metric a class, where that has a meaning."""
        return {}

    def score(self, name: str) -> float:
        """Return one score; a metric that finds it without all others overrides this."""
        return self.compute()[name]

    def leave_one_out(self, parts: Sequence[Self], name: str) -> list[float]:
        """Return a score without each image in turn: of all parts but the first, all but the second, and so on.

        ``self`` is empty, each of ``parts`` was fed one image. Halves are merged with what lies outside of them, so n
        parts take 2 n log n merges. A metric that has a faster way overrides this.
        """
        empty = deepcopy(self)

        def merged(outside: Self, inside: Sequence[Self]) -> Self:
            whole = deepcopy(empty)
            for part in (outside, *inside):
                whole.merge(part)
            return whole

        def without_each(inside: Sequence[Self], outside: Self) -> list[float]:
            if len(inside) == 1:
                return [outside.score(name)]
            first, second = inside[: len(inside) // 2], inside[len(inside) // 2 :]
            return [*without_each(first, merged(outside, second)), *without_each(second, merged(outside, first))]

        return without_each(parts, self) if parts else []

    def pseudo_values(self, parts: Sequence[Self], name: str) -> list[float]:
        """Return the jackknife's pseudo-value of a score for each image, one a part that was fed one image.

        ``n S - (n - 1) S_without`` (Quenouille, Biometrika 43, 1956; Tukey 1958). It is the image's own score where the
        score is a mean over images; for scores of a whole set, such as mIoU and AP, the values have the spread that
        tells how far the score depends on which images were drawn. ``self`` is empty.
        """
        without = self.leave_one_out(parts, name)
        for part in parts:
            self.merge(part)
        n, score = len(parts), self.score(name)
        return [n * score - (n - 1) * other for other in without]

"""The contract of an output space: the verbs in which methods speak of maps and targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from tasks.errors import InputError
from tasks.nested import joined
from tasks.prediction import Prediction
from tasks.resizing import align

SHARPNESS = 4.0  # factor from a bounded map to scores of labels


class OutputSpace(ABC):
    """What the maps of a network mean, and the verbs that follow from it.

    Every loss is a mean over the positions that count, which no method sees: the task loss counts where the truth is
    known (``labeled``, neither ignore label nor missing depth), divergences, summaries and pseudo-labels count inside
    the image (``Prediction.inside``), whatever labels say. Features and ``bounded`` maps see padding. A target is
    whatever ``supervised`` reads; methods pass it around and never look into it.

    Examples:
        >>> import torch
        >>> from tasks.outputs.categorical import Categorical
        >>> maps, labels = (torch.zeros(1, 3, 4, 4),), torch.zeros(1, 8, 8, dtype=torch.long)
        >>> round(Categorical(3).supervised(maps, labels).item(), 3)
        1.099
    """

    channels: int  # of each map
    labels_are_ordered: bool = False  # bins of a quantity, whose neighbours are alike
    labels_say_all: bool = False  # a prediction is its labels: nothing is left out, as boxes are
    blends: bool = True  # a target mixed with itself is that target: so of maps, not of lists of objects

    @abstractmethod
    def supervised(self, maps: Sequence[Tensor], target: Any) -> Tensor:
        """Return the task loss of raw maps against a target (hard, mixed or pasted), a scalar."""

    @abstractmethod
    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """Return the soft distance between two predictions of one batch, a scalar; zero when they are equal."""

    @abstractmethod
    def hard_targets(self, teacher: Prediction) -> Any:
        """Turn a teacher's prediction into a pseudo-label: a target at the resolution of the input."""

    @abstractmethod
    def summary(self, prediction: Prediction) -> Tensor:
        """Describe each image by one vector, (N,D), taken inside it."""

    @abstractmethod
    def bounded(self, prediction: Prediction) -> Tensor:
        """Return one map (N,C,h,w) in a bounded range, for critics."""

    def alike(self, student: Prediction, teacher: Prediction) -> tuple[Prediction, Prediction]:
        """Bring the raw maps of two networks to one size, level by level: the larger map to the smaller one's.

        Bilinear, as here, where a value belongs to a point; what belongs to an area is summed over it.
        """
        levels = [align(*pair) for pair in zip(student.maps, teacher.maps, strict=True)]
        ours, theirs = zip(*levels, strict=True)
        return replace(student, maps=ours), replace(teacher, maps=theirs)

    def bounded_alike(self, student: Prediction, teacher: Prediction) -> tuple[Tensor, Tensor]:
        """Return the bounded maps of two networks at one size, for critics: here bounded, then resized."""
        return align(self.bounded(student), self.bounded(teacher))

    def enlarged(self, prediction: Prediction) -> Tensor:
        """Return the raw map at the size of the input, (N,C,H,W), by which views of one image are averaged.

        Raises InputError, as here, where a prediction is no map of numbers at positions.
        """
        raise InputError(
            "evaluation.window and evaluation.flip join maps of numbers, which this task does not predict; drop both"
        )

    def proper(self, raw: Tensor) -> Tensor:
        """Bring any numbers (N,C,h,w), as a bare convolution gives them, into the range of the maps of this space."""
        return raw

    @abstractmethod
    def mix(self, a: Any, b: Any, weight: Tensor) -> Any:
        """Mix two targets as mixup mixes their images, ``weight`` (N,) on ``a``."""

    @abstractmethod
    def paste(self, a: Any, b: Any, mask: Tensor) -> Any:
        """Paste target ``b`` into ``a`` where ``mask`` (N,H,W) is set, as CutMix does with their images."""

    @abstractmethod
    def permute(self, target: Any, order: Tensor) -> Any:
        """Reorder a target along the batch."""

    def join(self, parts: Sequence[Any]) -> Any:
        """Join the targets of the parts of a batch, one after the other, as ``Task.collate`` joins those of its images.

        Here tensors, however nested, along the batch. Raises InputError where these differ in another size, as lists
        that are padded to the longest of a batch do: a space with such targets says itself how they are joined.
        """
        return joined(parts)

    @abstractmethod
    def labeled(self, target: Any, size: tuple[int, int]) -> Tensor:
        """Return the positions of the input where the truth is known, bool (N,H,W)."""

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """Tell a prediction in labels: one score a label and position, (N,K,h,w), a map or pyramid level; K is fixed.

        Unless an output space has labels of its own, they are the channels of its bounded map, the largest of which is
        the most likely one; a single channel is held against zero.
        """
        scores = SHARPNESS * self.bounded(prediction)
        return (torch.cat([torch.zeros_like(scores), scores], dim=1) if scores.shape[1] == 1 else scores,)

    def labels(self, target: Any, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...] | None:
        """Return the true labels of a hard target at the sizes of the label scores, int64 (N,h,w), 255 where unknown.

        None, as here, where the truth cannot be told in labels: then a teacher's most likely ones stand for it.
        """
        return None

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...] | None:
        """Return the maps of a prediction whose label scores were these: the way back from ``label_scores``.

        Its own scores give its own maps back; what labels do not tell stays. None, as here, where there is no way back.
        """
        return None

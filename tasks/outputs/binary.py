"""Binary maps: one logit a position, the probability of belonging to the mask (saliency)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.base import IGNORE, Prediction
from tasks.outputs.dense import UNKNOWN, DenseTarget
from tasks.outputs.maps import image_mean, map_size, masked_mean, nearest, shrink
from tasks.resizing import align, resize


def binary_kl(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Kullback-Leibler divergence of two Bernoulli variables given by their logits, elementwise.

    ``tau^2 * [q_T log(q_T / q_S) + (1 - q_T) log((1 - q_T) / (1 - q_S))]``, ``q = sigmoid(z / tau)``.
    """
    student, teacher = student / temperature, teacher / temperature
    inside = F.logsigmoid(teacher) - F.logsigmoid(student)
    outside = F.logsigmoid(-teacher) - F.logsigmoid(-student)
    probability = teacher.sigmoid()
    return temperature**2 * (probability * inside + (1 - probability) * outside)


def soft_iou_loss(probability: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """One minus the intersection over union of two soft masks an image, averaged over images; all (N,H,W).

    ``1 - (sum min(p, t) + 1) / (sum max(p, t) + 1)`` over valid positions: the Jaccard metric loss (Wang, Ning and
    Blaschko, NeurIPS 2023, whose ``(|p| + |t| -+ |p - t|) / 2`` these sums are), smallest at ``p = t`` for soft targets
    too. On hard ones it is ``1 - sum p t / sum (p + t - p t)`` (Qin et al., BASNet, CVPR 2019), which a target of 0.5
    would drive to 1. The ones are ours: they keep it finite, and zero, where both are empty.

    Examples:
        >>> import torch
        >>> from tasks.outputs.binary import soft_iou_loss
        >>> half, known = torch.full((1, 1, 1), 0.5), torch.ones(1, 1, 1, dtype=torch.bool)
        >>> soft_iou_loss(half, half, known).item(), soft_iou_loss(0 * half + 1, half, known).item()
        (0.0, 0.25)
    """
    probability, target = probability.where(valid, 0.0), target.where(valid, 0.0)
    intersection = torch.minimum(probability, target).sum(dim=(1, 2))
    union = torch.maximum(probability, target).sum(dim=(1, 2))
    return (1 - (intersection + 1) / (union + 1)).mean()


class Binary(DenseTarget):
    """A logit for one class against the rest.

    A target is float32 (N,H,W): probabilities, -1 where a position does not count.
    """

    channels = 1
    labels_say_all = True

    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        """Binary cross-entropy, a mean over valid positions, plus the soft IoU loss, a mean over images."""
        logits = resize(maps[0], map_size(target))[:, 0]
        valid = target >= 0
        losses = F.binary_cross_entropy_with_logits(logits, target.where(valid, 0.0), reduction="none")
        return masked_mean(losses, valid) + soft_iou_loss(logits.sigmoid(), target, valid)

    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """``binary_kl`` of the logits at the coarser of the two resolutions, a mean inside the image."""
        student_logits, teacher_logits = align(student.maps[0], teacher.maps[0])
        divergence = binary_kl(student_logits, teacher_logits, temperature)[:, 0]
        return masked_mean(divergence, shrink(student.inside, map_size(divergence)))

    def hard_targets(self, teacher: Prediction) -> Tensor:
        """One where the probability exceeds a half, at the resolution of the input; padding does not count."""
        labels = (resize(teacher.maps[0], teacher.size)[:, 0] > 0).float()
        return labels if teacher.inside is None else labels.where(teacher.inside, UNKNOWN)

    def summary(self, prediction: Prediction) -> Tensor:
        """Mean logit, (N,1), inside the image."""
        logits = prediction.maps[0].float()
        return image_mean(logits, shrink(prediction.inside, map_size(logits)))

    def enlarged(self, prediction: Prediction) -> Tensor:
        """Logits (bilinear)."""
        return resize(prediction.maps[0], prediction.size)

    def bounded(self, prediction: Prediction) -> Tensor:
        """Probabilities (N,1,h,w)."""
        return prediction.maps[0].float().sigmoid()

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """Zero for what is outside, the logit for what is inside, (N,2,h,w)."""
        logits = prediction.maps[0].float()
        return (torch.cat([torch.zeros_like(logits), logits], dim=1),)

    def labels(self, target: Tensor, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """One from a probability of a half."""
        probability = nearest(target, sizes[0])
        return ((probability >= 0.5).long().where(probability >= 0, IGNORE),)

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The logit is the difference of the scores."""
        outside, inside = scores[0].split(1, dim=1)
        return (inside - outside,)

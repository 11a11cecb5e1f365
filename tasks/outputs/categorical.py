"""Categorical maps: one logit a class and position (semantic segmentation)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.base import IGNORE, OutputSpace, Prediction
from tasks.outputs.maps import image_mean, map_size, masked_mean, nearest, shrink
from tasks.resizing import align, resize


def categorical_kl(student: Tensor, teacher: Tensor, temperature: float = 1.0, valid: Tensor | None = None) -> Tensor:
    """Kullback-Leibler divergence of class distributions, a mean over valid positions.

    ``tau^2 / |p| * sum_p KL(softmax(z_T / tau) || softmax(z_S / tau))``; logits (N,C,h,w), ``valid`` bool (N,h,w).
    """
    log_student = F.log_softmax(student / temperature, dim=1)
    log_teacher = F.log_softmax(teacher / temperature, dim=1)
    divergence = F.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=1)
    return temperature**2 * masked_mean(divergence, valid)


class Categorical(OutputSpace):
    """Logits over classes.

    A hard target is int64 (N,H,W) with 255 ignored; a mixed one is float (N,K,H,W), all zero where ignored.

    Args:
        classes: number of classes K.
        loss: ``ce``, or ``ohem``: cross-entropy of the hard positions alone (Shrivastava et al., CVPR 2016).
        ohem_threshold: positions whose true class has at least this probability are easy.
        ohem_kept: at least this share of all positions is kept, the hardest first.
    """

    labels_say_all = True

    def __init__(
        self,
        classes: int,
        loss: Literal["ce", "ohem"] = "ce",
        ohem_threshold: float = 0.7,
        ohem_kept: float = 1 / 16,
    ) -> None:
        self.channels = classes
        self.loss = loss
        self.ohem_threshold = ohem_threshold
        self.ohem_kept = ohem_kept

    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        """Cross-entropy at the resolution of the target, a mean over positions that are not ignored.

        Written out: torch's own adds its gradients in any order on a GPU, and takes longer on a CPU.
        """
        logarithms = F.log_softmax(resize(maps[0], map_size(target)), dim=1)
        labeled = self.labeled(target, map_size(target))
        if target.is_floating_point():
            losses = -(target * logarithms).sum(dim=1)
        else:
            losses = -logarithms.gather(1, target.where(labeled, 0)[:, None])[:, 0]
        return masked_mean(losses, labeled & self._hard(losses, labeled) if self.loss == "ohem" else labeled)

    def _hard(self, losses: Tensor, labeled: Tensor) -> Tensor:
        """Select the positions that online hard example mining keeps."""
        with torch.no_grad():
            ranked = losses.where(labeled, -1.0).flatten()
            kept = max(1, int(self.ohem_kept * ranked.numel()))
            hardest = ranked.topk(kept).values[-1]
            return losses >= hardest.clamp(max=-math.log(self.ohem_threshold))

    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """``categorical_kl`` of the logits at the coarser of the two resolutions."""
        student_logits, teacher_logits = align(student.maps[0], teacher.maps[0])
        inside = shrink(student.inside, map_size(student_logits))
        return categorical_kl(student_logits, teacher_logits, temperature, inside)

    def hard_targets(self, teacher: Prediction) -> Tensor:
        """The most likely class at the resolution of the input, int64 (N,H,W); padding is ignored."""
        labels = resize(teacher.maps[0], teacher.size).max(dim=1).indices  # argmax is many times slower on a CPU
        return labels if teacher.inside is None else labels.where(teacher.inside, IGNORE)

    def summary(self, prediction: Prediction) -> Tensor:
        """Mean logit a class, (N,K), inside the image."""
        logits = resize(prediction.maps[0], map_size(prediction.maps[0]))
        return image_mean(logits, shrink(prediction.inside, map_size(logits)))

    def enlarged(self, prediction: Prediction) -> Tensor:
        """Logits (bilinear)."""
        return resize(prediction.maps[0], prediction.size)

    def bounded(self, prediction: Prediction) -> Tensor:
        """Class probabilities (N,K,h,w)."""
        return prediction.maps[0].float().softmax(dim=1)

    def mix(self, a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
        """Class probabilities ``w*a + (1-w)*b``; a position that either target ignores is ignored."""
        a, b = self._soft(a), self._soft(b)
        both = (a.sum(dim=1, keepdim=True) > 0) & (b.sum(dim=1, keepdim=True) > 0)
        weight = weight.to(a.dtype)[:, None, None, None]
        return (weight * a + (1 - weight) * b) * both

    def paste(self, a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
        """Labels of ``b`` where ``mask`` is set, of ``a`` elsewhere."""
        if a.is_floating_point() or b.is_floating_point():
            return torch.where(mask[:, None], self._soft(b), self._soft(a))
        return torch.where(mask, b, a)

    def permute(self, target: Tensor, order: Tensor) -> Tensor:
        """Reorder a target along the batch."""
        return target[order]

    def labeled(self, target: Tensor, size: tuple[int, int]) -> Tensor:
        """Positions that are not ignored, bool (N,H,W)."""
        return target.sum(dim=1) > 0 if target.is_floating_point() else target != IGNORE

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """The logits."""
        return (prediction.maps[0].float(),)

    def labels(self, target: Tensor, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """The classes."""
        return (nearest(target, sizes[0]),)

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The scores are logits."""
        return tuple(scores)

    def _soft(self, target: Tensor) -> Tensor:
        if target.is_floating_point():
            return target
        labeled = target != IGNORE
        onehot = F.one_hot(target.where(labeled, 0), self.channels).movedim(-1, 1).float()
        return onehot * labeled[:, None]

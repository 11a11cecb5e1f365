"""Depth maps: the natural logarithm of metres at every position."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tasks.base import IGNORE, OutputSpace, Prediction
from tasks.outputs.maps import bin_labels, bin_scores, image_mean, map_size, masked_mean, mean_bin, nearest, shrink
from tasks.resizing import align, resize

DOMINANT = 0.8  # share from which one of two superposed images has its depth kept
FINITE = (math.log(1e-3), math.log(1e3))  # of a predicted log-depth, before it is exponentiated
TINY = 1e-8
BINS, RANGE = 48, math.log(100)  # labels: bins of ln(metres) up to the cap, from a hundredth of it
SPREAD = 2.0  # bins of about a tenth of the depth each, that a prediction is uncertain of


def silog(log_depth: Tensor, depth: Tensor, valid: Tensor, focus: float = 0.85, reduction: str = "mean") -> Tensor:
    """Scale-invariant logarithmic error with variance focus; all (N,H,W), ``depth`` in metres.

    With ``e = ln d' - ln d``: ``sqrt(mean e^2 - focus * (mean e)^2)`` over the valid positions of an image, averaged
    over the images that have any. ``reference`` takes the means over the whole batch and multiplies by 10, as BTS
    does (Lee et al., 2019, arXiv 1907.10326, equation 4; the error of Eigen et al., NIPS 2014).
    """
    error = (log_depth - depth.where(valid, 1.0).log()).where(valid, 0.0)
    dims = (0, 1, 2) if reduction == "reference" else (1, 2)
    count = valid.sum(dim=dims)
    squares, mean = (error**2).sum(dim=dims) / count.clamp(min=1), error.sum(dim=dims) / count.clamp(min=1)
    root = (squares - focus * mean**2).clamp(min=TINY).sqrt()  # its slope at zero is infinite
    if reduction == "reference":
        return 10 * root.where(count > 0, 0.0)
    return root.where(count > 0, 0.0).sum() / (count > 0).sum().clamp(min=1)


class LogDepth(OutputSpace):
    """Maps hold ln(metres); a target is float32 (N,H,W) in metres, 0 where there is no ground truth.

    Args:
        cap: metres; depth from here on counts as missing, and half of it is the middle of ``bounded``.
        focus: variance focus of the supervised loss, 1 for full scale invariance, 0 for none.
    """

    channels = 1
    blends = False  # superposed images have no depth
    labels_are_ordered = labels_say_all = True

    def __init__(self, cap: float, focus: float = 0.85) -> None:
        self.cap = cap
        self.focus = focus

    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        """``silog`` at the resolution of the target, over positions with a depth below the cap."""
        log_depth = resize(maps[0], map_size(target))[:, 0]
        return silog(log_depth, target, self.labeled(target, map_size(target)), self.focus)

    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """Mean ``|ln d_S - ln d_T|`` at the coarser of the two resolutions; depth has no temperature."""
        student_depth, teacher_depth = align(student.maps[0], teacher.maps[0])
        error = (student_depth - teacher_depth).abs()[:, 0]
        return masked_mean(error, shrink(student.inside, map_size(error)))

    def hard_targets(self, teacher: Prediction) -> Tensor:
        """The teacher's depth at the resolution of the input, in metres; 0 on padding and from the cap on."""
        depth = self.metres(resize(teacher.maps[0], teacher.size))[:, 0]
        known = depth < self.cap
        return depth.where(known if teacher.inside is None else known & teacher.inside, 0.0)

    def metres(self, maps: Tensor) -> Tensor:
        """Turn log-depth into metres, never infinite."""
        return maps.clamp(*FINITE).exp()

    def summary(self, prediction: Prediction) -> Tensor:
        """Mean and standard deviation of the log-depth an image, (N,2), inside the image."""
        maps = prediction.maps[0].float()
        inside = shrink(prediction.inside, map_size(maps))
        mean = image_mean(maps, inside)
        variance = image_mean((maps - mean[..., None, None]) ** 2, inside)
        return torch.cat([mean, variance.clamp(min=TINY).sqrt()], dim=1)

    def enlarged(self, prediction: Prediction) -> Tensor:
        """Log-depth (bilinear)."""
        return resize(prediction.maps[0], prediction.size)

    def bounded(self, prediction: Prediction) -> Tensor:
        """``d / (d + cap / 2)``, (N,1,h,w), within (0,1)."""
        return (prediction.maps[0].float() - math.log(self.cap / 2)).sigmoid()

    def mix(self, a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
        """The depth of the image that has at least 0.8 of the weight; superposed images have none otherwise."""
        weight = weight[:, None, None]
        return torch.where(weight >= DOMINANT, a, torch.where(weight <= 1 - DOMINANT, b, 0.0))

    def paste(self, a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
        """Depth of ``b`` where ``mask`` is set, of ``a`` elsewhere."""
        return torch.where(mask, b, a)

    def permute(self, target: Tensor, order: Tensor) -> Tensor:
        """Reorder a target along the batch."""
        return target[order]

    def labeled(self, target: Tensor, size: tuple[int, int]) -> Tensor:
        """Positions with a depth below the cap, bool (N,H,W)."""
        return (target > 1e-3) & (target < self.cap)

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """A Gaussian over 48 bins of log-depth around the predicted one."""
        return (bin_scores(self._place(prediction.maps[0].float()), BINS, SPREAD),)

    def labels(self, target: Tensor, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """The bin of the depth."""
        depth = nearest(target, sizes[0])
        known = self.labeled(depth, sizes[0])
        return (bin_labels(self._place(depth.where(known, self.cap).log()), BINS).where(known, IGNORE),)

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The log-depth moves as far as the mean bin does."""
        moved = mean_bin(scores[0]) - mean_bin(self.label_scores(prediction)[0])
        return (prediction.maps[0].float() + moved * (RANGE / BINS),)

    def _place(self, log_depth: Tensor) -> Tensor:
        """Where a log-depth lies among the bins, the middle of the first at 0."""
        return (log_depth - math.log(self.cap) + RANGE) * (BINS / RANGE) - 0.5

"""Fixation maps: one distribution over the positions of an image, where people look."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.base import IGNORE, Prediction
from tasks.outputs.dense import UNKNOWN, DenseTarget
from tasks.outputs.maps import bin_labels, bin_scores, map_size, mean_bin, nearest, shrink
from tasks.resizing import align, resize

EPS = 1e-12  # a density that sums to less is none
LOGISTIC = math.sqrt(3) / math.pi  # scale of the logistic distribution of deviation one
RARE = 1e-4  # the quantile beyond which a logit moves no further
QUANTILES = 8  # labels: which eighth of its image a position belongs to, from the least to the most looked at


def log_distribution(logits: Tensor, valid: Tensor | None, temperature: float = 1.0) -> Tensor:
    """Log-softmax over the valid positions of each image, (N,h*w), for logits (N,1,h,w) or (N,h,w).

    Invalid positions get no mass; where all are, the result is finite and passes no gradient.
    """
    flat = logits.flatten(1).float() / temperature
    if valid is not None:
        flat = flat.masked_fill(~valid.flatten(1), torch.finfo(flat.dtype).min)
    return F.log_softmax(flat, dim=1)


def image_kl(log_student: Tensor, log_teacher: Tensor, valid: Tensor | None) -> Tensor:
    """Kullback-Leibler divergence of the distributions of each image, (N,), from log-probabilities (N,P)."""
    losses = F.kl_div(log_student, log_teacher, reduction="none", log_target=True)
    return (losses if valid is None else losses.masked_fill(~valid.flatten(1), 0.0)).sum(dim=1)


def centred(values: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Values (N,P) less their mean over the valid positions of each image, zero elsewhere, and their deviation."""
    count = valid.sum(dim=1, keepdim=True).clamp(min=1)
    difference = (values - values.where(valid, 0.0).sum(dim=1, keepdim=True) / count).where(valid, 0.0)
    variance = difference.square().sum(dim=1, keepdim=True) / count
    return difference, (variance + EPS).sqrt()


def standardised(values: Tensor, valid: Tensor) -> Tensor:
    """Bring values (N,P) to mean zero and deviation one over the valid positions of each image; zero elsewhere."""
    difference, deviation = centred(values, valid)
    return difference / deviation


def quantile(values: Tensor, valid: Tensor) -> Tensor:
    """Share of the valid positions of an image with a smaller value, equal ones counted half, (N,P) from (N,P)."""
    last = torch.finfo(values.dtype).max
    ordered = values.where(valid, last).sort(dim=1).values
    values = values.contiguous()
    below, up_to = torch.searchsorted(ordered, values), torch.searchsorted(ordered, values, right=True)
    return (below + up_to) / (2 * valid.sum(dim=1, keepdim=True).clamp(min=1))


class Fixation(DenseTarget):
    """A logit a position; their softmax over an image is where people look.

    A target is float32 (N,H,W): a density, whose scale does not matter, and -1 where a position does not count. The
    optional terms follow the metrics of the same names; ``NSS`` is weighted by the density.

    Args:
        cc: weight of ``1 - CC`` in the task loss.
        nss: weight of ``-NSS`` in the task loss.
    """

    channels = 1
    labels_are_ordered = labels_say_all = True

    def __init__(self, cc: float = 0.0, nss: float = 0.0) -> None:
        self.cc = cc
        self.nss = nss

    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        """``KL(D || P) + cc (1 - CC) - nss NSS`` at the size of the target, a mean over images that have a density.

        ``D`` is the target over its sum, ``P`` the softmax of the map, both over valid positions.
        """
        valid = target.flatten(1) >= 0
        log_predicted = log_distribution(resize(maps[0], map_size(target)), target >= 0)
        density = target.flatten(1).clamp(min=0)
        mass = density.sum(dim=1, keepdim=True)
        wanted = density / mass.clamp(min=EPS)
        losses = (torch.xlogy(wanted, wanted) - wanted * log_predicted).sum(dim=1)
        if self.cc or self.nss:
            count = valid.sum(dim=1).clamp(min=1)
            scale = count[:, None]  # to a mean of one: the smaller shares of larger images would vanish beside EPS
            predicted = standardised(log_predicted.exp() * scale, valid)
            losses = losses + self.cc * (1 - (predicted * standardised(wanted * scale, valid)).sum(dim=1) / count)
            losses = losses - self.nss * (predicted * wanted).sum(dim=1)
        return _mean(losses, mass[:, 0] > EPS)

    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """``tau^2 KL(P_T || P_S)`` of the softened distributions at the coarser resolution, a mean over images."""
        student_map, teacher_map = align(student.maps[0], teacher.maps[0])
        inside = shrink(student.inside, map_size(student_map))
        log_student, log_teacher = (log_distribution(maps, inside, temperature) for maps in (student_map, teacher_map))
        losses = image_kl(log_student, log_teacher, inside)
        return temperature**2 * _mean(losses, None if inside is None else inside.any(dim=2).any(dim=1))

    def probability(self, prediction: Prediction) -> Tensor:
        """The distribution at the resolution of the input, (N,H,W), summing to one; padding has no share."""
        logits = resize(prediction.maps[0], prediction.size)
        return log_distribution(logits, prediction.inside).exp().unflatten(1, prediction.size)

    def hard_targets(self, teacher: Prediction) -> Tensor:
        """The teacher's distribution at the resolution of the input; padding does not count."""
        distribution = self.probability(teacher)
        return distribution if teacher.inside is None else distribution.where(teacher.inside, UNKNOWN)

    def summary(self, prediction: Prediction) -> Tensor:
        """Mean and variance of where people look, (N,4): x, y in image widths and heights, then the two variances."""
        logits = prediction.maps[0]
        inside = shrink(prediction.inside, map_size(logits))
        share = log_distribution(logits, inside).exp().unflatten(1, map_size(logits))
        moments = []
        for dim in (1, 2):
            line = share.sum(dim=dim)
            place = (torch.arange(line.shape[1], device=line.device) + 0.5) / line.shape[1]
            mean = (line * place).sum(dim=1)
            moments.append((mean, (line * (place - mean[:, None]) ** 2).sum(dim=1)))
        return torch.stack([moments[0][0], moments[1][0], moments[0][1], moments[1][1]], dim=1)

    def bounded(self, prediction: Prediction) -> Tensor:
        """The distribution over its largest value, (N,1,h,w), within [0,1]."""
        logits = prediction.maps[0].float()
        return (logits - logits.amax(dim=(2, 3), keepdim=True)).exp()

    def bounded_alike(self, student: Prediction, teacher: Prediction) -> tuple[Tensor, Tensor]:
        """Brought to one size, then over their largest values: that of a map is lower once the map was averaged."""
        ours, theirs = self.alike(student, teacher)
        return self.bounded(ours), self.bounded(theirs)

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """A Gaussian over 8 bins around the quantile of a position's logit, as if those of an image were normal."""
        return (bin_scores(QUANTILES * _share(prediction)[0] - 0.5, QUANTILES),)

    def labels(self, target: Tensor, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """The bin of the quantile of a position's density."""
        density = nearest(target, sizes[0])
        known = density >= 0
        share = quantile(density.flatten(1), known.flatten(1)).view_as(density)
        return (bin_labels(QUANTILES * share - 0.5, QUANTILES).where(known, IGNORE),)

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The quantile moves as far as the mean bin does, and the logit with it along the logistic distribution.

        That one stands for the normal of the same deviation, whose inverse no exported file knows.
        """
        share, deviation = _share(prediction)
        moved = share + (mean_bin(scores[0]) - mean_bin(self.label_scores(prediction)[0])) / QUANTILES
        before, after = (each.clamp(RARE, 1 - RARE).logit() for each in (share, moved))
        return (prediction.maps[0].float() + deviation * LOGISTIC * (after - before),)


def _share(prediction: Prediction) -> tuple[Tensor, Tensor]:
    """Quantile (N,1,h,w) of each position's logit, as if those of an image were normal, and deviation (N,1,1,1)."""
    logits = prediction.maps[0].float()
    inside = shrink(prediction.inside, map_size(logits))
    counted = torch.ones_like(logits[:, 0], dtype=torch.bool) if inside is None else inside
    difference, deviation = centred(logits.flatten(1), counted.flatten(1))
    return torch.special.ndtr(difference / deviation).view_as(logits), deviation[..., None, None]


def _mean(losses: Tensor, counted: Tensor | None) -> Tensor:
    """Average over the images that count; zero, with a gradient, where there are none."""
    if counted is None:
        return losses.mean()
    return losses.where(counted, 0.0).sum() / counted.sum().clamp(min=1)

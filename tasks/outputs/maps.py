"""What all output spaces do with maps: bring masks and labels to their size, and average over valid positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def shrink(inside: Tensor | None, size: tuple[int, int]) -> Tensor | None:
    """Bring a mask, bool (N,H,W), to the size of a map: a cell counts when at least half of it does."""
    if inside is None or inside.shape[-2:] == size:
        return inside
    return F.interpolate(inside[:, None].float(), size=size, mode="area")[:, 0] >= 0.5


def masked_mean(values: Tensor, valid: Tensor | None) -> Tensor:
    """Average values (N,h,w) over valid positions of the whole batch; zero, with a gradient, where there are none."""
    if valid is None:
        return values.mean()
    return values.where(valid, 0.0).sum() / valid.sum().clamp(min=1)


def map_size(maps: Tensor) -> tuple[int, int]:
    """Return the (H,W) of maps or of a dense target."""
    return maps.shape[-2], maps.shape[-1]


def everywhere(batch: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the mask of all positions of a batch (N,...), bool (N,H,W)."""
    return torch.ones(len(batch), *size, dtype=torch.bool, device=batch.device)


def image_mean(maps: Tensor, valid: Tensor | None) -> Tensor:
    """Average maps (N,C,h,w) over the valid positions of each image, (N,C); zero where an image has none."""
    if valid is None:
        return maps.mean(dim=(2, 3))
    count = valid.sum(dim=(1, 2)).clamp(min=1)
    return maps.where(valid[:, None], 0.0).sum(dim=(2, 3)) / count[:, None]


def nearest(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring labels or values (N,H,W) to ``size`` (h,w): of each cell the one nearest to its centre."""
    if labels.shape[-2:] == size:
        return labels
    down, across = (_centres(*sides, labels.device) for sides in zip(labels.shape[-2:], size, strict=True))
    return labels[:, down[:, None], across]


def _centres(source: int, target: int, device: torch.device) -> Tensor:
    """Which of ``source`` positions along a side holds the centre of each of ``target`` cells."""
    return torch.arange(1, 2 * target, 2, device=device).mul(source).div(2 * target, rounding_mode="floor")


def bin_scores(place: Tensor, bins: int, width: float = 1.0) -> Tensor:
    """Scores (N,K,h,w) of K ordered bins for a quantity at ``place`` (N,1,h,w), in bins, 0 the middle of the first.

    ``-(k - place)^2 / (2 width^2)``: a Gaussian around the quantity, with a gradient however far it lies outside.
    """
    return -((torch.arange(bins, device=place.device)[:, None, None] - place) ** 2) / (2 * width**2)


def mean_bin(scores: Tensor) -> Tensor:
    """The mean bin (N,1,h,w) of scores (N,K,h,w) of K ordered bins, 0 the middle of the first."""
    place = torch.arange(scores.shape[1], device=scores.device)[:, None, None]
    return (scores.softmax(dim=1) * place).sum(dim=1, keepdim=True)


def bin_labels(place: Tensor, bins: int) -> Tensor:
    """The bin that a quantity at ``place`` (any shape), in bins, falls into; the outermost ones are open."""
    return place.round().clamp(0, bins - 1).long()

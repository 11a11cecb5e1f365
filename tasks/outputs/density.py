"""Density maps: how many heads there are at every position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.base import OutputSpace, Prediction
from tasks.outputs.maps import bin_labels, bin_scores, everywhere, image_mean, map_size, masked_mean, mean_bin, shrink

UNIT = 64  # pixels: maps hold heads in that area, an 8x8 cell as CSRNet predicts, whatever their own stride is
BINS = 8  # labels: heads in a cell of 16 x 16 pixels, 0, 1/4, 3/4, 7/4, ... 127/4
LABEL_STRIDE = 16
STRIDES = (1, 2, 4, 8, 16, 32, 64)


def cell(size: tuple[int, int], maps: tuple[int, int]) -> int:
    """Find the stride of maps (h,w) that cover an image (H,W) from its upper left corner; the last cells may overhang.

    Raises ValueError where it is not a power of two up to 64.
    """
    for stride in STRIDES:
        if -(-size[0] // stride) == maps[0] and -(-size[1] // stride) == maps[1]:
            return stride
    raise ValueError(f"maps {maps} do not cover an image {size} with cells of 1, 2, 4, ... 64 pixels")


def pool(density: Tensor, size: tuple[int, int]) -> Tensor:
    """Sum a density (N,H,W) over the cells of a coarser map (h,w): the count is kept to the last head."""
    stride = cell(map_size(density), size)
    height, width = map_size(density)
    padded = F.pad(density, (0, size[1] * stride - width, 0, size[0] * stride - height))
    return padded.unflatten(2, (size[1], stride)).unflatten(1, (size[0], stride)).sum(dim=(2, 4))


def spread(counts: Tensor, size: tuple[int, int]) -> Tensor:
    """Spread the count of each cell (N,h,w) evenly over its pixels inside an image (H,W): the inverse of ``pool``."""
    stride = cell(size, map_size(counts))
    for dim in (1, 2):
        length, cells = size[dim - 1], counts.shape[dim]
        pixels = torch.full((cells,), stride, device=counts.device)
        pixels[-1] = length - (cells - 1) * stride
        counts = (counts / pixels.view(-1, *[1] * (2 - dim))).repeat_interleave(stride, dim).narrow(dim, 0, length)
    return counts


def common(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Bring two maps (N,1,h,w) in heads an area to the coarser one's size."""
    size = (min(a.shape[-2], b.shape[-2]), min(a.shape[-1], b.shape[-1]))
    return _coarsen(a, size), _coarsen(b, size)


def _coarsen(maps: Tensor, size: tuple[int, int]) -> Tensor:
    maps = maps.float()
    return maps if map_size(maps) == size else pool(maps[:, 0], size)[:, None] / cell(map_size(maps), size) ** 2


class Density(OutputSpace):
    """Maps hold heads in 64 pixels; a target is float32 (N,H,W), heads a pixel.

    Args:
        reduction: ``mean`` averages squared errors over positions; ``reference`` sums them over positions and averages
            over images, as counting code does (at stride 8 its maps are the same as ours).
    """

    channels = 1
    labels_are_ordered = labels_say_all = True

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        """Squared error of the count in each cell of the map, in heads in 64 pixels."""
        density = maps[0].float()[:, 0]
        stride = cell(map_size(target), map_size(density))
        truth = pool(target, map_size(density)) * (UNIT / stride**2)
        return self._reduce((density - truth) ** 2, None)

    def alike(self, student: Prediction, teacher: Prediction) -> tuple[Prediction, Prediction]:
        """Both at the coarser resolution, heads summed over its cells."""
        ours, theirs = common(student.maps[0], teacher.maps[0])
        return replace(student, maps=(ours,)), replace(teacher, maps=(theirs,))

    def bounded_alike(self, student: Prediction, teacher: Prediction) -> tuple[Tensor, Tensor]:
        """Summed over the cells of the coarser one, then bounded: equal counts of cells are seen as equal."""
        ours, theirs = self.alike(student, teacher)
        return self.bounded(ours), self.bounded(theirs)

    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """Squared difference at the coarser of the two resolutions; densities have no temperature."""
        ours, theirs = self.alike(student, teacher)
        errors = (ours.maps[0] - theirs.maps[0])[:, 0] ** 2
        return self._reduce(errors, shrink(student.inside, map_size(errors)))

    def _reduce(self, errors: Tensor, valid: Tensor | None) -> Tensor:
        if self.reduction == "mean":
            return masked_mean(errors, valid)
        return (errors if valid is None else errors.where(valid, 0.0)).sum() / len(errors)

    def pixels(self, prediction: Prediction) -> Tensor:
        """Heads a pixel at the resolution of the input, (N,H,W); padding holds none."""
        maps = prediction.maps[0].float()[:, 0]
        stride = cell(prediction.size, map_size(maps))
        density = spread(maps * (stride**2 / UNIT), prediction.size)
        return density if prediction.inside is None else density.where(prediction.inside, 0.0)

    def enlarged(self, prediction: Prediction) -> Tensor:
        """Heads in 64 pixels, spread evenly over each cell: counts are kept."""
        return self.pixels(prediction)[:, None] * UNIT

    def hard_targets(self, teacher: Prediction) -> Tensor:
        """The teacher's heads a pixel, (N,H,W)."""
        return self.pixels(teacher)

    def summary(self, prediction: Prediction) -> Tensor:
        """Heads in 64 pixels, (N,1): the count over the area inside the image."""
        maps = prediction.maps[0].float()
        return image_mean(maps, shrink(prediction.inside, map_size(maps)))

    def bounded(self, prediction: Prediction) -> Tensor:
        """``y / (1 + |y|)``, (N,1,h,w), within (-1,1)."""
        return F.softsign(prediction.maps[0].float())

    def mix(self, a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
        """Densities ``w*a + (1-w)*b``: counts are additive."""
        weight = weight.to(a.dtype)[:, None, None]
        return weight * a + (1 - weight) * b

    def paste(self, a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
        """Heads of ``b`` where ``mask`` is set, of ``a`` elsewhere."""
        return torch.where(mask, b, a)

    def permute(self, target: Tensor, order: Tensor) -> Tensor:
        """Reorder a target along the batch."""
        return target[order]

    def labeled(self, target: Tensor, size: tuple[int, int]) -> Tensor:
        """All positions: where no head is marked there is none."""
        return everywhere(target, size)

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """A Gaussian over 8 bins of the count around the predicted one, in cells of 16 x 16 pixels or the map's own."""
        maps = prediction.maps[0]
        coarse = [
            min(length, -(-side // LABEL_STRIDE)) for length, side in zip(map_size(maps), prediction.size, strict=True)
        ]
        return (bin_scores(_place(_coarsen(maps, (coarse[0], coarse[1])) / UNIT), BINS),)

    def labels(self, target: Any, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """The bin of the count."""
        stride = cell(map_size(target), sizes[0])
        return (bin_labels(_place(pool(target, sizes[0]) / stride**2), BINS),)

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The count of a cell moves as far as the mean bin does, evenly over what the map holds of the cell."""
        density, (own,) = prediction.maps[0].float(), self.label_scores(prediction)
        place = _place(_coarsen(density, map_size(own)) / UNIT)
        change = UNIT * (_density(place + mean_bin(scores[0]) - mean_bin(own)) - _density(place))
        side = cell(map_size(density), map_size(own))
        spread_out = change.repeat_interleave(side, 2).repeat_interleave(side, 3)
        return (density + spread_out[..., : density.shape[2], : density.shape[3]],)


def _place(density: Tensor) -> Tensor:
    """Where heads a pixel lie among the bins of the count, which doubles from one to the next."""
    heads = density * LABEL_STRIDE**2
    return heads.sign() * torch.log2(1 + 4 * heads.abs())


def _density(place: Tensor) -> Tensor:
    """Heads a pixel at a place among the bins: the inverse of ``_place``."""
    return place.sign() * (torch.exp2(place.abs()) - 1) / (4 * LABEL_STRIDE**2)


def overlap(density: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a density in heads a pixel, (H,W), so that each new pixel holds what lies under it; the count is kept."""
    for axis in (0, 1):
        if density.shape[axis] == size[axis]:
            continue
        summed = np.insert(density.cumsum(axis), 0, 0.0, axis=axis)
        edges = np.linspace(0, density.shape[axis], size[axis] + 1)
        low = np.minimum(edges.astype(np.int64), density.shape[axis] - 1)
        part = np.expand_dims(edges - low, 1 - axis)
        summed = summed.take(low, axis) * (1 - part) + summed.take(low + 1, axis) * part
        density = np.diff(summed, axis=axis)
    return density

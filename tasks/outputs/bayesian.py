"""Densities that learn from head points themselves: the Bayesian loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tasks.outputs.density import UNIT, Density, cell
from tasks.outputs.maps import everywhere, map_size


class PointTarget(NamedTuple):
    """Head points of a batch, padded to the same number an image.

    ``xy`` float32 (N,M,2) in pixels of the input; ``weight`` float32 (N,M), how many heads a point stands for, 0 where
    there is none; ``size`` (H,W) of the input.
    """

    xy: Tensor
    weight: Tensor
    size: tuple[int, int]


def stack_points(points: Sequence[Tensor], size: tuple[int, int]) -> PointTarget:
    """Join the points (K,2) of single images."""
    longest = max([1, *(len(heads) for heads in points)])
    xy, weight = torch.zeros(len(points), longest, 2), torch.zeros(len(points), longest)
    for i, heads in enumerate(points):
        xy[i, : len(heads)], weight[i, : len(heads)] = heads, 1.0
    return PointTarget(xy, weight, size)


def bayesian(
    counts: Tensor, target: PointTarget, sigma: float = 8.0, background: float = 1.0, reduction: str = "mean"
) -> Tensor:
    """Absolute error of the count that each head is expected to get.

    A cell m belongs to head n with probability ``w_n exp(-d_nm^2 / 2 sigma^2)``, w_n the head's weight (one, but in
    mixtures), normalised over heads and a background that is ``background * min(H,W) - d`` away, d the distance of the
    nearest head; ``c_n = sum_m p(n|m) counts_m`` is held against the head's weight, and the background's against zero
    (Ma et al., ICCV 2019, BL+).

    Args:
        counts: heads a cell, (N,h,w).
        target: the heads.
        sigma: pixels.
        background: distance of the background, in shorter sides of the input.
        reduction: ``mean`` over the heads and the background of an image, then over images; ``reference`` sums over
            the former.
    """
    stride = cell(target.size, map_size(counts))
    y, x = torch.meshgrid(*(torch.arange(n, device=counts.device) for n in map_size(counts)), indexing="ij")
    centres = (torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * stride
    present = target.weight > 0
    squared = ((target.xy[:, :, None] - centres) ** 2).sum(-1).where(present[..., None], math.inf)
    far = (background * min(target.size) - squared.amin(dim=1, keepdim=True).sqrt()) ** 2
    far = far.where(present.any(dim=1)[:, None, None], 0.0)
    logits = -torch.cat([squared, far], dim=1) / (2 * sigma**2)
    prior = torch.cat([target.weight, torch.ones_like(target.weight[:, :1])], dim=1)  # twins share a cell by weight
    share = (logits + prior.clamp(min=torch.finfo(prior.dtype).tiny).log()[..., None]).softmax(dim=1)
    expected = (share * counts.flatten(1)[:, None]).sum(dim=2)
    wanted = torch.cat([target.weight, torch.zeros_like(target.weight[:, :1])], dim=1)
    errors = (expected - wanted).abs().sum(dim=1)
    return (errors if reduction == "reference" else errors / (present.sum(dim=1) + 1)).mean()


class BayesianDensity(Density):
    """A density whose labels are points; a teacher's density is a target too, and learned as Density does.

    Args:
        sigma: of a head, in pixels.
        reduction: as for Density.
    """

    blends = False  # both images' points

    def __init__(self, sigma: float = 8.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.sigma = sigma

    def supervised(self, maps: Sequence[Tensor], target: Any) -> Tensor:
        """The Bayesian loss of points, the squared error of a density."""
        if isinstance(target, Tensor):
            return super().supervised(maps, target)
        density = maps[0].float()[:, 0]
        counts = density * (cell(target.size, map_size(density)) ** 2 / UNIT)
        return bayesian(counts, target, self.sigma, reduction=self.reduction)

    def mix(self, a: Any, b: Any, weight: Tensor) -> Any:
        """The points of both, each standing for its image's weight."""
        if isinstance(a, Tensor):
            return super().mix(a, b, weight)
        share = weight.to(a.weight.dtype)[:, None]
        return self._unite(a._replace(weight=a.weight * share), b._replace(weight=b.weight * (1 - share)))

    def paste(self, a: Any, b: Any, mask: Tensor) -> Any:
        """The points that are left to see."""
        if isinstance(a, Tensor):
            return super().paste(a, b, mask)
        hidden, shown = self._under(a, mask), self._under(b, mask)
        return self._unite(a._replace(weight=a.weight * ~hidden), b._replace(weight=b.weight * shown))

    def labels(self, target: Any, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """The bin of the number of points."""
        return super().labels(target if isinstance(target, Tensor) else self._heads(target), sizes)

    def _heads(self, target: PointTarget) -> Tensor:
        """Heads a pixel, (N,H,W), each at its own."""
        density = target.weight.new_zeros(len(target.weight), *target.size)
        return density.index_put_(self._pixels(target), target.weight, accumulate=True)

    def _unite(self, a: PointTarget, b: PointTarget) -> PointTarget:
        return PointTarget(torch.cat([a.xy, b.xy], dim=1), torch.cat([a.weight, b.weight], dim=1), a.size)

    def _under(self, target: PointTarget, mask: Tensor) -> Tensor:
        """Which points lie on a mask, bool (N,M)."""
        return mask[self._pixels(target)]

    def _pixels(self, target: PointTarget) -> tuple[Tensor, Tensor, Tensor]:
        """Image, row and column of each point, int64 (N,M)."""
        height, width = target.size
        column, row = target.xy.floor().long().unbind(-1)
        x, y = column.clamp(0, width - 1), row.clamp(0, height - 1)
        return torch.arange(len(x), device=x.device)[:, None].expand_as(x), y, x

    def permute(self, target: Any, order: Tensor) -> Any:
        """Reorder a target along the batch."""
        if isinstance(target, Tensor):
            return super().permute(target, order)
        return PointTarget(target.xy[order], target.weight[order], target.size)

    def join(self, parts: Sequence[Any]) -> Any:
        """The points of all images, padded to the image with the most."""
        if isinstance(parts[0], Tensor):
            return super().join(parts)
        longest = max(part.weight.shape[1] for part in parts)
        return super().join([self._padded(part, longest - part.weight.shape[1]) for part in parts])

    def _padded(self, target: PointTarget, rows: int) -> PointTarget:
        """Add rows without a point."""
        count = len(target.weight)
        none = PointTarget(target.xy.new_zeros(count, rows, 2), target.weight.new_zeros(count, rows), target.size)
        return self._unite(target, none)

    def labeled(self, target: Any, size: tuple[int, int]) -> Tensor:
        """All positions: where no head is marked there is none."""
        return everywhere(target if isinstance(target, Tensor) else target.weight, size)

"""Density maps of the head points of a batch, on the device: what ``tasks.data.density`` makes of one image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tasks.data.batch_geometry import uploaded
from tasks.data.density import TRUNCATE

NEIGHBOURS = 3


def density_maps(points: Tensor, present: Tensor, size: tuple[int, int], sigma: float | None) -> Tensor:
    """Spread head points into heads a pixel, float32 (N,H,W), as ``density_map`` does.

    Args:
        points: (N,P,2), x,y in pixels.
        present: bool (N,P), which points there are.
        size: height and width of the maps.
        sigma: of the fixed kernel, in pixels; None adapts it to the neighbours.
    """
    x, y = (points[..., dim].floor().clamp(0, size[1 - dim] - 1) for dim in (0, 1))
    if sigma is None:
        widths = _adaptive_sigmas(points, present, size)
        across, down = _kernels(x, widths, size[1]), _kernels(y, widths, size[0])
        return (down * present[..., None]).transpose(1, 2) @ across
    x, y = x.long(), y.long()
    image = torch.arange(len(points), device=points.device)[:, None].expand_as(x)
    dots = points.new_zeros(len(points), *size).index_put_((image, y, x), present.to(points.dtype), accumulate=True)
    return _blurred(_blurred(dots, sigma, 1), sigma, 2)


def _blurred(maps: Tensor, sigma: float, dim: int) -> Tensor:
    """Filter along a dimension by a Gaussian that is reflected at the borders, one tap after the other.

    A sum whose order is the same for every pixel of every batch, which a convolution's need not be.
    """
    radius, length = int(TRUNCATE * sigma + 0.5), maps.shape[dim]
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    places = np.arange(-radius, length + radius) % (2 * length)
    reflected = uploaded(np.minimum(places, 2 * length - 1 - places), maps.device)
    padded, blurred = maps.index_select(dim, reflected), torch.zeros_like(maps)
    for tap, weight in enumerate((weights / weights.sum()).tolist()):
        blurred += weight * padded.narrow(dim, tap, length)
    return blurred


def _adaptive_sigmas(points: Tensor, present: Tensor, size: tuple[int, int], beta: float = 0.3) -> Tensor:
    """Width of each head's kernel (N,P), see ``tasks.data.density.adaptive_sigmas``."""
    distances = (points[:, :, None] - points[:, None]).square().sum(-1).sqrt().where(present[:, None], torch.inf)
    nearest = distances.topk(min(NEIGHBOURS + 1, points.shape[1]), largest=False).values[..., 1:]
    found = nearest.isfinite()
    mean = nearest.where(found, 0.0).sum(-1) / found.sum(-1).clamp(min=1)
    return torch.where(found.any(-1), beta * mean, sum(size) / 8)


def _kernels(centres: Tensor, sigmas: Tensor, length: int) -> Tensor:
    """Sample a Gaussian around each pixel, (N,P,length), cut at the borders and normalised to one inside."""
    offsets = torch.arange(length, device=centres.device) - centres[..., None]
    radius = (TRUNCATE * sigmas + 0.5).floor()[..., None]
    values = torch.exp(-0.5 * (offsets / sigmas.clamp(min=1e-6)[..., None]) ** 2).where(offsets.abs() <= radius, 0.0)
    return values / values.sum(-1, keepdim=True)

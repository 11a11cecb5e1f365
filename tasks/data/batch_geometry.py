"""Zoom, padding, crop and flip of a batch on the device; every pixel is a function of its own sample's change alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tasks.data.change import MIN_VISIBILITY, Change

ONE = 2048  # the fixed point of the weights of interpolation, as in OpenCV: sums of integers are exact on any device
EMPTY = 1e-7  # square pixels: the area of no box


def uploaded(array: np.ndarray, device: torch.device) -> Tensor:
    """Bring a small array to the device, without waiting for a GPU."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


@dataclass(frozen=True)
class Axis:
    """Where the pixels along one axis of a result come from, (N,L) each: in a source image, or from padding.

    ``nearest`` is the pixel that labels are taken from; colours are interpolated between ``low`` and ``high``, the
    weight of which is ``weight`` of ``ONE``; ``inside`` is False on padding.
    """

    nearest: Tensor
    low: Tensor
    high: Tensor
    weight: Tensor
    inside: Tensor


class Move:
    """The changes of a batch.

    Args:
        changes: one a sample.
        size: (H,W) of all samples before it.
        crop: (H,W) of the results.
        device: where they are made.
    """

    def __init__(
        self, changes: Sequence[Change], size: tuple[int, int], crop: tuple[int, int], device: torch.device
    ) -> None:
        self.source, self.crop = size, crop
        self._zoomed = np.array([change.size for change in changes], np.int64).reshape(-1, 2)
        self._shift = np.array([np.subtract(change.pad, change.start) for change in changes], np.int64).reshape(-1, 2)
        self._flipped = np.array([change.mirrored for change in changes])
        self._zooms = bool((self._zoomed != size).any())
        self.y, self.x = self._axis(0, device), self._axis(1, device)
        self.inside = self.y.inside[:, :, None] & self.x.inside[:, None, :]
        # In the order x,y, as points and boxes have it.
        numbers = np.stack([self._zoomed[:, ::-1], self._shift[:, ::-1]], axis=1).astype(np.float32)
        self._target, self._offset = uploaded(numbers, device).unsqueeze(1).unbind(2)  # (N,1,2) each
        self._size, self._limit = uploaded(np.array([size[::-1], crop[::-1]], np.float32), device)
        self.mirrored = uploaded(self._flipped, device)

    def _axis(self, dim: int, device: torch.device) -> Axis:
        """Find the pixels that OpenCV takes for each pixel of the results along an axis."""
        length, out = self.source[dim], self.crop[dim]
        zoomed, shift = self._zoomed[:, dim, None], self._shift[:, dim, None]
        place = np.arange(out)[None]
        if dim == 1:
            place = np.where(self._flipped[:, None], out - 1 - place, place)
        place = place - shift
        inside = (place >= 0) & (place < zoomed)
        place = place.clip(0, zoomed - 1)
        ratio = 1 / (zoomed / length)
        nearest = np.floor(place * ratio).astype(np.int64).clip(max=length - 1)
        exact = ((place + 0.5) * ratio - 0.5).astype(np.float32).clip(0, length - 1)
        low = exact.astype(np.int64)
        weight = np.rint((exact - low) * ONE).astype(np.int64)
        high = (low + 1).clip(max=length - 1)
        table = uploaded(np.stack([nearest, low, high, weight, inside]), device)
        return Axis(table[0], table[1], table[2], table[3].int(), table[4].bool())

    def labels(self, maps: Tensor, rows: Tensor) -> Tensor:
        """Take the nearest pixels, (N,H,W,...), of the maps (M,h,w,...) in ``rows``; on padding they are any."""
        first = rows[:, None] * self.source[0] + self.y.nearest
        index = first[:, :, None] * self.source[1] + self.x.nearest[:, None, :]
        return maps.flatten(0, 2).index_select(0, index.flatten()).unflatten(0, index.shape)

    def colours(self, images: Tensor, rows: Tensor) -> Tensor:
        """Interpolate (bilinear) the uint8 images (M,h,w,C) in ``rows``: uint8 (N,H,W,C), 0 on padding.

        As OpenCV does, up to the last bit, which depends there on the processor.
        """
        moved = self._interpolated(images, rows) if self._zooms else self.labels(images, rows)
        return moved * self.inside[..., None]

    def _interpolated(self, images: Tensor, rows: Tensor) -> Tensor:
        width = self.source[1]
        lines = images.flatten(0, 1)  # rows of pixels
        low, high = (
            lines.index_select(0, (rows[:, None] * self.source[0] + each).flatten())
            for each in (self.y.low, self.y.high)
        )
        weight = self.y.weight.reshape(-1, 1, 1)
        pixels = (low * (ONE - weight)).add_(high * weight).flatten(0, 1)  # (N*H*w,C)
        first = torch.arange(len(rows) * self.crop[0], device=rows.device).reshape(len(rows), -1, 1) * width
        left, right = (
            pixels.index_select(0, (first + each[:, None]).flatten()).unflatten(0, (len(rows), *self.crop))
            for each in (self.x.low, self.x.high)
        )
        weight = self.x.weight[:, None, :, None]
        total = left.mul_(ONE - weight).add_(right.mul_(weight)).add_(ONE * ONE // 2)
        return total.bitwise_right_shift_(22).to(torch.uint8)

    def points(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Move points (N,P,2), and say which are still in the image, bool (N,P)."""
        size, limit = self._size, self._limit
        moved = _below(points * (self._target / size), self._target) + self._offset
        seen = ((moved >= 0) & (moved < limit)).all(-1)
        x = torch.where(self.mirrored[:, None], limit[0] - moved[..., 0], moved[..., 0])
        return _below(torch.stack([x, moved[..., 1]], dim=-1), limit), seen

    def boxes(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Move and clip boxes (N,K,4), and say of which at least MIN_VISIBILITY of the area is left, bool (N,K)."""
        size, limit = self._size, self._limit
        corners = boxes.unflatten(-1, (2, 2)).clamp(min=0).minimum(size)
        corners = corners * (self._target / size)[:, :, None] + self._offset[:, :, None]
        clipped = corners.clamp(min=0).minimum(limit)
        area, left = ((each[..., 1, :] - each[..., 0, :]).prod(-1) for each in (corners, clipped))
        seen = (area >= EMPTY) & (left / (area + EMPTY) >= MIN_VISIBILITY)
        x0, x1 = clipped[..., 0, 0], clipped[..., 1, 0]
        flipped = self.mirrored[:, None]
        x0, x1 = torch.where(flipped, limit[0] - x1, x0), torch.where(flipped, limit[0] - x0, x1)
        return torch.stack([x0, clipped[..., 0, 1], x1, clipped[..., 1, 1]], dim=-1), seen


def _below(points: Tensor, limit: Tensor) -> Tensor:
    """Keep points off the far borders, see ``tasks.annotations.points.inside``."""
    return points.minimum(torch.nextafter(limit, torch.zeros_like(limit)))

"""Targets that are one number a position: what mixup, CutMix and the order of a batch do with them."""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.base import OutputSpace

UNKNOWN = -1.0  # in a target: a position that does not count


class DenseTarget(OutputSpace):
    """An output space whose target is float32 (N,H,W): at least zero, -1 where a position does not count."""

    def mix(self, a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
        """``w*a + (1-w)*b``; a position that either target leaves out does not count."""
        weight = weight.to(a.dtype)[:, None, None]
        return torch.where((a >= 0) & (b >= 0), weight * a + (1 - weight) * b, UNKNOWN)

    def paste(self, a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
        """``b`` where ``mask`` is set, ``a`` elsewhere."""
        return torch.where(mask, b, a)

    def permute(self, target: Tensor, order: Tensor) -> Tensor:
        """Reorder a target along the batch."""
        return target[order]

    def labeled(self, target: Tensor, size: tuple[int, int]) -> Tensor:
        """Positions that count, bool (N,H,W)."""
        return target >= 0

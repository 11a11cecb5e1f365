"""Pixels on their way into a network: uint8 as far as the device, float32 and normalised there."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from tasks.base import MEAN, STD


def as_tensor(image: np.ndarray) -> Tensor:
    """Give uint8 (H,W,3T) as a uint8 tensor (3T,H,W) that lies in memory as the array does."""
    return torch.from_numpy(image if image.flags.writeable else image.copy()).permute(2, 0, 1)


def stacked(images: list[Tensor]) -> Tensor:
    """Join uint8 images (3T,H,W) into a batch (N,3T,H,W) in the channels_last format, as cameras and files have it."""
    return torch.stack([image.permute(1, 2, 0) for image in images]).permute(0, 3, 1, 2)


def normalised(images: Tensor) -> Tensor:
    """Turn uint8 (N,3T,H,W), RGB or several, into float32, by ImageNet's mean and deviation; leave floats as they are.

    The memory format stays.
    """
    if images.dtype != torch.uint8:
        return images
    scale, shift = _constants(images.shape[1] // 3, images.device)
    return images.to(torch.float32).mul_(scale).add_(shift)


@functools.lru_cache(maxsize=8)
def _constants(frames: int, device: torch.device) -> tuple[Tensor, Tensor]:
    scale = (1 / (255 * np.array(STD))).astype(np.float32)
    shift = (-np.array(MEAN) / np.array(STD)).astype(np.float32)
    first, second = (torch.from_numpy(np.tile(each, frames)[:, None, None]).to(device) for each in (scale, shift))
    return first, second

"""The contract of a batch: images and their target on the way into a network, as they are, mixed or pasted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tasks.nested import mapped

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in [0, 1]
STD = (0.229, 0.224, 0.225)


@dataclass
class Batch:
    """Images on their way into a network.

    ``image`` (N,3T,H,W), T frames: uint8 as far as the device, then float32, ImageNet-normalised; ``target`` what the
    task's output space reads, None where labels are hidden; ``inside`` bool (N,H,W), False on padding: teachers are
    trusted inside, labeled or not; where labels are known the target says; ``name`` is unique within a step.
    """

    name: str
    image: Tensor
    target: Any
    inside: Tensor

    @staticmethod
    def whole(name: str, image: Tensor) -> Batch:
        """Make a batch of whole images: no padding, no labels."""
        inside = torch.ones(len(image), *image.shape[-2:], dtype=torch.bool, device=image.device)
        return Batch(name, image, None, inside)

    def pin_memory(self) -> Batch:
        """Copy all tensors, those of the target too, to page-locked memory: a GPU reads it without waiting."""
        pinned: Batch = mapped(self, lambda tensor: tensor.pin_memory())
        return pinned


@dataclass
class Mixed(Batch):
    """Mixup of a batch with itself: ``weight * x + (1 - weight) * x[order]``; weight (N,), order (N,)."""

    source: Batch
    order: Tensor
    weight: Tensor


@dataclass
class Pasted(Batch):
    """CutMix of two batches: the second where ``mask`` (N,H,W bool) is set, the first elsewhere."""

    sources: tuple[Batch, Batch]
    mask: Tensor

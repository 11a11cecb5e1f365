"""A network that looks at fewer pixels than the image has: what ``student.shrink`` means."""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor, nn

from tasks.base import Prediction


class Shrunk(nn.Module):
    """A network on the image averaged over cells of ``factor x factor`` pixels.

    Low-resolution students are distilled so in Qi et al., "Multi-scale aligned distillation for low-resolution
    detection" (CVPR 2021), there on resized images. A network costs about ``1 / factor^2`` of its operations.

    Args:
        network: maps images (N,C,ceil(H/factor),ceil(W/factor)) to a Prediction.
        factor: of each side.
    """

    def __init__(self, network: nn.Module, factor: int) -> None:
        super().__init__()
        self.network = network
        self.factor = factor

    def forward(self, image: Tensor) -> Prediction:
        """Map images (N,C,H,W) to a Prediction for them, whose strides are in their pixels."""
        seen: Prediction = self.network(F.avg_pool2d(image, self.factor, ceil_mode=True))
        strides = {name: self.factor * stride for name, stride in seen.strides.items()}
        return replace(seen, strides=strides, size=(image.shape[-2], image.shape[-1]))

"""A critic of dense maps: strided convolutions with spectral norm, then self-attention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

DEPTH = 4  # halvings
SMALLEST = 2 ** (DEPTH + 1)  # side of a map that leaves 2 x 2 positions after them


class SelfAttention(nn.Module):
    """Every position looks at all others; a gate that starts at zero lets the result in.

    ``x + g * V softmax(Q^T K)``, queries and keys of an eighth of the width (Zhang et al., ICML 2019).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.key = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N,C,h,w) to features of the same shape."""
        query, key, value = (convolution(x).flatten(2) for convolution in (self.query, self.key, self.value))
        attention = torch.bmm(query.mT, key).softmax(dim=2)
        return x + self.gate * torch.bmm(value, attention.mT).view_as(x)


class Critic(nn.Module):
    """Scores maps of any size: high for those that look like the teacher's.

    Four convolutions 4x4 of stride 2 (widths w, 2w, 4w, 8w; spectral norm; leaky ReLU 0.1), self-attention after the
    third and the fourth, and a plain 4x4 convolution to one channel, as in the code of Liu et al., CVPR 2019, with w of
    64. Deviations: no batch norm on the input, which would tie the images of a batch together in the gradient penalty;
    the last convolution is padded; maps with a side below 32 are enlarged to it first.

    Args:
        channels: of the maps.
        width: w.
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(DEPTH)]
        layers: list[nn.Module] = []
        for inner, outer in zip([channels, *widths], widths, strict=False):
            layers += [spectral_norm(nn.Conv2d(inner, outer, 4, stride=2, padding=1)), nn.LeakyReLU(0.1)]
            if outer >= widths[-2]:
                layers.append(SelfAttention(outer))
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N,C,h,w) to scores (N,1,h',w')."""
        size = [max(side, SMALLEST) for side in maps.shape[-2:]]
        if size != list(maps.shape[-2:]):
            maps = F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
        return self.layers(maps)


@contextmanager
def without_gradient(module: nn.Module) -> Iterator[nn.Module]:
    """Let gradients through a module but not into its parameters, for what is computed inside."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield module
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)

"""U2-Net: a U of blocks that are small U's themselves, with a map from every level."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tasks.base import NetworkSpec, Prediction
from tasks.errors import InputError
from tasks.networks.weights import load_weights

NAME = "u2net"
Widths = tuple[int, int]  # of a block: hidden, and of what it returns
DEPTHS = (7, 6, 5, 4)  # convolutions on the way down of the first four blocks; the two deepest dilate instead
FULL: tuple[Widths, ...] = ((32, 64), (32, 128), (64, 256), (128, 512), (256, 512), (256, 512))
FULL_UP: tuple[Widths, ...] = ((16, 64), (32, 64), (64, 128), (128, 256), (256, 512))
SMALL: Widths = (16, 64)  # of every block of U2-Netp


def _convolution(inputs: int, outputs: int, dilation: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _pool(feature: Tensor) -> Tensor:
    return F.max_pool2d(feature, 2, ceil_mode=True)


def _resized(feature: Tensor, like: Tensor) -> Tensor:
    size = (like.shape[-2], like.shape[-1])
    return F.interpolate(feature, size=size, mode="bilinear", align_corners=False)


class ResidualU(nn.Module):
    """A U of ``depth`` convolutions down and as many up, added to its own first convolution.

    Args:
        inputs: channels.
        widths: hidden channels, and those of the result.
        depth: convolutions on the way down, a pool between any two but the last; the last has dilation 2.
        dilated: instead of pools the dilations 1, 2, 4 and 8 (``depth`` is 4).
    """

    def __init__(self, inputs: int, widths: Widths, depth: int, dilated: bool = False) -> None:
        super().__init__()
        hidden, outputs = widths
        dilations = [2**level for level in range(depth)] if dilated else [1] * (depth - 1) + [2]
        self.dilated = dilated
        self.first = _convolution(inputs, outputs)
        self.down = nn.ModuleList(
            _convolution(hidden if level else outputs, hidden, dilation) for level, dilation in enumerate(dilations)
        )
        ups = list(zip(dilations[:-1], [outputs] + [hidden] * (depth - 2), strict=True))
        self.up = nn.ModuleList(_convolution(2 * hidden, width, dilation) for dilation, width in reversed(ups))

    def forward(self, feature: Tensor) -> Tensor:
        """Map (N,inputs,h,w) to (N,outputs,h,w)."""
        first = flow = self.first(feature)
        seen: list[Tensor] = []
        for level, layer in enumerate(self.down):
            pooled = 0 < level < len(self.down) - 1 and not self.dilated
            flow = layer(_pool(flow) if pooled else flow)
            seen.append(flow)
        for layer, beside in zip(self.up, reversed(seen[:-1]), strict=True):
            flow = layer(torch.cat([_resized(flow, beside), beside], dim=1))
        return first + flow


class U2Net(nn.Module):
    """A mask of what is salient (Qin et al., U2-Net, Pattern Recognition 2020), at the size of the image.

    Six blocks down, five up, a map from each level (``Prediction.branches``, ``side1`` the finest) and their fusion.

    Args:
        small: U2-Netp, all blocks of 16 hidden channels and 64 others.
    """

    def __init__(self, small: bool = False) -> None:
        super().__init__()
        down: Sequence[Widths] = [SMALL] * len(FULL) if small else FULL
        up: Sequence[Widths] = [SMALL] * len(FULL_UP) if small else FULL_UP
        depths = [(depth, False) for depth in DEPTHS] + [(4, True), (4, True)]
        channels = [3, *(outputs for _, outputs in down)]
        blocks = [
            ResidualU(before, widths, *depth) for before, widths, depth in zip(channels, down, depths, strict=False)
        ]
        self.encoder = nn.ModuleList(blocks)
        below = [*(outputs for _, outputs in up[1:]), channels[-1]]  # what comes from one level deeper
        self.decoder = nn.ModuleList(
            ResidualU(below[level] + channels[level + 1], widths, *depths[level]) for level, widths in enumerate(up)
        )
        self.sides = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for _, width in (*up, down[-1]))
        self.head = nn.Conv2d(len(self.sides), 1, 1)

    def forward(self, image: Tensor) -> Prediction:
        """Map images (N,3,H,W) to a Prediction whose map is (N,1,H,W)."""
        size = (image.shape[-2], image.shape[-1])
        stages: list[Tensor] = []
        for block in self.encoder:
            stages.append(block(_pool(stages[-1]) if stages else image))
        decoded = [stages[-1]]  # deepest first
        for level in reversed(range(len(self.decoder))):
            beside = stages[level]
            decoded.append(self.decoder[level](torch.cat([_resized(decoded[-1], beside), beside], dim=1)))
        sides = [_resized(head(level), image) for head, level in zip(self.sides, reversed(decoded), strict=True)]
        names = [f"stage{number}" for number in range(1, len(stages) + 1)]
        return Prediction(
            maps=(self.head(torch.cat(sides, dim=1)),),
            features={**dict(zip(names, stages, strict=True)), "decoder": decoded[-1]},
            strides={**{name: 2**level for level, name in enumerate(names)}, "decoder": 1},
            shared=("decoder",),
            embedding=stages[-1].mean(dim=(2, 3)),
            size=size,
            branches={f"side{number}": (side,) for number, side in enumerate(sides, start=1)},
        )


def build(spec: NetworkSpec) -> U2Net:
    """Build a U2-Net; its one encoder option is ``small``; weights come from a file or not at all.

    Raises InputError for another option, and for weights of the hubs, which have none.
    """
    options = {**spec.decoder_options, **spec.encoder_options}
    if unknown := sorted(options.keys() - {"small"}):
        raise InputError(f"u2net has no option {', '.join(unknown)}; its one encoder option is small")
    if spec.weights is not None and (spec.weights == "imagenet" or spec.weights.startswith("hub:")):
        raise InputError(f"weights={spec.weights}: u2net has none; give a file of weights, or null")
    network = U2Net(**options)
    if spec.weights is not None:
        load_weights(network, Path(spec.weights))
    return network

"""UVA-Net: a tiny network of two branches that looks at a clip of very few pixels."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tasks.base import NetworkSpec, Prediction
from tasks.errors import InputError
from tasks.networks.weights import load_weights

NAME = "uvanet"
PIXELS = 32  # the published inputs are 32 and 64
REDUCTION = 4  # of the attention's hidden layer
STEM, STAGE, BRANCH = 16, 24, 32  # channels


class CARes(nn.Module):
    """Inverted residual block with channel attention (Fu et al., AAAI 2020, as the card reconstructs it).

    1x1 expansion, depth-wise 3x3, channels times ``sigmoid(MLP(mean) + MLP(max))``, linear 1x1 projection; batch
    normalisation after every convolution, a residual where shapes allow.

    Args:
        inputs: channels.
        outputs: channels.
        expansion: the hidden width in inputs.
        stride: of the depth-wise convolution.
    """

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int = 1) -> None:
        super().__init__()
        width = expansion * inputs
        self.expand = _convolution(inputs, width, 1)
        self.depthwise = _convolution(width, width, 3, stride, groups=width)
        self.attention = nn.Sequential(nn.Linear(width, width // REDUCTION), nn.ReLU(), nn.Linear(width // 4, width))
        self.project = nn.Sequential(nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, feature: Tensor) -> Tensor:
        """Map (N,inputs,h,w) to (N,outputs,ceil(h/stride),ceil(w/stride))."""
        hidden = self.depthwise(self.expand(feature))
        gate = (self.attention(hidden.mean(dim=(2, 3))) + self.attention(hidden.amax(dim=(2, 3)))).sigmoid()
        projected: Tensor = self.project(hidden * gate[:, :, None, None])
        return feature + projected if self.residual else projected


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU6())


class UVANet(nn.Module):
    """Where people look in a clip, by a spatial branch, a temporal branch and their fusion (Fu et al., AAAI 2020).

    The input is averaged over cells of ``f x f`` pixels, f the smallest whole number that leaves at most ``pixels`` on
    the shorter side. A stem that all frames share leads to the spatial branch, which reads the newest frame, and to the
    temporal one, which reads all of them; each has a map of its own in ``Prediction.branches``. Blocks, branches and
    about 0.16 M parameters are published; widths and depths are reconstructed.

    Args:
        frames: how many the image holds, newest first.
        pixels: of the shorter side, at most.
    """

    def __init__(self, frames: int = 2, pixels: int = PIXELS) -> None:
        super().__init__()
        self.frames = frames
        self.pixels = pixels
        self.stem = nn.Sequential(_convolution(3, STEM, 3, stride=2), CARes(STEM, STEM, 1))
        self.stage = CARes(STEM, STAGE, 6, stride=2)
        self.spatial = nn.Sequential(CARes(STAGE, BRANCH, 6), CARes(BRANCH, BRANCH, 5))
        self.temporal = nn.Sequential(CARes(frames * STAGE, BRANCH, 4), CARes(BRANCH, BRANCH, 5))
        self.branch_heads = nn.ModuleDict({name: nn.Conv2d(BRANCH, 1, 1) for name in ("spatial", "temporal")})
        self.fusion = nn.Sequential(CARes(2 * BRANCH, 2 * BRANCH, 3), nn.PixelShuffle(2))
        self.head = nn.Conv2d(BRANCH // 2, 1, 1)

    def forward(self, image: Tensor) -> Prediction:
        """Map clips (N,3*frames,H,W) to a Prediction."""
        size = (image.shape[-2], image.shape[-1])
        factor = -(-min(size) // self.pixels)
        small = F.avg_pool2d(image, factor, ceil_mode=True) if factor > 1 else image
        first = self.stem(small.reshape(-1, 3, *small.shape[2:]))  # frames beside images, so that they share the stem
        second = self.stage(first)
        first, second = (each.unflatten(0, (-1, self.frames)) for each in (first, second))
        branches = {"spatial": self.spatial(second[:, 0]), "temporal": self.temporal(second.flatten(1, 2))}
        joined = torch.cat(list(branches.values()), dim=1)
        decoded = self.fusion(joined)[..., : first.shape[-2], : first.shape[-1]]
        strides = {"stage1": 2 * factor, "stage2": 4 * factor, "stage3": 4 * factor, "decoder": 2 * factor}
        return Prediction(
            maps=(self.head(decoded),),
            features={"stage1": first[:, 0], "stage2": second[:, 0], "stage3": joined, "decoder": decoded},
            strides=strides,
            shared=("decoder",),
            embedding=joined.mean(dim=(2, 3)),
            size=size,
            branches={name: (self.branch_heads[name](feature),) for name, feature in branches.items()},
        )


def build(spec: NetworkSpec, frames: int) -> UVANet:
    """Build a UVA-Net; its one encoder option is ``pixels``; weights come from a file or not at all.

    Raises InputError for another option, for ``pixels`` below 8, and for weights of the hubs, which have none.
    """
    options = {**spec.decoder_options, **spec.encoder_options}
    if unknown := sorted(options.keys() - {"pixels"}):
        raise InputError(f"uvanet has no option {', '.join(unknown)}; its one encoder option is pixels")
    if options.get("pixels", PIXELS) < 8:
        raise InputError(f"uvanet's pixels is {options['pixels']}: expected at least 8, such as 32 or 64")
    if spec.weights is not None and (spec.weights == "imagenet" or spec.weights.startswith("hub:")):
        raise InputError(f"weights={spec.weights}: uvanet has none; give a file of weights, or null")
    network = UVANet(frames, **options)
    if spec.weights is not None:
        load_weights(network, Path(spec.weights))
    return network

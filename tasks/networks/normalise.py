"""Images as a pretrained network knows them, where that is not by ImageNet's mean and deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.base import MEAN, STD

PREFIX = "renormalise."  # of its tensors in a file of weights


class Renormalise(nn.Module):
    """Turn images (N,3T,H,W) that the loader normalised into ``(rgb - mean) / std``, rgb in [0, 1].

    Networks keep it as ``renormalise``; it is saved with their weights, which are worth little without.

    Args:
        mean: of the images that the network was pretrained on, RGB in [0, 1].
        std: their deviation.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.tensor(mean))
        self.std = nn.Buffer(torch.tensor(std))
        self.loaded_mean = nn.Buffer(torch.tensor(MEAN), persistent=False)
        self.loaded_std = nn.Buffer(torch.tensor(STD), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Normalise anew; each frame of a clip alike."""
        frames = image.unflatten(1, (-1, 3))
        rgb = frames * self.loaded_std[:, None, None] + self.loaded_mean[:, None, None]
        return ((rgb - self.mean[:, None, None]) / self.std[:, None, None]).flatten(1, 2)


def normalisation(settings: Mapping[str, Any]) -> nn.Module:
    """Return what a network with these settings needs: ``mean`` and ``std`` as timm's ``pretrained_cfg`` has them."""
    mean, std = [float(value) for value in settings["mean"]], [float(value) for value in settings["std"]]
    if np.allclose(mean, MEAN) and np.allclose(std, STD):
        return nn.Identity()
    return Renormalise(mean, std)


def adopt(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network, or one within it, the normalisation that comes with its weights, or none without any."""
    for name, part in list(network.named_modules()):
        if not isinstance(getattr(part, "renormalise", None), (nn.Identity, Renormalise)):
            continue  # of another kind, whose weights are all its own
        prefix = f"{name}.{PREFIX}" if name else PREFIX
        mean, std = weights.get(f"{prefix}mean"), weights.get(f"{prefix}std")
        if mean is None or std is None:
            part.renormalise = nn.Identity()
        else:
            part.renormalise = Renormalise(mean.tolist(), std.tolist()).to(next(network.parameters()).device)

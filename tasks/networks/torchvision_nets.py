"""torchvision's segmentation networks as they are, to be traced like any module of a user's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tasks.base import networks
from tasks.errors import InputError, nearest
from tasks.networks.hub import TORCHVISION, refuse_other_classes


@networks.register("torchvision")
class TorchvisionNetwork(nn.Module):
    """A segmentation network of torchvision; images are normalised as its published weights were trained on them.

    Args:
        channels: of the raw map.
        name: torchvision's name of it, such as deeplabv3_resnet50.
        backbone: start from the backbone's ImageNet weights.
        published: start from, or teach with, the published weights of the whole network.
    """

    def __init__(
        self,
        channels: int,
        *,
        name: str = "lraspp_mobilenet_v3_large",
        backbone: bool = False,
        published: bool = False,
    ) -> None:
        super().__init__()
        from torchvision.models import get_model, list_models, segmentation

        known = list_models(module=segmentation)
        if name not in known:
            raise InputError(f"torchvision has no segmentation network '{name}'{nearest(name, known)}")
        try:
            if published:
                self.net: nn.Module = get_model(name, weights="DEFAULT", weights_backbone=None)
            else:
                first = "DEFAULT" if backbone else None
                self.net = get_model(name, weights=None, weights_backbone=first, num_classes=channels)
        except Exception as error:  # a download raises many kinds
            raise InputError(
                f"{TORCHVISION}{name} cannot be had ({type(error).__name__}: {error}); go online once, or put its file "
                "into torch's hub folder (TORCH_HOME)"
            ) from error
        if published:
            with torch.no_grad():
                found = self.net.eval()(torch.zeros(1, 3, 64, 64))["out"].shape[1]
            refuse_other_classes(f"{TORCHVISION}{name}", found, channels)
            self.net.train()

    def forward(self, image: Tensor) -> Tensor:
        """Map images (N,3,H,W) to a raw map (N,channels,H,W)."""
        values: dict[str, Tensor] = self.net(image)
        return values["out"]

"""The contract of a prediction: what every network returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor


@dataclass
class Prediction:
    """What every network returns, student or teacher.

    ``maps``: raw head outputs, one (N,C,h,w), or one a pyramid level. ``features``: named, shallow to deep, each
    (N,C,h,w), with ``strides``. ``shared``: names of the features that the head reads (decoder, or pyramid levels).
    ``embedding``: (N,D), pooled deepest feature. ``size``: (H,W) of the input. ``inside``: bool (N,H,W), the input
    without padding, or None when there is none. ``branches``: named raw maps, like ``maps``, of parts of the network
    that predict by themselves before they are fused; most have none.

    Examples:
        >>> import torch
        >>> from tasks.base import Prediction
        >>> deep = torch.zeros(2, 16, 4, 4)
        >>> maps = (torch.zeros(2, 3, 4, 4),)
        >>> seen = Prediction(maps, {"stage3": deep}, {"stage3": 8}, ("stage3",), deep.mean(dim=(2, 3)), (32, 32))
        >>> seen.embedding.shape
        torch.Size([2, 16])
    """

    maps: tuple[Tensor, ...]
    features: Mapping[str, Tensor]
    strides: dict[str, int]
    shared: tuple[str, ...]
    embedding: Tensor
    size: tuple[int, int]
    inside: Tensor | None = None
    branches: dict[str, tuple[Tensor, ...]] = field(default_factory=dict)

    def select(self, images: Tensor | slice) -> Prediction:
        """Return the prediction of some of the images, by their positions; one may be chosen twice."""
        return replace(
            self,
            maps=tuple(each[images] for each in self.maps),
            branches={name: tuple(each[images] for each in maps) for name, maps in self.branches.items()},
            features={name: each[images] for name, each in self.features.items()},
            embedding=self.embedding[images],
            inside=None if self.inside is None else self.inside[images],
        )

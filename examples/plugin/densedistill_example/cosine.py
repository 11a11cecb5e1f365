"""Directions: a vector at every position, of which only the direction counts."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from tasks.base import OutputSpace, Prediction
from tasks.outputs.maps import image_mean, map_size, masked_mean, shrink
from tasks.resizing import align, resize

SHORT = 1e-4  # vectors of a smaller length have no direction


class Cosine(OutputSpace):
    """Maps hold vectors (N,3,h,w); a target is float32 (N,3,H,W): unit vectors, mixtures of two, zero where unknown."""

    channels = 3

    def directions(self, maps: Tensor) -> Tensor:
        """Scale vectors to length one."""
        return F.normalize(maps.float(), dim=1, eps=SHORT)

    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        """``mean_p (1 - <n_S(p), n(p)>)`` at the resolution of the target, over positions with a direction."""
        found = self.directions(resize(maps[0], map_size(target)))
        return masked_mean(1 - (found * target).sum(dim=1), self.labeled(target, map_size(target)))

    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """``mean_p (1 - cos)`` at the coarser of the two resolutions; directions have no temperature."""
        own, other = (self.directions(each) for each in align(student.maps[0], teacher.maps[0]))
        return masked_mean((own - other).square().sum(dim=1) / 2, shrink(student.inside, map_size(own)))

    def hard_targets(self, teacher: Prediction) -> Tensor:
        """The teacher's directions at the resolution of the input, zero on padding."""
        found = self.directions(resize(teacher.maps[0], teacher.size))
        return found if teacher.inside is None else found.where(teacher.inside[:, None], 0.0)

    def summary(self, prediction: Prediction) -> Tensor:
        """Mean direction of each image, (N,3), inside the image."""
        maps = self.directions(prediction.maps[0])
        return image_mean(maps, shrink(prediction.inside, map_size(maps)))

    def bounded(self, prediction: Prediction) -> Tensor:
        """The directions (N,3,h,w), each component within [-1, 1]."""
        return self.directions(prediction.maps[0])

    def mix(self, a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
        """``w*a + (1-w)*b``, whose loss is that mixture of the two losses; zero where either is unknown."""
        both = self.labeled(a, map_size(a)) & self.labeled(b, map_size(b))
        weight = weight.to(a.dtype)[:, None, None, None]
        return (weight * a + (1 - weight) * b).where(both[:, None], 0.0)

    def paste(self, a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
        """Directions of ``b`` where ``mask`` is set, of ``a`` elsewhere."""
        return b.where(mask[:, None], a)

    def permute(self, target: Tensor, order: Tensor) -> Tensor:
        """Reorder a target along the batch."""
        return target[order]

    def labeled(self, target: Tensor, size: tuple[int, int]) -> Tensor:
        """Positions with a direction, bool (N,H,W)."""
        return (target != 0).any(dim=1)

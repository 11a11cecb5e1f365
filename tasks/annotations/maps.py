"""What annotations with a value a pixel have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from tasks.annotations.kind import Geometry, Kind, Moved, MovedBatch


class MapKind(Kind[np.ndarray]):
    """An array (H,W) or (H,W,C) that lies over the image; it may have another size, at which it is scored."""

    unknown: ClassVar[float]  # the value where nothing is known, as on padding

    def size(self, value: np.ndarray) -> tuple[int, int]:
        """Return its own size."""
        return value.shape[0], value.shape[1]

    def resize(self, value: np.ndarray, image: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
        """Take the nearest pixel: labels cannot be averaged, and a mean across an edge is the depth of nothing."""
        if value.shape[:2] == size:
            return value
        return cv2.resize(value, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)

    def geometry(self, value: np.ndarray) -> Geometry:
        """All of it moves, pixel by pixel."""
        return Geometry(maps={"": value})

    def moved(self, value: np.ndarray, moved: Moved) -> np.ndarray:
        """Mark padding as unknown."""
        array = moved.maps[""]
        inside = moved.inside.reshape(*moved.inside.shape, *[1] * (array.ndim - 2))
        return np.where(inside, array, np.asarray(self.unknown, array.dtype))

    def moved_batch(self, moved: MovedBatch) -> Tensor:
        """Mark padding as unknown, (N,H,W) or (N,H,W,C)."""
        maps = moved.maps[""]
        inside = moved.inside.reshape(*moved.inside.shape, *[1] * (maps.ndim - 3))
        return torch.where(inside, maps, self.unknown).to(maps.dtype)

    def arrays(self, value: np.ndarray) -> dict[str, np.ndarray]:
        """The map itself."""
        return {"values": value}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """The map itself."""
        return arrays["values"]

    def empty(self, value: np.ndarray) -> np.ndarray:
        """Nothing is known anywhere."""
        return np.full_like(value, self.unknown)

"""The pinhole camera that all scenes are seen with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FOCAL = 0.9  # focal length in image widths: a field of view of 58 degrees, the principal point at the centre


@dataclass(frozen=True)
class Rays:
    """The ray of each pixel, scaled so that ``eye + depth * ray`` is the point seen at that depth.

    World axes: x right, y up, z ahead, the ground at y = 0. As the camera does not roll, ``x`` (1,W) varies along a row
    only, ``y`` and ``z`` (H,1) along a column only.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    def window(self, rows: slice, columns: slice) -> Rays:
        """Keep the rays of a part of the image."""
        return Rays(self.x[:, columns], self.y[rows], self.z[rows])


@dataclass(frozen=True)
class Camera:
    """An eye ``height`` metres above the world's origin that looks ahead, ``pitch`` radians below the horizon."""

    height: float
    pitch: float

    def rays(self, size: int) -> Rays:
        """Cast one ray through the centre of each pixel of a square image."""
        right = ((np.arange(size) + 0.5) / size - 0.5) / FOCAL
        down = right[:, None]
        sine, cosine = math.sin(self.pitch), math.cos(self.pitch)
        x, y, z = right[None], -sine - cosine * down, cosine - sine * down
        return Rays(x.astype(np.float32), y.astype(np.float32), z.astype(np.float32))

    def project(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project world points to (column, row) in image widths; points behind the eye are pulled ahead of it."""
        sine, cosine = math.sin(self.pitch), math.cos(self.pitch)
        depth = np.maximum(cosine * z - sine * (y - self.height), 0.3)
        up = cosine * (y - self.height) + sine * z
        return 0.5 + FOCAL * x / depth, 0.5 - FOCAL * up / depth

"""Points: where the heads of a crowd are, float32 (K,2), x,y in pixels of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from tasks.annotations.kind import Geometry, Info, Kind, Moved, MovedBatch, array_fault, expected, kinds
from tasks.drawing import MARK, caption


class PointBatch(NamedTuple):
    """Points of a batch on the device, of images of ``size`` (H,W): ``xy`` float32 (N,P,2), ``present`` bool (N,P)."""

    xy: Tensor
    present: Tensor
    size: tuple[int, int]


@kinds.register("points")
class PointKind(Kind[np.ndarray]):
    """A point a head, for crowd counting. Coordinates run from 0 to W and to H; the centre of a pixel is at a half."""

    title = "points"

    def resize(self, value: np.ndarray, image: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
        """Scale by the exact ratio of the sizes."""
        return inside((value * np.array([size[1] / image[1], size[0] / image[0]])).astype(np.float32), size)

    def geometry(self, value: np.ndarray) -> Geometry:
        """All points."""
        return Geometry(points=value)

    def moved(self, value: np.ndarray, moved: Moved) -> np.ndarray:
        """The points that are still in the image."""
        return moved.points

    def moved_batch(self, moved: MovedBatch) -> PointBatch:
        """The points that are still in their images."""
        return PointBatch(moved.points, moved.has_point, (moved.inside.shape[1], moved.inside.shape[2]))

    def arrays(self, value: np.ndarray) -> dict[str, np.ndarray]:
        """The points themselves."""
        return {"xy": value}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """The points themselves."""
        return np.array(arrays["xy"])

    def empty(self, value: np.ndarray) -> np.ndarray:
        """No point."""
        return value[:0]

    def draw(self, value: np.ndarray, image: np.ndarray, info: Info) -> np.ndarray:
        """A mark a point."""
        return draw_points(image, value)

    def describe(self, values: Sequence[np.ndarray], info: Info) -> str:
        """How many points an image has."""
        counts = [len(points) for points in values]
        return f"{min(counts)} to {max(counts)} an image, {np.mean(counts):.1f} on average"

    def faults(self, value: np.ndarray, size: tuple[int, int], info: Info) -> list[str]:
        """Name points outside the image."""
        if faults := array_fault(value, np.float32, (None, 2)):
            return faults
        outside = value[~((value >= 0) & (value < size[::-1])).all(axis=1)]
        if len(outside) == 0:
            return []
        x, y = outside[0]
        return [expected(f"points inside {size[1]}x{size[0]} pixels", f"{len(outside)} outside, the first at {x}, {y}")]


def inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Keep points (K,2) off the far borders of an image of size (H,W), where rounding, or a flip of 0, puts them."""
    return np.minimum(points, np.nextafter(np.array(size[::-1], points.dtype), 0))


def draw_points(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Mark points (K,2; x,y in pixels) on uint8 RGB (H,W,3) and write how many there are."""
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    radius = max(1.0, min(image.shape[:2]) / 100)
    for x, y in np.asarray(points, float).reshape(-1, 2).tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=MARK, outline=(255, 255, 255))
    return caption(canvas, f"{len(points)}")

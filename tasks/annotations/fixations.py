"""Fixations: where people look, a density (H,W) and, where a set has them, the points that they looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from tasks.annotations.kind import Geometry, Info, Kind, Moved, MovedBatch, array_fault, expected, kinds
from tasks.drawing import MARK, heat

UNKNOWN = -1.0  # of a density: padding


@dataclass
class Fixations:
    """Where people look at an image.

    ``density`` float32 (H,W), at least zero, of any scale, -1 on padding; ``points`` float32 (K,2), x,y in pixels of
    the density, None where the set has no points.
    """

    density: np.ndarray
    points: np.ndarray | None = None


@kinds.register("fixations")
class FixationKind(Kind[Fixations]):
    """A density of looks over the image, and the looks themselves, for visual attention."""

    title = "fixations"

    def size(self, value: Fixations) -> tuple[int, int]:
        """The density's own."""
        return value.density.shape[0], value.density.shape[1]

    def resize(self, value: Fixations, image: tuple[int, int], size: tuple[int, int]) -> Fixations:
        """Average or interpolate the density, whose scale does not matter; scale the points by the exact ratio."""
        height, width = value.density.shape
        if (height, width) == size:
            return value
        shrinks = size[0] * size[1] < height * width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        density = cv2.resize(value.density, (size[1], size[0]), interpolation=how)
        ratio = np.array([size[1] / width, size[0] / height])
        return Fixations(density, None if value.points is None else (value.points * ratio).astype(np.float32))

    def geometry(self, value: Fixations) -> Geometry:
        """Density and points."""
        points = np.zeros((0, 2), np.float32) if value.points is None else value.points
        return Geometry(maps={"density": value.density}, points=points)

    def moved(self, value: Fixations, moved: Moved) -> Fixations:
        """What is left in the image; padding is unknown."""
        density = np.where(moved.inside, moved.maps["density"], np.float32(UNKNOWN))
        return Fixations(density, None if value.points is None else moved.points)

    def moved_batch(self, moved: MovedBatch) -> Tensor:
        """The densities, (N,H,W), which are learned from; padding is unknown."""
        return torch.where(moved.inside, moved.maps["density"], UNKNOWN)

    def arrays(self, value: Fixations) -> dict[str, np.ndarray]:
        """The density, and the points where there are any."""
        return {name: array for name, array in vars(value).items() if array is not None}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> Fixations:
        """Put them together; the points are copied."""
        return Fixations(arrays["density"], np.array(arrays["points"]) if "points" in arrays else None)

    def empty(self, value: Fixations) -> Fixations:
        """Nobody looks anywhere."""
        return Fixations(np.zeros_like(value.density), None if value.points is None else value.points[:0])

    def draw(self, value: Fixations, image: np.ndarray, info: Info) -> np.ndarray:
        """The density as a heat map over the image, with the points."""
        return draw_fixations(image, value.density, value.points)

    def describe(self, values: Sequence[Fixations], info: Info) -> str:
        """How many points an image has, and how widely the density spreads."""
        spread = [_spread(value.density) for value in values]
        counts = [len(value.points) for value in values if value.points is not None]
        points = f"{min(counts)} to {max(counts)} points an image" if counts else "no points, densities alone"
        return f"{points}; half of the looks fall on {100 * np.mean(spread):.1f} % of the image"

    def faults(self, value: Fixations, size: tuple[int, int], info: Info) -> list[str]:
        """Name densities that are negative or not finite, and points outside of them."""
        if faults := array_fault(value.density, np.float32, (None, None)):
            return faults
        height, width = value.density.shape
        strange = value.density[~(np.isfinite(value.density) & (value.density >= 0))]
        if strange.size:
            faults.append(expected("a density of at least 0", f"{strange[0]} ({strange.size} pixels)"))
        if value.points is None:
            return faults
        if wrong := array_fault(value.points, np.float32, (None, 2)):
            return faults + wrong
        outside = value.points[~((value.points >= 0) & (value.points <= (width, height))).all(axis=1)]
        if len(outside):
            faults.append(expected(f"points inside {width}x{height} pixels", f"{len(outside)} outside"))
        return faults


def _spread(density: np.ndarray) -> float:
    """The smallest share of the pixels that holds half of a density; 1 where there is none."""
    values = np.sort(np.maximum(density, 0).ravel())[::-1].astype(np.float64)
    reach = values.cumsum()
    return float(np.searchsorted(reach, reach[-1] / 2) + 1) / values.size if reach[-1] > 0 else 1.0


def draw_fixations(image: np.ndarray, density: np.ndarray, points: np.ndarray | None = None) -> np.ndarray:
    """Lay a density (h,w; of any size) over uint8 RGB (H,W,3) as a heat map, and mark points, x,y in its pixels."""
    picture = heat(image, np.maximum(density, 0))
    if points is None or not len(points):
        return picture
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    radius = max(0.5, min(image.shape[:2]) / 150)
    ratio = np.array([image.shape[1] / density.shape[1], image.shape[0] / density.shape[0]])
    for x, y in (points * ratio).tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=MARK)
    return np.array(canvas)

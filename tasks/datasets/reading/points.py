"""Head points of crowd sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tasks.datasets.reading.files import fault, size_text

MARGIN = 0.01  # pixels: a clipped point stays inside its image when both are resized in float32
STRAY = 0.05  # share of the image's side that a point may lie outside before ``point_faults`` names it


def read_points(path: Path, raw: Any) -> np.ndarray:
    """Check the points x,y of an annotation and return them as float64 (K,2); no points at all are fine.

    Raises InputError where they are not pairs of finite numbers.
    """
    try:
        points = np.asarray(raw, np.float64)
    except (TypeError, ValueError) as error:
        raise fault(path, "points x,y", str(error)) from None
    if points.size == 0:
        return np.zeros((0, 2))
    if points.ndim == 1 and points.size == 2:  # a single head, whose dimension MATLAB's reader drops
        points = points[None]
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise fault(path, "points x,y, one a row, all finite", f"an array of shape {points.shape}")
    return points


def inside(points: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Clip points into an image of ``size`` (H,W), float32 (K,2): those on or outside its border still count."""
    if size is not None:
        points = np.clip(points, 0, np.array(size[::-1]) - MARGIN)
    return points.astype(np.float32)


def point_faults(path: Path, points: np.ndarray, size: tuple[int, int]) -> list[str]:
    """Name the points that lie far outside an image of ``size`` (H,W), and x and y that look swapped with them."""
    sides = np.array(size[::-1])
    far = ((points < -STRAY * sides) | (points > (1 + STRAY) * sides)).any(axis=1)
    if not far.any():
        return []
    x, y = points[far][0]
    found = f"{np.count_nonzero(far)} of {len(points)} far outside, the first at {x:.1f}, {y:.1f}"
    return [str(fault(path, f"heads inside {size_text(size)} pixels", found, "check the image and that x comes first"))]

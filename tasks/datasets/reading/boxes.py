"""Boxes as files give them, and boxes that can be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tasks.base import Boxes
from tasks.datasets.reading.files import fault, size_text

TOLERANCE = 1.0  # pixels that a box may reach beyond its image


def usable(boxes: Boxes, size: tuple[int, int], smallest: float = 0.0) -> Boxes:
    """Clip boxes to an image of ``size`` (H,W) and drop those with a side that is not longer than ``smallest``."""
    kept = _proper(boxes.xyxy, smallest)
    clipped = np.clip(boxes.xyxy, 0, np.tile(size[::-1], 2))
    kept &= _proper(clipped, 0.0)
    return Boxes(clipped[kept], boxes.labels[kept], boxes.difficult[kept])


def box_faults(path: Path, boxes: Boxes, size: tuple[int, int], smallest: float = 0.0) -> list[str]:
    """Name the boxes that ``usable`` would drop, or would clip by more than a pixel."""
    faults = []
    height, width = size
    limits = np.array([width, height, width, height]) + TOLERANCE
    for number, (box, proper) in enumerate(zip(boxes.xyxy, _proper(boxes.xyxy, smallest), strict=True), start=1):
        found = f"corners {', '.join(f'{side:g}' for side in box)} (from 0) of box {number}"
        if not proper:
            faults.append(str(fault(path, "boxes with an area", found, "mend the box; it is left out")))
        elif (box < -TOLERANCE).any() or (box > limits).any():
            expected = f"boxes inside {size_text(size)} pixels"
            faults.append(str(fault(path, expected, found, "mend the box; it is clipped")))
    return faults


def _proper(xyxy: np.ndarray, smallest: float) -> np.ndarray:
    return (xyxy[:, 2:] - xyxy[:, :2] > smallest).all(axis=1)

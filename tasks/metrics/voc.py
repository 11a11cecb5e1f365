"""Average precision by Pascal VOC's two definitions: matching as its devkit does, and what lies under the curve."""

from __future__ import annotations

import math

import numpy as np


def match(
    boxes: np.ndarray, scores: np.ndarray, truth: np.ndarray, difficult: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Decide which detections of one image and category are hits and which are misses, as the VOC devkit does.

    Each detection, best score first, is held against the box that it overlaps most, taken or not; a second hit on the
    same box is a miss, one on a difficult box is neither.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import match
        >>> boxes = np.array([[0.0, 0.0, 8.0, 8.0], [0.0, 0.0, 8.0, 7.0]])  # both on one object: the second is a miss
        >>> hit, miss = match(boxes, np.array([0.9, 0.8]), boxes[:1], np.array([False]), 0.5)
        >>> hit.tolist(), miss.tolist()
        ([True, False], [False, True])
    """
    hit, miss = np.zeros(len(boxes), dtype=bool), np.zeros(len(boxes), dtype=bool)
    taken = np.zeros(len(truth), dtype=bool)
    for i in np.argsort(-scores, kind="stable"):
        overlap = iou(boxes[i], truth)
        best = int(overlap.argmax()) if len(truth) else -1
        if best < 0 or overlap[best] < threshold:
            miss[i] = True
        elif not difficult[best]:
            hit[i], miss[i] = not taken[best], taken[best]
            taken[best] = True
    return hit, miss


def iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with others (K,4), corners x0, y0, x1, y1; 0 where both are empty.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import iou
        >>> iou(np.array([0.0, 0.0, 2.0, 2.0]), np.array([[0.0, 0.0, 2.0, 1.0]])).tolist()
        [0.5]
    """
    sides = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    intersection = sides[:, 0] * sides[:, 1]
    union = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def eleven_points(recall: np.ndarray, precision: np.ndarray) -> float:
    """VOC 2007: the mean over recalls 0, 0.1, ... 1 of the best precision from there on; NaN where undefined.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import eleven_points
        >>> round(eleven_points(np.array([0.45, 1.0]), np.array([1.0, 0.5])), 3)
        0.727
    """
    if recall.size == 0:
        return math.nan
    return float(np.mean([precision[recall >= level].max(initial=0.0) for level in np.arange(0.0, 1.1, 0.1)]))


def area_under(recall: np.ndarray, precision: np.ndarray) -> float:
    """VOC 2010 and later: the area under precision made non-increasing in recall; NaN where undefined.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import area_under
        >>> area_under(np.array([0.0, 0.5, 1.0]), np.array([1.0, 1.0, 0.5]))
        0.75
    """
    if recall.size == 0:
        return math.nan
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * envelope[1:]))

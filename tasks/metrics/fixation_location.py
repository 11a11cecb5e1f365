"""Location-based scores: a map at the pixels where people looked; conventions of the MIT saliency benchmark."""

from __future__ import annotations

import math

import numpy as np

from tasks.metrics.fixation_distribution import density_nss, same_size

SUBSETS, STEPS = 100, 10  # of the MIT benchmark's sAUC: thresholds are tenths


def nss(map: np.ndarray, fixations: np.ndarray, ddof: int = 0) -> float:
    """Normalised scanpath saliency: the mean of the standardised map at fixated pixels.

    ``mean_F (S - mean S) / std S`` (Peters et al., Vision Research 2005).

    Args:
        map: saliency (H,W).
        fixations: (H,W), above zero where somebody looked; a pixel counts once.
        ddof: of the deviation; 1 is Matlab's, 0 that of its ports.

    Returns:
        the score; NaN without a fixation, or for a constant map.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import nss
        >>> round(nss(np.array([[0.0, 0.0, 0.0, 1.0]]), np.array([[0, 0, 0, 1]])), 3)
        1.732
    """
    return density_nss(map, _looked_at(map, fixations), ddof)


def auc_judd(map: np.ndarray, fixations: np.ndarray) -> float:
    """AUC-J: area under the curve of fixated pixels against all others, thresholds at the values of fixated pixels.

    The trapezoids of Judd et al., ICCV 2009, between (0,0), the rates at or above each threshold, and (1,1). Where
    pixels tie, both rates count all of them: nothing is random, and no fixated pixel passes for a false alarm. Without
    ties this is the benchmark's score without its jitter.

    Args:
        map: saliency (H,W).
        fixations: (H,W), above zero where somebody looked; a pixel counts once.

    Returns:
        the area; NaN without a fixation, or without a pixel that has none.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import auc_judd
        >>> round(auc_judd(np.array([[0.1, 0.2, 0.3, 0.4]]), np.array([[0, 1, 0, 1]])), 3)
        0.875
    """
    looked = _looked_at(map, fixations) > 0
    positives, negatives = map[looked], np.sort(map[~looked])
    if not positives.size or not negatives.size:
        return math.nan
    thresholds, counts = np.unique(positives, return_counts=True)
    hits = counts[::-1].cumsum() / positives.size
    alarms = (negatives.size - np.searchsorted(negatives, thresholds[::-1])) / negatives.size
    return _area(alarms, hits)


def shuffled_auc(map: np.ndarray, fixations: np.ndarray, negatives: np.ndarray, *, borji: int | None = None) -> float:
    """sAUC: area under the curve of fixated pixels against those where people looked in other images; exact.

    The chance that a fixation's value exceeds that of a look at another image, ties counting half: SALICON's choice of
    negatives (all of them, with their counts), with all thresholds instead of steps of 0.01.

    Args:
        map: saliency (H,W).
        fixations: (H,W), above zero where somebody looked; a pixel counts once.
        negatives: int (H,W), how often others looked there; fixated pixels take no part.
        borji: seed of the MIT benchmark's estimate instead (Borji et al.), on a map stretched to [0,1]: the mean over
            100 random subsets of the negatives, no more of them than fixations and each pixel once, with thresholds
            from 0 in steps of 0.1. Its negatives are the union of ten other images.

    Returns:
        the area; NaN without a fixation or a negative.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import shuffled_auc
        >>> shuffled_auc(np.array([[0.1, 0.2, 0.3]]), np.array([[0, 0, 1]]), np.array([[1, 2, 5]]))
        1.0
    """
    looked = _looked_at(map, fixations) > 0
    weight = np.where(looked, 0, same_size(map, negatives))
    shuffled = weight > 0
    if not looked.any() or not shuffled.any():
        return math.nan
    if borji is not None:
        return _borji_auc(map, looked, shuffled, np.random.default_rng(borji))
    thresholds, place = np.unique(np.concatenate([map[looked], map[shuffled]]), return_inverse=True)
    count = int(looked.sum())
    positive = np.bincount(place[:count], minlength=len(thresholds))[::-1].cumsum()
    negative = np.bincount(place[count:], weight[shuffled], minlength=len(thresholds))[::-1].cumsum()
    return _area(negative / negative[-1], positive / count)


def _borji_auc(map: np.ndarray, looked: np.ndarray, shuffled: np.ndarray, draw: np.random.Generator) -> float:
    """Average the areas over random subsets of the negatives, at thresholds in steps."""
    span = float(np.ptp(map)) or 1.0
    positives, negatives = ((map[chosen].astype(np.float64) - map.min()) / span for chosen in (looked, shuffled))
    thresholds, areas = np.arange(STEPS, -1, -1)[:, None] / STEPS, []
    for _ in range(SUBSETS):
        subset = draw.permutation(negatives)[: positives.size]
        areas.append(_area((subset >= thresholds).mean(axis=1), (positives >= thresholds).mean(axis=1)))
    return math.fsum(areas) / SUBSETS


def _area(alarms: np.ndarray, hits: np.ndarray) -> float:
    """Area under the curve that runs from (0,0) over the given points to (1,1), by trapezoids."""
    x, y = (np.concatenate([[0.0], rates, [1.0]]) for rates in (alarms, hits))
    return float((np.diff(x) * (y[1:] + y[:-1])).sum() / 2)


def _looked_at(map: np.ndarray, fixations: np.ndarray) -> np.ndarray:
    return (same_size(map, fixations) > 0).astype(np.float64)

"""Scores of maps that say where people look, by the conventions of the MIT saliency benchmark."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from tasks.base import Metric

EPS = float(np.finfo(np.float64).eps)  # Matlab's, in the benchmark's code
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


def density_nss(map: np.ndarray, density: np.ndarray, ddof: int = 0) -> float:
    """NSS where there is a density but no point: the standardised map's mean, weighted by the density (H,W).

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import density_nss
        >>> round(density_nss(np.array([[0.0, 0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, 0.5, 0.5]])), 3)
        0.577
    """
    weight = _same_size(map, density)
    if _constant(map) or weight.sum() <= 0:
        return math.nan
    values = map.astype(np.float64)
    return float(((values - values.mean()) / values.std(ddof=ddof) * weight).sum() / weight.sum())


def correlation(map: np.ndarray, density: np.ndarray) -> float:
    """CC: Pearson's correlation of two maps (H,W); NaN where one is constant.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import correlation
        >>> round(correlation(np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, 2.0, 2.0]])), 3)
        0.866
    """
    first, second = map.astype(np.float64), _same_size(map, density)
    if _constant(first) or _constant(second):
        return math.nan
    first, second = first - first.mean(), second - second.mean()
    return float((first * second).sum() / math.sqrt((first**2).sum() * (second**2).sum()))


def similarity(map: np.ndarray, density: np.ndarray) -> float:
    """SIM: the sum of minima of two maps (H,W), each stretched to [0,1], then of sum one; NaN where one is constant.

    Judd et al., MIT technical report 2012; pysaliency leaves the stretch out.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import similarity
        >>> round(similarity(np.array([[0.0, 1.0, 1.0]]), np.array([[0.0, 0.0, 1.0]])), 3)
        0.5
    """
    second = _same_size(map, density)
    if _constant(map) or _constant(second):
        return math.nan
    return float(np.minimum(_stretched(map.astype(np.float64)), _stretched(second)).sum())


def kl_divergence(map: np.ndarray, density: np.ndarray) -> float:
    """KL: ``sum D log(eps + D / (S + eps))`` of two maps (H,W) of sum one, eps 2.2e-16; NaN where one sums to zero.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import kl_divergence
        >>> round(kl_divergence(np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]])), 3)
        0.693
    """
    first, second = map.astype(np.float64), _same_size(map, density)
    if first.sum() <= 0 or second.sum() <= 0:
        return math.nan
    first, second = first / first.sum(), second / second.sum()
    return float((second * np.log(EPS + second / (first + EPS))).sum())


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
    weight = np.where(looked, 0, _same_size(map, negatives))
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


def _same_size(map: np.ndarray, truth: np.ndarray) -> np.ndarray:
    if map.shape != truth.shape:
        raise ValueError(f"prediction {map.shape} and truth {truth.shape} differ in size")
    return truth.astype(np.float64)


def _looked_at(map: np.ndarray, fixations: np.ndarray) -> np.ndarray:
    return (_same_size(map, fixations) > 0).astype(np.float64)


def _constant(map: np.ndarray) -> bool:
    return bool(map.min() == map.max())


def _stretched(map: np.ndarray) -> np.ndarray:
    map = map - map.min()
    return map / map.sum()


@dataclass(frozen=True)
class Looks:
    """Where people looked in one frame.

    ``clip`` names the video that it belongs to, a still image being its own; ``density`` (H,W) is continuous;
    ``points`` (K,2) are the fixations, x,y in pixels of the density, None where the set has none.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import Looks
        >>> looks = Looks("clip 1", np.ones((2, 2)), np.array([[0.5, 1.5]]))  # in the lower left
        >>> len(looks.points)
        1
    """

    clip: str
    density: np.ndarray
    points: np.ndarray | None


class FixationScores(Metric):
    """NSS, AUC-J, sAUC, CC, SIM and KL of each frame, averaged over the frames of a clip, then over clips.

    ``nss`` is taken at the fixations, and is weighted by the density where a set has no points; ``points`` says which:
    the share of frames with points. AUC-J and sAUC need points. The negatives of sAUC are all fixations in other clips,
    brought to the size of the frame. A frame in which nobody looks anywhere is left out of the scores that this leaves
    undefined. A constant prediction knows nothing: NSS and CC are zero, SIM is that of a uniform map.

    For sAUC the predictions of frames with points are kept until the end, four bytes a pixel.

    Args:
        average: ``clips`` as the DHF1K server averages, or ``frames``, all of them pooled.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import FixationScores, Looks
        >>> density, scores = np.array([[0.0, 1.0], [2.0, 1.0]]), FixationScores()
        >>> scores.update(density, Looks("clip 1", density, None))
        >>> round(scores.compute()["cc"], 3)
        1.0
    """

    names = ("nss", "auc_j", "sauc", "cc", "sim", "kl", "points")

    def __init__(self, average: Literal["clips", "frames"] = "clips") -> None:
        self.average = average
        self.frames: list[_Frame] = []

    def update(self, prediction: np.ndarray, truth: Looks) -> None:
        """Add one frame: a map float (H,W), at least zero, at the size of the density."""
        prediction = prediction.astype(np.float32)
        density = _same_size(prediction, truth.density)
        pixels = None if truth.points is None else _pixels(truth.points, density.shape)
        scores = {"kl": kl_divergence(prediction, density), "points": float(pixels is not None)}
        weight = density if pixels is None else _counts([pixels], density.shape)
        if pixels is not None:
            scores["auc_j"] = auc_judd(prediction, weight)
        if not _constant(prediction):
            scores["nss"] = density_nss(prediction, weight) if pixels is None else nss(prediction, weight)
            scores |= {"cc": correlation(prediction, density), "sim": similarity(prediction, density)}
        elif not _constant(density):
            uniform = np.full(density.shape, 1 / density.size)
            scores |= {"nss": 0.0, "cc": 0.0, "sim": float(np.minimum(uniform, _stretched(density)).sum())}
        self.frames.append(_Frame(truth.clip, scores, pixels, density.shape, None if pixels is None else prediction))

    def merge(self, other: Self) -> None:
        """Add the frames of another metric."""
        self.frames.extend(other.frames)

    def compute(self) -> dict[str, float]:
        """Return all scores; NaN where no frame defines them."""
        return {name: self.score(name) for name in self.names}

    def score(self, name: str) -> float:
        """Return one score: the mean over frames of a clip, then over clips, or over all frames."""
        values = self._shuffled() if name == "sauc" else [frame.scores.get(name, math.nan) for frame in self.frames]
        groups: dict[str, list[float]] = {}
        for number, (frame, value) in enumerate(zip(self.frames, values, strict=True)):
            groups.setdefault(frame.clip if self.average == "clips" else str(number), []).append(value)
        return _mean(_mean(group) for group in groups.values())

    def _shuffled(self) -> list[float]:
        """Compute the sAUC of every frame against the fixations in all other clips."""
        everywhere: dict[tuple[int, ...], np.ndarray] = {}  # size -> counts of all clips
        own_clip: dict[tuple[str, tuple[int, ...]], np.ndarray] = {}  # clip, size -> its counts
        scores = []
        for frame in self.frames:
            if frame.map is None or frame.pixels is None:
                scores.append(math.nan)
                continue
            size = frame.size
            if size not in everywhere:
                everywhere[size] = self._looks(size)
            if (frame.clip, size) not in own_clip:
                own_clip[frame.clip, size] = self._looks(size, frame.clip)
            negatives = everywhere[size] - own_clip[frame.clip, size]
            scores.append(shuffled_auc(frame.map, _counts([frame.pixels], size), negatives))
        return scores

    def _looks(self, size: tuple[int, ...], clip: str | None = None) -> np.ndarray:
        """Count the looks of one clip, or of all, at the pixels of a frame of some size."""
        chosen = [frame for frame in self.frames if frame.pixels is not None and clip in (None, frame.clip)]
        return _counts([_moved(frame, size) for frame in chosen], size)


@dataclass(frozen=True)
class _Frame:
    """What is kept of one frame."""

    clip: str
    scores: dict[str, float]
    pixels: np.ndarray | None  # (K,2) row and column of each fixation
    size: tuple[int, ...]
    map: np.ndarray | None  # the prediction, where there are points


def _pixels(points: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Turn x,y into row and column; a point on or beyond the border belongs to the last pixel."""
    return np.clip(np.floor(points[:, ::-1]).astype(np.int64), 0, np.array(size) - 1)


def _moved(frame: _Frame, size: tuple[int, ...]) -> np.ndarray:
    """Bring the fixated pixels of a frame to another size, by their centres."""
    assert frame.pixels is not None
    return ((frame.pixels + 0.5) * np.array(size) / np.array(frame.size)).astype(np.int64)


def _counts(pixels: list[np.ndarray], size: tuple[int, ...]) -> np.ndarray:
    """Count, int64 (H,W), how often each pixel was looked at."""
    counts = np.zeros(size, np.int64)
    for looks in pixels:
        np.add.at(counts, (looks[:, 0], looks[:, 1]), 1)
    return counts


def _mean(values: Iterable[float]) -> float:
    """Mean of the values that are defined, rounded once."""
    defined = [value for value in values if not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else math.nan

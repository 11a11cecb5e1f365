"""Scores of maps that say where people look, over the frames of clips; a single map's have files of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from tasks.base import Metric
from tasks.metrics.fixation_distribution import constant, same_size, stretched
from tasks.metrics.fixation_distribution import correlation as correlation
from tasks.metrics.fixation_distribution import density_nss as density_nss
from tasks.metrics.fixation_distribution import kl_divergence as kl_divergence
from tasks.metrics.fixation_distribution import similarity as similarity
from tasks.metrics.fixation_location import auc_judd as auc_judd
from tasks.metrics.fixation_location import nss as nss
from tasks.metrics.fixation_location import shuffled_auc as shuffled_auc


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
        density = same_size(prediction, truth.density)
        pixels = None if truth.points is None else _pixels(truth.points, density.shape)
        scores = {"kl": kl_divergence(prediction, density), "points": float(pixels is not None)}
        weight = density if pixels is None else _counts([pixels], density.shape)
        if pixels is not None:
            scores["auc_j"] = auc_judd(prediction, weight)
        if not constant(prediction):
            scores["nss"] = density_nss(prediction, weight) if pixels is None else nss(prediction, weight)
            scores |= {"cc": correlation(prediction, density), "sim": similarity(prediction, density)}
        elif not constant(density):
            uniform = np.full(density.shape, 1 / density.size)
            scores |= {"nss": 0.0, "cc": 0.0, "sim": float(np.minimum(uniform, stretched(density)).sum())}
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

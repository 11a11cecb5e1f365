"""Errors of metric depth, an image at a time, then a mean over images."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tasks.errors import InputError, nearest
from tasks.metrics.per_image import PerImage

NEAREST = 1e-3  # metres; predictions are clamped to it, ground truth at or below it is invalid
Window = tuple[slice, slice]


def _fractions(top: float, bottom: float, left: float, right: float) -> Callable[[int, int], Window]:
    """Make a crop that is given as fractions of the image."""

    def window(height: int, width: int) -> Window:
        return slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))

    return window


def _nyu(top: int, bottom: int, left: int, right: int) -> Callable[[int, int], Window]:
    """Make a crop that is given in pixels of a NYUv2 image."""

    def window(height: int, width: int) -> Window:
        if (height, width) != (480, 640):
            raise InputError(
                f"this evaluation crop is defined on 480x640 NYUv2 images, the ground truth is {height}x{width}; "
                "choose another crop or none"
            )
        return slice(top, bottom), slice(left, right)

    return window


_garg = _fractions(0.40810811, 0.99189189, 0.03594771, 0.96405229)
_kitti_eigen = _fractions(0.3324324, 0.91351351, 0.0359477, 0.96405229)


def kitti_benchmark_crop(height: int, width: int) -> Window:
    """Locate the 352x1216 window at the bottom centre of a KITTI image that BTS and AdaBins cut out.

    Examples:
        >>> from tasks.metrics.depth import kitti_benchmark_crop
        >>> kitti_benchmark_crop(375, 1242)
        (slice(23, 375, None), slice(13, 1229, None))
    """
    if height < 352 or width < 1216:
        raise InputError(
            f"the KITTI benchmark crop needs at least 352x1216 pixels, the ground truth is {height}x{width}"
        )
    top, left = height - 352, int((width - 1216) / 2)
    return slice(top, height), slice(left, left + 1216)


def _inside_benchmark_crop(height: int, width: int) -> Window:
    """Apply Garg's fractions to the benchmark crop instead of the whole image: the published supervised tables."""
    outer_rows, outer_columns = kitti_benchmark_crop(height, width)
    rows, columns = _garg(352, 1216)
    return (
        slice(outer_rows.start + rows.start, outer_rows.start + rows.stop),
        slice(outer_columns.start + columns.start, outer_columns.start + columns.stop),
    )


CROPS: dict[str, Callable[[int, int], Window]] = {
    "eigen": _nyu(45, 471, 41, 601),  # Eigen et al. 2014 on NYUv2: the majority
    "densedepth": _nyu(20, 460, 24, 616),
    "kb": kitti_benchmark_crop,
    "garg": _inside_benchmark_crop,  # Garg et al. 2016 as supervised KITTI tables use it
    "garg_full": _garg,  # as self-supervised KITTI tables use it
    "kitti_eigen": _kitti_eigen,
}


def errors(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Compute the nine scores of one image from its valid positions, two float64 vectors in metres.

    In order: mean |p-g|/g; mean (p-g)^2/g; sqrt mean (p-g)^2; sqrt mean (ln p - ln g)^2; mean |lg p - lg g|;
    100 sqrt(mean e^2 - (mean e)^2) with e = ln p - ln g; shares of max(p/g, g/p) < 1.25, 1.25^2, 1.25^3.
    Eigen et al., NIPS 2014; equal to BTS, monodepth2 and the Monocular-Depth-Estimation-Toolbox.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.depth import errors
        >>> abs_rel, *_, delta1, _, _ = errors(np.array([2.0, 4.0]), np.array([1.0, 4.0]))
        >>> float(abs_rel), float(delta1)
        (0.5, 0.5)
    """
    difference, log_difference = prediction - truth, np.log(prediction) - np.log(truth)
    ratio = np.maximum(prediction / truth, truth / prediction)
    return np.array(
        [
            np.mean(np.abs(difference) / truth),
            np.mean(difference**2 / truth),
            math.sqrt(np.mean(difference**2)),
            math.sqrt(np.mean(log_difference**2)),
            np.mean(np.abs(np.log10(prediction) - np.log10(truth))),
            100 * np.std(log_difference),
            *(np.mean(ratio < 1.25**power) for power in (1, 2, 3)),
        ]
    )


class DepthErrors(PerImage):
    """AbsRel, SqRel, RMSE, RMSElog, log10, SILog and delta 1 to 3: means over the images that have ground truth.

    Args:
        cap: metres; predictions are clamped to it and ground truth at or beyond it does not count.
        crop: name of the window that is scored, one of CROPS, or None for the whole image.
        median_scaling: bring each prediction to the median of its ground truth first (self-supervised protocols).

    Raises InputError for an unknown crop, or an image that the crop is not defined on.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.depth import DepthErrors
        >>> errors = DepthErrors(cap=10.0)
        >>> errors.update(np.full((2, 2), 2.0), np.array([[4.0, 4.0], [0.0, 12.0]]))  # two positions are valid
        >>> errors.compute()["abs_rel"]
        0.5
    """

    names = ("abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "delta1", "delta2", "delta3")

    def __init__(self, cap: float, crop: str | None = None, *, median_scaling: bool = False) -> None:
        super().__init__()
        if crop is not None and crop not in CROPS:
            raise InputError(f"unknown evaluation crop '{crop}'{nearest(crop, CROPS)}")
        self.cap = cap
        self.crop = crop
        self.median_scaling = median_scaling

    def update(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """Add one image: metres, both (H,W); whatever is not within (1e-3, cap) in ``truth`` is invalid."""
        if prediction.shape != truth.shape:
            raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in size")
        if self.crop is not None:
            window = CROPS[self.crop](*truth.shape)
            prediction, truth = prediction[window], truth[window]
        # Compared in the type of the file's own values: 1 mm as float32 must not pass for more than 1e-3.
        valid = (truth > NEAREST) & (truth < self.cap)
        if not valid.any():
            return
        held, against = prediction[valid].astype(np.float64), truth[valid].astype(np.float64)
        if self.median_scaling:
            held = held * float(np.median(against) / np.maximum(np.median(held), NEAREST))
        held = np.nan_to_num(np.clip(held, NEAREST, self.cap), nan=NEAREST)
        self.rows.append(errors(held, against))

    def score(self, name: str) -> float:
        """Return the mean of one column."""
        column = self.names.index(name)
        return self.mean(np.array([row[column] for row in self.rows]))

    def compute(self) -> dict[str, float]:
        """Return the nine scores; NaN where no image had a valid position."""
        columns = self.columns().reshape(-1, len(self.names))
        return {name: self.mean(columns[:, i]) for i, name in enumerate(self.names)}

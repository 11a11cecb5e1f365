"""Scores of salient-object masks, by PySODMetrics."""

from __future__ import annotations

import numpy as np

from tasks.errors import InputError
from tasks.metrics.per_image import PerImage

THRESHOLDS = 256


class SaliencyScores(PerImage):
    """S-measure, MAE, F (beta^2 = 0.3), weighted F (beta^2 = 1) and E, averaged over images.

    The prediction is rounded to 8 bits at the size of the mask, then stretched to [0,1] unless it is constant. The
    maximum and mean of F and E are those of the curve over 256 thresholds averaged over images: neither the mean of
    each image's maximum, nor F of the mean precision and recall. A perfect map scores E slightly above 1, since the
    reference divides by N - 1. Fan et al., ICCV 2017 (S); Achanta et al., CVPR 2009 (F); Margolin et al., CVPR 2014
    (weighted F); Fan et al., IJCAI 2018 (E); conventions of PySODMetrics 1.6.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.saliency import SaliencyScores
        >>> mask = np.pad(np.ones((4, 4)), 2)
        >>> scores = SaliencyScores()
        >>> scores.update(mask, mask)
        >>> round(scores.compute()["s_measure"], 3)
        1.0
    """

    scalars = ("s_measure", "mae", "adaptive_f", "weighted_f", "adaptive_e")

    def update(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """Add one image: probabilities float (H,W) at the mask's size, and the mask, 0 or 1."""
        from tasks.metrics.pysod import measure  # takes seconds, so not at the top

        if prediction.shape != truth.shape:
            raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in size")
        if strange := set(np.unique(truth).tolist()) - {0, 1}:
            raise InputError(
                f"a mask of 0 and 1 expected, found {sorted(strange)}: the measures know no ignored pixels"
            )
        grey = np.round(np.clip(prediction.astype(np.float64), 0, 1) * 255).astype(np.uint8)
        mask = (truth > 0).astype(np.uint8) * 255
        self.rows.append(measure(grey, mask))

    def score(self, name: str) -> float:
        """Return one score, those that are no curve's without the others."""
        if name not in self.scalars:
            return super().score(name)
        column = self.scalars.index(name)
        return self.mean(np.array([row[column] for row in self.rows]))

    def compute(self) -> dict[str, float]:
        """Return all scores; NaN where there was no image."""
        columns = self.columns().reshape(-1, len(self.scalars) + 2 * THRESHOLDS)
        means = np.array([self.mean(column) for column in columns.T])
        scores = dict(zip(self.scalars, means.tolist(), strict=False))
        f, e = means[len(self.scalars) :].reshape(2, THRESHOLDS)
        return {
            "s_measure": scores["s_measure"],
            "mae": scores["mae"],
            "max_f": float(f.max()),
            "mean_f": float(f.mean()),
            "adaptive_f": scores["adaptive_f"],
            "weighted_f": scores["weighted_f"],
            "max_e": float(e.max()),
            "mean_e": float(e.mean()),
            "adaptive_e": scores["adaptive_e"],
        }

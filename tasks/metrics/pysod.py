"""PySODMetrics, which alone knows the published conventions of salient-object scores; it takes seconds to import."""

from __future__ import annotations

import numpy as np
from py_sod_metrics import MAE, Emeasure, FmeasureHandler, FmeasureV2, Smeasure, WeightedFmeasure
from py_sod_metrics.utils import EPS


class _Structure(Smeasure):
    """S-measure that stays defined where the foreground's centroid lies on the last row or column.

    One of the four regions is empty then; its weight is zero, but its similarity would be NaN upstream.
    """

    def ssim(self, pred: np.ndarray, gt: np.ndarray) -> float:
        return super().ssim(pred, gt) if pred.size else 0.0


def measure(grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Score one map, both uint8 (H,W), the mask 0 or 255.

    Returns S, MAE, adaptive F, weighted F and adaptive E, then the 256 values of the curves of F and of E.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.pysod import measure
        >>> mask = np.pad(np.full((4, 4), 255, np.uint8), 2)
        >>> [round(float(score), 3) for score in measure(mask, mask)[:4]]
        [1.0, 0.0, 1.0, 1.0]
    """
    structure, error, enhanced, weighted = _Structure(), MAE(), Emeasure(), WeightedFmeasure()
    f_measure = FmeasureV2({"f": FmeasureHandler(with_dynamic=True, with_adaptive=True, beta=0.3)})
    for metric in (structure, error, enhanced, weighted, f_measure):
        metric.step(grey, mask)
    e = enhanced.get_results()["em"]
    f = f_measure.get_results()["f"]
    # N - 1 + eps is eps alone on a single pixel: undo that division, so that right is 1 and wrong is 0.
    scale = EPS if mask.size == 1 else 1.0
    scalars = [
        structure.get_results()["sm"],
        error.get_results()["mae"],
        f["adaptive"],
        weighted.get_results()["wfm"],
        e["adp"] * scale,
    ]
    return np.concatenate([scalars, f["dynamic"], e["curve"] * scale])

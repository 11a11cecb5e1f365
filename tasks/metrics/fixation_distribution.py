"""Distribution-based scores: how alike a map and the density of fixations are; conventions of the MIT benchmark."""

from __future__ import annotations

import math

import numpy as np

EPS = float(np.finfo(np.float64).eps)  # Matlab's, in the benchmark's code


def density_nss(map: np.ndarray, density: np.ndarray, ddof: int = 0) -> float:
    """NSS where there is a density but no point: the standardised map's mean, weighted by the density (H,W).

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import density_nss
        >>> round(density_nss(np.array([[0.0, 0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, 0.5, 0.5]])), 3)
        0.577
    """
    weight = same_size(map, density)
    if constant(map) or weight.sum() <= 0:
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
    first, second = map.astype(np.float64), same_size(map, density)
    if constant(first) or constant(second):
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
    second = same_size(map, density)
    if constant(map) or constant(second):
        return math.nan
    return float(np.minimum(stretched(map.astype(np.float64)), stretched(second)).sum())


def kl_divergence(map: np.ndarray, density: np.ndarray) -> float:
    """KL: ``sum D log(eps + D / (S + eps))`` of two maps (H,W) of sum one, eps 2.2e-16; NaN where one sums to zero.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation import kl_divergence
        >>> round(kl_divergence(np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]])), 3)
        0.693
    """
    first, second = map.astype(np.float64), same_size(map, density)
    if first.sum() <= 0 or second.sum() <= 0:
        return math.nan
    first, second = first / first.sum(), second / second.sum()
    return float((second * np.log(EPS + second / (first + EPS))).sum())


def same_size(map: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the truth as float64; raises ValueError unless it has the size of the map.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation_distribution import same_size
        >>> same_size(np.zeros((1, 2)), np.array([[0, 3]])).tolist()
        [[0.0, 3.0]]
    """
    if map.shape != truth.shape:
        raise ValueError(f"prediction {map.shape} and truth {truth.shape} differ in size")
    return truth.astype(np.float64)


def constant(map: np.ndarray) -> bool:
    """Whether all values of a map are equal, so that it says nothing of where people look.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation_distribution import constant
        >>> constant(np.ones((2, 2))), constant(np.eye(2))
        (True, False)
    """
    return bool(map.min() == map.max())


def stretched(map: np.ndarray) -> np.ndarray:
    """Shift a map so that it begins at zero, and scale it to a sum of one.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.fixation_distribution import stretched
        >>> stretched(np.array([[1.0, 2.0, 4.0]])).tolist()
        [[0.0, 0.25, 0.75]]
    """
    map = map - map.min()
    return map / map.sum()

"""The statistics of boards: intervals over seeds, paired differences, gap recovered, corrected tests."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` seeds, its standard deviation (ddof 1) and 95 % interval; None where it cannot be told."""

    mean: float
    n: int
    std: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def side(self) -> int | None:
        """Which side of zero the interval lies on: 1 above, -1 below, 0 around it; None without an interval."""
        if self.low is None or self.high is None:
            return None
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


@lru_cache(maxsize=1024)
def quantile(n: int) -> float:
    """Return the two-sided 95 % quantile of Student's t with n - 1 degrees of freedom."""
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1))


def estimate(values: Sequence[float]) -> Estimate | None:
    """Return mean, standard deviation (ddof 1) and Student's t interval of finite values; None where there are none.

    interval = mean -+ t(0.975, n - 1) std / sqrt(n). One value has neither deviation nor interval.
    """
    n = len(values)
    if n == 0:
        return None
    mean = float(statistics.mean(values))  # exact: equal values have no deviation at all
    if n == 1:
        return Estimate(mean, 1)
    std = statistics.stdev(values)
    half = quantile(n) * std / math.sqrt(n)
    return Estimate(mean, n, std, mean - half, mean + half)


def differences(scores: Mapping[int, float], control: Mapping[int, float], higher_is_better: bool) -> tuple[float, ...]:
    """Return the improvements over the control, one a seed that both have, in the order of seeds.

    Positive is better whatever the metric's direction.
    """
    sign = 1.0 if higher_is_better else -1.0
    return tuple(sign * (scores[seed] - control[seed]) for seed in sorted(scores.keys() & control.keys()))


def gap_recovered(
    scores: Mapping[int, float], control: Mapping[int, float], teacher: float, higher_is_better: bool
) -> Estimate | None:
    """Return the part of the gap between control and teacher that a method closes, with a 95 % interval.

    gap = (S_method - S_control) / (T - S_control), means over the seeds that both have. The interval is Fieller's for a
    ratio of paired means (Fieller, J. R. Stat. Soc. B 16, 1954): the values g for which a paired t-test does not reject
    mean(d - g e) = 0, with d = S_method - S_control and e = T - S_control a seed. It is bounded exactly where the
    teacher lies outside the control's own 95 % interval; elsewhere, and where the teacher is the worse of the two, the
    gap is undefined and None is returned. So it is with one seed, which has no interval.
    """
    d = differences(scores, control, higher_is_better)
    n = len(d)
    if n < 2:
        return None
    e = differences(dict.fromkeys(scores, teacher), control, higher_is_better)
    power = -math.frexp(max(map(abs, (*d, *e))))[1]  # the ratio has no unit, and squares of large numbers no end
    d, e = (tuple(math.ldexp(value, power) for value in side) for side in (d, e))
    dd, de, ee = (_covariance(*pair) * quantile(n) ** 2 / n for pair in ((d, d), (d, e), (e, e)))
    top, bottom = (float(np.mean(gains)) for gains in (d, e))
    a = bottom**2 - ee
    if bottom <= 0 or a <= 0:
        return None
    b = top * bottom - de
    root = math.sqrt(max(b**2 - a * (top**2 - dd), 0.0))
    return Estimate(top / bottom, n, None, (b - root) / a, (b + root) / a)


def _covariance(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the covariance (ddof 1) of pairs; NumPy's last digit depends on the processor, and boards are bytes."""
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    return math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / (len(x) - 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given (Holm, Scand. J. Stat. 6, 1979).

    The k-th smallest of m is multiplied by m - k + 1, made no smaller than the one before it, and capped at 1.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1.0)
    return [float(value) for value in corrected]

"""How far the mean of paired differences is known: over seeds, the teachers that they have, and images.

A difference of one seed on one image is modelled as ``d = gain + image + teacher + seed + rest``, all but the gain
random with mean zero: the seeds, teachers and images drawn stand for those that might have been. ``strata`` finds the
mean squares of one comparison, ``prior`` says what those of many have in common, ``interval`` puts both into one
variance of the gain. ``perf/coverage.py`` prints how often such intervals hold the truth, beside others.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

CONFIDENCE = 0.95
DIGITS = 9  # that are kept: the order of a sum, and with it the last digits, depends on the processor


@dataclass(frozen=True)
class Square:
    """A mean square with its degrees of freedom, and its share in the variance of the mean."""

    value: float
    df: float
    share: float

    @property
    def part(self) -> float:
        """What it adds to the variance of the mean."""
        return self.share * self.value


@dataclass(frozen=True)
class Strata:
    """A comparison: its mean, how many seeds, and the mean squares of seeds, teachers and images."""

    mean: float
    seeds: int
    std: float | None  # of the seeds' differences
    run: Square | None  # of seeds (within teachers, where there is a teacher stratum)
    teacher: Square | None = None
    image: Square | None = None


@dataclass(frozen=True)
class Interval:
    """A 95 % interval of a gain with its p-value (two-sided, of no gain) and degrees of freedom."""

    low: float
    high: float
    p: float
    df: float


@dataclass(frozen=True)
class Prior:
    """What the variances of many comparisons say of each: a typical one, worth ``df`` degrees of freedom."""

    value: float
    df: float


def strata(differences: Sequence[float], teachers: Sequence[Hashable], images: np.ndarray | None = None) -> Strata:
    """Find the mean squares of the differences of runs, one a seed.

    Args:
        differences: of the score of each seed.
        teachers: of each seed, whatever tells them apart.
        images: (seeds, images), pseudo-values of the differences; None where not all runs have them.

    With one teacher, or another one for each seed, teachers and seeds cannot be told apart and are one stratum. With K
    teachers of n_k seeds, ``E[between] = run + r teacher`` with ``r = (S - sum n_k^2 / S) / (K - 1)`` (Searle et al.,
    Variance Components, 1992, chapter 3). Of images, what is beyond the rest is kept: the rest is within seeds already.
    """
    d = np.asarray(differences, dtype=np.float64)
    s, mean = len(d), float(d.mean())
    if s < 2:
        return Strata(mean, s, None, None)
    sizes, means = _groups(d, teachers)
    k, square, image = len(sizes), float(((d - mean) ** 2).sum()), None if images is None else _image(images)
    std = math.sqrt(square / (s - 1))
    if k in (1, s):
        return Strata(mean, s, std, Square(square / (s - 1), s - 1, 1 / s), None, image)
    between = float((sizes * (means - mean) ** 2).sum())
    r = (s - float((sizes**2).sum()) / s) / (k - 1)
    share = float((sizes**2).sum()) / s**2 / r
    within = Square(max(square - between, 0.0) / (s - k), s - k, 1 / s - share)
    return Strata(mean, s, std, within, Square(between / (k - 1), k - 1, share), image)


def _groups(d: np.ndarray, teachers: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many seeds each teacher has, and their mean difference."""
    names = list(dict.fromkeys(teachers))
    member = np.array([names.index(teacher) for teacher in teachers])
    sizes = np.bincount(member).astype(np.float64)
    return sizes, np.bincount(member, weights=d) / sizes


def _image(values: np.ndarray) -> Square:
    """Return the variance of images' effects, over the number of images, without what the rest adds to it."""
    s, n = values.shape
    rows, columns, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    of_images = float(((columns - mean) ** 2).sum()) * s / (n - 1)
    rest = values - rows[:, None] - columns + mean
    of_rest = float((rest**2).sum()) / ((s - 1) * (n - 1))
    return Square(max(of_images - of_rest, 0.0) / s, n - 1, 1 / n)


def interval(comparison: Strata, run: Prior | None = None, teacher: Prior | None = None) -> Interval | None:
    """Return the interval of a comparison, with Student's t of Satterthwaite's degrees of freedom.

    ``V^2 / sum of V_k^2 / df_k`` (Biometrics Bulletin 2, 1946) over the strata's parts V_k. Where teachers vary no more
    than seeds do, both strata are one. Priors lend their degrees of freedom to seeds and teachers, which are few;
    images are many. None with one seed, which tells nothing of its own spread.
    """
    if comparison.run is None:
        return None
    parts = [*_of_runs(comparison, run, teacher), *([comparison.image] if comparison.image else [])]
    variance = sum(part.part for part in parts)
    if variance <= 0:
        return Interval(comparison.mean, comparison.mean, 1.0 if comparison.mean == 0 else 0.0, comparison.run.df)
    df = 1 / sum((part.part / variance) ** 2 / part.df for part in parts)
    error = math.sqrt(variance)
    half = float(special.stdtrit(df, 0.5 + CONFIDENCE / 2)) * error
    p = 2 * float(special.stdtr(df, -abs(comparison.mean) / error))
    return Interval(rounded(comparison.mean - half), rounded(comparison.mean + half), rounded(p), rounded(df))


def _of_runs(comparison: Strata, run: Prior | None, teacher: Prior | None) -> list[Square]:
    """Return the mean squares that make up the variance of seeds and teachers."""
    within = comparison.run
    assert within is not None
    if comparison.teacher is None:
        return [_moderate(within, run)]
    between = comparison.teacher
    within_, between_ = _moderate(within, run), _moderate(between, teacher)
    if between_.value > within_.value:
        return [between_, within_]
    df = within_.df + between_.df
    pooled = (within_.value * within_.df + between_.value * between_.df) / df
    return [Square(pooled, df, 1 / comparison.seeds)]


def _moderate(square: Square, prior: Prior | None) -> Square:
    """Draw a mean square towards the prior, each by its degrees of freedom."""
    if prior is None:
        return square
    if math.isinf(prior.df):
        return replace(square, value=prior.value, df=prior.df)
    df = square.df + prior.df
    return replace(square, value=(square.df * square.value + prior.df * prior.value) / df, df=df)


def prior(squares: Sequence[Square]) -> Prior | None:
    """Fit a scaled F distribution to the mean squares of several comparisons, by moments of their logarithms.

    ``s^2 ~ s0^2 F(d, d0)`` (Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004, section 6.2). Where the mean squares vary no
    more than chance lets them, all of them together are the estimate: d0 is the sum of their degrees of freedom, not
    infinite, since the comparisons share a control. A mean square of zero, as of two rows that are the same bits, tells
    nothing of the others. Fewer than three are worth nothing: None.
    """
    positive = [square for square in squares if square.value > 0]
    if len(positive) < 3:
        return None
    value, df = (np.array([getattr(square, name) for square in positive]) for name in ("value", "df"))
    e = np.log(value) - special.digamma(df / 2) + np.log(df / 2)
    spread = float(e.var(ddof=1) - special.polygamma(1, df / 2).mean())
    if spread <= special.polygamma(1, 5e3):
        return Prior(float((value * df).sum() / df.sum()), float(df.sum()))
    d0 = 2 * float(optimize.brentq(lambda x: special.polygamma(1, x) - spread, 1e-3, 1e4))
    scale = math.exp(float(e.mean() + special.digamma(d0 / 2) - math.log(d0 / 2)))
    return Prior(scale, min(d0, float(df.sum())))


def rounded(value: float) -> float:
    """Keep what does not depend on the processor."""
    return float(f"{value:.{DIGITS}g}")

"""Loudness: how hard the terms of a method pull at the student, beside the task loss."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from leaderboards.record import Record

TASK_LOSS = "supervised"  # the term that every other one is measured by


def loudness(runs: Iterable[Record]) -> float | None:
    """Return the gradient norms of a method's terms in the student over that of the task loss.

    Weighted as in training; added over the terms of a step, so that together they pull at most so hard; the median over
    the steps on which they were measured and over runs. None where no run has a term beside the task loss.
    """
    pulls = [pull for run in runs for pull in _pulls(run)]
    return statistics.median(pulls) if pulls else None


def _pulls(run: Record) -> Iterator[float]:
    """Yield the sum of each step on which any term was measured; a schedule may bring terms in late."""
    ratios = [values for name, values in run.diagnostics.ratios.items() if name != TASK_LOSS]
    for step in zip_longest(*ratios):
        known = [ratio for ratio in step if ratio is not None]
        if known:
            yield sum(known)

"""Entries of a board held against each other, run by run: gains over the control, and what can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from leaderboards.contrast import Interval, Prior, Strata, interval, prior, strata
from leaderboards.entry import Entry
from leaderboards.statistics import Estimate, differences, estimate, holm

LEVEL = 0.05  # of error, over all pairs of a board
Values = Mapping[str, tuple[str, np.ndarray]]  # run id -> hash of the image ids, value of each image


@dataclass(frozen=True)
class Gain:
    """A difference to the control, positive where the method is better whatever the metric."""

    estimate: Estimate
    p: float | None  # two-sided, of no gain; None with one seed
    images: bool  # whether the interval is one over images as well, not over seeds alone
    p_holm: float | None = None  # corrected for the gains of the board


@dataclass(frozen=True)
class Comparisons:
    """The gains of entries by id, and the pairs that differ, Holm over all pairs."""

    gains: Mapping[str, Gain]
    apart: frozenset[frozenset[str]]
    tested: frozenset[frozenset[str]]

    def tied(self, a: str, b: str) -> bool | None:
        """Say whether two entries cannot be told apart; None where they share too few seeds to tell."""
        pair = frozenset((a, b))
        return pair not in self.apart if a == b or pair in self.tested else None


def compare(entries: Sequence[Entry], control: Entry | None, values: Values, higher_is_better: bool) -> Comparisons:
    """Compare all entries with the control, and with each other.

    Where both runs of every seed have values of the same images, intervals are over seeds, teachers and images, their
    variances moderated over the entries of the board; elsewhere they are Student's t over seeds.
    """
    scored = [entry for entry in entries if entry.scores]
    against = {
        entry.id: found
        for entry in scored
        if control and entry.id != control.id and (found := _strata(entry, control, values, higher_is_better))
    }
    whole = [found for found in against.values() if found.image]
    run, teacher = prior([each.run for each in whole if each.run]), prior([e.teacher for e in whole if e.teacher])
    gains = {
        key: _gain(entry, control, against[key], run, teacher, higher_is_better)
        for entry in scored
        if (key := entry.id) in against and control
    }
    pairs = {
        frozenset((a.id, b.id)): ends.p
        for a, b in combinations(scored, 2)
        if (found := _strata(a, b, values, higher_is_better)) and (ends := _ends(found, run, teacher))
    }
    corrected = dict(zip(pairs, holm(list(pairs.values())), strict=True))
    return Comparisons(_corrected(gains), frozenset(key for key, p in corrected.items() if p < LEVEL), frozenset(pairs))


def _strata(entry: Entry, other: Entry, values: Values, higher_is_better: bool) -> Strata | None:
    """Find the mean squares of an entry's differences to another; None where they share no seed."""
    paired = differences(entry.scores, other.scores, higher_is_better)
    if not paired:
        return None
    runs, others = ({record.seed: record for record in each.records} for each in (entry, other))
    seeds = sorted(entry.scores.keys() & other.scores.keys())
    pairs = [(values.get(runs[seed].run_id), values.get(others[seed].run_id)) for seed in seeds]
    known = [(a, b) for a, b in pairs if a and b and a[0] == b[0] == (pairs[0][0] or b)[0]]
    images = None
    if len(known) == len(seeds) > 1:
        images = (1.0 if higher_is_better else -1.0) * np.stack([a[1] - b[1] for a, b in known])
    teachers = [_teachers(entry, seed) or _teachers(other, seed) for seed in seeds]
    return strata(paired, teachers if images is not None else [()] * len(seeds), images)


def _teachers(entry: Entry, seed: int) -> tuple[str, ...]:
    """Name the teachers of a seed's run."""
    return tuple(sorted(next(record.method.roles.values() for record in entry.records if record.seed == seed)))


def _ends(found: Strata, run: Prior | None, teacher: Prior | None) -> Interval | None:
    return interval(found, run, teacher) if found.image else interval(found)


def _gain(
    entry: Entry, control: Entry, found: Strata, run: Prior | None, teacher: Prior | None, higher_is_better: bool
) -> Gain:
    simple = estimate(differences(entry.scores, control.scores, higher_is_better))
    assert simple is not None
    ends = _ends(found, run, teacher)
    if ends is None:
        return Gain(simple, None, False)
    if not found.image:
        return Gain(simple, ends.p, False)
    return Gain(Estimate(simple.mean, simple.n, simple.std, ends.low, ends.high), ends.p, True)


def _corrected(gains: Mapping[str, Gain]) -> dict[str, Gain]:
    """Correct the p-values for their number."""
    tested = {key: gain.p for key, gain in gains.items() if gain.p is not None}
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    return {key: Gain(gain.estimate, gain.p, gain.images, corrected.get(key)) for key, gain in gains.items()}

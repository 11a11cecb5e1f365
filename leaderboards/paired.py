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
SEEDS, IMAGES, ALL = "seeds", "seeds and images", "seeds, teachers and images"  # what intervals of gains are over
Values = Mapping[str, tuple[str, np.ndarray]]  # run id -> hash of the image ids, value of each image


@dataclass(frozen=True)
class Gain:
    """A difference to the control, positive where the method is better whatever the metric."""

    estimate: Estimate
    p: float | None  # two-sided, of no gain; None with one seed
    over: str  # what the interval is over; empty where there is none
    p_holm: float | None = None  # corrected for the gains of the board


@dataclass(frozen=True)
class Comparisons:
    """The gains of entries by id, and which entry is better than which, Holm over all pairs."""

    gains: Mapping[str, Gain]
    better: frozenset[tuple[str, str]]  # (better, worse), of the pairs that can be told apart
    tested: frozenset[frozenset[str]]

    def tied(self, a: str, b: str) -> bool | None:
        """Say whether nothing shows the first to be better; None where they share too few seeds to tell."""
        return (a, b) not in self.better if a == b or frozenset((a, b)) in self.tested else None


def compare(entries: Sequence[Entry], control: Entry | None, values: Values, higher_is_better: bool) -> Comparisons:
    """Compare all entries with the control, and with each other.

    Where both runs of every seed have values of the same images, intervals are over seeds, teachers (where there are
    several) and images, their variances moderated over the entries of the board; elsewhere they are Student's t over
    seeds. Entries of which a run failed are not compared: what the other seeds reach is no gain.
    """
    scored = [entry for entry in entries if entry.scores and not entry.failed]
    against = {
        entry.id: paired
        for entry in scored
        if control and entry.id != control.id and (paired := _strata(entry, control, values, higher_is_better))
    }
    whole = [paired for paired in against.values() if paired.image]
    run = prior([paired.run for paired in whole if paired.run])
    teacher = prior([paired.teacher for paired in whole if paired.teacher])
    gains = {
        key: _gain(entry, control, against[key], run, teacher, higher_is_better)
        for entry in scored
        if (key := entry.id) in against and control
    }
    pairs = {
        ((a.id, b.id) if paired.mean > 0 else (b.id, a.id)): ends.p
        for a, b in combinations(scored, 2)
        if (paired := _strata(a, b, values, higher_is_better)) and (ends := _ends(paired, run, teacher))
    }
    corrected = dict(zip(pairs, holm(list(pairs.values())), strict=True))
    better = frozenset(pair for pair, p in corrected.items() if p < LEVEL)
    return Comparisons(_corrected(gains), better, frozenset(map(frozenset, pairs)))


def _strata(entry: Entry, reference: Entry, values: Values, higher_is_better: bool) -> Strata | None:
    """Find the mean squares of an entry's differences to a reference; None where they share no seed."""
    gains = differences(entry.scores, reference.scores, higher_is_better)
    if not gains:
        return None
    seeds = sorted(entry.scores.keys() & reference.scores.keys())
    of_entry, of_reference = (_values(side, seeds, values) for side in (entry, reference))
    pairs = list(zip(of_entry, of_reference, strict=True))
    known = [(a, b) for a, b in pairs if a and b and a[0] == b[0] == (pairs[0][0] or b)[0]]
    images = None
    if len(known) == len(seeds) > 1 and len(known[0][0][1]) > 1:
        images = (1.0 if higher_is_better else -1.0) * np.stack([a[1] - b[1] for a, b in known])
    teachers = [(_teachers(entry, seed), _teachers(reference, seed)) for seed in seeds]
    return strata(gains, teachers if images is not None else [()] * len(seeds), images)


def _values(entry: Entry, seeds: Sequence[int], values: Values) -> list[tuple[str, np.ndarray] | None]:
    """List what an entry's runs of some seeds scored on each image, None where that is unknown."""
    runs = {record.seed: record.run_id for record in entry.records}
    return [values.get(runs[seed]) for seed in seeds]


def _teachers(entry: Entry, seed: int) -> tuple[str, ...]:
    """Name the teachers of a seed's run."""
    return tuple(sorted(next(record.method.roles.values() for record in entry.records if record.seed == seed)))


def _ends(paired: Strata, run: Prior | None, teacher: Prior | None) -> Interval | None:
    return interval(paired, run, teacher) if paired.image else interval(paired)


def _gain(
    entry: Entry, control: Entry, paired: Strata, run: Prior | None, teacher: Prior | None, higher_is_better: bool
) -> Gain:
    simple = estimate(differences(entry.scores, control.scores, higher_is_better))
    assert simple is not None
    ends = _ends(paired, run, teacher)
    if ends is None:
        return Gain(simple, None, "")
    if not paired.image:
        return Gain(simple, ends.p, SEEDS)
    over = ALL if len({_teachers(entry, seed) for seed in entry.scores}) > 1 else IMAGES
    return Gain(Estimate(simple.mean, simple.n, simple.std, ends.low, ends.high), ends.p, over)


def _corrected(gains: Mapping[str, Gain]) -> dict[str, Gain]:
    """Correct the p-values for their number."""
    tested = {key: gain.p for key, gain in gains.items() if gain.p is not None}
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    return {key: Gain(gain.estimate, gain.p, gain.over, corrected.get(key)) for key, gain in gains.items()}

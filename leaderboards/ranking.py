"""Ranks and tie groups of the entries of a track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

from leaderboards.statistics import Estimate

UNPROVEN = "?"


@dataclass(frozen=True)
class Place:
    """The place of an entry: its rank, and the letters of its tie groups, ``?`` where one seed allows no claim."""

    rank: int
    group: str = ""


def overlap(a: Estimate, b: Estimate) -> bool:
    """Say whether two 95 % intervals overlap; with an unknown one (one seed) nothing can be said, which is False."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return False
    return a.low <= b.high and b.low <= a.high


def places(
    scores: Mapping[str, Estimate],
    failed: Sequence[str],
    higher_is_better: bool,
    tied: Callable[[str, str], bool | None] = lambda better, worse: None,
) -> dict[str, Place]:
    """Place the entries of a block; keys are entries, in the returned order: best first, failed ones last.

    Entries are taken in the order of their means. The first leads group A. One that is tied with the leader is in the
    leader's group; the first that is not leads the next group, and carries the letters of every leader that it is tied
    with. ``tied`` says so of a leader and an entry below: that nothing shows the leader to be better; where it says
    None, that their intervals overlap does. Entries of a group share
    the rank of its leader, since the data do not order them. An entry of one seed
    has no interval and joins no group: its rank is its position, marked as unproven. Failed entries share the last
    rank, the number of entries.
    """
    sign = -1.0 if higher_is_better else 1.0
    order = sorted(scores, key=lambda key: (sign * scores[key].mean, key))
    placed: dict[str, Place] = {}

    def alike(leader: str, key: str) -> bool:
        return overlap(scores[leader], scores[key]) if (said := tied(leader, key)) is None else said

    leaders: list[tuple[int, str]] = []
    for position, key in enumerate(order, start=1):
        if scores[key].low is None:
            placed[key] = Place(position, UNPROVEN)
            continue
        if not leaders or not alike(leaders[-1][1], key):
            leaders.append((position, key))
        shared = (index for index, (_, leader) in enumerate(leaders) if alike(leader, key))
        placed[key] = Place(leaders[-1][0], "".join(map(letter, shared)))
    last = len(scores) + len(failed)
    return placed | {key: Place(last) for key in sorted(failed)}


def rank_bounds(scores: Mapping[str, Estimate], better: Collection[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Return the best and the worst rank that pairwise comparisons leave open to each entry.

    ``better`` holds (better, worse) of the pairs that are told apart. At best an entry comes after all that are better,
    at worst before all that are worse. With pairs told apart at one level for all of them (Holm), the intervals hold
    together: Al Mohamad et al., Biometrics 78 (2022). Entries of one seed have none.
    """
    known = {key for key, score in scores.items() if score.low is not None}
    pairs = [(above, below) for above, below in better if above in known and below in known]
    above, below = Counter(lower for _, lower in pairs), Counter(upper for upper, _ in pairs)
    return {key: (1 + above[key], len(scores) - below[key]) for key in known}


def letter(index: int) -> str:
    """Return A, B, ... Z, then a number in parentheses."""
    return chr(ord("A") + index) if index < 26 else f"({index + 1})"


def average_ranks(scores: Mapping[str, float], failed: Sequence[str], higher_is_better: bool) -> dict[str, float]:
    """Rank the entries of a block by their means, 1 the best, equal means sharing their average rank.

    A failed entry gets the worst rank that there is, the number of entries: a method that crashes must not gain.
    """
    keys = list(scores)
    sign = -1.0 if higher_is_better else 1.0
    ranks = stats.rankdata([sign * scores[key] for key in keys], method="average") if keys else []
    last = float(len(scores) + len(failed))
    return {key: float(rank) for key, rank in zip(keys, ranks, strict=True)} | dict.fromkeys(failed, last)

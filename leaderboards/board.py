"""Boards: the records of a track, aggregated over seeds and ranked. A board is a function of records alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leaderboards.entry import Entry, collect
from leaderboards.machines import elsewhere
from leaderboards.naming import over_boards
from leaderboards.notes import notes
from leaderboards.paired import Values, compare
from leaderboards.ranking import places, rank_bounds
from leaderboards.record import Record
from leaderboards.statistics import Estimate, estimate, gap_recovered
from leaderboards.track import Reference, Track, describe, references
from leaderboards.trivial import predictors, unbeaten


@dataclass(frozen=True)
class Row:
    """One entry of a board: a method with its options, over its seeds."""

    entry: Entry
    rank: int | None  # None: not ranked (missing, not applicable)
    bounds: tuple[int, int] | None  # the ranks that the pairwise comparisons leave open
    group: str  # letters of tie groups
    score: Estimate | None  # the primary metric
    gain: Estimate | None  # to the control, over the seeds that both have, positive is better; None for the control
    p: float | None  # of no gain, two-sided
    p_holm: float | None  # the same, corrected for the number of gains on the board
    over: str  # what the interval of the gain is over; empty where it has none
    gap: Estimate | None  # gap recovered; None is a dash
    metrics: Mapping[str, Estimate]  # the other metrics
    coverage: float  # seeds that ended, of the seeds of the track
    train_ratio: float | None  # training seconds over the control's, on the same machine


@dataclass(frozen=True)
class Board:
    """A track's entries, best first, with the teachers as reference rows and what a reader must know."""

    track: Track
    seeds: tuple[int, ...]
    metrics: Mapping[str, bool]  # the other metrics -> higher is better
    rows: tuple[Row, ...]
    references: tuple[Reference, ...]  # teachers, then predictors that look at no image
    control: str | None  # entry id of the student trained alone
    excluded: str  # why no matrix holds the board; empty for one that takes part
    notes: tuple[str, ...]


def boards(
    records: Iterable[Record], excluded: Mapping[str, str] | None = None, values: Values | None = None
) -> list[Board]:
    """Make one board a track, sorted by task, dataset, labels, setting and budget, whatever the order of records.

    A record that another one supersedes is left out where that other one is there, and its board says so.
    ``excluded`` says of tracks why they take no part in matrices; ``values`` what runs scored on each image.
    """
    records, excluded, values = list(records), excluded or {}, values or {}
    ids = {record.run_id for record in records}
    tracks: dict[str, list[Record]] = defaultdict(list)
    superseded: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.submission.superseded_by in ids and record.submission.superseded_by != record.run_id:
            superseded[record.track_id].append(record.run_id)
        else:
            tracks[record.track_id].append(record)
    made = [board(group, sorted(superseded[track]), excluded.get(track, ""), values) for track, group in tracks.items()]
    return sorted(made, key=lambda board: board.track.order)


def board(
    records: Sequence[Record], superseded: Sequence[str] = (), excluded: str = "", values: Values | None = None
) -> Board:
    """Make the board of one track from its records, whatever their order.

    ``superseded`` runs were left out; ``excluded`` says why the board takes no part in matrices;
    ``values`` holds what runs scored on each image, for intervals.
    """
    records = sorted(records, key=lambda record: record.run_id)
    track = describe(records)
    entries = collect(records)
    seeds = tuple(sorted({record.seed for record in records if record.status != "not_applicable"}))
    control = _control(entries)
    teachers, trivial = references(records), predictors(records)
    teacher = next((reference.score for reference in teachers if reference.main), None)
    weak = unbeaten(control, trivial, track)
    upper = None if weak else teacher
    excluded = excluded or weak
    estimates = {entry.id: value for entry in entries if (value := estimate(list(entry.scores.values())))}
    ranked = {entry.id: estimates[entry.id] for entry in entries if entry.status == "ok" and entry.id in estimates}
    failed = [entry.id for entry in entries if entry.failed]
    comparisons = compare(entries, control, values or {}, track.higher_is_better)
    placed = places(ranked, failed, track.higher_is_better, comparisons.tied)
    bounds = rank_bounds(ranked, comparisons.better)
    by_id = {entry.id: entry for entry in entries}
    unranked = sorted(by_id.keys() - placed.keys(), key=lambda key: (by_id[key].status, by_id[key].label, key))

    baseline = control.scores if control else {}

    def row(entry: Entry) -> Row:
        place = placed.get(entry.id)
        compared = {} if control and entry.id == control.id else baseline
        higher, gain = track.higher_is_better, comparisons.gains.get(entry.id)
        return Row(
            entry=entry,
            rank=place.rank if place else None,
            bounds=bounds.get(entry.id),
            group=place.group if place else "",
            score=estimates.get(entry.id),
            gain=gain.estimate if gain else None,
            p=gain.p if gain else None,
            p_holm=gain.p_holm if gain else None,
            over=gain.over if gain else "",
            gap=None if upper is None or entry.failed else gap_recovered(entry.scores, compared, upper, higher),
            metrics=entry.metrics,
            coverage=len(entry.ended & set(seeds)) / len(seeds) if seeds else 0.0,
            train_ratio=_ratio(entry, control),
        )

    rows = tuple(row(by_id[key]) for key in [*placed, *unranked])
    return Board(
        track=track,
        seeds=seeds,
        metrics=_other_metrics(records, track.primary),
        rows=rows,
        references=(*teachers, *trivial),
        control=control.id if control else None,
        excluded=excluded,
        notes=notes(records, track, entries, control, comparisons.gains, teacher, superseded, excluded),
    )


def by_name(boards: Sequence[Sequence[Row]]) -> list[dict[str, Row]]:
    """Return the rows of each board by a name that one configuration of a method has on all of them."""
    names = over_boards([{row.entry.id: row.entry.records[0] for row in rows} for rows in boards])
    return [{name[row.entry.id]: row for row in rows} for rows, name in zip(boards, names, strict=True)]


def _control(entries: Sequence[Entry]) -> Entry | None:
    """Return the student trained alone; of several the one with the most seeds."""
    alone = [entry for entry in entries if entry.alone]
    return min(alone, key=lambda entry: (-len(entry.scores), entry.id), default=None)


def _other_metrics(records: Sequence[Record], primary: str) -> dict[str, bool]:
    """List every metric but the primary one with its direction, in the order of the records."""
    scores = [item for record in records for item in record.scores.metrics.items()]
    directions: dict[str, bool] = {}
    for name, score in scores:
        if name != primary:
            directions.setdefault(name, score.higher_is_better)
    return directions


def _ratio(entry: Entry, control: Entry | None) -> float | None:
    """Return training seconds over the control's; None where either is unknown, or from another machine."""
    if control is None or not control.costs.train_s or entry.costs.train_s is None or elsewhere(entry, control):
        return None
    return entry.costs.train_s / control.costs.train_s

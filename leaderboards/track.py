"""Tracks: what the runs of a board have in common, in words, and the teachers that they are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboards.record import Record
from leaderboards.record_parts import Teacher


@dataclass(frozen=True)
class Track:
    """What all runs of a board share."""

    id: str
    setting: str  # the track without its budget
    task: str
    title: str
    dataset: str
    protocol: str  # name; empty where it has none
    labeled: str  # name of the labelled part
    labeled_count: int
    labeled_total: int
    n_test: int
    student: str
    budget: str
    budget_kind: str
    primary: str
    higher_is_better: bool

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key of boards: task, dataset, most labels first, setting, budget."""
        share = self.labeled_count / self.labeled_total if self.labeled_total else 0.0
        return (self.task, self.dataset, -share, self.labeled, self.setting, self.budget_kind, self.id)

    @property
    def name(self) -> str:
        """One line: what is learnt, from what."""
        return f"{self.title} on {self.dataset}, {labels(self)}"


@dataclass(frozen=True)
class Reference:
    """A teacher as a row that is not ranked."""

    id: str
    role: str
    label: str
    main: bool  # the teacher of the gap
    score: float | None
    metrics: Mapping[str, float]
    params: int | None
    macs: int | None
    steps: int | None


def describe(records: Sequence[Record]) -> Track:
    """Read what the runs of a track share from its first record, in the order of run ids."""
    first = min(records, key=lambda record: record.run_id)
    title = first.task.title or first.task.name
    primary = first.scores.primary_metric
    measured = [record for record in records if primary in record.scores.metrics]
    labeled, budget = first.dataset.labeled, first.protocol.budget
    return Track(
        id=first.track_id,
        setting=first.setting_id,
        task=first.task.name,
        title=title[:1].upper() + title[1:],
        dataset=first.dataset.name,
        protocol=next((record.protocol.name for record in records if record.protocol.name), ""),
        labeled=labeled.name,
        labeled_count=labeled.count,
        labeled_total=labeled.total,
        n_test=first.dataset.n_test,
        student=_network(first.student.decoder, first.student.encoder, first.student.init),
        budget=_budget(first),
        budget_kind=budget.kind,
        primary=primary,
        higher_is_better=all(record.scores.metrics[primary].higher_is_better for record in measured),
    )


def conditions(track: Track) -> tuple[str, ...]:
    """Say what all runs spend, and under which protocol where it has a name."""
    return (track.budget, f"protocol {track.protocol}") if track.protocol else (track.budget,)


def labels(track: Track) -> str:
    """Say how many images are labelled."""
    if track.labeled_count >= track.labeled_total:
        return f"all {track.labeled_total} labels"
    return f"{track.labeled} labels ({track.labeled_count} of {track.labeled_total})"


def references(records: Sequence[Record]) -> tuple[Reference, ...]:
    """List the teachers of a track, the main one first.

    The main teacher is the one that most runs list first; its score on the test split is the upper end of the gap.
    """
    listed = [record.teachers for record in records]
    firsts = Counter(teachers[0].id for teachers in listed if teachers)
    main = min(firsts, key=lambda key: (-firsts[key], key), default=None)
    by_id: dict[str, Teacher] = {}
    for teachers in listed:
        for teacher in teachers:
            if teacher.id not in by_id or by_id[teacher.id].own_score is None:
                by_id[teacher.id] = teacher
    return tuple(
        Reference(
            id=teacher.id,
            role=teacher.role,
            label=f"teacher {teacher.role}: {_network(teacher.decoder, teacher.encoder, '')}".rstrip(": "),
            main=teacher.id == main,
            score=teacher.own_score,
            metrics={name: value for name, value in teacher.own_metrics.items() if value is not None},
            params=teacher.params,
            macs=teacher.macs,
            steps=teacher.steps,
        )
        for teacher in sorted(by_id.values(), key=lambda teacher: (teacher.id != main, teacher.role, teacher.id))
    )


def _network(decoder: str, encoder: str, init: str) -> str:
    name = " ".join(part for part in (decoder, encoder) if part) or "network"
    return f"{name} ({init})" if init else name


def _budget(record: Record) -> str:
    budget = record.protocol.budget
    if budget.kind == "steps":
        return f"equal steps ({budget.steps})" if budget.steps is not None else "equal steps"
    if budget.kind == "time":
        factor = f", {budget.factor:g} x the control's" if budget.factor is not None else ""
        return f"equal training time{factor}"
    return "open budget"

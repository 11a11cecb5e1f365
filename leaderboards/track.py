"""Tracks: what the runs of a board have in common, in words, and the teachers that they are held against."""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from leaderboards.record import Record
from leaderboards.record_parts import Student, Teacher

T = TypeVar("T")
UNPROVEN = "it shows that things run, and proves nothing"


@dataclass(frozen=True)
class Track:
    """What all runs of a board share."""

    id: str
    setting: str  # the track without its budget
    task: str
    title: str
    dataset: str
    protocol: str  # name; empty where it has none
    proves: bool | None  # whether it is made to compare methods; None where nothing is known
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
    def share(self) -> Fraction:
        """The labelled share: a seeded one as it was asked for, whatever whole number of images that gave."""
        if named := re.fullmatch(r"(?:.*-)?(\d+)/([1-9]\d*)", self.labeled):
            return Fraction(int(named[1]), int(named[2]))
        return Fraction(self.labeled_count, self.labeled_total) if self.labeled_total else Fraction(0)

    @property
    def name(self) -> str:
        """One line: what is learnt, from what."""
        return f"{self.title} on {self.dataset}, {labels(self)}"

    @property
    def under_budget(self) -> str:
        """The same, and what every run spends."""
        return f"{self.name}, {self.budget}"


@dataclass(frozen=True)
class Reference:
    """A row that is not ranked: teachers of one kind, by the means over their seeds, or a trivial predictor."""

    id: str
    role: str
    label: str
    main: bool  # the teacher of the gap
    score: float | None
    metrics: Mapping[str, float]
    params: int | None
    macs: int | None
    steps: int | None
    latency_ms_p50: float | None = None
    activation_mb: float | None = None
    images_per_s: float | None = None


def describe(records: Sequence[Record]) -> Track:
    """Read what the runs of a track share from its first record, in the order of run ids.

    Of protocols, and of the metric's direction, what most runs say counts.
    """
    first = min(records, key=lambda record: record.run_id)
    title = first.task.title or first.task.name
    primary = first.scores.primary_metric
    scores = [found for record in records for found in (record.scores.metrics, record.scores.validation)]
    measured = [found for found in scores if primary in found]
    labeled, budget = first.dataset.labeled, first.protocol.budget
    protocol, proves = _commonest([protocol_of(record) for record in records])
    return Track(
        id=first.track_id,
        setting=first.setting_id,
        task=first.task.name,
        title=title[:1].upper() + title[1:],
        dataset=first.dataset.name,
        protocol=protocol,
        proves=proves,
        labeled=labeled.name,
        labeled_count=labeled.count,
        labeled_total=labeled.total,
        n_test=first.dataset.n_test,
        student=_student(first.student),
        budget=_budget(first),
        budget_kind=budget.kind,
        primary=primary,
        higher_is_better=_commonest([found[primary].higher_is_better for found in measured] or [True]),
    )


def conditions(track: Track) -> tuple[str, ...]:
    """Say what all runs spend, and under which protocol where it has a name."""
    said = f"protocol {track.protocol}" + ("" if track.proves is not False else f": {UNPROVEN}")
    return (track.budget, said) if track.protocol else (track.budget,)


def protocol_of(record: Record) -> tuple[str, bool | None]:
    """Return the name of a run's protocol, and whether it is made to compare methods."""
    return record.protocol.name, record.protocol.proves


def _commonest(values: Sequence[T]) -> T:
    """Return what most runs say, so that one that differs does not speak for all; of equals the first by its text."""
    count = Counter(values)
    return min(count, key=lambda value: (-count[value], repr(value)))


def labels(track: Track) -> str:
    """Say how many images are labelled."""
    if track.labeled_count >= track.labeled_total:
        return f"all {track.labeled_total} labels"
    return f"{track.labeled} labels ({track.labeled_count} of {track.labeled_total})"


def references(records: Sequence[Record]) -> tuple[Reference, ...]:
    """List the teachers of a track, the main one first; teachers that differ in nothing but the seed are one row.

    The main teacher is the one that most runs list first; its mean score on the test split is the upper end of the gap.
    """
    listed = [record.teachers for record in records]
    firsts = Counter(_kind(teachers[0]) for teachers in listed if teachers)
    main = min(firsts, key=lambda key: (-firsts[key], key), default=None)
    by_kind: dict[str, dict[str, Teacher]] = defaultdict(dict)
    for teachers in listed:
        for teacher in teachers:
            kept = by_kind[_kind(teacher)]
            if teacher.id not in kept or kept[teacher.id].own_score is None:
                kept[teacher.id] = teacher
    rows = [_reference(kind, [group[key] for key in sorted(group)], kind == main) for kind, group in by_kind.items()]
    return tuple(sorted(rows, key=lambda row: (not row.main, row.role, row.id)))


def _kind(teacher: Teacher) -> str:
    return teacher.kind or teacher.id


def _reference(kind: str, teachers: Sequence[Teacher], main: bool) -> Reference:
    """Describe teachers of one kind by the means of their scores."""
    first = teachers[0]
    names = {name for teacher in teachers for name in teacher.own_metrics}
    metrics = {name: _mean([teacher.own_metrics.get(name) for teacher in teachers]) for name in sorted(names)}
    return Reference(
        id=kind,
        role=first.role,
        label=f"teacher {first.role}: {_network(first.decoder, first.encoder)}".rstrip(": "),
        main=main,
        score=_mean([teacher.own_score for teacher in teachers]),
        metrics={name: value for name, value in metrics.items() if value is not None},
        params=first.params,
        macs=first.macs,
        latency_ms_p50=_mean([teacher.latency_ms_p50 for teacher in teachers]),
        activation_mb=first.activation_mb,
        images_per_s=_mean([teacher.images_per_s for teacher in teachers]),
        steps=first.steps,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    """Average what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _student(student: Student) -> str:
    """Name the student, with what share of each side it sees and where its first weights come from."""
    shrink = student.options.get("shrink")
    seen = f" at 1/{shrink} of the resolution" if shrink else ""
    return _network(student.decoder, student.encoder) + seen + (f" ({student.init})" if student.init else "")


def _network(decoder: str, encoder: str) -> str:
    return " ".join(part for part in (decoder, encoder) if part) or "network"


def _budget(record: Record) -> str:
    budget = record.protocol.budget
    if budget.kind == "steps":
        return f"equal steps ({budget.steps})" if budget.steps is not None else "equal steps"
    if budget.kind == "time":
        factor = f", {budget.factor:g} x the control's" if budget.factor is not None else ""
        return f"equal training time{factor}"
    return "open budget"

"""Entries: the runs that differ in nothing but the seed, which are one row of a board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from leaderboards import naming
from leaderboards.loudness import loudness
from leaderboards.record import Record
from leaderboards.statistics import Estimate, estimate
from leaderboards.store import standing
from leaderboards.values import Level

FAILED = ("diverged", "failed", "timeout")  # statuses that take the last rank, the most telling first


@dataclass(frozen=True)
class Costs:
    """What an entry costs, means over its finished runs; None where unknown."""

    params: float | None
    macs: float | None
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    train_s: float | None
    step_ms: float | None
    teacher_share: float | None
    peak_mem_mb: float | None
    activation_mb: float | None
    images_per_s: float | None


@dataclass(frozen=True)
class Entry:
    """A method with its options over its seeds; ``records`` holds one record a seed."""

    id: str
    label: str
    status: str  # 'ok', one of FAILED where any seed failed, 'missing' or 'not_applicable'
    records: tuple[Record, ...]
    scores: Mapping[int, float]  # seed -> primary metric of finished runs
    metrics: Mapping[str, Estimate]  # the other metrics
    costs: Costs
    loudness: float | None  # of its terms' gradients, beside the task loss's
    level: Level  # the least verified finished run's
    reproduced: bool  # False where a check of any run gave another score

    @property
    def failed(self) -> bool:
        """Whether any seed failed, diverged or ran out of time: a method that crashes must not gain."""
        return self.status in FAILED

    @property
    def control(self) -> bool:
        """Whether the row is a control: the student alone, a placebo, a regulariser without a teacher."""
        method = self.records[0].method
        return method.control or method.regulariser

    @property
    def alone(self) -> bool:
        """Whether the student was trained alone: a control that has no teacher."""
        method = self.records[0].method
        return method.control and not method.roles and not method.variant

    @property
    def strengthened(self) -> bool:
        """Whether the method was given a strength that is neither its own nor tuned."""
        return naming.strengthened(self.records[0])

    @property
    def name(self) -> str:
        """Method and variant, whatever the options."""
        return naming.base(self.records[0])

    @property
    def ended(self) -> set[int]:
        """Seeds whose run came to an end, good or bad."""
        return {record.seed for record in self.records if status(record, self.primary) in ("ok", *FAILED)}

    @property
    def primary(self) -> str:
        """Name of the metric that ranks."""
        return self.records[0].scores.primary_metric

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why runs are not ok, one sentence a seed."""
        texts = []
        for record in self.records:
            state = status(record, self.primary)
            if state != "ok":
                reason = record.status_reason or (
                    "the score is undefined" if record.status == "ok" else "no reason given"
                )
                texts.append(f"seed {record.seed} {state.replace('_', ' ')}: {reason}")
        return tuple(texts)


def collect(records: Iterable[Record]) -> list[Entry]:
    """Group the records of a track into entries, sorted by id; of runs of a seed the best ended one counts."""
    groups: dict[str, dict[int, Record]] = defaultdict(dict)
    for record in records:
        runs = groups[record.entry_id]
        kept = runs.get(record.seed)
        if kept is None or standing(record) > standing(kept):
            runs[record.seed] = record
    entries = {key: tuple(runs[seed] for seed in sorted(runs)) for key, runs in sorted(groups.items())}
    labels = naming.on_board({key: runs[0] for key, runs in entries.items()})
    return [_entry(key, labels[key], runs) for key, runs in entries.items()]


def status(record: Record, primary: str) -> str:
    """Return what counts: a finished run without a score failed, an unfinished one is missing."""
    if record.status == "ok":
        return "ok" if _value(record, primary) is not None else "failed"
    return "missing" if record.status == "interrupted" else record.status


def _value(record: Record, metric: str) -> float | None:
    score = record.scores.metrics.get(metric)
    return None if score is None else score.value


def _entry(key: str, label: str, runs: tuple[Record, ...]) -> Entry:
    primary = runs[0].scores.primary_metric
    states = {status(run, primary) for run in runs}
    finished = [run for run in runs if status(run, primary) == "ok"]
    checks = [run.verification for run in finished]
    scores = {run.seed: run.scores.metrics[primary].value for run in finished}
    return Entry(
        id=key,
        label=label,
        status=next((state for state in (*FAILED, "ok", "missing") if state in states), "not_applicable"),
        records=runs,
        scores={seed: score for seed, score in scores.items() if score is not None},
        metrics=_metrics(finished, primary),
        costs=_costs(finished),
        loudness=loudness(finished),
        level=min((check.level for check in checks), default="L0"),
        reproduced=all(check.reproduced for check in checks),
    )


def _metrics(runs: Sequence[Record], primary: str) -> dict[str, Estimate]:
    """Estimate every metric but the primary one over the seeds where it is defined."""
    values: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, score in run.scores.metrics.items():
            if name != primary and score.value is not None:
                values[name].append(score.value)
    estimates = {name: estimate(scores) for name, scores in values.items()}
    return {name: value for name, value in estimates.items() if value is not None}


def _costs(runs: Sequence[Record]) -> Costs:
    def mean(read: Callable[[Record], float | None]) -> float | None:
        values = [value for value in map(read, runs) if value is not None]
        return sum(values) / len(values) if values else None

    return Costs(
        params=mean(lambda run: run.inference.params),
        macs=mean(lambda run: run.inference.macs),
        latency_ms_p50=mean(lambda run: run.inference.latency_ms_p50),
        latency_ms_p95=mean(lambda run: run.inference.latency_ms_p95),
        train_s=mean(lambda run: run.training.wall_s),
        step_ms=mean(lambda run: run.training.step_ms_p50),
        teacher_share=mean(lambda run: run.training.teacher_share),
        peak_mem_mb=mean(lambda run: run.training.peak_mem_mb),
        activation_mb=mean(lambda run: run.inference.activation_mb),
        images_per_s=mean(lambda run: run.inference.images_per_s),
    )

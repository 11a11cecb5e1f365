"""Whether records of a protocol can carry a comparison: five criteria a task, each with its figures."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leaderboards.record import Record
from leaderboards.record_parts import Margin

PLATEAU = 0.1  # share of the gap that doubling the steps may move the control
DEVIATIONS = 5.0  # standard deviations over seeds that the teacher must lead by
VALUES = 5  # learning rates that the control must have been tried with


@dataclass(frozen=True)
class Asked:
    """What a protocol asks of its records beside the criteria's own numbers."""

    seeds: int
    teachers: int


@dataclass(frozen=True)
class Criterion:
    """One demand: whether it is met, None where records do not say, and the figures."""

    name: str
    met: bool | None
    figures: str


@dataclass(frozen=True)
class Evidence:
    """What the records of one track say of its control and its main teacher; scores are signed: higher is better."""

    control: Mapping[float, Mapping[int, float]]  # multiple of the steps -> seed -> score
    teachers: Mapping[str, float]  # id -> score
    trivial: Mapping[str, float]
    margin: Margin | None
    alone: tuple[Record, ...]  # the control's runs at the track's own steps

    @property
    def once(self) -> Mapping[int, float]:
        """The control at the track's own steps."""
        return self.control.get(1.0, {})

    @property
    def best(self) -> float:
        """The multiple of the steps at which the control is best by its mean: longer training may hurt."""
        return max(self.control, key=lambda multiple: statistics.fmean(self.control[multiple].values()), default=1.0)


def evidence(records: Iterable[Record], protocol: str) -> dict[str, Evidence]:
    """Read what the records of a protocol say, by task; of each the track with the most labels counts.

    Looks at finished runs under equal steps. A task without any is not listed.
    """
    tracks: dict[str, dict[tuple[float, str], list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        if (record.protocol.name, record.protocol.budget.kind, record.status) == (protocol, "steps", "ok"):
            labeled = record.dataset.labeled
            share = labeled.count / labeled.total if labeled.total else 0.0
            tracks[record.task.name][share, record.track_id].append(record)
    best = {task: max(groups, key=lambda key: (key[0], len(groups[key]), key)) for task, groups in tracks.items()}
    return {task: gather(tracks[task][key]) for task, key in sorted(best.items())}


def gather(records: Sequence[Record]) -> Evidence:
    """Read the evidence of one track from its finished runs."""
    records = sorted(records, key=lambda record: record.run_id)
    first = records[0]
    sign = 1.0 if first.scores.metrics[first.scores.primary_metric].higher_is_better else -1.0
    control: dict[float, dict[int, float]] = defaultdict(dict)
    controls = [record for record in records if record.method.control and not record.method.regulariser]
    alone = [record for record in controls if not record.method.roles]
    for record in alone:
        if record.score is not None:
            control[record.protocol.multiple or 1.0][record.seed] = sign * record.score
    listed = [record.teachers[0] for record in records if record.teachers]
    primary = first.scores.primary_metric
    said = {name: metrics.get(primary) for record in records for name, metrics in record.trivial.items()}
    return Evidence(
        control=control,
        teachers={teacher.id: sign * teacher.own_score for teacher in listed if teacher.own_score is not None},
        trivial={name: sign * score for name, score in said.items() if score is not None},
        margin=next((record.task.margin for record in records if record.task.margin), None),
        alone=tuple(record for record in alone if record.protocol.multiple == 1.0),
    )


def judge(evidence: Evidence, asked: Asked) -> tuple[Criterion, ...]:
    """Hold the evidence of a track against every criterion."""
    return plateau(evidence), lead(evidence), beats_trivial(evidence), tuned(evidence), repeated(evidence, asked)


def plateau(evidence: Evidence) -> Criterion:
    """The control is at its plateau: twice the steps move it by less than a tenth of its gap to the teacher."""
    name = "control at its plateau"
    twice, shared = evidence.control.get(2.0, {}), sorted(evidence.once.keys() & evidence.control.get(2.0, {}).keys())
    if not shared or not evidence.teachers:
        return Criterion(name, None, "needs the control at 1 x and 2 x steps, and the teacher's score")
    before, after = (statistics.fmean(scores[seed] for seed in shared) for scores in (evidence.once, twice))
    gap, change = statistics.fmean(evidence.teachers.values()) - before, after - before
    said = f"2 x steps: {abs(before):.4g} to {abs(after):.4g}, {change:+.4g}; gap to the teacher {gap:.4g}"
    return Criterion(name, gap > 0 and abs(change) < PLATEAU * gap, f"{said} ({_count(shared, 'seed')})")


def lead(evidence: Evidence) -> Criterion:
    """The teacher leads the control at its plateau by five standard deviations over seeds and the task's margin.

    Of the multiples of its steps that the control was trained for, the best counts; the deviation is the larger of
    control's and teachers'.
    """
    name = "teacher leads by its capacity"
    reached, taught = list(evidence.control.get(evidence.best, {}).values()), list(evidence.teachers.values())
    samples = (reached, list(evidence.once.values()), taught)
    deviations = [statistics.stdev(scores) for scores in samples if len(scores) > 1]
    if not reached or not taught or not deviations:
        return Criterion(name, None, "needs the teacher's score and the control over at least two seeds")
    if evidence.margin is None or max(evidence.control) < 2:
        missing = "the task's margin" if evidence.margin is None else "the control at 2 x steps or more"
        return Criterion(name, None, f"needs {missing}")
    base, top = statistics.fmean(reached), statistics.fmean(taught)
    wanted = evidence.margin.absolute or (evidence.margin.relative or 0.0) * abs(base)
    ahead, deviation = top - base, max(deviations)
    said = f"{abs(top):.4g} against {abs(base):.4g} at {evidence.best:g} x steps: {ahead:+.4g}"
    sure = f"{ahead / deviation:.1f} standard deviations" if deviation else "no deviation"
    met = ahead >= wanted and ahead >= DEVIATIONS * deviation
    return Criterion(name, met, f"{said}, {sure}, margin {wanted:.4g} ({_count(taught, 'teacher')})")


def beats_trivial(evidence: Evidence) -> Criterion:
    """The control beats every predictor that looks at no image."""
    name = "control beats trivial predictors"
    if not evidence.once or not evidence.trivial:
        return Criterion(name, None, "needs the control's score and those of trivial predictors")
    strongest = max(evidence.trivial, key=lambda key: (evidence.trivial[key], key))
    control, blind = statistics.fmean(evidence.once.values()), evidence.trivial[strongest]
    return Criterion(name, control > blind, f"{abs(control):.4g} against {abs(blind):.4g} ({strongest})")


def tuned(evidence: Evidence) -> Criterion:
    """The control's learning rate was chosen among at least five, and is neither the lowest nor the highest."""
    name = "control tuned first"
    if not evidence.alone:
        return Criterion(name, None, "needs runs of the control")
    spent = [record.protocol.tuning for record in evidence.alone]
    spaces = [part.space.get("lr") for part in spent if part]
    tried = [float(value) for value in spaces[0]] if spaces and isinstance(spaces[0], list) else []  # type: ignore[arg-type]
    rate = evidence.alone[0].protocol.recipe.get("lr")
    if len(spaces) < len(spent) or not tried or not isinstance(rate, int | float):
        return Criterion(name, False, "the records of the control name no tuning of its learning rate")
    inside = min(tried) < rate < max(tried)
    said = f"rate {rate:g} of {len(tried)} from {min(tried):g} to {max(tried):g}"
    return Criterion(name, inside and len(tried) >= VALUES, said)


def repeated(evidence: Evidence, asked: Asked) -> Criterion:
    """There are as many seeds and teachers as the protocol asks for."""
    seeds, teachers = len(evidence.once), len(evidence.teachers)
    said = f"{_count(range(seeds), 'seed')} of {asked.seeds}, {_count(range(teachers), 'teacher')} of {asked.teachers}"
    return Criterion("seeds and teachers", seeds >= asked.seeds and teachers >= asked.teachers, said)


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"

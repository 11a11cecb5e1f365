"""How a sweep is cut into jobs: teachers first, each once; then cohorts, in which every run has one place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hydra.core.override_parser.overrides_parser import OverridesParser

METHOD = "method"
Words = tuple[str, ...]


@dataclass(frozen=True)
class PlannedTeacher:
    """A teacher that a run learns from and that does not exist yet."""

    id: str
    role: str
    steps: int = 0  # of its training; 0: it is only scored


@dataclass(frozen=True)
class PlannedRun:
    """A run, before it has started."""

    id: str
    method: str
    teachers: tuple[PlannedTeacher, ...] = ()  # the missing ones of those that it learns from
    seconds: float | None = None  # that it is expected to take, alone
    finished: bool = False


@dataclass(frozen=True)
class Cohort:
    """Runs that train together, under the words of one command."""

    words: Words
    runs: tuple[PlannedRun, ...]


@dataclass(frozen=True)
class TeacherJob:
    """A teacher to make, under the words of a command that wants it."""

    words: Words
    teacher: PlannedTeacher


@dataclass(frozen=True)
class Sweep:
    """What is left to do of a sweep."""

    teachers: tuple[TeacherJob, ...]
    cohorts: tuple[Cohort, ...]
    finished: tuple[str, ...]  # ids of the runs that need nothing

    def without(self, teachers: Collection[str]) -> tuple[Sweep, tuple[Cohort, ...]]:
        """Take out the runs that learn from teachers which could not be made; return the rest, and what was taken."""
        kept, taken = [], []
        for cohort in self.cohorts:
            lost = tuple(run for run in cohort.runs if any(teacher.id in teachers for teacher in run.teachers))
            if lost:
                taken.append(narrowed(cohort, lost))
            if rest := tuple(run for run in cohort.runs if run not in lost):
                kept.append(narrowed(cohort, rest))
        return replace(self, cohorts=tuple(kept)), tuple(taken)


def joined(jobs: Iterable[Sequence[str]], methods: Collection[str]) -> list[Words]:
    """Join jobs that differ in their methods alone into one cohort each, in the order in which they are first met.

    ``methods`` are the names that may be joined: two files of options of one method have no place in one cohort.
    """
    cohorts: dict[Words, dict[str, None]] = {}
    for job in jobs:
        others = tuple(word for word in job if _key(word) != METHOD)
        names = [name for word in job if _key(word) == METHOD for name in _names(word)]
        known = bool(names) and all(name in methods for name in names)
        cohorts.setdefault(others if known else tuple(job), {}).update(dict.fromkeys(names if known else ()))
    return [(*others, f"{METHOD}=[{','.join(names)}]") if names else others for others, names in cohorts.items()]


def planned(cohorts: Iterable[Cohort]) -> Sweep:
    """Give every unfinished run one place, the first cohort that has it, and list the teachers to be made before."""
    places: set[str] = set()
    finished: dict[str, None] = {}
    left = []
    for cohort in cohorts:
        finished |= dict.fromkeys(run.id for run in cohort.runs if run.finished)
        new = {run.id: run for run in cohort.runs if not run.finished and run.id not in places}
        places |= new.keys()
        if new:
            left.append(narrowed(cohort, tuple(new.values())))
    return Sweep(tuple(_teachers(left)), tuple(left), tuple(finished))


def parted(sweep: Sweep, places: int) -> Sweep:
    """Part the longest cohorts until there are as many as places to run them, where they have that many runs.

    Members that are trained apart have the same weights; what they learn from their teachers is computed in each part.
    """
    parts = [1] * len(sweep.cohorts)
    while sum(parts) < places:
        long = [index for index, cohort in enumerate(sweep.cohorts) if parts[index] < len(cohort.runs)]
        if not long:
            break
        parts[max(long, key=lambda index: sum(_lengths(sweep.cohorts[index].runs)) / parts[index])] += 1
    cohorts = [
        narrowed(cohort, tuple(cohort.runs[place] for place in hand))
        for cohort, hands in zip(sweep.cohorts, parts, strict=True)
        for hand in dealt(_lengths(cohort.runs), hands)
    ]
    return replace(sweep, cohorts=tuple(cohorts))


def dealt(lengths: Sequence[float], hands: int) -> list[list[int]]:
    """Deal what takes so long into hands of about one length, the longest first; return places, each hand in order."""
    held: list[list[int]] = [[] for _ in range(hands)]
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        min(held, key=lambda hand: (sum(lengths[each] for each in hand), len(hand))).append(place)
    return [sorted(hand) for hand in held]


def _lengths(runs: Sequence[PlannedRun]) -> list[float]:
    """Expected seconds of runs, equal where nothing is known of any."""
    known = [run.seconds for run in runs if run.seconds is not None]
    return [(sum(known) / len(known) if known else 1.0) if run.seconds is None else run.seconds for run in runs]


def narrowed(cohort: Cohort, runs: tuple[PlannedRun, ...]) -> Cohort:
    """Leave some runs of a cohort; ``only=[...]`` says so to the job, where they are not all of them."""
    if len(runs) == len(cohort.runs):
        return cohort
    only = ",".join(f"methods.{run.method}" for run in runs)
    return Cohort((*(word for word in cohort.words if _key(word) != "only"), f"only=[{only}]"), runs)


def _teachers(cohorts: Iterable[Cohort]) -> Iterator[TeacherJob]:
    seen = set()
    for cohort in cohorts:
        words = tuple(word for word in cohort.words if _key(word) != "only")
        for teacher in (teacher for run in cohort.runs for teacher in run.teachers):
            if teacher.id not in seen:
                seen.add(teacher.id)
                yield TeacherJob((*words, f"only=[teacher.{teacher.role}]"), teacher)


def _key(word: str) -> str:
    return word.partition("=")[0]


def _names(word: str) -> list[str]:
    value = OverridesParser.create().parse_override(word).value()
    return [str(name) for name in value] if isinstance(value, list) else [str(value)]

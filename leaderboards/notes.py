"""What a reader must know before trusting a board, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from leaderboards import criteria
from leaderboards.entry import Entry
from leaderboards.machines import elsewhere, machine
from leaderboards.paired import SEEDS, Gain
from leaderboards.record import Record
from leaderboards.statistics import Estimate, estimate
from leaderboards.track import Track, protocol_of


def notes(
    records: Sequence[Record],
    track: Track,
    entries: Sequence[Entry],
    control: Entry | None,
    gains: Mapping[str, Gain],
    teacher: float | None,
    superseded: Sequence[str] = (),
    excluded: str = "",
) -> tuple[str, ...]:
    """Say what limits a comparison: no control, few seeds, a weak teacher, runs under unequal conditions, left out."""
    left_out = [f"Superseded by other runs and left out: {', '.join(superseded)}."] if superseded else []
    apart = [f"No matrix holds this board: {excluded}"] if excluded else []
    return (
        *apart,
        *_criteria(records, track),
        *_control(track, control, teacher),
        *_seeds(entries),
        *_protocols(track, entries),
        *_images(entries, gains),
        *_teachers(entries, gains),
        *_machines(entries, control),
        *_trained_again(records),
        *_conditions(records),
        *_timed_apart(entries, control),
        *_doubles(records),
        *left_out,
    )


def _criteria(records: Sequence[Record], track: Track) -> list[str]:
    """Name the criteria of a comparison that a board under a protocol made for it does not meet, or may not meet.

    Of few labels nothing is said where the control has one length: a protocol may ask for others with all labels only.
    """
    if not track.proves or track.budget_kind != "steps":
        return []
    done = [record for record in records if record.status == "ok" and protocol_of(record) == (track.protocol, True)]
    found = criteria.gather(done) if done else None
    if found is None or (track.labeled_count < track.labeled_total and len(found.control) < 2):
        return []
    judged = (criteria.plateau(found), criteria.lead(found), criteria.tuned(found))
    said = {False: "Not met", None: "Not known"}
    return [f"{said[each.met]}: {each.name}: {each.figures}." for each in judged if not each.met]


def _control(track: Track, control: Entry | None, teacher: float | None) -> list[str]:
    baseline = None if control is None else estimate(list(control.scores.values()))
    if baseline is None:
        return ["No finished run trains the student alone: gains and gaps recovered are not shown."]
    if teacher is None:
        return ["The teacher's own score is unknown: gaps recovered are not shown."]
    if baseline.low is None or baseline.high is None:
        return ["The control has one seed, so its interval is unknown and the gap recovered is undefined."]
    if not _better(teacher, baseline, track.higher_is_better):
        return ["The teacher is not better than the control by more than the control's interval: the gap is undefined."]
    return []


def _better(teacher: float, baseline: Estimate, higher_is_better: bool) -> bool:
    """Say whether the teacher lies on the good side of the control's interval."""
    if baseline.low is None or baseline.high is None:
        return False
    return teacher > baseline.high if higher_is_better else teacher < baseline.low


def _seeds(entries: Sequence[Entry]) -> list[str]:
    few = [entry.label for entry in entries if len(entry.scores) == 1]
    return _naming("One seed has no interval, so the order is not proven for", few)


def _protocols(track: Track, entries: Sequence[Entry]) -> list[str]:
    """Name rows whose runs keep to another protocol than most runs of the board."""
    own = track.protocol, track.proves
    other = {entry.label: said for entry in entries if (said := {protocol_of(run) for run in entry.records} - {own})}
    rows = (f"{label} ({_list({name or 'none' for name, _ in said})})" for label, said in other.items())
    return _naming("Of another protocol than most runs of the board", rows)


def _images(entries: Sequence[Entry], gains: Mapping[str, Gain]) -> list[str]:
    """Say which intervals cannot know how far the score depends on the test images."""
    known = [(entry.label, gains[entry.id].over) for entry in entries if entry.id in gains and gains[entry.id].over]
    without = [label for label, over in known if over == SEEDS]
    if without and len(without) == len(known):
        return [
            "There are no per-image values: intervals of gains are over seeds alone, and tell nothing of other images."
        ]
    said = (
        "Not all runs have a value of each image, so that intervals of gains are over seeds alone, and tell nothing of"
    )
    return _naming(f"{said} other images, for", without)


def _teachers(entries: Sequence[Entry], gains: Mapping[str, Gain]) -> list[str]:
    """Name rows with the same teacher in every seed: an interval over seeds cannot know what another would give."""
    one = [
        entry.label
        for entry in entries
        if entry.id in gains and len(entry.scores) > 1 and entry.records[0].method.roles and len(_roles(entry)) == 1
    ]
    return _naming("One teacher for all seeds, so intervals tell nothing of other teachers, for", one)


def _machines(entries: Sequence[Entry], control: Entry | None) -> list[str]:
    """Name rows that were computed elsewhere than the control: pairing by seed takes no luck away there."""
    other = [entry.label for entry in entries if control and elsewhere(entry, control)]
    said = "Trained on another machine than the control, where a seed is another student, so that its luck stays in the"
    return _naming(f"{said} gain", other)


def _trained_again(records: Sequence[Record]) -> list[str]:
    """Name teachers that were trained twice, to other weights, as another processor does."""
    scores: dict[str, set[float]] = defaultdict(set)
    for record in records:
        for teacher in record.teachers:
            if teacher.own_score is not None:
                scores[teacher.id].add(teacher.own_score)
    again = (teacher for teacher, found in scores.items() if len(found) > 1)
    return _naming("Rows learned from different trainings of one teacher, with different scores", again)


def _roles(entry: Entry) -> set[tuple[str, ...]]:
    return {tuple(sorted(run.method.roles.values())) for run in entry.records if run.status == "ok"}


def _conditions(records: Sequence[Record]) -> list[str]:
    """Name what should be equal within a track and is not."""
    done = [record for record in records if record.status == "ok"]
    learners = [record for record in done if record.method.roles]  # the control has no teacher, and nothing to tune
    tuned = {record.protocol.tuning.n_trials if record.protocol.tuning else 0 for record in learners}
    machines = {machine(record) or record.provenance.host_class or "unknown" for record in done}
    sentences = []
    if len(tuned) > 1:
        sentences.append(f"Methods were tuned with unequal budgets: {_list(tuned)} trials.")
    rates = {record.protocol.tuning.n_trials for record in done if record.protocol.tuning and not record.method.roles}
    if rates and tuned == {0}:
        sentences.append(
            f"The control's learning rate was chosen among {_list(rates)}, and methods take it; no method's strength "
            "was tuned, so a tuned one may gain more."
        )
    if len(machines) > 1:
        sentences.append(f"Times come from different machines: {_list(machines)}.")
    if len({record.dataset.n_test for record in done}) > 1:
        sentences.append("Runs were tested on different numbers of images.")
    if len({record.protocol.selection.rule for record in done}) > 1:
        sentences.append("Runs chose their weights by different rules.")
    if any(record.provenance.git_dirty for record in done):
        sentences.append("Some runs come from code with uncommitted changes.")
    return sentences


def _timed_apart(entries: Sequence[Entry], control: Entry | None) -> list[str]:
    """Name rows that shared no cohort with the control, while the machine may have been busier or less so."""
    if control is None:
        return []
    beside = _cohorts(control)
    here = (entry for entry in entries if not elsewhere(entry, control))
    apart = [entry.label for entry in here if (own := _cohorts(entry)) and beside and not own & beside]
    said = (
        "Trained at other times than the control, so that their training time relative to it holds on an idle machine"
    )
    return _naming(f"{said} alone", apart)


def _cohorts(entry: Entry) -> set[str]:
    return {run.training.cohort_id for run in entry.records if run.status == "ok" and run.training.cohort_id}


def _doubles(records: Sequence[Record]) -> list[str]:
    """Name seeds of an entry that have several runs, of which one counts."""
    runs: dict[tuple[str, int], list[str]] = defaultdict(list)
    for record in records:
        runs[record.entry_id, record.seed].append(record.run_id)
    return [
        f"Several runs of one seed, of which one counts: {', '.join(ids)}." for ids in runs.values() if len(ids) > 1
    ]


def _naming(sentence: str, names: Iterable[str]) -> list[str]:
    """Write a sentence with the names that it is about; nothing where there are none."""
    listed = sorted(names)
    return [f"{sentence}: {', '.join(listed)}."] if listed else []


def _list(values: set[int] | set[str]) -> str:
    return ", ".join(str(value) for value in sorted(values, key=str))

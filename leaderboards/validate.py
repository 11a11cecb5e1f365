"""Checks of stored records: strict JSON, schema, hashes, and whether a record agrees with itself and with its track."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from leaderboards import image_values
from leaderboards.attachments import home
from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.store import Fault, read, read_one, record_files
from leaderboards.values import digest, sha256_of

Facts = dict[str, object]


def validate(paths: Iterable[str | Path]) -> tuple[int, list[Fault]]:
    """Check every record in files and folders; return how many were read and what is wrong, file by file.

    Looks at: JSON without NaN or doubled keys, the schema, the file's name, the hash of the configuration, that of the
    student where the file is there, what the configuration says of seed, task, data and method, consistency within a
    record and with the other records of its track, the values of single images, duplicates and conflicts.
    Raises RecordError where a path does not exist.
    """
    paths = list(paths)
    faults, good = [], []
    for file in record_files(paths):
        try:
            strict(file)
            record = read_one(file)
        except RecordError as error:
            faults.append(Fault(str(file), str(error).removeprefix(f"{file}: ")))
            continue
        good.append((file, record))
        reasons = (*_contradictions(file, record), *_hashes(file, record))
        faults += [Fault(str(file), reason, "invalid") for reason in reasons]
    faults += [Fault(str(file), reason, "invalid") for file, reason in _tracks(good)]
    faults += image_values.read([record for _, record in good], paths).faults
    faults += [fault for fault in read(paths)[1] if fault.kind in ("duplicate", "conflict")]
    return len(good), sorted(faults, key=lambda fault: (fault.file, fault.reason))


def strict(path: Path) -> None:
    """Raise RecordError where a file is not strict JSON: NaN or infinite numbers, a key given twice."""

    def number(name: str) -> None:
        raise RecordError(f"{path}: {name} is not JSON; undefined numbers are null")

    def unique(pairs: list[tuple[str, object]]) -> Facts:
        doubled = sorted(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        if doubled:
            raise RecordError(f"{path}: key given twice: {', '.join(doubled)}")
        return dict(pairs)

    try:
        json.loads(path.read_bytes(), parse_constant=number, object_pairs_hook=unique)
    except (ValueError, RecursionError, OSError) as error:
        raise RecordError(f"{path}: not JSON: {error}") from None


def _contradictions(path: Path, record: Record) -> Iterator[str]:
    """Say where a record contradicts itself."""
    labeled, scores, selection = record.dataset.labeled, record.scores, record.protocol.selection
    teachers = {teacher.id for teacher in record.teachers}
    provenance, latency = record.provenance, record.inference
    checks = [
        (path.stem == record.run_id, f"the file is named {path.name}, expected {record.run_id}.json"),
        (record.run_id != record.entry_id, "run_id and entry_id are equal: one has the seed, the other has not"),
        (record.status != "ok" or record.score is not None, f"status is ok but {scores.primary_metric} has no value"),
        (record.status == "ok" or not scores.metrics, f"status is {record.status} but there are test scores"),
        (record.status == "ok" or bool(record.status_reason), f"status is {record.status} without a reason"),
        (
            all(score.split == "test" for score in scores.metrics.values()),
            "a score that ranks is not of the test split",
        ),
        (labeled.count <= labeled.total <= record.dataset.n_train, "more labelled than training images"),
        (selection.rule == "last" or selection.split not in (None, "test"), "selection must use a validation split"),
        (not record.protocol.tuning or record.protocol.tuning.split != "test", "tuned on the test split"),
        (
            set(record.method.roles.values()) <= teachers
            or bool(record.method.variant),  # a placebo is none of the track
            "the method names a teacher that is not listed",
        ),
        (len(teachers) == len(record.teachers), "a teacher is listed twice"),
        (_ordered(provenance.started, provenance.finished), "finished before it started"),
        (_ordered(latency.latency_ms_p50, latency.latency_ms_p95), "latency: the median exceeds the 95th percentile"),
    ]
    yield from (reason for holds, reason in checks if not holds)


def _ordered(first: object, second: object) -> bool:
    return first is None or second is None or first <= second  # type: ignore[operator]  # two of one kind


def _hashes(path: Path, record: Record) -> Iterator[str]:
    """Say which hash is not that of what it names; files that are not there cannot be checked and are no fault."""
    provenance = record.provenance
    if provenance.config_sha256 is not None and digest(provenance.config) != provenance.config_sha256:
        yield "config_sha256 is not the hash of the configuration"
    yield from _student(path, record)
    for place, said in _said(record).items():
        configured = _at(provenance.config, place)
        if configured not in (None, said):
            yield f"the configuration says {place} is {configured}, the record {said}"


def _student(path: Path, record: Record) -> Iterator[str]:
    """Say what is wrong with the hash of the stored student."""
    student, expected = record.artifacts.student, record.provenance.student_sha256
    if student is None:
        return
    if expected is None:
        if record.status == "ok":
            yield "student_sha256 is missing"
        return
    file = home(path) / student
    if file.is_file() and sha256_of(file) != expected:
        yield f"student_sha256 is not the hash of {student}"


def _said(record: Record) -> dict[str, object]:
    """What a record says beside its hashed configuration, by the place where the configuration may say it too."""
    return {
        "seed": record.seed,
        "task.name": record.task.name,
        "data.name": record.dataset.name,
        "data.manifest": record.dataset.manifest_sha256,
        "labeled.checksum": record.dataset.labeled.checksum,
        "method.name": record.method.name,
    }


def _at(config: object, place: str) -> object:
    """Return what stands at a dotted place; None where there is nothing."""
    for key in place.split("."):
        config = config.get(key) if isinstance(config, dict) else None
    return config


SHARED: dict[str, Callable[[Record], object]] = {
    "setting": lambda record: record.setting_id,
    "task": lambda record: record.task.name,
    "dataset": lambda record: record.dataset.name,
    "manifest": lambda record: record.dataset.manifest_sha256,
    "labelled part": lambda record: record.dataset.labeled,
    "number of test images": lambda record: record.dataset.n_test,
    "student": lambda record: digest(record.student.model_dump()),
    "budget": lambda record: record.protocol.budget,
    "recipe": lambda record: digest(record.protocol.recipe),
    "primary metric": lambda record: record.scores.primary_metric,
}
DIRECTION = "direction of the primary metric"  # of records that have a score


def _tracks(records: Sequence[tuple[Path, Record]]) -> Iterator[tuple[Path, str]]:
    """Name records that differ from the majority of their track, or of their entry, in what these must share."""
    tracks: dict[str, list[tuple[Path, Record]]] = defaultdict(list)
    entries: dict[str, list[tuple[Path, Record]]] = defaultdict(list)
    for path, record in records:
        tracks[record.track_id].append((path, record))
        entries[record.entry_id].append((path, record))
    for group in tracks.values():
        for name, fact in SHARED.items():
            yield from ((path, f"differs from its track in: {name}") for path in _odd(group, fact))
        scored = [(path, record) for path, record in group if _direction(record) is not None]
        yield from ((path, f"differs from its track in: {DIRECTION}") for path in _odd(scored, _direction))
    for group in entries.values():
        for name, fact in {"track": _track, "method and options": _method}.items():
            yield from ((path, f"differs from its entry in: {name}") for path in _odd(group, fact))


def _direction(record: Record) -> bool | None:
    score = record.scores.metrics.get(record.scores.primary_metric)
    return None if score is None else score.higher_is_better


def _track(record: Record) -> object:
    return record.track_id


def _method(record: Record) -> object:
    return record.method.name, record.method.variant, digest(record.method.options)


def _odd(group: Sequence[tuple[Path, Record]], fact: Callable[[Record], object]) -> list[Path]:
    """List the files whose fact is not the most common one."""
    values = [repr(fact(record)) for _, record in group]
    common = next((value for value, _ in Counter(values).most_common(1)), None)
    return [path for (path, _), value in zip(group, values, strict=True) if value != common]

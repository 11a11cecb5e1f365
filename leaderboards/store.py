"""Records on disk: one JSON file a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from leaderboards.atomic import atomic_write
from leaderboards.errors import RecordError
from leaderboards.record import Record

RECORDS = "records"  # the folder of records inside a home


@dataclass(frozen=True)
class Fault:
    """Something about a stored record that the reader must hear of; the other records are not affected."""

    file: str
    reason: str
    kind: Literal["unreadable", "duplicate", "conflict", "invalid"] = "unreadable"
    earlier: str = ""  # the file of the same run that was read before

    def __str__(self) -> str:
        return f"{self.file}: {self.kind}: {self.reason}" + (f" ({self.earlier})" if self.earlier else "")


def path_of(run_id: str, folder: str | Path) -> Path:
    """Name the file of a run in a folder of records."""
    return Path(folder) / f"{run_id}.json"


def write(record: Record, folder: str | Path) -> Path:
    """Write ``<folder>/<run id>.json`` whole or not at all; an older record of the same run is replaced.

    Raises RecordError where the folder cannot be written.
    """
    path = path_of(record.run_id, folder)
    try:
        return atomic_write(path, record.dump())
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error


def read_one(path: str | Path) -> Record:
    """Read one record; raises RecordError that names the file and every field at fault."""
    try:
        return Record.parse(Path(path).read_bytes())
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror or error})") from error
    except RecordError as error:
        raise RecordError(f"{path}: not a record: {error}") from None


def read(paths: Iterable[str | Path]) -> tuple[list[Record], list[Fault]]:
    """Read and merge records from any number of files and folders, and say what is wrong with any of them.

    A folder stands for its ``*.json`` files, or for those of its ``records`` folder where it has one. A file that is
    not a record is named as a fault and the rest are read. A run that is met twice is named as well: as a duplicate
    where both have the same scores or one was interrupted, as a conflict where they differ; the record that goes on is
    the one that finished, else one that ended otherwise, and of equals the one that was checked further, else the one
    read first. Returns the records sorted by run id. Raises RecordError where a path does not exist.
    """
    records: dict[str, tuple[Record, Path]] = {}
    faults = []
    for path in record_files(paths):
        try:
            record = read_one(path)
        except RecordError as error:
            faults.append(Fault(str(path), str(error).removeprefix(f"{path}: ")))
            continue
        if record.run_id not in records:
            records[record.run_id] = (record, path)
            continue
        kept, place = records[record.run_id]
        faults.append(_compare(kept, place, record, path))
        if _weight(record) > _weight(kept):
            records[record.run_id] = (record, path)
    return [records[key][0] for key in sorted(records)], faults


def record_files(paths: Iterable[str | Path]) -> Iterator[Path]:
    """List the files that the paths stand for, each once; raises RecordError where a path does not exist."""
    seen = set()
    for path in map(Path, paths):
        if not path.exists():
            raise RecordError(f"{path}: no such file or folder; expected a record or a folder of records")
        folder = path / RECORDS if (path / RECORDS).is_dir() else path
        for file in sorted(folder.glob("*.json")) if path.is_dir() else [path]:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _compare(kept: Record, place: Path, repeated: Record, path: Path) -> Fault:
    """Say how two records of one run relate."""
    again = f"run {kept.run_id} was read before"
    if kept == repeated:
        return Fault(str(path), f"{again}, with the same content", "duplicate", str(place))
    if kept.status != repeated.status and "interrupted" in (kept.status, repeated.status):
        return Fault(str(path), f"{again}, stopped in one of the places", "duplicate", str(place))
    if kept.status == repeated.status and kept.scores == repeated.scores:
        return Fault(str(path), f"{again}, with the same scores", "duplicate", str(place))
    reason = f"{again}, with another result: {_result(kept)} there, {_result(repeated)} here"
    return Fault(str(path), reason, "conflict", str(place))


def _result(record: Record) -> str:
    return f"{record.status}, {record.scores.primary_metric} {record.score}"


def standing(record: Record) -> tuple[bool, bool]:
    """Order the runs of one seed: a finished one counts, else one that ended otherwise, else one that was stopped."""
    return record.status == "ok", record.status != "interrupted"


def _weight(record: Record) -> tuple[tuple[bool, bool], bool, str]:
    """Order records of one run: by how they ended, then refuted or checked further before self-reported."""
    return standing(record), not record.verification.reproduced, record.verification.level

"""What a run scored on each test image: a small file beside its record, named in it by hash."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from leaderboards.atomic import atomic_write
from leaderboards.errors import RecordError, explain
from leaderboards.record import Record
from leaderboards.record_parts import Part
from leaderboards.store import RECORDS, Fault
from leaderboards.values import Identifier, Real, Sha256, digest

FOLDER = "images"  # beside the records
DIGITS = 7  # of a stored value: beyond what a metric of float32 maps can tell


class ImageValues(Part):
    """The pseudo-values of the primary metric, one a test image.

    ``n S - (n - 1) S_without``: an image's own score where the metric is a mean over images.
    """

    metric: str
    ids_sha256: Sha256  # hash of the list of image ids, in the order of the values
    values: list[Real]  # null where undefined

    def dump(self) -> str:
        """Return the file: one line of strict JSON."""
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"), allow_nan=False) + "\n"


@dataclass(frozen=True)
class Read:
    """The values of runs: run id -> (hash of the image ids, values); and what was wrong with files."""

    runs: Mapping[Identifier, tuple[str, np.ndarray]] = field(default_factory=dict)
    faults: Sequence[Fault] = ()


def write(metric: str, ids: Sequence[str], values: Sequence[float], run_id: str, records: Path) -> str:
    """Write ``<records>/images/<run id>.json`` whole or not at all, and return its SHA-256.

    Raises RecordError where there are not as many values as images.
    """
    if len(ids) != len(values):
        raise RecordError(f"run {run_id}: {len(values)} values for {len(ids)} images; expected one an image")
    rounded: list[float | None] = [float(f"{value:.{DIGITS}g}") for value in values]
    content = ImageValues(metric=metric, ids_sha256=digest(list(ids)), values=rounded).dump()
    atomic_write(place(records, run_id), content)
    return sha256(content.encode()).hexdigest()


def place(records: Path, run_id: str) -> Path:
    """Return where the values of a run lie, beside its record."""
    return records / FOLDER / f"{run_id}.json"


def folders(paths: Iterable[str | Path]) -> list[Path]:
    """Return the folders of records that paths stand for: files, folders of records, or homes."""
    listed = []
    for path in map(Path, paths):
        folder = path.parent if path.is_file() else path
        listed.append(folder / RECORDS if (folder / RECORDS).is_dir() else folder)
    return list(dict.fromkeys(listed))


def read(records: Iterable[Record], paths: Iterable[str | Path]) -> Read:
    """Read the values of every record that names some, from beside the records that the paths stand for.

    A file that is missing, changed or damaged is a fault, and its run has no values; a run with an undefined value has
    none either, which is no fault.
    """
    places, runs, faults = folders(paths), {}, []
    for record in records:
        if record.scores.images_sha256 is None:
            continue
        files = [file for folder in places if (file := place(folder, record.run_id)).is_file()]
        wrong = "missing" if not files else ""
        for file in files:
            try:
                stored = read_one(file, record)
            except RecordError as error:
                wrong = str(error)
                continue
            wrong = ""
            if None not in stored.values:
                runs[record.run_id] = (stored.ids_sha256, np.array(stored.values, dtype=np.float64))
            break
        if wrong:
            expected = [place(folder, record.run_id) for folder in places or [Path(RECORDS)]]
            faults.append(Fault(str((files or expected)[0]), wrong, "invalid"))
    return Read(runs, faults)


def fits(content: bytes, record: Record) -> bool:
    """Say whether the content of a file is what a record names by hash."""
    return sha256(content).hexdigest() == record.scores.images_sha256


def read_one(file: Path, record: Record) -> ImageValues:
    """Read the values of one run; raises RecordError where they are not those that its record names."""
    content = file.read_bytes()
    if not fits(content, record):
        raise RecordError("its hash is not the record's images_sha256; run again what made it, or take it from there")
    try:
        stored = ImageValues.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise RecordError(f"not values of images: {explain(error)}") from None
    primary = record.scores.primary_metric
    expected = record.scores.metrics[primary].n if primary in record.scores.metrics else 0
    if (stored.metric, len(stored.values)) != (primary, expected):
        raise RecordError(
            f"{len(stored.values)} values of {stored.metric}; the record has {expected} test images and {primary}"
        )
    return stored

"""Publishing: the records of finished runs, with the curves and pictures that a page shows, in one folder for git."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from leaderboards import image_values, store
from leaderboards.attachments import firsts
from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.record_outcome import Artifacts

STEPS, PANELS = "steps", "panels"


def publish(homes: Sequence[Path], folder: Path, tasks: Sequence[str] = ()) -> list[Path]:
    """Copy the records of homes into ``folder``, and for the first seed of each row its curve and panel; what a run
    scored on each image goes with its record. Interrupted runs are left out, and ``tasks`` keeps some alone.

    Where ``folder`` is one of the homes, what was published stays and the others' runs are added. Of a run that two
    homes have, with the same scores, one record is kept. A picture that the runs of a cohort share is kept once, under
    its hash. Weights are left out: a record names their hash, and its command, without the folder that was its home,
    makes them again. What was published before is replaced once all is copied; the files are returned.

    Raises RecordError where a record is damaged, where two homes differ in a run, and where there is none.
    """
    records, faults = store.read([home / store.RECORDS for home in homes])
    if faults := [fault for fault in faults if fault.kind != "duplicate"]:  # a home may have been published before
        raise RecordError("; ".join(map(str, faults)))
    ended = [record for record in records if record.status != "interrupted"]
    records = [record for record in ended if not tasks or record.task.name in tasks]
    if not records:
        wanted = f" of {', '.join(tasks)}" if tasks else ""
        places = ", ".join(str(home / store.RECORDS) for home in homes)
        raise RecordError(f"no records{wanted} to publish; expected them in {places}")
    if wrong := image_values.read(records, homes).faults:
        raise RecordError("; ".join(map(str, wrong)))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".publishing-", dir=folder) as passing:
        fresh, old = Path(passing) / "fresh", Path(passing) / "old"
        names = [path.name for path in _gather(records, homes, fresh)]
        _replace(folder, fresh, old)
    return [folder / store.RECORDS / name for name in names]


def _replace(folder: Path, fresh: Path, old: Path) -> None:
    """Put the fresh parts of a folder in the place of its old ones, which come back where that is interrupted."""
    old.mkdir()
    moves = [
        (source / part, target / part)
        for part in (store.RECORDS, STEPS, PANELS)
        for source, target in ((folder, old), (fresh, folder))
        if (source / part).exists()
    ]
    try:
        for source, target in moves:
            source.rename(target)
    except BaseException:
        for source, target in reversed(moves):
            if target.exists() and not source.exists():
                target.rename(source)
        raise


def _gather(records: Sequence[Record], homes: Sequence[Path], folder: Path) -> list[Path]:
    """Copy records, and what belongs to them, into an empty folder; return the records' files."""
    shown = {record.run_id for record in firsts(records)}
    files = []
    for record in records:
        home = next((home for home in homes if _holds(home, record)), None)
        if home is None:
            name = f"{record.run_id}.json"
            raise RecordError(f"{record.run_id}: no home has it in a file of this name; rename it to {name}")
        attached = _attach(record, home, folder) if record.run_id in shown else Artifacts()
        provenance = record.provenance.model_copy(update={"command": homeless(record.provenance.command)})
        kept = record.model_copy(update={"artifacts": attached, "provenance": provenance})
        if record.scores.images_sha256 is not None:
            _copy(_values(record, homes), image_values.place(folder / store.RECORDS, record.run_id))
        files.append(store.write(kept, folder / store.RECORDS))
    return files


def _values(record: Record, homes: Sequence[Path]) -> Path:
    """Find what a run scored on each image: in any home, as its record names it by hash."""
    places = (image_values.place(home / store.RECORDS, record.run_id) for home in homes)
    return next(file for file in places if file.is_file() and image_values.fits(file.read_bytes(), record))


def _holds(home: Path, record: Record) -> bool:
    path = store.path_of(record.run_id, home / store.RECORDS)
    return path.is_file() and store.read_one(path) == record


def homeless(command: str) -> str:
    """Leave out of a command where its runs were kept, which is nobody's business elsewhere.

    Raises RecordError for a command that no shell reads.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise RecordError(f"the command {command!r} of a record cannot be read ({error}); mend its quotes") from None
    return shlex.join(word for word in words if not word.startswith("home="))


def _attach(record: Record, home: Path, folder: Path) -> Artifacts:
    """Copy the files of a run that a page shows, and say where they lie now."""
    steps = panel = None
    if record.artifacts.steps and (source := home / record.artifacts.steps).is_file():
        steps = f"{STEPS}/{record.run_id}.jsonl"
        _copy(source, folder / steps)
    if record.artifacts.panel and (source := home / record.artifacts.panel).is_file():
        panel = f"{PANELS}/{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}.png"
        _copy(source, folder / panel)
    return Artifacts(steps=steps, panel=panel)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)

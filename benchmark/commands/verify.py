"""``benchmark leaderboard verify``: stored students scored again."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from benchmark.runs.finished_run import Stored, open_stored
from benchmark.runs.outcome import now
from benchmark.training.device import build_fabric
from benchmark.training.problem import Problem
from benchmark.training.randomness import Randomness
from leaderboards import store
from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.values import Level
from leaderboards.verify import verified
from tasks.errors import InputError
from tasks.origin import DISTRIBUTION

LEVEL: Level = "L3"  # evaluated again from the weights
TOLERANCE = 1e-4  # another processor rounds otherwise, and turns a few pixels or boxes over


def verify_all(items: Sequence[str], console: Console, *, tolerance: float | None = None, by: str | None = None) -> int:
    """Verify the records among ``items``, with the ``key=value`` words among them, and write the outcomes back.

    Every record is tried. Returns 2 where one could not be checked, else 1 where one is not reproduced, else 0.
    Raises InputError where no record is given, RecordError where a path does not exist.
    """
    words = [item for item in items if "=" in item and not Path(item).exists()]
    files = list(store.record_files(item for item in items if item not in words))
    if not files:
        raise InputError("no record given: benchmark leaderboard verify runs/records/NAME.json [data.root=PATH]")
    codes = []
    for file in files:
        try:
            codes.append(_verify_one(file, words, console, TOLERANCE if tolerance is None else tolerance, by))
        except (InputError, RecordError) as error:
            console.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
            codes.append(2)
    return max(codes)


def _verify_one(file: Path, words: Sequence[str], console: Console, tolerance: float, by: str | None) -> int:
    stored = open_stored(file)
    before = stored.record
    if file.stem != before.run_id:
        raise RecordError(f"{file}: expected the name {before.run_id}.json; rename it, so that it can be written back")
    after = measured_again(stored, words, tolerance, by or f"{DISTRIBUTION} {version(DISTRIBUTION)}")
    agreed = after.verification.reproduced
    if not (agreed and before.verification.reproduced and before.verification.level > LEVEL):  # never checked less
        store.write(after, file.parent)
    style, verdict = ("green", "reproduced") if agreed else ("bold red", "not reproduced")
    console.print(f"[{style}]{verdict}[/]  {escape(str(file))}", highlight=False)
    for line in _compared(after):
        console.print(f"  {escape(line)}", highlight=False)
    return 0 if agreed else 1


def measured_again(stored: Stored, words: Sequence[str], tolerance: float, by: str) -> Record:
    """Score a stored student on the test split and return its record with the outcome.

    Raises InputError or RecordError where code, data or weights are not those of the record.
    """
    stored.check_code()
    config = stored.config(words)
    problem = Problem(
        config, build_fabric(config.device, config.precision, tf32=config.tf32, deterministic=config.deterministic)
    )
    _check_data(stored, problem)
    student = problem.build_network(stored.spec, Randomness(config.seed))
    network = stored.load(student, problem.task, problem.first_size)
    evaluation = problem.evaluate(network, "test")
    return verified(stored.record, evaluation.scores, LEVEL, by, now(), tolerance)


def _check_data(stored: Stored, problem: Problem) -> None:
    """Raise RecordError where the data is not the data of the record."""
    expected, partition = stored.record.dataset, problem.partition
    if problem.manifest != expected.manifest_sha256:
        raise RecordError(
            f"{stored.path}: data '{expected.name}' here is not that of the record: expected manifest "
            f"{expected.manifest_sha256}, found {problem.manifest}; give the right folder as data.root=PATH, or see "
            f"what differs with: benchmark data verify data={expected.name} data.root=PATH"
        )
    if partition.name == expected.labeled.name and partition.checksum != expected.labeled.checksum:
        raise RecordError(
            f"{stored.path}: labelled part '{partition.name}' is another one: expected checksum "
            f"{expected.labeled.checksum}, found {partition.checksum}"
        )


def _compared(record: Record) -> list[str]:
    """Say of each metric what is recorded and what was measured, the one that ranks first."""
    recorded, again = record.scores.metrics, record.verification.metrics
    names = sorted((name for name in recorded if name in again), key=lambda name: name != record.scores.primary_metric)
    return [f"{name}: recorded {recorded[name].value}, measured {again[name]}" for name in names]

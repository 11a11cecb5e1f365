"""Records of tuning: what was tried to choose the strength of a method's terms, and what was chosen."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from leaderboards.atomic import atomic_write
from leaderboards.errors import RecordError, explain
from leaderboards.record_parts import Part, Tuning
from leaderboards.values import Count, Identifier, Options, Real, Sha256, Status, digest

FOLDER = "tuning"  # beside the folder of records


class Trial(Part):
    """One run with one strength."""

    strength: float = Field(gt=0, description="Factor on the weight of every term but the supervised one.")
    score: Real = Field(description="The primary metric on the held-out part; null where the run did not end well.")
    status: Status = Field(description="What became of the run.")
    run_id: Identifier = Field(description="The run.")


class TuningRecord(Part):
    """How the strength of one method was chosen for one task and dataset."""

    task: str = Field(description="Registered name of the task.")
    dataset: str = Field(description="Registered name of the dataset.")
    method: str = Field(description="Registered name of the method.")
    chosen: float = Field(gt=0, description="The strength with the best score.")
    primary_metric: str = Field(description="The metric that chose.")
    higher_is_better: bool = Field(description="Its direction.")
    split: str = Field(description="The images that chose, never of the validation or test split.")
    manifest_sha256: Sha256 = Field(description="Hash of the data, the held-out part included.")
    track_id: Identifier = Field(description="The track of the trials.")
    seed: Count = Field(description="The seed of every trial.")
    steps: Count = Field(description="Training steps of every trial.")
    sampler: str = Field(description="Who proposed the trials.")
    space: Options = Field(description="The strengths that could be proposed.")
    trials: list[Trial] = Field(description="Everything that was tried, in order.")

    @property
    def at_the_edge(self) -> bool:
        """Whether the best strength is the smallest or the largest tried, so that a wider space might hold a better."""
        tried = [trial.strength for trial in self.trials]
        return len(tried) > 1 and self.chosen in (min(tried), max(tried))

    def part(self) -> Tuning:
        """Return what the record of a run says of its tuning."""
        return Tuning(
            n_trials=len(self.trials),
            budget=f"{self.steps} steps, seed {self.seed}",
            split=self.split,
            space=self.space,
            space_sha256=digest(self.space),
        )


def write(record: TuningRecord, folder: Path) -> Path:
    """Write a record of tuning, whole or not at all, under the name of its task, dataset and method."""
    folder.mkdir(parents=True, exist_ok=True)
    return atomic_write(
        _path(folder, record.task, record.dataset, record.method), record.model_dump_json(indent=2) + "\n"
    )


def find(folder: Path, task: str, dataset: str, method: str) -> TuningRecord | None:
    """Read the record of tuning of a method; None where a folder has none.

    Raises RecordError, naming the file, for a damaged one.
    """
    path = _path(folder, task, dataset, method)
    return _read(path) if path.is_file() else None


def read_folder(folder: Path) -> list[TuningRecord]:
    """Read all records of tuning of a folder; raises RecordError, naming the file, for a damaged one."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> TuningRecord:
    try:
        return TuningRecord.model_validate_json(path.read_bytes(), strict=True)
    except ValidationError as error:
        raise RecordError(f"{path}: {explain(error)}; delete it, or tune again") from None


def _path(folder: Path, task: str, dataset: str, method: str) -> Path:
    return folder / f"{task}-{dataset}-{method}.json"

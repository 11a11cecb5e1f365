"""Records of tuning: what was tried to choose a method's strength or the control's rate, and what was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, ValidationError

from leaderboards.atomic import atomic_write
from leaderboards.errors import RecordError, explain
from leaderboards.record_parts import Part, Tuning
from leaderboards.values import Count, Identifier, Options, Real, Sha256, Status, digest

FOLDER = "tuning"  # beside the folder of records
Parameter = Literal["strength", "lr"]


class Trial(Part):
    """One run with one value."""

    value: float = Field(
        gt=0,
        validation_alias=AliasChoices("value", "strength"),  # as it was called while there were strengths alone
        description="The learning rate, or the factor on the weight of every term but the supervised one.",
    )
    seed: Count | None = Field(default=None, description="The seed of the run; null: that of the tuning.")
    score: Real = Field(description="The primary metric on the held-out part; null where the run did not end well.")
    status: Status = Field(description="What became of the run.")
    run_id: Identifier = Field(description="The run.")


class TuningRecord(Part):
    """How one parameter of one method was chosen for one task and dataset."""

    task: str = Field(description="Registered name of the task.")
    dataset: str = Field(description="Registered name of the dataset.")
    method: str = Field(description="Registered name of the method.")
    protocol: str = Field(default="quick", description="The protocol that the trials were made under.")
    parameter: Parameter = Field(default="strength", description="What was chosen.")
    chosen: float = Field(gt=0, description="Of the values as good as the best, the nearest to the method's own.")
    own: float = Field(default=1.0, gt=0, description="The method's own value.")
    primary_metric: str = Field(description="The metric that chose.")
    higher_is_better: bool = Field(description="Its direction.")
    split: str = Field(description="The images that chose, never of the validation or test split.")
    manifest_sha256: Sha256 = Field(description="Hash of the data, the held-out part included.")
    track_id: Identifier = Field(description="The track of the trials.")
    seed: Count = Field(description="The first seed of every trial.")
    steps: Count = Field(description="Training steps of every trial.")
    sampler: str = Field(description="Who proposed the trials.")
    space: Options = Field(description="The values that could be proposed.")
    trials: list[Trial] = Field(description="Everything that was tried, in order.")

    @property
    def at_the_edge(self) -> bool:
        """Whether the chosen value is the smallest or the largest tried, so that a wider space might hold a better."""
        tried = [trial.value for trial in self.trials]
        return len(set(tried)) > 1 and self.chosen in (min(tried), max(tried))

    def part(self) -> Tuning:
        """Return what the record of a run says of its tuning."""
        seeds = sorted({self.seed if trial.seed is None else trial.seed for trial in self.trials})
        said = ", ".join(map(str, seeds))
        return Tuning(
            n_trials=len({trial.value for trial in self.trials}),
            budget=f"{self.steps} steps, seed{'s' if len(seeds) > 1 else ''} {said}",
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

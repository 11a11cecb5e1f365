"""The strengths that runs take unless told otherwise: a file a protocol and dataset, changed by a person alone.

    python -m benchmark.config.default_strengths FOLDER ...

writes the files from the records of tuning in all folders, which stay the evidence.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from omegaconf import OmegaConf
from pydantic import Field, TypeAdapter

from leaderboards import tuning
from leaderboards.atomic import atomic_write
from leaderboards.record_parts import Part, Tuning
from leaderboards.tuning import TuningRecord
from leaderboards.values import Sha256, digest

FOLDER = Path(__file__).parent / "strengths"


class Choice(Part):
    """The strength of one method."""

    strength: float = Field(gt=0, description="Factor on the weight of every term but the supervised one.")
    evidence: Sha256 = Field(description="Hash of the record of tuning that chose it.")


class Rate(Part):
    """How the learning rate that all methods share was chosen, for the control."""

    lr: float = Field(gt=0, description="The rate.")
    tuning: Tuning = Field(description="What was spent, as the records of runs say it.")
    evidence: Sha256 = Field(description="Hash of the record of tuning that chose it.")


class TaskChoices(Part):
    """What was chosen for one task: the control's rate, and strengths, all in the same way."""

    control: Rate | None = Field(default=None, description="The control's learning rate; null where it was not tuned.")
    tuning: Tuning | None = Field(default=None, description="What was spent on strengths, as records of runs say it.")
    methods: dict[str, Choice] = Field(default={}, description="Method -> what was chosen.")


@cache
def read(protocol: str, dataset: str) -> Mapping[str, TaskChoices]:
    """Read the choices for a protocol and a dataset, by task; empty where nothing was tuned."""
    path = FOLDER / protocol / f"{dataset}.yaml"
    if not path.is_file():
        return {}
    content = OmegaConf.to_container(OmegaConf.load(path))
    return TypeAdapter(dict[str, TaskChoices]).validate_python(content, strict=True)


def texts(records: Iterable[TuningRecord]) -> dict[str, str]:
    """Return the content of the file of each protocol and dataset, by its place, from records of tuning.

    Raises ValueError where the methods of a task were not tuned alike.
    """
    places: dict[str, dict[str, list[TuningRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        places[f"{record.protocol}/{record.dataset}.yaml"][record.task].append(record)
    return {place: _text(place, by_task) for place, by_task in places.items()}


def _text(place: str, by_task: Mapping[str, list[TuningRecord]]) -> str:
    head = f"# What was tuned for {place}, made by benchmark.config.default_strengths from records of tuning.\n"
    choices = {task: _choices(records) for task, records in sorted(by_task.items())}
    content = {task: choice.model_dump(mode="json", exclude_defaults=True) for task, choice in choices.items()}
    return head + OmegaConf.to_yaml(OmegaConf.create(content))


def _choices(records: list[TuningRecord]) -> TaskChoices:
    rates = [record for record in records if record.parameter == "lr"]
    strengths = [record for record in records if record.parameter == "strength"]
    strengths.sort(key=lambda record: record.method)
    parts = [record.part() for record in strengths]
    if any(part != parts[0] for part in parts):
        first = strengths[0]
        raise ValueError(f"{first.task} on {first.dataset}: methods were tuned with different means")
    return TaskChoices(
        control=Rate(lr=rates[0].chosen, tuning=rates[0].part(), evidence=_hash(rates[0])) if rates else None,
        tuning=parts[0] if parts else None,
        methods={record.method: Choice(strength=record.chosen, evidence=_hash(record)) for record in strengths},
    )


def _hash(record: TuningRecord) -> str:
    return digest(record.model_dump(mode="json"))


if __name__ == "__main__":
    found = [record for folder in sys.argv[1:] for record in tuning.read_folder(Path(folder))]
    for name, content in texts(found).items():
        print(atomic_write(FOLDER / name, content))

"""The strengths that runs take unless told otherwise: a file a dataset, which nothing but a person's decision changes.

    python -m benchmark.config.default_strengths FOLDER

writes the files from the records of tuning in a folder, which stay the evidence.
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


class TaskChoices(Part):
    """The strengths that were chosen for one task, all in the same way."""

    tuning: Tuning = Field(description="What was spent, as the records of runs say it.")
    methods: dict[str, Choice] = Field(description="Method -> what was chosen.")


@cache
def read(dataset: str) -> Mapping[str, TaskChoices]:
    """Read the choices for a dataset, by task; empty for a dataset that nothing was tuned for."""
    path = FOLDER / f"{dataset}.yaml"
    if not path.is_file():
        return {}
    content = OmegaConf.to_container(OmegaConf.load(path))
    return TypeAdapter(dict[str, TaskChoices]).validate_python(content, strict=True)


def texts(records: Iterable[TuningRecord]) -> dict[str, str]:
    """Return the content of each dataset's file from records of tuning.

    Raises ValueError where the methods of a task were not tuned alike.
    """
    tasks: dict[str, dict[str, list[TuningRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        tasks[record.dataset][record.task].append(record)
    return {dataset: _text(dataset, by_task) for dataset, by_task in tasks.items()}


def _text(dataset: str, by_task: Mapping[str, list[TuningRecord]]) -> str:
    head = f"# Strengths on {dataset}, made by benchmark.config.default_strengths from records of tuning.\n"
    choices = {task: _choices(records).model_dump(mode="json") for task, records in sorted(by_task.items())}
    return head + OmegaConf.to_yaml(OmegaConf.create(choices))


def _choices(records: list[TuningRecord]) -> TaskChoices:
    parts = [record.part() for record in records]
    if any(part != parts[0] for part in parts):
        raise ValueError(f"{records[0].task} on {records[0].dataset}: methods were tuned with different means")
    chosen = {
        record.method: Choice(strength=record.chosen, evidence=digest(record.model_dump(mode="json")))
        for record in sorted(records, key=lambda record: record.method)
    }
    return TaskChoices(tuning=parts[0], methods=chosen)


if __name__ == "__main__":
    for name, content in texts(tuning.read_folder(Path(sys.argv[1]))).items():
        print(atomic_write(FOLDER / f"{name}.yaml", content))

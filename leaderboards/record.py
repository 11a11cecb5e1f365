"""The record: what one run leaves behind, typed and versioned.

A record is strict JSON. Measured numbers that are undefined (NaN, infinite, unknown) are null; unknown keys are errors.
The JSON Schema of a record is published in ``schema/record-2.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from leaderboards.errors import RecordError, explain
from leaderboards.record_outcome import (
    Artifacts,
    Diagnostics,
    Inference,
    Provenance,
    Scores,
    Submission,
    Training,
    Verification,
)
from leaderboards.record_parts import Dataset, MethodPart, Part, Protocol, Student, TaskPart, Teacher
from leaderboards.values import Count, Identifier, Real, Status

SCHEMA_VERSION = 2
SCHEMA_FILE = Path(__file__).parent / "schema" / f"record-{SCHEMA_VERSION}.json"


class Record(Part):
    """What one run leaves, whatever happened to it."""

    schema_version: Literal[1, 2] = Field(default=2, description="Version of this format; 2 adds fields to 1.")
    run_id: Identifier = Field(description="Hash of everything that can change the result; the name of the file.")
    entry_id: Identifier = Field(description="The same without the seed: runs that share it are one row of a board.")
    track_id: Identifier = Field(
        description="Hash of task, data, labels, student, teachers, budget, recipe: runs that may be compared."
    )
    setting_id: Identifier = Field(
        description="The track without its budget: boards that share it are shown side by side."
    )
    status: Status = Field(description="What became of the run.")
    status_reason: str = Field(default="", description="Why, where it is not 'ok'.")
    seed: Count = Field(description="The seed.")
    seed_scheme: str = Field(default="", description="How random draws follow from the seed.")
    deterministic: bool = Field(description="Whether the same command gives the same bits on this hardware.")
    task: TaskPart
    dataset: Dataset
    method: MethodPart
    student: Student
    teachers: list[Teacher] = Field(default=[], description="The track's teachers, the main one first.")
    trivial: dict[str, dict[str, Real]] = Field(
        default={}, description="Predictor that looks at no image -> its metrics on the test split."
    )
    protocol: Protocol
    scores: Scores
    inference: Inference = Inference()
    training: Training = Training()
    diagnostics: Diagnostics = Diagnostics()
    provenance: Provenance = Provenance()
    artifacts: Artifacts = Artifacts()
    verification: Verification = Verification()
    submission: Submission = Submission()

    @property
    def score(self) -> float | None:
        """The primary metric on the test split; None where there is none."""
        primary = self.scores.metrics.get(self.scores.primary_metric)
        return None if primary is None else primary.value

    def dump(self) -> str:
        """Return the record as strict JSON: keys in the order of the schema, indented by two, one final newline."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def parse(cls, text: str | bytes) -> Record:
        """Read a record; raises RecordError that names every field at fault."""
        try:
            return cls.model_validate_json(text, strict=True)
        except ValidationError as error:
            said = _later(text) or f"{explain(error)}; take it as its run wrote it, or run that again"
            raise RecordError(said) from None


def _later(text: str | bytes) -> str:
    """Say that a record is of a later version; empty where it is not."""
    try:
        version = json.loads(text)["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    if type(version) is not int or version <= SCHEMA_VERSION:
        return ""
    return f"schema_version is {version}, expected at most {SCHEMA_VERSION}; install a later densedistill"


def json_schema() -> str:
    """Return the JSON Schema of a record as the text of ``schema/record-2.json``."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Record.model_json_schema(mode="validation")}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

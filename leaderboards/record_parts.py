"""The parts of a record that say what was run; those that say what came of it are in ``record_outcome``.

Every field says what it holds, so the JSON Schema made from them is the manual.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from leaderboards.values import Amount, Count, Identifier, Options, Real, SelectionRule, Sha256


class Part(BaseModel):
    """A part of a record: immutable, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, regex_engine="python-re")


class Margin(Part):
    """By how much a teacher must beat the student alone; one of the two."""

    absolute: Amount = Field(default=None, description="In units of the primary metric.")
    relative: Amount = Field(default=None, description="As a share of the student's score.")


class TaskPart(Part):
    """What is predicted, and how predictions are scored."""

    name: str = Field(description="Registered name of the task.")
    title: str = Field(default="", description="The task in words.")
    margin: Margin | None = Field(
        default=None, description="The lead over the student alone that makes a teacher worth learning from."
    )
    options: Options = Field(default={}, description="Options of the task, resolved.")
    preprocess: Options = Field(
        default={}, description="Switches of preprocessing and augmentation (sizes, crops, flips)."
    )
    evaluation: Options = Field(
        default={}, description="Switches of the evaluation protocol (resolution, crops, caps, thresholds)."
    )
    package: str = Field(default="", description="Distribution, or file, that the task comes from.")
    version: str = Field(default="", description="Version of that distribution.")
    file_sha256: Sha256 | None = Field(default=None, description="Hash of the source file, for a task given as a file.")


class Labeled(Part):
    """Which training images keep their labels."""

    name: str = Field(description="Name of the partition, e.g. '1/8' or the name of a list file.")
    count: Count = Field(description="Labelled training images.")
    total: Count = Field(description="Training images, labelled or not.")
    checksum: str = Field(description="Hash of the list of labelled identifiers.")


class Dataset(Part):
    """The data and its splits."""

    name: str = Field(description="Registered name of the dataset.")
    reference: str = Field(default="", description="Where the data are explained and found.")
    license: str = Field(default="", description="License of the data.")
    options: Options = Field(
        default={}, description="Options of the dataset, resolved, without machine facts such as the root."
    )
    manifest_sha256: Sha256 | None = Field(
        default=None, description="Hash of the data's manifest: files and their checksums."
    )
    n_train: Count = Field(description="Training images.")
    n_val: Count = Field(description="Validation images.")
    n_test: Count = Field(description="Test images.")
    labeled: Labeled = Field(description="The labelled part of the training images.")


class MethodPart(Part):
    """How the student learns, and where the code comes from."""

    name: str = Field(description="Registered name of the method.")
    title: str = Field(default="", description="The method in words.")
    paper: str = Field(default="", description="Paper, venue and year.")
    reference: str = Field(default="", description="Where the paper can be read.")
    license: str = Field(default="", description="License of the code that the paper's authors published.")
    variant: str = Field(
        default="", description="What sets this row apart beside options, e.g. 'untrained teacher' for a placebo."
    )
    control: bool = Field(
        default=False, description="Whether the row is a control: the student trained alone, or a placebo."
    )
    regulariser: bool = Field(
        default=False, description="Whether the row is a control without a teacher that tells regularisation apart."
    )
    options: Options = Field(default={}, description="Hyper-parameters, resolved.")
    weights: dict[str, Real] = Field(default={}, description="Weight of each term of the objective.")
    package: str = Field(default="", description="Distribution, or file, that the method comes from.")
    version: str = Field(default="", description="Version of that distribution.")
    file_sha256: Sha256 | None = Field(
        default=None, description="Hash of the source file, for a method given as a file."
    )
    roles: dict[str, Identifier] = Field(default={}, description="Teacher role -> id of the teacher that plays it.")
    notes: list[str] = Field(default=[], description="What a reader must know, e.g. reconstructions and deviations.")

    @property
    def origin(self) -> str:
        """Where the code comes from: a distribution and its version, or a file and the start of its hash."""
        return " ".join(filter(None, (self.package, self.version, (self.file_sha256 or "")[:8])))


class Student(Part):
    """The network that is trained, as deployed."""

    decoder: str = Field(default="", description="Decoder or architecture.")
    encoder: str = Field(default="", description="Encoder.")
    options: Options = Field(default={}, description="Further options of the network.")
    init: str = Field(default="", description="Initial weights: 'scratch', 'imagenet', or where they come from.")


class Teacher(Part):
    """A teacher as the track fixes it, whether or not this run's method uses it."""

    id: Identifier = Field(description="Content hash of all that determines the teacher.")
    kind: Identifier | None = Field(
        default=None, description="The same hash without the seed: a track fixes kinds; null where unknown."
    )
    seed: Count | None = Field(default=None, description="The teacher's own seed; null where it was not trained here.")
    role: str = Field(description="Role, e.g. 'deep'; the first teacher of the list is the main one.")
    decoder: str = Field(default="", description="Decoder or architecture.")
    encoder: str = Field(default="", description="Encoder.")
    weights_sha256: Sha256 | None = Field(default=None, description="Hash of the weights file.")
    steps: Count | None = Field(
        default=None, description="Training steps; null where unknown (a checkpoint from outside)."
    )
    recipe_id: str = Field(default="", description="Hash of the recipe that trained it.")
    own_score: Real = Field(default=None, description="The primary metric of the teacher itself on the test split.")
    own_metrics: dict[str, Real] = Field(default={}, description="All metrics of the teacher itself on the test split.")
    params: Count | None = Field(default=None, description="Parameters.")
    macs: Count | None = Field(default=None, description="Multiply-accumulates of one forward pass, batch 1.")
    latency_ms_p50: Amount = Field(default=None, description="Median latency of one forward pass, milliseconds.")
    activation_mb: Amount = Field(default=None, description="As of the student; both where the teacher was made.")
    images_per_s: Amount = Field(default=None, description="As of the student.")


class Budget(Part):
    """What every method of the track may spend."""

    kind: Literal["steps", "time", "open"] = Field(description="Equal steps, equal training time, or open.")
    steps: Count | None = Field(default=None, description="Optimiser steps, for equal steps.")
    factor: Amount = Field(default=None, description="For equal time: multiple of the control's own training time.")


class Tuning(Part):
    """What was spent on hyper-parameters, the same for every method of a fair track."""

    n_trials: Count = Field(description="Trials.")
    budget: str = Field(default="", description="What one trial may spend, in words, e.g. '200 steps'.")
    split: str = Field(description="The split that chose; never the test split.")
    space: Options = Field(default={}, description="The search space.")
    space_sha256: Sha256 | None = Field(default=None, description="Hash of the search space.")


class Selection(Part):
    """Which weights of the run were scored."""

    rule: SelectionRule = Field(default="last", description="The last step, or the best on the split below.")
    split: str | None = Field(default=None, description="The split that chose; null for the last step.")
    step: Count | None = Field(default=None, description="The step whose weights were scored.")


class Protocol(Part):
    """The rules that make runs of a track comparable."""

    name: str = Field(
        default="", description="Name of the protocol, 'custom' where a run departs from it; empty where it has none."
    )
    proves: bool | None = Field(
        default=None,
        description="Whether the protocol is made to compare methods, rather than to show that things run; null where "
        "the run keeps to no protocol.",
    )
    multiple: Amount = Field(
        default=1.0, description="Multiple of the track's steps that this run took, for rows that show a plateau."
    )
    recipe: Options = Field(
        description="The training recipe, resolved: steps, batch, crop, optimiser, rates, precision."
    )
    budget: Budget = Field(description="What every method may spend.")
    tuning: Tuning | None = Field(default=None, description="How hyper-parameters were tuned; null: defaults, untuned.")
    selection: Selection = Field(default=Selection(), description="Which weights were scored.")

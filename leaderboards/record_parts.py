"""The parts of a record; every field says what it holds, so the JSON Schema made from them is the manual."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from leaderboards.values import (
    Amount,
    Count,
    Identifier,
    Level,
    Options,
    Real,
    RelativePath,
    SelectionRule,
    Sha256,
    Share,
)


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


class Score(Part):
    """One metric of one split."""

    value: Real = Field(description="The value; null where undefined.")
    higher_is_better: bool = Field(description="Direction.")
    split: str = Field(description="The split, 'test' for the scores that rank.")
    n: Count = Field(description="Images that it was measured on.")


class Scores(Part):
    """What the student reached."""

    primary_metric: str = Field(description="Name of the metric that ranks.")
    metrics: dict[str, Score] = Field(
        default={}, description="Test metrics, read once after training; empty unless 'ok'."
    )
    validation: dict[str, Score] = Field(default={}, description="Validation metrics of the weights that were scored.")
    images_sha256: Sha256 | None = Field(
        default=None,
        description="Hash of images/<run id>.json beside the record: the primary metric's pseudo-value an image; null "
        "where there is none.",
    )
    per_class: dict[str, Real] = Field(default={}, description="The primary metric a class, where that has a meaning.")


class Inference(Part):
    """What the deployed student costs: adaptors, critics and teachers are not part of it."""

    params: Count | None = Field(default=None, description="Parameters.")
    macs: Count | None = Field(default=None, description="Multiply-accumulates of one forward pass, batch 1.")
    macs_method: str = Field(default="", description="How multiply-accumulates were counted.")
    input_size: list[Count] = Field(
        default=[], description="Height and width of the input for MACs and latency, in pixels."
    )
    latency_ms_p50: Amount = Field(default=None, description="Median latency of one forward pass, milliseconds.")
    latency_ms_p95: Amount = Field(default=None, description="95th percentile of the same.")
    batch: Count | None = Field(default=None, description="Batch size of the latency.")
    dtype: str = Field(default="", description="Number format of the latency.")
    device: str = Field(default="", description="Device of the latency.")
    compiled: bool | None = Field(default=None, description="Whether the network was compiled for the latency.")
    peak_mem_mb: Amount = Field(default=None, description="Peak memory of one forward pass, MiB.")
    activation_mb: Amount = Field(
        default=None, description="Peak memory of what a forward pass makes, batch 1: no weights, no input; MiB."
    )
    images_per_s: Amount = Field(default=None, description="Images a second at ``throughput_batch``.")
    throughput_batch: Count | None = Field(default=None, description="Batch size of images_per_s.")


class Training(Part):
    """What training cost, as if the run had been alone."""

    wall_s: Amount = Field(
        default=None, description="Seconds of training, measured alone or scaled from steps timed alone."
    )
    wall_basis: str = Field(default="", description="How wall_s was obtained, in words.")
    step_ms_p50: Amount = Field(default=None, description="Median time of one step alone, milliseconds.")
    steps: Count | None = Field(default=None, description="Optimiser steps that were made.")
    data_share: Share = Field(default=None, description="Share of a step spent waiting for data.")
    teacher_share: Share = Field(default=None, description="Share of a step spent in teachers.")
    critic_share: Share = Field(default=None, description="Share of a step spent in a critic.")
    images_per_s: Amount = Field(default=None, description="Labelled images a second, alone.")
    peak_mem_mb: Amount = Field(default=None, description="Peak memory of training, MiB.")
    memory_basis: str = Field(default="", description="What peak_mem_mb is the peak of, in words.")
    gpu_hours: Amount = Field(default=None, description="Device hours; null on a CPU.")
    cohort_id: str = Field(default="", description="The runs that trained side by side share it.")
    cohort_size: Count | None = Field(default=None, description="Runs in the cohort.")
    cohort_wall_s: Amount = Field(default=None, description="Seconds that the whole cohort took.")


class Diagnostics(Part):
    """What the first step showed, and how loud each term was through training."""

    gradient_ratios: dict[str, Real] = Field(
        default={}, description="Term -> norm of its weighted gradient in the student over that of the supervised term."
    )
    first_terms: dict[str, Real] = Field(default={}, description="Term -> unweighted value on the first step.")
    ratio_steps: list[int] = Field(default=[], description="Steps on which gradients were measured.")
    ratios: dict[str, list[Real | None]] = Field(
        default={}, description="Term -> its gradient ratio on each of these steps; null where it had none."
    )


class Provenance(Part):
    """How to get the same result again."""

    git_sha: str = Field(default="", description="Commit of the code; empty for an installed package.")
    git_dirty: bool | None = Field(default=None, description="Whether the working tree had changes.")
    config: Options = Field(default={}, description="The resolved configuration without machine facts.")
    config_sha256: Sha256 | None = Field(default=None, description="leaderboards.record.digest(config).")
    lock_sha256: Sha256 | None = Field(default=None, description="Hash of the list of installed versions.")
    student_sha256: Sha256 | None = Field(default=None, description="Hash of the trained student's file.")
    versions: dict[str, str] = Field(default={}, description="Package -> version.")
    hardware: dict[str, JsonValue] = Field(default={}, description="Device, cores, memory.")
    host_class: str = Field(default="", description="Kind of machine, in words.")
    started: AwareDatetime | None = Field(default=None, description="Start, with time zone.")
    finished: AwareDatetime | None = Field(default=None, description="End, with time zone.")
    command: str = Field(default="", description="The command line.")


class Artifacts(Part):
    """Files of the run, relative to the folder that holds ``records/``, which may have been left behind."""

    student: RelativePath | None = Field(default=None, description="The trained student, safetensors.")
    steps: RelativePath | None = Field(default=None, description="The log of steps, one JSON object a line.")
    panel: RelativePath | None = Field(default=None, description="A picture of predictions, PNG.")


class Verification(Part):
    """How far somebody has checked the score.

    L0 self-reported; L1 schema and hashes checked; L2 scored again from stored predictions; L3 evaluated again from the
    weights; L4 trained again by the maintainers.
    """

    level: Level = Field(default="L0", description="Level of the check.")
    reproduced: bool = Field(default=True, description="False: the check was made and gave another score.")
    by: str = Field(default="", description="Who, or what, checked.")
    on: AwareDatetime | None = Field(default=None, description="When.")
    tolerance: Amount = Field(
        default=None, description="Largest difference of the primary metric that counts as the same."
    )
    metrics: dict[str, Real] = Field(default={}, description="What the check measured.")


class Submission(Part):
    """Who hands the record in."""

    submitter: str = Field(default="", description="Name.")
    contact: str = Field(default="", description="How to reach them.")
    notes: str = Field(default="", description="Remarks.")
    superseded_by: Identifier | None = Field(default=None, description="Run id of the record that replaces this one.")

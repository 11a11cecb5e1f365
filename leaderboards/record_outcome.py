"""The parts of a record that say what came of a run: scores, costs, and what they can be checked by."""

from __future__ import annotations

from pydantic import AwareDatetime, Field, JsonValue

from leaderboards.record_parts import Part
from leaderboards.values import Amount, Count, Identifier, Level, Options, Real, RelativePath, Sha256, Share


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

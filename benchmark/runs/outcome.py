"""What came of a run, for its record: scores, costs, what terms did, and how to get the same again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmark.runs import environment
from benchmark.runs.identity import SHORT
from benchmark.runs.planned_runs import Contestant
from benchmark.training.budget import TimeBudget
from benchmark.training.cohort import Cohort
from benchmark.training.cost import InferenceCost
from benchmark.training.device import default_workers, hardware
from benchmark.training.evaluate import Evaluation
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from leaderboards import record_outcome as parts
from leaderboards.values import digest, finite
from tasks.base import Task

WALL_BASIS = "the member's own steps, its wait for data and every teacher prediction that it used, inside the cohort"


@dataclass
class Outcome:
    """What is known of a run when its record is written."""

    status: str
    reason: str
    started: datetime
    member: Member | None = None
    cohort: Cohort | None = None
    time_budget: TimeBudget | None = None
    test: Evaluation | None = None
    validation: Evaluation | None = None
    cost: InferenceCost | None = None
    student_sha256: str | None = None
    images_sha256: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the run came to its end, so that it has scores and costs."""
        return self.status == "ok"


def now() -> datetime:
    """The time, with zone, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def scores(problem: Problem, outcome: Outcome) -> parts.Scores:
    """What the student reached on the test split, and on validation."""
    return parts.Scores(
        primary_metric=problem.primary,
        metrics=_metrics(problem.task, outcome.test),
        validation=_metrics(problem.task, outcome.validation),
        images_sha256=outcome.images_sha256,
        per_class={} if outcome.test is None else dict(outcome.test.per_class),
    )


def _metrics(task: Task, evaluation: Evaluation | None) -> dict[str, parts.Score]:
    if evaluation is None:
        return {}
    return {
        name: parts.Score(
            value=evaluation.scores[name], higher_is_better=better, split=evaluation.split, n=evaluation.n
        )
        for name, better in task.metrics.items()
    }


def inference(problem: Problem, outcome: Outcome) -> parts.Inference:
    """What the student costs where it is deployed."""
    cost = outcome.cost
    if cost is None or not outcome.ended:
        return parts.Inference()
    return parts.Inference(
        params=cost.params,
        macs=cost.macs,
        macs_method="half of torch.utils.flop_counter, forward, eval mode, batch 1",
        input_size=list(cost.size),
        latency_ms_p50=cost.latency_ms_p50,
        latency_ms_p95=cost.latency_ms_p95,
        batch=1,
        dtype="float32",
        device=problem.fabric.device.type,
        compiled=False,
        peak_mem_mb=cost.peak_mem_mb,
        activation_mb=cost.activation_mb,
        images_per_s=cost.images_per_s,
        throughput_batch=cost.batch,
    )


def training(problem: Problem, outcome: Outcome) -> parts.Training:
    """What training cost, as if the run had been alone."""
    member, cohort = outcome.member, outcome.cohort
    if member is None or cohort is None or not outcome.ended:
        return parts.Training()
    timing, recipe, size = member.timing, member.recipe, len(cohort.members)
    alone = timing.alone(cohort.clock.teachers)
    memory, memory_basis = cohort.memory.figure(member, size)
    if problem.ranks.count > 1:
        memory_basis += f"; of the first of {problem.ranks.count} processes"
    return parts.Training(
        wall_s=alone.total,
        wall_basis=_wall_basis(problem, cohort, outcome.time_budget),
        steps=recipe.steps,
        step_ms_p50=float(np.median(timing.steps)) * 1000 if timing.steps else None,
        data_share=alone.share(alone.data),
        teacher_share=alone.share(alone.teachers),
        critic_share=alone.share(alone.critic),
        images_per_s=recipe.steps * recipe.batch / alone.total if alone.total else None,
        peak_mem_mb=memory,
        memory_basis=memory_basis,
        gpu_hours=alone.total * problem.ranks.count / 3600 if _on_gpu(problem) else None,
        cohort_id=digest(sorted(peer.name for peer in cohort.members))[:SHORT],
        cohort_size=size,
        cohort_wall_s=cohort.seconds,
    )


def _on_gpu(problem: Problem) -> bool:
    return problem.fabric.device.type == "cuda"


def _wall_basis(problem: Problem, cohort: Cohort, budget: TimeBudget | None) -> str:
    """Say how the seconds came about; a wait that many shared may be longer for one that is alone."""
    said = [f"{WALL_BASIS}, by the {'events of the GPU' if _on_gpu(problem) else 'clock of the processor'}"]
    if len(cohort.members) > 1 and default_workers(problem.fabric, problem.config.workers):
        said.append("the wait for data is the cohort's: batches were made while others trained")
    if problem.ranks.count > 1:
        said.append(f"{problem.ranks.count} devices shared each batch")
    return "; ".join([*said, str(budget)] if budget is not None else said)


def diagnostics(outcome: Outcome) -> parts.Diagnostics:
    """How loud each term was, also in a run that did not end."""
    if outcome.member is None:
        return parts.Diagnostics()
    signals = outcome.member.signals
    return parts.Diagnostics(
        gradient_ratios=dict(signals.first_ratios()),
        first_terms=dict(signals.first_terms),
        ratio_steps=list(signals.measured),
        ratios={name: list(values) for name, values in signals.ratios.items()},
    )


def provenance(problem: Problem, facts: dict[str, Any], outcome: Outcome) -> parts.Provenance:
    """How to get the same result again; ``facts`` are those that name the run."""
    sha, dirty = environment.git_state()
    config = finite(facts)
    return parts.Provenance(
        git_sha=sha,
        git_dirty=dirty,
        config=config,
        config_sha256=digest(config),
        lock_sha256=environment.lock_sha256(),
        student_sha256=outcome.student_sha256,
        versions=dict(environment.versions()),
        hardware=dict(hardware(problem.fabric)),
        host_class=f"{problem.fabric.device.type}, {hardware(problem.fabric)['cores']} cores",
        started=outcome.started,
        finished=max(now(), outcome.started) if outcome.status != "interrupted" else None,  # a clock may be set back
        command=environment.command(),
    )


def artifacts(contestant: Contestant, outcome: Outcome) -> parts.Artifacts:
    """Which files the run left."""
    if not outcome.ended:
        return parts.Artifacts()
    folder = contestant.folder.relative_to(contestant.home)
    return parts.Artifacts(
        student=str(folder / "student.safetensors"), steps=str(folder / "steps.jsonl"), panel=str(folder / "panel.png")
    )

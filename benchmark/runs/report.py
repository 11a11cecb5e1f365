"""From a run to its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.config import protocols, strength
from benchmark.config.schema import Config, Recipe
from benchmark.runs import environment, trivial
from benchmark.runs.identity import SHORT, numerics_of, recipe_facts
from benchmark.runs.planned_runs import Contestant
from benchmark.runs.teachers import Plan, about
from benchmark.training.assemble import stand_ins
from benchmark.training.budget import TimeBudget
from benchmark.training.cohort import Cohort
from benchmark.training.cost import InferenceCost
from benchmark.training.device import default_workers, hardware
from benchmark.training.evaluate import Evaluation
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from leaderboards import record_parts as parts
from leaderboards.record import Record
from leaderboards.values import digest, finite
from methods.base import methods
from tasks.base import NetworkSpec, Task, tasks

WALL_BASIS = "the member's own steps, its wait for data and every teacher prediction that it used, inside the cohort"


def now() -> datetime:
    """The time, with zone, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


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


def build_record(
    problem: Problem, config: Config, contestant: Contestant, plans: Mapping[str, Plan], outcome: Outcome
) -> Record:
    """Fill a record; a run that did not end has no scores and no costs."""
    identity, task = contestant.identity, problem.task
    ended = outcome.status == "ok"
    return Record(
        run_id=identity.run_id,
        entry_id=identity.entry_id,
        track_id=identity.track_id,
        setting_id=identity.setting_id,
        status=outcome.status,  # type: ignore[arg-type]  # one of the literals; pydantic checks it
        status_reason=outcome.reason,
        seed=config.seed,
        seed_scheme="every draw keyed by (seed, purpose, position); the teacher's seed is its own",
        deterministic=config.deterministic or problem.fabric.device.type == "cpu",
        task=_task(problem, config),
        dataset=_dataset(problem),
        method=_method(config, contestant, outcome),
        student=_student(config.student),
        teachers=[_teacher(plan, Path(config.home)) for plan in plans.values()],
        trivial=trivial.scores(problem) or {},
        protocol=_protocol(config, contestant, outcome.member),
        scores=_scores(task, problem.primary, outcome),
        inference=_inference(outcome.cost, problem) if ended else parts.Inference(),
        training=_training(problem, outcome) if ended else parts.Training(),
        diagnostics=_diagnostics(outcome.member),
        provenance=_provenance(problem, identity.facts, outcome),
        artifacts=_artifacts(contestant) if ended else parts.Artifacts(),
    )


def _student(spec: NetworkSpec) -> parts.Student:
    options: dict[str, Any] = {"encoder": spec.encoder_options, "decoder": spec.decoder_options}
    if spec.network is not None:
        options = {"network": spec.options, "output": spec.output, "features": spec.features}
    return parts.Student(**_architecture(spec), options=options, init=spec.weights or "scratch")


def _architecture(spec: NetworkSpec) -> dict[str, str]:
    """Name a network as boards show it: a registered class stands in the decoder's place."""
    return {"decoder": spec.network or spec.decoder, "encoder": "" if spec.network else spec.encoder}


def _task(problem: Problem, config: Config) -> parts.TaskPart:
    options = {key: value for key, value in config.task.items() if key != "name"}
    origin = tasks.origin(problem.task.name)
    return parts.TaskPart(
        name=problem.task.name,
        title=problem.task.title,
        margin=_margin(problem.task),
        options=options,
        preprocess={
            "size": problem.config.data.get("size"),
            "crop": list(problem.crop(config.recipe)),
            "augmented_on": str(problem.placement),
        },
        evaluation={
            **{"resolution": "ground truth", "interpolation": "bilinear", "align_corners": False},
            **asdict(config.evaluation),
        },
        package=origin.package,
        version=origin.version,
        file_sha256=origin.file_sha256 or None,
    )


def _margin(task: Task) -> parts.Margin | None:
    if task.margin is None:
        return None
    value = {"relative" if task.margin.relative else "absolute": task.margin.value}
    return parts.Margin(**value)


def _dataset(problem: Problem) -> parts.Dataset:
    partition, dataset = problem.partition, problem.dataset
    count = {split: len(dataset.ids(split)) for split in ("train", "val", "test")}
    return parts.Dataset(
        name=dataset.name,
        reference=dataset.reference,
        license=dataset.license,
        options=problem.data_options,
        manifest_sha256=problem.manifest,
        n_train=count["train"],
        n_val=count["val"],
        n_test=count["test"],
        labeled=parts.Labeled(
            name=partition.name, count=len(partition.labeled), total=count["train"], checksum=partition.checksum
        ),
    )


def _method(config: Config, contestant: Contestant, outcome: Outcome) -> parts.MethodPart:
    cls, origin = contestant.method, methods.origin(contestant.name)
    roles = contestant.roles
    return parts.MethodPart(
        name=contestant.name,
        title=cls.title,
        paper=cls.paper,
        reference=cls.reference,
        license=cls.license,
        variant=contestant.variant,
        control=cls.control or contestant.control,
        regulariser=cls.regulariser,
        options=config.methods.get(contestant.name, {}),
        weights={} if outcome.member is None else dict(outcome.member.weights),
        package=origin.package,
        version=origin.version,
        file_sha256=origin.file_sha256 or None,
        roles={role: contestant.plans[teacher].id for role, teacher in roles.items()},
        notes=_notes(roles, outcome.member),
    )


def _notes(roles: Mapping[str, str], member: Member | None) -> list[str]:
    """Say what a reader would not expect: who stands in for a teacher, what is deployed beside the student."""
    said = [f"the teacher '{roles[role]}' stands in for the missing role '{role}'" for role in stand_ins(roles)]
    if member is not None and member.active and member.method.decoder is not None:
        said.append("the student is deployed with a decoder, which counts in its scores, parameters and costs")
    return said


def _teacher(plan: Plan, home: Path) -> parts.Teacher:
    facts = about(plan, home) or {}
    metrics = facts.get("metrics", {})
    return parts.Teacher(
        id=plan.id,
        kind=plan.kind,
        seed=plan.seed if plan.recipe else None,
        role=plan.role,
        **_architecture(plan.spec),
        weights_sha256=facts.get("weights_sha256"),
        steps=facts.get("steps"),
        recipe_id=facts.get("recipe_id", ""),
        own_score=metrics.get(facts.get("primary_metric")),
        own_metrics=metrics,
        params=facts.get("params"),
        macs=facts.get("macs"),
        latency_ms_p50=facts.get("latency_ms_p50"),
        activation_mb=facts.get("activation_mb"),
        images_per_s=facts.get("images_per_s"),
    )


def _protocol(config: Config, contestant: Contestant, member: Member | None) -> parts.Protocol:
    recipe = recipe_facts(config.recipe)
    best = member.best if member is not None and config.recipe.selection == "best" else None
    return parts.Protocol(
        name=protocols.name(config),
        proves=config.protocol.proves if protocols.kept(config) else None,
        multiple=config.recipe.factor if config.recipe.budget == "steps" else 1.0,
        recipe={**recipe, **numerics_of(config), "compiled": _compiled(config)},
        budget=_budget(config.recipe),
        tuning=strength.spent(config, contestant.name),
        selection=parts.Selection(
            rule=config.recipe.selection,  # type: ignore[arg-type]
            split="val" if config.recipe.selection == "best" else None,
            step=best[1] if best is not None else (member or config).recipe.steps,
        ),
    )


def _compiled(config: Config) -> list[Any]:
    """Name what ran through torch.compile; the latency is that of the network as it is."""
    return ["students", "teachers", "evaluation"] if config.compile else []


def _budget(recipe: Recipe) -> parts.Budget:
    if recipe.budget == "time":
        return parts.Budget(kind="time", factor=recipe.factor)
    return parts.Budget(kind="steps", steps=recipe.steps)


def _scores(task: Task, primary: str, outcome: Outcome) -> parts.Scores:
    return parts.Scores(
        primary_metric=primary,
        metrics=_metrics(task, outcome.test),
        validation=_metrics(task, outcome.validation),
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


def _inference(cost: InferenceCost | None, problem: Problem) -> parts.Inference:
    if cost is None:
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


def _training(problem: Problem, outcome: Outcome) -> parts.Training:
    member, cohort = outcome.member, outcome.cohort
    if member is None or cohort is None:
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


def _diagnostics(member: Member | None) -> parts.Diagnostics:
    if member is None:
        return parts.Diagnostics()
    signals = member.signals
    return parts.Diagnostics(
        gradient_ratios=dict(signals.first_ratios()),
        first_terms=dict(signals.first_terms),
        ratio_steps=list(signals.measured),
        ratios={name: list(values) for name, values in signals.ratios.items()},
    )


def _provenance(problem: Problem, facts: dict[str, Any], outcome: Outcome) -> parts.Provenance:
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
        finished=now() if outcome.status != "interrupted" else None,
        command=environment.command(),
    )


def _artifacts(contestant: Contestant) -> parts.Artifacts:
    folder = contestant.folder.relative_to(contestant.home)
    return parts.Artifacts(
        student=str(folder / "student.safetensors"), steps=str(folder / "steps.jsonl"), panel=str(folder / "panel.png")
    )


__all__: Sequence[str] = ("Outcome", "build_record", "now")

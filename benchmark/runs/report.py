"""From a run to its record: what was run; what came of it is told in ``outcome``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark.config import protocols, strength
from benchmark.config.schema import Config, Recipe
from benchmark.runs import trivial
from benchmark.runs.identity import numerics_of, recipe_facts
from benchmark.runs.outcome import Outcome, artifacts, diagnostics, inference, provenance, scores, training
from benchmark.runs.planned_runs import Contestant
from benchmark.runs.teachers import Plan, about
from benchmark.training.assemble import stand_ins
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from leaderboards import record_parts as parts
from leaderboards.record import Record
from methods.base import methods
from tasks.base import NetworkSpec, Task, tasks


def build_record(
    problem: Problem, config: Config, contestant: Contestant, plans: Mapping[str, Plan], outcome: Outcome
) -> Record:
    """Fill a record; a run that did not end has no scores and no costs."""
    identity, home = contestant.identity, Path(config.home)
    refused = outcome.status == "not_applicable"  # it met nobody, so it does not tell who was there before it
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
        teachers=[_teacher(plan, {} if refused else about(plan, home) or {}) for plan in plans.values()],
        trivial={} if refused else trivial.scores(problem) or {},
        protocol=_protocol(config, contestant, outcome.member),
        scores=scores(problem, outcome),
        inference=inference(problem, outcome),
        training=training(problem, outcome),
        diagnostics=diagnostics(outcome),
        provenance=provenance(problem, identity.facts, outcome),
        artifacts=artifacts(contestant, outcome),
    )


def _student(spec: NetworkSpec) -> parts.Student:
    options: dict[str, Any] = {"encoder": spec.encoder_options, "decoder": spec.decoder_options}
    if spec.network is not None:
        options = {"network": spec.options, "output": spec.output, "features": spec.features}
    if spec.shrink > 1:
        options["shrink"] = spec.shrink
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


def _teacher(plan: Plan, facts: Mapping[str, Any]) -> parts.Teacher:
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

"""Teachers: trained by the suite when missing, kept under the hash of all that determines them, reused for ever."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from benchmark.config.schema import Config, Recipe, TeacherConfig
from benchmark.runs.folders import held
from benchmark.runs.identity import SHORT, ready_facts, recipe_facts, teacher_facts
from benchmark.training.assemble import Assembly, Lesson, control
from benchmark.training.checkpoint import STATE, save_weights
from benchmark.training.cohort import Cohort
from benchmark.training.conditions import Watch
from benchmark.training.cost import inference_cost
from benchmark.training.device import ready
from benchmark.training.kept import read_kept
from benchmark.training.problem import Problem
from benchmark.training.randomness import Randomness
from benchmark.training.ranks import Order
from leaderboards.atomic import atomic_write, discard
from leaderboards.values import digest, finite, sha256_of
from tasks.base import NetworkSpec
from tasks.errors import InputError
from tasks.networks.hub import HUB, is_encoder
from tasks.networks.weights import load_weights

OWN_SEEDS = 1_000_000  # the seed of the first student that stands in for a teacher

COSTS = ("params", "macs", "latency_ms_p50", "activation_mb", "images_per_s")  # that a board shows of a teacher


class TeacherError(Exception):
    """A teacher could not be trained."""


@dataclass(frozen=True)
class Plan:
    """A teacher before it exists: its id is known, its weights need not be."""

    id: str
    role: str
    spec: NetworkSpec
    checkpoint: str | None
    recipe: Recipe | None  # that the suite trains it by; None for a checkpoint, a published or an untrained network
    seed: int
    facts: dict[str, Any]

    @property
    def kind(self) -> str:
        """Hash of all that determines the teacher but its seed: what a track fixes."""
        return digest({key: value for key, value in self.facts.items() if key != "seed"})[:SHORT]


@dataclass(frozen=True)
class Teacher:
    """A teacher that is there: frozen, in eval mode."""

    plan: Plan
    network: nn.Module
    about: dict[str, Any]  # what teacher.json says


def plan_teachers(problem: Problem, config: TeacherConfig) -> dict[str, Plan]:
    """Name the teachers of a configuration by role, without training any.

    Raises InputError where there is none, or the checkpoint is missing.
    """
    if not config.networks:
        raise InputError("teacher.networks is empty: name at least one, e.g. +teacher.networks.large.encoder=...")
    if config.checkpoint is not None and config.weights is not None:
        raise InputError("teacher.checkpoint and teacher.weights both say what the main teacher is; give one of them")
    main = next(iter(config.networks))
    plans = {role: _plan(problem, config, role, spec) for role, spec in config.networks.items() if role != main}
    return {main: _plan_main(problem, config, main), **plans}


def _plan(problem: Problem, config: TeacherConfig, role: str, spec: NetworkSpec) -> Plan:
    facts = teacher_facts(problem, spec, config.recipe, config.seed)
    return Plan(digest(facts)[:SHORT], role, spec, None, config.recipe, config.seed, facts)


def _plan_main(problem: Problem, config: TeacherConfig, role: str) -> Plan:
    """Plan the main teacher, which may come from a file or a hub."""
    spec = config.networks[role]
    if config.checkpoint is None and config.weights is None:
        return _plan(problem, config, role, spec)
    if config.checkpoint is not None and not Path(config.checkpoint).is_file():
        raise InputError(
            f"teacher.checkpoint={config.checkpoint}: no such file; give the path of a .safetensors, .pth, .pt or "
            ".ckpt file"
        )
    if config.weights is not None:
        if is_encoder(config.weights):
            raise InputError(
                f"teacher.weights={config.weights}: an encoder predicts nothing by itself; "
                f"+teacher.networks.{role}.weights={config.weights} trains a teacher on it"
            )
        if not config.weights.startswith(HUB):
            raise InputError(f"teacher.weights={config.weights}: expected hub:NAME; a file is teacher.checkpoint=PATH")
        spec = replace(spec, weights=config.weights)
    facts = ready_facts(problem, spec, config.checkpoint)
    return Plan(digest(facts)[:SHORT], role, spec, config.checkpoint, None, config.seed, facts)


def plan_all(problem: Problem, config: Config) -> tuple[dict[str, Plan], dict[str, Plan]]:
    """Name the teachers that name the track, and those that teach: the same, or what stands in for them."""
    track = plan_teachers(problem, config.teacher)
    return track, track if config.teacher.control == "trained" else plan_stand_ins(problem, config)


def plan_stand_ins(problem: Problem, config: Config) -> dict[str, Plan]:
    """Name what stands in for the teachers in a control row: other networks, in the same roles.

    ``untrained`` networks have random weights. ``self`` is the student's own network, trained as the control is, from a
    seed that no student has: what a method gains from it comes from no larger network.
    """
    teacher = config.teacher
    if teacher.control == "untrained":
        return {role: _untrained(problem, teacher, role, spec) for role, spec in teacher.networks.items()}
    recipe = replace(config.recipe, budget="steps", factor=1.0)
    alone = replace(teacher, recipe=recipe, seed=OWN_SEEDS + teacher.seed)
    return {role: _plan(problem, alone, role, config.student) for role in teacher.networks}


def _untrained(problem: Problem, config: TeacherConfig, role: str, spec: NetworkSpec) -> Plan:
    facts = {**ready_facts(problem, spec, None), "untrained": True, "seed": config.seed}
    return Plan(digest(facts)[:SHORT], role, spec, None, None, config.seed, facts)


def about(plan: Plan, home: Path) -> dict[str, Any] | None:
    """Read what is known of a teacher; None where it does not exist yet, InputError where the file is damaged."""
    path = home / "teachers" / plan.id / "teacher.json"
    remedy = f"delete the folder {path.parent} to have the teacher made again"
    return read_kept(path, ("primary_metric", "metrics", "weights_sha256"), remedy) if path.exists() else None


def _folder(plan: Plan, problem: Problem) -> Path:
    return Path(problem.config.home) / "teachers" / plan.id


def obtain(plan: Plan, problem: Problem, watch: Watch) -> Teacher:
    """Load a teacher, training and scoring it first where it does not exist.

    Two processes that want the same one train it once. Raises InputError where a stored file was changed or does not
    fit, and TeacherError where training fails.
    """
    folder, say = _folder(plan, problem), watch.progress.message
    waiting = f"teacher {plan.role} {plan.id}: another process is making it; waiting"
    with held(folder, lambda: say(waiting)):
        facts = about(plan, Path(problem.config.home))
        if facts is None:
            facts = _make(plan, problem, folder, watch)
        discard(folder / STATE)
        network = _load(plan, problem, folder, facts)
    say(f"teacher {plan.role} {plan.id}: {problem.primary} {facts['metrics'][problem.primary]:.4f}")
    return Teacher(plan, network, facts)


def _make(plan: Plan, problem: Problem, folder: Path, watch: Watch) -> dict[str, Any]:
    """Train, or take over, a teacher; score it once; write the weights, then what is known of them."""
    network = problem.build_network(plan.spec, Randomness(plan.seed))
    if plan.checkpoint is not None:
        watch.progress.message(f"teacher {plan.role} {plan.id}: {load_weights(network, Path(plan.checkpoint))}")
    if plan.recipe is not None:
        _train(plan, plan.recipe, network, problem, watch)
    evaluation = problem.evaluate(ready(network, problem.config.compile), "test")
    cost = inference_cost(network, problem.first_size, problem.fabric, problem.task.frames)
    facts = {
        "id": plan.id,
        "network": asdict(plan.spec),
        "task": problem.task.name,
        "data": problem.dataset.name,
        "labeled": problem.partition.name,
        "trained": plan.recipe is not None,
        "steps": plan.recipe.steps if plan.recipe else None,
        "recipe_id": digest(recipe_facts(plan.recipe))[:SHORT] if plan.recipe else "",
        **{key: getattr(cost, key) for key in COSTS},
        "primary_metric": problem.primary,
        "metrics": finite(evaluation.scores),
        "weights_sha256": save_weights(network.state_dict(), folder / "teacher.safetensors"),
        "facts": plan.facts,
    }
    atomic_write(folder / "teacher.json", json.dumps(facts, indent=2) + "\n")
    return facts


def _train(plan: Plan, recipe: Recipe, network: nn.Module, problem: Problem, watch: Watch) -> None:
    """Train a teacher as the control is trained: alone, on labels."""
    cohort = _cohort(plan, recipe, network, problem, watch)
    (member,) = cohort.members
    watch.progress.begin(f"teacher {plan.role}", recipe.steps, member.start)
    problem.ranks.told(Order("teacher", (plan.role,)))
    cohort.train()
    watch.progress.end()
    if not member.active:
        raise TeacherError(f"teacher {plan.role} {member.status}: {member.reason}; lower teacher.recipe.lr")
    member.use_best()


def _cohort(plan: Plan, recipe: Recipe, network: nn.Module, problem: Problem, watch: Watch) -> Cohort:
    """Assemble what trains a teacher, from where it was left."""
    assembly = Assembly(problem, problem.conditions(recipe, Randomness(plan.seed)), {})
    return assembly.cohort([assembly.member(plan.role, network, Lesson(control()), _folder(plan, problem))], watch)


def cohort_beside(plan: Plan, problem: Problem, watch: Watch) -> Cohort:
    """Assemble what trains a teacher beside the process that makes it, of those that share batches."""
    assert plan.recipe is not None
    return _cohort(plan, plan.recipe, problem.build_network(plan.spec, Randomness(plan.seed)), problem, watch)


def _load(plan: Plan, problem: Problem, folder: Path, facts: dict[str, Any]) -> nn.Module:
    path = folder / "teacher.safetensors"
    if not path.exists() or sha256_of(path) != facts["weights_sha256"]:
        raise InputError(
            f"{path}: its hash is not the one in teacher.json, so the file was changed or cut off; "
            f"delete the folder {folder} to have the teacher made again"
        )
    network = problem.build_network(plan.spec, Randomness(plan.seed))
    load_weights(network, path)
    return network.eval().requires_grad_(False)

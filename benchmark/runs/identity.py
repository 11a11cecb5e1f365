"""What a run is: the hash of everything that can change its result, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmark.config.schema import Config, EvaluationConfig, Recipe
from benchmark.training.problem import Problem
from leaderboards.values import digest, sha256_of
from methods.base import methods
from tasks.base import NetworkSpec, datasets, networks, tasks
from tasks.networks.hub import folder_of
from tasks.registry import source_of as source_of

REVISION = 4  # raised when a change of the code changes results
SHORT = 12  # digits of a hash in a name
OWN_NETWORK = ("network", "options", "output", "features")  # what a registered network is built by
NUMERICS = ("precision", "tf32", "channels_last", "compile", "deterministic")  # keys that say how exactly to compute
LATE_KEYS = ("schedule", "drops", "head", "decay_all", "ema", "auxiliary", "crop_share")  # earlier recipes lack them
LATE_OPTIONS = {"reduction": "mean"}  # of methods: earlier records lack them
BUDGET_KEYS = ("steps", "budget", "factor")  # of the recipe: what a track fixes beyond its setting


class Named(Protocol):
    """A teacher that may not exist yet."""

    @property
    def id(self) -> str:
        """Hash of all that determines it."""

    @property
    def kind(self) -> str:
        """The same without its seed."""


@dataclass(frozen=True)
class Identity:
    """The ids of one run."""

    run_id: str
    entry_id: str
    track_id: str
    setting_id: str
    facts: dict[str, Any]  # what the run id is the hash of


def recipe_facts(recipe: Recipe) -> dict[str, Any]:
    """Describe a recipe: without the keys of a time budget where it counts steps, and late ones at their defaults."""
    plain = asdict(Recipe())
    facts = {key: value for key, value in asdict(recipe).items() if key not in LATE_KEYS or value != plain[key]}
    return facts if recipe.budget == "time" else {key: facts[key] for key in facts if key not in ("budget", "factor")}


def network_facts(spec: NetworkSpec) -> dict[str, Any]:
    """Describe a network; a file, or a folder, of weights counts by its content."""
    kept = ("decoder", "encoder", "encoder_options", "decoder_options") if spec.network is None else OWN_NETWORK
    facts = {key: asdict(spec)[key] for key in (*kept, "weights")}
    if spec.network is not None:
        facts["source"] = source_of(networks, spec.network)
    if spec.shrink > 1:  # so that the ids of networks that see every pixel stay what they were
        facts["shrink"] = spec.shrink
    if spec.weights and Path(spec.weights).is_file():
        facts["weights"] = sha256_of(Path(spec.weights))
    if (folder := folder_of(spec.weights)) is not None:
        facts["folder"] = digest({path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()})
    return facts


def numerics_of(config: Config) -> dict[str, Any]:
    """Say how exactly a run computes; several devices count, since each normalises its part of a batch by itself."""
    several = {"devices": config.devices} if config.devices > 1 else {}
    return {key: getattr(config, key) for key in NUMERICS} | several


def problem_facts(problem: Problem) -> dict[str, Any]:
    """Describe task and data."""
    config, partition = problem.config, problem.partition
    data = {**problem.data_options, "manifest": problem.manifest}
    if source := source_of(datasets, problem.dataset.name):
        data["source"] = source
    views = {} if config.evaluation == EvaluationConfig() else {"evaluation": asdict(config.evaluation)}
    numerics = numerics_of(config) | {"device": problem.fabric.device.type}
    if problem.placement.resident:  # colours are rounded otherwise than on the host
        numerics["augmentation"] = "device"
    return {
        **views,
        "revision": REVISION,
        "task": {**config.task, "source": source_of(tasks, config.task["name"])},
        "data": data,
        "labeled": {"name": partition.name, "checksum": partition.checksum},
        "numerics": numerics,
    }


def teacher_facts(problem: Problem, spec: NetworkSpec, recipe: Recipe, seed: int) -> dict[str, Any]:
    """Describe a teacher that the suite trains."""
    return {**problem_facts(problem), "network": network_facts(spec), "recipe": recipe_facts(recipe), "seed": seed}


def ready_facts(problem: Problem, spec: NetworkSpec, checkpoint: str | None) -> dict[str, Any]:
    """Describe a teacher that comes from a file or a hub: labels and recipes of this suite have no part in it."""
    facts = problem_facts(problem)
    content = None if checkpoint is None else sha256_of(Path(checkpoint))
    return {"checkpoint": content, "network": network_facts(spec), "task": facts["task"], "data": facts["data"]}


def identify(
    problem: Problem, config: Config, method: str, teachers: Mapping[str, Named], roles: bool, variant: str
) -> Identity:
    """Derive the ids of the run that trains ``method``, which has ``roles`` for teachers or none.

    ``teachers`` are the track's by role: a track fixes their kinds; which of a kind taught, a run.
    """
    track = {
        **problem_facts(problem),
        "student": network_facts(config.student),
        "teachers": {role: plan.kind for role, plan in teachers.items()},
        "recipe": recipe_facts(config.recipe),
    }
    any_budget = {key: value for key, value in recipe_facts(config.recipe).items() if key not in BUDGET_KEYS}
    setting = {**track, "recipe": any_budget}
    given, source = config.methods.get(method, {}), source_of(methods, method)
    options = {key: value for key, value in given.items() if (key, value) not in LATE_OPTIONS.items()}
    entry = {**track, "method": {"name": method, "options": options, "source": source}}
    if variant:
        entry["variant"] = variant
    facts = {**entry, "seed": config.seed}
    if roles:
        facts["teachers"] = {role: plan.id for role, plan in teachers.items()}
    label = f"{config.task['name']}-{method}"
    return Identity(
        run_id=f"{label}-s{config.seed}-{digest(facts)[:SHORT]}",
        entry_id=f"{label}-{digest(entry)[:SHORT]}",
        track_id=f"{config.task['name']}-{digest(track)[:SHORT]}",
        setting_id=f"{config.task['name']}-{digest(setting)[:SHORT]}",
        facts=facts,
    )

"""Before training: a method learns what it must know of its teachers, from one pass over the labeled images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from torch import Tensor, nn

from benchmark.config.schema import Recipe
from benchmark.training.clock import Clock
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from benchmark.training.randomness import Randomness
from benchmark.training.ranks import ALONE
from benchmark.training.step import MemberStep, SharedStep
from tasks.base import Prediction
from tasks.errors import InputError

SEED = 0  # of the order and the augmentation of images, whatever the run's is: its runs share what is learned
STREAM = ("batch", "crop", "scale", "flip", "jitter")  # of a recipe: what the images look like


def stream_facts(recipe: Recipe) -> dict[str, Any]:
    """Describe the images that a method is calibrated on, beside task and data."""
    facts = asdict(recipe)
    late = {} if recipe.crop_share is None else {"crop_share": facts["crop_share"]}  # earlier calibrations lack it
    return {"seed": SEED, **{key: facts[key] for key in STREAM}, **late}


def calibrate(member: Member, problem: Problem, teachers: Mapping[str, nn.Module]) -> None:
    """Let a member's method fill its calibration, on augmented images of the member's recipe."""
    once = -(-len(problem.partition.labeled) // member.recipe.batch)
    conditions = replace(problem.conditions(replace(member.recipe, steps=once), Randomness(SEED)), ranks=ALONE)
    clock = Clock.of(problem.fabric.device)
    ready = {name: conditions.ready(teacher) for name, teacher in teachers.items()}
    batches = problem.batches(conditions.recipe, conditions.draws, 0, unlabeled=False)
    member.method.calibrate(
        MemberStep(SharedStep(index, drawn, ready, conditions, clock), _nobody, member.roles)
        for index, drawn in enumerate(batches)
    )


def _nobody(image: Tensor) -> Prediction:
    raise InputError("calibrate asked for the student's prediction; what it learns is shared by all students")

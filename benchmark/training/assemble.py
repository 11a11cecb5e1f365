"""From a problem, conditions and teachers to members, and from members to a cohort."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from benchmark.config.strength import SHARED, STRENGTH
from benchmark.config.terms import keep
from benchmark.training.cohort import Batches, Cohort
from benchmark.training.conditions import Conditions, Watch
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from benchmark.training.randomness import Randomness
from methods.base import SUPERVISED, Method, Setting, methods
from tasks.base import Prediction
from tasks.errors import InputError


@dataclass(frozen=True)
class Lesson:
    """How a network is taught: a method, its options, and the teacher that plays each of its roles."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)  # role -> name of a teacher


def control() -> type[Method]:
    """Return the control that every method is compared with, and that teachers are trained as."""
    controls = [method for method in methods.values() if method.control]
    if not controls:
        raise InputError("no method is registered as control; reinstall densedistill, whose method 'none' is one")
    return controls[0]


def cast(roles: Sequence[str], teachers: Sequence[str]) -> dict[str, str]:
    """Say which of a task's teachers plays each role that a method asks for.

    A role that the task lacks is played by the task's teacher at the same position, else by the first.
    """
    played = {}
    for position, role in enumerate(roles):
        stand_in = teachers[position] if position < len(teachers) else teachers[0]
        played[role] = role if role in teachers else stand_in
    return played


def stand_ins(played: Mapping[str, str]) -> list[str]:
    """List the roles whose teacher plays another role of the method too: one of its own name, or an earlier one."""
    named_first = sorted(played, key=lambda role: role != played[role])
    casts = [(role, {played[earlier] for earlier in named_first[:place]}) for place, role in enumerate(named_first)]
    return [role for role, taken in casts if played[role] in taken]


def build_method(lesson: Lesson, setting: Setting, draws: Randomness) -> Method:
    """Build a method from its options, its initial weights keyed by the seed and its name."""
    name = lesson.method.name
    options = {key: value for key, value in lesson.options.items() if key not in SHARED}
    with draws.globally(f"initial weights of {name}"):
        method = lesson.method(setting, **options)
    keep(method, lesson.options)
    strengthen(method, lesson.options)
    return method


def strengthen(method: Method, options: Mapping[str, Any]) -> None:
    """Multiply the weight of every term but the supervised one."""
    factor = options.get(STRENGTH, 1.0)
    method.weights = {
        term: weight if term == SUPERVISED else factor * weight for term, weight in method.weights.items()
    }


class Assembly:
    """Builds what trains together.

    Args:
        problem: the task and its data.
        conditions: what all members train under.
        teachers: networks by name, in eval mode, without gradients.
    """

    def __init__(self, problem: Problem, conditions: Conditions, teachers: Mapping[str, nn.Module]) -> None:
        self.problem, self.conditions, self.teachers = problem, conditions, teachers
        self._examples: dict[str, Prediction] = {}

    def student(self) -> nn.Module:
        """Give a student with the initial weights of the seed: a copy, for building takes longer."""
        return copy.deepcopy(self._blank)

    @cached_property
    def _blank(self) -> nn.Module:
        return self.problem.build_network(self.problem.config.student, self.conditions.draws)

    def member(self, name: str, network: nn.Module, lesson: Lesson, folder: Path) -> Member:
        """Join a network and its method into a member, which takes up the state that lies in ``folder``."""
        teachers = {role: self._example(teacher) for role, teacher in lesson.roles.items()}
        setting = Setting(self.conditions.output, self._shapes(network), teachers)
        method = build_method(lesson, setting, self.conditions.draws)
        self.conditions.fabric.to_device(method)
        tensorboard = self.problem.config.tensorboard
        return Member(name, network, method, self.conditions, folder, roles=lesson.roles, tensorboard=tensorboard)

    def _example(self, teacher: str) -> Prediction:
        if teacher not in self._examples:
            self._examples[teacher] = self._shapes(self.teachers[teacher])
        return self._examples[teacher]

    def _shapes(self, network: nn.Module) -> Prediction:
        return self.problem.example(network, self.conditions.recipe)

    def cohort(self, members: Sequence[Member], watch: Watch, batches: Batches | None = None) -> Cohort:
        """Assemble members, on the problem's own batches unless others are given."""
        unlabeled = any(member.active and member.method.needs.unlabeled for member in members)
        recipe, draws, ranks = self.conditions.recipe, self.conditions.draws, self.conditions.ranks
        return Cohort(
            members=members,
            teachers=self.teachers,
            conditions=self.conditions,
            batches=batches or (lambda start: self.problem.batches(recipe, draws, start, unlabeled, ranks)),
            validate=lambda network: self.problem.goodness(self.problem.evaluate(network, "val")),
            watch=watch,
        )

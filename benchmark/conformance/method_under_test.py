"""One method on one task: single steps whose every part can be looked at, and whole short trainings."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmark.conformance.laboratory import Laboratory, seeded
from benchmark.conformance.tensors import state
from benchmark.training.member import Member
from benchmark.training.step import MemberStep, SharedStep
from methods.base import Method
from tasks.base import Batch, Pasted, Prediction

FIRST_SEED, SECOND_SEED = 1, 2  # of the global generators; no result may depend on them


class WatchedStep(MemberStep):
    """A step that remembers what was asked for, and what teachers said when they were first asked."""

    def __init__(self, shared: SharedStep, network: nn.Module, roles: Mapping[str, str]) -> None:
        super().__init__(shared, network, roles)
        self.given: dict[tuple[str, str], tuple[Prediction, Prediction]] = {}  # role, batch -> what it is, and was
        self.used_unlabeled = False

    @property
    def unlabeled(self) -> tuple[Batch, Batch]:
        """The unlabeled batches."""
        self.used_unlabeled = True
        return super().unlabeled

    def pasted(self, labeled: bool = False) -> Pasted:
        """The pasted batch, which is made of the unlabeled ones unless it is to be made of the labeled one."""
        self.used_unlabeled |= not labeled
        return super().pasted(labeled)

    def student(self, batch: Batch) -> Prediction:
        """The student's prediction; what keys its dropout is no draw of the method."""
        with torch.random.fork_rng(devices=[]):
            return super().student(batch)

    def teacher(self, batch: Batch, role: str | None = None) -> Prediction:
        """A teacher's prediction."""
        prediction = super().teacher(batch, role)
        self.given.setdefault((self.role(role), batch.name), (prediction, copy.deepcopy(prediction)))
        return prediction


@dataclass
class Attempt:
    """One step of a method: its terms with their graph, and the critic's loss where there is a critic."""

    member: Member
    step: WatchedStep
    terms: dict[str, Tensor]
    critic: Tensor | None

    @property
    def values(self) -> dict[str, Any]:
        """All that was computed, by name."""
        return self.terms if self.critic is None else {**self.terms, "critic_loss": self.critic}

    @property
    def weighted(self) -> dict[str, Tensor]:
        """The terms that count."""
        return {name: term for name, term in self.terms.items() if self.member.method.weights.get(name, 0.0) != 0}

    @property
    def loss(self) -> Tensor:
        """The whole objective."""
        weights = self.member.method.weights
        return torch.stack([weights[name] * term for name, term in self.weighted.items()]).sum()


class Trained(NamedTuple):
    """What a short training ended in."""

    weights: dict[str, Tensor]  # of the student and of the method
    seconds: list[float]  # of each step
    drifted: list[str]  # attributes of the method that changed although its state dict does not hold them


class MethodUnderTest:
    """A method on a task.

    Args:
        cls: the method's class.
        laboratory: the task; its configuration holds the method's options.
    """

    def __init__(self, cls: type[Method], laboratory: Laboratory) -> None:
        self.cls, self.lab = cls, laboratory
        played = laboratory.lesson(cls).roles  # with the task's others: what is asked for undeclared is noticed
        self.roles = {**played, **{name: name for name in laboratory.teachers if name not in played}}

    def member(self) -> Member:
        """Build a student and the method, for single steps."""
        with TemporaryDirectory() as folder:
            member = self.lab.member(self.cls, Path(folder))
            member.log.close()
        return member

    def resting(self) -> Member:
        """Build a member, and put the layers of its method, but not the method itself, into eval mode."""
        member = self.member()
        member.method.eval()
        member.method.training = True
        return member

    def step(self, shared: SharedStep, member: Member | None = None) -> Attempt:
        """Compute the terms of one step, and the critic's loss."""
        member = self.member() if member is None else member
        step = WatchedStep(shared, member.network, self.roles)
        with shared.draws.globally("method", shared.index):
            terms = member.method(step)
        critic = None
        if member.method.critic is not None:
            with shared.draws.globally("critic", shared.index):
                critic = member.method.critic_loss(step)
        return Attempt(member, step, terms, critic)

    def train(
        self, *, seed: int = FIRST_SEED, deaths: Sequence[int] = (), beside: Sequence[type[Method]] = ()
    ) -> Trained:
        """Train to the end, started again after each death at a step, beside other members."""
        with ExitStack() as stack, seeded(seed):
            folders = [Path(stack.enter_context(TemporaryDirectory())) for _ in (*beside, self.cls)]
            for death in (*deaths, None):
                members = [self.lab.member(*taught) for taught in zip((*beside, self.cls), folders, strict=True)]
                before = _attributes(members[-1].method)
                self.lab.train(members, death)
        member = members[-1]
        drifted = [name for name, value in _attributes(member.method).items() if value != before.get(name)]
        return Trained(state(student=member.network, method=member.method), member.timing.steps, drifted)

    @cached_property
    def alone(self) -> Trained:
        """The method trained alone, without a break: what all other ways must lead to."""
        return self.train()


def _attributes(method: Method) -> dict[str, str]:
    """Describe the plain attributes of a method and its parts."""
    return {
        f"{prefix}.{name}".lstrip("."): repr(value)
        for prefix, module in method.named_modules()
        for name, value in vars(module).items()
        if not name.startswith("_") and name not in ("training", "output")
    }

"""One method on one task: single steps whose every part can be looked at, and whole short trainings."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.conformance.laboratory import Laboratory, seeded
from benchmark.conformance.tensors import state
from benchmark.training.member import Member
from benchmark.training.step import MemberStep, SharedStep
from methods.base import Method
from tasks.base import Batch, Pasted, Prediction

FIRST_SEED, SECOND_SEED = 1, 2  # of the global generators; no result may depend on them


@dataclass
class Attempt:
    """One step of a method: its terms with their graph, and the critic's loss where there is a critic."""

    member: Member
    step: WatchedStep
    terms: dict[str, Tensor]
    critic: Tensor | None

    @property
    def weighted(self) -> dict[str, Tensor]:
        """The terms that count."""
        return {name: term for name, term in self.terms.items() if self.member.method.weights.get(name, 0.0) != 0}

    @property
    def loss(self) -> Tensor:
        """The whole objective."""
        weights = self.member.method.weights
        return torch.stack([weights[name] * term for name, term in self.weighted.items()]).sum()


@dataclass(frozen=True)
class Trained:
    """What a short training ended in."""

    weights: dict[str, Tensor]  # of the student and of the method
    seconds: list[float]  # of each step
    drifted: tuple[str, ...]  # attributes of the method that changed although its state dict does not hold them


class Trial:
    """A method on a task.

    Args:
        cls: the method's class.
        laboratory: the task; its configuration holds the method's options.
    """

    def __init__(self, cls: type[Method], laboratory: Laboratory) -> None:
        self.cls, self.name, self.lab = cls, cls.name, laboratory

    @property
    def teachers(self) -> dict[str, nn.Module]:
        """The teachers of the method's roles, then all of the task."""
        return {role: self.lab.teachers[name] for role, name in self.lab.roles(self.cls).items()}

    def member(self) -> Member:
        """Build a student and the method, for single steps."""
        with tempfile.TemporaryDirectory() as folder:
            member = self.lab.member(self.cls, Path(folder))
            member.log.close()
        return member

    def step(self, shared: SharedStep, member: Member | None = None) -> Attempt:
        """Compute the terms of one step, and the critic's loss."""
        member = self.member() if member is None else member
        step = WatchedStep(shared, member.network, member.roles)
        with shared.draws.globally("method", shared.index):
            terms = member.method(step)
        critic = None
        if member.method.critic is not None:
            with shared.draws.globally("critic", shared.index):
                critic = member.method.critic_loss(step)
        return Attempt(member, step, terms, critic)

    def train(self, folder: Path, killed_at: int | None = None, seed: int = FIRST_SEED) -> Trained:
        """Train alone, from the state that lies in ``folder`` if there is one."""
        with seeded(seed):
            member = self.lab.member(self.cls, folder)
            before = _attributes(member.method)
            self.lab.train([member], killed_at)
        after = _attributes(member.method)
        drifted = tuple(name for name in after if before.get(name) != after[name])
        return Trained(state(student=member.network, method=member.method), member.timing.steps, drifted)

    @cached_property
    def alone(self) -> Trained:
        """The method trained alone, without a break: what all other ways must lead to."""
        with tempfile.TemporaryDirectory() as folder:
            return self.train(Path(folder))


class WatchedStep(MemberStep):
    """A step that remembers which teachers and which streams were asked for."""

    def __init__(self, shared: SharedStep, network: nn.Module, roles: Mapping[str, str]) -> None:
        super().__init__(shared, network, roles)
        self.roles: set[str] = set()
        self.used_unlabeled = False

    @property
    def unlabeled(self) -> tuple[Batch, Batch]:
        """The unlabeled batches."""
        self.used_unlabeled = True
        return super().unlabeled

    def pasted(self) -> Pasted:
        """The pasted batch, which is made of the unlabeled ones."""
        self.used_unlabeled = True
        return super().pasted()

    def teacher(self, batch: Batch, role: str | None = None) -> Prediction:
        """A teacher's prediction."""
        self.roles.add(self.role(role))
        return super().teacher(batch, role)


def _attributes(method: Method) -> dict[str, str]:
    """Describe the plain attributes of a method and its parts: numbers, texts, tensors and containers of them."""
    described = {}
    for prefix, module in method.named_modules():
        for name, value in vars(module).items():
            if not name.startswith("_") and name not in ("training", "output"):
                described[f"{prefix}.{name}".lstrip(".")] = _describe(value)
    return described


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"tensor {value.detach().double().sum().item()!r} {tuple(value.shape)}"
    if isinstance(value, dict):
        return str({key: _describe(each) for key, each in value.items()})
    if isinstance(value, list | tuple | set):
        return str([_describe(each) for each in value])
    return repr(value) if isinstance(value, bool | int | float | str | None) else type(value).__name__

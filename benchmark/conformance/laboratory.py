"""Where methods and tasks are tried: one task on small images, with untrained teachers."""

from __future__ import annotations

import copy
import io
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console
from torch import Tensor, nn

from benchmark.config import compose
from benchmark.conformance.tensors import pick
from benchmark.training.assemble import Assembly, Lesson, cast
from benchmark.training.calibrate import calibrate
from benchmark.training.clock import Clock
from benchmark.training.conditions import Watch
from benchmark.training.device import build_fabric
from benchmark.training.interrupt import Stop
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from benchmark.training.progress import Progress
from benchmark.training.randomness import Randomness
from benchmark.training.step import SharedStep, arrived
from methods.base import Method
from tasks.base import Batch

STEPS = 3
HALFWAY = 1  # the step before which a training is killed
TINY = (
    f"recipe.steps={STEPS}",
    "recipe.batch=4",
    "recipe.warmup=0",
    "device=cpu",
    "precision=32",
    "workers=0",
    "control=false",
)
TINY_DATA = ("data.size=64", "data.train=8", "data.val=4", "data.test=2")


def tiny_words(words: Sequence[str]) -> list[str]:
    """Put what makes a run tiny before ``words``; the embedded data only where these choose none."""
    chosen = any(word.startswith("data=") for word in words)
    return [*TINY, *(() if chosen else TINY_DATA), *words]


class Laboratory:
    """A task with a tiny recipe, ready to train methods on.

    Args:
        words: the configuration, as key=value words.

    Raises InputError as ``benchmark run`` does.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.config = compose.load(tiny_words(words))
        self.draws = Randomness(self.config.seed)
        self.problem = Problem(self.config, build_fabric("cpu", "32"))
        self.task, self.output = self.problem.task, self.problem.task.output
        self._calibrations: dict[type[Method], dict[str, Tensor]] = {}

    @cached_property
    def teachers(self) -> dict[str, nn.Module]:
        """The task's teachers by role, with random weights: what methods promise does not hang on good ones."""
        networks = {}
        for number, (role, spec) in enumerate(self.config.teacher.networks.items(), start=1):
            network = self.problem.build_network(spec, Randomness(self.config.seed + number))
            networks[role] = network.eval().requires_grad_(False)
        return networks

    @cached_property
    def assembly(self) -> Assembly:
        """What members and cohorts are built by, as in a run."""
        return Assembly(self.problem, self.problem.conditions(self.config.recipe, self.draws), self.teachers)

    def lesson(self, cls: type[Method]) -> Lesson:
        """Say how a method is taught here: its options, and the teacher of each of its roles."""
        return Lesson(cls, self.config.methods.get(cls.name, {}), cast(cls.needs.teachers, list(self.teachers)))

    @cached_property
    def _batches(self) -> list[Mapping[str, Batch]]:
        steps = self.problem.batches(self.config.recipe, self.draws, 0, unlabeled=True)
        return [{name: arrived(batch, self.problem.fabric) for name, batch in step.items()} for step in steps]

    def fresh(self, index: int, images: int | None = None) -> dict[str, Batch]:
        """Copy a step's batches, so that nothing a method does to them lasts; the first ``images`` of each."""
        batches = {name: copy.deepcopy(batch) for name, batch in self._batches[index].items()}
        if images is None:
            return batches
        return {name: pick(batch, torch.arange(images), self.output) for name, batch in batches.items()}

    def shared(
        self, index: int = 0, *, batches: Mapping[str, Batch] | None = None, fabric: Fabric | None = None
    ) -> SharedStep:
        """Open a step, of a cohort that has every teacher and every stream."""
        conditions = replace(self.assembly.conditions, fabric=fabric or self.problem.fabric)
        clock = Clock.of(self.problem.fabric.device)
        return SharedStep(index, self.fresh(index) if batches is None else batches, self.teachers, conditions, clock)

    def member(self, cls: type[Method], folder: Path) -> Member:
        """Build a student and its method, in train mode; they take up the state that lies in ``folder``."""
        member = self.assembly.member(cls.name, self.assembly.student(), self.lesson(cls), folder)
        self._calibrate(member)
        member.train_mode()
        return member

    def _calibrate(self, member: Member) -> None:
        """Let a method learn what it must know of its teachers, as before a run: the first time, then from memory."""
        if (calibration := member.method.calibration) is None:
            return
        if type(member.method) not in self._calibrations:
            calibrate(member, self.problem, self.teachers)
            self._calibrations[type(member.method)] = copy.deepcopy(calibration.state_dict())
        calibration.load_state_dict(self._calibrations[type(member.method)])

    def train(self, members: Sequence[Member], death: int | None = None) -> None:
        """Train as a run does, every member to the last step; or die when the batches of a step are asked for.

        Raises RuntimeError with the reason where a member did not get there.
        """

        def batches(start: int) -> Iterator[Mapping[str, Batch]]:
            for index in range(start, STEPS):
                if index == death:
                    raise Killed
                yield self.fresh(index)

        save_every = math.inf if death is None else 0  # a state is for what comes after a death
        watch = Watch(Progress(Console(file=io.StringIO())), Stop(), save_every)
        try:
            self.assembly.cohort(members, watch, batches).train()
        except Killed:
            return
        for member in members:
            if not member.active:
                raise RuntimeError(f"{member.name} {member.status}: {member.reason}")


class Killed(BaseException):
    """Stands for the end of a process: nothing in the suite catches it."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of torch, NumPy and Python within a block, and put them back afterwards."""
    ours, numbers = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(ours)
            np.random.set_state(numbers)

"""The training loop: runs that share everything but the method, side by side on one stream of batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lightning_fabric import Fabric
from torch import nn

from benchmark.config.schema import Recipe
from benchmark.training.clock import Clock
from benchmark.training.interrupt import Interrupted, Stop
from benchmark.training.member import Member
from benchmark.training.progress import Progress
from benchmark.training.randomness import Randomness
from benchmark.training.step import SharedStep
from tasks.base import Batch, OutputSpace

FLUSH_EVERY = 10  # steps between two readings of the terms, each of which waits for the device


@dataclass
class Cohort:
    """Runs that train together.

    Args:
        members: each starts at its own ``start`` and is dropped when it raises or diverges; the others do not notice.
        teachers: networks by role, in eval mode, without gradients.
        output: the task's output space.
        recipe: how to train.
        draws: keyed generators of the seed.
        fabric: device and precision.
        batches: opens the streams at a step.
        validate: scores a network on the validation split, higher is better.
        progress: is told of every flush.
        stop: says when somebody asked to stop.
    """

    members: Sequence[Member]
    teachers: Mapping[str, nn.Module]
    output: OutputSpace
    recipe: Recipe
    draws: Randomness
    fabric: Fabric
    batches: Callable[[int], Iterator[Mapping[str, Batch]]]
    validate: Callable[[nn.Module], float]
    progress: Progress
    stop: Stop
    channels_last: bool = False
    save_every: int = 50
    teacher_seconds: dict[str, list[float]] = field(default_factory=dict)
    critic_seconds: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0  # that training took, of this process

    def train(self) -> None:
        """Train every member to the last step; raises Interrupted, with all states saved, when asked to stop."""
        self._clock = Clock(self.fabric.device)
        for member in self.members:
            member.network.train()
            member.method.train()
        start = min((member.start for member in self.members), default=self.recipe.steps)
        began = time.perf_counter()
        stream = self.batches(start) if start < self.recipe.steps else iter(())
        try:
            for index in range(start, self.recipe.steps):
                self._step(index, stream)
                self._after(index + 1)
                if not any(member.active for member in self.members):
                    break
        finally:
            self.seconds = time.perf_counter() - began
            for member in self.members:
                member.log.close()

    def _active(self, step: int) -> list[Member]:
        return [member for member in self.members if member.active and member.start <= step]

    def _step(self, index: int, stream: Iterator[Mapping[str, Batch]]) -> None:
        waited = time.perf_counter()
        batches = next(stream)
        shared = SharedStep(
            index,
            self.recipe.steps,
            batches,
            self.teachers,
            self.output,
            self.draws,
            self.fabric,
            self.channels_last,
            self._clock,
            time.perf_counter() - waited,
        )
        for member in self._active(index):
            member.timing.data += shared.data_seconds
            with self._clock.measure(f"member {member.name}"):
                self._update(member, shared)

    def _update(self, member: Member, shared: SharedStep) -> None:
        try:
            member.update(shared)
        except Exception as error:  # a method may raise anything; it is recorded, and harms no other member
            member.drop("failed", f"{type(error).__name__} at step {shared.index}: {error}")
            self.progress.message(f"{member.name} failed: {member.reason}")

    def _after(self, reached: int) -> None:
        """Read the terms, validate and save, each when due."""
        last = reached == self.recipe.steps
        saves = reached % self.save_every == 0 or last or self.stop.requested
        if reached % FLUSH_EVERY == 0 or saves:
            self._flush(reached)
        if self.recipe.selection == "best" and (last or reached % self._validation_gap() == 0):
            for member in self._active(reached - 1):
                member.keep_if_best(self.validate(member.network), reached)
                member.network.train()
        if saves:
            for member in self._active(reached - 1):
                member.save(reached)
        if self.stop.requested and not last:
            raise Interrupted(f"stopped after step {reached} of {self.recipe.steps}")

    def _validation_gap(self) -> int:
        return max(1, self.recipe.steps // max(1, self.recipe.validations))

    def _flush(self, reached: int) -> None:
        for member in self._active(reached - 1):
            fault = member.log.flush()
            if fault is not None:
                step, terms = fault
                member.drop("diverged", f"not finite at step {step}: {terms}")
                self.progress.message(f"{member.name} diverged: {member.reason}")
        self._add_times()
        self.progress.advance(reached, {m.name: m.log.last for m in self.members if m.active}, self.recipe.batch)

    def _add_times(self) -> None:
        for name, seconds in self._clock.collect().items():
            kind, _, rest = name.partition(" ")
            if kind == "member":
                timing = next(member.timing for member in self.members if member.name == rest)
                timing.own += sum(seconds)
                timing.steps += seconds
            else:
                kept = self.teacher_seconds if kind == "teacher" else self.critic_seconds
                kept.setdefault(name if kind == "teacher" else rest, []).extend(seconds)

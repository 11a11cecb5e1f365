"""The training loop: runs that share everything but the method, side by side on one stream of batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from benchmark.training.clock import Clock
from benchmark.training.conditions import Conditions, Watch
from benchmark.training.device import DeviceLost, is_alive
from benchmark.training.interrupt import Interrupted
from benchmark.training.meddling import unmeddled
from benchmark.training.member import Member
from benchmark.training.memory import PeakMemory
from benchmark.training.ranks import PeerFault, RankLost
from benchmark.training.step import SharedStep
from tasks.base import Batch
from tasks.errors import InputError

FLUSH_EVERY = 10  # steps between two readings of the terms, each of which waits for the device
Batches = Callable[[int], Iterator[Mapping[str, Batch]]]  # opens the streams at a step


class Cohort:
    """Runs that train together.

    Args:
        members: each starts at its own ``start`` and is dropped when it raises or diverges; the others do not notice.
        teachers: networks by name, in eval mode, without gradients.
        conditions: what all members train under.
        batches: opens the streams at a step.
        validate: scores a network on the validation split, higher is better.
        watch: is told of every flush, and says when somebody asked to stop.
    """

    def __init__(
        self,
        members: Sequence[Member],
        teachers: Mapping[str, nn.Module],
        conditions: Conditions,
        batches: Batches,
        validate: Callable[[nn.Module], float],
        watch: Watch,
    ) -> None:
        self.members, self.conditions = members, conditions
        self.teachers = {name: conditions.ready(teacher) for name, teacher in teachers.items()}
        self.batches, self.validate, self.watch = batches, validate, watch
        self.recipe, self.ranks = conditions.recipe, conditions.ranks
        self.clock, self.memory = Clock.of(conditions.fabric.device), PeakMemory.of(conditions.fabric.device)
        self.seconds = 0.0  # that training took, of this process

    @property
    def start(self) -> int:
        """The step that comes next."""
        return min((member.start for member in self.members if member.active), default=self.recipe.steps)

    def train(self) -> None:
        """Train every member to the last step.

        Raises Interrupted, with all states saved, when asked to stop, and DeviceLost when the device computes nothing
        any more; the states that were saved before are still good.
        """
        for member in self._active(self.recipe.steps):
            member.train_mode()
        start, began = self.start, time.perf_counter()
        self._saved = time.monotonic()
        stream = self.batches(start) if start < self.recipe.steps else iter(())
        index = start
        try:
            self._check_ranks()
            for index in range(start, self.recipe.steps):
                self._step(index, stream)
                self._after(index + 1)
                if not any(member.active for member in self.members):
                    break
        except (torch.AcceleratorError, DeviceLost) as error:
            for member in self.members:
                member.log.forget()
            raise error if isinstance(error, DeviceLost) else DeviceLost("the cohort", index, error) from error
        finally:
            self.seconds = time.perf_counter() - began
            for member in self.members:
                member.log.close()

    def _check_ranks(self) -> None:
        """Raise InputError where a process could not get ready, and RuntimeError where they do not begin alike."""
        if fault := self.ranks.agree():
            raise InputError(fault)
        ours = [(member.name, member.status, member.start) for member in self.members]
        if (theirs := self.ranks.told(ours)) != ours:
            raise RuntimeError(f"process {self.ranks.rank} begins with {ours}, the first with {theirs}")

    def _active(self, step: int) -> list[Member]:
        return [member for member in self.members if member.active and member.start <= step]

    def _step(self, index: int, stream: Iterator[Mapping[str, Batch]]) -> None:
        active = self._active(index)
        with self.clock.measure(*(member.timing.data for member in active)):
            batches = self._next(stream)
        shared = SharedStep(index, batches, self.teachers, self.conditions, self.clock)
        for member in active:
            with self.clock.measure(member.timing.steps), self._watched(index, member):
                self._update(member, shared)

    def _next(self, stream: Iterator[Mapping[str, Batch]]) -> Mapping[str, Batch]:
        """Return the next batches, or raise what is wrong with the data, whichever process reads it."""
        try:
            batches = next(stream)
        except Exception as error:
            self.ranks.agree(str(error))
            raise
        if fault := self.ranks.agree():
            raise InputError(fault)
        return batches

    def _watched(self, index: int, member: Member) -> AbstractContextManager[None]:
        """Watch a member's memory, now and then; not at the first step, where a GPU tries its algorithms."""
        others = [peer for peer in self.members if peer is not member]
        due = index % FLUSH_EVERY == min(1, self.recipe.steps - 1)
        return self.memory.watch(member, others) if due else nullcontext()

    def _update(self, member: Member, shared: SharedStep) -> None:
        try:
            with unmeddled():
                member.update(shared)
            fault = self.ranks.agree()
        except RankLost:
            raise
        except PeerFault as peer:
            fault = str(peer)
        except (Exception, SystemExit) as error:  # a method may raise anything; it is recorded, and harms no other
            if isinstance(error, torch.AcceleratorError) or not is_alive(self.conditions.fabric.device):
                raise DeviceLost(member.name, shared.index, error) from error
            fault = self.ranks.agree(f"{type(error).__name__} at step {shared.index}: {error}")
        if fault:
            member.drop("failed", fault)
            self.watch.progress.message(f"{member.name} failed: {member.reason}")

    def _after(self, reached: int) -> None:
        """Read the terms, validate and save, each when due."""
        last = reached == self.recipe.steps
        asked = self.watch.stop.requested
        stops, saves = self.ranks.told((asked, asked or self._save_is_due()))
        if reached % FLUSH_EVERY == 0 or saves or last:
            self._flush(reached)
        if last:
            self._drop_broken(reached)
        if self.recipe.selection == "best" and (last or reached % self._validation_gap() == 0):
            for member in self._active(reached - 1):
                if self.ranks.first:
                    member.keep_if_best(self.validate(member.validated), reached)
                member.train_mode()
        if saves:
            self._save(reached)
        if stops and not last:
            raise Interrupted(f"stopped after step {reached} of {self.recipe.steps}", stops)

    def _save_is_due(self) -> bool:
        return time.monotonic() - self._saved >= self.watch.save_every

    def _save(self, reached: int) -> None:
        for member in self._active(reached - 1) if self.ranks.first else ():
            member.save(reached)
        self._saved = time.monotonic()

    def _drop_broken(self, reached: int) -> None:
        """Drop members whose last update left no numbers, of which no later loss tells."""
        for member in self._active(reached - 1):
            if not member.finite():
                member.drop("diverged", f"weights are not finite after step {reached}")
                self.watch.progress.message(f"{member.name} diverged: {member.reason}")

    def _validation_gap(self) -> int:
        return max(1, self.recipe.steps // max(1, self.recipe.validations))

    def _flush(self, reached: int) -> None:
        for member in self._active(reached - 1):
            fault = self.ranks.told(member.log.flush())
            if fault is not None:
                step, terms = fault
                member.drop("diverged", f"not finite at step {step}: {terms}")
                self.watch.progress.message(f"{member.name} diverged: {member.reason}")
        self.clock.settle()
        terms_now = {member.name: member.log.last for member in self.members if member.active}
        self.watch.progress.advance(reached, terms_now, self.recipe.batch)

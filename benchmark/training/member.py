"""One member of a cohort: a student, its method, its optimisers, and what must survive a restart."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.training.average import running_mean
from benchmark.training.checkpoint import STATE, load_state, save_state, unusable
from benchmark.training.conditions import Conditions
from benchmark.training.deployed import deployed
from benchmark.training.optimizer import build_critic_optimizer, build_optimizer, learning_rate, set_learning_rate
from benchmark.training.preflight import Signals
from benchmark.training.step import MemberStep, SharedStep
from benchmark.training.steplog import StepLog
from benchmark.training.timing import Timing
from leaderboards.atomic import discard
from methods.base import Method
from tasks.errors import first_line

LAYOUT = 4  # of the resume state; one of another layout is not taken up
NOWHERE = Path(os.devnull)  # where a process that is not the first logs
LOSS = "loss"
CRITIC = "critic"


class Member:
    """A student in training.

    Args:
        name: of the method, or of the teacher's role.
        network: the student.
        method: composes the objective.
        conditions: what it trains under.
        folder: where the step log and the resume state are kept; a state that lies there is taken up.
        roles: the teacher that plays each role of the method, the method's first role first.
        tensorboard: also log for TensorBoard.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        method: Method,
        conditions: Conditions,
        folder: Path,
        *,
        roles: Mapping[str, str] = MappingProxyType({}),
        tensorboard: bool = False,
    ) -> None:
        self.name, self.network, self.method, self.folder, self.roles = name, network, method, folder, roles
        self.recipe, self.ranks = conditions.recipe, conditions.ranks
        self.weights = dict(method.weights)
        self.forward = conditions.ready(network)
        self.deployed, self.scored = (deployed(form, method.decoder) for form in (network, self.forward))
        critic = {id(parameter) for parameter in method.critic.parameters()} if method.critic is not None else set()
        adaptors = [parameter for parameter in method.parameters() if id(parameter) not in critic]
        self.learned = list(network.parameters())
        self.trained = [*self.learned, *adaptors]
        self.optimizer = build_optimizer(network, adaptors, self.recipe)
        self.critic_optimizer = build_critic_optimizer(method.critic, method.critic_recipe) if method.critic else None
        self.average = running_mean(self.deployed, self.recipe.ema)
        self.status, self.reason = "ok", ""
        self.start = 0  # the step that comes next
        self.best: tuple[float, int, dict[str, Tensor]] | None = None  # score, step, weights
        self.timing = Timing()
        self.peak_bytes = 0  # of memory, on a GPU
        self.signals = Signals(self.recipe.steps)
        if self.state_file.exists():
            state = load_state(self.state_file)
            if state.get("layout") == LAYOUT:
                self._take_up(state)
        written = self.ranks.first
        self.log = StepLog(folder / "steps.jsonl" if written else NOWHERE, self.start, tensorboard and written)

    @property
    def state_file(self) -> Path:
        """Where the resume state lies."""
        return self.folder / STATE

    @property
    def active(self) -> bool:
        """Whether the member still trains."""
        return self.status == "ok"

    def train_mode(self) -> None:
        """Put student and method into train mode, after they were built or scored."""
        self.network.train()
        self.method.train()

    def update(self, shared: SharedStep) -> None:
        """Train for one step; raises whatever the method raises."""
        step = MemberStep(shared, self.forward, self.roles)
        before = len(shared.computed)
        with shared.draws.globally("method", shared.index):
            terms = self.method(step)
        loss = self._total(terms)
        signals = self.signals.inspect(shared.index, terms, self.method.weights, self.learned, self.ranks)
        rate = learning_rate(self.recipe, shared.index)
        self._descend(self.optimizer, self.trained, loss, rate, shared)
        self.ranks.average(self._statistics())
        if self.average is not None:
            self.average.update_parameters(self.deployed)
        values = {LOSS: loss, **terms, **{name: signal.to(loss.device) for name, signal in signals.items()}}
        if self.critic_optimizer is not None and self.method.critic is not None:
            with shared.clock.measure(self.timing.critic), shared.draws.globally("critic", shared.index):
                values[CRITIC] = self.method.critic_loss(step)
                parameters = list(self.method.critic.parameters())
                own_rate = learning_rate(self.recipe, shared.index, self.method.critic_recipe.lr)
                self._descend(self.critic_optimizer, parameters, values[CRITIC], own_rate, shared)
        shared.check_untouched()
        self.log.add(shared.index, rate, values)
        self.timing.asked.update(step.asked)
        self.timing.computed.update(shared.computed[before:])

    def _statistics(self) -> Iterator[Tensor]:
        """Running statistics of the student's layers, which saw a part of each batch where processes share it."""
        for layer in self.network.modules():
            if isinstance(layer, nn.modules.batchnorm._NormBase):
                yield from (kept for kept in (layer.running_mean, layer.running_var) if kept is not None)

    def _total(self, terms: dict[str, Tensor]) -> Tensor:
        unknown = terms.keys() - self.method.weights.keys()
        if unknown:
            raise ValueError(f"the method returned terms without a weight: {', '.join(sorted(unknown))}")
        weighted = [self.method.weights[name] * term for name, term in terms.items() if self.method.weights[name] != 0]
        return torch.stack(weighted).sum()

    def _descend(
        self,
        optimizer: torch.optim.Optimizer,
        trained: list[nn.Parameter],
        loss: Tensor,
        rate: float,
        shared: SharedStep,
    ) -> None:
        optimizer.zero_grad(set_to_none=True)
        shared.fabric.backward(loss)
        self.ranks.average(weight.grad for weight in trained if weight.grad is not None)
        if self.recipe.clip is not None:
            nn.utils.clip_grad_norm_(trained, self.recipe.clip)
        set_learning_rate(optimizer, rate)
        optimizer.step()

    @property
    def validated(self) -> nn.Module:
        """What is scored during training: what is deployed, or the running mean of its weights."""
        return self.scored if self.average is None else self.average.module

    def use_best(self) -> None:
        """Take the weights that the recipe selects."""
        if self.recipe.selection == "best" and self.best is not None:
            self.deployed.load_state_dict(self.best[2])
        elif self.average is not None:
            self.deployed.load_state_dict(self.average.module.state_dict())

    def finite(self) -> bool:
        """Whether the student's weights are numbers."""
        return all(bool(weight.isfinite().all()) for weight in self.learned)

    def drop(self, status: str, reason: str) -> None:
        """Stop training for a reason that goes into the record, and let go of all that takes memory."""
        self.status, self.reason = status, reason
        self.log.close()
        discard(self.state_file)
        del self.network, self.forward, self.deployed, self.scored, self.average
        del self.method, self.learned, self.trained, self.optimizer, self.critic_optimizer

    def held_bytes(self) -> int:
        """Count the bytes that student, method, gradients and optimisers take between two updates."""
        if not self.active:
            return 0
        modules, optimizers = (
            filter(None, (self.network, self.method, self.average)),
            filter(None, (self.optimizer, self.critic_optimizer)),
        )
        weights = [weight for module in modules for weight in (*module.parameters(), *module.buffers())]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        moments = [
            moment for optimizer in optimizers for state in optimizer.state.values() for moment in state.values()
        ]
        return sum(tensor.nbytes for tensor in (*weights, *gradients, *moments) if isinstance(tensor, Tensor))

    def keep_if_best(self, score: float, step: int) -> None:
        """Remember the weights when their validation score, higher is better, beats all before."""
        if self.best is None or score > self.best[0]:
            weights = self.deployed if self.average is None else self.average.module
            self.best = (
                score,
                step,
                {name: tensor.detach().cpu().clone() for name, tensor in weights.state_dict().items()},
            )

    def save(self, step: int) -> None:
        """Write the resume state: ``step`` comes next."""
        self.log.flush()
        state: dict[str, Any] = {
            "layout": LAYOUT,
            "step": step,
            "network": self.network.state_dict(),
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "critic_optimizer": self.critic_optimizer.state_dict() if self.critic_optimizer else None,
            "average": None if self.average is None else self.average.state_dict(),
            "best": self.best,
            "signals": vars(self.signals),
            "timing": self.timing.state(),
            "peak_bytes": self.peak_bytes,
        }
        save_state(state, self.state_file)

    def _take_up(self, state: dict[str, Any]) -> None:
        """Restore a state; raises InputError where it is not one of this member."""
        try:
            self._restore(state)
        except Exception as error:  # whatever a state lacks, or has too much
            raise unusable(self.state_file, f"{type(error).__name__}: {first_line(error)}") from error

    def _restore(self, state: dict[str, Any]) -> None:
        self.start = state["step"]
        self.network.load_state_dict(state["network"])
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.critic_optimizer is not None:
            self.critic_optimizer.load_state_dict(state["critic_optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.best = state["best"]
        self.signals = Signals(**state["signals"])
        self.timing = Timing.of(state["timing"])
        self.peak_bytes = state["peak_bytes"]

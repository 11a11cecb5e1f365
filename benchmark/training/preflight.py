"""Gradients of the terms: does every term that counts reach the student, and how loud is it, now and later on?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from benchmark.training.ranks import ALONE, Ranks
from methods.base import SUPERVISED
from tasks.errors import InputError

PATIENCE = 10  # steps within which a term must have a gradient that is not exactly zero
# Gradients are measured at most so often in a run, and so many steps apart that it costs about a hundredth of it: a
# backward pass a term is about as long as a step.
TIMES, APART = 8, 100
RATIO = "ratio "  # before the names of terms in the log of steps


@dataclass
class Signals:
    """The norm of each term's weighted gradient in the student over that of the task loss.

    A term from which no path leads to the student is refused at once. A gradient that is exactly zero may have its
    reasons on a first step (a schedule that begins at zero, a student that equals its teacher, mixed depths of which
    none is kept, a crop without labels): it is looked at on the next steps too, and refused when all ten were zero.
    """

    steps: int  # of the run
    first_terms: dict[str, float] = field(default_factory=dict)  # unweighted
    measured: list[int] = field(default_factory=list)  # the steps of the ratios
    ratios: dict[str, list[float | None]] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)  # terms whose gradient was exactly zero on every step so far

    def due(self, index: int) -> bool:
        """Whether the gradients of a step are measured."""
        return index % max(APART, math.ceil(self.steps / TIMES)) == 0

    def first_ratios(self) -> dict[str, float]:
        """The ratios of the first step."""
        return {name: values[0] for name, values in self.ratios.items() if values[0] is not None}

    def inspect(
        self,
        index: int,
        terms: Mapping[str, Tensor],
        weights: Mapping[str, float],
        student: Sequence[nn.Parameter],
        ranks: Ranks = ALONE,
    ) -> dict[str, Tensor]:
        """Measure the gradients of a step where it is their turn, leaving the graph as it is.

        Args:
            index: of the step.
            terms: what the method returned.
            weights: of the terms.
            student: parameters of the student alone.
            ranks: the processes that share the batch.

        Returns the ratios for the log of steps; most steps have none. Raises InputError for a term that counts and
        teaches nothing.
        """
        if index == 0:
            self.first_terms = {name: float(term.detach()) for name, term in terms.items()}
        counted = {name: weights[name] * term for name, term in terms.items() if weights[name] != 0}
        norms = {}
        for name, term in counted.items():
            if self.due(index) or name in self.silent:
                compared = set(counted) != {SUPERVISED} or not term.requires_grad
                norms[name] = _norm(name, term, student, ranks) if compared else 1.0  # alone: no second backward pass
        if index == 0:
            self.silent = [name for name, norm in norms.items() if norm == 0]
        else:
            self.silent = [name for name in self.silent if norms.get(name, 0.0) == 0]
        if index + 1 == PATIENCE:
            self._refuse_silence()
        return self._keep(index, norms) if self.due(index) else {}

    def _refuse_silence(self) -> None:
        if self.silent:
            raise InputError(
                f"the gradient of term '{self.silent[0]}' in the student was exactly zero on the first {PATIENCE} "
                "steps, so it teaches nothing: see that positions are left to compare (padding, labels) and that "
                "student and teacher differ, return the term only from the step on that it counts, or set its weight "
                "to zero"
            )

    def _keep(self, index: int, norms: Mapping[str, float]) -> dict[str, Tensor]:
        """Remember the ratios to the task loss, where the step has one."""
        reference = norms.get(SUPERVISED)
        ratios = {name: norm / reference for name, norm in norms.items()} if reference else {}
        for name in ratios:  # in the order of the terms, so that a record's bytes do not hang on a set's
            self.ratios.setdefault(name, [None] * len(self.measured))
        for name, values in self.ratios.items():
            values.append(ratios.get(name))
        self.measured.append(index)
        return {f"{RATIO}{name}": torch.tensor(ratios[name]) for name in ratios if name != SUPERVISED}


def _norm(name: str, term: Tensor, student: Sequence[nn.Parameter], ranks: Ranks) -> float:
    norm = gradient_norm(term, student, ranks)
    if norm is None:
        raise InputError(
            f"term '{name}' counts but no gradient of it reaches the student: compute it from step.student(...) "
            "without detach(), item() or no_grad(), or set its weight to zero"
        )
    return norm


def gradient_norm(loss: Tensor, parameters: Sequence[nn.Parameter], ranks: Ranks = ALONE) -> float | None:
    """Return the norm of a gradient; None where no path leads to any parameter."""
    if not loss.requires_grad:
        return None
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    reached = [gradient for gradient in gradients if gradient is not None]
    norms = [gradient.norm() for gradient in ranks.averaged(reached)]
    return float(torch.stack(norms).norm()) if norms else None

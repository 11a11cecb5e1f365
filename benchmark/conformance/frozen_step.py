"""A step that stands still, so that it can be looked at again with its batch repeated along the batch.

Teachers know the answers here, because losses that divide by what a teacher found would divide by nothing if it found
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.conformance.tensors import doubled_batch, doubled_prediction
from benchmark.training.step import LABELED, UNLABELED, MemberStep
from tasks.base import Batch, Mixed, OutputSpace, Pasted, Prediction

FIT_STEPS = 60
FIT_RATE = 0.2  # of Adam, falling to zero


def fit(output: OutputSpace, maps: Sequence[Tensor], target: Any) -> tuple[Tensor, ...]:
    """Change raw maps until they fit a target: the prediction of a network that knows the answers."""
    fitted = [level.detach().clone().requires_grad_() for level in maps]
    optimizer = torch.optim.Adam(fitted, lr=FIT_RATE)
    with torch.enable_grad():
        for step in range(FIT_STEPS):
            optimizer.param_groups[0]["lr"] = FIT_RATE * (1 - step / FIT_STEPS)
            optimizer.zero_grad()
            output.supervised(fitted, target).backward()
            optimizer.step()
    return tuple(level.detach() for level in fitted)


class FrozenStep(MemberStep):
    """A step of a student in eval mode, whose teachers know the answers.

    Args:
        tested: the method.
        once: a step that this one is to repeat: every batch twice, one copy behind the other.
    """

    def __init__(self, tested: MethodUnderTest, once: FrozenStep | None = None) -> None:
        self.once, self.output, self.draws = once, tested.lab.output, tested.lab.draws
        names = (LABELED, *UNLABELED)  # labeled batches of later steps play the unlabeled ones
        labeled = {name: self._twice(tested.lab.fresh(index)[LABELED]) for index, name in enumerate(names)}
        hidden = {name: replace(labeled[name], name=name, target=None) for name in UNLABELED}
        shared = tested.lab.shared(batches={LABELED: labeled[LABELED], **hidden})
        super().__init__(shared, tested.lab.assembly.student().eval(), tested.roles)
        self.answers = {name: batch.target for name, batch in labeled.items()}
        self.sample, self.drew = 0, False  # position of the generators that the method draws from; whether it does
        self._knowing: dict[tuple[str, str], Prediction] = {}

    def _twice(self, batch: Batch) -> Any:
        return batch if self.once is None else doubled_batch(batch, self.output)

    def mixed(self, alpha: float) -> Mixed:
        """The mixed batch; a repeated one has the same draws for every copy."""
        mixed: Mixed = self._twice(self.once.mixed(alpha)) if self.once else super().mixed(alpha)
        return mixed

    def pasted(self, labeled: bool = False) -> Pasted:
        """The pasted batch; a repeated one has the same boxes for every copy."""
        pasted: Pasted = self._twice(self.once.pasted(labeled)) if self.once else super().pasted(labeled)
        return pasted

    def teacher(self, batch: Batch, role: str | None = None) -> Prediction:
        """The prediction of a teacher that knows the answers; it does not for a batch that the method made itself."""
        key, answer = (self.role(role), batch.name), self._answer(batch)
        if answer is None:
            return super().teacher(batch, role)
        if key not in self._knowing and self.once and key in self.once._knowing:
            self._knowing[key] = doubled_prediction(self.once._knowing[key])
        elif key not in self._knowing:
            prediction = super().teacher(batch, role)
            self._knowing[key] = replace(prediction, maps=fit(self.output, prediction.maps, answer))
        return self._knowing[key]

    def _answer(self, batch: Batch) -> Any:
        if isinstance(batch, Pasted) and batch.target is None:
            first, second = (self.answers[source.name] for source in batch.sources)
            return self.output.paste(first, second, batch.mask)
        return batch.target if isinstance(batch, Mixed | Pasted) else self.answers.get(batch.name)

    def generator(self, purpose: str) -> torch.Generator:
        """A CPU generator, and a note that the method draws."""
        self.drew = True
        return self.draws.torch(f"method {purpose}", self.sample)

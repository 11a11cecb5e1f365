"""A step that stands still: the same predictions for a batch and for that batch repeated along the batch.

A mean does not notice that its batch was repeated; a sum does. Teachers know the answers here, because losses that
divide by what a teacher found would divide by nothing if it found nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.conformance.tensors import repeat_batch, repeat_prediction
from benchmark.training.step import LABELED, UNLABELED, MemberStep, predict
from methods.base import MAIN
from tasks.base import Batch, Mixed, OutputSpace, Pasted, Prediction

FIT_STEPS = 60
FIT_RATE = 0.2  # of Adam, falling to zero


def fit(output: OutputSpace, maps: Sequence[Tensor], target: Any) -> tuple[Tensor, ...]:
    """Change raw maps until they fit a target: the prediction of a network that knows the answers."""
    fitted = [each.detach().clone().requires_grad_() for each in maps]
    optimizer = torch.optim.Adam(fitted, lr=FIT_RATE)
    with torch.enable_grad():
        for step in range(FIT_STEPS):
            optimizer.param_groups[0]["lr"] = FIT_RATE * (1 - step / FIT_STEPS)
            optimizer.zero_grad()
            output.supervised(fitted, target).backward()
            optimizer.step()
    return tuple(each.detach() for each in fitted)


class Scene:
    """One step of a method, whose teachers know the answers; what they predict serves every view of it.

    Args:
        tested: the method; its student is in eval mode.
    """

    def __init__(self, tested: MethodUnderTest) -> None:
        self.lab, self.output, self.roles = tested.lab, tested.lab.output, tested.roles
        self.network = tested.lab.network().eval()
        names = (LABELED, *UNLABELED)  # labeled batches of later steps play the unlabeled ones
        labeled = [tested.lab.fresh(number)[LABELED] for number in range(len(names))]
        self.answers = {name: batch.target for name, batch in zip(names, labeled, strict=True)}
        hidden = {name: replace(batch, name=name, target=None) for name, batch in zip(names, labeled, strict=True)}
        self.shared = tested.lab.shared(batches={**hidden, LABELED: labeled[0]})
        self._predictions: dict[tuple[str, str], Prediction] = {}

    def teacher(self, batch: Batch, role: str) -> Prediction:
        """The prediction of a teacher that knows the answers; for batches of the shared step."""
        if (role, batch.name) not in self._predictions:
            prediction = self.shared.teacher(batch, self.roles[role])
            answer = self._answer(batch)
            if answer is not None:
                prediction = replace(prediction, maps=fit(self.output, prediction.maps, answer))
            self._predictions[role, batch.name] = prediction
        return self._predictions[role, batch.name]

    def _answer(self, batch: Batch) -> Any:
        if isinstance(batch, Pasted):
            first, second = (self.answers[each.name] for each in batch.sources)
            return self.output.paste(first, second, batch.mask)
        return batch.target if isinstance(batch, Mixed) else self.answers.get(batch.name)


class FrozenStep(MemberStep):
    """One view of a scene, every batch repeated along the batch.

    Args:
        scene: what is seen.
        times: how often each image occurs.
        sample: position of the generators that the method draws from.
    """

    def __init__(self, scene: Scene, times: int = 1, sample: int = 0) -> None:
        super().__init__(scene.shared, scene.network, scene.roles)
        self.scene, self.times, self.sample = scene, times, sample
        self.drew = False
        self._originals: dict[str, Batch] = {}
        self.labeled, *self._others = [self._repeat(scene.shared.batch(name)) for name in scene.answers]

    def _repeat(self, batch: Batch) -> Any:
        self._originals[batch.name] = batch
        return repeat_batch(batch, self.times, self.scene.output)

    @property
    def unlabeled(self) -> tuple[Batch, Batch]:
        """The unlabeled batches."""
        first, second = self._others
        return first, second

    def mixed(self, alpha: float) -> Mixed:
        """The mixed batch: the same draws for every copy."""
        mixed: Mixed = self._repeat(super().mixed(alpha))
        return mixed

    def pasted(self) -> Pasted:
        """The pasted batch: the same boxes for every copy."""
        pasted: Pasted = self._repeat(super().pasted())
        return pasted

    def teacher(self, batch: Batch, role: str = MAIN) -> Prediction:
        """A teacher's prediction; a batch that the method made itself goes through the network."""
        if batch.name in self._originals:
            return repeat_prediction(self.scene.teacher(self._originals[batch.name], role), self.times)
        with torch.no_grad():
            return predict(self.scene.shared.teachers[self.scene.roles[role]], batch, self.scene.lab.fabric)

    def generator(self, purpose: str) -> torch.Generator:
        """A CPU generator, and a note that the method draws."""
        self.drew = True
        return self.scene.lab.draws.torch(f"method {purpose}", self.sample)

"""A step that stands still: the same predictions on a batch and on that batch beside itself.

A mean does not notice that its batch was doubled; a sum does. Teachers know the answers here, because losses that
divide by what a teacher found would divide by nothing if it found nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.conformance.laboratory import Laboratory
from benchmark.conformance.tensors import repeat_batch, repeat_prediction
from benchmark.training.step import LABELED, UNLABELED, predict
from tasks.base import Batch, Mixed, OutputSpace, Pasted, Prediction

STUDENT = "the student"  # beside the roles of teachers
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
    """A student, teachers that know the answers, and batches; what is computed once serves every view of it.

    Args:
        laboratory: the task.
        teachers: networks by role, the method's first role first; their features are their own, their maps are fitted.
        network: the student, which is put into eval mode.
    """

    def __init__(self, laboratory: Laboratory, teachers: Mapping[str, nn.Module], network: nn.Module) -> None:
        self.lab, self.output, self.networks = laboratory, laboratory.output, dict(teachers)
        self.network = network.eval()
        batches = {LABELED: laboratory.fresh(0)[LABELED]}
        self.answers = {LABELED: batches[LABELED].target}
        for number, name in enumerate(UNLABELED, start=1):  # labeled batches of later steps play the unlabeled ones
            other = laboratory.fresh(number)[LABELED]
            batches[name], self.answers[name] = replace(other, name=name, target=None), other.target
        self.base = laboratory.shared(batches=batches)
        self._predictions: dict[tuple[str, str], Prediction] = {}

    def student(self, batch: Batch) -> Prediction:
        """The student's prediction on a batch of the base."""
        return self._once(STUDENT, batch, self.network)

    def teacher(self, batch: Batch, role: str) -> Prediction:
        """The prediction of a teacher that knows the answers, on a batch of the base."""
        return self._once(role, batch, self.networks[role])

    def _once(self, who: str, batch: Batch, network: nn.Module) -> Prediction:
        if (who, batch.name) not in self._predictions:
            with torch.set_grad_enabled(who == STUDENT):
                prediction = predict(network, batch, self.lab.fabric)
            answer = self._answer(batch)
            if who != STUDENT and answer is not None:
                prediction = replace(prediction, maps=fit(self.output, prediction.maps, answer))
            self._predictions[who, batch.name] = prediction
        return self._predictions[who, batch.name]

    def _answer(self, batch: Batch) -> Any:
        """The true target of a batch of the base; None for a batch that a method made itself."""
        if isinstance(batch, Mixed):
            return batch.target
        if isinstance(batch, Pasted):
            first, second = (self.answers[each.name] for each in batch.sources)
            return self.output.paste(first, second, batch.mask)
        return self.answers.get(batch.name)


class StillStep:
    """One view of a scene, every batch ``times`` beside itself; implements ``methods.base.Step``.

    Args:
        scene: what is seen.
        times: how often.
        draw: position of the generators that the method draws from.
    """

    def __init__(self, scene: Scene, times: int = 1, draw: int = 0) -> None:
        self.index, self.steps = scene.base.index, scene.base.steps
        self.scene, self.times, self.draw = scene, times, draw
        self.drew = False
        self._originals: dict[str, Batch] = {}
        self._views: dict[str, Any] = {}

    def _view(self, batch: Batch) -> Any:
        if batch.name not in self._views:
            self._originals[batch.name] = batch
            self._views[batch.name] = repeat_batch(batch, self.times, self.scene.output)
        return self._views[batch.name]

    @property
    def labeled(self) -> Batch:
        """The labeled batch."""
        view: Batch = self._view(self.scene.base.batch(LABELED))
        return view

    @property
    def unlabeled(self) -> tuple[Batch, Batch]:
        """The unlabeled batches."""
        first, second = (self._view(self.scene.base.batch(name)) for name in UNLABELED)
        return first, second

    def mixed(self, alpha: float) -> Mixed:
        """The mixed batch: the same draws for every copy."""
        view: Mixed = self._view(self.scene.base.mixed(alpha))
        return view

    def pasted(self) -> Pasted:
        """The pasted batch: the same boxes for every copy."""
        view: Pasted = self._view(self.scene.base.pasted())
        return replace(view, sources=self.unlabeled)

    def student(self, batch: Batch) -> Prediction:
        """The student's prediction; a batch that the method made itself goes through the network."""
        return self._see(batch, self.scene.student, self.scene.network)

    def teacher(self, batch: Batch, role: str | None = None) -> Prediction:
        """A teacher's prediction."""
        chosen = next(iter(self.scene.networks)) if role is None else role
        return self._see(batch, lambda each: self.scene.teacher(each, chosen), self.scene.networks[chosen])

    def _see(self, batch: Batch, known: Any, network: nn.Module) -> Prediction:
        if batch.name in self._originals:
            return repeat_prediction(known(self._originals[batch.name]), self.times)
        with torch.set_grad_enabled(network is self.scene.network):
            return predict(network, batch, self.scene.lab.fabric)

    def supervised(self) -> Tensor:
        """The task loss of the student on the labeled batch."""
        return self.scene.output.supervised(self.student(self.labeled).maps, self.labeled.target)

    def generator(self, purpose: str) -> torch.Generator:
        """A CPU generator, and a note that the method draws."""
        self.drew = True
        return self.scene.lab.draws.torch(f"method {purpose}", self.draw)

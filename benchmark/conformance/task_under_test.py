"""One task, with what its checks look at: samples, networks, predictions that know the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.conformance.laboratory import Laboratory
from benchmark.training.problem import Problem
from benchmark.training.step import LABELED, arrived, predict
from tasks.annotations.kind import kind_of
from tasks.base import Batch, OutputSpace, Prediction, Sample
from tasks.data.augment import Augment
from tasks.data.loader import Images, ordered
from tasks.data.pixels import as_tensor, stacked
from tasks.data.resize import resize_sample, target_size
from tasks.nested import widened

PADDED = 0.5  # share of each side of a padded image that is image
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


class TaskUnderTest(Laboratory):
    """A laboratory whose task is looked at itself."""

    @cached_property
    def network(self) -> nn.Module:
        """The student, in eval mode."""
        return self.assembly.student().eval()

    def predict(self, batch: Batch) -> Prediction:
        """Run the student on a batch."""
        with torch.no_grad():
            return predict(self.network, batch, self.problem.fabric)

    @cached_property
    def batch(self) -> Batch:
        """A training batch with labels."""
        return self.fresh(0)[LABELED]

    @cached_property
    def prediction(self) -> Prediction:
        """What an untrained student predicts for the training batch."""
        return self.predict(self.batch)

    @cached_property
    def teacher(self) -> Prediction:
        """What a teacher that knows the answers predicts for the training batch."""
        with torch.no_grad():
            prediction = predict(next(iter(self.teachers.values())), self.batch, self.problem.fabric)
        return replace(prediction, maps=fit(self.output, prediction.maps, self.batch.target))

    def validation(self) -> Iterator[tuple[Prediction, list[Sample]]]:
        """What an untrained student predicts for the validation images, a few at a time."""
        for images, samples in ordered(self.problem.dataset, "val", self.problem.size, batch=2):
            yield self.predict(arrived(Batch.whole("val", images), self.problem.fabric)), samples

    def target(self, samples: list[Sample]) -> Any:
        """The target of samples that were not augmented, at the size that a network sees."""
        kind, size = self.task.annotation, self.problem.size
        bare = [replace(sample, annotations={kind: sample.annotations[kind]}) for sample in samples]
        return widened(self._collate([resize_sample(sample, target_size(sample.image, size)) for sample in bare]))

    def _collate(self, samples: list[Sample]) -> Any:
        return self.task.collate([self.task.target(sample) for sample in samples])

    def on_device(self) -> Batch:
        """The training batch as the device makes it; raises InputError where only the host can."""
        data = {**self.config.data, "cache": "device"}
        problem = Problem(replace(self.config, data=data), self.problem.fabric)
        batches = problem.batches(problem.config.recipe, self.draws, 0, unlabeled=False)
        return arrived(next(batches)[LABELED], problem.fabric)

    @cached_property
    def samples(self) -> list[Sample]:
        """A few training images, at the size that a network sees."""
        images = Images(self.problem.dataset, "train", frozenset({self.task.annotation}), self.problem.size)
        return [images[index] for index in range(len(self.batch.image))]

    @cached_property
    def padded(self) -> Batch:
        """Samples shrunk inside a frame of padding, which carries no supervision where the task can leave it out."""
        return self._join(self.samples, PADDED)

    def without_labels(self) -> Any:
        """The target of images on which nothing is marked."""
        name = self.task.annotation
        empty = [{name: kind_of(name).empty(sample.annotations[name])} for sample in self.samples]
        samples = [replace(sample, annotations=bare) for sample, bare in zip(self.samples, empty, strict=True)]
        return self._join(samples, 1.0).target

    def _join(self, samples: list[Sample], share: float) -> Batch:
        """Join samples, each shrunk to a share of its sides and padded or cut to one size, into a batch."""
        augment = Augment(self.problem.crop(self.config.recipe), (share, share), 0.0, 0.0)
        pairs = [augment(sample, self.draws.numpy("frame", number)) for number, sample in enumerate(samples)]
        image = stacked([as_tensor(framed.image) for framed, _ in pairs])
        inside = torch.stack([torch.from_numpy(mask) for _, mask in pairs])
        batch = Batch(LABELED, image, self._collate([framed for framed, _ in pairs]), inside)
        return arrived(batch, self.problem.fabric)

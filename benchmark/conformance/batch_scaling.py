"""Is every term a mean? Then it does not notice that its batch is repeated along the batch; a sum doubles.

The step stands still for that: the student is in eval mode, and draws are the same for every copy. Teachers know the
answers, because losses that divide by what a teacher found would divide by nothing if it found nothing.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch

from benchmark.conformance.finding import Checks, Verdict, broken, kept
from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.conformance.task_under_test import fit
from benchmark.conformance.tensors import doubled_batch, doubled_prediction
from benchmark.training.step import LABELED, UNLABELED, MemberStep
from methods.base import Method
from tasks.base import Batch, Mixed, Pasted, Prediction

SCALING = Checks[MethodUnderTest]()
SAMPLES = 8  # evaluations of a method that samples, whose copies see other samples
RELATIVE, SAMPLED = 1e-3, 0.4  # allowed differences of a term, and of one that samples
SMALLEST = 1e-6  # values below it are rounding


@SCALING.promise("no global random numbers")
def terms_are_means(tested: MethodUnderTest) -> Verdict:
    """Repeating the batch along the batch leaves every term as it is; a sum would double."""
    method, step = tested.resting().method, FrozenStep(tested)
    once, twice = _terms(method, step), _terms(method, FrozenStep(tested, once=step))
    allowed = SAMPLED if step.drew else RELATIVE
    faults = [
        f"{name} becomes {twice[name] / value:.2f} times as large ({value:.4g} to {twice[name]:.4g})"
        for name, value in once.items()
        if abs(twice[name] - value) > allowed * abs(value) + SMALLEST
    ]
    if faults:
        return broken(
            f"with its batch repeated along the batch {'; '.join(faults)}: a sum, or a mean over the wrong number",
            "divide by the number of what is added up (images, valid positions, pairs), so that weights keep their "
            "meaning for other batches, crops and tasks",
        )
    return kept(", ".join(f"{name} {value:.3g}" for name, value in once.items()))


def _terms(method: Method, step: FrozenStep) -> dict[str, float]:
    """Evaluate the terms; of a method that samples, as a mean over several samples."""
    values: dict[str, float] = {}
    for step.sample in range(SAMPLES):
        with step.draws.globally("method", 0):
            terms = copy.deepcopy(method)(step)  # a copy, since a method may count its steps
        if not step.drew:
            return {name: float(term.detach()) for name, term in terms.items()}
        values = {name: values.get(name, 0.0) + float(term.detach()) / SAMPLES for name, term in terms.items()}
    return values


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

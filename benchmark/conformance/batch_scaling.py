"""Is every term a mean? Then it does not notice that its batch is repeated along the batch; a sum doubles."""

from __future__ import annotations

import copy

from benchmark.conformance.finding import Checks, Verdict, broken, kept
from benchmark.conformance.frozen_step import FrozenStep
from benchmark.conformance.method_under_test import MethodUnderTest
from methods.base import Method

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

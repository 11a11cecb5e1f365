"""Is every term a mean? Then it does not notice that its batch is repeated along the batch."""

from __future__ import annotations

import copy

from benchmark.conformance.finding import Verdict, broken, kept
from benchmark.conformance.frozen_step import FrozenStep, Scene
from benchmark.conformance.method_under_test import MethodUnderTest
from methods.base import Method

SAMPLES = 8  # evaluations of a method that samples, whose copies see other samples
RELATIVE, SAMPLED = 1e-3, 0.4  # allowed differences of a term, and of one that samples
SMALLEST = 1e-6  # values below it are rounding


def terms_are_means(tested: MethodUnderTest) -> Verdict:
    """Repeating the batch along the batch leaves every term as it is; a sum would double."""
    scene, method = Scene(tested), tested.resting().method
    once, drew = _terms(scene, method, 1, 0)
    twice, _ = _terms(scene, method, 2, 0)
    if drew:
        once, twice = _sampled(scene, method, 1), _sampled(scene, method, 2)
    allowed = SAMPLED if drew else RELATIVE
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


def _sampled(scene: Scene, method: Method, times: int) -> dict[str, float]:
    """Evaluate the terms as a mean over several samples."""
    samples = [_terms(scene, method, times, sample)[0] for sample in range(SAMPLES)]
    return {name: sum(terms[name] for terms in samples) / SAMPLES for name in samples[0]}


def _terms(scene: Scene, method: Method, times: int, sample: int) -> tuple[dict[str, float], bool]:
    """Evaluate the terms once, and say whether the method draws a sample for them."""
    step = FrozenStep(scene, times, sample)
    with scene.lab.draws.globally("method", 0):
        terms = copy.deepcopy(method)(step)  # a copy, since a method may count its steps
    return {name: float(term.detach()) for name, term in terms.items()}, step.drew

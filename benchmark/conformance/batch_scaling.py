"""Is every term a mean? Then it does not notice that its batch stands beside itself."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch

from benchmark.conformance.finding import Verdict, broken, kept
from benchmark.conformance.frozen_step import Scene, StillStep
from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.conformance.reproduction import resting

DRAWS = 8  # evaluations of a method that samples, whose copies see other samples
RELATIVE, SAMPLED = 1e-3, 0.4  # allowed differences of a term, and of one that samples
SMALLEST = 1e-6  # values below it are rounding


def terms_are_means(tested: MethodUnderTest) -> Verdict:
    """A batch beside itself gives every term the value that the batch alone gives it; a sum would double."""
    member = tested.member()
    scene = Scene(tested.lab, tested.teachers, member.network)
    resting(member.method)
    once, drew = _terms(tested, scene, member.method, times=1)
    twice, _ = _terms(tested, scene, member.method, times=2)
    allowed = SAMPLED if drew else RELATIVE
    faults = [
        f"{name} becomes {twice[name] / value:.2f} times as large ({value:.4g} to {twice[name]:.4g})"
        for name, value in once.items()
        if abs(twice[name] - value) > allowed * abs(value) + SMALLEST
    ]
    if faults:
        return broken(
            f"on a batch beside itself {'; '.join(faults)}: a sum, or a mean over the wrong number",
            "divide by the number of what is added up (images, valid positions, pairs), so that weights keep their "
            "meaning for other batches, crops and tasks",
        )
    return kept(", ".join(f"{name} {value:.3g}" for name, value in once.items()))


def _terms(
    tested: MethodUnderTest, scene: Scene, method: torch.nn.Module, times: int
) -> tuple[Mapping[str, float], bool]:
    """Evaluate the terms, of a method that samples as a mean over several samples, and say whether it does."""
    first, drew = _evaluate(scene, method, times, 0)
    if not drew:
        return first, False
    sampled = [first, *(_evaluate(scene, method, times, draw)[0] for draw in range(1, DRAWS))]
    return {name: sum(each[name] for each in sampled) / DRAWS for name in first}, True


def _evaluate(scene: Scene, method: torch.nn.Module, times: int, draw: int) -> tuple[dict[str, float], bool]:
    step = StillStep(scene, times, draw)
    with scene.lab.draws.globally("method", 0):
        terms = copy.deepcopy(method)(step)  # a copy, since a method may count its steps
    return {name: float(term.detach()) for name, term in terms.items()}, step.drew

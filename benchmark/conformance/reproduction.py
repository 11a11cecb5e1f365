"""The same result whatever else happens: other random states, other members, a kill in between."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmark.conformance.finding import Checks, Verdict, broken, kept
from benchmark.conformance.laboratory import HALFWAY, seeded
from benchmark.conformance.method_under_test import FIRST_SEED, SECOND_SEED, MethodUnderTest, WatchedStep
from benchmark.conformance.tensors import differing, some
from methods.base import SUPERVISED, Method, Needs, Setting, Step

REPRODUCTION = Checks[MethodUnderTest]()
GENERATOR = "draw from step.generator('what for'), e.g. torch.rand(n, generator=step.generator('mask')).to(device)"
STATES: dict[str, Callable[[], object]] = {
    "torch": lambda: torch.get_rng_state().tolist(),
    "NumPy": lambda: pickle.dumps(np.random.get_state()),
    "Python's random": random.getstate,
}


@REPRODUCTION.promise("gradients reach the student", "shared things stay as they are", "needs are declared")
def no_global_random_numbers(tested: MethodUnderTest) -> Verdict:
    """All random numbers come from step.generator, so that global generators neither matter nor move.

    Layers that draw while they train, such as dropout, are keyed by the runner and allowed; they rest here.
    """
    member = tested.resting()
    calls: list[tuple[str, Callable[[Step], object]]] = [("forward", member.method)]
    if member.method.critic is not None:
        calls.append(("critic_loss", member.method.critic_loss))
    with seeded(FIRST_SEED):
        for name, call in calls:
            step = WatchedStep(tested.lab.shared(), member.network, tested.roles)
            before = {library: read() for library, read in STATES.items()}
            call(step)
            if moved := [library for library, read in STATES.items() if read() != before[library]]:
                return broken(f"{name} draws from the global random numbers of {' and '.join(moved)}", GENERATOR)
    if changed := differing(tested.alone.weights, tested.train(seed=SECOND_SEED).weights):
        return broken(
            f"trained twice, with global generators seeded otherwise, {some(changed)} are not the same bits",
            GENERATOR + "; look for unseeded generators, the time, and the order of sets",
        )
    return kept("trained twice, with global generators seeded otherwise: the same bits")


class Neighbour(Method):
    """Another member of a cohort: one that uses every teacher and stream, and draws wherever it can."""

    name = "neighbour"
    title = "neighbour"
    paper = "none"
    needs = Needs(unlabeled=True)

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.weights["distance"] = 1.0

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and a distance on a batch that nobody has computed before."""
        torch.rand(3), np.random.rand(3), random.random()
        student = step.student(step.pasted())
        distances = [self.output.divergence(student, step.teacher(step.pasted(), role)) for role in self.needs.teachers]
        return {SUPERVISED: step.supervised(), "distance": torch.stack(distances).mean()}


@REPRODUCTION.promise("no global random numbers")
def alone_and_in_a_cohort_are_the_same(tested: MethodUnderTest) -> Verdict:
    """Trained beside another member, the weights are the same bits as alone."""
    if changed := differing(tested.alone.weights, tested.train(beside=[Neighbour]).weights):
        return broken(
            f"beside another member, {some(changed)} are not the same bits as alone",
            "keep nothing in globals, class attributes or caches that instances share; key what is random by the step",
        )
    return kept("the same bits beside another member")


@REPRODUCTION.promise("no global random numbers")
def resumed_and_uninterrupted_are_the_same(tested: MethodUnderTest) -> Verdict:
    """Killed and started again, training ends in the same bits as without a break."""
    resumed, drifted = tested.train(deaths=[HALFWAY]), tested.alone.drifted
    changed = differing(tested.alone.weights, resumed.weights)
    if not changed:
        return kept(f"killed before step {HALFWAY} and resumed from there: the same bits")
    suspects = f": {some(drifted)} changes as it trains and is not in state_dict" if drifted else ""
    return broken(
        f"killed and resumed, {some(changed)} are not the same bits as without a break{suspects}",
        "keep what must survive in the state dict: self.register_buffer('average', torch.zeros(n))",
    )

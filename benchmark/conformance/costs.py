"""What a method costs beside the student trained alone: told, not judged."""

from __future__ import annotations

from benchmark.conformance.finding import Checks, Verdict
from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.training.assemble import control
from benchmark.training.cost import count_parameters

COST = Checks[MethodUnderTest]()


@COST.promise("no global random numbers")
def cost(tested: MethodUnderTest) -> Verdict:
    """How long a step takes beside the control's, and how many parameters the method adds while it trains."""
    trained = (tested.alone, MethodUnderTest(control(), tested.lab).alone)
    taken, least = (min(training.seconds[1:]) for training in trained)  # the first step warms up; other work only adds
    parameters = count_parameters(tested.member().method)
    return Verdict(
        "measured",
        f"{1000 * taken:.0f} ms a step, {taken / least:.1f} times {control().name}'s; {parameters:,} own parameters",
    )

"""What a method costs beside the student trained alone: told, not judged."""

from __future__ import annotations

from benchmark.conformance.finding import Verdict, measured
from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.runs.planned_runs import control_name
from benchmark.training.cost import count_parameters


def cost(tested: MethodUnderTest) -> Verdict:
    """How long a step takes beside the control's, and how many parameters the method adds while it trains."""
    own, control = (_least(each) for each in (tested.alone.seconds, tested.lab.control_seconds))
    parameters = count_parameters(tested.member().method)
    return measured(
        f"{1000 * own:.0f} ms a step, {own / control:.1f} times {control_name()}'s; {parameters:,} own parameters"
    )


def _least(seconds: list[float]) -> float:
    return min(seconds[1:])  # the first step warms up, and whatever else the machine does only adds

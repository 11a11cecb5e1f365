"""What a method costs beside the student trained alone: told, not judged."""

from __future__ import annotations

from benchmark.conformance.finding import Verdict, measured
from benchmark.conformance.trial import Trial
from benchmark.training.assemble import control
from benchmark.training.cost import count_parameters


def cost(trial: Trial) -> Verdict:
    """How long a step takes beside the control's, and how many parameters the method adds while it trains."""
    seconds, baseline = (_least(each) for each in (trial.alone.seconds, trial.lab.control_seconds))
    times, parameters = seconds / baseline, count_parameters(trial.member().method)
    return measured(
        f"{1000 * seconds:.0f} ms a step, {times:.1f} times {control().name}'s; {parameters:,} own parameters"
    )


def _least(seconds: list[float]) -> float:
    return min(seconds[1:])  # the first step warms up, and whatever else the machine does only adds

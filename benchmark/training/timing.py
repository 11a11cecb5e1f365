"""What a member's training took, and what it would have taken alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from benchmark.training.clock import TeacherPass


@dataclass(frozen=True)
class Alone:
    """Seconds of a training as if the member had been alone, and what they are made of."""

    total: float
    data: float
    teachers: float
    critic: float

    def share(self, part: float) -> float | None:
        """Return the share of a part; None where nothing was measured."""
        return min(1.0, part / self.total) if self.total else None


@dataclass
class Timing:
    """Seconds that a member took, step by step, and the teachers' predictions that it used and that it computed."""

    data: list[float] = field(default_factory=list)  # waits for batches, which the whole cohort shares
    steps: list[float] = field(default_factory=list)  # with the teachers' predictions that it computed
    critic: list[float] = field(default_factory=list)  # of these, its critic's updates
    asked: Counter[TeacherPass] = field(default_factory=Counter)
    computed: Counter[TeacherPass] = field(default_factory=Counter)

    def alone(self, teachers: Mapping[TeacherPass, list[float]]) -> Alone:
        """Replace the predictions that it happened to compute by those that it used.

        Args:
            teachers: seconds of each prediction of each teacher in this cohort.
        """
        typical = {prediction: fmean(seconds) for prediction, seconds in teachers.items() if seconds}
        used = sum(typical.get(prediction, 0.0) * count for prediction, count in self.asked.items())
        counted = sum(typical.get(prediction, 0.0) * count for prediction, count in self.computed.items())
        waited = sum(self.data)
        without_teachers = max(sum(self.steps) - counted, 0.0)
        return Alone(without_teachers + used + waited, waited, used, sum(self.critic))

    def typical_step(self, warm: int) -> float:
        """Return the median seconds of a step with its wait for data, the first ``warm`` left out; 0 without any."""
        timed = [step + wait for step, wait in zip(self.steps, self.data, strict=False)][warm:]
        return median(timed) if timed else 0.0

    def state(self) -> dict[str, Any]:
        """Return what a resume state keeps."""
        return {**vars(self), "asked": dict(self.asked), "computed": dict(self.computed)}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Timing:
        """Take up what ``state`` returned."""
        return cls(**{**state, "asked": Counter(state["asked"]), "computed": Counter(state["computed"])})

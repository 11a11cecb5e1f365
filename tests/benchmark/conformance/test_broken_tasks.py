"""For a task that breaks one promise, the kit names it in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmark.conformance import check_task
from tasks.base import Info, OutputSpace, Prediction, Task, tasks
from tasks.outputs.binary import Binary
from tasks.saliency import Saliency


class Sums(Binary):
    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        return super().supervised(maps, target) * len(target)


class CrossEntropy(Binary):
    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        return super().divergence(student, teacher, temperature) + 0.5


class Unmasked(Binary):
    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        student.inside = None
        return super().divergence(student, teacher, temperature)


class Counting(Binary):
    """Counts padding as background."""

    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        return super().supervised(maps, target.clamp(min=0))


class Swapped(Binary):
    def mix(self, a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
        return super().mix(b, a, weight)


class Backwards(Binary):
    def join(self, parts: Sequence[Tensor]) -> Tensor:
        joined: Tensor = super().join(parts[::-1])
        return joined


class Unbounded(Binary):
    def bounded(self, prediction: Prediction) -> Tensor:
        return prediction.maps[0]


class Fragile(Binary):
    def supervised(self, maps: Sequence[Tensor], target: Tensor) -> Tensor:
        return super().supervised(maps, target) / (target >= 0).any()


@pytest.fixture
def register() -> Iterator[Any]:
    def enter(space: type[OutputSpace], **attributes: Any) -> type[Task]:
        def __init__(self: Task, info: Info) -> None:  # noqa: N807
            Saliency.__init__(self, info)
            self.output = space()

        cls = type("MyTask", (Saliency,), {"__init__": __init__, "__doc__": Saliency.__doc__, **attributes})
        return tasks.register("my_task")(cls)

    with tasks.restored():
        yield enter


@pytest.mark.parametrize(
    ("space", "check", "found"),
    [
        (Sums, "supervised is a finite mean", "a sum, where a mean is asked for"),
        (CrossEntropy, "divergence is a distance", "divergence of a prediction from itself is 0.5"),
        (Unmasked, "invalid positions do not count", "divergence changes"),
        (Counting, "invalid positions do not count", "supervised changes"),
        (Swapped, "mixing and pasting have their limits", "mix(a, b, 1) is not a"),
        (Backwards, "targets of parts join", "once it was joined with another"),
        (Unbounded, "summary and bounded describe", "for large maps"),
        (Fragile, "empty labels are finite", "on images without labels, or its gradient is not finite"),
    ],
)
def test_the_fault_is_named_and_no_other(space: type[OutputSpace], check: str, found: str, register: Any) -> None:
    faults = [each for each in check_task(register(space), methods=[]) if not each.passed]
    assert [each.check for each in faults] == [check], "\n".join(map(str, faults))
    assert found in faults[0].found
    assert faults[0].fix


def test_a_metric_with_the_wrong_direction_is_found(register: Any) -> None:
    cls = register(Binary, metrics={name: not higher for name, higher in Saliency.metrics.items()})
    (fault,) = [each for each in check_task(cls, methods=[]) if not each.passed]
    assert fault.check == "right answers score better"
    assert fault.found.startswith("s_measure is 0.")


def test_a_target_that_the_device_makes_otherwise_is_found(register: Any) -> None:
    def targets(self: Saliency, values: Tensor) -> Tensor:
        masks = Saliency.targets(self, values)
        return 1 - masks if masks.ndim == 3 else masks  # of a batch; the host asks for one at a time

    cls = register(Binary, targets=targets)
    (fault,) = [each for each in check_task(cls, methods=[]) if not each.passed]
    assert fault.check == "device makes the targets of the host"
    assert fault.found.startswith("the task loss of one prediction is ")


def test_a_task_that_changes_its_target_alone_stays_on_the_host(register: Any) -> None:
    cls = register(Binary, target=lambda self, sample: Saliency.target(self, sample))
    findings = {each.check: each for each in check_task(cls, methods=[])}
    assert all(each.passed for each in findings.values())
    found = findings["device makes the targets of the host"]
    assert found.outcome == "not checked"
    assert "MyTask has no `targets` beside its `target`" in found.found


def test_a_prediction_without_its_features_is_found(register: Any) -> None:
    class Bare(torch.nn.Module):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: Tensor) -> Prediction:
            prediction = self.network(image)
            prediction.shared = ("elsewhere",)
            return prediction

    cls = register(Binary, network=lambda self, spec: Bare(Saliency.network(self, spec)))
    findings = check_task(cls, methods=[])
    (fault,) = [each for each in findings if not each.passed]
    assert fault.check == "networks return whole predictions"
    assert "shared is ('elsewhere',)" in fault.found
    assert {each.check for each in findings if each.outcome == "not checked"} >= {"supervised is a finite mean"}

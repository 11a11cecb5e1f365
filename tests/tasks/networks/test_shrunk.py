"""Networks that see the image averaged over cells: what they predict, where it lies, what cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.conformance.task_checks import prediction_fault
from tasks.base import Info, Task, tasks
from tasks.errors import InputError
from tasks.networks.build import build_network

SIZE = (64, 96)


@pytest.fixture(params=list(tasks))
def task(request: pytest.FixtureRequest) -> Task:
    return tasks[request.param](Info(classes=("sky", "road"), categories=("car", "dog"), category_ids=(1, 2)))


def _built(task: Task, shrink: int) -> nn.Module:
    torch.manual_seed(0)
    return build_network(task, replace(task.student, shrink=shrink), SIZE).double().eval()


def _images(task: Task, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.randn(2, 3 * task.frames, *size, dtype=torch.float64)


def test_a_shrunk_network_predicts_from_averages(task: Task) -> None:
    network, image = _built(task, 2), _images(task)
    stripes = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(SIZE[1] // 2)  # cells average them away
    with torch.no_grad():
        seen, inner, striped = network(image), network.network(F.avg_pool2d(image, 2)), network(image + stripes)
    for a, b, c in zip(seen.maps, inner.maps, striped.maps, strict=True):
        torch.testing.assert_close(a, b)
        torch.testing.assert_close(a, c)
    assert seen.strides == {name: 2 * stride for name, stride in inner.strides.items()}


def test_it_takes_any_size(task: Task) -> None:
    with torch.no_grad():
        prediction = _built(task, 2)(_images(task, (70, 101)))
    assert prediction_fault(prediction, 2, (70, 101), task.output.channels) is None


def test_it_learns_from_a_teacher_that_sees_every_pixel(task: Task) -> None:
    student, teacher, image = _built(task, 2), _built(task, 1), _images(task)
    with torch.no_grad():
        shown = teacher(image)
    prediction = student(image)
    assert prediction.features.keys() == shown.features.keys()
    task.output.divergence(prediction, shown).backward()
    assert any(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in student.parameters())


def test_a_detectors_levels_lie_where_its_teachers_do() -> None:
    task = tasks["det"](Info(categories=("car",), category_ids=(1,)))
    student, teacher = _built(task, 2)(_images(task)), _built(task, 1)(_images(task))
    assert [level.shape for level in student.maps] == [level.shape for level in teacher.maps]
    assert student.strides == teacher.strides


@pytest.mark.parametrize(
    ("shrink", "message"), [(0, "shrink=0: expected a whole number"), (3, "shrink=3 does not divide the strides")]
)
def test_what_cannot_be_is_said(shrink: int, message: str) -> None:
    task = tasks["det"](Info(categories=("car",), category_ids=(1,)))
    with pytest.raises(InputError, match=message):
        build_network(task, replace(task.student, shrink=shrink), SIZE)

"""Every method on every task on a GPU that is not there: fake tensors know their device and type, and do not mix."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode

from benchmark.conformance.laboratory import Laboratory
from benchmark.training.clock import Clock, HostTimer
from benchmark.training.step import LABELED, MemberStep, SharedStep
from methods.base import methods
from tasks.base import tasks
from tests.support import built_in

CUDA = torch.device("cuda")
MODE = FakeTensorMode()  # one, for tensors of two do not mix
# Pseudo-labels of boxes are what a suppression leaves: how many, no fake tensor knows.
IMPOSSIBLE = {("mgd", "det")}


class FakeFabric:
    """Stands for lightning-fabric's object on a GPU: autocast to bfloat16, and a move there."""

    device = CUDA

    def autocast(self) -> AbstractContextManager[None]:
        return torch.autocast("cuda", torch.bfloat16)

    def to_device(self, value: Any) -> Any:
        return moved(value)


def moved(value: Any) -> Any:
    """Put fake tensors on a GPU in the place of all tensors of a value."""
    if isinstance(value, Tensor):
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device=CUDA)
    if is_dataclass(value):
        return type(value)(**{field.name: moved(getattr(value, field.name)) for field in fields(value)})
    if isinstance(value, dict):
        return {key: moved(each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(moved(each) for each in value))
    return tuple(moved(each) for each in value) if isinstance(value, tuple) else value


def moved_module(module: nn.Module) -> nn.Module:
    """Put fake tensors on a GPU in the place of a module's parameters and buffers."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                part._parameters[name] = nn.Parameter(moved(parameter), requires_grad=False)
        part._buffers.update(moved(part._buffers))
    return module


@pytest.fixture(scope="module")
def laboratory() -> Callable[[str], Laboratory]:
    """Return a function that gives a task with untrained teachers and the batches of its steps, on a CPU."""
    return cache(lambda task: Laboratory([f"task={task}"]))


@pytest.mark.parametrize("task", built_in(tasks))
@pytest.mark.parametrize("name", built_in(methods))
def test_no_device_is_mixed_under_autocast(
    name: str, task: str, laboratory: Callable[[str], Laboratory], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = laboratory(task)
    member, on_cpu = lab.member(methods[name], tmp_path), lab.shared(0)
    member.log.close()
    on_cpu.batch(LABELED)
    on_cpu.pasted()  # where its boxes lie is drawn on the CPU
    teachers = copy.deepcopy({teacher: lab.teachers[teacher] for teacher in member.roles.values()})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # for autocast
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)  # it would look at the card before it chose a kernel
    # Without gradients: autograd would open a queue for a device that is not there.
    with torch.random.fork_rng(devices=[]), torch.no_grad(), MODE:
        student, method = moved_module(member.network), moved_module(member.method)
        conditions = replace(lab.assembly.conditions, fabric=FakeFabric())
        there = {role: moved_module(teacher) for role, teacher in teachers.items()}
        shared = SharedStep(0, {}, there, conditions, Clock(HostTimer()))
        shared._made = moved(on_cpu._made)
        step = MemberStep(shared, student, member.roles)
        if (name, task) in IMPOSSIBLE:
            with pytest.raises(DynamicOutputShapeException, match="nms|nonzero"):
                method(step)
            return
        terms = method(step)
    assert {(term.device.type, term.dtype, term.ndim) for term in terms.values()} == {("cuda", torch.float32, 0)}

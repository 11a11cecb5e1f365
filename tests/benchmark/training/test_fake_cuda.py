"""Every method on every task on a GPU that is not there: fake tensors know their device and type, and do not mix."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark.conformance.laboratory import Laboratory
from benchmark.training import step as training_step
from benchmark.training.clock import Clock, HostTimer
from benchmark.training.step import MemberStep, SharedStep
from methods import chain
from methods.base import Method, methods
from tasks.base import tasks
from tasks.nested import mapped
from tests.support import built_in, in_turn, mostly_slow

CUDA, ROOT = torch.device("cuda"), f"{Path(training_step.__file__).parents[2]}/"
OURS = tuple(f"{ROOT}{package}/" for package in ("benchmark", "methods", "tasks", "tests"))  # not a .venv among them
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


class Copies(TorchDispatchMode):
    """Notes where a tensor is copied between processor and GPU in a way that waits for the latter."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = call(*args, **(kwargs or {}))
        if call in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default):
            source = args[0] if call is torch.ops.aten._to_copy.default else args[1]
            asynchronous = (kwargs or {}).get("non_blocking", len(args) > 2 and args[2])
            if source.device.type != found.device.type and not asynchronous:
                ours = [frame for frame in traceback.extract_stack() if frame.filename.startswith(OURS)]
                self.waits.append(f"{ours[-2].filename.removeprefix(ROOT)}:{ours[-2].lineno} {ours[-2].line}")
        return found


def moved(value: Any) -> Any:
    """Put fake tensors on a GPU in the place of all tensors of a value."""
    return mapped(value, lambda each: torch.empty_strided(each.shape, each.stride(), dtype=each.dtype, device=CUDA))


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


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let autocast believe in a card, and put stand-ins where a step reads a value, which fake tensors do not have."""
    # Not torch.cuda.is_available: fake tensors would then take the card for a real one, and index on it.
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)  # it would look at the card before it chose a kernel
    monkeypatch.setattr(Tensor, "exponential_", lambda tensor, **_: tensor)  # takes no generator there
    monkeypatch.setattr(training_step, "box_mask", lambda size, _: torch.zeros(size, dtype=torch.bool))
    monkeypatch.setattr(chain, "_steps", chain._Products)  # chosen by the span of the transitions


def forward_there(cls: type[Method], lab: Laboratory, folder: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Return what a method makes of a step of fake tensors on a GPU, under autocast, and where that waits for it."""
    member, batches = lab.member(cls, folder), lab.fresh(0)
    member.log.close()
    teachers = copy.deepcopy({teacher: lab.teachers[teacher] for teacher in member.roles.values()})
    # Without gradients: autograd would open a queue for a device that is not there.
    with torch.random.fork_rng(devices=[]), torch.no_grad(), MODE, Copies() as copies:
        student, method = moved_module(member.network.eval()), moved_module(member.method.eval())
        conditions = replace(lab.assembly.conditions, fabric=FakeFabric())
        there = {role: moved_module(teacher) for role, teacher in teachers.items()}
        shared = SharedStep(0, batches, there, conditions, Clock(HostTimer()))
        return method(MemberStep(shared, student, member.roles)), copies.waits


@pytest.mark.parametrize(
    ("name", "task"),
    mostly_slow(product(built_in(methods), built_in(tasks)), in_turn(built_in(methods), built_in(tasks))),
)
def test_no_device_is_mixed_and_nothing_waits(
    name: str, task: str, laboratory: Callable[[str], Laboratory], tmp_path: Path
) -> None:
    lab, method = laboratory(task), methods[name]
    if method.refuses(lab.output):
        return
    if (name, task) in IMPOSSIBLE:
        with pytest.raises(DynamicOutputShapeException, match=r"nms|nonzero"):
            forward_there(method, lab, tmp_path)
        return
    terms, waits = forward_there(method, lab, tmp_path)
    assert {(term.device.type, term.dtype, term.ndim) for term in terms.values()} == {("cuda", torch.float32, 0)}
    assert waits == []


@pytest.mark.parametrize("moves", [False, True])
def test_a_tensor_that_was_made_on_the_cpu_is_found(
    moves: bool, laboratory: Callable[[str], Laboratory], tmp_path: Path
) -> None:
    class Forgetful(methods["none"]):
        def forward(self, step: MemberStep) -> dict[str, Tensor]:
            (maps,) = step.student(step.labeled).maps
            weight = torch.ones(maps.shape[1:])
            return {"supervised": (maps * (weight.to(maps.device) if moves else weight)).mean()}

    if not moves:
        with pytest.raises(RuntimeError, match=r"same device.*cuda:0.*cpu"):
            forward_there(Forgetful, laboratory("seg"), tmp_path)
        return
    _, (wait,) = forward_there(Forgetful, laboratory("seg"), tmp_path)
    assert "weight.to(maps.device)" in wait

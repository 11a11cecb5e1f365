"""What must hold on a GPU. Tests also run on a CPU, among the slow ones, so that their code is known to run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from benchmark.training.cohort import Cohort
from benchmark.training.device import CUBLAS_WORKSPACE, set_numerics
from leaderboards.record import Record
from methods.base import methods
from tasks.base import tasks
from tests.support import SAVING, student_bytes, tiny_run

DEVICES = [pytest.param("cpu", marks=pytest.mark.slow), pytest.param("cuda", marks=pytest.mark.gpu)]
NAMES = sorted(methods)
SOME = ["none", "mgd"]  # one without teachers, one with two, pseudo-labels and three streams
# Pseudo-labels of boxes are what a suppression leaves; chains look at the span of their transitions.
WAITING = {("mgd", "det"), ("crf", "")}
CLOSE = 1e-2  # of a term of the first step: other kernels, other orders of summation, the same float32


@pytest.fixture(autouse=True)
def numerics(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(CUBLAS_WORKSPACE, ":4096:8")  # which cuBLAS asks for once a process
    yield
    set_numerics(tf32=False, deterministic=False)


def method(names: list[str]) -> str:
    return f"method=[{','.join(names)}]"


@pytest.mark.gpu
@pytest.mark.parametrize("task", sorted(tasks))
def test_terms_of_the_first_step_are_those_of_the_cpu(task: str, home_of: Callable[[str], Path]) -> None:
    words = (f"task={task}", method(NAMES), "recipe.steps=1", "teacher.control=untrained")
    here, there = (tiny_run(home_of(task), *words, f"device={device}") for device in ("cpu", "cuda"))
    for own, other in zip(here, there, strict=True):
        if own.status == "not_applicable":
            continue
        assert other.status == "ok", other.status_reason
        assert own.run_id != other.run_id
        assert other.diagnostics.first_terms == pytest.approx(own.diagnostics.first_terms, rel=CLOSE, abs=1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_with_deterministic_the_bits_are_the_same_alone_together_and_again(
    device: str, home_of: Callable[[str], Path]
) -> None:
    words = (f"device={device}", "deterministic=true")
    homes = [home_of("seg") for _ in range(3)]
    together, again = (tiny_run(home, method(SOME), *words) for home in homes[:2])
    (alone,) = tiny_run(homes[2], method(SOME[1:]), *words)
    assert all(record.deterministic for record in (*together, alone))
    for first, second in zip(together, again, strict=True):
        assert student_bytes(homes[0], first) == student_bytes(homes[1], second)
    assert student_bytes(homes[2], alone) == student_bytes(homes[0], together[1])


@pytest.mark.parametrize("device", DEVICES)
def test_a_run_that_was_killed_goes_on_to_the_same_bits(
    device: str, home_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("method=mgd", f"device={device}", "deterministic=true")
    whole, cut = home_of("seg"), home_of("seg")
    (expected,) = tiny_run(whole, *words)

    def killed(self: Cohort, index: int, stream: object, step: Callable[..., None] = Cohort._step) -> None:
        if index == 2:
            raise KeyboardInterrupt
        step(self, index, stream)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Cohort, "_step", killed)
        tiny_run(cut, *words, SAVING)
    (resumed,) = tiny_run(cut, *words)
    assert student_bytes(cut, resumed) == student_bytes(whole, expected)


@pytest.mark.parametrize("device", DEVICES)
def test_memory_is_a_members_own_and_seconds_are_counted_once(device: str, home: Path) -> None:
    records = tiny_run(home, method(SOME), f"device={device}")
    for record in records:
        training = record.training
        assert training.peak_mem_mb > 0
        assert ("own updates" in training.memory_basis) is (device == "cuda")
        assert (training.gpu_hours is not None) is (device == "cuda")
        assert training.wall_s > 0
    if device == "cuda":  # what idles and what works are stretches of one stream
        assert sum(own_seconds(record) for record in records) <= records[0].training.cohort_wall_s * 1.05
        none, mgd = records
        assert none.training.peak_mem_mb < mgd.training.peak_mem_mb


def own_seconds(record: Record) -> float:
    """Return the seconds of a run without its teachers, which others may have paid for."""
    training = record.training
    return training.wall_s * (1 - training.teacher_share) * (1 - training.data_share)


@pytest.mark.gpu
@pytest.mark.parametrize("task", sorted(tasks))
def test_no_step_waits_for_the_device(
    task: str, home_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps between two readings of the terms, of what must not wait itself."""
    names = [name for name in NAMES if (name, task) not in WAITING and (name, "") not in WAITING]
    waits: list[str] = []

    def watched(self: Cohort, index: int, stream: object, step: Callable[..., None] = Cohort._step) -> None:
        torch.cuda.set_sync_debug_mode("warn" if index in (2, 3) else "default")  # after preflight and warming up
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            step(self, index, stream)
        torch.cuda.set_sync_debug_mode("default")
        waits.extend(f"{each.filename}:{each.lineno}" for each in seen if "synchroniz" in str(each.message))

    monkeypatch.setattr(Cohort, "_step", watched)
    records = tiny_run(home_of(task), f"task={task}", method(names), "device=cuda")
    assert {record.status for record in records} <= {"ok", "not_applicable"}
    assert waits == []

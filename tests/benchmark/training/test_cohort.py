"""Members of a cohort do not notice one another, and teachers are never touched."""

from __future__ import annotations

import gc
import io
import json
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor

from benchmark.run import Run
from benchmark.training.device import DeviceLost
from leaderboards import store
from leaderboards.values import sha256_of
from methods.base import SUPERVISED, Method, Setting, Step, methods
from tasks.base import tasks
from tests.support import SAVING, Finished, in_turn, mostly_slow, student_bytes, tiny_config, tiny_run


class Breaking(Method):
    """Breaks at a given step, in a given way."""

    title = "breaking"
    paper = "none"

    def __init__(self, setting: Setting, *, at: int = 2, how: str = "nan") -> None:
        super().__init__(setting)
        self.at, self.how = at, how
        if how == "build":
            raise OSError("not today")

    def forward(self, step: Step) -> dict[str, Tensor]:
        loss = step.supervised()
        if step.index == self.at:
            if self.how == "lose":
                raise torch.AcceleratorError("CUDA error: device-side assert triggered")
            if self.how == "raise":
                raise ArithmeticError("a method's own fault")
            if self.how == "touch":
                step.teacher(step.labeled).maps[0].mul_(2)
            if self.how == "wipe":
                step.labeled.image.zero_()
            if self.how == "relabel":
                step.labeled.target[step.labeled.target == 255] = 0
                step.labeled.target.clamp_(max=1)
            if self.how == "uncover":
                step.labeled.inside.logical_not_()
            if self.how == "leave":
                sys.exit(3)
            if self.how == "meddle":
                torch.set_default_dtype(torch.float64)
            loss = loss * float("nan")
        return {SUPERVISED: loss}


@pytest.fixture
def breaking() -> Iterator[None]:
    with methods.restored():
        methods.register("breaking")(Breaking)
        yield


NAMES = sorted(methods)


# By default one method, which uses all that a cohort shares. Each method has its turn on a task; on every task the kit
# trains each method alone and beside another.
@pytest.mark.parametrize(
    ("task", "names"),
    [
        pytest.param("seg", ["mgd"], id="seg"),
        *(
            pytest.param(
                task, [name for name, turn in in_turn(NAMES, sorted(tasks)) if turn == task], marks=pytest.mark.slow
            )
            for task in sorted(tasks)
        ),
    ],
)
def test_alone_and_among_all_methods_gives_the_same_bits(
    task: str, names: list[str], home_of: Callable[[str], Path], together: Callable[[str], Finished]
) -> None:
    all_of_them = together(task)
    for name in names:
        home = home_of(task)
        (alone,) = tiny_run(home, f"task={task}", f"method={name}")
        record = all_of_them.record(name)
        if record.status == "not_applicable":
            assert (alone.run_id, alone.status) == (record.run_id, record.status)
            continue
        assert alone.run_id == record.run_id
        assert student_bytes(home, alone) == all_of_them.student(name)
        assert alone.scores == record.scores


@pytest.mark.parametrize("task", mostly_slow(sorted(tasks), {"seg"}))
def test_every_method_trains_another_student(task: str, together: Callable[[str], Finished]) -> None:
    trained = [name for name in NAMES if together(task).record(name).status != "not_applicable"]
    assert {together(task).record(name).status for name in trained} == {"ok"}
    assert len({together(task).student(name) for name in trained}) == len(trained)
    assert all(methods[name].regulariser for name in {*NAMES} - {*trained})


@pytest.mark.usefixtures("breaking")
@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("nan", "diverged", "not finite at step 2"),
        ("raise", "failed", "ArithmeticError at step 2: a method's own fault"),
        ("touch", "failed", "changed the prediction of teacher 'deep' on batch 'labeled' in place"),
        ("wipe", "failed", "changed batch 'labeled', its images or its labels, in place"),
        ("relabel", "failed", "changed batch 'labeled', its images or its labels, in place"),
        ("uncover", "failed", "changed batch 'labeled', its images or its labels, in place"),
        ("leave", "failed", "SystemExit at step 2: 3"),
        ("meddle", "failed", "changed torch's default dtype, which the whole cohort shares"),
        ("build", "failed", "OSError when it was built: not today"),
    ],
)
def test_a_broken_member_is_recorded_and_harms_no_other(
    how: str, status: str, reason: str, home: Path, together: Callable[[str], Finished]
) -> None:
    broken, pixel = tiny_run(home, "method=[breaking,pixel]", f"methods.breaking.how={how}")
    assert broken.status == status
    assert reason in broken.status_reason
    assert broken.scores.metrics == {}
    assert student_bytes(home, pixel) == together("seg").student("pixel")


@pytest.mark.usefixtures("breaking")
def test_a_dead_device_is_blamed_on_nobody_and_recorded_for_all(home: Path) -> None:
    said = "the GPU's context died, noticed in breaking at step 2: CUDA error: device-side assert triggered"
    with pytest.raises(DeviceLost, match=said):
        tiny_run(home, "method=[breaking,pixel]", "methods.breaking.how=lose", SAVING)
    records, _ = store.read([home])
    assert [record.status for record in records] == ["failed", "failed"]
    assert all(said in record.status_reason for record in records)
    assert len(list(home.glob("runs/*/resume.pt"))) == 2, "what was saved before is still good"


@pytest.mark.usefixtures("breaking")
def test_a_dropped_member_lets_go_of_its_memory(home: Path) -> None:
    config = tiny_config(home, "method=[breaking,pixel]", "methods.breaking.how=raise", "methods.breaking.at=1")
    run = Run(config, Console(file=io.StringIO()))
    cohort = run.prepare(run.contestants)
    broken, whole = cohort.members
    kept = [weakref.ref(each) for each in (broken.network, broken.method, broken.optimizer, broken.trained[0])]
    cohort.train()
    gc.collect()
    assert (broken.status, whole.status) == ("failed", "ok")
    assert [each() for each in kept] == [None] * len(kept)
    assert (broken.held_bytes(), whole.held_bytes() > 0) == (0, True)
    assert broken.weights == {SUPERVISED: 1.0}


def test_teachers_keep_every_byte(home: Path) -> None:
    files = sorted(home.glob("teachers/*/teacher.safetensors"))
    before = [sha256_of(file) for file in files]
    assert len(before) == 2
    (record,) = tiny_run(home, "method=mgd")
    assert [sha256_of(file) for file in files] == before
    assert sorted(each.weights_sha256 for each in record.teachers) == sorted(before)
    assert all(each.own_score is not None for each in record.teachers)


def test_the_step_log_holds_every_step_and_term(together: Callable[[str], Finished]) -> None:
    record = together("seg").record("mgd")
    lines = [json.loads(line) for line in (together("seg").home / record.artifacts.steps).read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1, 2, 3]
    for line in lines:
        total = sum(weight * line[term] for term, weight in record.method.weights.items())
        torch.testing.assert_close(line["loss"], total, rtol=1e-4, atol=1e-4)

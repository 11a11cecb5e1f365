"""Members of a cohort do not notice one another, and teachers are never touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmark.training.checkpoint import sha256_of
from methods.base import SUPERVISED, Method, Setting, Step, methods
from tasks.base import tasks
from tests.support import student_bytes, tiny_run


class Breaking(Method):
    """Breaks at a given step, in a given way."""

    title = "breaking"
    paper = "none"

    def __init__(self, setting: Setting, *, at: int = 2, how: str = "nan") -> None:
        super().__init__(setting)
        self.at, self.how = at, how

    def forward(self, step: Step) -> dict[str, Tensor]:
        loss = step.supervised()
        if step.index == self.at:
            if self.how == "raise":
                raise ArithmeticError("a method's own fault")
            if self.how == "touch":
                step.teacher(step.labeled).maps[0].mul_(2)
            loss = loss * float("nan")
        return {SUPERVISED: loss}


@pytest.fixture
def breaking() -> Iterator[None]:
    with methods.restored():
        methods.register("breaking")(Breaking)
        yield


NAMES = sorted(methods)
SOME = {task: [NAMES[(2 * turn + each) % len(NAMES)] for each in (0, 1)] for turn, task in enumerate(sorted(tasks))}
EVERY = [pytest.param(task, NAMES, marks=pytest.mark.slow, id=f"{task}-every") for task in sorted(tasks)]


@pytest.mark.parametrize(("task", "names"), [*SOME.items(), *EVERY])  # each method has its turn
def test_alone_and_among_all_methods_gives_the_same_bits(
    task: str, names: list[str], tmp_path: Path, teachers_home: Callable[[str], Path]
) -> None:
    for folder in ("together", *names):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "teachers").symlink_to(teachers_home(task))
    together = tiny_run(tmp_path / "together", f"task={task}", f"method=[{','.join(NAMES)}]")
    assert [record.status for record in together] == ["ok"] * len(NAMES)
    for name in names:
        (alone,) = tiny_run(tmp_path / name, f"task={task}", f"method={name}")
        record = together[NAMES.index(name)]
        assert alone.run_id == record.run_id
        assert student_bytes(tmp_path / name, alone) == student_bytes(tmp_path / "together", record)
        assert alone.scores == record.scores
    students = [student_bytes(tmp_path / "together", record) for record in together]
    assert len(set(students)) == len(NAMES), "methods that train the same student learn nothing of their own"


@pytest.mark.usefixtures("breaking")
@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("nan", "diverged", "not finite at step 2"),
        ("raise", "failed", "ArithmeticError at step 2: a method's own fault"),
        ("touch", "failed", "changed the prediction of teacher 'deep' on batch 'labeled' in place"),
    ],
)
def test_a_broken_member_is_recorded_and_harms_no_other(how: str, status: str, reason: str, home: Path) -> None:
    broken, pixel = tiny_run(home, "method=[breaking,pixel]", f"methods.breaking.how={how}")
    assert broken.status == status
    assert reason in broken.status_reason
    assert broken.scores.metrics == {}
    (home / "records" / f"{pixel.run_id}.json").unlink()
    expected = student_bytes(home, pixel)
    (alone,) = tiny_run(home, "method=pixel")
    assert student_bytes(home, alone) == expected


def test_teachers_keep_every_byte(home: Path) -> None:
    files = sorted(home.glob("teachers/*/teacher.safetensors"))
    before = [sha256_of(file) for file in files]
    assert len(before) == 2
    (record,) = tiny_run(home, "method=mgd")
    assert [sha256_of(file) for file in files] == before
    assert sorted(each.weights_sha256 for each in record.teachers) == sorted(before)
    assert all(each.own_score is not None for each in record.teachers)


def test_the_step_log_holds_every_step_and_term(home: Path) -> None:
    (record,) = tiny_run(home, "method=mgd")
    lines = [json.loads(line) for line in (home / record.artifacts.steps).read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1, 2, 3]
    for line in lines:
        total = sum(weight * line[term] for term, weight in record.method.weights.items())
        torch.testing.assert_close(line["loss"], total, rtol=1e-4, atol=1e-4)

"""Killed anywhere and started again with the same command: the same bytes as without the kill."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.training.checkpoint import save_state
from benchmark.training.cohort import Cohort
from benchmark.training.interrupt import Interrupted
from leaderboards import store
from tasks.base import tasks
from tasks.datasets.scenes import Scenes
from tests.support import TINY, student_bytes, tiny_run

METHODS = "method=[none,mgd]"


class Killed(BaseException):
    """Stands for a kill: nothing in the suite catches it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int, member: int) -> None:
    """Make training die in the middle of a step, after some members took it and before the others did."""
    whole = Cohort._update

    def update(self: Cohort, each: object, shared: object) -> None:
        if shared.index == step and self.members[member] is each:
            raise Killed
        whole(self, each, shared)

    monkeypatch.setattr(Cohort, "_update", update)


@pytest.mark.parametrize(("step", "member", "workers"), [(0, 1, 0), (1, 0, 0), (3, 1, 0), (3, 1, 2)])
def test_a_killed_run_goes_on_to_the_same_bytes(
    step: int, member: int, workers: int, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "teachers").symlink_to(home / "teachers")
    expected = tiny_run(whole, METHODS)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, step, member)
        tiny_run(home, METHODS, f"workers={workers}")
    left, _ = store.read([home])
    assert [record.status for record in left] == ["interrupted"] * 2, "a killed run leaves a record that says so"
    resumed = tiny_run(home, METHODS, f"workers={workers}")
    for before, after in zip(expected, resumed, strict=True):
        assert student_bytes(whole, before) == student_bytes(home, after)
        assert before.scores == after.scores
        assert (whole / before.artifacts.steps).read_text() == (home / after.artifacts.steps).read_text()


@pytest.mark.parametrize("task", sorted(set(tasks) - {"seg"}))  # segmentation is killed above
def test_every_task_goes_on_to_the_same_bytes(
    task: str, tmp_path: Path, teachers_home: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("whole", "cut"):
        shutil.copytree(teachers_home(task), tmp_path / folder / "teachers", copy_function=os.link)
    words = (f"task={task}", METHODS)
    expected = tiny_run(tmp_path / "whole", *words)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 1)
        tiny_run(tmp_path / "cut", *words)
    resumed = tiny_run(tmp_path / "cut", *words)
    for before, after in zip(expected, resumed, strict=True):
        assert student_bytes(tmp_path / "whole", before) == student_bytes(tmp_path / "cut", after)
        assert before.scores == after.scores


def test_a_teacher_goes_on_too(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("method=pixel", "teacher.recipe.steps=5")
    expected = tiny_run(tmp_path / "whole", *words)[0].teachers[0]
    (tmp_path / "cut").mkdir()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 0)
        tiny_run(tmp_path / "cut", *words)
    assert tiny_run(tmp_path / "cut", *words)[0].teachers[0] == expected


def test_a_stopped_run_saves_where_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Cohort._update

    def update(self: Cohort, each: object, shared: object) -> None:
        whole(self, each, shared)
        if shared.index == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="stopped after step 2 of 4"):
        patch.setattr(Cohort, "_update", update)
        tiny_run(home, "method=none", "save_every=100")
    (left,), _ = store.read([home])
    assert (left.status, left.status_reason) == ("interrupted", "stopped after step 2 of 4")
    (record,) = tiny_run(home, "method=none", "save_every=100")
    assert record.status == "ok"


def test_members_may_stand_at_different_steps(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone,) = tiny_run(home, "method=none")
    expected = student_bytes(home, alone)
    (home / "records" / f"{alone.run_id}.json").unlink()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 0)
        tiny_run(home, "method=none")
    assert (home / "runs" / alone.run_id / "resume.pt").exists()
    none, _ = tiny_run(home, METHODS)  # none goes on from step 2, mgd starts
    assert student_bytes(home, none) == expected


def test_a_state_of_an_earlier_version_is_not_taken_up(home: Path) -> None:
    (whole,) = tiny_run(home, "method=none")
    expected = student_bytes(home, whole)
    (home / "records" / f"{whole.run_id}.json").unlink()
    save_state({"step": 2, "timing": {"own": 1.0}}, home / "runs" / whole.run_id / "resume.pt")
    (again,) = tiny_run(home, "method=none")
    assert student_bytes(home, again) == expected
    assert len((home / again.artifacts.steps).read_text().splitlines()) == 4


def test_repeating_a_finished_command_does_no_work(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tiny_run(home, METHODS)

    def fail(*arguments: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(Cohort, "train", fail)
    monkeypatch.setattr(Scenes, "load", fail)
    assert tiny_run(home, METHODS) == first


def test_a_failed_run_is_run_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Cohort, "_update", lambda self, member, shared: member.drop("failed", "made to fail"))
        (failed,) = tiny_run(home, "method=none")
    assert failed.status == "failed"
    (record,) = tiny_run(home, "method=none")
    assert (record.run_id, record.status) == (failed.run_id, "ok")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_sigkill_at_random_moments(workers: int, home: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "teachers").symlink_to(home / "teachers")
    words = [METHODS, "recipe.steps=40", "save_every=5"]
    expected = tiny_run(whole, *words)
    command = [sys.executable, "-m", "benchmark", "run", *TINY, *words, f"home={home}", f"workers={workers}"]
    chance = random.Random(workers)
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        log = home / "runs" / expected[0].run_id / "steps.jsonl"
        size = log.stat().st_size if log.exists() else 0
        while process.poll() is None and (not log.exists() or log.stat().st_size <= size):
            time.sleep(0.05)
        time.sleep(chance.random())
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    resumed, faults = store.read([home])
    assert not faults
    for before, after in zip(sorted(expected, key=lambda each: each.run_id), resumed, strict=True):
        assert student_bytes(whole, before) == student_bytes(home, after)
        assert before.scores == after.scores

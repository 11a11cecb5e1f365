"""Killed anywhere and started again with the same command: the same bytes as without the kill."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.training.checkpoint import save_state
from benchmark.training.cohort import Cohort
from benchmark.training.interrupt import Interrupted
from benchmark.training.member import LAYOUT
from leaderboards import store
from leaderboards.record import Record
from methods.base import methods
from perf.campaign.process import Command, benchmark
from tasks.base import tasks
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError
from tests.support import SAVING, TINY, Finished, mostly_slow, student_bytes, tiny_run, tiny_teachers

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


def assert_as_if_never_stopped(records: list[Record], home: Path, whole: Finished) -> None:
    """Hold resumed runs against those of a cohort that nobody stopped."""
    for record in records:
        expected = whole.record(record.method.name)
        assert student_bytes(home, record) == whole.student(record.method.name)
        assert record.scores == expected.scores
        assert (home / record.artifacts.steps).read_text() == (whole.home / expected.artifacts.steps).read_text()


@pytest.mark.parametrize(("step", "member", "workers"), [(0, 1, 0), (1, 0, 0), (3, 1, 2)])
def test_a_killed_run_goes_on_to_the_same_bytes(
    step: int,
    member: int,
    workers: int,
    home: Path,
    together: Callable[[str], Finished],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, step, member)
        tiny_run(home, METHODS, f"workers={workers}", SAVING)
    left, _ = store.read([home])
    assert [record.status for record in left] == ["interrupted"] * 2, "a killed run leaves a record that says so"
    assert_as_if_never_stopped(tiny_run(home, METHODS, f"workers={workers}"), home, together("seg"))


@pytest.mark.parametrize("task", mostly_slow(sorted(tasks), {"attention"}))  # the kit kills on every task
def test_on_every_task_a_killed_cohort_gives_the_bits_of_a_run_alone(
    task: str, home_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    apart, home = home_of(task), home_of(task)
    (alone,) = tiny_run(apart, f"task={task}", "method=mgd")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 1)
        tiny_run(home, f"task={task}", METHODS, SAVING)
    assert len(list(home.glob("runs/*/resume.pt"))) == 2
    _, among = tiny_run(home, f"task={task}", METHODS)
    assert (among.run_id, among.status, among.scores) == (alone.run_id, "ok", alone.scores)
    assert student_bytes(home, among) == student_bytes(apart, alone)
    assert (home / among.artifacts.steps).read_text() == (apart / alone.artifacts.steps).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("task", sorted(tasks))
def test_every_method_goes_on_to_the_same_bytes(
    task: str,
    home_of: Callable[[str], Path],
    together: Callable[[str], Finished],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, home = together(task), home_of(task)
    names = [name for name in sorted(methods) if whole.record(name).status == "ok"]
    words = (f"task={task}", f"method=[{','.join(names)}]")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, len(names) // 2)
        tiny_run(home, *words, SAVING)
    assert len(list(home.glob("runs/*/resume.pt"))) == len(names)
    assert_as_if_never_stopped(tiny_run(home, *words), home, whole)


def test_a_teacher_goes_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("teacher.recipe.steps=5", "~teacher.networks.wide")
    expected = tiny_teachers(tmp_path / "whole", *words)["deep"]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 0)
        tiny_teachers(tmp_path / "cut", *words, SAVING)
    resumed = tiny_teachers(tmp_path / "cut", *words)["deep"]
    assert resumed.about["metrics"] == expected.about["metrics"]
    files = [tmp_path / each / "teachers" / expected.about["id"] / "teacher.safetensors" for each in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()


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


def test_members_may_stand_at_different_steps(
    home: Path, together: Callable[[str], Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 0)
        tiny_run(home, "method=none", SAVING)
    assert len(list(home.glob("runs/*/resume.pt"))) == 1
    assert_as_if_never_stopped(tiny_run(home, METHODS), home, together("seg"))  # none goes on from step 3, mgd starts


def test_a_state_of_an_earlier_version_is_not_taken_up(home: Path) -> None:
    (whole,) = tiny_run(home, "method=none")
    expected = student_bytes(home, whole)
    (home / "records" / f"{whole.run_id}.json").unlink()
    save_state({"step": 2, "timing": {"own": 1.0}}, home / "runs" / whole.run_id / "resume.pt")
    (again,) = tiny_run(home, "method=none")
    assert student_bytes(home, again) == expected
    assert len((home / again.artifacts.steps).read_text().splitlines()) == 4


def test_what_a_kill_after_the_record_left_undone_is_done(
    tmp_path: Path, together: Callable[[str], Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "runs"
    shutil.copytree(together("seg").home, home)
    folders = [home / "runs" / together("seg").record(name).run_id for name in ("none", "mgd")]
    tiny_run(home, METHODS)
    for folder in folders:
        (folder / "panel.png").unlink()
        for name in ("resume.pt", ".resume.pt.tmp"):
            (folder / name).touch()
    monkeypatch.setattr(Cohort, "train", lambda self: pytest.fail("a finished run was trained again"))
    tiny_run(home, METHODS)
    assert [len(list(folder.glob("*.p*"))) for folder in folders] == [1, 1]
    assert folders[0].joinpath("panel.png").read_bytes() == folders[1].joinpath("panel.png").read_bytes()
    assert not [path for folder in folders for path in folder.iterdir() if path.suffix in (".pt", ".tmp")]


@pytest.mark.parametrize("state", [[1], {"layout": LAYOUT, "step": 2}])
def test_a_state_that_is_none_is_named(state: object, home: Path) -> None:
    (whole,) = tiny_run(home, "method=none")
    (home / "records" / f"{whole.run_id}.json").unlink()
    save_state(state, home / "runs" / whole.run_id / "resume.pt")
    with pytest.raises(InputError, match=r"resume.pt cannot be taken up \(.*\); delete it to start that run afresh"):
        tiny_run(home, "method=none")


def test_repeating_a_finished_command_does_no_work(
    tmp_path: Path, together: Callable[[str], Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(together("seg").home, tmp_path / "runs", copy_function=os.link)

    def fail(*arguments: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(Cohort, "train", fail)
    monkeypatch.setattr(Scenes, "load", fail)
    assert tiny_run(tmp_path / "runs", METHODS) == [together("seg").record(name) for name in ("none", "mgd")]


def test_a_failed_run_is_run_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Cohort, "_update", lambda self, member, shared: member.drop("failed", "made to fail"))
        (failed,) = tiny_run(home, "method=none")
    assert failed.status == "failed"
    (record,) = tiny_run(home, "method=none")
    assert (record.run_id, record.status) == (failed.run_id, "ok")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "task", "names"),
    [(0, "seg", METHODS), (2, "seg", METHODS), (0, "attention", "method=[coupled,kr,crf]")],
)
def test_sigkill_at_random_moments(
    workers: int, task: str, names: str, home_of: Callable[[str], Path], tmp_path: Path
) -> None:
    whole, home = tmp_path / "whole", home_of(task)
    whole.mkdir()
    (whole / "teachers").symlink_to(home / "teachers")
    words = [f"task={task}", names, "recipe.steps=40", "save_every=0.2"]
    expected = tiny_run(whole, *words)
    command = ["run", *TINY, *words, f"home={home}", f"workers={workers}"]
    chance = random.Random(workers)
    for _ in range(3):
        process = Command(command, tmp_path)
        log = home / "runs" / expected[0].run_id / "steps.jsonl"
        size = log.stat().st_size if log.exists() else 0
        while process.running and (not log.exists() or log.stat().st_size <= size):
            time.sleep(0.05)
        time.sleep(chance.random())
        process.kill()
        process.wait()
    assert benchmark(command, tmp_path).code == 0
    resumed, faults = store.read([home])
    assert not faults
    for before, after in zip(sorted(expected, key=lambda each: each.run_id), resumed, strict=True):
        assert student_bytes(whole, before) == student_bytes(home, after)
        assert before.scores == after.scores

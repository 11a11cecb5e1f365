"""Rows that say where a gain comes from: other seeds of the teacher, stand-ins for it, more steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from leaderboards.board import board
from tests.support import student_bytes, tiny_run


def test_teachers_of_several_seeds_share_a_track_and_are_one_row(home: Path) -> None:
    pixel = [
        record for seed in (0, 1, 2) for record in tiny_run(home, "method=pixel", "teacher.seeds=2", f"seed={seed}")
    ]
    assert len({record.track_id for record in pixel}) == 1
    assert [record.teachers[0].seed for record in pixel] == [0, 1, 0]
    assert pixel[0].method.roles == pixel[2].method.roles != pixel[1].method.roles
    assert len({record.teachers[0].kind for record in pixel}) == 1
    made = board(pixel)
    scores = [record.teachers[0].own_score for record in pixel[:2]]
    assert [reference.role for reference in made.references if reference.role != "trivial"] == ["deep", "wide"]
    assert made.references[0].score == sum(scores) / 2  # type: ignore[arg-type]


def test_the_run_of_a_student_alone_does_not_depend_on_the_teachers_seed(home: Path) -> None:
    first, second = (tiny_run(home, "method=[none,pixel]", f"teacher.seed={seed}") for seed in (0, 1))
    assert first[0].run_id == second[0].run_id
    assert first[1].run_id != second[1].run_id
    assert first[1].entry_id == second[1].entry_id


def test_a_student_may_stand_in_for_its_teacher(home: Path) -> None:
    (record,) = tiny_run(home, "method=mgd", "teacher.control=self")
    (taught,) = tiny_run(home, "method=mgd")
    (alone,) = tiny_run(home, "method=none", "seed=1000000")
    assert record.status == "ok", record.status_reason
    assert record.method.variant == "self teacher"
    assert record.method.control
    assert record.track_id == taught.track_id
    assert record.entry_id != taught.entry_id
    stand_in = home / "teachers" / record.method.roles["deep"] / "teacher.safetensors"
    assert stand_in.read_bytes() == student_bytes(home, alone)


def test_more_steps_are_a_row_of_the_same_track(home: Path) -> None:
    (once,) = tiny_run(home, "method=none")
    (twice,) = tiny_run(home, "method=none", "recipe.factor=2")
    assert (once.training.steps, twice.training.steps) == (4, 8)
    assert once.track_id == twice.track_id
    assert once.protocol.budget == twice.protocol.budget
    assert (once.protocol.multiple, twice.protocol.multiple) == (1.0, 2.0)
    made = board([once, twice])
    assert made.control == once.entry_id
    assert sorted(row.entry.label for row in made.rows) == ["none", "none (2 x steps)"]


def test_trivial_predictors_are_scored_once_and_stand_in_every_record(home: Path) -> None:
    (none,) = tiny_run(home, "method=none")
    (kept,) = (home / "trivial").glob("*.json")
    before = kept.stat().st_mtime_ns
    (other,) = tiny_run(home, "method=none", "seed=1")
    assert kept.stat().st_mtime_ns == before
    assert none.trivial == other.trivial
    assert set(none.trivial) == {"most frequent class", "most frequent class a position"}
    assert none.trivial["most frequent class"].keys() == none.scores.metrics.keys()
    assert none.task.margin is not None
    assert none.task.margin.absolute == 0.04


def test_a_method_without_a_meaning_for_a_task_is_recorded_as_that(home_of: Callable[[str], Path]) -> None:
    home, words = home_of("depth"), ("task=depth", "method=[none,smoothing]")
    none, refused = tiny_run(home, *words)
    assert (none.status, refused.status) == ("ok", "not_applicable")
    assert "needs maps of classes" in refused.status_reason
    assert refused.method.regulariser
    assert any(teacher.weights_sha256 for teacher in none.teachers), "a teacher was there"
    assert not any(teacher.weights_sha256 for teacher in refused.teachers), "the record does not depend on that"
    assert (bool(none.trivial), refused.trivial) == (True, {})
    assert tiny_run(home, *words) == [none, refused]

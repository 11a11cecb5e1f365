"""Who teaches in which role, and that a task may call its teachers what it likes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.training.assemble import cast, stand_ins
from tasks.base import tasks
from tasks.segmentation import Segmentation
from tests.support import tiny_run

NAMES = st.lists(st.sampled_from("abcdef"), unique=True, min_size=1)


@pytest.mark.parametrize(
    ("roles", "teachers", "played", "doubled"),
    [
        (("teacher",), ["deep", "wide"], {"teacher": "deep"}, []),
        (("deep", "wide"), ["deep", "wide"], {"deep": "deep", "wide": "wide"}, []),
        (("deep", "wide"), ["wide", "deep"], {"deep": "deep", "wide": "wide"}, []),
        (("deep", "wide"), ["large", "small"], {"deep": "large", "wide": "small"}, []),
        (("deep", "wide"), ["deep"], {"deep": "deep", "wide": "deep"}, ["wide"]),
        (("other", "deep"), ["deep"], {"other": "deep", "deep": "deep"}, ["other"]),
        (("a", "b", "c"), ["x", "y"], {"a": "x", "b": "y", "c": "x"}, ["c"]),
        ((), ["deep"], {}, []),
    ],
)
def test_roles_are_played_by_name_then_position_then_the_first(
    roles: tuple[str, ...], teachers: list[str], played: dict[str, str], doubled: list[str]
) -> None:
    assert cast(roles, teachers) == played
    assert stand_ins(played) == doubled


@given(NAMES, NAMES)
def test_every_role_has_a_teacher_and_stand_ins_are_counted(roles: list[str], teachers: list[str]) -> None:
    played = cast(roles, teachers)
    assert list(played) == roles
    assert set(played.values()) <= set(teachers)
    assert len(stand_ins(played)) == len(roles) - len(set(played.values()))


@pytest.mark.usefixtures("registries")
def test_a_task_calls_its_teachers_what_it_likes(tmp_path: Path) -> None:
    class Elsewhere(Segmentation):
        """Segmentation with teachers of other names."""

        teachers = dict(zip(("large", "small"), Segmentation.teachers.values(), strict=True))

    tasks.register("elsewhere")(Elsewhere)
    none, pixel, mgd = tiny_run(tmp_path, "task=elsewhere", "method=[none,pixel,mgd]")
    large, small = (teacher.id for teacher in mgd.teachers)
    assert [teacher.role for teacher in mgd.teachers] == ["large", "small"]
    assert (none.method.roles, pixel.method.roles) == ({}, {"teacher": large})
    assert mgd.method.roles == {"deep": large, "wide": small}
    assert [record.method.notes for record in (none, pixel, mgd)] == [[], [], []]

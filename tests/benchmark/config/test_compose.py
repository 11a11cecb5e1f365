from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import benchmark
from benchmark.config import compose
from methods.base import methods
from tasks.base import tasks
from tasks.errors import InputError


def test_every_method_is_an_option_with_its_defaults() -> None:
    assert compose.load([f"method=[{','.join(methods)}]"]).methods.keys() == methods.keys()


@pytest.mark.parametrize("name", sorted(tasks))
def test_every_task_brings_student_teachers_and_recipe(name: str) -> None:
    loaded = compose.load([f"task={name}"])
    assert loaded.task["name"] == name
    assert list(loaded.teacher.networks) == list(tasks[name].teachers)
    assert loaded.recipe.steps > 0
    assert loaded.student.encoder == tasks[name].student.encoder


def test_a_list_selects_a_cohort_in_its_order() -> None:
    assert list(compose.load(["method=[pixel,none]"]).methods) == ["pixel", "none"]


def test_options_override() -> None:
    loaded = compose.load(["method=pixel", "methods.pixel.temperature=4", "recipe.steps=7", "data.labeled=1/8"])
    assert loaded.methods["pixel"]["temperature"] == 4.0
    assert loaded.recipe.steps == 7
    assert loaded.data["labeled"] == "1/8"


def test_the_schema_is_typed_all_the_way() -> None:
    loaded = compose.load([])
    assert dataclasses.is_dataclass(loaded.recipe)
    assert dataclasses.is_dataclass(loaded.teacher.recipe)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("task=sge", "unknown task 'sge'; did you mean 'seg'"),
        ("method=mgdd", "unknown method 'mgdd'; did you mean 'mgd'"),
        ("method=[none,pixl]", "unknown method 'pixl'; did you mean 'pixel'"),
        ("data=camvit", "unknown data 'camvit'; did you mean 'camvid'"),
        ("recipe.step=3", "unknown key 'recipe.step'; did you mean 'recipe.steps'"),
        ("methods.mgd.regin=3", "unknown key 'methods.mgd.regin'; did you mean 'methods.mgd.region'"),
        ("sed=3", "unknown key 'sed'; did you mean 'seed'"),
        ("recipe.steps=many", "recipe.steps: expected a whole number, found 'many'"),
        ("seed=1.5", "seed: expected a whole number, found '1.5'"),
        ("methods.mgd.strength=nan", "methods.mgd.strength=nan: expected a number above 0"),
        ("justaword", "'justaword' is not of the form key=value"),
    ],
)
def test_a_wrong_word_is_one_clear_line(word: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        compose.load([word])
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", ["0", "[64]", "[64,0]", "[64,64,64]"])
def test_a_size_that_there_cannot_be_is_told(size: str) -> None:
    with pytest.raises(InputError, match=r"^data\.size=.*: expected the shorter side, or \[height,width\]"):
        compose.load(["data=camvid", f"data.size={size}"])


@pytest.mark.parametrize("group", ["student", "teacher", "recipe"])  # experiments have tests of their own
def test_every_shipped_option_fits_the_schema(group: str) -> None:
    folder = Path(benchmark.__file__).parent / "conf" / group
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    assert names
    for name in names:
        assert compose.load([f"{group}={name}"]).recipe.steps > 0

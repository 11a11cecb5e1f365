from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.config.schema import Recipe
from benchmark.runs.identity import recipe_facts
from benchmark.training import budget
from benchmark.training.assemble import Lesson, control
from benchmark.training.budget import TimeBudget, multiplied
from leaderboards import store
from leaderboards.board import boards as build
from leaderboards.budget_comparison import comparisons
from methods.base import methods
from tests.support import student_bytes, tiny_run


@given(st.floats(1e-4, 10), st.floats(1e-4, 10), st.integers(1, 5000), st.floats(0.1, 10))
def test_the_steps_that_fit_take_the_time_of_the_control(own: float, alone: float, steps: int, factor: float) -> None:
    fits = TimeBudget.of(Recipe(steps=steps, factor=factor), own, alone)
    assert fits.steps >= 1
    allowed = steps * factor * alone
    assert fits.steps * own <= allowed + own / 2 + 1e-6 * allowed or fits.steps == 1
    assert fits.steps * own >= allowed - own / 2 - 1e-6 * allowed
    assert fits.apply(Recipe(steps=steps)).steps == fits.steps


def test_warm_up_keeps_its_share_of_the_steps() -> None:
    recipe = Recipe(steps=200, warmup=20)
    assert TimeBudget(50, 0.4, 0.1).apply(recipe).warmup == 5
    longer = multiplied(replace(recipe, factor=4.0))
    assert (longer.steps, longer.warmup) == (800, 80)
    assert multiplied(replace(recipe, factor=4.0, budget="time")).steps == 200, "what fits is measured"


def test_a_method_that_could_not_be_timed_gets_the_steps_of_the_control() -> None:
    assert TimeBudget.of(Recipe(steps=160, factor=2.0), 0.0, 0.1).steps == 320


def timed(monkeypatch: pytest.MonkeyPatch, lesson: Lesson, seconds: list[float]) -> TimeBudget:
    """Ask for the budget of a lesson where the steps take so long, in the order in which they are timed."""
    left = iter(seconds)
    monkeypatch.setattr(budget, "_step_seconds", lambda *_: next(left))
    assembly = SimpleNamespace(conditions=SimpleNamespace(recipe=Recipe(steps=100)))
    return budget.time_budget(assembly, lesson, Lesson(control()), None)  # type: ignore[arg-type]


def test_a_machine_that_is_busy_for_a_moment_does_not_change_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = timed(monkeypatch, Lesson(methods["pixel"]), [0.1, 0.2] * 3)
    assert quiet.steps == 50
    assert timed(monkeypatch, Lesson(methods["pixel"]), [0.1, 0.2, 0.1, 0.9, 0.4, 0.8]).steps == 50
    assert timed(monkeypatch, Lesson(methods["pixel"]), [0.9, 0.2, 0.1, 0.2, 0.1, 0.2]).steps == 50


def test_the_control_makes_the_steps_of_the_recipe_however_long_they_seem_to_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert timed(monkeypatch, Lesson(control()), [0.1, 0.2]).steps == 100


def test_a_recipe_of_steps_is_described_as_before_there_were_time_budgets() -> None:
    assert {"budget", "factor"}.isdisjoint(recipe_facts(Recipe()))
    assert recipe_facts(Recipe(budget="time"))["factor"] == 1.0


def test_what_joined_late_takes_part_in_an_id_where_it_is_used() -> None:
    assert {"schedule", "drops", "head", "decay_all", "ema", "auxiliary", "crop_share"}.isdisjoint(
        recipe_facts(Recipe())
    )
    assert recipe_facts(Recipe(schedule="step"))["schedule"] == "step"
    assert recipe_facts(Recipe(drops=[0.5]))["drops"] == [0.5]


def test_under_a_time_budget_every_method_makes_the_steps_that_fit(home: Path) -> None:
    words = ("method=[none,pixel]", "recipe.steps=6")
    records = tiny_run(home, *words, "recipe.budget=time", "recipe.factor=2")
    assert [record.status for record in records] == ["ok", "ok"]
    for record in records:
        kept = json.loads((home / "runs" / record.run_id / "budget.json").read_text())
        lines = (home / record.artifacts.steps).read_text().splitlines()
        assert len(lines) == kept["steps"] == record.training.steps == record.protocol.selection.step
        expected = max(1, round(12 * kept["control_seconds"] / kept["own_seconds"]))
        assert kept["steps"] == expected
        assert kept["steps"] == 12 or not record.method.control
        assert record.protocol.budget.model_dump() == {"kind": "time", "steps": None, "factor": 2.0}
        assert f"{kept['steps']} steps fit" in record.training.wall_basis
    equal = tiny_run(home, *words)
    assert {each.setting_id for each in (*records, *equal)} == {records[0].setting_id}
    assert records[0].track_id != equal[0].track_id
    (side_by_side,) = comparisons(build(store.read([home])[0]))
    assert [board.track.budget_kind for board in side_by_side.boards] == ["steps", "time"]


@pytest.mark.usefixtures("registries")
def test_a_method_that_cannot_be_built_leaves_the_others_their_time(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(
        "from methods.base import Method\n\n\nclass Bad(Method):\n"
        "    def __init__(self, setting):\n        raise OSError('not today')\n\n"
        "    def forward(self, step):\n        return {}\n"
    )
    bad, pixel = tiny_run(home, f"method=[{file}:Bad,pixel]", "recipe.budget=time")
    assert (bad.status, pixel.status) == ("failed", "ok")
    assert "not today" in bad.status_reason
    assert not (home / "runs" / bad.run_id / "budget.json").exists()


def test_a_stopped_run_goes_on_with_the_steps_that_were_measured(home: Path) -> None:
    words = ("method=pixel", "recipe.budget=time")
    (first,) = tiny_run(home, *words)
    weights = student_bytes(home, first)
    path = home / "runs" / first.run_id / "budget.json"
    measured = path.read_bytes()
    (home / "records" / f"{first.run_id}.json").unlink()
    (again,) = tiny_run(home, *words)
    assert path.read_bytes() == measured
    assert student_bytes(home, again) == weights


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("recipe.budget=tme", "recipe.budget=tme: expected steps or time; did you mean 'time'"),
        (
            "teacher.recipe.optimizer=sdg",
            "teacher.recipe.optimizer=sdg: expected adamw, sgd or adam; did you mean 'sgd'",
        ),
        (
            "teacher.control=untrain",
            "teacher.control=untrain: expected trained, untrained or self; did you mean 'untrained'",
        ),
        ("data.cache=disc", "data.cache=disc: expected auto, none, memory, disk or device; did you mean"),
        ("recipe.selection=first", "recipe.selection=first: expected last or best"),
        ("teacher.recipe.budget=time", "a teacher has no control"),
        (
            "teacher.recipe.factor=2",
            "teacher.recipe.factor: only a student's steps are multiplied",
        ),
        ("recipe.factor=0", "recipe.factor=0.0: expected a number above 0"),
    ],
)
def test_words_that_no_recipe_knows(word: str, said: str, tmp_path: Path) -> None:
    from benchmark.config import compose
    from tasks.errors import InputError

    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        compose.load([word])

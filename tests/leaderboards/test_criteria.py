"""The five criteria, on records made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from leaderboards.criteria import Asked, Criterion, evidence, judge
from leaderboards.record import Record
from leaderboards.record_parts import Budget, Margin, Protocol, Tuning
from tests.leaderboards.factory import record

ASKED = Asked(seeds=5, teachers=3)
ONCE = (0.600, 0.602, 0.598, 0.601, 0.599)
TWICE = (0.603, 0.605, 0.601, 0.604, 0.602)
TEACHERS = (0.70, 0.701, 0.699)
RATES = Tuning(n_trials=5, split="train", space={"lr": [0.001, 0.002, 0.004, 0.008, 0.016]})


def runs(*scores: float, multiple: float = 1.0, teachers: tuple[float, ...] = TEACHERS, **changes: Any) -> list[Record]:
    """Make the control's runs at a multiple of the steps; each seed lists one of the teachers."""
    tuning, rate = changes.pop("tuning", RATES), changes.pop("rate", 0.004)
    margin, higher = changes.pop("margin", Margin(absolute=0.04)), changes.pop("higher", True)
    trivial = changes.pop("trivial", {"mean": {"miou": 0.2}})
    made = []
    for seed, score in enumerate(scores):
        base = record("none", seed, score, run_id=f"seg-none-s{seed}-{multiple:g}", higher=higher, **changes)
        protocol = Protocol(
            name="standard",
            multiple=multiple,
            recipe={"steps": 600, "lr": rate},
            budget=Budget(kind="steps", steps=600),
            tuning=tuning,
        )
        number = seed % len(teachers)
        teacher = base.teachers[0].model_copy(update={"id": f"deep-{number}", "own_score": teachers[number]})
        task = base.task.model_copy(update={"margin": margin})
        made.append(
            base.model_copy(update={"protocol": protocol, "teachers": [teacher], "task": task, "trivial": trivial})
        )
    return made


def judged(*records: Record) -> dict[str, Criterion]:
    found = evidence(records, "standard")
    return {each.name: each for each in judge(found["seg"], ASKED)}


def outcomes(*records: Record) -> list[bool | None]:
    """Plateau, lead, trivial, tuned, repeated."""
    return [each.met for each in judged(*records).values()]


def test_records_that_meet_all() -> None:
    found = judged(*runs(*ONCE), *runs(*TWICE, multiple=2.0))
    assert [each.met for each in found.values()] == [True] * 5
    assert "0.6 to 0.603, +0.003; gap to the teacher 0.1 (5 seeds)" in found["control at its plateau"].figures
    assert "0.7 against 0.603 at 2 x steps: +0.097" in found["teacher leads by its capacity"].figures
    assert found["seeds and teachers"].figures == "5 seeds of 5, 3 teachers of 3"


@pytest.mark.parametrize(
    ("place", "single", "double"),
    [
        (0, {}, {"shift": 0.012}),  # a tenth of the gap is 0.010
        (1, {"teachers": (0.641, 0.642, 0.643)}, {"teachers": (0.641, 0.642, 0.643)}),  # 0.039 ahead: under the margin
        (1, {"teachers": (0.60, 0.70, 0.80)}, {"teachers": (0.60, 0.70, 0.80)}),  # deviation 0.1
        (1, {"margin": None}, {"margin": None}),
        (2, {"trivial": {"mean": {"miou": 0.61}}}, {"trivial": {}}),
        (2, {"trivial": {}}, {"trivial": {}}),
        (3, {"tuning": None}, {}),
        (3, {"rate": 0.001}, {}),  # at the edge
        (3, {"tuning": RATES.model_copy(update={"space": {"lr": [0.002, 0.004, 0.008]}})}, {}),
        (4, {"teachers": TEACHERS[:2]}, {"teachers": TEACHERS[:2]}),
    ],
)
def test_each_criterion_fails_by_itself(place: int, single: dict[str, Any], double: dict[str, Any]) -> None:
    double = dict(double)
    shift = double.pop("shift", 0.003)
    met = outcomes(*runs(*ONCE, **single), *runs(*(score + shift for score in ONCE), multiple=2.0, **double))
    assert not met[place]
    assert all(each for number, each in enumerate(met) if number != place)


def test_what_nobody_measured_is_unknown() -> None:
    assert outcomes(*runs(*ONCE)) == [None, None, True, True, True], "no run of twice the steps"
    assert outcomes(*runs(*ONCE[:1]), *runs(*TWICE[:1], multiple=2.0))[1] in (None, False)


def test_teachers_are_held_against_the_best_of_the_controls_trainings() -> None:
    """Where longer training hurts, the shorter one is what a teacher must beat."""
    shorter = judged(*runs(*TWICE), *runs(*ONCE, multiple=2.0), *runs(*(each - 0.05 for each in ONCE), multiple=4.0))
    assert "0.7 against 0.603 at 1 x steps: +0.097" in shorter["teacher leads by its capacity"].figures


def test_a_regulariser_is_not_the_control() -> None:
    """A method without a teacher may be trained for twice the steps, beside the control."""
    plain = (*runs(*ONCE), *runs(*TWICE, multiple=2.0))
    better = [
        run.model_copy(
            update={
                "run_id": f"seg-smoothing-s{run.seed}",
                "method": run.method.model_copy(update={"name": "smoothing", "regulariser": True}),
            }
        )
        for run in runs(*(score + 0.06 for score in TWICE), multiple=2.0)
    ]
    assert judged(*plain, *better) == judged(*plain)


def test_a_metric_that_falls_is_read_the_other_way_round() -> None:
    errors = {"metric": "rmse", "higher": False, "teachers": (1.0, 1.01, 0.99), "margin": Margin(relative=0.1)}
    worse = {"mean": {"rmse": 4.0}}
    once, twice = runs(2.0, 2.01, 1.99, 2.0, 2.0, trivial=worse, **errors), [2.01, 2.02, 2.0, 2.01, 2.01]
    found = judged(*once, *runs(*twice, multiple=2.0, trivial=worse, **errors))
    assert [each.met for each in found.values()] == [True] * 5
    assert "at 1 x steps: +1, 100.0 standard deviations, margin 0.2 (" in found["teacher leads by its capacity"].figures
    assert "2 against 4 (mean)" in found["control beats trivial predictors"].figures


def test_other_protocols_budgets_and_fewer_labels_do_not_count() -> None:
    assert evidence([record("none", 0, 0.5)], "standard") == {}
    few = runs(*ONCE, labels=(64, 512))
    whole = runs(*TWICE, labels=(512, 512))
    assert list(evidence([*few, *whole], "standard")["seg"].once.values()) == list(TWICE)

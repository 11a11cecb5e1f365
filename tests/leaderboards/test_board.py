import random

import pytest

from leaderboards.board import board, boards
from leaderboards.record import Record
from leaderboards.record_outcome import Submission, Verification
from leaderboards.record_parts import Tuning
from leaderboards.statistics import estimate
from tests.leaderboards.factory import record, seeds


def rows(records):
    return {row.entry.label: row for row in board(records).rows}


NONE = seeds("none", 0.50, 0.505, 0.51)
MGD = seeds("mgd", 0.55, 0.553, 0.56, train_s=90.0)


def test_a_row_holds_mean_gain_gap_and_costs():
    found = rows(NONE + MGD)
    mgd, none = found["mgd"], found["none"]
    assert (mgd.rank, mgd.group, none.rank, none.group) == (1, "A", 2, "B")
    assert mgd.score == estimate([0.55, 0.553, 0.56])
    assert mgd.gain == estimate([0.55 - 0.50, 0.553 - 0.505, 0.56 - 0.51])
    assert mgd.gap.mean == pytest.approx((0.05 + 0.048 + 0.05) / (0.10 + 0.095 + 0.09))
    assert (mgd.train_ratio, none.train_ratio) == (1.5, 1.0)
    assert (none.gain, none.gap) == (None, None)
    assert mgd.coverage == 1.0
    assert mgd.entry.costs.params == 1_200_000


def test_the_order_of_records_is_immaterial():
    records = NONE + MGD + seeds("pixel", 0.54, 0.56, 0.55) + [record("skt", 0, None, status="failed")]
    shuffled = random.Random(0).sample(records, len(records))
    assert boards(records) == boards(shuffled)


def test_a_board_says_what_its_student_sees():
    small = [
        each.model_copy(update={"student": each.student.model_copy(update={"options": {"shrink": 4}})})
        for each in NONE + MGD
    ]
    assert board(NONE + MGD).track.student == "fpn mobilenetv3 (scratch)"
    assert board(small).track.student == "fpn mobilenetv3 at 1/4 of the resolution (scratch)"


def test_tracks_are_apart():
    found = boards(NONE + seeds("none", 3.0, 3.1, task="depth", metric="rmse", higher=False))
    assert [(each.track.task, each.track.primary, each.track.higher_is_better) for each in found] == [
        ("depth", "rmse", False),
        ("seg", "miou", True),
    ]


def test_boards_of_one_dataset_are_sorted_by_labels():
    found = boards(seeds("none", 0.4, labels=(64, 512)) + seeds("none", 0.5, labels=(512, 512)))
    assert [each.track.labeled_count for each in found] == [512, 64]


def test_lower_is_better():
    facts = {"metric": "rmse", "higher": False, "teacher": 2.0}
    found = rows(seeds("none", 3.0, 3.1, 3.05, **facts) + seeds("mgd", 2.5, 2.6, 2.52, **facts))
    assert found["mgd"].rank == 1
    assert found["mgd"].gain.mean == pytest.approx((0.5 + 0.5 + 0.53) / 3)
    assert found["mgd"].gap.mean == pytest.approx((0.5 + 0.5 + 0.53) / (1.0 + 1.1 + 1.05))


@pytest.mark.parametrize("status", ["failed", "diverged", "timeout"])
def test_a_crash_in_one_seed_ranks_last(status):
    broken = [
        record("skt", 0, 0.9),
        record("skt", 1, 0.9),
        record("skt", 2, None, status=status, reason="NaN at step 3"),
    ]
    found = rows(NONE + MGD + broken)
    assert (found["skt"].rank, found["skt"].group) == (3, "")
    assert found["skt"].entry.status == status
    assert found["skt"].entry.reasons == (f"seed 2 {status}: NaN at step 3",)
    assert found["skt"].coverage == 1.0


def test_an_undefined_score_is_a_failure():
    found = rows([*NONE, record("skt", 0, float("nan"))])
    assert found["skt"].rank == 2
    assert found["skt"].entry.reasons == ("seed 0 failed: the score is undefined",)


def test_missing_seeds_lower_coverage():
    found = rows(NONE + seeds("mgd", 0.55, 0.56) + [record("cwd", 0, None, status="interrupted")])
    assert found["mgd"].coverage == pytest.approx(2 / 3)
    assert found["mgd"].rank == 1
    assert (found["cwd"].rank, found["cwd"].coverage, found["cwd"].entry.status) == (None, 0.0, "missing")


def test_not_applicable_leaves_the_block():
    away = [record("stkd", seed, None, status="not_applicable", reason="needs boxes") for seed in range(5)]
    found = rows(NONE + away + [record("skt", 0, None, status="failed")])
    assert found["stkd"].rank is None
    assert found["skt"].rank == 2
    assert found["none"].coverage == 1.0


def test_one_seed_has_neither_interval_nor_gap():
    found = rows(seeds("none", 0.5) + seeds("mgd", 0.55))
    assert found["mgd"].score.low is None
    assert found["mgd"].gain.mean == pytest.approx(0.05)
    assert found["mgd"].gain.low is None
    assert found["mgd"].gap is None
    assert found["mgd"].group == "?"


def test_a_teacher_that_is_not_clearly_better_leaves_the_gap_undefined():
    made = board(seeds("none", 0.50, 0.505, 0.51, teacher=0.51) + seeds("mgd", 0.55, 0.553, 0.56, teacher=0.51))
    assert [row.gap for row in made.rows] == [None, None]
    assert any("gap is undefined" in note for note in made.notes)


def test_all_equal():
    found = rows(seeds("none", 0.5, 0.5, 0.5) + seeds("mgd", 0.5, 0.5, 0.5))
    assert {row.rank for row in found.values()} == {1}
    assert (found["mgd"].gain.mean, found["mgd"].gain.low) == (0.0, 0.0)
    assert found["mgd"].gap.mean == 0.0


def test_without_a_control_nothing_is_gained():
    made = board(MGD)
    assert made.control is None
    assert (made.rows[0].gain, made.rows[0].gap, made.rows[0].train_ratio) == (None, None, None)
    assert any("trains the student alone" in note for note in made.notes)


def test_a_placebo_is_a_row_and_not_the_baseline():
    placebo = seeds("none", 0.6, 0.6, 0.6, variant="untrained teacher")
    made = board(NONE + placebo)
    assert made.control == NONE[0].entry_id
    assert [row.entry.label for row in made.rows] == ["none (untrained teacher)", "none"]
    assert all(row.entry.control for row in made.rows)


def test_entries_of_one_method_are_told_apart_by_their_options():
    made = seeds("mgd", 0.5, options={"grid": 4, "weight": 1.0}) + seeds("mgd", 0.6, options={"grid": 8, "weight": 1.0})
    assert [row.entry.label for row in board(made).rows] == ["mgd grid=8", "mgd grid=4"]


def test_a_method_at_its_own_strength_keeps_its_name_beside_other_strengths():
    made = seeds("mgd", 0.6, options={"strength": 1.0}) + seeds("mgd", 0.5, options={"strength": 0.25})
    assert [row.entry.label for row in board(made).rows] == ["mgd", "mgd strength=0.25"]


def test_teachers_are_reference_rows():
    (teacher,) = board(NONE + MGD).references
    assert (teacher.main, teacher.score, teacher.label) == (True, 0.6, "teacher deep: fpn resnet50")


def test_the_least_verified_run_gives_the_level():
    checked = [
        record("mgd", seed, 0.55, verification=Verification(level=level)) for seed, level in enumerate(["L3", "L1"])
    ]
    assert rows(NONE + checked)["mgd"].entry.level == "L1"
    refuted = [*checked, record("mgd", 2, 0.55, verification=Verification(level="L3", reproduced=False))]
    assert not rows(NONE + refuted)["mgd"].entry.reproduced


def taught(record: Record) -> Record:
    """The record of a method that learns from a teacher."""
    return record.model_copy(update={"method": record.method.model_copy(update={"roles": {"deep": "teacher-deep"}})})


def test_unequal_conditions_are_noted():
    tuned = NONE[0].protocol.model_copy(update={"tuning": Tuning(n_trials=20, split="val")})
    device = NONE[0].provenance.model_copy(update={"hardware": {"device": "other"}, "git_dirty": True})
    rival = [taught(each) for each in seeds("mgd", 0.5, 0.5, protocol=tuned, provenance=device)]
    other = [taught(each) for each in seeds("pixel", 0.5, 0.5)]
    assert not any("unequal" in note for note in board(NONE + rival).notes), "the control has nothing to tune"
    notes = " ".join(board(NONE + rival + other).notes)
    for part in ("unequal budgets: 0, 20 trials", "different machines: other, unknown", "uncommitted changes"):
        assert part in notes


def test_a_tuned_control_beside_methods_that_were_not_is_noted():
    tuned = NONE[0].protocol.model_copy(update={"tuning": Tuning(n_trials=5, split="train")})
    control = [each.model_copy(update={"protocol": tuned}) for each in NONE]
    rival = [taught(each) for each in seeds("mgd", 0.5, 0.5)]
    assert any(
        "chosen among 5" in note and "no method's strength was tuned" in note for note in board(control + rival).notes
    )
    alike = [each.model_copy(update={"protocol": tuned}) for each in rival]
    for fair in (NONE + rival, control + alike):
        assert not any("no method's strength was tuned" in note for note in board(fair).notes)


def test_criteria_that_nobody_can_judge_are_named_too():
    protocol = NONE[0].protocol.model_copy(update={"name": "standard", "proves": True})
    whole = seeds("none", 0.5, 0.51, labels=(512, 512), protocol=protocol)
    notes = board(whole).notes
    assert any(note.startswith("Not known: control at its plateau: needs the control at 1 x and 2 x") for note in notes)
    assert any(note.startswith("Not met: control tuned first") for note in notes)
    few = seeds("none", 0.5, 0.51, labels=(64, 512), protocol=protocol)
    assert not any(note.startswith(("Not known", "Not met")) for note in board(few).notes)


def in_cohorts(records: list[Record], *ids: str) -> list[Record]:
    """The same runs, each in a cohort of that name."""
    return [
        each.model_copy(update={"training": each.training.model_copy(update={"cohort_id": name})})
        for each, name in zip(records, ids, strict=True)
    ]


def test_rows_that_shared_no_cohort_with_the_control_are_named():
    control = in_cohorts(seeds("none", 0.5, 0.51), "a", "b")
    beside, apart = in_cohorts(seeds("mgd", 0.6, 0.61), "c", "b"), in_cohorts(seeds("skt", 0.6, 0.61), "d", "d")
    (said,) = [note for note in board(control + beside + apart).notes if "at other times" in note]
    assert said.endswith("on an idle machine alone: skt.")
    assert not any("at other times" in note for note in board(control + beside).notes)


def test_several_runs_of_a_seed_are_noted_and_the_finished_one_counts():
    made = board([*NONE, record("mgd", 0, None, status="failed", run_id="a"), record("mgd", 0, 0.6, run_id="b")])
    assert made.rows[0].score.mean == 0.6
    assert any("Several runs of one seed" in note for note in made.notes)


def test_superseded_runs_are_left_out_and_named():
    old = record("mgd", 0, 0.9, run_id="old", submission=Submission(superseded_by=MGD[0].run_id))
    lost = record("mgd", 4, 0.5, submission=Submission(superseded_by="elsewhere"))
    (made,) = boards([*NONE, *MGD, old, lost])
    assert made.rows[0].entry.scores == {0: 0.55, 1: 0.553, 2: 0.56, 4: 0.5}
    assert "Superseded by other runs and left out: old." in made.notes


def test_machines_are_held_against_each_other_seed_by_seed():
    def computed(run, name, **more):
        hardware = {"device": "cuda", "cpu": "any", "gpu": name, **more}
        return run.model_copy(update={"provenance": run.provenance.model_copy(update={"hardware": hardware})})

    def on(cards, *runs):
        return [computed(run, card) for run, card in zip(runs, cards, strict=True)]

    control = on("xxy", *seeds("none", 0.5, 0.51, 0.505))
    beside, crossed = on("xx", *seeds("mgd", 0.6, 0.61)), on("xyx", *seeds("skt", 0.6, 0.61, 0.6))
    (said,) = (note for note in board([*control, *beside, *crossed]).notes if note.startswith("Trained on another"))
    assert said.endswith("gain: skt.")
    (one, two), more = control[:2], computed(record("mgd", 0, 0.6), "x", threads=4)
    assert not any(note.startswith("Trained on another") for note in board([one, two, *beside]).notes)
    assert any(note.startswith("Trained on another") for note in board([one, two, more]).notes)


def test_rows_of_another_processor_and_teachers_that_were_trained_again_are_named():
    def computed(run, cpu, score):
        provenance = run.provenance.model_copy(update={"hardware": {"device": "cpu", "cpu": cpu}})
        teachers = [teacher.model_copy(update={"own_score": score}) for teacher in run.teachers]
        return run.model_copy(update={"provenance": provenance, "teachers": teachers})

    here = [computed(run, "one", 0.6) for run in (*seeds("none", 0.5, 0.51), *seeds("pixel", 0.52, 0.53))]
    there = [computed(run, "another", 0.61) for run in seeds("mgd", 0.55, 0.56)]
    notes = board([*here, *there]).notes
    assert any(note.startswith("Trained on another machine") and note.endswith("gain: mgd.") for note in notes)
    assert "Times come from different machines: another, one." in notes
    ratios = {row.entry.label: row.train_ratio for row in board([*here, *there]).rows}
    assert ratios == {"none": 1.0, "pixel": 1.0, "mgd": None}
    assert any(note.endswith("of one teacher, with different scores: teacher-deep.") for note in notes)
    assert not any("another machine" in note or "different scores" in note for note in board(here).notes)

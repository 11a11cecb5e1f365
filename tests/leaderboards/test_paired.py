import numpy as np
import pytest

from leaderboards.board import board
from leaderboards.entry import collect
from leaderboards.paired import _strata
from leaderboards.statistics import estimate, holm
from tests.leaderboards.factory import record, seeds

NONE = seeds("none", 0.50, 0.51, 0.505)


def values(records, spread, ids="same"):
    """Give each run values around its score: images differ by ``spread`` between methods."""
    draw, found = np.random.default_rng(0), {}
    for name in sorted({run.method.name for run in records}):
        effect = draw.normal(0, spread, 128)
        for run in records:
            if run.method.name == name:
                noise = draw.normal(0, 0.01, 128)
                found[run.run_id] = (ids, run.score + effect - effect.mean() + noise - noise.mean())
    return found


def row(made, label):
    return next(each for each in made.rows if each.entry.label == label)


def test_without_values_of_images_the_interval_is_over_seeds_alone():
    made = board([*NONE, *seeds("mgd", 0.55, 0.553, 0.56)])
    assert row(made, "mgd").gain == estimate([0.55 - 0.50, 0.553 - 0.51, 0.56 - 0.505])
    assert row(made, "mgd").over == "seeds"
    assert any("no per-image values" in note for note in made.notes)


def test_images_that_differ_widen_the_interval_and_not_the_gain():
    records = [*NONE, *seeds("mgd", 0.55, 0.556, 0.556), *seeds("cwd", 0.52, 0.53, 0.522)]
    quiet, loud = (row(board(records, values=values(records, spread)), "mgd") for spread in (0.0, 0.3))
    assert quiet.over == "seeds and images"
    assert quiet.gain.mean == loud.gain.mean
    assert loud.gain.high - loud.gain.low > 3 * (quiet.gain.high - quiet.gain.low)
    half = 1.96 * np.sqrt(2 * 0.3**2 / 128)
    assert loud.gain.high - loud.gain.mean == pytest.approx(half, rel=0.25)


def test_values_of_other_images_are_not_paired():
    records = [*NONE, *seeds("mgd", 0.55, 0.553, 0.56)]
    mixed = {**values(records[:3], 0.1), **values(records[3:], 0.1, ids="others")}
    assert row(board(records, values=mixed), "mgd").over == "seeds"


def test_p_values_are_corrected_for_the_gains_of_the_board():
    made = board([*NONE, *seeds("mgd", 0.55, 0.553, 0.56), *seeds("cwd", 0.50, 0.52, 0.51)])
    tested = [each for each in made.rows if each.p is not None]
    assert [each.p_holm for each in tested] == pytest.approx(holm([each.p for each in tested]))
    assert (row(made, "none").p, row(made, "none").gain) == (None, None)


def test_luck_of_a_seed_that_all_share_does_not_tie():
    """Scores vary by 0.1 over seeds, the difference by 0.002: marginal intervals overlap, the pair is told apart."""
    made = board([*seeds("none", 0.4, 0.5, 0.6), *seeds("mgd", 0.43, 0.531, 0.632)])
    assert [(each.rank, each.group, each.bounds) for each in made.rows] == [(1, "A", (1, 1)), (2, "B", (2, 2))]
    tied = board([*seeds("none", 0.4, 0.5, 0.6), *seeds("mgd", 0.5, 0.49, 0.63)])
    assert [(each.rank, each.group, each.bounds) for each in tied.rows] == [(1, "A", (1, 2)), (1, "A", (1, 2))]


def test_one_seed_leaves_its_rank_open():
    made = board([*NONE, record("mgd", 0, 0.9)])
    assert row(made, "mgd").bounds is None
    assert row(made, "mgd").p is None


def test_the_note_names_the_rows_whose_intervals_do_not_know_the_images():
    records = [*NONE, *seeds("mgd", 0.55, 0.553, 0.56), *seeds("cwd", 0.52, 0.53, 0.522)]
    known = values(records, 0.1)
    del known[records[-1].run_id]
    made = board(records, values=known)
    assert (row(made, "mgd").over, row(made, "cwd").over) == ("seeds and images", "seeds")
    assert any(note.startswith("Not all runs") and note.endswith("for: cwd.") for note in made.notes)


def test_one_teacher_is_said_and_several_are_in_the_interval():
    records = [*NONE, *seeds("mgd", 0.55, 0.553, 0.56), *seeds("cwd", 0.52, 0.53, 0.522)]
    several = [
        run.model_copy(update={"method": run.method.model_copy(update={"roles": {"deep": f"teacher-{run.seed % 2}"}})})
        if run.method.name == "mgd"
        else run
        for run in records
    ]
    made = board(several, values=values(several, 0.1))
    assert row(made, "mgd").over == "seeds, teachers and images"
    assert any(note.startswith("One teacher for all seeds") and note.endswith("for: cwd.") for note in made.notes)


def test_what_the_other_seeds_of_a_crashed_row_reach_is_no_gain():
    crashed = [*seeds("mgd", 0.60, 0.612), record("mgd", 2, None, status="diverged", reason="NaN")]
    sound = [*NONE, *seeds("cwd", 0.51, 0.53, 0.512)]
    made = board([*sound, *crashed])
    assert (row(made, "mgd").gain, row(made, "mgd").p) == (None, None)
    assert row(made, "cwd").p_holm == row(made, "cwd").p == row(board(sound), "cwd").p
    assert [each.entry.label for each in made.rows][-1] == "mgd"


def of_teachers(records, *names):
    return [
        run.model_copy(
            update={"method": run.method.model_copy(update={"roles": {"deep": names[run.seed % len(names)]}})}
        )
        for run in records
    ]


def test_a_pair_is_compared_by_the_teachers_of_both_sides():
    """One has the same teacher in every seed, the other three: whichever comes first."""
    one = of_teachers(seeds("cwd", 0.55, 0.556, 0.557, 0.561, 0.552), "teacher-deep")
    three = of_teachers(seeds("mgd", 0.53, 0.541, 0.538, 0.534, 0.539), "teacher-a", "teacher-b", "teacher-c")
    (cwd, mgd), known = collect([*one, *three]), values([*one, *three], 0.01)
    there, back = _strata(cwd, mgd, known, True), _strata(mgd, cwd, known, True)
    assert there.teacher == back.teacher
    assert there.teacher.df == 2


def test_one_test_image_has_no_variance_over_images():
    records = [*NONE, *seeds("mgd", 0.55, 0.553, 0.56)]
    single = {run.run_id: ("same", np.array([run.score])) for run in records}
    assert row(board(records, values=single), "mgd").over == "seeds"


def test_large_numbers_have_squares():
    huge = [[1e80 * score for score in scores] for scores in ((1.0, 2.0, 1.5), (3.0, 1.5, 2.0))]
    records = [*seeds("none", *huge[0], teacher=4e80), *seeds("mgd", *huge[1], teacher=4e80)]
    small = [*seeds("none", 1.0, 2.0, 1.5, teacher=4.0), *seeds("mgd", 3.0, 1.5, 2.0, teacher=4.0)]
    found, expected = (row(board(each), "mgd") for each in (records, small))
    assert (found.p, found.gap.low) == (pytest.approx(expected.p), pytest.approx(expected.gap.low))


def test_seeds_that_only_one_row_has_claim_nothing_against_the_pairs():
    """On the seeds that both have the method is worse, by the means of all it is better."""
    made = board([*seeds("none", 0.50, 0.70, 0.30, 0.51, 0.49), record("mgd", 1, 0.65), record("mgd", 3, 0.463)])
    assert row(made, "mgd").gain.high < 0
    assert [(each.entry.label, each.rank, each.group, each.bounds) for each in made.rows] == [
        ("mgd", 1, "A", (2, 2)),
        ("none", 1, "A", (1, 1)),
    ]

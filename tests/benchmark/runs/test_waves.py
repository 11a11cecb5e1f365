"""How a sweep is cut into jobs, from overrides and records alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.runs.waves import Cohort, PlannedRun, PlannedTeacher, dealt, joined, parted, planned

COSTS = {"none": 1.0, "mgd": 6.0, "pixel": 2.0, "cwd": 3.0}
LARGE, WIDE = PlannedTeacher("t1", "large", 320), PlannedTeacher("t2", "wide", 320)


def run(number: int, method: str, *teachers: PlannedTeacher, finished: bool = False) -> PlannedRun:
    return PlannedRun(f"{method}-{number}", method, teachers, 1.0, finished)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([["task=seg"]], [("task=seg",)]),
        (
            [[f"method={method}", f"seed={seed}"] for method in ("none", "mgd") for seed in (0, 1)],
            [("seed=0", "method=[none,mgd]"), ("seed=1", "method=[none,mgd]")],
        ),
        ([["method=[none,mgd]"], ["method=[mgd,pixel]"]], [("method=[none,mgd,pixel]",)]),
        (
            [["method=mgd", "recipe.lr=1"], ["method=none", "recipe.lr=2"]],
            [("recipe.lr=1", "method=[mgd]"), ("recipe.lr=2", "method=[none]")],
        ),
        ([["method=mgd"], ["method=mgd_voc"]], [("method=[mgd]",), ("method=mgd_voc",)]),  # options of one method
    ],
)
def test_jobs_that_differ_in_their_methods_alone_join(jobs: list[list[str]], expected: list[tuple[str, ...]]) -> None:
    assert joined(jobs, {"none", "mgd", "pixel"}) == expected


def test_a_teacher_is_made_once_and_before() -> None:
    cohorts = [
        Cohort((f"seed={seed}",), (run(seed, "none"), run(seed, "mgd", LARGE, WIDE), run(seed, "pixel", LARGE)))
        for seed in (0, 1)
    ]
    sweep = planned(cohorts)
    assert [(job.teacher, job.words) for job in sweep.teachers] == [
        (LARGE, ("seed=0", "only=[teacher.large]")),
        (WIDE, ("seed=0", "only=[teacher.wide]")),
    ]
    assert list(sweep.cohorts) == cohorts


def test_a_run_of_two_cohorts_has_its_place_in_the_first() -> None:
    first = Cohort(("methods.mgd.region=1",), (run(0, "none"), run(1, "mgd")))
    second = Cohort(("methods.mgd.region=2",), (run(0, "none"), run(2, "mgd")))
    sweep = planned([first, second])
    assert sweep.cohorts == (first, Cohort(("methods.mgd.region=2", "only=[methods.mgd]"), (run(2, "mgd"),)))


def test_what_is_finished_has_no_job() -> None:
    done = run(0, "none", finished=True)
    sweep = planned([Cohort(("seed=0",), (done, run(0, "mgd"))), Cohort(("seed=1",), (done,))])
    assert sweep.finished == ("none-0",)
    assert sweep.cohorts == (Cohort(("seed=0", "only=[methods.mgd]"), (run(0, "mgd"),)),)
    assert sweep.teachers == ()


def test_only_who_learns_from_a_teacher_falls_with_it() -> None:
    cohort = Cohort(("seed=0",), (run(0, "none"), run(0, "mgd", LARGE, WIDE), run(0, "pixel", LARGE)))
    left, taken = planned([cohort]).without({"t2"})
    assert [[each.method for each in kept.runs] for kept in left.cohorts] == [["none", "pixel"]]
    assert left.cohorts[0].words == ("seed=0", "only=[methods.none,methods.pixel]")
    assert taken == (Cohort(("seed=0", "only=[methods.mgd]"), (run(0, "mgd", LARGE, WIDE),)),)
    left, taken = planned([cohort]).without({"t1", "t2"})
    assert [[each.method for each in kept.runs] for kept in left.cohorts] == [["none"]]
    assert planned([cohort]).without(()) == (planned([cohort]), ())


def test_a_long_cohort_is_parted_where_there_are_places() -> None:
    short = Cohort(("seed=0",), (run(0, "none"), run(0, "pixel")))
    long = Cohort(("seed=1",), tuple(PlannedRun(each, each, (), seconds) for each, seconds in COSTS.items()))
    sweep = planned([short, long])
    assert parted(sweep, 1) == parted(sweep, 2) == sweep
    assert [cohort.words for cohort in parted(sweep, 3).cohorts] == [
        ("seed=0",),
        ("seed=1", "only=[methods.mgd]"),
        ("seed=1", "only=[methods.none,methods.pixel,methods.cwd]"),
    ]
    alone = parted(sweep, 100).cohorts
    assert [len(cohort.runs) for cohort in alone] == [1] * 6, "no part is empty"


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=12), st.integers(1, 5))
def test_hands_have_about_one_length(lengths: list[float], hands: int) -> None:
    held = dealt(lengths, hands)
    assert sorted(place for hand in held for place in hand) == list(range(len(lengths)))
    longest = max(sum(lengths[place] for place in hand) for hand in held)
    assert (
        longest <= sum(lengths) / hands + max(lengths) + 1e-6
    )  # of any order in which the lightest hand gets the next


runs = st.builds(
    PlannedRun,
    id=st.sampled_from("abcdef"),
    method=st.sampled_from(["none", "mgd"]),
    teachers=st.lists(st.sampled_from([LARGE, WIDE]), unique=True).map(tuple),
    finished=st.booleans(),
)


@given(st.lists(st.lists(runs, min_size=1, max_size=4).map(tuple), max_size=5), st.sets(st.sampled_from(["t1", "t2"])))
def test_every_unfinished_run_has_one_place_and_its_teachers_come_first(
    drawn: list[tuple[PlannedRun, ...]], lost: set[str]
) -> None:
    known: dict[str, PlannedRun] = {}  # an id says all about a run
    cohorts = [
        Cohort((f"seed={seed}",), tuple(known.setdefault(each.id, each) for each in group))
        for seed, group in enumerate(drawn)
    ]
    sweep = planned(cohorts)
    placed = [each.id for cohort in sweep.cohorts for each in cohort.runs]
    assert sorted(placed) == sorted(key for key, each in known.items() if not each.finished)
    assert sorted(sweep.finished) == sorted(key for key, each in known.items() if each.finished)
    wanted = {teacher for key in placed for teacher in known[key].teachers}
    assert sorted(job.teacher.id for job in sweep.teachers) == sorted(teacher.id for teacher in wanted)
    left, taken = sweep.without(lost)
    assert sorted(each.id for cohort in (*left.cohorts, *taken) for each in cohort.runs) == sorted(placed)
    assert not any(teacher.id in lost for cohort in left.cohorts for each in cohort.runs for teacher in each.teachers)

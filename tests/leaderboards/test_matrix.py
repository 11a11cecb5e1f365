import pytest
from scipy import stats

from leaderboards.board import boards
from leaderboards.budget_comparison import comparisons
from leaderboards.matrix import matrices
from leaderboards.render.summary import budget_table
from leaderboards.signed_rank import signed_rank
from leaderboards.statistics import holm
from leaderboards.track import conditions
from tests.leaderboards.factory import record, seeds

DEPTH = {"task": "depth", "metric": "rmse", "higher": False, "teacher": 2.0}


def matrix(records):
    (made,) = matrices(boards(records))
    return made, {row.label: row for row in made.rows}


def two_tasks(**methods):
    """Give each method its scores on seg; on depth 4 minus twice as much, so that both gaps are equal."""
    methods = {"none": (0.50, 0.51, 0.505), **methods}
    records = []
    for name, scores in methods.items():
        records += seeds(name, *scores, teacher=1.0)
        records += seeds(name, *(4 - 2 * score for score in scores), **DEPTH)
    return records


def test_another_strength_stays_on_its_board_beside_the_method_as_it_comes():
    weaker = seeds("mgd", 0.77, 0.78, 0.79, options={"strength": 0.25}, teacher=1.0)
    plain = two_tasks(mgd=(0.75, 0.76, 0.755))
    _, rows = matrix([*plain, *weaker])
    assert set(rows) == {"mgd", "none"}
    assert rows["mgd"].coverage == 1.0
    alone = [run for run in plain if run.method.name == "none" or run.task.name == "depth"]
    _, rows = matrix([*alone, *weaker])
    assert {label: row.coverage for label, row in rows.items()} == {"mgd": 0.5, "mgd strength=0.25": 0.5, "none": 1.0}


def test_rows_are_joined_by_configuration_and_not_by_what_a_board_calls_them():
    runs = two_tasks()
    for mask in (0.5, 0.75):
        runs += seeds("mgd", 0.55, 0.56, 0.555, options={"mask": mask}, teacher=1.0)
    runs += seeds("mgd", 2.5, 2.6, 2.55, options={"mask": 0.75}, **DEPTH)
    _, rows = matrix(runs)
    coverage = {label: row.coverage for label, row in rows.items()}
    assert coverage == {"mgd mask=0.5": 0.5, "mgd mask=0.75": 1.0, "none": 1.0}


def test_budgets_are_set_side_by_side_by_configuration():
    runs = [*seeds("none", 0.5, 0.6), *seeds("pixel", 0.5, 0.6), *seeds("none", 0.5, 0.6, budget="time")]
    runs += seeds("pixel", 0.4, 0.45, options={"strength": 0.25})
    runs += seeds("pixel", 0.4, 0.45, options={"strength": 0.25}, budget="time")
    (found,) = comparisons(boards(runs))
    has = {name: tuple(row is not None for row in rows) for name, rows in found.rows}
    assert has == {"pixel": (True, False), "none": (True, True), "pixel strength=0.25": (True, True)}


def test_one_run_that_departs_from_the_protocol_takes_no_board_out_and_is_named():
    runs = [named(run, "standard", True) for run in two_tasks(mgd=(0.55, 0.56, 0.555))]
    odd = [named(run, "custom", None) for run in seeds("none", 0.51, 0.52, 0.5, variant="0 x steps", teacher=1.0)]
    made = boards([*odd, *runs])
    assert {(each.track.protocol, each.track.proves) for each in made} == {("standard", True)}
    assert "Of another protocol than most runs of the board: none (0 x steps) (custom)." in made[1].notes
    (found,) = matrices(made)
    assert found.title.startswith("protocol standard")
    assert len(found.tracks) == 2


def named(run, name, proves):
    return run.model_copy(update={"protocol": run.protocol.model_copy(update={"name": name, "proves": proves})})


def test_cells_hold_gap_rank_and_outcome():
    made, rows = matrix(two_tasks(mgd=(0.75, 0.76, 0.755), skt=(0.40, 0.41, 0.405), cwd=(0.50, 0.52, 0.50)))
    assert made.columns == ("Depth", "Seg")
    depth, seg = rows["mgd"].cells
    assert depth.gap.mean == pytest.approx(seg.gap.mean) == pytest.approx(0.75 / (3 * 0.495))
    assert [cell.outcome for cell in rows["mgd"].cells] == ["win", "win"]
    assert [cell.outcome for cell in rows["skt"].cells] == ["loss", "loss"]
    assert [cell.outcome for cell in rows["cwd"].cells] == ["tie", "tie"]
    assert [cell.outcome for cell in rows["none"].cells] == [None, None]
    assert (rows["mgd"].count("win"), rows["cwd"].count("tie"), rows["skt"].count("loss")) == (2, 2, 2)
    assert [row.label for row in made.rows] == ["mgd", "cwd", "none", "skt"]
    assert [row.mean_rank for row in made.rows] == [1.0, 2.0, 3.0, 4.0]
    assert rows["mgd"].mean_gap == pytest.approx(seg.gap.mean)


def test_equal_means_share_their_rank():
    _, rows = matrix(two_tasks(mgd=(0.75, 0.75, 0.75), cwd=(0.75, 0.75, 0.75)))
    assert [cell.rank for cell in rows["mgd"].cells] == [1.5, 1.5]
    assert rows["mgd"].mean_rank == rows["cwd"].mean_rank == 1.5


def test_a_crash_takes_the_worst_rank_and_the_mean_gap():
    records = [*two_tasks(mgd=(0.7, 0.7, 0.7)), *seeds("skt", 0.9, 0.9, 0.9, teacher=1.0)]
    records += [record("skt", seed, None, status="diverged", reason="NaN", **DEPTH) for seed in range(3)]
    _, rows = matrix(records)
    assert [cell.rank for cell in rows["skt"].cells] == [3.0, 1.0]
    assert [cell.outcome for cell in rows["skt"].cells] == ["loss", "win"]
    assert (rows["skt"].mean_gap, rows["skt"].mean_rank, rows["skt"].coverage) == (None, 2.0, 1.0)


def test_incomplete_rows_are_below_the_line_and_leave_the_ranks_alone():
    made, rows = matrix([*two_tasks(mgd=(0.7, 0.7, 0.7)), *seeds("cwd", 0.9, 0.9, 0.9, teacher=1.0)])
    assert [row.label for row in made.rows] == ["mgd", "none", "cwd"]
    assert (rows["cwd"].complete, rows["cwd"].coverage, rows["cwd"].mean_rank) == (False, 0.5, None)
    assert rows["cwd"].cells[0] is None
    assert rows["cwd"].cells[1].rank is None
    assert [cell.rank for cell in rows["mgd"].cells] == [1.0, 1.0]
    assert rows["cwd"].mean_gap is None


def test_a_missing_seed_is_incomplete():
    made, rows = matrix([*two_tasks(mgd=(0.7, 0.7, 0.7)), *two_tasks(cwd=(0.9, 0.9))[6:]])
    assert rows["cwd"].coverage == pytest.approx(2 / 3)
    assert made.rows[-1].label == "cwd"


def test_what_does_not_apply_leaves_the_block():
    records = [*two_tasks(mgd=(0.7, 0.7, 0.7)), *seeds("stkd", 0.6, 0.6, 0.6, teacher=1.0)]
    records += [record("stkd", seed, None, status="not_applicable", reason="no boxes", **DEPTH) for seed in range(3)]
    _, rows = matrix(records)
    assert (rows["stkd"].complete, rows["stkd"].mean_rank, rows["stkd"].gaps) == (True, 2.0, 1)
    assert rows["none"].cells[0].rank == 2.0
    assert rows["none"].cells[1].rank == 3.0


def test_p_values_are_corrected_for_the_number_of_cells():
    _, rows = matrix(two_tasks(mgd=(0.75, 0.76, 0.755), cwd=(0.50, 0.52, 0.50)))
    cells = [cell for label in sorted(rows) for cell in rows[label].cells if cell.p is not None]
    assert [cell.p_holm for cell in cells] == pytest.approx(holm([cell.p for cell in cells]))
    gains = [0.50 - 0.50, 0.52 - 0.51, 0.50 - 0.505]
    assert rows["cwd"].cells[1].p == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)


def test_three_tasks_are_the_fewest_that_say_something_of_others():
    records = two_tasks(mgd=(0.75, 0.76, 0.755))
    assert matrix(records)[1]["mgd"].posterior is None
    for name, scores in {"none": (0.50, 0.51, 0.505), "mgd": (0.6, 0.61, 0.6)}.items():
        records += seeds(name, *scores, task="saliency", teacher=1.0)
    _, rows = matrix(records)
    assert rows["mgd"].posterior == signed_rank([cell.gap.mean for cell in rows["mgd"].cells])
    assert rows["mgd"].gaps == 3


def test_several_columns_of_one_task_are_one_task():
    records = []
    for number, dataset in enumerate(("scenes", "camvid", "voc")):
        records += seeds("none", 0.50, 0.51, 0.505, dataset=dataset, teacher=1.0)
        records += seeds(
            "mgd", *(0.6 + 0.01 * number + each for each in (0.0, 0.01, 0.002)), dataset=dataset, teacher=1.0
        )
    made, rows = matrix(records)
    assert (len(made.columns), rows["mgd"].gaps, rows["mgd"].posterior) == (3, 3, None)


def test_a_seeded_share_is_the_one_asked_for_whatever_the_number_of_images():
    records = []
    for task, labels, more in (("seg", (183, 1464), {}), ("depth", (372, 2975), DEPTH)):
        for run in seeds("none", *((0.5, 0.6) if task == "seg" else (3.0, 3.1)), labels=labels, **more):
            part = run.dataset.labeled.model_copy(update={"name": "seeded-1/8"})
            records.append(run.model_copy(update={"dataset": run.dataset.model_copy(update={"labeled": part})}))
    assert matrix(records)[0].title == "equal steps, 1/8 labels"


def test_a_protocol_that_compares_comes_first_and_others_are_named():
    def under(name, proves):
        return [named(run, name, proves) for run in two_tasks(mgd=(0.7, 0.71, 0.7))]

    changed = [
        run.model_copy(update={"track_id": f"{run.track_id}-x"}) for run in under("custom (based on quick)", None)
    ]
    assert [each.title for each in matrices(boards([*changed, *under("standard", True)]))] == [
        "protocol standard, equal steps, 1/8 labels",
        "protocol custom (based on quick), which is not known to compare, equal steps, 1/8 labels",
    ]


def test_budgets_and_labelled_shares_are_apart():
    records = []
    for budget in ("steps", "time"):
        for labels in ((64, 512), (512, 512)):
            records += seeds("none", 0.5, labels=labels, budget=budget)
            records += seeds("none", 3.0, labels=labels, budget=budget, **DEPTH)
    assert [each.title for each in matrices(boards(records))] == [
        "equal steps, all labels",
        "equal steps, 1/8 labels",
        "equal training time, all labels",
        "equal training time, 1/8 labels",
    ]


def test_one_track_makes_no_matrix():
    assert matrices(boards(seeds("none", 0.5) + seeds("mgd", 0.6))) == []


def test_columns_of_one_task_are_told_apart():
    made, _ = matrix(seeds("none", 0.5) + seeds("none", 0.5, dataset="camvid") + seeds("none", 3.0, **DEPTH))
    assert made.columns == ("Depth", "Seg, camvid", "Seg, scenes")


def test_budgets_of_a_setting_stand_side_by_side():
    records = seeds("none", 0.5) + seeds("mgd", 0.6) + seeds("none", 0.55, budget="time") + seeds("none", 3.0, **DEPTH)
    (found,) = comparisons(boards(records))
    assert [board.track.budget_kind for board in found.boards] == ["steps", "time"]
    rows = dict(found.rows)
    assert [row.score.mean for row in rows["none"]] == [0.5, 0.55]
    assert rows["mgd"][1] is None


def test_a_crash_is_said_beside_the_other_budget():
    control, sound = [0.50, 0.51, 0.505], [0.60, 0.61, 0.6]
    records = seeds("none", *control) + seeds("mgd", *sound) + seeds("none", *control, budget="time")
    records += [*seeds("mgd", *sound[:2], budget="time"), record("mgd", 2, None, status="diverged", budget="time")]
    (found,) = comparisons(boards(records))
    cells = {row[0]: row[1:] for row in budget_table(found).rows}["mgd"]
    assert cells[:3] == ("1 A", "0.6033 ± 0.0058", "+0.0983")
    assert (cells[4], cells[6]) == ("diverged (2)", "–")


@pytest.mark.parametrize(("proves", "count"), [(False, 0), (True, 1), (None, 1)])
def test_a_protocol_that_proves_nothing_has_no_matrix_and_says_so(proves: bool | None, count: int) -> None:
    said = {"name": "brief", "proves": proves, **record().protocol.model_dump(include={"recipe", "budget"})}
    records = [record("mgd", 0, 0.5, protocol=said), record("mgd", 0, 2.0, protocol=said, **DEPTH)]
    made = boards(records)
    assert len(matrices(made)) == count
    assert ("proves nothing" in " ".join(conditions(made[0].track))) == (proves is False)

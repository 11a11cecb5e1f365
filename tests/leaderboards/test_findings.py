"""Statements follow from records, and those of the manual are what the published records give."""

from pathlib import Path

from leaderboards.board import boards
from leaderboards.findings import statements, tuned
from leaderboards.tuning import FOLDER, read_folder
from tests.leaderboards.factory import PUBLISHED, record, seeds

ROOT = Path(__file__).parents[2]


def test_statements_sort_gains_by_their_intervals():
    runs = [*seeds("none", 0.50, 0.51, 0.505), *seeds("mgd", 0.60, 0.612, 0.604), *seeds("stkd", 0.4, 0.412, 0.404)]
    (said,) = statements(boards([*runs, *seeds("cwd", 0.4, 0.6, 0.5), record("skt", 0, 0.9)]))
    order = [said.index(word) for word in ("above zero: `mgd` +0.1", "below zero: `stkd`", "around zero: `cwd`")]
    assert order == sorted(order)
    assert "skt" not in said


def test_statements_count_where_loud_methods_and_quiet_ones_lie():
    def pulling(ratio):
        return {"diagnostics": {"ratio_steps": [0], "ratios": {"supervised": [1.0], "kd": [ratio]}}}

    runs = [
        *seeds("none", 0.50, 0.51, 0.505),
        *seeds("mgd", 0.60, 0.612, 0.604, **pulling(0.5)),
        *seeds("stkd", 0.4, 0.412, 0.404, **pulling(20.0)),
        *seeds("cwd", 0.4, 0.6, 0.5, **pulling(2.0)),
    ]
    timed = [
        *seeds("none", 0.5, 0.51, 0.505, budget="time"),
        *seeds("mgd", 0.1, 0.11, 0.1, budget="time", **pulling(9.0)),
    ]
    *_, said = statements(boards([*runs, *timed]))
    assert said == (
        "- **Loudness**: gradients of the terms at least 2 times the task loss's, 2 rows: 0 above zero, 1 around zero, "
        "1 below zero; smaller ones, 1 row: 1 above zero, 0 around zero, 0 below zero."
    )
    assert not any("Loudness" in line for line in statements(boards(runs[:6])))
    one_seed = [run for run in runs if run.seed == 0]
    assert not any("Loudness" in line for line in statements(boards(one_seed))), "no gain has an interval"


def test_what_the_other_seeds_of_a_failed_method_reach_is_no_gain():
    diverged = [record("mgd", seed, None, status="diverged", reason="NaN") for seed in (2, 3, 4)]
    runs = [*seeds("none", 0.50, 0.51, 0.505, 0.5, 0.51), *seeds("mgd", 0.55, 0.56), *diverged]
    assert statements(boards(runs)) == [
        "- **Seg on scenes, 64/512 labels (64 of 512), equal steps (600)**: no gain has an interval; failed: `mgd`."
    ]
    (said,) = statements(boards([*runs, *seeds("cwd", 0.60, 0.612, 0.604, 0.6, 0.611)]))
    assert "above zero: `cwd`" in said
    assert said.endswith("; failed: `mgd`.")


def test_the_statements_of_the_results_are_what_the_records_give(published):
    page = (ROOT / "docs" / "results.md").read_text().splitlines()
    found = [line for line in page if line.startswith("- **")]
    expected = [*statements(published[0]), *tuned(read_folder(PUBLISHED / FOLDER))]
    assert found == expected, "run: benchmark leaderboard statements leaderboards/published"

"""Statements and claims follow from records, and the pages of the manual are what the published records give."""

from pathlib import Path

import pytest

from leaderboards import about, image_values, store
from leaderboards.board import boards
from leaderboards.errors import RecordError
from leaderboards.findings import OPEN, Claim, claims_page, judge, read_claims, statements, tuned
from leaderboards.tuning import FOLDER, read_folder
from tests.leaderboards.factory import record, seeds

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "leaderboards" / "published"
CLAIM = Claim(source="Somebody 2020", said="It helps", method="mgd", tasks=["seg", "depth"], few_labels=True)


def of_protocol(records, proves=True):
    changed = {"name": "standard", "proves": proves}
    return [run.model_copy(update={"protocol": run.protocol.model_copy(update=changed)}) for run in records]


def two_tasks(seg, depth):
    other = {"task": "depth", "metric": "rmse", "higher": False, "teacher": 2.0}
    runs = [*seeds("none", 0.50, 0.51, 0.505), *seeds("mgd", *seg), *seeds("none", 3.0, 3.1, 3.05, **other)]
    return [*runs, *seeds("mgd", *depth, **other)]


@pytest.mark.parametrize(
    ("seg", "depth", "verdict"),
    [
        ((0.60, 0.612, 0.604), (2.5, 2.61, 2.54), "confirmed here"),
        ((0.60, 0.612, 0.604), (3.0, 3.0, 3.2), "confirmed here on Seg, not on Depth"),
        ((0.40, 0.412, 0.404), (3.5, 3.61, 3.54), "not confirmed here"),
    ],
)
def test_the_verdict_follows_the_intervals(seg, depth, verdict):
    found, numbers = judge(CLAIM, boards(of_protocol(two_tasks(seg, depth))), {})
    assert found == verdict
    assert len(numbers) == 2


def test_nothing_is_concluded_from_a_quick_protocol_nor_from_one_method_alone():
    runs = two_tasks((0.60, 0.612, 0.604), (2.5, 2.61, 2.54))
    assert judge(CLAIM, boards(of_protocol(runs, proves=False)), {})[0].startswith(OPEN)
    assert judge(CLAIM, boards(runs), {})[0].startswith(OPEN)
    assert judge(CLAIM, boards(of_protocol(seeds("none", 0.5, 0.6))), {}) == (f"{OPEN}: no records of both yet", [])


def test_a_claim_against_another_method_is_paired_with_it():
    runs = [*seeds("pixel", 0.5, 0.6, 0.7), *seeds("mgd", 0.53, 0.631, 0.732), *seeds("none", 0.9, 0.1, 0.4)]
    claim = CLAIM.model_copy(update={"over": "pixel"})
    assert judge(claim, boards(of_protocol(runs)), {})[0] == "confirmed here"


@pytest.mark.parametrize(
    ("near", "verdict"),
    [(0.05, "confirmed here on Depth, not on Seg"), (0.2, "confirmed here"), (0.01, "not confirmed here")],
)
def test_a_claim_to_come_near_the_teacher_counts_the_worse_end_of_the_interval(near, verdict):
    """Teachers score 0.60 (higher is better) and 2.0 (lower); the worse ends are 0.5326 and 2.085."""
    claim = CLAIM.model_copy(update={"near": near})
    found, numbers = judge(claim, boards(of_protocol(two_tasks((0.54, 0.55, 0.545), (2.05, 2.06, 2.07)))), {})
    assert found == verdict
    assert [line.split(": ", 1)[1] for line in numbers] == [
        "2.060 [2.035, 2.085] against its teacher's 2.000, with 3.4 % of its multiply-adds",
        "0.5450 [0.5326, 0.5574] against its teacher's 0.6000, with 3.4 % of its multiply-adds",
    ]


def test_what_cannot_be_tested_says_why():
    claim = Claim(source="Somebody 2020", said="It is fast", untestable="no such device.")
    assert judge(claim, [], {}) == ("cannot be tested here: no such device.", [])


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


def test_a_claim_with_an_unknown_field_is_named(tmp_path):
    (tmp_path / "claims.json").write_text('[{"source": "a", "said": "b", "methods": "c"}]')
    with pytest.raises(RecordError, match="methods"):
        read_claims(tmp_path / "claims.json")


@pytest.fixture(scope="module")
def published():
    records, _ = store.read([PUBLISHED])
    values = image_values.read(records, [PUBLISHED]).runs
    return boards(records, about.read([PUBLISHED]).excluded, values), values


def test_the_page_of_claims_is_what_the_records_give(published):
    claims = read_claims(PUBLISHED / "claims.json")
    page = (ROOT / "docs" / "claims.md").read_text()
    assert page == claims_page(claims, *published), "run make published"


def test_the_statements_of_the_results_are_what_the_records_give(published):
    page = (ROOT / "docs" / "results.md").read_text().splitlines()
    found = [line for line in page if line.startswith("- **")]
    expected = [*statements(published[0]), *tuned(read_folder(PUBLISHED / FOLDER))]
    assert found == expected, "run: benchmark leaderboard statements leaderboards/published"

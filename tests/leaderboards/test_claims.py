"""Verdicts on claims follow from records, and the page of the manual is what the published records give."""

from pathlib import Path

import pytest

from leaderboards.board import boards
from leaderboards.claims import OPEN, Claim, judge, page, read_claims
from leaderboards.errors import RecordError
from tests.leaderboards.factory import PUBLISHED, record, seeds

ROOT = Path(__file__).parents[2]
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
        ((0.40, 0.412, 0.404), (3.5, 3.61, 3.54), "not confirmed here: the interval lies on the other side"),
        ((0.40, 0.412, 0.404), (3.0, 3.0, 3.2), "not confirmed here: the interval lies on the other side on Seg"),
        ((0.40, 0.6, 0.51), (3.0, 3.0, 3.2), "not confirmed here, nor refuted"),
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
    none = f"{OPEN}: there are no records of both, or of several configurations of one"
    assert judge(CLAIM, boards(of_protocol(seeds("none", 0.5, 0.6))), {}) == (none, [])


def test_a_task_without_records_is_named():
    runs = [*seeds("none", 0.50, 0.51, 0.505), *seeds("mgd", 0.60, 0.612, 0.604)]
    verdict, lines = judge(CLAIM, boards(of_protocol(runs)), {})
    assert (verdict, lines[1:]) == ("confirmed here on Seg, not judged on depth", ["depth: no records of both"])


def test_a_claim_does_not_hold_where_the_method_fails():
    runs = two_tasks((0.60, 0.612, 0.604), (2.5, 2.61, 2.54))
    crashed = record("mgd", 2, None, status="diverged", reason="NaN", task="depth", metric="rmse", higher=False)
    kept = [run for run in runs if run.run_id != crashed.run_id]
    assert len(kept) == len(runs) - 1
    verdict, lines = judge(CLAIM, boards(of_protocol([*kept, crashed])), {})
    assert verdict == "confirmed here on Seg, not on Depth"
    assert lines[0].endswith(": failed in a seed: mgd")


def test_why_a_board_cannot_be_judged_is_said():
    runs = of_protocol(two_tasks((0.60, 0.612, 0.604), (2.5, 2.61, 2.54)))
    depth = next(run.track_id for run in runs if run.task.name == "depth")
    verdict, lines = judge(CLAIM, boards(runs, {depth: "its data changed"}), {})
    assert verdict == "confirmed here on Seg, not judged on depth"
    assert lines[0].endswith(": takes no part: its data changed")
    single = [run for run in runs if run.task.name == "seg" or run.seed == 0]
    assert judge(CLAIM, boards(single), {})[1][0].endswith(": no interval: one seed, or none that both have")


def test_a_claim_is_about_a_method_at_its_own_strength():
    control, better = seeds("none", 0.50, 0.51, 0.505), (0.60, 0.612, 0.604)
    quiet = seeds("mgd", *better, options={"strength": 0.25, "mask": 0.5})
    own = seeds("mgd", 0.40, 0.412, 0.404, options={"strength": 1.0, "mask": 0.5})
    other = seeds("mgd", *better, options={"strength": 1.0, "mask": 0.75})
    assert judge(CLAIM, boards(of_protocol([*control, *quiet])), {})[0].startswith(OPEN)
    assert judge(CLAIM, boards(of_protocol([*control, *quiet, *own])), {})[0].startswith("not confirmed here")
    assert judge(CLAIM, boards(of_protocol([*control, *own, *other])), {})[0].startswith(OPEN)


def test_a_claim_against_another_method_is_paired_with_it():
    runs = [*seeds("pixel", 0.5, 0.6, 0.7), *seeds("mgd", 0.53, 0.631, 0.732), *seeds("none", 0.9, 0.1, 0.4)]
    claim = CLAIM.model_copy(update={"over": "pixel", "tasks": ["seg"]})
    assert judge(claim, boards(of_protocol(runs)), {})[0] == "confirmed here"


@pytest.mark.parametrize(
    ("near", "verdict"),
    [
        (0.05, "confirmed here on Depth, not on Seg"),
        (0.2, "confirmed here"),
        (0.01, "not confirmed here: the interval lies on the other side"),
    ],
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


def test_a_claim_with_an_unknown_field_is_named(tmp_path):
    (tmp_path / "claims.json").write_text('[{"source": "a", "said": "b", "methods": "c"}]')
    with pytest.raises(RecordError, match="methods"):
        read_claims(tmp_path / "claims.json")


def test_the_page_of_claims_is_what_the_records_give(published):
    written = (ROOT / "docs" / "claims.md").read_text()
    assert written == page(read_claims(PUBLISHED / "claims.json"), *published), "run make published"

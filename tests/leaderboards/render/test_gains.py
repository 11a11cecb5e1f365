import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leaderboards.leaderboard import leaderboard
from leaderboards.render.gains import INTERVALS, axis
from leaderboards.render.svg import render
from tests.leaderboards.factory import record, seeds

SVG = "{http://www.w3.org/2000/svg}"
RUNS = [
    *seeds("none", 0.50, 0.51, 0.505),
    *seeds("mgd", 0.60, 0.612, 0.604),
    *seeds("stkd", 0.4, 0.412, 0.404),
    *seeds("cwd", 0.4, 0.6, 0.5),
]


def drawn(runs):
    root = ElementTree.fromstring(render(leaderboard(runs)))
    return root, [each.text for each in root.iter(f"{SVG}text")]


def test_a_board_alone_shows_its_gains_with_intervals_the_best_first():
    root, words = drawn([*RUNS, record("skt", 0, 0.9)])
    dots = [(each.get("class"), float(each.get("cx"))) for each in root.iter(f"{SVG}circle")]
    assert [kind for kind, _ in dots] == ["better", "open", "worse"]
    assert [word for word in words if word in ("mgd", "cwd", "stkd", "skt")] == ["mgd", "cwd", "stkd"]
    assert words[0] == "Seg on scenes: gain in miou over the student alone, 95 % interval"
    assert "+0.1003 [+0.0965, +0.1041]" in words
    assert words[-1].endswith("the student alone reaches 0.5050 ± 0.0050, its teacher 0.6000.")


def test_a_method_that_failed_in_a_seed_is_named_and_not_drawn():
    _, words = drawn([*RUNS, *seeds("skt", 0.60, 0.612), record("skt", 2, None, status="diverged", reason="NaN")])
    assert "skt" not in words
    assert " ".join(words).endswith("its teacher 0.6000; failed: skt.")


def test_a_dot_stands_where_the_axis_says():
    root, _ = drawn(RUNS)
    ticks = {float(each.text.replace("−", "-")): float(each.get("x")) for each in root.iter(f"{SVG}text")
             if each.get("text-anchor") == "middle"}  # fmt: skip
    (low, left), (high, right) = min(ticks.items()), max(ticks.items())
    best = next(float(each.get("cx")) for each in root.iter(f"{SVG}circle"))
    assert low + (high - low) * (best - left) / (right - left) == pytest.approx(0.1003, abs=0.002)


@given(some.floats(-1e3, 1e3), some.floats(0, 1e3))
def test_the_axis_holds_zero_and_both_ends_at_few_round_ticks(low, span):
    ticks = axis(low, low + span)
    assert ticks[0] <= low + 1e-9
    assert ticks[-1] >= low + span - 1e-9
    assert 0.0 in ticks
    assert 2 <= len(ticks) <= INTERVALS + 1

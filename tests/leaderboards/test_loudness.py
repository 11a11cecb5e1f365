"""Loudness: the sum over terms of a step, the median over steps and runs."""

import pytest

from benchmark.config.strength import STRENGTH
from leaderboards.entry import collect
from leaderboards.loudness import TASK_LOSS, loudness
from leaderboards.naming import OWN_STRENGTH
from methods.base import SUPERVISED
from tests.leaderboards.factory import record


def measured(seed=0, **ratios):
    steps = list(range(len(next(iter(ratios.values())))))
    return record("mgd", seed, 0.5, diagnostics={"ratio_steps": steps, "ratios": ratios})


def test_words_are_those_of_the_methods():
    assert TASK_LOSS == SUPERVISED
    assert OWN_STRENGTH[0] == STRENGTH


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([measured(supervised=[1.0, 1.0, 1.0], pixel=[1.0, 4.0, 2.0], image=[0.5, 0.5, 1.0])], 3.0),
        ([measured(0, supervised=[1.0], pixel=[2.0]), measured(1, supervised=[1.0], pixel=[5.0])], 3.5),
        ([measured(supervised=[1.0, 1.0, 1.0], late=[None, 0.2, 0.4])], 0.3),
        ([measured(supervised=[1.0, 1.0], pixel=[1.0, 3.0], short=[1.0])], 2.5),
        ([measured(supervised=[1.0, 1.0])], None),
        ([record("none")], None),
        ([], None),
    ],
)
def test_loudness_adds_terms_and_takes_the_median(runs, expected):
    assert loudness(runs) == (None if expected is None else pytest.approx(expected))


def test_a_run_that_failed_does_not_count():
    good = measured(0, supervised=[1.0], pixel=[2.0])
    bad = measured(1, supervised=[1.0], pixel=[900.0]).model_copy(update={"status": "failed"})
    (entry,) = collect([good, bad])
    assert entry.loudness == 2.0
